//! What every match of a pattern begins with, byte by byte: asked before the pattern, it turns almost everything away at
//! the cost of a few comparisons.

use regex_automata::nfa::thompson::{NFA, State};
use regex_automata::util::primitives::StateID;
use regex_syntax::hir::{Hir, HirKind};

use crate::bytes::Bytes;

/// How many bytes are looked at.
const LONGEST: usize = 16;

/// The bytes that may stand at each of the first places of a match.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    places: Vec<Bytes>,
    /// What every match has in it, somewhere.
    needed: Vec<u8>,
}

/// The letters and digits of ASCII that every match of a pattern begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstToken {
    /// How many there are at the least.
    pub least: usize,
    /// Whether there are never more: something else follows them.
    pub is_whole: bool,
    /// Up to how many there are where all of them are letters.
    pub letters: usize,
}

impl FirstToken {
    /// Of which nothing is known.
    pub const ANY: Self = Self {
        least: 0,
        is_whole: false,
        letters: usize::MAX,
    };
}

impl Beginning {
    /// What the matches of an expression begin with.
    pub(crate) fn of(nfa: &NFA, hir: &Hir) -> Self {
        let mut places = Vec::new();
        let mut states = vec![nfa.start_anchored()];
        while places.len() < LONGEST {
            let Some((bytes, next)) = step(nfa, states) else {
                break;
            };
            places.push(bytes);
            states = next;
        }
        Self {
            places,
            needed: needed(hir),
        }
    }

    fn has_needed(&self, text: &[u8]) -> bool {
        let Some(first) = self.needed.first() else {
            return true;
        };
        memchr::memchr_iter(*first, text).any(|at| {
            text.get(at..)
                .is_some_and(|rest| rest.starts_with(&self.needed))
        })
    }

    /// Whether a match may start with this byte.
    pub(crate) fn starts_with(&self, byte: u8) -> bool {
        self.places.first().is_none_or(|set| set.has(byte))
    }

    /// What is known of the letters and digits that every match begins with.
    pub(crate) fn token(&self) -> FirstToken {
        let alphanumeric = Bytes::of(u8::is_ascii_alphanumeric);
        let other = Bytes::of(|byte| !byte.is_ascii_alphanumeric());
        let letter = Bytes::of(u8::is_ascii_alphabetic);
        let token = self
            .places
            .iter()
            .take_while(|set| set.is_apart_from(&other));
        let least = token.clone().count();
        FirstToken {
            least,
            is_whole: self
                .places
                .get(least)
                .is_some_and(|next| next.is_apart_from(&alphanumeric)),
            letters: self
                .places
                .iter()
                .position(|set| set.is_apart_from(&letter))
                .unwrap_or(usize::MAX),
        }
    }

    /// Whether a match may start at the start of `text`, which is all that it may have.
    pub(crate) fn fits(&self, text: &[u8]) -> bool {
        text.len() >= self.places.len()
            && self
                .places
                .iter()
                .zip(text)
                .all(|(set, byte)| set.has(*byte))
            && self.has_needed(text)
    }
}

/// The bytes that lead on from these states, and where to; nothing if a match may end here.
fn step(nfa: &NFA, states: Vec<StateID>) -> Option<(Bytes, Vec<StateID>)> {
    let mut seen = vec![false; nfa.states().len()];
    let (mut open, mut bytes, mut next) = (states, Bytes::default(), Vec::new());
    while let Some(id) = open.pop() {
        match seen.get_mut(id.as_usize()) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        match nfa.state(id) {
            State::Match { .. } => return None,
            State::Fail => {}
            State::ByteRange { trans } => {
                bytes.add(trans.start, trans.end);
                next.push(trans.next);
            }
            State::Sparse(sparse) => {
                for trans in &*sparse.transitions {
                    bytes.add(trans.start, trans.end);
                    next.push(trans.next);
                }
            }
            State::Dense(dense) => {
                for byte in 0..=u8::MAX {
                    let to = dense.transitions.get(usize::from(byte)).copied();
                    if let Some(to) = to.filter(|to| *to != StateID::ZERO) {
                        bytes.add(byte, byte);
                        next.push(to);
                    }
                }
            }
            State::Look { next, .. } | State::Capture { next, .. } => open.push(*next),
            State::Union { alternates } => open.extend(alternates.iter().copied()),
            State::BinaryUnion { alt1, alt2 } => open.extend([*alt1, *alt2]),
        }
    }
    next.sort_unstable();
    next.dedup();
    Some((bytes, next))
}

/// The last text that every match has in it: the first places tell more about those before.
fn needed(hir: &Hir) -> Vec<u8> {
    match hir.kind() {
        HirKind::Literal(literal) => literal.0.to_vec(),
        HirKind::Concat(parts) => {
            let mut all = parts.iter().rev().map(needed);
            all.find(|it| !it.is_empty()).unwrap_or_default()
        }
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => needed(&repetition.sub),
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::util::syntax;

    use super::*;
    use crate::Pattern;

    fn beginning(expression: &str) -> Beginning {
        let config = syntax::Config::new().unicode(false).utf8(false);
        let hir = syntax::parse_with(expression, &config).unwrap();
        let nfa = NFA::compiler().build_from_hir(&hir).unwrap();
        Beginning::of(&nfa, &hir)
    }

    #[test]
    fn what_cannot_match_is_told_by_its_first_bytes() {
        let key = beginning("(?:gh[po]|npm)_[A-Za-z0-9]{4,}");
        assert!(key.fits(b"ghp_a1B2") && key.fits(b"npm_a1B2") && key.fits(b"ghm_a1B2"));
        for text in ["ghp-a1B2", "xhp_a1B2", "ghp_a1_2", "ghp_a1B"] {
            assert!(!key.fits(text.as_bytes()), "{text}");
        }
        let url = beginning("https?://[^@ ]{1,9}@[a-z]");
        assert!(url.fits(b"https://ab@c") && !url.fits(b"https://ab/c.example"));
    }

    #[test]
    fn it_is_told_how_long_the_first_word_is() {
        for (expression, least, is_whole, letters) in [
            ("[0-9]{2}-[A-Z]{3}", 2, true, 0),
            ("[0-9]{6,8}[-+][0-9]{4}", 6, false, 0),
            ("[XYZ][0-9]{6,7}-?[A-Z]", 7, false, 1),
            ("[A-C][0-9A-Z](?: ?[0-9]{2})", 2, false, 2),
            ("[0-9]{3}(?: [0-9]{3} |-[0-9]{3}-)[0-9]{4}", 3, true, 0),
            ("\\+27[0-9]", 0, true, 0),
            ("[a-z]+", 1, false, usize::MAX),
        ] {
            let token = FirstToken {
                least,
                is_whole,
                letters,
            };
            assert_eq!(beginning(expression).token(), token, "{expression}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_turned_away_that_matches(text in "(ab|[abc.@_-]|\u{e9}){0,12}") {
            for expression in ["a(?:b|c)+@", "[a-c]{2,3}(?:-|_x)?", "(?i)AB?(c|\\.)", "[^a]b*", "a{0,2}b|c"] {
                let pattern = Pattern::new(expression).unwrap();
                let matched = pattern.matches_at(&text, 0);
                prop_assert!(!matched || beginning(expression).fits(text.as_bytes()), "{}", expression);
            }
        }
    }
}
