//! The configuration.

use mcp_gateway_sdk::fits;
use serde::Deserialize;

use crate::labels::Labels;

/// What is done about a call that would send something away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// A person has to approve it.
    #[default]
    Ask,
    /// It is refused.
    Block,
    /// It is reported, and goes on.
    Warn,
}

/// How long a person's approval holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Remember {
    /// For the one call.
    #[default]
    Never,
    /// For all calls of the tool in the session.
    Tool,
}

/// Which results of tools that show what strangers write are untrusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Content {
    /// All of them.
    #[default]
    All,
    /// Those in which a guardrail of `flagged_by` found something.
    Flagged,
}

/// The configuration. Kept in step with `CONFIG_SCHEMA`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) action: Action,
    pub(crate) remember: Remember,
    pub(crate) untrusted: Vec<Pattern>,
    pub(crate) private: Vec<Pattern>,
    pub(crate) sends: Vec<Pattern>,
    pub(crate) harmless: Vec<Pattern>,
    pub(crate) untrusted_content: Content,
    pub(crate) flagged_by: Vec<String>,
    pub(crate) private_by: Vec<String>,
    pub(crate) fetch_length: usize,
}

impl Default for Config {
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            action: Action::default(),
            remember: Remember::default(),
            untrusted: Vec::new(),
            private: Vec::new(),
            sends: Vec::new(),
            harmless: Vec::new(),
            untrusted_content: Content::default(),
            flagged_by: names(&["injection"]),
            private_by: names(&["basic", "pii"]),
            fetch_length: 120,
        }
    }
}

impl Config {
    /// What a tool is by the configuration, and whether what else is known of it counts as well.
    pub(crate) fn labels(&self, server: &str, name: &str) -> (Labels, bool) {
        let is_in = |patterns: &[Pattern]| patterns.iter().any(|it| it.fits(server, name));
        let mut labels = Labels::NONE;
        for (patterns, label) in [
            (&self.untrusted, Labels::UNTRUSTED),
            (&self.private, Labels::PRIVATE),
            (&self.sends, Labels::SENDS),
        ] {
            if is_in(patterns) {
                labels.add(label);
            }
        }
        (labels, !is_in(&self.harmless))
    }
}

/// Some tools or resources of some servers: `server/tool`, in which a `*` stands for anything.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Pattern {
    server: String,
    name: String,
}

impl Pattern {
    fn fits(&self, server: &str, name: &str) -> bool {
        fits(&self.server, server) && fits(&self.name, name)
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(pattern: String) -> Result<Self, String> {
        match pattern.split_once('/') {
            Some((server, name)) if !server.is_empty() && !name.is_empty() => Ok(Self {
                server: server.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(format!(
                "{pattern:?} is not a server and a tool, such as \"mail/send_*\" or \"mail/*\""
            )),
        }
    }
}

pub(crate) const CONFIG_SCHEMA: &str = r##"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "action": {
      "description": "What is done about a call that would send something away: a person is asked, it is refused, or only reported.",
      "enum": ["ask", "block", "warn"],
      "default": "ask"
    },
    "remember": {
      "description": "Whether a person's approval holds for the one call, or for the tool until the session ends.",
      "enum": ["never", "tool"],
      "default": "never"
    },
    "untrusted": { "$ref": "#/$defs/patterns", "description": "Tools and resources that show what strangers wrote." },
    "private": { "$ref": "#/$defs/patterns", "description": "Tools and resources that show private data." },
    "sends": { "$ref": "#/$defs/patterns", "description": "Tools that send away what they are called with." },
    "harmless": { "$ref": "#/$defs/patterns", "description": "Tools and resources that are only what the other lists say, whatever they are called." },
    "untrusted_content": {
      "description": "Whether all that untrusted tools show counts, or what a guardrail of flagged_by found something in.",
      "enum": ["all", "flagged"],
      "default": "all"
    },
    "flagged_by": {
      "description": "Names of guardrails before this one whose findings make anything untrusted.",
      "type": "array",
      "items": { "type": "string" },
      "default": ["injection"]
    },
    "private_by": {
      "description": "Names of guardrails before this one whose findings make private what is not from strangers.",
      "type": "array",
      "items": { "type": "string" },
      "default": ["basic", "pii"]
    },
    "fetch_length": {
      "description": "So many characters may go to an address that is fetched before it counts as sending.",
      "type": "integer",
      "minimum": 0,
      "default": 120
    }
  },
  "$defs": {
    "patterns": {
      "type": "array",
      "items": { "type": "string", "pattern": "^[^/]+/.+" },
      "default": []
    }
  }
}"##;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_of_a_server_and_a_tool() {
        let fits = |pattern: &str, server, name| {
            Pattern::try_from(pattern.to_owned()).map(|it| it.fits(server, name))
        };
        assert_eq!(fits("mail/send_*", "mail", "send_all"), Ok(true));
        assert_eq!(fits("mail/send_*", "mails", "send_all"), Ok(false));
        assert_eq!(fits("*/file:///*", "x", "file:///a"), Ok(true));
        for wrong in ["mail", "/send", "mail/", ""] {
            assert!(fits(wrong, "mail", "send").is_err(), "{wrong}");
        }
    }
}
