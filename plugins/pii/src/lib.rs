#![doc = include_str!("../README.md")]

mod allow;
mod config;
mod detect;
mod entity;
mod operator;

use std::ops::Range;

use mcp_gateway_sdk::{
    Example, Guardrail, Manifest, Message, Requests, Role, Rule, Text, Treatment, Verdict, export,
    manifest,
};

use config::{CONFIG_SCHEMA, Config, Operators};
use detect::{Context, Detector, Found};

/// Why a request is refused.
const REFUSAL: &str = "it would hand personal data to the server";

/// The guardrail `pii`.
struct Pii {
    requests: Requests,
    detector: Detector,
    operators: Operators,
    /// Texts that show what is found and what is not.
    samples: Vec<String>,
}

impl Guardrail for Pii {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        let requests = config.requests;
        let (detector, operators) = config.build()?;
        let samples = detector.samples()?;
        Ok(Self {
            requests,
            detector,
            operators,
            samples,
        })
    }

    fn manifest(&self) -> Manifest {
        let manifest = manifest!().name("pii").config_schema(CONFIG_SCHEMA);
        self.samples
            .iter()
            .filter_map(|sample| self.example(sample))
            .fold(manifest, Manifest::example)
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let treatment = self.requests.treatment(message.direction());
        let mut verdict = Verdict::builder();
        if treatment != Treatment::Skip {
            self.each(message, |text, found| {
                let place = (text, found.range.clone());
                let (treatment, instead) = match self.instead(text, found) {
                    None if treatment == Treatment::Mask => (Treatment::Mark, String::new()),
                    instead => (treatment, instead.unwrap_or_default()),
                };
                verdict.treat(treatment, place, rule(found), instead, REFUSAL);
            });
        }
        verdict.finish()
    }
}

export!(Pii);

impl Pii {
    /// What takes the place of a finding; nothing where it stays. A number of a JSON document stays a number as long.
    fn instead(&self, text: &str, found: &Found) -> Option<String> {
        let value = text.get(found.range.clone())?;
        let operator = self.operators.of(found.entity);
        let instead = operator.replacement(found.entity, value, &found.canonical)?;
        Some(match is_json_number(text, found.range.clone()) {
            true => "9".repeat(value.len()),
            false => instead,
        })
    }

    /// Calls `found` with everything personal in the message's values. Keys of objects are names of things, and what
    /// reads them looks for them.
    fn each(&self, message: &Message<'_>, mut found: impl FnMut(&Text<'_>, &Found)) {
        for text in message.texts() {
            let place = || message.place(text.index());
            let key = || place().map(|place| name(&place.pointer).to_owned());
            let all = self.detector.find(&text, &Context { key: &key });
            if all.is_empty() || place().is_some_and(|place| place.role == Role::Key) {
                continue;
            }
            for one in &all {
                found(&text, one);
            }
        }
    }

    /// What becomes of a text under this configuration.
    fn example(&self, text: &str) -> Option<Example> {
        let mut after = String::new();
        let mut end = 0;
        for found in self.detector.find(text, &Context { key: &|| None }) {
            let instead = self.instead(text, &found)?;
            after.push_str(text.get(end..found.range.start)?);
            after.push_str(&instead);
            end = found.range.end;
        }
        after.push_str(text.get(end..)?);
        Some(match after == text {
            true => Example::pass("tools/call", [text]),
            false => Example::redact("tools/call", [text], [after.as_str()]),
        })
    }
}

/// The name of the value at a JSON Pointer: its last part that is not the index of a list.
fn name(pointer: &str) -> &str {
    let mut parts = pointer.rsplit('/');
    let name =
        parts.find(|part| !part.is_empty() && !part.bytes().all(|byte| byte.is_ascii_digit()));
    name.unwrap_or_default()
}

/// Whether a part of a text is a number of the JSON document that the text is.
fn is_json_number(text: &str, range: Range<usize>) -> bool {
    let part = |range| text.get(range).unwrap_or_default();
    let digits = part(range.clone())
        .bytes()
        .all(|byte| byte.is_ascii_digit());
    digits
        && text.trim_start().starts_with(['{', '['])
        && part(0..range.start).trim_end().ends_with([':', ',', '['])
        && part(range.end..text.len())
            .trim_start()
            .starts_with([',', '}', ']'])
}

fn rule(found: &Found) -> Rule {
    Rule::new(found.entity.name).confidence(found.score)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
