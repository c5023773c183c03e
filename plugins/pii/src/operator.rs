//! What takes the place of something personal.

use serde::Deserialize;

use crate::entity::Entity;

/// What is done with an entity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub(crate) enum Operator {
    /// One without settings, by its name.
    Named(Named),
    /// This text takes the place.
    Replace { replace: String },
    /// Characters are covered.
    Mask { mask: Mask },
    #[default]
    #[serde(skip)]
    Default,
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
    /// What takes the value's place; nothing where it stays. `canonical` is for operators that treat all spellings of a
    /// value alike.
    pub(crate) fn replacement(
        &self,
        entity: &Entity,
        value: &str,
        _canonical: &str,
    ) -> Option<String> {
        match self {
            Self::Named(Named::Keep) => None,
            Self::Named(Named::Redact) => Some(String::new()),
            Self::Default | Self::Named(Named::Replace) => Some(format!("<{}>", entity.token)),
            Self::Named(Named::Mask) => Some(cover(value, star(), 0)),
            Self::Replace { replace } => Some(replace.clone()),
            Self::Mask { mask } => Some(cover(value, mask.with, mask.keep_last)),
        }
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
