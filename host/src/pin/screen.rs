//! What a person sees and is asked.

use std::io::{self, IsTerminal, Write as _};

use serde_json::Value;

use super::Item;
use super::difference::visible;

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

    pub(super) fn json(&self, value: &Value) -> io::Result<()> {
        writeln!(&self.out, "{value:#}")
    }

    /// A line, in which nothing moves the cursor.
    pub(super) fn line(&self, text: &str) -> io::Result<()> {
        writeln!(&self.out, "{}", visible(text))
    }

    pub(super) fn waiting(&self, item: &Item<'_>) -> io::Result<()> {
        let (server, identity) = (&item.record.server, &item.record.identity);
        self.painted("1;36", &format!("{server} ({identity}): {}", item.label))?;
        self.line(&format!("  {}", item.waiting.why))?;
        let difference = item.difference();
        if item.approved().is_some() && !difference.members.is_empty() {
            self.line(&format!("  different: {}", difference.members.join(", ")))?;
        }
        for remark in &item.waiting.remarks {
            self.painted("33", &format!("  suspicious: {remark}"))?;
        }
        for line in &difference.lines {
            let code = match line.as_bytes().first() {
                Some(b'+') => "32",
                Some(b'-') => "31",
                _ => "0",
            };
            self.painted(code, &format!("  {line}"))?;
        }
        Ok(())
    }

    /// Whether a person can be asked.
    pub(super) fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && self.out.is_terminal()
    }

    /// Whether the person says yes; no if nobody can be asked.
    pub(super) fn asks_yes(&self, question: &str) -> io::Result<bool> {
        if !self.can_ask() {
            return Ok(false);
        }
        write!(&self.out, "{question} [y/N] ")?;
        (&self.out).flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    fn painted(&self, code: &str, text: &str) -> io::Result<()> {
        let text = visible(text);
        match self.colour && code != "0" {
            true => writeln!(&self.out, "\u{1b}[{code}m{text}\u{1b}[0m"),
            false => writeln!(&self.out, "{text}"),
        }
    }
}
