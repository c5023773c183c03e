//! Entities of one's own.

use std::ops::Range;

use mcp_gateway_scan::Pattern;
use serde::Deserialize;

use crate::detect::{Context, Detector};
use crate::entity::{Entity, named, own};

/// An entity of one's own, as a configuration says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Custom {
    entity: String,
    /// Regular expressions.
    patterns: Vec<String>,
    #[serde(default = "likely")]
    score: f32,
    /// Words that speak of it, in lower case.
    #[serde(default)]
    words: Vec<String>,
    /// What is found.
    #[serde(default)]
    samples: Vec<String>,
    /// What is not.
    #[serde(default)]
    misses: Vec<String>,
}

fn likely() -> f32 {
    0.6
}

impl Custom {
    /// Refuses one that does not do what its samples and misses say.
    pub(crate) fn holds(&self, detector: &Detector) -> Result<(), String> {
        let finds = |text: &str| {
            let found = detector.find(text, &Context { key: &|| None });
            found.iter().any(|found| found.entity.name == self.entity)
        };
        let name = &self.entity;
        if let Some(sample) = self.samples.iter().find(|text| !finds(text)) {
            return Err(format!(
                "custom: {name} is not found in its sample {sample:?}"
            ));
        }
        match self.misses.iter().find(|text| finds(text)) {
            Some(miss) => Err(format!("custom: {name} is found in its miss {miss:?}")),
            None => Ok(()),
        }
    }
}

/// The entity of a name, one's own or another.
pub(crate) fn known(name: &str, all: &[Own]) -> Result<&'static Entity, String> {
    let mut own = all.iter().map(|own| own.entity);
    let own = own.find(|entity| entity.name == name.to_ascii_uppercase());
    own.map_or_else(|| named(name), Ok)
}

/// What finds one.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) entity: &'static Entity,
    patterns: Vec<Pattern>,
    pub(crate) score: f32,
    pub(crate) words: Vec<String>,
}

impl Own {
    pub(crate) fn new(custom: &Custom) -> Result<Self, String> {
        let name = &custom.entity;
        let wrong = |error| format!("custom: {name}: {error}");
        if named(name).is_ok() {
            return Err(format!("custom: there is an entity {name} already"));
        }
        Self::of(name, None, &custom.patterns, custom.score, &custom.words).map_err(wrong)
    }

    /// One of an entity that is known, or else of a new one.
    pub(crate) fn of(
        name: &str,
        entity: Option<&'static Entity>,
        patterns: &[String],
        score: f32,
        words: &[String],
    ) -> Result<Self, String> {
        let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || !name.bytes().all(fits) {
            return Err("the name is not of capital letters, digits and _".to_owned());
        }
        if !(0.0..=1.0).contains(&score) {
            return Err(format!("{score} is not from 0 to 1"));
        }
        let patterns = patterns.iter().map(|pattern| {
            Pattern::searching(pattern).map_err(|error| format!("{pattern:?}: {error}"))
        });
        Ok(Self {
            patterns: patterns.collect::<Result<_, _>>()?,
            entity: entity.unwrap_or_else(|| own(name)),
            score,
            words: words.to_vec(),
        })
    }

    /// Where it may be in a text.
    pub(crate) fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for pattern in &self.patterns {
            let mut at = 0;
            while let Some((range, _)) = pattern.find_from(text, at, 0) {
                at = range.end;
                if !range.is_empty() && text.get(range.clone()).is_some() {
                    found.push(range);
                }
            }
        }
        found
    }
}
