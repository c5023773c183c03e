//! What a secret looks like around the anchor that announces it.

use std::ops::Range;

use crate::class::Class;

/// The shape of a secret. It is read once and without backtracking: each part takes all that it can.
#[derive(Debug)]
pub(crate) struct Shape {
    /// What announces the secret: one of these, in any case of letters. At least `anchors::SHORTEST` bytes, and rare in
    /// ordinary text.
    pub(crate) anchors: &'static [&'static str],
    /// Whether the anchor's letters must be in the case given.
    pub(crate) case: Case,
    /// What stands before the anchor, in reading order, and belongs to the secret.
    pub(crate) head: &'static [Part],
    /// What follows the anchor and belongs to the secret.
    pub(crate) tail: &'static [Part],
    /// What must not precede the secret.
    pub(crate) not_before: Class,
    /// What must not follow it.
    pub(crate) not_after: Class,
}

/// How an anchor's letters are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// As they are.
    Exact,
    /// Upper and lower case are the same.
    Any,
}

/// A part of a shape.
#[derive(Debug)]
pub(crate) enum Part {
    /// These very bytes.
    Text(&'static str),
    /// Characters of a class: at least and at most so many, as many as there are.
    Run(Class, usize, usize),
    /// A run whose last character is of the second class: a token may hold full stops, but one that ends in a full stop
    /// ends a sentence.
    Trimmed(Class, Class, usize, usize),
    /// These parts.
    All(&'static [Part]),
    /// These parts, or nothing.
    Maybe(&'static [Part]),
}

/// No upper limit. Such a run must not be able to hold an anchor that passes `not_before`, or many anchors in one long
/// run would each read all of it: quadratic time.
pub(crate) const ANY: usize = usize::MAX;

impl Shape {
    /// The secret around the anchor at `anchor`, if there is one.
    pub(crate) fn find(&self, text: &[u8], anchor: Range<usize>) -> Option<Range<usize>> {
        let before = read_back(self.head, text.get(..anchor.start)?)?;
        // Asked first: an anchor inside a run of its own characters must not cost a reading of the run.
        if follows(before, self.not_before) {
            return None;
        }
        let after = read(self.tail, text.get(anchor.end..)?)?;
        let bounded = !after
            .first()
            .is_some_and(|byte| self.not_after.contains(*byte));
        bounded.then(|| before.len()..text.len() - after.len())
    }
}

/// Reads parts off the front of a text; the rest of the text, if they are there.
fn read<'a>(parts: &[Part], text: &'a [u8]) -> Option<&'a [u8]> {
    parts.iter().try_fold(text, |right, part| part.after(right))
}

/// Reads parts off the end of a text; the rest of the text, if they are there.
fn read_back<'a>(parts: &[Part], text: &'a [u8]) -> Option<&'a [u8]> {
    parts
        .iter()
        .rev()
        .try_fold(text, |left, part| part.before(left))
}

impl Part {
    fn after<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Text(literal) => text.strip_prefix(literal.as_bytes()),
            Self::Run(class, least, most) => {
                let length = text
                    .iter()
                    .take(*most)
                    .take_while(|byte| class.contains(**byte))
                    .count();
                text.get(length..).filter(|_| length >= *least)
            }
            Self::Trimmed(class, last, least, most) => {
                let length = text
                    .iter()
                    .take(*most)
                    .take_while(|byte| class.contains(**byte))
                    .count();
                let run = text.get(..length)?;
                let length = run.iter().rposition(|byte| last.contains(*byte))? + 1;
                text.get(length..).filter(|_| length >= *least)
            }
            Self::All(parts) => read(parts, text),
            Self::Maybe(parts) => Some(read(parts, text).unwrap_or(text)),
        }
    }

    fn before<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Text(literal) => text.strip_suffix(literal.as_bytes()),
            Self::Run(class, least, most) | Self::Trimmed(class, _, least, most) => {
                let run = text
                    .iter()
                    .rev()
                    .take(*most)
                    .take_while(|byte| class.contains(**byte));
                let length = run.count();
                text.get(..text.len() - length).filter(|_| length >= *least)
            }
            Self::All(parts) => read_back(parts, text),
            Self::Maybe(parts) => Some(read_back(parts, text).unwrap_or(text)),
        }
    }
}

/// Whether the text ends in a character of the class, which is not the end of an escape sequence.
fn follows(text: &[u8], class: Class) -> bool {
    text.last().is_some_and(|byte| class.contains(*byte)) && !ends_in_escape(text)
}

/// Whether the text ends in `\n`, `\u0022`, `%3D` or a terminal's colour: the last letter is then no neighbour.
///
/// JSON in a JSON string, forms, and logs bring secrets that stand right behind one of these.
fn ends_in_escape(text: &[u8]) -> bool {
    match text {
        [.., b'\\', b'u', a, b, c, d] => [a, b, c, d].iter().all(|hex| hex.is_ascii_hexdigit()),
        [.., b'\\', b'n' | b'r' | b't' | b'f' | b'b'] => true,
        [.., b'%', a, b] => a.is_ascii_hexdigit() && b.is_ascii_hexdigit(),
        [before @ .., b'm'] => {
            let tail = before
                .get(before.len().saturating_sub(16)..)
                .unwrap_or(before);
            let mut codes = tail.rsplitn(2, |byte| *byte == b'[');
            codes
                .next()
                .is_some_and(|c| c.iter().all(|b| b.is_ascii_digit() || *b == b';'))
                && codes
                    .next()
                    .is_some_and(|start| start.last() == Some(&0x1b))
        }
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_is_no_neighbour() {
        for text in [
            "\\n",
            "x\\u003d",
            "a%3D",
            "%2f",
            "\u{1b}[31m",
            "\u{1b}[0;1m",
            "\u{1b}[m",
        ] {
            assert!(ends_in_escape(text.as_bytes()), "{text:?}");
        }
        for text in [
            "",
            "n",
            "m",
            "[31m",
            "\\un",
            "%zz",
            "3D",
            "1m",
            "\u{1b}[x1m",
        ] {
            assert!(!ends_in_escape(text.as_bytes()), "{text:?}");
        }
    }
}
