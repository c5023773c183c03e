//! What takes the place of something personal.

use mcp_gateway_pseudonym as stand_in;
use serde::Deserialize;

use crate::entity::Entity;

/// What is done with an entity.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Operator {
    /// One without settings, by its name.
    Named(Named),
    /// This text takes the place.
    Replace { replace: String },
    /// Characters are covered.
    Mask { mask: Mask },
}

/// The operators without settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Named {
    /// It is reported, and stays.
    Keep,
    /// Nothing takes the place.
    Redact,
    /// The name of the entity takes the place.
    Replace,
    /// Every letter and digit is covered.
    Mask,
    /// A number that cannot be undone takes the place.
    Hash,
    /// The value itself, encrypted, takes the place.
    Encrypt,
    /// A name takes the place that is the same for the same value.
    Pseudonym,
    /// What has the same form takes the place; a name where there is none.
    Surrogate,
}

/// What takes a value's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Instead {
    /// Nothing: it stays.
    Value,
    /// A text.
    Text(String),
    /// What stands in for this very value.
    StandIn(stand_in::Operator),
}

/// How a value is covered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mask {
    /// What covers a character.
    #[serde(default = "star", rename = "char")]
    with: char,
    /// How many letters and digits at the end stay.
    #[serde(default)]
    keep_last: usize,
}

fn star() -> char {
    '*'
}

impl Operator {
    /// What takes a value's place.
    pub(crate) fn instead(&self, entity: &Entity, value: &str) -> Instead {
        match self {
            Self::Named(Named::Keep) => Instead::Value,
            Self::Named(Named::Redact) => Instead::Text(String::new()),
            Self::Named(Named::Replace) => Instead::Text(format!("<{}>", entity.token)),
            Self::Named(Named::Mask) => Instead::Text(cover(value, star(), 0)),
            Self::Named(Named::Hash) => Instead::StandIn(stand_in::Operator::Hash),
            Self::Named(Named::Encrypt) => Instead::StandIn(stand_in::Operator::Encrypt),
            Self::Named(Named::Pseudonym) => Instead::StandIn(stand_in::Operator::Pseudonym),
            Self::Named(Named::Surrogate) => Instead::StandIn(stand_in::Operator::Surrogate),
            Self::Replace { replace } => Instead::Text(replace.clone()),
            Self::Mask { mask } => Instead::Text(cover(value, mask.with, mask.keep_last)),
        }
    }
}

impl Default for Operator {
    fn default() -> Self {
        Self::Named(Named::Pseudonym)
    }
}

/// The value with its letters and digits covered, but for the last few; what stands between them stays.
fn cover(value: &str, with: char, keep: usize) -> String {
    let covered = value.chars().filter(|c| c.is_alphanumeric()).count();
    let mut left = covered.saturating_sub(keep);
    let cover = |c: char| {
        if !c.is_alphanumeric() || left == 0 {
            return c;
        }
        left -= 1;
        with
    };
    value.chars().map(cover).collect()
}
