//! The configuration, and the scanner that it asks for.

use mcp_gateway_sdk::{ByPlace, Requests, Where};
use serde::Deserialize;

use crate::crossing::Crossing;
use crate::rule::{Allowed, Rule};
use crate::scanner::Scanner;
use crate::table::{AllowList, Row, Severity, Table, bundled, parse};

/// The configuration. Kept in step with `CONFIG_SCHEMA`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default = "warn")]
    requests: Requests,
    #[serde(default = "block")]
    crossing: Crossing,
    #[serde(default)]
    disable: Vec<String>,
    #[serde(default)]
    enable: Vec<String>,
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
    #[serde(default, rename = "where")]
    places: Vec<Where<Difference>>,
}

/// What a configuration says of single places.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    #[serde(default)]
    requests: Option<Requests>,
    #[serde(default)]
    crossing: Option<Crossing>,
    #[serde(default)]
    disable: Vec<String>,
    #[serde(default)]
    enable: Vec<String>,
    #[serde(default)]
    allow: Allow,
}

/// What holds at a place.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) requests: Requests,
    pub(crate) crossing: Crossing,
    /// For each rule, if there are any that are not used here, whether it is one of them.
    pub(crate) off: Vec<bool>,
    /// What is no secret here, besides what is none anywhere.
    pub(crate) allowed: Vec<Allowed>,
}

/// What a configuration comes to.
pub(crate) struct Settled {
    pub(crate) scanner: Scanner,
    pub(crate) policies: ByPlace<Policy>,
    pub(crate) consistent: bool,
    /// The rows of the rules that are used everywhere, for the examples.
    pub(crate) rows: Vec<Row>,
}

fn block() -> Crossing {
    Crossing::Block
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
    "crossing": {
      "description": "What becomes of a secret that came with one server's answer on its way to another server.",
      "enum": ["mask", "block", "allow"],
      "default": "block"
    },
    "disable": {
      "description": "Identifiers of rules not to look for.",
      "type": "array",
      "items": { "type": "string" },
      "default": []
    },
    "enable": {
      "description": "Identifiers of rules to look for that are not looked for unless it is said: opaque-string, whatever looks random.",
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
    },
    "where": {
      "description": "What differs at single places: the first that fits holds. A * stands for anything.",
      "type": "array",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "server": { "type": "string" },
          "tool": { "description": "A tool, a prompt or the address of a resource.", "type": "string" },
          "path": { "description": "A JSON Pointer that begins with /params, /result or /error, and covers what is below.", "type": "string" },
          "requests": { "enum": ["off", "warn", "mask", "block"] },
          "crossing": { "enum": ["mask", "block", "allow"] },
          "disable": { "description": "Rules not to look for here, besides those that are not looked for anywhere.", "type": "array", "items": { "type": "string" } },
          "enable": { "description": "Rules to look for here although they are disabled, or not looked for unless it is said.", "type": "array", "items": { "type": "string" } },
          "allow": { "description": "What is no secret here, in the words of \"allow\".", "type": "object" }
        }
      }
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

impl Allow {
    fn lists(self) -> Result<Vec<Allowed>, String> {
        let patterns = AllowList {
            regexes: self.patterns,
            ..AllowList::default()
        };
        let patterns = Allowed::new(&patterns).map_err(|error| format!("allow: {error}"))?;
        Ok(vec![Allowed::values(self.values), patterns])
    }
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
    /// The scanner for the rules that are asked for, and what holds where.
    pub(crate) fn settle(self) -> Result<Settled, String> {
        let mut rows = bundled()?;
        let mut allowed = self.allow.lists()?;
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
        let all: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
        for (key, ids) in [("disable", &disabled), ("enable", &self.enable)] {
            for id in ids {
                known(&all, id).map_err(|error| format!("{key}: {error}"))?;
            }
        }
        if let Some(id) = disabled.iter().find(|id| self.enable.contains(id)) {
            return Err(format!("{id:?} is both in \"disable\" and in \"enable\""));
        }
        let optional = rows.iter().filter(|row| row.optional);
        let left = optional.filter(|row| !self.enable.contains(&row.id));
        disabled.extend(left.map(|row| row.id.clone()));
        let at_places: Vec<String> = self
            .places
            .iter()
            .flat_map(|place| place.settings().enable.clone())
            .collect();
        let is_used = |row: &Row| !disabled.contains(&row.id) || at_places.contains(&row.id);
        let least = self.severity;
        rows.retain(|row| row.severity >= least && is_used(row));
        let rules = rows.iter().map(Rule::new).collect::<Result<_, _>>()?;
        let keywords = rows.iter().map(|row| row.keywords.clone()).collect();
        let scanner = Scanner::new(rules, keywords, allowed)?;
        let off = |without: &dyn Fn(&str) -> bool| -> Vec<bool> {
            let off: Vec<bool> = rows.iter().map(|row| without(&row.id)).collect();
            if off.contains(&true) { off } else { Vec::new() }
        };
        let everywhere = Policy {
            requests: self.requests,
            crossing: self.crossing,
            off: off(&|id| disabled.iter().any(|it| it == id)),
            allowed: Vec::new(),
        };
        let (requests, crossing) = (self.requests, self.crossing);
        let policies = ByPlace::new(everywhere, self.places, |there| {
            for (key, ids) in [("disable", &there.disable), ("enable", &there.enable)] {
                for id in ids {
                    known(&all, id).map_err(|error| format!("{key}: {error}"))?;
                }
            }
            let has = |ids: &[String], id: &str| ids.iter().any(|it| it == id);
            Ok(Policy {
                requests: there.requests.unwrap_or(requests),
                crossing: there.crossing.unwrap_or(crossing),
                off: off(&|id| {
                    has(&there.disable, id) || has(&disabled, id) && !has(&there.enable, id)
                }),
                allowed: there.allow.lists()?,
            })
        })?;
        rows.retain(|row| !disabled.contains(&row.id));
        Ok(Settled {
            scanner,
            policies,
            consistent: self.consistent,
            rows,
        })
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
fn known(all: &[String], id: &str) -> Result<(), String> {
    if all.iter().any(|it| it == id) {
        return Ok(());
    }
    let nearest = all
        .iter()
        .min_by_key(|it| strsim::damerau_levenshtein(it, id));
    let nearest = nearest.map_or("", String::as_str);
    Err(format!(
        "there is no secret {id:?}; did you mean {nearest:?}?"
    ))
}
