//! The configuration, and the scanner that it asks for.

use mcp_gateway_sdk::Requests;
use serde::Deserialize;

use crate::rule::{Allowed, Rule};
use crate::scanner::Scanner;
use crate::table::{AllowList, Row, Severity, Table, bundled, parse};

/// The configuration. Kept in step with `CONFIG_SCHEMA`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default = "warn")]
    pub(crate) requests: Requests,
    #[serde(default)]
    disable: Vec<String>,
    #[serde(default = "every_severity")]
    severity: Severity,
    #[serde(default)]
    pub(crate) consistent: bool,
    #[serde(default)]
    allow: Allow,
    #[serde(default)]
    rules: Vec<Row>,
    #[serde(default)]
    gitleaks: Option<Gitleaks>,
}

fn warn() -> Requests {
    Requests::Warn
}

pub(crate) const CONFIG_SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "requests": {
      "description": "What becomes of secrets on their way to a server.",
      "enum": ["off", "warn", "mask", "block"],
      "default": "warn"
    },
    "disable": {
      "description": "Identifiers of rules not to look for.",
      "type": "array",
      "items": { "type": "string" },
      "default": []
    },
    "severity": {
      "description": "The least severity of the rules that are used. Identifiers that open nothing by themselves are of low severity.",
      "enum": ["low", "medium", "high", "critical"],
      "default": "low"
    },
    "consistent": {
      "description": "Whether a replacement tells secrets of one kind apart: <AWS_ACCESS_KEY:7K3Q>, the same for the same secret all session long.",
      "type": "boolean",
      "default": false
    },
    "allow": {
      "description": "What is no secret.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "values": { "description": "These very texts.", "type": "array", "items": { "type": "string" } },
        "patterns": { "description": "Whatever one of these regular expressions matches a part of.", "type": "array", "items": { "type": "string" } }
      }
    },
    "rules": {
      "description": "Rules of your own, with the columns of plugins/basic/rules/README.md. One with the identifier of a bundled rule takes its place.",
      "type": "array",
      "items": { "type": "object", "required": ["id"] }
    },
    "gitleaks": {
      "description": "The text of a gitleaks.toml, or what it says as an object. Its rules are used besides the bundled ones.",
      "type": ["string", "object"]
    }
  }
}"#;

/// What is no secret.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    patterns: Vec<String>,
}

/// A `gitleaks.toml`: its text, or what it says.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Gitleaks {
    Text(String),
    Said(Box<Table>),
}

fn every_severity() -> Severity {
    Severity::Low
}

impl Config {
    /// The scanner for the rules that are asked for, and their rows.
    pub(crate) fn into_scanner(self) -> Result<(Scanner, Vec<Row>), String> {
        let mut rows = bundled()?;
        let mut allowed = vec![Allowed::values(self.allow.values)];
        let patterns = AllowList {
            regexes: self.allow.patterns,
            ..AllowList::default()
        };
        allowed.push(Allowed::new(&patterns).map_err(|error| format!("allow: {error}"))?);
        let mut own = self.rules;
        let mut disabled = self.disable;
        if let Some(gitleaks) = self.gitleaks {
            let table = match gitleaks {
                Gitleaks::Text(text) => {
                    parse(&text).map_err(|error| format!("gitleaks: {error}"))?
                }
                Gitleaks::Said(table) => *table,
            };
            let (rules, lists, without) =
                foreign(table).map_err(|error| format!("gitleaks: {error}"))?;
            own.extend(rules);
            allowed.extend(lists);
            // It may name rules that only gitleaks has.
            disabled.extend(
                without
                    .into_iter()
                    .filter(|id| rows.iter().any(|row| row.id == *id)),
            );
        }
        for row in own {
            match rows.iter_mut().find(|known| known.id == row.id) {
                Some(known) => *known = row,
                None => rows.push(row),
            }
        }
        for id in &disabled {
            known(&rows, id)?;
        }
        rows.retain(|row| row.severity >= self.severity && !disabled.contains(&row.id));
        let rules = rows.iter().map(Rule::new).collect::<Result<_, _>>()?;
        let keywords = rows.iter().map(|row| row.keywords.clone()).collect();
        Ok((Scanner::new(rules, keywords, allowed)?, rows))
    }
}

/// Rules, allow lists, and identifiers of rules to do without.
type Foreign = (Vec<Row>, Vec<Allowed>, Vec<String>);

/// What of a `gitleaks.toml` has a meaning for texts: its rules, its allow lists, and the rules that it does without.
fn foreign(table: Table) -> Result<Foreign, String> {
    let mut without = Vec::new();
    if let Some(extend) = table.extend {
        if let Some(path) = extend.path {
            return Err(format!(
                "it extends {path:?}, which cannot be read from here; put both into one"
            ));
        }
        without = extend.disabled_rules;
    }
    // A rule without an expression looks at names of files only, and one by the name of a bundled rule only changes it.
    let mut rules: Vec<Row> = table
        .rules
        .into_iter()
        .filter(|row| row.regex.is_some())
        .collect();
    let mut lists = Vec::new();
    for list in table.allowlist.iter().chain(&table.allowlists) {
        if list.target_rules.is_empty() {
            lists.push(Allowed::new(list)?);
        }
        for rule in rules
            .iter_mut()
            .filter(|rule| list.target_rules.contains(&rule.id))
        {
            rule.allowlists.push(list.clone());
        }
    }
    rules.retain(|rule| rule.path.is_none() || rule.regex.is_some());
    Ok((rules, lists, without))
}

/// Whether there is a rule with this identifier; the error names the nearest that there is.
fn known(rows: &[Row], id: &str) -> Result<(), String> {
    if rows.iter().any(|row| row.id == id) {
        return Ok(());
    }
    let nearest = rows
        .iter()
        .min_by_key(|row| strsim::damerau_levenshtein(&row.id, id));
    let nearest = nearest.map_or("", |row| &row.id);
    Err(format!(
        "disable: there is no secret {id:?}; did you mean {nearest:?}?"
    ))
}
