//! Labelled texts from a folder.
//!
//! `*.jsonl` and `*.jsonl.gz`: an object a line, with `text`, `label` (1 is an attack), `source`, `context`
//! (`tool_result`, `tool_description`, `tool_args`, `user`, …) and, where there is one, `category` and `attack`. Below `benign/`: a
//! folder for each source of harmless plain texts.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result};
use flate2::read::GzDecoder;
use mcp_gateway_injection::rule::Context;
use serde::Deserialize;

/// What belongs together: a model that is asked about one of a family has seen none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Family {
    InjecAgent,
    Latent,
    Poisoning,
    UserInjection,
    Jailbreaks,
    ThreatRules,
    Own,
    /// Results of tools with injections in them.
    AgentDojo,
    /// Mails to an assistant that reads and writes mails.
    Mails,
    /// Attacks that are plain tasks: nothing is trained on them.
    Tasks,
    /// No attack.
    Ordinary,
    /// No attack, but something that speaks of attacks, gives instructions, or was written to be mistaken for one.
    Hard,
}

impl Family {
    pub(crate) const ATTACKS: [Self; 9] = [
        Self::InjecAgent,
        Self::Latent,
        Self::Poisoning,
        Self::UserInjection,
        Self::Jailbreaks,
        Self::ThreatRules,
        Self::Own,
        Self::AgentDojo,
        Self::Mails,
    ];

    fn of(row: &Row) -> Self {
        let source = row.source.as_str();
        if row.label == 0 {
            let hard = [
                "atr",
                "docs-about-pi",
                "mailman",
                "skills-md",
                "notinject",
                "wildguard-benign",
            ];
            return if hard.contains(&source) {
                Self::Hard
            } else {
                Self::Ordinary
            };
        }
        match source {
            "injecagent" => Self::InjecAgent,
            "garak-latent" => Self::Latent,
            "atr" => Self::ThreatRules,
            "bipia" => Self::Tasks,
            _ if source.starts_with("agentdojo") => Self::AgentDojo,
            _ if source.starts_with("llmail") => Self::Mails,
            _ if source.starts_with("cisco") => Self::Poisoning,
            _ if source.contains("jailbreak") || source == "garak-dan" => Self::Jailbreaks,
            _ => Self::UserInjection,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) attack: bool,
    pub(crate) source: String,
    pub(crate) family: Family,
    pub(crate) context: Context,
    /// The context, as the row names it.
    pub(crate) place: String,
    /// The attack, as the row names it, if it does.
    pub(crate) kind: String,
}

#[derive(Deserialize)]
struct Row {
    text: String,
    label: u8,
    source: String,
    context: String,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    attack: String,
}

/// Categories of the threat rules that are about what a text says to a model, and not about commands or code.
const SPOKEN: [&str; 4] = [
    "prompt-injection",
    "agent-manipulation",
    "context-exfiltration",
    "tool-poisoning",
];

/// The longest plain text, and the most texts, that are taken of a benign source.
const LONGEST: usize = 4000;
const MOST: usize = 500;

pub(crate) fn read(folder: &Path) -> Result<Vec<Text>> {
    let mut texts = Vec::new();
    for path in listed(folder)? {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let open = || fs::File::open(&path).with_context(|| path.display().to_string());
        if name.ends_with(".jsonl.gz") {
            rows(BufReader::new(GzDecoder::new(open()?)), &mut texts)?;
        } else if name.ends_with(".jsonl") {
            rows(BufReader::new(open()?), &mut texts)?;
        }
    }
    let benign = folder.join("benign");
    if benign.is_dir() {
        for source in listed(&benign)? {
            plain(&source, &mut texts)?;
        }
    }
    Ok(texts)
}

fn rows(lines: impl BufRead, texts: &mut Vec<Text>) -> Result<()> {
    for line in lines.lines() {
        let row: Row = serde_json::from_str(&line?)?;
        let family = Family::of(&row);
        let spoken = |category: &str| SPOKEN.contains(&category);
        if family == Family::ThreatRules && !row.category.as_deref().is_some_and(spoken) {
            continue;
        }
        texts.push(Text {
            attack: row.label != 0,
            family,
            context: match row.context.as_str() {
                "tool_description" => Context::Description,
                "tool_args" => Context::Arguments,
                _ => Context::Result,
            },
            source: row.source,
            place: row.context,
            kind: row.attack,
            text: row.text,
        });
    }
    Ok(())
}

fn plain(folder: &Path, texts: &mut Vec<Text>) -> Result<()> {
    let source = folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let paths = listed(folder)?;
    for path in paths.iter().take(MOST) {
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        texts.push(Text {
            text: text.chars().take(LONGEST).collect(),
            attack: false,
            source: source.clone(),
            family: Family::Ordinary,
            context: Context::Result,
            place: "tool_result".into(),
            kind: String::new(),
        });
    }
    Ok(())
}

/// What is in a folder, in the order of the names.
fn listed(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
