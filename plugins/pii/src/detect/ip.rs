//! Addresses of the internet.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::cue::Cues;
use super::{Hit, before, byte, with_cue};
use crate::entity::Kind;

/// Words that speak of addresses, and those that speak of versions.
const WORDS: &[&str] = &[
    "ip", "ipv4", "address", "host", "addr", "server", "client", "remote",
];
const VERSIONS: &[&str] = &["version", "ver", "release", "build", "==", ">=", "<=", "~="];

pub(super) fn four(text: &str, cues: &Cues<'_>, start: usize, private: bool) -> Option<Hit> {
    let bytes = text.as_bytes();
    let last = before(bytes, start);
    if last.is_ascii_alphanumeric() || b"._-".contains(&last) {
        return None;
    }
    let length = bytes
        .iter()
        .skip(start)
        .take(16)
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .count();
    let mut end = start + length;
    if before(bytes, end) == b'.' {
        end -= 1;
    }
    let next = byte(bytes, end);
    if next.is_ascii_alphanumeric()
        || b"_-".contains(&next) && byte(bytes, end + 1).is_ascii_alphanumeric()
    {
        return None;
    }
    let address: Ipv4Addr = text.get(start..end)?.parse().ok()?;
    if !private && !is_public(address) {
        return None;
    }
    if cues.says(start, VERSIONS) {
        return None;
    }
    let small = address.octets().iter().all(|part| *part < 32);
    let cue = cues.says(start, WORDS);
    Some(Hit {
        entity: Kind::Ip.entity(),
        range: start..end,
        score: with_cue(if small { 0.3 } else { 0.8 }, cue),
        canonical: address.to_string(),
    })
}

/// Whether others can reach it; examples and tests are none.
fn is_public(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        || a >= 224
        || a == 100 && (64..128).contains(&b)
        || a == 198 && (18..20).contains(&b)
        || [
            [8, 8, 8, 8],
            [8, 8, 4, 4],
            [1, 1, 1, 1],
            [1, 0, 0, 1],
            [9, 9, 9, 9],
        ]
        .contains(&address.octets()))
}

pub(super) fn six(text: &str, start: usize, private: bool) -> Option<Hit> {
    let bytes = text.as_bytes();
    let mut from = start;
    while from > 0 && start - from < 2 && before(bytes, from) == b':' {
        from -= 1;
    }
    let last = before(bytes, from);
    if last.is_ascii_alphanumeric() || last == b'_' || last == b':' {
        return None;
    }
    let length = bytes
        .iter()
        .skip(from)
        .take(46)
        .take_while(|byte| byte.is_ascii_hexdigit() || b":.".contains(byte))
        .count();
    let mut end = from + length;
    while end > from && b":.".contains(&before(bytes, end)) && !text.get(from..end)?.ends_with("::")
    {
        end -= 1;
    }
    if byte(bytes, end).is_ascii_alphanumeric() || byte(bytes, end) == b'_' {
        return None;
    }
    let value = text.get(from..end)?;
    let colons = value.bytes().filter(|byte| *byte == b':').count();
    let address: Ipv6Addr = value.parse().ok()?;
    let [first, second, ..] = address.segments();
    let public = (0x2000..0x4000).contains(&first) && !(first == 0x2001 && second == 0xdb8);
    if colons < 2 || !(public || private && (colons >= 3 || first >= 0xfc00)) {
        return None;
    }
    Some(Hit {
        entity: Kind::Ip.entity(),
        range: from..end,
        score: 0.8,
        canonical: address.to_string(),
    })
}
