#![doc = include_str!("../README.md")]

mod check;
mod config;
mod crossing;
mod manifest;
mod names;
mod opaque;
mod prefixed;
mod rule;
mod scanner;
mod table;
mod template;

use mcp_gateway_sdk::{
    Direction, Example, Guardrail, Manifest, Message, Places, Requests, Role, Rule as Finding,
    Text, Treatment, Verdict, export, manifest,
};
use sha2::{Digest, Sha256};

use config::{CONFIG_SCHEMA, Config, Policy, Settled};
use crossing::{Crossing, Origins};
use rule::Rule;
use scanner::{Found, Search};
use table::{Row, Severity};

/// How long a text may be that is the value of a name, and how long the name.
const VALUE: usize = 4096;
const NAME: usize = 64;

/// Why a request is refused.
const REFUSAL: &str = "it would hand a secret to the server";
const CROSSES: &str = "it would hand a secret to another server than the one that it came from";

/// What is remarked on a finding that is refused or masked for that.
const CROSSED: &str = "it came from another server";

/// So many findings of a message say what they are; of a dump of thousands the rules are enough.
const REMARKS: usize = 1_000;

/// What is reported when there are more secrets than can be remembered.
const UNKNOWN: &str = "origin-unknown";
const FULL: &str = "more secrets than the gateway can remember the origin of";

/// The guardrail `basic`.
struct Basic(Settled);

impl Guardrail for Basic {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        config.settle().map(Self)
    }

    fn manifest(&self) -> Manifest {
        let manifest = manifest!().name("basic").config_schema(CONFIG_SCHEMA);
        if self.0.consistent {
            return manifest;
        }
        self.0
            .rows
            .iter()
            .filter_map(|row| self.example(row))
            .fold(manifest, Manifest::example)
            .example(Example::pass(
                "tools/call",
                ["a commit 48e4875032cc26d5d89c9d23b486c905f032dd9d, no secret"],
            ))
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let here = self.0.policies.here(message);
        let leaves = message.direction() == Direction::ToServer;
        let mut verdict = Verdict::builder();
        if leaves && here.any().all(Policy::is_blind) {
            return verdict.finish();
        }
        let places = Places::of(message);
        let mut origins = Origins::of(message);
        let mask = |rule: &Rule, secret: &str| self.replacement(message.session(), rule, secret);
        let mut before: Option<Text<'_>> = None;
        let mut count = 0;
        for text in message.texts() {
            let policy = here.at(&text, &places);
            let search = Search {
                mask: &mask,
                off: &policy.off,
                allowed: &policy.allowed,
            };
            let mut all = self.0.scanner.scan(&text, &search);
            if all.is_empty() {
                if let Some(name) = before.filter(|name| self.is_name(message, name, &text)) {
                    all = self.named(&name, &text, &search);
                }
            } else if let Some(name) = before.filter(|name| is_member(message, name, &text)) {
                all.retain(|found| found.rule.check.is_none_or(|check| check.takes(&name)));
            }
            for secret in &all {
                let mut treatment = policy.requests.treatment(message.direction());
                let mut refusal = REFUSAL;
                count += 1;
                let mut finding = finding(secret, count <= REMARKS);
                if policy.crossing != Crossing::Allow && secret.rule.severity > Severity::Low {
                    if !leaves {
                        origins.shown(&secret.secret)?;
                    } else if origins.crosses(&secret.secret)? {
                        treatment = stronger(treatment, policy.crossing.treatment());
                        refusal = CROSSES;
                        finding = finding.remark(format!("{}; {CROSSED}", secret.rule.remark));
                    }
                }
                let instead = secret
                    .rewritten
                    .clone()
                    .unwrap_or_else(|| mask(secret.rule, &secret.secret));
                for place in &secret.places {
                    let place = (&text, place.clone());
                    verdict.treat(treatment, place, finding.clone(), instead.clone(), refusal);
                }
            }
            before = Some(text);
        }
        if origins.is_full {
            verdict.note(Finding::new(UNKNOWN).remark(FULL));
        }
        verdict.finish()
    }
}

