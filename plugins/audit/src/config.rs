//! What a person can set.

use mcp_gateway_sdk::{ByPlace, Where};
use serde::Deserialize;

/// The configuration, as the manifest tells it.
pub(crate) const CONFIG_SCHEMA: &str = include_str!("config.schema.json");

/// Bytes of a content that are kept, unless it is said how many.
const LIMIT: u32 = 64 << 10;

/// The configuration as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Of which methods there are records; empty for all.
    pub(crate) methods: Vec<String>,
    arguments: Option<Kept>,
    result: Option<Kept>,
    limit: Option<u32>,
    #[serde(rename = "where")]
    places: Vec<Where<Differing>>,
}

/// What differs in one place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Differing {
    arguments: Option<Kept>,
    result: Option<Kept>,
    limit: Option<u32>,
}

/// What is kept of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kept {
    /// It, as the other guardrails left it.
    Full,
    /// It, with everything covered that the other guardrails hide.
    Masked,
    /// Its keyed hash.
    Hash,
    /// Nothing.
    None,
}

/// What holds in one place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) arguments: Kept,
    pub(crate) result: Kept,
    pub(crate) limit: u32,
}

impl Config {
    /// What holds where.
    pub(crate) fn policies(self) -> Result<ByPlace<Policy>, String> {
        for (number, place) in (1..).zip(&self.places) {
            if place.has_path() {
                return Err(format!(
                    "where {number}: a record is of a whole message: leave out path"
                ));
            }
        }
        let everywhere = Policy {
            arguments: self.arguments.unwrap_or(Kept::Masked),
            result: self.result.unwrap_or(Kept::Masked),
            limit: self.limit.unwrap_or(LIMIT),
        };
        ByPlace::new(everywhere, self.places, |there| {
            Ok(Policy {
                arguments: there.arguments.unwrap_or(everywhere.arguments),
                result: there.result.unwrap_or(everywhere.result),
                limit: there.limit.unwrap_or(everywhere.limit),
            })
        })
    }
}
