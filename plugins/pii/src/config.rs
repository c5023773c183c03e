//! The configuration, and the detector that it asks for.

use std::collections::BTreeMap;

use mcp_gateway_pseudonym::{SCHEMA, Settings};
use mcp_gateway_sdk::{ByPlace, Requests, Where};
use serde::Deserialize;

use crate::allow::{Allow, Deny, Lists};
use crate::detect::{Detector, Options, Profile};
use crate::entity::{Entity, all, named};
use crate::operator::Operator;
use crate::own::{Custom, Own, known};

/// The configuration. Kept in step with `CONFIG_SCHEMA`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default = "off")]
    requests: Requests,
    #[serde(default)]
    profile: Profile,
    #[serde(default)]
    entities: Option<Vec<String>>,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    threshold: Option<f32>,
    #[serde(default)]
    thresholds: BTreeMap<String, f32>,
    #[serde(default)]
    operators: BTreeMap<String, Operator>,
    #[serde(default)]
    ip_scope: Scope,
    #[serde(default)]
    allow: Allow,
    #[serde(default)]
    deny: Vec<Deny>,
    #[serde(default)]
    custom: Vec<Custom>,
    #[serde(default)]
    pub(crate) stand_ins: Settings,
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
    operators: BTreeMap<String, Operator>,
}

fn off() -> Requests {
    Requests::Off
}

/// The JSON Schema of the configuration.
pub(crate) fn schema() -> String {
    CONFIG_SCHEMA.replace("\"STAND_INS\"", SCHEMA)
}

const CONFIG_SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "requests": {
      "description": "What becomes of personal data on its way to a server.",
      "enum": ["off", "warn", "mask", "block"],
      "default": "off"
    },
    "profile": { "description": "Whose scores and bounds hold: our own, or those of Presidio, which take every number that may be something.", "enum": ["default", "presidio-compat"], "default": "default" },
    "entities": { "description": "What is looked for, by the names of Presidio or short ones such as EMAIL.", "type": "array", "items": { "type": "string" } },
    "also": { "description": "What is looked for besides the entities that are on by default.", "type": "array", "items": { "type": "string" }, "default": [] },
    "threshold": { "description": "How sure a finding has to be.", "type": "number", "minimum": 0, "maximum": 1, "default": 0.5 },
    "thresholds": { "description": "The same for single entities.", "type": "object", "additionalProperties": { "type": "number", "minimum": 0, "maximum": 1 } },
    "custom": {
      "description": "Entities of your own.",
      "type": "array",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["entity", "patterns"],
        "properties": {
          "entity": { "description": "Its name: capital letters, digits and _.", "type": "string" },
          "patterns": { "description": "Regular expressions.", "type": "array", "items": { "type": "string" } },
          "score": { "description": "How sure it is where one matches.", "type": "number", "minimum": 0, "maximum": 1, "default": 0.6 },
          "words": { "description": "Words before it, in lower case, that make it surer.", "type": "array", "items": { "type": "string" } },
          "samples": { "description": "What is found; if it is not, the configuration is refused.", "type": "array", "items": { "type": "string" } },
          "misses": { "description": "What is not found.", "type": "array", "items": { "type": "string" } }
        }
      }
    },
    "stand_ins": "STAND_INS",
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
          "operators": { "description": "As above; what is not named here is as it is everywhere.", "type": "object" }
        }
      }
    },
    "operators": {
      "description": "What is done with an entity, or with all others as DEFAULT, which is pseudonym.",
      "type": "object",
      "additionalProperties": {
        "anyOf": [
          { "enum": ["keep", "redact", "replace", "mask", "hash", "encrypt", "pseudonym", "surrogate"] },
          { "type": "object", "additionalProperties": false, "required": ["replace"], "properties": { "replace": { "type": "string" } } },
          { "type": "object", "additionalProperties": false, "required": ["mask"], "properties": {
            "mask": { "type": "object", "additionalProperties": false, "properties": {
              "char": { "type": "string", "minLength": 1, "maxLength": 1, "default": "*" },
              "keep_last": { "type": "integer", "minimum": 0, "default": 0 }
            } }
          } }
        ]
      }
    },
    "ip_scope": { "description": "Which addresses are personal: those that others can reach, or all.", "enum": ["public", "all"], "default": "public" },
    "allow": {
      "description": "What is not personal.",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "values": { "description": "These very texts.", "type": "array", "items": { "type": "string" } },
        "patterns": { "description": "Whatever one of these regular expressions matches a part of.", "type": "array", "items": { "type": "string" } },
        "networks": { "description": "Addresses of these networks.", "type": "array", "items": { "type": "string" } },
        "ignore_case": { "description": "Whether values and patterns are the same in capitals.", "type": "boolean", "default": false },
        "domains": { "description": "Addresses of mail in these domains.", "type": "array", "items": { "type": "string" } }
      }
    },
    "deny": {
      "description": "What is personal wherever it stands as a word.",
      "type": "array",
      "items": {
        "type": "object",
        "additionalProperties": false,
        "required": ["entity", "values"],
        "properties": {
          "entity": { "type": "string" },
          "values": { "type": "array", "items": { "type": "string" } }
        }
      }
    }
  }
}"#;

