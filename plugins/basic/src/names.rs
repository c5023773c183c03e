//! The names in a text that rules look at the values of.

use std::ops::Range;

use mcp_gateway_scan::assigned::{self, Values};

/// A name that is shorter is sure to be whole, whichever of its words it was read from.
const WHOLE: usize = 48;

/// The names of a text and the values that they may have.
pub(crate) struct Names<'t> {
    text: &'t str,
    assigned: Values<'t>,
    /// The name that was asked for last, its values, and the rules that have seen them.
    place: Range<usize>,
    values: Vec<Range<usize>>,
    seen: Vec<usize>,
}

impl<'t> Names<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        Self {
            text,
            assigned: Values::of(text),
            place: 0..0,
            values: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// The name around a keyword, and those of its values that this rule has not seen.
    pub(crate) fn around(
        &mut self,
        keyword: Range<usize>,
        rule: usize,
    ) -> (&'t str, &[Range<usize>]) {
        let is_same = self.place.start <= keyword.start && keyword.end <= self.place.end;
        let place = match is_same && self.place.len() < WHOLE {
            true => self.place.clone(),
            false => assigned::name(self.text, keyword),
        };
        let name = self.text.get(place.clone()).unwrap_or_default();
        if place != self.place {
            self.values.clear();
            self.seen.clear();
            self.place = place.clone();
            self.read(place);
        }
        if self.seen.contains(&rule) {
            return (name, &[]);
        }
        self.seen.push(rule);
        (name, &self.values)
    }

    fn read(&mut self, place: Range<usize>) {
        self.values.extend(self.assigned.behind(place.end));
        // `<TOKEN>` may be what a secret was replaced by; it names what follows only if it is an element of XML.
        let tag = place
            .start
            .checked_sub(1)
            .and_then(|at| self.text.get(at..place.end + 1));
        if tag.is_some_and(|tag| tag.starts_with('<') && tag.ends_with('>')) {
            self.values.retain(|value| {
                self.text
                    .get(value.end..)
                    .is_some_and(|rest| rest.trim_start().starts_with("</"))
            });
        }
        self.values.extend(self.assigned.before(place.start));
        self.values.extend(self.assigned.below(place));
    }
}

/// The name to whose value the text at `place` belongs, on the same line.
pub(crate) fn name_before(text: &str, place: usize) -> &str {
    let before = text
        .get(..place)
        .unwrap_or_default()
        .trim_end_matches([' ', '"', '\'', '\\']);
    let Some(before) = before.strip_suffix([':', '=']) else {
        return "";
    };
    let before = before.trim_end_matches(['"', '\'', '\\', ' ']);
    let part = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let name = before.trim_end_matches(part).len();
    before
        .get(name..)
        .filter(|name| name.len() <= 64)
        .unwrap_or_default()
}

/// Whether a word in a name is only a part of another: `etSy` of `SetSysctl`.
pub(crate) fn glued(text: &str, word: &Range<usize>) -> bool {
    let byte = |at: Option<usize>| {
        at.and_then(|at| text.as_bytes().get(at))
            .copied()
            .unwrap_or(b' ')
    };
    let first = byte(Some(word.start));
    let before = byte(word.start.checked_sub(1));
    let hump = before.is_ascii_lowercase() && first.is_ascii_uppercase();
    before.is_ascii_alphabetic() && !hump || byte(Some(word.end)).is_ascii_lowercase()
}
