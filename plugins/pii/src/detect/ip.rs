//! Addresses of the internet.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::bounds::{before, byte, is_word_end, is_word_start};
use super::cue::Cues;
use super::{Hit, Options, Profile};
use crate::entity::Kind;

/// Words that speak of addresses, and those that speak of versions.
const WORDS: &[&str] = &[
    "ip", "ipv4", "address", "host", "addr", "server", "client", "remote",
];
const VERSIONS: &[&str] = &["version", "ver", "release", "build", "==", ">=", "<=", "~="];

pub(super) fn four(text: &str, cues: &Cues<'_>, start: usize, options: &Options) -> Option<Hit> {
    let bytes = text.as_bytes();
    let end = match options.profile {
        Profile::Gateway => quad(text, start)?,
        Profile::Presidio => first_quad(text, start)?,
    };
    let address: Ipv4Addr = text.get(start..end)?.parse().ok()?;
    if !options.private_addresses && !is_public(address) {
        return None;
    }
    let presidio = options.profile == Profile::Presidio;
    if !presidio && cues.says(start, VERSIONS) {
        return None;
    }
    let small = !presidio && address.octets().iter().all(|part| *part < 32);
    let cue = cues.says(start, WORDS);
    let end = if presidio {
        network(bytes, end, 32)
    } else {
        end
    };
    Some(Hit {
        entity: Kind::Ip.entity(),
        range: start..end,
        score: options.profile.with_cue(if small { 0.3 } else { 0.8 }, cue),
        canonical: address.to_string(),
    })
}

/// Where four numbers end that are no part of a longer row of them.
fn quad(text: &str, start: usize) -> Option<usize> {
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
    let goes_on = next.is_ascii_alphanumeric()
        || b"_-".contains(&next) && byte(bytes, end + 1).is_ascii_alphanumeric();
    (!goes_on).then_some(end)
}

/// Where the first four numbers end, whatever follows the last.
fn first_quad(text: &str, start: usize) -> Option<usize> {
    let mut end = start;
    for part in 0..4 {
        let rest = text.as_bytes().get(end..)?;
        let dot = usize::from(part > 0);
        let length = rest
            .iter()
            .skip(dot)
            .take(4)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if dot == 1 && rest.first() != Some(&b'.') || length == 0 {
            return None;
        }
        end += dot + length;
    }
    (is_word_start(text, start) && is_word_end(text, end)).then_some(end)
}

/// Where an address ends with the length of its network: `/24`.
fn network(bytes: &[u8], end: usize, most: usize) -> usize {
    let rest = bytes.get(end..).unwrap_or_default();
    let number = rest
        .iter()
        .skip(1)
        .take(4)
        .take_while(|byte| byte.is_ascii_digit());
    let (length, value) = number.fold((0, 0), |(length, value), byte| {
        (length + 1, value * 10 + usize::from(byte - b'0'))
    });
    let next = byte(bytes, end + 1 + length);
    let fits =
        rest.first() == Some(&b'/') && length > 0 && value <= most && !next.is_ascii_alphanumeric();
    if fits { end + 1 + length } else { end }
}

/// Where an address ends with the name of its network card: `%eth0`.
fn zone(bytes: &[u8], end: usize) -> usize {
    let rest = bytes.get(end..).unwrap_or_default();
    let length = rest
        .iter()
        .skip(1)
        .take(32)
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    if rest.first() == Some(&b'%') && length > 0 {
        end + 1 + length
    } else {
        end
    }
}

/// `::`, which is nobody's, but which Presidio finds.
pub(super) fn nobody(text: &str, hits: &mut Vec<Hit>) {
    let bytes = text.as_bytes();
    for start in memchr::memmem::find_iter(bytes, "::") {
        let end = network(bytes, start + 2, 128);
        if before(bytes, start) != b':'
            && is_word_start(text, start)
            && byte(bytes, end) != b':'
            && is_word_end(text, end)
        {
            hits.push(Hit {
                entity: Kind::Ip.entity(),
                range: start..end,
                score: 0.1,
                canonical: "::".to_owned(),
            });
        }
    }
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

pub(super) fn six(text: &str, start: usize, options: &Options) -> Option<Hit> {
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
    let value = text.get(from..end)?;
    let presidio = options.profile == Profile::Presidio;
    if presidio {
        end = network(bytes, zone(bytes, end), 128);
    }
    if byte(bytes, end).is_ascii_alphanumeric() || byte(bytes, end) == b'_' {
        return None;
    }
    let colons = value.bytes().filter(|byte| *byte == b':').count();
    let address: Ipv6Addr = value.parse().ok()?;
    let [first, second, ..] = address.segments();
    let public = (0x2000..0x4000).contains(&first) && !(first == 0x2001 && second == 0xdb8);
    let long = presidio || colons >= 3 || first >= 0xfc00;
    if colons < 2 || !(public || options.private_addresses && long) {
        return None;
    }
    Some(Hit {
        entity: Kind::Ip.entity(),
        range: from..end,
        score: 0.8,
        canonical: address.to_string(),
    })
}
