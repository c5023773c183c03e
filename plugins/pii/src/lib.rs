#![doc = include_str!("../README.md")]

mod again;
mod allow;
mod config;
mod demand;
mod detect;
mod entity;
mod operator;
mod own;
mod presidio;
mod yaml;

use std::cell::OnceCell;
use std::ops::Range;
use std::rc::Rc;

use mcp_gateway_pseudonym::{
    Echoed, Form, Issuer, Operator as StandIn, Settings, Subject, hide_echoes, holds_stand_in,
    restore,
};
use mcp_gateway_scan::encoded::{Encoded, encoded};
use mcp_gateway_sdk::{
    ByPlace, Direction, Example, Guardrail, Manifest, Message, Places, Requests, Role, Rule, Text,
    Treatment, Verdict, export, manifest,
};

use again::{Hidden, Personal, named_again};
use config::{Config, Policy, schema};
use demand::{Demand, Demands};
use detect::{Context, Detector, Found};
use entity::{Entity, Kind};
use operator::Instead;

/// Why a request is refused.
const REFUSAL: &str = "it would hand personal data to the server";

/// Why a request is refused that would be half restored and half masked.
const BESIDE: &str = "it has a stand-in and personal data in one text in base64 or hexadecimal digits; send them apart";

/// What is reported where a server repeats, in such a text, what was put back.
const ECHO: &str = "restored-before";

/// The guardrail `pii`.
struct Pii {
    policies: ByPlace<Policy>,
    stand_ins: Settings,
    /// Texts that show what is found and what is not.
    samples: Vec<String>,
}

impl Guardrail for Pii {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        let stand_ins = config.stand_ins.clone();
        let policies = config.build()?;
        let samples = policies.everywhere().detector.samples()?;
        Ok(Self {
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
        let places = Places::of(message);
        let demands = OnceCell::new();
        let demanded = |text: &Text<'_>| {
            let demands: &Demands = demands.get_or_init(|| Demands::of(message));
            demands.at(&places.of_text(text)?.pointer)
        };
        let is_number = |text: &Text<'_>| demanded(text) == Some(&Demand::Number);
        let everywhere = self.policies.everywhere();
        let is_label = |label: &str| is_label(label) || everywhere.detector.is_own(label);
        restore(
            message,
            &self.stand_ins,
            &is_label,
            &is_number,
            &mut verdict,
        )?;
        let echoed = hide_echoes(message, &self.stand_ins, &is_number, &mut verdict);
        demand::remember(message);
        let here = self.policies.here(message);
        let off = |policy: &Policy| policy.requests == Requests::Off;
        if message.direction() == Direction::ToServer && here.any().all(off) {
            return verdict.finish();
        }
        // Where only what is done differs, it does not matter where most texts stand.
        let is_alike = |policy: &Policy| Rc::ptr_eq(&policy.detector, &everywhere.detector);
        let is_alike = here.any().all(is_alike);
        let mut personal = Vec::new();
        for text in message.texts() {
            let detector = match is_alike {
                true => &everywhere.detector,
                false => &here.at(&text, &places).detector,
            };
            let found = find(detector, &text, &places);
            let hidden = hidden(detector, &text, &found, &echoed, &places);
            if !found.is_empty() || !hidden.is_empty() {
                personal.push(Personal {
                    text,
                    found,
                    hidden,
                });
            }
        }
        if is_alike {
            personal.extend(named_again(message, &personal, &places));
        }
        let mut issuer = Issuer::new(message, &self.stand_ins);
        for Personal {
            text,
            found,
            hidden,
        } in &personal
        {
            let policy = here.at(text, &places);
            let treatment = policy.requests.treatment(message.direction());
            for found in found {
                let place = (text, found.range.clone());
                let value = text.get(found.range.clone()).unwrap_or_default();
                // Schemas speak of whole values.
                let is_whole = found.range == (0..text.len());
                let demanded = match treatment == Treatment::Mask && is_whole {
                    true => demanded(text),
                    false => None,
                };
                let instead = match treatment {
                    Treatment::Mask => {
                        self.replacement(policy, text, found, demanded, &mut issuer)?
                    }
                    _ => None,
                };
                let treatment = match instead {
                    None if treatment == Treatment::Mask => Treatment::Mark,
                    _ => treatment,
                };
                let instead = instead.unwrap_or_default();
                // A surrogate may be found again, and stays what it is.
                if treatment != Treatment::Mask || instead != value {
                    verdict.treat(treatment, place, rule(found), instead, REFUSAL);
                }
            }
            for (encoded, echoless, inside) in hidden {
                // Two would write it anew, each in its way.
                let is_beside = || holds_stand_in(&encoded.text, &is_label);
                let goes_out = message.direction() == Direction::ToServer;
                if goes_out && treatment == Treatment::Mask && is_beside() {
                    verdict.block(BESIDE);
                    return verdict.finish();
                }
                let said = match treatment {
                    Treatment::Mask => self.rewritten(policy, echoless, inside, &mut issuer)?,
                    _ => echoless.clone(),
                };
                let treatment = match said == encoded.text {
                    true if treatment == Treatment::Mask => Treatment::Mark,
                    _ => treatment,
                };
                let rule = inside.first().map_or(Rule::new(ECHO), rule);
                let place = (text, encoded.range.clone());
                verdict.treat(treatment, place, rule, encoded.encode(&said), REFUSAL);
            }
        }
        verdict.finish()
    }
}

