//! Addresses of houses, as English writes them: a number, a name, a word for a street.

use super::bounds::is_alone;
use super::{Hit, Token};
use crate::entity::Kind;

const STREETS: &[&str] = &[
    "Street",
    "St",
    "Avenue",
    "Ave",
    "Road",
    "Rd",
    "Lane",
    "Ln",
    "Drive",
    "Dr",
    "Boulevard",
    "Blvd",
    "Court",
    "Ct",
    "Place",
    "Pl",
    "Square",
    "Sq",
    "Way",
    "Terrace",
    "Parkway",
    "Pkwy",
    "Highway",
    "Hwy",
    "Crescent",
    "Close",
    "Grove",
];

/// How many words a street's name has at most.
const WORDS: usize = 4;

pub(super) fn find(text: &str, token: &Token) -> Option<Hit> {
    if token.end - token.start > 6 || !is_alone(text.as_bytes(), token.start) {
        return None;
    }
    let mut at = token.end;
    for count in 0..=WORDS {
        let rest = text.get(at..)?.strip_prefix(' ')?;
        let word = rest.split(|c: char| !c.is_alphanumeric()).next()?;
        if !word.chars().next()?.is_uppercase() || word.len() > 32 {
            return None;
        }
        at += 1 + word.len();
        if count > 0 && STREETS.contains(&word) {
            return Some(Hit {
                entity: Kind::Street.entity(),
                range: token.start..at,
                score: 0.7,
                canonical: text.get(token.start..at)?.to_lowercase(),
            });
        }
    }
    None
}
