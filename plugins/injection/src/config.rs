//! The configuration.

use mcp_gateway_sdk::{ByPlace, Where};
use serde::Deserialize;

/// What is done about a passage that looks like an attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    /// It is reported, and stays as it is.
    Warn,
    /// It is put between markers that say what it is.
    Fence,
    /// From `block` on, it is refused; below that, it is fenced.
    Block,
}

/// What is done about what goes to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Requests {
    /// It is not looked at.
    Off,
    /// It is reported.
    Warn,
    /// From `block` on, it is refused.
    Block,
}

/// What holds at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Policy {
    pub(crate) action: Action,
    pub(crate) requests: Requests,
    /// The score from which a passage is reported, and fenced.
    pub(crate) warn: f32,
    /// The score from which it is refused.
    pub(crate) block: f32,
}

const DEFAULT: Policy = Policy {
    action: Action::Fence,
    requests: Requests::Warn,
    warn: 0.6,
    block: 0.9,
};

/// The configuration. Kept in step with `CONFIG_SCHEMA`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    action: Option<Action>,
    requests: Option<Requests>,
    warn: Option<f32>,
    block: Option<f32>,
    #[serde(default)]
    pub(crate) disable: Vec<String>,
    #[serde(default, rename = "where")]
    places: Vec<Where<Differing>>,
}

/// What differs at a place.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Differing {
    action: Option<Action>,
    requests: Option<Requests>,
    warn: Option<f32>,
    block: Option<f32>,
}

impl Config {
    /// What holds where, and the rules to do without.
    pub(crate) fn build(self) -> Result<(ByPlace<Policy>, Vec<String>), String> {
        let everywhere = Differing {
            action: self.action,
            requests: self.requests,
            warn: self.warn,
            block: self.block,
        };
        let everywhere = everywhere.over(DEFAULT)?;
        let policies = ByPlace::new(everywhere, self.places, |it| it.over(everywhere))?;
        Ok((policies, self.disable))
    }
}

impl Differing {
    fn over(self, other: Policy) -> Result<Policy, String> {
        let policy = Policy {
            action: self.action.unwrap_or(other.action),
            requests: self.requests.unwrap_or(other.requests),
            warn: self.warn.unwrap_or(other.warn),
            block: self.block.unwrap_or(other.block),
        };
        for (key, score) in [("warn", policy.warn), ("block", policy.block)] {
            if !(score > 0.0 && score <= 1.0) {
                return Err(format!(
                    "{key}: {score} is no score, which is above 0 and at most 1"
                ));
            }
        }
        match policy.warn <= policy.block {
            true => Ok(policy),
            false => Err(format!(
                "warn: {} is above block, which is {}",
                policy.warn, policy.block
            )),
        }
    }
}

pub(crate) const CONFIG_SCHEMA: &str = r##"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "action": { "$ref": "#/$defs/action", "default": "fence" },
    "requests": { "$ref": "#/$defs/requests", "default": "warn" },
    "warn": { "$ref": "#/$defs/score", "default": 0.6, "description": "The score from which a passage is reported, and fenced unless the action is warn." },
    "block": { "$ref": "#/$defs/score", "default": 0.9, "description": "The score from which it is refused, if the action is block." },
    "disable": {
      "description": "Identifiers of rules to do without.",
      "type": "array",
      "items": { "type": "string" },
      "default": []
    },
    "where": {
      "description": "Places where something else holds. The first that fits decides.",
      "type": "array",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "properties": {
          "server": { "type": "string" },
          "tool": { "type": "string" },
          "path": { "type": "string" },
          "action": { "$ref": "#/$defs/action" },
          "requests": { "$ref": "#/$defs/requests" },
          "warn": { "$ref": "#/$defs/score" },
          "block": { "$ref": "#/$defs/score" }
        }
      }
    }
  },
  "$defs": {
    "action": {
      "description": "What is done about a passage that looks like an attack: it is reported, put between markers, or refused.",
      "enum": ["warn", "fence", "block"]
    },
    "requests": {
      "description": "What is done about what goes to a server.",
      "enum": ["off", "warn", "block"]
    },
    "score": { "type": "number", "exclusiveMinimum": 0, "maximum": 1 }
  }
}"##;
