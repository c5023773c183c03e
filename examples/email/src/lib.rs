#![doc = include_str!("../README.md")]

use std::ops::Range;

use mcp_gateway_sdk::{Example, Guardrail, Manifest, Message, NoConfig, Verdict, export, manifest};

struct Email;

impl Guardrail for Email {
    type Config = NoConfig;

    fn configure(NoConfig {}: NoConfig) -> Result<Self, String> {
        Ok(Self)
    }

    fn manifest(&self) -> Manifest {
        manifest!().example(Example::redact(
            "tools/call",
            ["To ann@example.org."],
            ["To <EMAIL>."],
        ))
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let mut verdict = Verdict::builder();
        for text in message.texts() {
            for range in addresses(&text) {
                verdict.mask(&text, range, "email", "<EMAIL>");
            }
        }
        verdict.finish()
    }
}

export!(Email);

/// Grows an address from each `@`: to the left a local part, to the right a domain that has a dot.
fn addresses(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices('@').filter_map(move |(at, _)| {
        let (before, after) = (text.get(..at)?, text.get(at + 1..)?);
        let local = before.len()
            - before
                .trim_end_matches(|c: char| c.is_alphanumeric() || "._%+-".contains(c))
                .len();
        let rest = after.trim_start_matches(|c: char| c.is_alphanumeric() || ".-".contains(c));
        let domain = after.strip_suffix(rest)?.trim_end_matches(['.', '-']);
        let (_, top) = domain.rsplit_once('.')?;
        let known = local > 0 && top.len() >= 2 && top.chars().all(char::is_alphabetic);
        known.then(|| at - local..at + 1 + domain.len())
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use mcp_gateway_sdk::testing::{Sample, examples_hold};

    use super::*;

    fn check(text: &str, expected: &str) {
        let outcome = Sample::response("tools/call", [text])
            .judge(&Email)
            .unwrap();
        assert_eq!(outcome.texts, [expected]);
    }

    #[test]
    fn an_address_is_hidden_and_what_surrounds_it_stays() {
        check(
            "Write to ann.lee+mcp@mail.example.org.",
            "Write to <EMAIL>.",
        );
        check(r#"{"to":"ann@example.org"}"#, r#"{"to":"<EMAIL>"}"#);
        check("<a@example.org>, b@example.org", "<<EMAIL>>, <EMAIL>");
        check("jürgen@bücher.example", "<EMAIL>");
    }

    #[test]
    fn what_is_no_address_stays() {
        for text in [
            "@types/node",
            "user@host",
            "a @ b.org",
            "v@1.2.3",
            "@",
            "ann@example.",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn its_examples_hold() {
        examples_hold(&Email).unwrap();
    }
}