/// Which addresses of the internet are personal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Scope {
    #[default]
    Public,
    All,
}

/// What becomes of findings at a place.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) requests: Requests,
    pub(crate) operators: Operators,
}

/// What is done with each entity.
#[derive(Debug, Clone, Default)]
pub(crate) struct Operators {
    each: Vec<(&'static Entity, Operator)>,
    others: Operator,
}

impl Operators {
    /// These, but for what is said of some.
    fn with(mut self, some: BTreeMap<String, Operator>, own: &[Own]) -> Result<Self, String> {
        for (name, operator) in some {
            if name == "DEFAULT" {
                self.others = operator;
                continue;
            }
            let entity = known(&name, own).map_err(|error| format!("operators: {error}"))?;
            self.each.retain(|(known, _)| *known != entity);
            self.each.push((entity, operator));
        }
        Ok(self)
    }

    pub(crate) fn of(&self, entity: &Entity) -> &Operator {
        let mut each = self.each.iter();
        let known = each.find(|(known, _)| known.name == entity.name);
        known.map_or(&self.others, |(_, operator)| operator)
    }
}

impl Config {
    /// The detector that is asked for, and what is done with what it finds.
    pub(crate) fn build(self) -> Result<(Detector, ByPlace<Policy>), String> {
        let by_default = || {
            all()
                .filter(|it| it.default)
                .map(|it| it.name.to_owned())
                .collect()
        };
        let mut names: Vec<String> = self.entities.unwrap_or_else(by_default);
        names.extend(self.also);
        let least = score(
            "threshold",
            self.threshold.unwrap_or(self.profile.threshold()),
        )?;
        let mut entities: Vec<(&'static Entity, f32)> = Vec::new();
        for name in &names {
            let entity = named(name).map_err(|error| format!("entities: {error}"))?;
            if !entities.iter().any(|(known, _)| *known == entity) {
                entities.push((entity, least));
            }
        }
        let own = self.custom.iter().map(Own::new);
        let own: Vec<Own> = own.collect::<Result<_, _>>()?;
        entities.extend(own.iter().map(|own| (own.entity, least)));
        for (name, least) in &self.thresholds {
            let wanted = known(name, &own).map_err(|error| format!("thresholds: {error}"))?;
            let least = score("thresholds", *least)?;
            match entities.iter_mut().find(|(entity, _)| *entity == wanted) {
                Some((_, known)) => *known = least,
                None => return Err(format!("thresholds: {name} is not looked for")),
            }
        }
        let everywhere = Policy {
            requests: self.requests,
            operators: Operators::default().with(self.operators, &own)?,
        };
        let base = everywhere.clone();
        let policies = ByPlace::new(everywhere, self.places, |there| {
            let Policy {
                requests,
                operators,
            } = base.clone();
            Ok(Policy {
                requests: there.requests.unwrap_or(requests),
                operators: operators.with(there.operators, &own)?,
            })
        })?;
        let detector = Detector::new(Options {
            entities,
            profile: self.profile,
            private_addresses: self.ip_scope == Scope::All || self.profile == Profile::Presidio,
            lists: Lists::new(self.allow, &self.deny, &own)?,
            own,
        })?;
        for custom in &self.custom {
            custom.holds(&detector)?;
        }
        Ok((detector, policies))
    }
}

fn score(key: &str, value: f32) -> Result<f32, String> {
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(format!("{key}: {value} is not from 0 to 1"))
}