export!(Basic);

impl Policy {
    /// Whether nothing is looked for in a request.
    fn is_blind(&self) -> bool {
        self.requests == Requests::Off && self.crossing == Crossing::Allow
    }
}

/// The one of two treatments that lets less pass.
fn stronger(one: Treatment, other: Treatment) -> Treatment {
    let order = [Treatment::Refuse, Treatment::Mask, Treatment::Mark];
    let found = order.into_iter().find(|it| *it == one || *it == other);
    found.unwrap_or(Treatment::Skip)
}

impl Basic {
    /// Whether one text is the key of an object's member that is the other, and names a secret.
    fn is_name(&self, message: &Message<'_>, name: &Text<'_>, value: &Text<'_>) -> bool {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        (6..=VALUE).contains(&value.len())
            && (3..=NAME).contains(&name.len())
            && name.bytes().all(word)
            && self.0.scanner.names(name)
            && is_member(message, name, value)
    }

    fn named(&self, name: &str, value: &str, search: &Search<'_>) -> Vec<Found<'_>> {
        let start = name.len() + 1;
        let mut found = self.0.scanner.scan(&format!("{name}={value}"), search);
        found.retain(|found| found.places.iter().all(|place| place.start >= start));
        for place in found.iter_mut().flat_map(|found| &mut found.places) {
            *place = place.start - start..place.end - start;
        }
        found
    }

    /// What stands in a secret's place. A consistent one ends in a tag that the same secret has all session long, of
    /// twenty bits: enough to tell secrets apart, and too few to find one out.
    fn replacement(&self, session: &str, rule: &Rule, secret: &str) -> String {
        if !self.0.consistent {
            return rule.replacement.clone();
        }
        const DIGITS: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let mut hash = Sha256::new();
        for part in [session, &rule.id, secret] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let tag = hash
            .finalize()
            .into_iter()
            .take(4)
            .filter_map(|byte| DIGITS.get(usize::from(byte & 31)));
        let tag: String = tag.map(|digit| char::from(*digit)).collect();
        match rule.replacement.strip_suffix('>') {
            Some(name) => format!("{name}:{tag}>"),
            None => format!("{}:{tag}", rule.replacement),
        }
    }

    /// The first sample of a row, if all that is found in it under this configuration is what the row says.
    fn example(&self, row: &Row) -> Option<Example> {
        let rule = self
            .0
            .scanner
            .rules()
            .iter()
            .find(|rule| rule.id == row.id)?;
        let text = sample(row, row.samples.first()?);
        let everywhere = self.0.policies.everywhere();
        let search = Search {
            mask: &|rule, _| rule.replacement.clone(),
            off: &everywhere.off,
            allowed: &everywhere.allowed,
        };
        let all = self.0.scanner.scan(&text, &search);
        let [one] = all.as_slice() else { return None };
        let [place] = one.places.as_slice() else {
            return None;
        };
        let after = format!(
            "{}{}{}",
            text.get(..place.start)?,
            rule.replacement,
            text.get(place.end..)?
        );
        (one.rule.id == rule.id && one.rewritten.is_none())
            .then(|| Example::redact("tools/call", [text.as_str()], [after.as_str()]))
    }
}

/// Whether one text is the key of an object's member that is the other.
fn is_member(message: &Message<'_>, name: &Text<'_>, value: &Text<'_>) -> bool {
    let role = |text: &Text<'_>| message.place(text.index()).map(|place| place.role);
    role(name) == Some(Role::Key) && role(value) == Some(Role::Value)
}

fn finding(found: &Found<'_>, says_what: bool) -> Finding {
    let finding = Finding::new(&found.rule.id).confidence(found.confidence);
    match says_what {
        true => finding.remark(&found.rule.remark),
        false => finding,
    }
}

/// The text of a sample or near miss: a rule for the values of names has one around it.
fn sample(row: &Row, template: &str) -> String {
    let text = template::expand(template, &row.id);
    match (&row.value, row.keywords.first()) {
        (Some(_), Some(name)) => format!("{name}_token = {text}\n"),
        _ => text,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
