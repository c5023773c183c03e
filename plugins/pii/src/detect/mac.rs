//! Addresses of network cards.

use super::Hit;
use super::bounds::{before, byte};
use crate::entity::Kind;

pub(super) fn find(text: &str, start: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    let separator = byte(bytes, start + 2);
    let around = |at: u8| at.is_ascii_alphanumeric() || at == b'_' || at == separator;
    let end = start + 17;
    if around(before(bytes, start)) || around(byte(bytes, end)) {
        return None;
    }
    let all = bytes.get(start..end)?;
    let fits = |(at, byte): (usize, &u8)| match at % 3 {
        2 => *byte == separator,
        _ => byte.is_ascii_hexdigit(),
    };
    if !all.iter().enumerate().all(fits) {
        return None;
    }
    hit(text, start, end)
}

/// Three groups of four digits with dots between them, as Cisco writes it.
pub(super) fn dotted(text: &str, start: usize) -> Option<Hit> {
    let bytes = text.as_bytes();
    let around = |at: u8| at.is_ascii_alphanumeric() || at == b'_' || at == b'.';
    let end = start + 14;
    let next = byte(bytes, end);
    let over = !around(next) || next == b'.' && !byte(bytes, end + 1).is_ascii_alphanumeric();
    if around(before(bytes, start)) || !over {
        return None;
    }
    let fits = |(at, byte): (usize, &u8)| match at % 5 {
        4 => *byte == b'.',
        _ => byte.is_ascii_hexdigit(),
    };
    bytes
        .get(start..end)?
        .iter()
        .enumerate()
        .all(fits)
        .then(|| hit(text, start, end))?
}

fn hit(text: &str, start: usize, end: usize) -> Option<Hit> {
    let canonical = text.get(start..end)?.to_ascii_lowercase();
    let digits: Vec<char> = canonical.chars().filter(char::is_ascii_hexdigit).collect();
    let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect()).collect();
    let canonical = pairs.join(":");
    let nobody = ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"].contains(&canonical.as_str());
    (!nobody).then(|| Hit {
        entity: Kind::Mac.entity(),
        range: start..end,
        score: 0.8,
        canonical,
    })
}
