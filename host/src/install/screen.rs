//! What a person sees: what changes, and what does not.

use std::io::{self, IsTerminal, Write as _};
use std::path::{Path, PathBuf};

use diffy::DiffOptions;
use serde_json::Value;

use super::{Change, InstallError};
use crate::clients::{Client, Document, Stays};

/// The code of no colour.
const PLAIN: &str = "0";

/// Where an entry keeps what its server logs in with.
const CREDENTIALS: [&str; 6] = [
    "env",
    "envs",
    "environment",
    "headers",
    "http_headers",
    "bearer_token",
];

/// Shorter values are switches and numbers.
const SHORTEST: usize = 6;

/// Standard output, in colour on a terminal.
pub(super) struct Screen {
    out: io::Stdout,
    colour: bool,
}

impl Screen {
    pub(super) fn new() -> Self {
        let out = io::stdout();
        let colour = out.is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { out, colour }
    }

    pub(super) fn change(&self, change: &Change) {
        self.title(change.client, &change.file);
        let hidden = hidden(change);
        let (before, after) = (Some(&*change.before), Some(&*change.after));
        self.difference(&change.file, before, after, &hidden);
        if let Some((path, before, after)) = &change.config {
            self.difference(path, before.as_deref(), after.as_deref(), &hidden);
        }
        if !hidden.is_empty() {
            self.line("  note: what servers log in with is shown as … here only");
        }
        for note in &change.notes {
            self.line(&self.paint(PLAIN, &format!("  note: {note}")));
        }
        self.line("");
    }

    pub(super) fn same(&self, client: &Client, file: &Path, stays: &[(String, Stays)]) {
        self.title(client, file);
        self.line("  nothing to change");
        for (name, why) in stays {
            self.line(&self.paint(PLAIN, &format!("  note: {name} stays as it is: {why}")));
        }
        self.line("");
    }

    pub(super) fn failed(&self, client: &Client, error: &InstallError) {
        let line = format!("{}: not done: {error}\n", client.title);
        self.line(&self.paint("31", &line));
    }

    pub(super) fn nothing(&self, files: &[(&'static Client, PathBuf)]) {
        self.line("nothing to do: none of these is there, or has been changed by this gateway:");
        for (client, file) in files {
            self.line(&format!("  {}: {}", client.title, file.display()));
        }
    }

    pub(super) fn done(&self, change: &Change) {
        let line = format!("{}: done; {}", change.client.title, change.client.then);
        self.line(&self.paint("32", &line));
        if let Some(copy) = &change.copy {
            self.line(&format!("  as it was before: {}", copy.display()));
        }
    }

    /// Whether the person says yes.
    pub(super) fn agreed(&self) -> Result<bool, InstallError> {
        if !(io::stdin().is_terminal() && self.out.is_terminal()) {
            return Err(InstallError::NobodyToAsk);
        }
        let _ = (&self.out).write_all(b"Write this? [y/N] ");
        let _ = (&self.out).flush();
        let mut answer = String::new();
        io::stdin()
            .read_line(&mut answer)
            .map_err(super::unusable(Path::new("standard input")))?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    fn title(&self, client: &Client, file: &Path) {
        let title = format!("{}: {}", client.title, file.display());
        self.line(&self.paint("1;36", &title));
    }

    fn difference(
        &self,
        path: &Path,
        before: Option<&str>,
        after: Option<&str>,
        hidden: &[String],
    ) {
        for line in lines(path, before, after) {
            let code = match line.as_bytes().first() {
                Some(b'+') => "32",
                Some(b'-') => "31",
                Some(b'@') => "36",
                _ => PLAIN,
            };
            let line = hidden
                .iter()
                .fold(line, |line, value| without(&line, value));
            self.line(&self.paint(code, &line));
        }
    }

    fn line(&self, text: &str) {
        // A screen that is gone shows nothing more.
        let _ = writeln!(&self.out, "{text}");
    }

    /// A text of others, in which nothing moves the cursor, in a colour.
    fn paint(&self, code: &str, text: &str) -> String {
        let text: String = text
            .chars()
            .filter(|c| !c.is_control() || matches!(c, '\t' | '\n'))
            .collect();
        match self.colour && code != PLAIN {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text,
        }
    }
}

/// The lines that differ, below the file's name as it is: in a patch it would be escaped.
fn lines(path: &Path, before: Option<&str>, after: Option<&str>) -> Vec<String> {
    let name = |text: Option<&str>| match text {
        Some(_) => path.display().to_string(),
        None => "/dev/null".to_owned(),
    };
    let patch = DiffOptions::new()
        .create_patch(before.unwrap_or_default(), after.unwrap_or_default())
        .to_string();
    let names = [
        format!("--- {}", name(before)),
        format!("+++ {}", name(after)),
    ];
    let changes = patch.lines().skip_while(|line| !line.starts_with("@@"));
    names
        .into_iter()
        .chain(changes.map(str::to_owned))
        .collect()
}

/// The values that no screen shows, since what is on one is soon in a log or a
/// question to others; as they are written, the longest first.
fn hidden(change: &Change) -> Vec<String> {
    let mut found = Vec::new();
    for text in [&change.before, &change.after] {
        let servers = Document::read(change.client, text).map(|document| document.servers());
        for (_, entry) in servers.into_iter().flatten() {
            collect(&entry, false, &mut found);
        }
    }
    // As the gateway's own file has it, where `${` would name a variable.
    let literal: Vec<_> = found
        .iter()
        .map(|value| value.replace("${", "$${"))
        .collect();
    found.extend(literal);
    let quoted = found.iter().filter_map(|value| {
        let quoted = serde_json::to_string(value).ok()?;
        Some(quoted.trim_matches('"').to_owned())
    });
    let mut all: Vec<String> = quoted.collect();
    all.extend(found);
    all.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    all.dedup();
    all
}

fn collect(value: &Value, credentials: bool, found: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                collect(value, credentials || CREDENTIALS.contains(&&**key), found);
            }
        }
        // A path, or the name of a variable, tells nothing.
        Value::String(text)
            if credentials && text.len() >= SHORTEST && !text.starts_with(['/', '~', '$', '{']) =>
        {
            found.push(text.clone());
        }
        _ => {}
    }
}

/// A line without a value, where that stands alone.
fn without(line: &str, value: &str) -> String {
    let edge = |c: Option<char>| c.is_none_or(|c| c.is_whitespace() || "\"',}]".contains(c));
    let mut shown = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(value) {
        shown.push_str(before);
        let alone = edge(before.chars().next_back()) && edge(after.chars().next());
        shown.push_str(if alone { "…" } else { value });
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_as_its_system_names_it() {
        let path = Path::new(r"C:\Users\Zoë\mcp.json");
        assert_eq!(
            lines(path, None, Some("{}\n")),
            [
                "--- /dev/null",
                r"+++ C:\Users\Zoë\mcp.json",
                "@@ -0,0 +1 @@",
                "+{}"
            ]
        );
    }

    #[test]
    fn a_value_that_stands_alone_is_not_shown() {
        for (line, shown) in [
            ("+  \"K\": \"s3cret\",", "+  \"K\": \"…\","),
            ("-      K: s3cret", "-      K: …"),
            (
                "+env = { K = \"s3cret\", s3cret-x = 's3cret' }",
                "+env = { K = \"…\", s3cret-x = '…' }",
            ),
            ("+s3cretly", "+s3cretly"),
        ] {
            assert_eq!(without(line, "s3cret"), shown);
        }
    }
}
