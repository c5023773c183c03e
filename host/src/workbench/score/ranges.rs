//! Ranges of bytes of a text, and what they have in common.

use std::ops::Range;

/// Whether two have a byte in common.
pub(super) fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// Ranges without overlaps, in order.
pub(super) fn merged(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut sorted: Vec<_> = ranges.filter(|range| !range.is_empty()).collect();
    sorted.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// What two lists of merged ranges have in common.
pub(super) fn common(one: &[Range<usize>], other: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut shared = Vec::new();
    let (mut ones, mut others) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(a), Some(b)) = (ones.peek(), others.peek()) {
        let range = a.start.max(b.start)..a.end.min(b.end);
        if !range.is_empty() {
            shared.push(range);
        }
        if a.end <= b.end {
            ones.next()
        } else {
            others.next()
        };
    }
    shared
}

/// The characters in ranges of a text.
pub(super) fn length(text: &str, ranges: &[Range<usize>]) -> usize {
    let parts = ranges.iter().filter_map(|range| text.get(range.clone()));
    parts.map(|part| part.chars().count()).sum()
}
