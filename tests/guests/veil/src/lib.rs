#![doc = include_str!("../README.md")]

use std::ops::Range;

use mcp_gateway_pseudonym::{Form, Issuer, Operator, Settings, Subject, hide_echoes, restore};
use mcp_gateway_sdk::{Direction, Guardrail, Manifest, Message, Verdict, export, manifest};
use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Config {
    operator: Operator,
    stand_ins: Settings,
}

struct Veil(Config);

const LABEL: &str = "EMAIL";

impl Guardrail for Veil {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        Ok(Self(config))
    }

    fn manifest(&self) -> Manifest {
        manifest!()
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let Self(Config {
            operator,
            stand_ins,
        }) = self;
        let mut verdict = Verdict::builder();
        restore(
            message,
            stand_ins,
            &|label| label == LABEL,
            &|_| false,
            &mut verdict,
        )?;
        hide_echoes(message, stand_ins, &|_| false, &mut verdict);
        if message.direction() == Direction::ToClient {
            let mut issuer = Issuer::new(message, stand_ins);
            for text in message.texts() {
                for range in addresses(&text) {
                    let value = text.get(range.clone()).unwrap_or_default();
                    let subject = Subject {
                        label: LABEL,
                        form: Some(Form::Email),
                        value,
                        canonical: &value.to_lowercase(),
                    };
                    let shown = issuer.stand_in(*operator, subject)?;
                    if shown != value {
                        verdict.mask(&text, range, "email", shown);
                    }
                }
            }
        }
        verdict.finish()
    }
}

fn addresses(text: &str) -> Vec<Range<usize>> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._+-'".contains(c);
    let around = text.match_indices('@').filter_map(|(at, _)| {
        let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
        let local = before.rfind(|c| !is_part(c)).map_or(0, |end| end + 1);
        let quotes = before.get(local..)?;
        let local = local + quotes.len() - quotes.trim_start_matches('\'').len();
        let domain = after
            .find(|c| !is_part(c) || c == '\'')
            .unwrap_or(after.len());
        let domain = after.get(..domain)?.trim_end_matches('.');
        (local < at && domain.contains('.')).then_some(local..at + 1 + domain.len())
    });
    around.collect()
}

export!(Veil);

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use mcp_gateway_sdk::testing::{Sample, configured};

    use super::*;

    #[test]
    fn an_address_is_found_between_quotes() {
        let text = "['a@x.org', \"o'n@y.org\"] é@ b@z, to c@z.org.";
        let found: Vec<&str> = addresses(text).into_iter().map(|at| &text[at]).collect();
        assert_eq!(found, ["a@x.org", "o'n@y.org", "c@z.org"]);
    }

    #[test]
    fn what_was_masked_is_masked_no_more() {
        for operator in ["pseudonym", "surrogate", "encrypt", "hash"] {
            let config = format!("{{\"operator\":\"{operator}\"}}");
            let veil = configured::<Veil>(&config).unwrap();
            let judge = |text: &str| {
                let sample = Sample::response("tools/call", [text]);
                sample.judge(&veil).unwrap().texts.concat()
            };
            let once = judge("to a@x.org, and A@x.org");
            assert!(!once.contains("x.org"), "{once}");
            assert_eq!(judge(&once), once);
        }
    }
}
