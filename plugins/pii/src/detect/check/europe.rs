//! Numbers of Europe.

use super::{digit, is_day, last, letter, luhn, mod11_10, month_day, sum};

pub(super) fn nino(text: &str) -> bool {
    let head = text.get(..2).unwrap_or_default();
    let never = ["BG", "GB", "NK", "KN", "NT", "TN", "ZZ"].contains(&head);
    let letters = head.bytes().enumerate();
    let odd = |(at, byte): (usize, u8)| b"DFIQUV".contains(&byte) || at == 1 && byte == b'O';
    !never && !letters.into_iter().any(odd) && text.ends_with(['A', 'B', 'C', 'D'])
}

pub(super) fn nie(text: &str) -> bool {
    let first = match text.bytes().next() {
        Some(b'X') => '0',
        Some(b'Y') => '1',
        Some(b'Z') => '2',
        _ => return false,
    };
    let rest = text.get(1..).unwrap_or_default();
    letter(&format!("{first}{rest}"), "TRWAGMYFPDXBNJZSQVHLCKE", 23)
}

pub(super) fn nir(text: &str) -> bool {
    let number = text
        .get(..13)
        .unwrap_or_default()
        .replace("2A", "19")
        .replace("2B", "18");
    let key = text.get(13..).and_then(|it| it.parse::<u64>().ok());
    let number = number.parse::<u64>().ok();
    let month = text
        .get(3..5)
        .and_then(|it| it.parse::<u8>().ok())
        .unwrap_or_default();
    text.starts_with(['1', '2'])
        && matches!(month, 1..=12 | 20..=42 | 50..=99)
        && number
            .zip(key)
            .is_some_and(|(number, key)| 97 - number % 97 == key)
}

pub(super) fn codice_fiscale(text: &str) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let value = |(at, byte): (usize, u8)| {
        let place = if byte.is_ascii_digit() {
            byte - b'0'
        } else {
            byte.wrapping_sub(b'A')
        };
        match at % 2 {
            0 => ODD.get(usize::from(place)).copied().unwrap_or_default(),
            _ => u32::from(place),
        }
    };
    let all: u32 = text.bytes().take(15).enumerate().map(value).sum();
    text.bytes().last().map(u32::from) == Some(all % 26 + u32::from(b'A'))
}

