//! Addresses of network cards.

use super::{Hit, before, byte};
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
    let canonical = text.get(start..end)?.to_ascii_lowercase().replace('-', ":");
    let nobody = ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"].contains(&canonical.as_str());
    (!nobody).then(|| Hit {
        entity: Kind::Mac.entity(),
        range: start..end,
        score: 0.8,
        canonical,
    })
}
