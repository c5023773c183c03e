//! What a person sees: what changes, and what does not.

use std::io::{self, IsTerminal, Write as _};
use std::path::{Path, PathBuf};

use diffy::DiffOptions;

use super::{Change, InstallError};
use crate::clients::{Client, Stays};

/// The code of no colour.
const PLAIN: &str = "0";

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
        self.difference(&change.file, Some(&change.before), Some(&change.after));
        if let Some((path, before, after)) = &change.config {
            self.difference(path, before.as_deref(), after.as_deref());
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

    fn difference(&self, path: &Path, before: Option<&str>, after: Option<&str>) {
        let name = path.display().to_string();
        let named = |text: Option<&str>| match text {
            Some(_) => name.clone(),
            None => "/dev/null".to_owned(),
        };
        let mut options = DiffOptions::new();
        options
            .set_original_filename(named(before))
            .set_modified_filename(named(after));
        let patch = options.create_patch(before.unwrap_or_default(), after.unwrap_or_default());
        for line in patch.to_string().lines() {
            let code = match line.as_bytes().first() {
                Some(b'+') => "32",
                Some(b'-') => "31",
                Some(b'@') => "36",
                _ => PLAIN,
            };
            self.line(&self.paint(code, line));
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
