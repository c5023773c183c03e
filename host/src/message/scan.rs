//! Walks JSON that is known to be valid, without recursion.
//!
//! On any other text a walk ends early or takes wrong turns, but it does not
//! fail badly.

use std::ops::Range;

use memchr::memchr2;

/// One member of an object or element of an array, as ranges of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Child {
    /// The literal with its quotes. Absent in an array.
    pub(super) key: Option<Range<usize>>,
    pub(super) value: Range<usize>,
}

impl Child {
    /// Where it starts, with its key.
    pub(super) fn start(&self) -> usize {
        self.key.as_ref().unwrap_or(&self.value).start
    }
}

/// The children of one container, in their order.
pub(super) struct Children<'a> {
    json: &'a str,
    at: usize,
    keyed: bool,
}

/// What sort of value stands at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Object,
    Array,
    Scalar,
}

/// The sort of the value that starts at this place.
pub(super) fn sort(json: &str, at: usize) -> Sort {
    match json.as_bytes().get(at) {
        Some(b'{') => Sort::Object,
        Some(b'[') => Sort::Array,
        _ => Sort::Scalar,
    }
}

/// The children of the value that starts at this place; none for a scalar.
pub(super) fn children(json: &str, at: usize) -> Children<'_> {
    let sort = sort(json, at);
    Children {
        json,
        at: if sort == Sort::Scalar {
            json.len()
        } else {
            at + 1
        },
        keyed: sort == Sort::Object,
    }
}

/// The first place at or after this one that is not whitespace.
pub(super) fn skip_space(json: &str, at: usize) -> usize {
    let rest = json.as_bytes().get(at..).unwrap_or_default();
    let space = rest
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    at + space.count()
}

/// The place of the quote that closes the string whose content starts here.
pub(super) fn closing_quote(json: &str, content: usize) -> Option<usize> {
    let mut at = content;
    loop {
        let rest = json.as_bytes().get(at..)?;
        let found = memchr2(b'"', b'\\', rest)?;
        if rest.get(found) == Some(&b'"') {
            return Some(at + found);
        }
        at += found + 2;
    }
}

/// The place after the value that starts at this place.
pub(super) fn value_end(json: &str, at: usize) -> Option<usize> {
    let bytes = json.as_bytes();
    match bytes.get(at)? {
        b'"' => Some(closing_quote(json, at + 1)? + 1),
        b'{' | b'[' => container_end(json, at),
        b'}' | b']' | b',' | b':' => None,
        _ => {
            let ends =
                |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r');
            let length = bytes.get(at..)?.iter().position(ends);
            Some(length.map_or(json.len(), |length| at + length))
        }
    }
}

/// Digits in a row that make a number long.
const LONG: usize = 7;

/// The first long number between two places between which no string is. Since so
/// many digits stand in a row, most bytes need not be looked at.
#[inline]
pub(super) fn long_number(json: &str, between: Range<usize>) -> Option<Range<usize>> {
    let bytes = json.as_bytes();
    let mut at = between.start + (LONG - 1);
    while at < between.end {
        if !bytes.get(at)?.is_ascii_digit() {
            at += LONG;
            continue;
        }
        let (head, tail) = bytes
            .get(between.clone())?
            .split_at_checked(at - between.start)?;
        let before = head.iter().rev().take_while(|byte| is_of_number(byte));
        let start = at - before.count();
        let end = at + tail.iter().take_while(|byte| is_of_number(byte)).count();
        if is_long(json.get(start..end)?) {
            return Some(start..end);
        }
        at = end + LONG;
    }
    None
}

/// Whether a text is a number of JSON that is long: its integer part, or its fraction
/// if an exponent moves the point beyond that.
pub(super) fn is_long_number(text: &str) -> bool {
    let is_number = text.starts_with(|c: char| c == '-' || c.is_ascii_digit())
        && text.ends_with(|c: char| c.is_ascii_digit());
    is_number && is_long(text) && serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok()
}

/// The place after the number that starts at this place.
pub(super) fn number_end(json: &str, at: usize) -> usize {
    let rest = json.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| is_of_number(byte)).count()
}

/// Whether a literal, known to be a number, is long.
pub(super) fn is_long(number: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let unsigned = number.strip_prefix('-').unwrap_or(number);
    let whole = digits(unsigned);
    let fraction = unsigned
        .get(whole..)
        .and_then(|rest| rest.strip_prefix('.'));
    let moved = |fraction: &str| {
        let count = digits(fraction);
        let exponent = fraction
            .get(count..)
            .and_then(|rest| rest.strip_prefix(['e', 'E']));
        count >= LONG && exponent.is_some_and(|exponent| !exponent.starts_with('-'))
    };
    whole >= LONG || fraction.is_some_and(moved)
}

fn is_of_number(byte: &u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E')
}

impl Children<'_> {
    /// The key of the next child and where its value starts. The value has to be
    /// passed before the next step.
    pub(super) fn step(&mut self) -> Option<(Option<Range<usize>>, usize)> {
        let bytes = self.json.as_bytes();
        self.at = skip_space(self.json, self.at);
        if bytes.get(self.at) == Some(&b',') {
            self.at = skip_space(self.json, self.at + 1);
        }
        match (self.keyed, bytes.get(self.at)?) {
            (_, b'}' | b']') => None,
            (false, _) => Some((None, self.at)),
            (true, b'"') => {
                let key = self.at..closing_quote(self.json, self.at + 1)? + 1;
                let colon = skip_space(self.json, key.end);
                Some((Some(key), skip_space(self.json, colon + 1)))
            }
            (true, _) => None,
        }
    }

    /// Goes on after a value that ends at this place.
    pub(super) fn pass(&mut self, end: usize) {
        self.at = end;
    }

    /// The place after the container, once there is no further child.
    pub(super) fn end(&self) -> usize {
        self.at + 1
    }
}

impl Iterator for Children<'_> {
    type Item = Child;

    fn next(&mut self) -> Option<Child> {
        let (key, start) = self.step()?;
        let end = value_end(self.json, start)?;
        self.pass(end);
        Some(Child {
            key,
            value: start..end,
        })
    }
}

/// The place after the bracket that closes the container that starts here.
fn container_end(json: &str, start: usize) -> Option<usize> {
    let bytes = json.as_bytes();
    let mut depth = 0_usize;
    let mut at = start;
    loop {
        match bytes.get(at)? {
            b'"' => at = closing_quote(json, at + 1)?,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
}
