//! Searches a text for many keywords at once.

use std::ops::Range;

use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, BuildError};

/// Many keywords, found in one pass over a text. ASCII letters match in either case.
#[derive(Debug)]
pub struct Keywords(DFA);

impl Keywords {
    /// Builds the automaton. The number of a keyword is its place in the list.
    ///
    /// # Errors
    /// There are more keywords than an automaton can hold.
    pub fn new(keywords: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Self, BuildError> {
        DFA::builder()
            // A packed prefilter knows few patterns only; with hundreds it is in the way.
            .prefilter(false)
            .build(lower(keywords))
            .map(Self)
    }

    /// Every keyword of the text and where it stands, ordered by where they end. They may overlap.
    pub fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, Range<usize>)> + 'a {
        find(&self.0, text)
    }
}

/// The same for short texts: an automaton that is a fraction of the size, and not as fast.
#[derive(Debug)]
pub struct Words(NFA);

impl Words {
    /// Builds the automaton. The number of a word is its place in the list.
    ///
    /// # Errors
    /// There are more words than an automaton can hold.
    pub fn new(words: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Self, BuildError> {
        NFA::builder()
            .prefilter(false)
            .build(lower(words))
            .map(Self)
    }

    /// Every word of the text and where it stands, ordered by where they end. They may overlap.
    pub fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, Range<usize>)> + 'a {
        find(&self.0, text)
    }

    /// Whether there is a word in the text.
    pub fn are_in(&self, text: &str) -> bool {
        self.find(text).next().is_some()
    }
}

/// In small letters, as texts are read: an automaton that knew both cases itself would be twice the size.
fn lower(words: impl IntoIterator<Item = impl AsRef<[u8]>>) -> impl Iterator<Item = Vec<u8>> {
    let words = words.into_iter();
    words.map(|word| word.as_ref().to_ascii_lowercase())
}

fn find<'a>(
    automaton: &'a impl Automaton,
    text: &'a str,
) -> impl Iterator<Item = (usize, Range<usize>)> + 'a {
    let mut state = automaton.start_state(Anchored::No).ok();
    let (mut bytes, mut end, mut left) = (text.bytes(), 0, 0);
    std::iter::from_fn(move || {
        let state = state.as_mut()?;
        while left == 0 {
            let byte = bytes.next()?.to_ascii_lowercase();
            *state = automaton.next_state(Anchored::No, *state, byte);
            end += 1;
            if automaton.is_special(*state) && automaton.is_match(*state) {
                left = automaton.match_len(*state);
            }
        }
        left -= 1;
        let keyword = automaton.match_pattern(*state, left);
        Some((
            keyword.as_usize(),
            end - automaton.pattern_len(keyword)..end,
        ))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEYWORDS: [&str; 6] = ["aba", "Bab", "abab", "Xapp-", "a-b", "abc"];

    proptest! {
        #[test]
        fn every_keyword_is_found_where_it_stands(text in "[abcABxp-]{0,40}") {
            let mut expected = Vec::new();
            for start in 0..text.len() {
                for (number, keyword) in KEYWORDS.iter().enumerate() {
                    if text[start..].to_ascii_lowercase().starts_with(&keyword.to_ascii_lowercase()) {
                        expected.push((number, start..start + keyword.len()));
                    }
                }
            }
            expected.sort_unstable_by_key(|(number, range)| (range.start, *number));
            let (keywords, words) = (Keywords::new(KEYWORDS).unwrap(), Words::new(KEYWORDS).unwrap());
            for mut found in [keywords.find(&text).collect::<Vec<_>>(), words.find(&text).collect()] {
                found.sort_unstable_by_key(|(number, range)| (range.start, *number));
                prop_assert_eq!(&found, &expected);
            }
            prop_assert_eq!(words.are_in(&text), !expected.is_empty());
        }
    }
}
