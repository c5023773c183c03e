//! Searches a text for many keywords at once.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, Input, MatchKind};

/// Many keywords, found in one pass over a text. ASCII letters match in either case.
#[derive(Debug)]
pub struct Keywords(AhoCorasick);

impl Keywords {
    /// Builds the automaton. The number of a keyword is its place in the list.
    ///
    /// # Errors
    /// There are more keywords than an automaton can hold.
    pub fn new(keywords: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Self, BuildError> {
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            // A packed prefilter knows few patterns only; with hundreds it is in the way.
            .prefilter(false)
            .build(keywords)
            .map(Self)
    }

    /// Every keyword of the text and where it stands, ordered by where they end. They may overlap.
    pub fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = (usize, Range<usize>)> + 'a {
        let found = self.0.try_find_overlapping_iter(Input::new(text));
        found
            .into_iter()
            .flatten()
            .map(|found| (found.pattern().as_usize(), found.range()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEYWORDS: [&str; 6] = ["aba", "bab", "abab", "xapp-", "a-b", "abc"];

    proptest! {
        #[test]
        fn every_keyword_is_found_where_it_stands(text in "[abcABxp-]{0,40}") {
            let mut expected = Vec::new();
            for start in 0..text.len() {
                for (number, keyword) in KEYWORDS.iter().enumerate() {
                    if text[start..].to_ascii_lowercase().starts_with(keyword) {
                        expected.push((number, start..start + keyword.len()));
                    }
                }
            }
            let keywords = Keywords::new(KEYWORDS).unwrap();
            let mut found: Vec<_> = keywords.find(&text).collect();
            found.sort_unstable_by_key(|(number, range)| (range.start, *number));
            expected.sort_unstable_by_key(|(number, range)| (range.start, *number));
            prop_assert_eq!(found, expected);
        }
    }
}
