//! Where a name and its value stand, on both sides of a sign.

use std::ops::Range;

use super::{NAME, VALUE, is_mark};
use crate::detect::bounds::{before, byte};

/// Where the name ends whose value begins behind a sign; nothing if the sign is another one.
pub(super) fn name_end(bytes: &[u8], at: usize) -> Option<usize> {
    let last = before(bytes, at);
    let next = byte(bytes, at + 1);
    let mut end = match byte(bytes, at) {
        b':' if last != b':' && !matches!(next, b':' | b'/' | b'=') => at,
        b'=' if !matches!(last, b'=' | b'!' | b'<' | b'>' | b'+' | b'-')
            && !matches!(next, b'=' | b'>' | b'~') =>
        {
            at
        }
        b'>' if last == b'=' => at - 1,
        b'>' if last.is_ascii_alphanumeric() || last >= 0x80 => return Some(at),
        _ => return None,
    };
    while b" \"'`*\\_)".contains(&before(bytes, end)) && end > 0 && at - end < 6 {
        end -= 1;
    }
    (end > 0).then_some(end)
}

/// The name that ends here.
pub(super) fn name(text: &str, end: usize) -> Option<&str> {
    let mut from = end.saturating_sub(NAME);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let near = text.get(from..end)?;
    let start = near.rfind(|c: char| !(c.is_alphanumeric() || is_mark(c) || " _-.'".contains(c)));
    let start = start.map_or(0, |at| {
        at + near
            .get(at..)
            .and_then(|it| it.chars().next())
            .map_or(0, char::len_utf8)
    });
    let name = near.get(start..)?;
    Some(name.rsplit('.').next().unwrap_or(name))
}

/// Whether an address of mail follows.
pub(super) fn is_addressed(text: &str, end: usize) -> bool {
    let rest = text.get(end..).unwrap_or_default();
    let rest = rest.trim_start_matches([' ', '"']).strip_prefix('<');
    rest.is_some_and(|rest| {
        rest.bytes()
            .take(80)
            .take_while(|byte| *byte != b'>')
            .any(|byte| byte == b'@')
    })
}

/// The value behind a sign, without what is around it; nothing if there is none in this line.
pub(super) fn value_behind(text: &str, at: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut start = at + 1;
    let is_element = byte(bytes, at) == b'>' && before(bytes, at) != b'=';
    while start - at < 8 && b" *\\`\t".contains(&byte(bytes, start)) {
        start += 1;
    }
    let first = byte(bytes, start);
    let quoted = (first == b'"' || first == b'\'') && !is_element;
    start += usize::from(quoted);
    let rest = bytes.get(start..bytes.len().min(start + VALUE + 1))?;
    let ends = |place: usize, byte: u8| match byte {
        b'\n' => true,
        b'<' if !quoted => true,
        byte if quoted => byte == first && (first == b'"' || rest.get(place + 1) != Some(&b'\'')),
        _ if is_element => false,
        b'{' | b'}' | b'[' | b']' | b'|' | b'\t' | b'"' | b'&' => true,
        // Another name: `name=Anna mail=…`.
        b'=' => true,
        _ => false,
    };
    let length = rest
        .iter()
        .enumerate()
        .find(|(place, byte)| ends(*place, **byte));
    let mut end = start + length.map_or(rest.len(), |(place, _)| place);
    if length.is_none() && end < bytes.len() {
        return None;
    }
    if byte(bytes, end) == b'=' && !quoted {
        let value = text.get(start..end)?;
        end = start + value.rfind(' ')?;
    }
    let value = trimmed(text, start..end);
    (!value.is_empty()).then_some(value)
}

/// A value without blanks and signs around it.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let value = text.get(range.clone()).unwrap_or_default();
    let around = |c: char| c.is_whitespace() || "\"'`*;,".contains(c);
    let start = range.start + (value.len() - value.trim_start_matches(around).len());
    let value = value.trim_matches(around);
    start..start + value.len()
}
