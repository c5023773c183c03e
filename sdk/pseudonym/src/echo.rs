//! Hides values in the answer to a request that they were put back into: a server may
//! repeat them where no rule would know what they are.

use mcp_gateway_sdk::{Direction, Message, Text, VerdictBuilder};

use crate::vault::Vault;
use crate::{Settings, place};

/// The rule under which hidden values are reported.
const RULE: &str = "restored-before";

/// Shorter values are part of too much that is something else.
const SHORTEST: usize = 3;

/// What was put back into one request.
#[derive(Default)]
pub(crate) struct Echoes(Vec<String>);

impl Echoes {
    /// What is kept under a key was put back in place of a stand-in.
    pub(crate) fn add(&mut self, key: &str, shown: &str, value: &str) {
        if value.len() >= SHORTEST {
            self.0.push(format!("{key}\t{shown}"));
        }
    }

    pub(crate) fn note(&self, message: &Message<'_>, vault: &mut Vault<'_>) {
        if let Some(exchange) = message.exchange().filter(|_| !self.0.is_empty()) {
            vault.note(&key(exchange), &self.0);
        }
    }
}

/// Hides what was put back into the request that a message belongs to. Does nothing with
/// a message on its way to a server. Where a number is wanted, one of nines takes the
/// place of what a name stood for.
pub fn hide_echoes(
    message: &Message<'_>,
    settings: &Settings,
    is_number: &dyn Fn(&Text<'_>) -> bool,
    verdict: &mut VerdictBuilder,
) {
    let Some(exchange) = message.exchange() else {
        return;
    };
    if message.direction() != Direction::ToClient {
        return;
    }
    let mut vault = Vault::of(message, settings.time());
    let notes = vault.noted(&key(exchange));
    if !notes.is_empty() && matches!(message.kind(), "response" | "error") {
        vault.forget(&key(exchange));
    }
    if notes.is_empty() {
        return;
    }
    let texts: Vec<String> = message.texts().map(|text| lowered(&text)).collect();
    for note in notes {
        let Some((key, shown)) = note.split_once('\t') else {
            continue;
        };
        let Some(entry) = vault.get(key) else {
            continue;
        };
        let spellings = place::spellings(&entry.value);
        let spellings: Vec<String> = spellings.iter().map(|it| lowered(it)).collect();
        for (text, lower) in message.texts().zip(&texts) {
            let whole = text.as_str() == entry.value && place::is_number(&text);
            if whole && !place::is_number(shown) && is_number(&text) {
                verdict.mask(&text, 0..text.len(), RULE, "9".repeat(text.len()));
                continue;
            }
            for spelling in &spellings {
                hide(&text, lower, spelling, shown, verdict);
            }
        }
    }
}

/// Hides a value, in whatever letters, where it is no part of a longer word.
fn hide(text: &Text<'_>, lower: &str, value: &str, shown: &str, verdict: &mut VerdictBuilder) {
    for (start, found) in lower.match_indices(value) {
        let end = start + found.len();
        let Some(written) = text.get(start..end).filter(|it| lowered(it) == value) else {
            continue;
        };
        let before = text
            .get(..start)
            .and_then(|before| before.chars().next_back());
        let after = text.get(end..).and_then(|after| after.chars().next());
        let goes_on = |c: Option<char>, own: Option<char>| {
            c.is_some_and(char::is_alphanumeric) && own.is_some_and(char::is_alphanumeric)
        };
        let is_part =
            goes_on(before, written.chars().next()) || goes_on(after, written.chars().next_back());
        if !is_part {
            verdict.mask(text, start..end, RULE, shown);
        }
    }
}

/// A text in small letters, with everything at its place.
fn lowered(text: &str) -> String {
    let lower = text.to_lowercase();
    match lower.len() == text.len() {
        true => lower,
        false => text.to_ascii_lowercase(),
    }
}

fn key(exchange: u64) -> String {
    format!("x/{exchange}")
}
