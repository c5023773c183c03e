//! Searches a text for many keywords at once.

use std::ops::Range;

use aho_corasick::automaton::Automaton;
use aho_corasick::dfa::DFA;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, BuildError};

/// Many keywords, found in one pass over a text. ASCII letters match in either case.
#[derive(Debug)]
pub struct Keywords {
    ascii: DFA,
    /// Those with other characters: their many bytes would make the table of the first one twice as wide.
    others: DFA,
    /// The number of each keyword of either in the list.
    numbers: [Vec<usize>; 2],
    /// The bytes of the longest of the others.
    reach: usize,
}

impl Keywords {
    /// Builds the automaton. The number of a keyword is its place in the list.
    ///
    /// # Errors
    /// There are more keywords than an automaton can hold.
    pub fn new(keywords: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Self, BuildError> {
        let all = lower(keywords).enumerate();
        let (ascii, others): (Vec<_>, Vec<_>) = all.partition(|(_, keyword)| keyword.is_ascii());
        let words =
            |of: &[(usize, Vec<u8>)]| of.iter().map(|(_, word)| word.clone()).collect::<Vec<_>>();
        let numbers = |of: &[(usize, Vec<u8>)]| of.iter().map(|(number, _)| *number).collect();
        let reach = others.iter().map(|(_, word)| word.len()).max();
        Ok(Self {
            reach: reach.unwrap_or_default(),
            // A packed prefilter knows few patterns only; with hundreds it is in the way.
            ascii: DFA::builder().prefilter(false).build(words(&ascii))?,
            others: DFA::builder().prefilter(false).build(words(&others))?,
            numbers: [numbers(&ascii), numbers(&others)],
        })
    }

    /// Every keyword of the text and where it stands, ordered by where they end. They may overlap.
    pub fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, Range<usize>)> + 'a {
        let bytes = text.as_bytes();
        let [ascii, others] = &self.numbers;
        let number = |of: &'a [usize]| {
            move |(found, range): (usize, Range<usize>)| Some((*of.get(found)?, range))
        };
        let whole = if ascii.is_empty() { 0 } else { bytes.len() };
        let ascii = find(&self.ascii, bytes, 0..whole).filter_map(number(ascii));
        let mut ascii = ascii.peekable();
        let places = (!others.is_empty()).then(|| foreign(bytes, self.reach));
        let found = places.into_iter().flatten();
        let found = found.flat_map(|range| find(&self.others, bytes, range));
        let mut others = found.filter_map(number(others)).peekable();
        std::iter::from_fn(move || {
            let end = others.peek().map(|(_, range)| range.end);
            let is_first = end.is_some_and(|end| ascii.peek().is_none_or(|(_, it)| end < it.end));
            if is_first {
                others.next()
            } else {
                ascii.next()
            }
        })
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
        find(&self.0, text.as_bytes(), 0..text.len())
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
    text: &'a [u8],
    range: Range<usize>,
) -> impl Iterator<Item = (usize, Range<usize>)> + 'a {
    let mut state = automaton.start_state(Anchored::No).ok();
    let (mut end, mut left) = (range.start, 0);
    let mut bytes = text.get(range).unwrap_or_default().iter();
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

/// The parts of a text that are no further than `reach` from a byte that is not ASCII.
fn foreign(text: &[u8], reach: usize) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = next_foreign(text, at)?;
        let start = first.saturating_sub(reach).max(at);
        let mut end = first + 1;
        while let Some(next) = next_foreign(text.get(..text.len().min(end + 2 * reach))?, end) {
            end = next + 1;
        }
        at = text.len().min(end + reach);
        Some(start..at)
    })
}

fn next_foreign(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    // Many at a time.
    while text.get(at..at + 32).is_some_and(<[u8]>::is_ascii) {
        at += 32;
    }
    let rest = text.get(at..)?;
    rest.iter()
        .position(|byte| !byte.is_ascii())
        .map(|found| at + found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEYWORDS: [&str; 8] = ["aba", "Bab", "éa", "abab", "Xapp-", "a-b", "bé", "abc"];

    proptest! {
        #[test]
        fn every_keyword_is_found_where_it_stands(text in "[abcABxpé-]{0,40}") {
            let mut expected = Vec::new();
            for start in 0..text.len() {
                for (number, keyword) in KEYWORDS.iter().enumerate() {
                    if text.is_char_boundary(start) && text[start..].to_ascii_lowercase().starts_with(&keyword.to_ascii_lowercase()) {
                        expected.push((number, start..start + keyword.len()));
                    }
                }
            }
            expected.sort_unstable_by_key(|(number, range)| (range.start, *number));
            let (keywords, words) = (Keywords::new(KEYWORDS).unwrap(), Words::new(KEYWORDS).unwrap());
            prop_assert!(keywords.find(&text).map(|(_, range)| range.end).is_sorted());
            for mut found in [keywords.find(&text).collect::<Vec<_>>(), words.find(&text).collect()] {
                found.sort_unstable_by_key(|(number, range)| (range.start, *number));
                prop_assert_eq!(&found, &expected);
            }
            prop_assert_eq!(words.are_in(&text), !expected.is_empty());
        }
    }
}
