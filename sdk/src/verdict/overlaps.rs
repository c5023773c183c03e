//! What becomes of findings that overlap.

use std::cmp::Reverse;
use std::ops::Range;

use super::Rule;
use crate::{Finding, Span};

/// A rule's claim on a range of the joined texts, before overlaps are resolved.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) range: Range<usize>,
    pub(super) rule: Rule,
    pub(super) replacement: Option<String>,
}

/// Findings with spans, sorted and free of overlaps, then those that lost their span.
pub(super) fn resolve(masks: Vec<Claim>, marks: Vec<Claim>) -> Vec<Finding> {
    let (masks, mut lost) = merge(masks);
    let (marks, lost_marks) = merge(marks);
    lost.extend(lost_marks);

    let mut kept = Vec::with_capacity(masks.len() + marks.len());
    let mut masks = masks.into_iter().peekable();
    for mark in marks {
        while let Some(before) = masks.next_if(|mask| mask.range.end <= mark.range.start) {
            kept.push(before);
        }
        match masks.peek() {
            Some(mask) if mask.range.start < mark.range.end => lost.push(mark.rule),
            _ => kept.push(mark),
        }
    }
    kept.extend(masks);

    let kept = kept.into_iter().map(|claim| {
        let span = span(&claim.range);
        claim.rule.finding(Some(span), claim.replacement)
    });
    kept.chain(lost.into_iter().map(|rule| rule.finding(None, None)))
        .collect()
}

/// Makes one claim of each run of claims that overlap, and returns the rules of those that were swallowed.
fn merge(mut claims: Vec<Claim>) -> (Vec<Claim>, Vec<Rule>) {
    claims.sort_by_key(|claim| (claim.range.start, Reverse(claim.range.end)));
    let mut merged: Vec<Claim> = Vec::with_capacity(claims.len());
    let mut swallowed = Vec::new();
    // How long the claim was that gave the last merged one its rule: the merged range says no more.
    let mut winner = 0;
    for claim in claims {
        let length = claim.range.len();
        match merged.last_mut() {
            Some(last) if claim.range.start < last.range.end => {
                let end = last.range.end.max(claim.range.end);
                let loser = if length > winner {
                    winner = length;
                    let start = last.range.start;
                    std::mem::replace(
                        last,
                        Claim {
                            range: start..end,
                            ..claim
                        },
                    )
                    .rule
                } else {
                    last.range.end = end;
                    claim.rule
                };
                // The same rule twice on the same place tells a person nothing.
                if loser.id != last.rule.id {
                    swallowed.push(loser);
                }
            }
            _ => {
                winner = length;
                merged.push(claim);
            }
        }
    }
    (merged, swallowed)
}

/// The contract counts bytes in 32 bits, and so does the memory of a component: nothing is cut off there.
fn span(range: &Range<usize>) -> Span {
    let narrow = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
    Span {
        start: narrow(range.start),
        end: narrow(range.end),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn claim((id, range): (&str, Range<usize>)) -> Claim {
        Claim {
            range,
            rule: Rule::new(id),
            replacement: Some(id.to_uppercase()),
        }
    }

    fn check(masks: &[(&str, Range<usize>)], marks: &[(&str, Range<usize>)], expected: &[&str]) {
        let claims = |of: &[(&str, Range<usize>)]| of.iter().cloned().map(claim).collect();
        let found: Vec<String> = resolve(claims(masks), claims(marks))
            .into_iter()
            .map(|finding| match finding.where_ {
                Some(span) => format!("{} {}..{}", finding.rule, span.start, span.end),
                None => finding.rule,
            })
            .collect();
        assert_eq!(found, expected, "masks {masks:?}, marks {marks:?}");
    }

    #[test]
    fn masks_are_sorted() {
        check(&[("b", 5..7), ("a", 0..2)], &[], &["a 0..2", "b 5..7"]);
    }

    #[test]
    fn masks_that_only_touch_stay_apart() {
        check(&[("a", 0..2), ("b", 2..4)], &[], &["a 0..2", "b 2..4"]);
    }

    #[test]
    fn overlapping_masks_become_one_under_the_longest() {
        check(&[("a", 0..4), ("b", 2..9)], &[], &["b 0..9", "a"]);
        check(&[("a", 0..9), ("b", 2..4)], &[], &["a 0..9", "b"]);
    }

    #[test]
    fn among_masks_of_equal_length_the_first_wins() {
        check(&[("b", 2..6), ("a", 0..4)], &[], &["a 0..6", "b"]);
        check(&[("b", 0..4), ("a", 0..4)], &[], &["b 0..4", "a"]);
    }

    #[test]
    fn a_chain_of_overlaps_is_one_mask() {
        check(
            &[("a", 0..3), ("b", 2..5), ("c", 4..9), ("d", 9..10)],
            &[],
            &["c 0..9", "d 9..10", "b", "a"],
        );
    }

    #[test]
    fn the_same_rule_twice_on_one_place_is_one_finding() {
        check(&[("a", 0..3), ("a", 1..5)], &[], &["a 0..5"]);
    }

    #[test]
    fn a_mark_yields_to_a_mask_and_stands_beside_it() {
        check(
            &[("a", 3..6)],
            &[("m", 0..3), ("n", 5..8), ("o", 8..9)],
            &["m 0..3", "a 3..6", "o 8..9", "n"],
        );
    }

    proptest! {
        #[test]
        fn all_that_was_claimed_is_covered_and_nothing_else(
            ranges in prop::collection::vec((0usize..60, 1usize..12), 0..24),
        ) {
            let claims: Vec<Claim> =
                ranges.iter().map(|(start, length)| claim(("r", *start..start + length))).collect();
            let covered = |byte: usize| ranges.iter().any(|(s, l)| (*s..s + l).contains(&byte));
            let findings = resolve(claims, Vec::new());
            let spans: Vec<Span> = findings.iter().filter_map(|finding| finding.where_).collect();
            for pair in spans.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start);
            }
            for byte in 0..80 {
                let masked = spans.iter().any(|s| (s.start..s.end).contains(&(byte as u32)));
                prop_assert_eq!(masked, covered(byte));
            }
        }
    }
}