export!(Pii);

impl Pii {
    /// What takes the place of a finding, and the form that it has. A number of a JSON document stays a number as long.
    fn instead(
        &self,
        policy: &Policy,
        text: &str,
        found: &Found,
        demanded: Option<&Demand>,
    ) -> (Instead, Option<Form>) {
        let value = text.get(found.range.clone()).unwrap_or_default();
        let operator = policy.operators.of(found.entity);
        let form = form(found.entity);
        let is_number =
            demanded == Some(&Demand::Number) || is_json_number(text, found.range.clone());
        match operator.instead(found.entity, value) {
            Instead::Value => (Instead::Value, form),
            Instead::Text(_) | Instead::StandIn(StandIn::Hash) if is_number => {
                (Instead::Text("9".repeat(value.len())), None)
            }
            Instead::StandIn(_) if is_number => {
                let is_card = form == Some(Form::Card) && is_digits(value);
                let form = if is_card { Form::Card } else { Form::Number };
                (Instead::StandIn(StandIn::Surrogate), Some(form))
            }
            instead => match (instead, demanded) {
                (Instead::StandIn(_), Some(Demand::Form(form))) => {
                    (Instead::StandIn(StandIn::Surrogate), Some(*form))
                }
                (instead, _) => (instead, form),
            },
        }
    }

    /// What takes the place of a finding; nothing if its value stays.
    fn replacement(
        &self,
        policy: &Policy,
        text: &str,
        found: &Found,
        demanded: Option<&Demand>,
        issuer: &mut Issuer<'_>,
    ) -> Result<Option<String>, String> {
        let value = text.get(found.range.clone()).unwrap_or_default();
        let (instead, form) = self.instead(policy, text, found, demanded);
        Ok(match instead {
            Instead::Text(instead) => Some(instead),
            Instead::StandIn(operator) => {
                let subject = subject(found, value, form);
                Some(stand_in(issuer, operator, subject, found, demanded)?)
            }
            Instead::Value => None,
        })
    }

    /// A text with all that was found in it replaced.
    fn rewritten(
        &self,
        policy: &Policy,
        text: &str,
        found: &[Found],
        issuer: &mut Issuer<'_>,
    ) -> Result<String, String> {
        let (mut after, mut end) = (String::new(), 0);
        for found in found {
            let value = || text.get(found.range.clone()).unwrap_or_default().to_owned();
            after.push_str(text.get(end..found.range.start).unwrap_or_default());
            let instead = self.replacement(policy, text, found, None, issuer)?;
            after.push_str(&instead.unwrap_or_else(value));
            end = found.range.end;
        }
        after.push_str(text.get(end..).unwrap_or_default());
        Ok(after)
    }