pub(super) fn tr(text: &str) -> bool {
    let odd = sum(text, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = sum(text, &[0, 1, 0, 1, 0, 1, 0, 1]);
    let tenth = (odd * 7 - even).rem_euclid(10);
    !text.starts_with('0')
        && digit(text, 9) == tenth
        && digit(text, 10) == (odd + even + tenth) % 10
}

pub(super) fn hetu(text: &str) -> bool {
    let end = text.len().saturating_sub(4);
    let number = format!(
        "{}{}",
        text.get(..6).unwrap_or_default(),
        text.get(end..end + 3).unwrap_or_default()
    );
    let century = match text.as_bytes().get(6) {
        Some(b'A'..=b'F') => "20",
        _ => "19",
    };
    let part = |range| text.get(range).unwrap_or_default();
    if !is_day(&format!(
        "{century}{}{}{}",
        part(4..6),
        part(2..4),
        part(0..2)
    )) {
        return false;
    }
    let wanted = number
        .parse::<usize>()
        .ok()
        .and_then(|it| b"0123456789ABCDEFHJKLMNPRSTUVWXY".get(it % 31));
    wanted.is_some() && text.as_bytes().last() == wanted
}

/// A company of Spain: a letter, seven digits, and a check that is a digit or a letter.
pub(super) fn cif(text: &str) -> bool {
    let number = text.get(1..8).unwrap_or_default();
    let even = sum(number, &[0, 1, 0, 1, 0, 1, 0]);
    let doubled = |at| {
        let twice = 2 * digit(number, at);
        twice / 10 + twice % 10
    };
    let all = even + [0, 2, 4, 6].into_iter().map(doubled).sum::<i64>();
    let wanted = (10 - all % 10) % 10;
    let letter = usize::try_from(wanted)
        .ok()
        .and_then(|at| b"JABCDEFGHI".get(at));
    let end = text.as_bytes().get(8);
    text.starts_with(|first| "ABCDEFGHJNPQRSUVW".contains(first))
        && (digit(text, 8) == wanted || end == letter)
}

/// Ten digits: what tells a company from a person is the third.
pub(super) fn orgnr(text: &str) -> bool {
    text.len() == 10 && digit(text, 2) >= 2 && luhn(text)
}

pub(super) fn personnummer(text: &str) -> bool {
    let Some(number) = text.len().checked_sub(10).and_then(|at| text.get(at..)) else {
        return false;
    };
    // Who has no number of their own yet has a day that is 60 more.
    let day = sum(number, &[0, 0, 0, 0, 10, 1]);
    let day = if day > 60 { day - 60 } else { day };
    month_day(
        number
            .get(2..4)
            .map(|month| format!("{month}{day:02}"))
            .as_deref(),
    ) && luhn(number)
}

/// The name is filled up with nines, and is not all of them.
pub(super) fn uk_licence(text: &str) -> bool {
    let name = text.get(..5).unwrap_or_default().trim_end_matches('9');
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Of the newest kind, two digits tell the half-year.
pub(super) fn uk_plate(text: &str) -> bool {
    let letters = |range| {
        text.get(range)
            .is_some_and(|it: &str| it.bytes().all(|b| b.is_ascii_alphabetic()))
    };
    let current = text.len() == 7 && letters(0..2) && letters(4..7);
    !current || matches!(sum(text, &[0, 0, 10, 1]), 2..=29 | 51..=79)
}

/// A number of a document whose digits and letters weigh seven, three and one.
pub(super) fn icao(text: &str) -> bool {
    let value = |byte: u8| i64::from(char::from(byte).to_digit(36).unwrap_or_default());
    let end = text.len().saturating_sub(1);
    let weights = [7, 3, 1].into_iter().cycle();
    let all: i64 = text
        .bytes()
        .take(end)
        .zip(weights)
        .map(|(byte, weight)| value(byte) * weight)
        .sum();
    last(text) == Some(all % 10)
}

/// The kind before 2010 has no check digit.
pub(super) fn de_id(text: &str) -> bool {
    let old = text
        .strip_prefix('T')
        .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    old || icao(text)
}

/// A letter, counted as two digits, and the sum of the digits of each weighted one.
pub(super) fn kvnr(text: &str) -> bool {
    let number = format!("{}{}", place(text, 0), text.get(1..9).unwrap_or_default());
    crossed(&number, &[1, 2, 1, 2, 1, 2, 1, 2, 1, 2]) % 10 == digit(text, 9)
}

pub(super) fn rvnr(text: &str) -> bool {
    let part = |range| text.get(range).unwrap_or_default();
    let day = sum(part(2..4), &[10, 1]);
    let month = sum(part(4..6), &[10, 1]);
    let number = format!("{}{}{}", part(0..8), place(text, 8), part(9..11));
    // Who was born on a day that is used up has one that is 50 more.
    matches!(day, 1..=31 | 51..=81)
        && (1..=12).contains(&month)
        && crossed(&number, &[2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]) % 10 == digit(text, 11)
}

/// The place of a letter in the alphabet, in two digits.
fn place(text: &str, at: usize) -> String {
    let letter = text.as_bytes().get(at).copied().unwrap_or_default();
    format!("{:02}", letter.wrapping_sub(b'A').wrapping_add(1))
}

/// The digits, each times its weight, of which only the digits count.
fn crossed(text: &str, weights: &[i64]) -> i64 {
    let products = weights
        .iter()
        .enumerate()
        .map(|(at, weight)| weight * digit(text, at));
    products.map(|product| product / 10 + product % 10).sum()
}

pub(super) fn lanr(text: &str) -> bool {
    (10 - sum(text, &[4, 9, 4, 9, 4, 9]) % 10) % 10 == digit(text, 6)
}

/// Of the first ten digits none is there more than three times.
pub(super) fn de_tax(text: &str) -> bool {
    let first = text.get(..10).unwrap_or_default();
    let often = |digit: u8| first.bytes().filter(|it| *it == digit).count() > 3;
    !text.starts_with('0') && !first.bytes().any(often) && mod11_10(text)
}
