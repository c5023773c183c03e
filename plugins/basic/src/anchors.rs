//! Searches a text for many anchors at once.

use std::ops::Range;

/// The least length of an anchor. A longer one is searched by its first bytes.
pub(crate) const SHORTEST: usize = 3;

/// Many anchors, searched in one pass (the way of Wu and Manber).
///
/// A window of [`SHORTEST`] bytes moves over the text. Its last two bytes tell how far it may jump: as far as no anchor
/// can be missed. Only where it may not, the few anchors with these bytes are compared. Letters match in either case.
#[derive(Debug)]
pub(crate) struct Anchors {
    anchors: Vec<&'static str>,
    /// For each pair of bytes, how far to jump.
    jumps: Vec<u8>,
    /// Pairs of bytes (in lower case) and the anchors whose window ends in them, sorted.
    ends: Vec<(u16, usize)>,
}

impl Anchors {
    /// Builds the tables. The numbers of the anchors are their places in the list.
    pub(crate) fn new(anchors: Vec<&'static str>) -> Self {
        const FARTHEST: u8 = SHORTEST as u8 - 1;
        let mut jumps = vec![FARTHEST; usize::from(u16::MAX) + 1];
        let mut ends = Vec::new();
        for (number, anchor) in anchors.iter().enumerate() {
            let window = anchor.as_bytes().windows(2).take(SHORTEST - 1);
            for (jump, bytes) in (0..FARTHEST).rev().zip(window) {
                let &[first, second] = bytes else { continue };
                for first in [first.to_ascii_lowercase(), first.to_ascii_uppercase()] {
                    for second in [second.to_ascii_lowercase(), second.to_ascii_uppercase()] {
                        if let Some(slot) = jumps.get_mut(usize::from(pair(first, second))) {
                            *slot = jump.min(*slot);
                        }
                    }
                }
                if jump == 0 {
                    ends.push((folded(first, second), number));
                }
            }
        }
        ends.sort_unstable();
        Self {
            anchors,
            jumps,
            ends,
        }
    }

    /// Calls `found` with the number and the place of every anchor, from the left to the right.
    pub(crate) fn search(&self, text: &[u8], mut found: impl FnMut(usize, Range<usize>)) {
        let mut start = 0;
        while let Some(&[_, first, second]) = text.get(start..start + SHORTEST) {
            let jump = self
                .jumps
                .get(usize::from(pair(first, second)))
                .copied()
                .unwrap_or(0);
            if jump > 0 {
                start += usize::from(jump);
                continue;
            }
            let key = folded(first, second);
            let from = self.ends.partition_point(|(end, _)| *end < key);
            let candidates = self.ends.get(from..).unwrap_or_default();
            for &(_, number) in candidates.iter().take_while(|(end, _)| *end == key) {
                let length = self.anchors.get(number).map_or(0, |anchor| anchor.len());
                let here = text.get(start..start + length).unwrap_or_default();
                if self
                    .anchors
                    .get(number)
                    .is_some_and(|a| a.as_bytes().eq_ignore_ascii_case(here))
                {
                    found(number, start..start + length);
                }
            }
            start += 1;
        }
    }
}

fn pair(first: u8, second: u8) -> u16 {
    u16::from_be_bytes([first, second])
}

fn folded(first: u8, second: u8) -> u16 {
    pair(first.to_ascii_lowercase(), second.to_ascii_lowercase())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ANCHORS: [&str; 6] = ["aba", "bab", "abab", "xapp-", "a-b", "abc"];

    proptest! {
        #[test]
        fn every_anchor_is_found_where_it_stands(text in "[abcABxp-]{0,40}") {
            let mut expected = Vec::new();
            for start in 0..text.len() {
                for (number, anchor) in ANCHORS.iter().enumerate() {
                    if text[start..].to_ascii_lowercase().starts_with(anchor) {
                        expected.push((start, number));
                    }
                }
            }
            let mut found = Vec::new();
            Anchors::new(ANCHORS.to_vec()).search(text.as_bytes(), |number, range| {
                assert_eq!(text[range.clone()].to_ascii_lowercase(), ANCHORS[number]);
                found.push((range.start, number));
            });
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
