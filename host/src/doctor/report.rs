//! What was seen and what was found, for a person or a program.

use std::path::PathBuf;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Finding, Severity};
use crate::plural::counted;

/// Everything that was seen and found.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) source: Option<PathBuf>,
    pub(super) guardrails: Vec<SeenGuardrail>,
    pub(super) servers: Vec<SeenServer>,
    pub(super) findings: Vec<Finding>,
}

/// A guardrail that would judge messages.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SeenGuardrail {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) digest: String,
    /// What it uses of what can be granted.
    pub(super) uses: Vec<&'static str>,
    /// Its own examples, all of which pass.
    pub(super) examples: usize,
    /// What a small message costs in the middle case, in microseconds; nothing if it
    /// does not want to see such a one.
    pub(super) microseconds: Option<u64>,
}

/// A server, as far as it came.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SeenServer {
    pub(super) name: String,
    /// The program that its command leads to, or the address without its query.
    pub(super) at: String,
    /// How long it took until it had said what it is.
    pub(super) milliseconds: Option<u64>,
    pub(super) era: Option<String>,
    /// What it says of itself, as the guardrails left it.
    pub(super) version: Option<String>,
    /// Nothing where the names do not tell whose they are.
    pub(super) tools: Option<usize>,
    /// The last lines that it wrote on standard error, as the guardrails left them.
    pub(super) last_words: Vec<String>,
}

impl Report {
    /// Whether a gateway would start.
    pub(super) fn is_sound(&self) -> bool {
        let mut codes = self.findings.iter().map(|finding| finding.code);
        !codes.any(|code| code == "guardrail.refused")
    }

    pub(super) fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "config": self.source,
            "guardrails": self.guardrails,
            "servers": self.servers,
            "findings": self.findings,
        })
    }

    pub(super) fn text(&self) -> String {
        let mut lines = Vec::new();
        if let Some(source) = &self.source {
            lines.push(format!("config     {}", source.display()));
        }
        lines.extend(self.guardrails.iter().map(SeenGuardrail::line));
        for server in &self.servers {
            lines.push(server.line());
            let words = server.last_words.iter();
            lines.extend(words.map(|words| format!("           | {words}")));
        }
        if !lines.is_empty() {
            lines.push(String::new());
        }
        for finding in &self.findings {
            let severity = match finding.severity {
                Severity::Error => "ERROR",
                Severity::Warning => "warning",
            };
            lines.push(format!("{severity} {}: {}", finding.code, finding.what));
            lines.push(format!("  means  {}", finding.means));
            lines.push(format!("  mend   {}", finding.mend));
        }
        if self.findings.is_empty() {
            lines.push("nothing is wrong".to_owned());
        }
        // A server may write anything; nothing of it moves the cursor.
        let lines = lines.join("\n") + "\n";
        lines
            .chars()
            .filter(|c| !c.is_control() || *c == '\n')
            .collect()
    }
}

impl SeenGuardrail {
    fn line(&self) -> String {
        let uses = match self.uses.is_empty() {
            true => String::new(),
            false => format!(", uses {}", self.uses.join(", ")),
        };
        let passed = match self.examples {
            1 => "1 example passes".to_owned(),
            examples => format!("{examples} examples pass"),
        };
        let cost = match self.microseconds {
            Some(microseconds) => format!(", {microseconds} µs for a small message"),
            None => String::new(),
        };
        format!(
            "guardrail  {} {}: {passed}{cost}{uses}\n           {}",
            self.name, self.version, self.digest
        )
    }
}

impl SeenServer {
    fn line(&self) -> String {
        let state = match (self.milliseconds, &self.era) {
            (Some(milliseconds), Some(era)) => {
                let tools = self
                    .tools
                    .map(|tools| format!(", {}", counted(tools, "tool")));
                let tools = tools.unwrap_or_default();
                format!(
                    "ready after {milliseconds} ms, {} era{tools}",
                    era.to_lowercase()
                )
            }
            _ => "not ready".to_owned(),
        };
        let version = self.version.as_ref();
        let version = version
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        format!(
            "server     {}{version}: {state}\n           {}",
            self.name, self.at
        )
    }
}
