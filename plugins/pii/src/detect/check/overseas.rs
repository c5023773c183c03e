//! Numbers of America and Africa.

use super::{digit, is_day, luhn, same, sum};

pub(super) fn ssn(text: &str) -> bool {
    let part = |range| text.get(range).unwrap_or_default();
    let never =
        ["078051120", "123456789", "219099999"].contains(&text) || text.starts_with("98765432");
    !(never
        || same(text)
        || ["000", "666"].contains(&part(0..3))
        || part(3..5) == "00"
        || part(5..9) == "0000")
}

pub(super) fn itin(text: &str) -> bool {
    let group = text
        .get(3..5)
        .and_then(|it| it.parse::<u8>().ok())
        .unwrap_or_default();
    text.starts_with('9') && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

pub(super) fn dea(text: &str) -> bool {
    let number = text.get(2..).unwrap_or_default();
    let kind = text.bytes().next().unwrap_or_default();
    b"ABCDEFGHJKLMPRSTUX".contains(&kind)
        && sum(number, &[1, 2, 1, 2, 1, 2]) % 10 == digit(number, 6)
}

pub(super) fn npi(text: &str) -> bool {
    let body = text.get(..text.len().saturating_sub(1)).unwrap_or_default();
    text.starts_with(['1', '2']) && !same(body) && luhn(&format!("80840{text}"))
}

/// A day of birth, whether a citizen, an eight or a nine, and a check digit.
pub(super) fn za(text: &str) -> bool {
    let date = |century: &str| {
        text.get(..6)
            .is_some_and(|it| is_day(&format!("{century}{it}")))
    };
    (date("19") || date("20"))
        && matches!(digit(text, 10), 0..=2)
        && matches!(digit(text, 11), 8..=9)
        && luhn(text)
}

pub(super) fn za_licence(text: &str) -> bool {
    (10..=14).contains(&text.len()) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}
