#![doc = include_str!("../README.md")]

mod allow;
mod config;
mod detect;
mod entity;
mod formats;
mod operator;
mod own;

use std::cell::OnceCell;
use std::ops::Range;

use mcp_gateway_pseudonym::{
    Form, Issuer, Operator as StandIn, Settings, Subject, hide_echoes, restore,
};
use mcp_gateway_sdk::{
    ByPlace, Direction, Example, Guardrail, Manifest, Message, Places, Requests, Role, Rule, Text,
    Treatment, Verdict, export, manifest,
};

use config::{Config, Policy, schema};
use detect::{Context, Detector, Found};
use entity::{Entity, Kind};
use operator::Instead;

/// Why a request is refused.
const REFUSAL: &str = "it would hand personal data to the server";

/// The guardrail `pii`.
struct Pii {
    detector: Detector,
    policies: ByPlace<Policy>,
    stand_ins: Settings,
    /// Texts that show what is found and what is not.
    samples: Vec<String>,
}

impl Guardrail for Pii {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        let stand_ins = config.stand_ins.clone();
        let (detector, policies) = config.build()?;
        let samples = detector.samples()?;
        Ok(Self {
            detector,
            policies,
            stand_ins,
            samples,
        })
    }

    fn manifest(&self) -> Manifest {
        let manifest = manifest!().name("pii").config_schema(&schema());
        self.samples
            .iter()
            .filter_map(|sample| self.example(sample))
            .fold(manifest, Manifest::example)
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let mut verdict = Verdict::builder();
        let is_label = |label: &str| is_label(label) || self.detector.is_own(label);
        restore(message, &self.stand_ins, &is_label, &mut verdict)?;
        hide_echoes(message, &self.stand_ins, &mut verdict);
        formats::remember(message);
        let here = self.policies.here(message);
        let off = |policy: &Policy| policy.requests == Requests::Off;
        if message.direction() == Direction::ToServer && here.any().all(off) {
            return verdict.finish();
        }
        let places = Places::of(message);
        let formats = OnceCell::new();
        let keeps_form = |text: &Text<'_>, found: &Found| {
            let place = || {
                places
                    .of_text(text)
                    .map_or_else(String::new, |place| place.pointer)
            };
            let is_whole = found.range == (0..text.len());
            is_whole && matches!(form(found.entity), Some(Form::Email | Form::Ip)) && {
                let formats: &Vec<String> = formats.get_or_init(|| formats::of(message));
                !formats.is_empty() && formats::cover(formats, &place())
            }
        };
        let mut issuer = Issuer::new(message, &self.stand_ins);
        for text in message.texts() {
            let found = self.found(&text, &places);
            if found.is_empty() {
                continue;
            }
            let policy = here.at(&text, &places);
            let treatment = policy.requests.treatment(message.direction());
            for found in &found {
                let place = (&text, found.range.clone());
                let value = text.get(found.range.clone()).unwrap_or_default();
                let instead = match treatment {
                    Treatment::Mask => self.instead(policy, &text, found),
                    _ => Instead::Value,
                };
                let (treatment, instead) = match instead {
                    Instead::Text(instead) => (treatment, instead),
                    Instead::StandIn(operator) => {
                        let operator = match keeps_form(&text, found) {
                            true => StandIn::Surrogate,
                            false => operator,
                        };
                        let subject = subject(found, value);
                        (treatment, issuer.stand_in(operator, subject)?)
                    }
                    Instead::Value if treatment == Treatment::Mask => {
                        (Treatment::Mark, String::new())
                    }
                    Instead::Value => (treatment, String::new()),
                };
                // A surrogate may be found again, and stays what it is.
                if treatment != Treatment::Mask || instead != value {
                    verdict.treat(treatment, place, rule(found), instead, REFUSAL);
                }
            }
        }
        verdict.finish()
    }
}

export!(Pii);

impl Pii {
    /// What takes the place of a finding. A number of a JSON document stays a number as long.
    fn instead(&self, policy: &Policy, text: &str, found: &Found) -> Instead {
        let value = text.get(found.range.clone()).unwrap_or_default();
        let instead = policy
            .operators
            .of(found.entity)
            .instead(found.entity, value);
        if instead == Instead::Value || !is_json_number(text, found.range.clone()) {
            return instead;
        }
        match (instead, form(found.entity)) {
            (Instead::StandIn(_), Some(Form::Card)) => Instead::StandIn(StandIn::Surrogate),
            _ => Instead::Text("9".repeat(value.len())),
        }
    }

    /// Everything personal in a text that is a value. Keys of objects are names of things, and what reads them looks
    /// for them.
    fn found(&self, text: &Text<'_>, places: &Places<'_>) -> Vec<Found> {
        let place = || places.of_text(text);
        let key = || place().map(|place| name(&place.pointer).to_owned());
        let mut found = self.detector.find(text, &Context { key: &key });
        if !found.is_empty() && place().is_some_and(|place| place.role == Role::Key) {
            found.clear();
        }
        found
    }

    /// What becomes of a text under this configuration, as far as it does not depend on keys: there are none yet.
    fn example(&self, text: &str) -> Option<Example> {
        let mut after = String::new();
        let mut end = 0;
        for found in self.detector.find(text, &Context { key: &|| None }) {
            let instead = match self.instead(self.policies.everywhere(), text, &found) {
                Instead::Text(instead) => instead,
                Instead::Value => text.get(found.range.clone())?.to_owned(),
                Instead::StandIn(_) => return Some(Example::hide("tools/call", [text])),
            };
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

/// Whether a stand-in may be called so.
fn is_label(label: &str) -> bool {
    entity::all().any(|entity| entity.token == label)
}

/// What a finding is to those who make stand-ins.
fn subject<'v>(found: &'v Found, value: &'v str) -> Subject<'v> {
    Subject {
        label: found.entity.token,
        form: form(found.entity),
        value,
        canonical: &found.canonical,
    }
}

/// The form that a surrogate of an entity has.
fn form(entity: &Entity) -> Option<Form> {
    match entity.kind {
        Kind::Email => Some(Form::Email),
        Kind::Phone => Some(Form::Phone),
        Kind::Card => Some(Form::Card),
        Kind::Iban => Some(Form::Iban),
        Kind::Ip => Some(Form::Ip),
        _ => None,
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
