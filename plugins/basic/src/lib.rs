#![doc = include_str!("../README.md")]

mod check;
mod config;
mod rule;
mod scanner;
mod table;
mod template;

use std::ops::Range;

use mcp_gateway_sdk::{
    Example, Guardrail, Manifest, Message, Requests, Role, Rule as Finding, Text, Treatment,
    Verdict, export, manifest,
};
use sha2::{Digest, Sha256};

use config::{CONFIG_SCHEMA, Config};
use rule::Rule;
use scanner::{Found, Scanner};
use table::Row;

/// How long a text may be that is the value of a name, and how long the name.
const VALUE: usize = 4096;
const NAME: usize = 64;

/// Why a request is refused.
const REFUSAL: &str = "it would hand a secret to the server";

/// The guardrail `basic`.
struct Basic {
    requests: Requests,
    consistent: bool,
    scanner: Scanner,
    /// Its rows, for the examples.
    rows: Vec<Row>,
}

impl Guardrail for Basic {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        let (requests, consistent) = (config.requests, config.consistent);
        let (scanner, rows) = config.into_scanner()?;
        Ok(Self {
            requests,
            consistent,
            scanner,
            rows,
        })
    }

    fn manifest(&self) -> Manifest {
        let manifest = manifest!().name("basic").config_schema(CONFIG_SCHEMA);
        if self.consistent {
            return manifest;
        }
        self.rows
            .iter()
            .filter_map(|row| self.example(row))
            .fold(manifest, Manifest::example)
            .example(Example::pass(
                "tools/call",
                ["a commit 48e4875032cc26d5d89c9d23b486c905f032dd9d, no secret"],
            ))
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let treatment = self.requests.treatment(message.direction());
        let mut verdict = Verdict::builder();
        if treatment != Treatment::Skip {
            self.each(message, |text, place, found, instead| {
                verdict.treat(treatment, (text, place), finding(found), instead, REFUSAL);
            });
        }
        verdict.finish()
    }
}

export!(Basic);

impl Basic {
    /// Calls `found` with every secret of the message, where it stands and what takes its place.
    fn each(
        &self,
        message: &Message<'_>,
        mut found: impl FnMut(&Text<'_>, Range<usize>, &Found<'_>, String),
    ) {
        let mask = |rule: &Rule, secret: &str| self.replacement(message.session(), rule, secret);
        let mut before: Option<Text<'_>> = None;
        for text in message.texts() {
            let mut all = self.scanner.scan(&text, &mask);
            if all.is_empty()
                && let Some(name) = before.filter(|name| self.is_name(message, name, &text))
            {
                all = self.named(&name, &text, &mask);
            }
            for secret in &all {
                let instead = secret
                    .rewritten
                    .clone()
                    .unwrap_or_else(|| mask(secret.rule, &secret.secret));
                for place in &secret.places {
                    found(&text, place.clone(), secret, instead.clone());
                }
            }
            before = Some(text);
        }
    }

    /// Whether one text is the key of an object's member that is the other, and names a secret.
    fn is_name(&self, message: &Message<'_>, name: &Text<'_>, value: &Text<'_>) -> bool {
        let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let role = |text: &Text<'_>| message.place(text.index()).map(|place| place.role);
        (6..=VALUE).contains(&value.len())
            && (3..=NAME).contains(&name.len())
            && name.bytes().all(word)
            && self.scanner.names(name)
            && role(name) == Some(Role::Key)
            && role(value) == Some(Role::Value)
    }

    fn named(
        &self,
        name: &str,
        value: &str,
        mask: &dyn Fn(&Rule, &str) -> String,
    ) -> Vec<Found<'_>> {
        let start = name.len() + 1;
        let mut found = self.scanner.scan(&format!("{name}={value}"), mask);
        found.retain(|found| found.places.iter().all(|place| place.start >= start));
        for place in found.iter_mut().flat_map(|found| &mut found.places) {
            *place = place.start - start..place.end - start;
        }
        found
    }

    /// What stands in a secret's place. A consistent one ends in a tag that the same secret has all session long, of
    /// twenty bits: enough to tell secrets apart, and too few to find one out.
    fn replacement(&self, session: &str, rule: &Rule, secret: &str) -> String {
        if !self.consistent {
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
        let rule = self.scanner.rules().iter().find(|rule| rule.id == row.id)?;
        let text = sample(row, row.samples.first()?);
        let mask = |rule: &Rule, _: &str| rule.replacement.clone();
        let all = self.scanner.scan(&text, &mask);
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

fn finding(found: &Found<'_>) -> Finding {
    Finding::new(&found.rule.id)
        .confidence(found.confidence)
        .remark(&found.rule.remark)
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
