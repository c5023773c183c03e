//! The texts that were written for the training.

use anyhow::Result;
use serde::Deserialize;

use crate::corpus::{Family, Text};
use crate::random::Random;
use mcp_gateway_injection::rule::Context;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    wrappers: Vec<String>,
    goals: Vec<String>,
    carriers: Vec<String>,
    requests: Vec<String>,
    names: Vec<String>,
    emails: Vec<String>,
    urls: Vec<String>,
}

/// How many goals each wrapper is put around, and how many carriers each request is put into.
const GOALS: usize = 16;
const CARRIERS: usize = 3;

pub(crate) fn texts(seed: u64) -> Result<Vec<Text>> {
    let own: Own = toml::from_str(include_str!("../own.toml"))?;
    let mut random = Random::new(seed);
    let mut texts = Vec::new();
    for wrapper in &own.wrappers {
        for _ in 0..GOALS {
            let attack = wrapper.replace("{goal}", random.pick(&own.goals));
            let text = own.fill(&attack, &mut random);
            texts.push(own.text(text, true, "own attacks"));
        }
    }
    for request in &own.requests {
        for _ in 0..CARRIERS {
            let text = own.fill(request, &mut random);
            texts.push(own.text(text, false, "own requests"));
        }
    }
    Ok(texts)
}

impl Own {
    fn fill(&self, inside: &str, random: &mut Random) -> String {
        let text = random.pick(&self.carriers).replace("{here}", inside);
        let text = text.replace("{name}", random.pick(&self.names));
        let text = text.replace("{email}", random.pick(&self.emails));
        text.replace("{url}", random.pick(&self.urls))
    }

    fn text(&self, text: String, attack: bool, source: &str) -> Text {
        Text {
            text,
            attack,
            source: source.into(),
            family: if attack { Family::Own } else { Family::Hard },
            context: Context::Result,
            place: "tool_result".into(),
            kind: String::new(),
        }
    }
}
