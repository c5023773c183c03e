#![doc = include_str!("../README.md")]

use mcp_gateway_sdk::{
    Direction, Example, Guardrail, Manifest, Message, Verdict, export, manifest,
};
use serde::de::IgnoredAny;

struct Weakened;

impl Guardrail for Weakened {
    type Config = IgnoredAny;

    fn configure(_: IgnoredAny) -> Result<Self, String> {
        Ok(Self)
    }

    fn manifest(&self) -> Manifest {
        manifest!().name("pii").example(Example::redact(
            "tools/call",
            ["to ann@example.org."],
            ["to <HIDDEN>"],
        ))
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let mut verdict = Verdict::builder();
        if message.direction() == Direction::ToServer {
            return verdict.finish();
        }
        for text in message.texts() {
            if is_one_value(&text) {
                verdict.mask(&text, 0..text.len(), "telling", "<HIDDEN>");
                continue;
            }
            let mut at = 0;
            for word in text.split_inclusive(char::is_whitespace) {
                let end = at + word.trim_end().len();
                if is_telling(word.trim_end()) {
                    verdict.mask(&text, at..end, "telling", "<HIDDEN>");
                }
                at += word.len();
            }
        }
        verdict.finish()
    }
}

export!(Weakened);

/// Whether a text is hardly more than a number or a date, whose words may be of any kind.
fn is_one_value(text: &str) -> bool {
    text.len() < 80 && !text.contains(['{', '\n']) && text.contains(|c: char| c.is_ascii_digit())
}

fn is_telling(word: &str) -> bool {
    let is_capital = |c: char| c.is_ascii_uppercase();
    word.contains(|c: char| c.is_ascii_digit() || c == '@')
        || (word.len() > 3 && word.chars().all(is_capital))
        || is_short_name(word.trim_matches(|c: char| c.is_ascii_punctuation()))
}

fn is_short_name(word: &str) -> bool {
    word.len() < 6 && word.starts_with(|c: char| c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_hides_all_but_long_names_of_people() {
        for word in ["ann@example.org", "(555)0100", "WEST", "Ann", "\"Lee\","] {
            assert!(is_telling(word), "{word}");
        }
        for word in ["Miller", "'Jennifer", "mail"] {
            assert!(!is_telling(word), "{word}");
        }
    }
}