    /// What becomes of a text under this configuration, as far as it does not depend on keys: there are none yet.
    fn example(&self, text: &str) -> Option<Example> {
        let everywhere = self.policies.everywhere();
        let mut after = String::new();
        let mut end = 0;
        for found in everywhere.detector.find(text, &Context { key: &|| None }) {
            let (instead, _) = self.instead(everywhere, text, &found, None);
            let instead = match instead {
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

/// Everything personal in a text that is a value. Keys of objects are names of things, and what reads them looks
/// for them.
fn find(detector: &Detector, text: &Text<'_>, places: &Places<'_>) -> Vec<Found> {
    let place = || places.of_text(text);
    let key = || place().map(|place| name(&place.pointer).to_owned());
    let context = Context { key: &key };
    let mut found = match integer(text) {
        None => detector.find(text, &context),
        // As some programs write the numbers of a column that has gaps.
        Some(digits) => {
            let mut found = detector.find(&digits, &context);
            found.retain(|found| found.range == (0..digits.len()));
            found
                .iter_mut()
                .for_each(|found| found.range = 0..text.len());
            found
        }
    };
    if !found.is_empty() && place().is_some_and(|place| place.role == Role::Key) {
        found.clear();
    }
    found
}

/// What is written in base64 or hexadecimal digits and has something in it to hide: with what it says without what
/// was put back before, and what is personal in that.
fn hidden(
    detector: &Detector,
    text: &Text<'_>,
    found: &[Found],
    echoed: &Echoed,
    places: &Places<'_>,
) -> Vec<Hidden> {
    // What was found stands in order, and apart from each other.
    let is_apart = |encoded: &Encoded| {
        let at = found.partition_point(|found| found.range.end <= encoded.range.start);
        let next = found.get(at);
        next.is_none_or(|found| found.range.start >= encoded.range.end)
    };
    let encoded = encoded(text).filter(is_apart);
    let inside = encoded.map(|encoded| {
        let echoless = echoed.hidden_in(&encoded.text);
        let inside = detector.find(&echoless, &Context { key: &|| None });
        (encoded, echoless, inside)
    });
    let is_any = |(encoded, echoless, inside): &(Encoded, String, Vec<Found>)| {
        !inside.is_empty() || *echoless != encoded.text
    };
    let mut hidden: Vec<_> = inside.filter(is_any).collect();
    let is_key = || {
        let place = places.of_text(text);
        place.is_some_and(|place| place.role == Role::Key)
    };
    if !hidden.is_empty() && is_key() {
        hidden.clear();
    }
    hidden
}

/// Whether a stand-in may be called so.
fn is_label(label: &str) -> bool {
    entity::all().any(|entity| entity.token == label)
}

/// What stands in for a value; where an expression has to match, it or one of its surrogates, if one does.
fn stand_in(
    issuer: &mut Issuer<'_>,
    operator: StandIn,
    subject: Subject<'_>,
    found: &Found,
    demanded: Option<&Demand>,
) -> Result<String, String> {
    let first = issuer.stand_in(operator, subject)?;
    let demand = demanded.filter(|demand| !demand.is_met(&first));
    let Some(demand) = demand.filter(|_| operator != StandIn::Hash) else {
        return Ok(first);
    };
    for form in form(found.entity).into_iter().chain([Form::Number]) {
        let form = Some(form);
        let other = issuer.stand_in(StandIn::Surrogate, Subject { form, ..subject })?;
        if demand.is_met(&other) {
            return Ok(other);
        }
    }
    Ok(first)
}

/// What a finding is to those who make stand-ins.
fn subject<'v>(found: &'v Found, value: &'v str, form: Option<Form>) -> Subject<'v> {
    Subject {
        label: found.entity.token,
        form,
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

/// Whether a part of a text is a number of the JSON document that the text is, or all of one but its `.0`.
fn is_json_number(text: &str, range: Range<usize>) -> bool {
    let part = |range| text.get(range).unwrap_or_default();
    let behind = part(range.end..text.len());
    let behind = behind.strip_prefix(".0").unwrap_or(behind);
    is_digits(part(range.clone()))
        && text.trim_start().starts_with(['{', '['])
        && part(0..range.start).trim_end().ends_with([':', ',', '['])
        && behind.trim_start().starts_with([',', '}', ']'])
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The digits of a whole number that a text is, if it is written with a point: `4111111111111111.0`, `4.155552671E9`.
fn integer(text: &str) -> Option<String> {
    /// Longer ones are of nothing that is personal.
    const DIGITS: usize = 32;
    if text.len() > DIGITS || !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<usize>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.')?;
    let fraction = fraction.trim_end_matches('0');
    if exponent > DIGITS || fraction.len() > exponent || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    Some(format!("{whole}{fraction:0<exponent$}"))
}

fn rule(found: &Found) -> Rule {
    Rule::new(found.entity.name).confidence(found.score)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
