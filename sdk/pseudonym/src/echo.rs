//! Hides values in the answer to a request that they were put back into: a server may
//! repeat them where no rule would know what they are.

use std::ops::Range;

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

/// What was put back into the request that a message belongs to: in small letters, as it may
/// be written, and with what stood for it.
#[derive(Debug, Default)]
pub struct Echoed(Vec<(Vec<String>, String)>);

impl Echoed {
    /// A text without it: one that stands in a message in another spelling, such as base64,
    /// which [`hide_echoes`] does not look into.
    pub fn hidden_in(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (spellings, shown) in &self.0 {
            for spelling in spellings {
                let lower = lowered(&text);
                let mut after = String::new();
                let mut end = 0;
                for range in echoes(&text, &lower, spelling) {
                    after.push_str(text.get(end..range.start).unwrap_or_default());
                    after.push_str(shown);
                    end = range.end;
                }
                if end > 0 {
                    after.push_str(text.get(end..).unwrap_or_default());
                    text = after;
                }
            }
        }
        text
    }
}

/// Hides what was put back into the request that a message belongs to, and says what it was.
/// Does nothing with a message on its way to a server. Where a number is wanted, one of nines
/// takes the place of what a name stood for.
pub fn hide_echoes(
    message: &Message<'_>,
    settings: &Settings,
    is_number: &dyn Fn(&Text<'_>) -> bool,
    verdict: &mut VerdictBuilder,
) -> Echoed {
    let mut echoed = Echoed::default();
    let Some(exchange) = message.exchange() else {
        return echoed;
    };
    if message.direction() != Direction::ToClient {
        return echoed;
    }
    let mut vault = Vault::of(message, settings.time());
    let notes = vault.noted(&key(exchange));
    if !notes.is_empty() && matches!(message.kind(), "response" | "error") {
        vault.forget(&key(exchange));
    }
    if notes.is_empty() {
        return echoed;
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
                for range in echoes(&text, lower, spelling) {
                    verdict.mask(&text, range, RULE, shown);
                }
            }
        }
        echoed.0.push((spellings, shown.to_owned()));
    }
    echoed
}

/// Where a value stands, in whatever letters, as no part of a longer word.
fn echoes<'t>(
    text: &'t str,
    lower: &'t str,
    value: &'t str,
) -> impl Iterator<Item = Range<usize>> + 't {
    lower
        .match_indices(value)
        .filter_map(move |(start, found)| {
            let end = start + found.len();
            let written = text.get(start..end).filter(|it| lowered(it) == value)?;
            let before = text
                .get(..start)
                .and_then(|before| before.chars().next_back());
            let after = text.get(end..).and_then(|after| after.chars().next());
            let goes_on = |c: Option<char>, own: Option<char>| {
                c.is_some_and(char::is_alphanumeric) && own.is_some_and(char::is_alphanumeric)
            };
            let is_part = goes_on(before, written.chars().next())
                || goes_on(after, written.chars().next_back());
            (!is_part).then_some(start..end)
        })
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
