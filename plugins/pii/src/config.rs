//! The configuration, and the detector that it asks for.

use std::collections::BTreeMap;
use std::rc::Rc;

use mcp_gateway_pseudonym::{SCHEMA, Settings};
use mcp_gateway_sdk::{ByPlace, Requests, Where};
use serde::Deserialize;

use crate::allow::{Allow, Deny, Lists};
use crate::detect::{Detector, Options, Profile};
use crate::entity::{Entity, all};
use crate::operator::Operator;
use crate::own::{Custom, Own, known};
use crate::presidio::Presidio;

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
    presidio: Option<Presidio>,
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
    entities: Option<Vec<String>>,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    threshold: Option<f32>,
    #[serde(default)]
    thresholds: BTreeMap<String, f32>,
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
    "presidio": {
      "description": "The text of a YAML file that Presidio is configured with (recognizers, analyzer), or what it says as an object.",
      "type": ["string", "object"]
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
          "entities": { "description": "What is looked for there, and nothing else.", "type": "array", "items": { "type": "string" } },
          "also": { "description": "What is looked for there besides.", "type": "array", "items": { "type": "string" } },
          "threshold": { "description": "How sure a finding has to be there.", "type": "number", "minimum": 0, "maximum": 1 },
          "thresholds": { "description": "The same for single entities.", "type": "object", "additionalProperties": { "type": "number", "minimum": 0, "maximum": 1 } },
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

/// What is looked for at a place, and what becomes of it.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) detector: Rc<Detector>,
    pub(crate) requests: Requests,
    pub(crate) operators: Operators,
}

/// How sure findings have to be.
#[derive(Debug, Clone)]
struct Thresholds {
    each: Vec<(&'static Entity, f32)>,
    others: f32,
}

impl Thresholds {
    /// These, but for what is said of all or some.
    fn with(
        mut self,
        all: Option<f32>,
        some: &BTreeMap<String, f32>,
        sought: &[&'static Entity],
        own: &[Own],
    ) -> Result<Self, String> {
        self.others = score("threshold", all.unwrap_or(self.others))?;
        for (name, least) in some {
            let entity = known(name, own).map_err(|error| format!("thresholds: {error}"))?;
            if !sought.contains(&entity) {
                return Err(format!("thresholds: {name} is not looked for"));
            }
            self.each.retain(|(known, _)| *known != entity);
            self.each.push((entity, score("thresholds", *least)?));
        }
        Ok(self)
    }

    fn of(&self, entity: &'static Entity) -> (&'static Entity, f32) {
        let mut each = self.each.iter();
        let known = each.find(|(known, _)| *known == entity);
        (entity, known.map_or(self.others, |(_, least)| *least))
    }
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
    /// What is looked for and done at each place.
    pub(crate) fn build(self) -> Result<ByPlace<Policy>, String> {
        let asked = self.presidio.map(Presidio::asked).transpose();
        let asked = asked.map_err(|error| format!("presidio: {error}"))?;
        let asked = asked.unwrap_or_default();
        let own = self.custom.iter().map(Own::new);
        let own = own.chain(asked.own.into_iter().map(Ok));
        let own: Rc<[Own]> = own.collect::<Result<_, _>>()?;
        let by_default = || all().filter(|it| it.is_default(self.profile)).collect();
        let mut sought = match &self.entities {
            Some(_) => Vec::new(),
            None => asked.entities.unwrap_or_else(by_default),
        };
        seek(&self.entities.unwrap_or_default(), &own, &mut sought)?;
        seek(&self.also, &own, &mut sought)?;
        for own in own.iter() {
            if !sought.contains(&own.entity) {
                sought.push(own.entity);
            }
        }
        let thresholds = Thresholds {
            each: Vec::new(),
            others: self.profile.threshold(),
        };
        let thresholds = thresholds.with(
            self.threshold.or(asked.threshold),
            &self.thresholds,
            &sought,
            &own,
        )?;
        let lists = Rc::new(Lists::new(self.allow, &self.deny, &own)?);
        let words = Rc::from(asked.words);
        let detector = |sought: &[&'static Entity], thresholds: &Thresholds| {
            let detector = Detector::new(Options {
                entities: sought.iter().map(|it| thresholds.of(it)).collect(),
                profile: self.profile,
                private_addresses: self.ip_scope == Scope::All || self.profile == Profile::Presidio,
                lists: Rc::clone(&lists),
                own: Rc::clone(&own),
                words: Rc::clone(&words),
            });
            detector.map(Rc::new)
        };
        let everywhere = Policy {
            detector: detector(&sought, &thresholds)?,
            requests: self.requests,
            operators: Operators::default().with(self.operators, &own)?,
        };
        for custom in &self.custom {
            custom.holds(&everywhere.detector)?;
        }
        let base = everywhere.clone();
        ByPlace::new(everywhere, self.places, |there| {
            let mut policy = base.clone();
            policy.requests = there.requests.unwrap_or(policy.requests);
            policy.operators = policy.operators.with(there.operators, &own)?;
            let is_new = there.entities.is_some()
                || !there.also.is_empty()
                || there.threshold.is_some()
                || !there.thresholds.is_empty();
            if is_new {
                let mut sought = match &there.entities {
                    Some(_) => Vec::new(),
                    None => sought.clone(),
                };
                seek(&there.entities.unwrap_or_default(), &own, &mut sought)?;
                seek(&there.also, &own, &mut sought)?;
                let thresholds = thresholds.clone();
                let thresholds =
                    thresholds.with(there.threshold, &there.thresholds, &sought, &own)?;
                policy.detector = detector(&sought, &thresholds)?;
            }
            Ok(policy)
        })
    }
}

/// Adds the entities of these names to what is looked for.
fn seek(names: &[String], own: &[Own], sought: &mut Vec<&'static Entity>) -> Result<(), String> {
    for name in names {
        let entity = known(name, own).map_err(|error| format!("entities: {error}"))?;
        if !sought.contains(&entity) {
            sought.push(entity);
        }
    }
    Ok(())
}

fn score(key: &str, value: f32) -> Result<f32, String> {
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(format!("{key}: {value} is not from 0 to 1"))
}
