//! Stand-ins that have the form of what they stand for, from ranges that are nobody's:
//! `example.invalid` (RFC 2606), 198.18.0.0/15 (RFC 2544), 2001:db8::/32 (RFC 3849),
//! the telephone numbers 555-01xx, payment cards of the test range 4000 00, and IBANs
//! whose bank code begins with zeros or `XXXX`. Check digits are right. For numbers of
//! other kinds there is no such range: theirs begin alike, and only the vault tells.

mod formats;

use std::cmp::Reverse;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::{Range, RangeInclusive};

use crate::base32;

/// The forms that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// An e-mail address.
    Email,
    /// An IP address of either version.
    Ip,
    /// A telephone number.
    Phone,
    /// The number of a payment card.
    Card,
    /// An International Bank Account Number.
    Iban,
    /// A number of any kind.
    Number,
    /// An address of the web.
    Uri,
    /// A universally unique identifier.
    Uuid,
    /// A day, as `1985-10-26`.
    Date,
    /// A moment, as `1985-10-26T01:22:00Z`.
    DateTime,
}

/// What cards of the test range begin with.
const CARD: &str = "400000";

/// How long an IBAN can be.
const IBAN: RangeInclusive<usize> = 15..=34;

/// How much of an IBAN's bank code is nobody's.
const BANK: usize = 4;

/// What numbers begin with. Those of sixteen digits are still exact in a double.
const NUMBER: &str = "999";
const LONG_NUMBER: &str = "899";

const DOMAIN: &str = "@example.invalid";

/// A stand-in for a value, made of random bytes; and what it is known by, however it
/// is spaced. `None` for a value that does not have the form.
pub(crate) fn make(form: Form, value: &str, random: &[u8]) -> Option<(String, String)> {
    let mut random = random.iter().copied().cycle();
    let made = match form {
        Form::Email => {
            let bytes: Vec<u8> = random.take(5).collect();
            format!("u{}{DOMAIN}", base32::encode(&bytes).to_lowercase())
        }
        Form::Ip => {
            let mut byte = || random.next().unwrap_or_default();
            match value.parse().ok()? {
                IpAddr::V4(_) => Ipv4Addr::new(198, 18 | (byte() & 1), byte(), byte()).to_string(),
                IpAddr::V6(_) => {
                    let parts: [u16; 6] =
                        std::array::from_fn(|_| u16::from_be_bytes([byte(), byte()]));
                    let [a, b, c, d, e, f] = parts;
                    Ipv6Addr::new(0x2001, 0xdb8, a, b, c, d, e, f).to_string()
                }
            }
        }
        Form::Phone => {
            let mut digit = |below: u8| random.next().unwrap_or_default() % below;
            // No area code ends in 11, and none has a 9 in its middle.
            let (a, b, c) = (2 + digit(8), digit(9), 2 + digit(8));
            format!("+1-{a}{b}{c}-555-01{}{}", digit(10), digit(10))
        }
        Form::Card => {
            let count = value.bytes().filter(u8::is_ascii_digit).count();
            if !(12..=19).contains(&count) {
                return None;
            }
            let mut digits = CARD.to_owned();
            let more = random.map(|byte| char::from(b'0' + byte % 10));
            digits.extend(more.take(count - CARD.len() - 1));
            digits.push(char::from(b'0' + luhn_check(&digits)?));
            spaced(value, &digits)
        }
        Form::Iban => {
            let compact: String = value.chars().filter(char::is_ascii_alphanumeric).collect();
            let compact = compact.to_ascii_uppercase();
            let (country, old) = (compact.get(..2)?, compact.get(4..)?);
            if !IBAN.contains(&compact.len()) || !country.bytes().all(|c| c.is_ascii_alphabetic()) {
                return None;
            }
            let account = old.bytes().enumerate().map(|(at, old)| {
                let byte = random.next().unwrap_or_default();
                char::from(match old {
                    _ if at < BANK && old.is_ascii_alphabetic() => b'X',
                    _ if at < BANK => b'0',
                    _ if old.is_ascii_alphabetic() => b'A' + byte % 26,
                    _ => b'0' + byte % 10,
                })
            });
            let account: String = account.collect();
            let rest = mod97(&format!("{account}{country}00"))?;
            spaced(value, &format!("{country}{:02}{account}", 98 - rest))
        }
        Form::Number => {
            let count = value.bytes().filter(u8::is_ascii_digit).count();
            let start = if count < 16 { NUMBER } else { LONG_NUMBER };
            let more = random.map(|byte| char::from(b'0' + byte % 10));
            let more = more.take(count.checked_sub(start.len())?);
            let digits: String = start.chars().chain(more).collect();
            // What has a point or an exponent would not be whole any more.
            let is_whole = value
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-');
            if is_whole {
                spaced(value, &digits)
            } else {
                digits
            }
        }
        Form::Uri | Form::Uuid | Form::Date | Form::DateTime => {
            let random: Vec<u8> = random.take(8).collect();
            formats::make(form, &random)?
        }
    };
    let known_by = normal(form, &made)?;
    Some((made, known_by))
}

/// What a surrogate's value is kept under.
pub(crate) fn key(known_by: &str) -> String {
    format!("s/{known_by}")
}

/// Whether a value is from a range that is nobody's, so that nothing has to stand for
/// it.
pub(crate) fn is_one(form: Form, value: &str) -> bool {
    find(value)
        .iter()
        .any(|(range, known_by)| known_by.starts_with(prefix(form)) && range.len() == value.len())
}

/// What a value is known by if it is a number that may stand for another.
pub(crate) fn number(value: &str) -> Option<String> {
    normal(Form::Number, value)
}

/// What may be stand-ins in a text, and what they are known by, from left to right.
pub(crate) fn find(text: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut add = |range: Range<usize>, form| {
        let known_by = text.get(range.clone()).and_then(|text| normal(form, text));
        if let Some(known_by) = known_by {
            found.push((range, known_by));
        }
    };
    // Most texts have none of this, which is told in no time.
    if text.contains('@') {
        for run in runs(text, |c| c.is_ascii_alphanumeric() || "@.-_+%".contains(c)) {
            add(run, Form::Email);
        }
    }
    if ["198.1", "2001:"].iter().any(|start| text.contains(start)) {
        for run in runs(text, |c| c.is_ascii_hexdigit() || ".:".contains(c)) {
            // An address may end a sentence.
            add(trimmed(text, run, |c| c == '.' || c == ':'), Form::Ip);
        }
    }
    formats::find(text, &mut add);
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return found;
    }
    if [NUMBER, LONG_NUMBER]
        .iter()
        .any(|start| text.contains(start))
    {
        for run in runs(text, |c| c.is_ascii_digit() || c == '-') {
            add(trimmed(text, run, |c| c == '-'), Form::Number);
        }
    }
    for run in runs(text, |c| c.is_ascii_digit() || "+-(). ".contains(c)) {
        let run = trimmed(text, run, |c| !c.is_ascii_digit() && c != '+' && c != '(');
        add(run.clone(), Form::Phone);
        add(run, Form::Card);
    }
    for run in runs(text, |c| c.is_ascii_alphanumeric() || c == ' ' || c == '-') {
        for range in ibans(text, run) {
            add(range, Form::Iban);
        }
    }
    // Of those that begin at one place the longest: a part of it may be right as well.
    found.sort_by_key(|(range, _)| (range.start, Reverse(range.end)));
    let mut end = 0;
    found.retain(|(range, _)| {
        let apart = range.start >= end;
        if apart {
            end = range.end;
        }
        apart
    });
    found
}

/// What a stand-in is known by; `None` for what cannot be one.
fn normal(form: Form, text: &str) -> Option<String> {
    let digits = || -> String { text.chars().filter(char::is_ascii_digit).collect() };
    let known_by = match form {
        Form::Email => {
            let text = text.to_ascii_lowercase();
            let local = text.strip_suffix(DOMAIN)?.strip_prefix('u')?;
            (local.len() == 8 && base32::is_one(local)).then_some(text)?
        }
        Form::Ip => match text.parse().ok()? {
            IpAddr::V4(ip) => {
                let [a, b, ..] = ip.octets();
                ((a, b & 0xfe) == (198, 18)).then(|| ip.to_string())?
            }
            IpAddr::V6(ip) => {
                let [a, b, ..] = ip.segments();
                ((a, b) == (0x2001, 0xdb8)).then(|| ip.to_string())?
            }
        },
        Form::Phone => {
            let digits = digits();
            let is_one =
                digits.len() == 11 && digits.starts_with('1') && digits.get(4..9) == Some("55501");
            is_one.then_some(digits)?
        }
        Form::Card => {
            let digits = digits();
            let (front, check) = digits.split_at_checked(digits.len().checked_sub(1)?)?;
            let is_one = digits.starts_with(CARD)
                && luhn_check(front).map(|digit| digit.to_string()).as_deref() == Some(check);
            is_one.then_some(digits)?
        }
        Form::Iban => {
            let compact: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
            let compact = compact.to_ascii_uppercase();
            let account = compact.get(4..).filter(|_| IBAN.contains(&compact.len()))?;
            let rest = mod97(&format!("{account}{}", compact.get(..4)?))?;
            let is_one = rest == 1 && account.bytes().take(BANK).all(is_nobodys);
            is_one.then_some(compact)?
        }
        Form::Number => {
            let is_one = [NUMBER, LONG_NUMBER]
                .iter()
                .any(|start| text.starts_with(start));
            let is_spaced = text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-');
            (is_one && is_spaced).then(digits)?
        }
        Form::Uri | Form::Uuid | Form::Date | Form::DateTime => formats::normal(form, text)?,
    };
    Some(format!("{}{known_by}", prefix(form)))
}

fn prefix(form: Form) -> &'static str {
    match form {
        Form::Email => "email ",
        Form::Ip => "ip ",
        Form::Phone => "phone ",
        Form::Card => "card ",
        Form::Iban => "iban ",
        Form::Number => "number ",
        Form::Uri => "uri ",
        Form::Uuid => "uuid ",
        Form::Date => "date ",
        Form::DateTime => "date-time ",
    }
}

/// Runs of certain characters, each without spaces around it.
fn runs(text: &str, fits: impl Fn(char) -> bool) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), '\0')]) {
        match (start, fits(c)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                runs.push(trimmed(text, from..at, char::is_whitespace));
                start = None;
            }
            _ => {}
        }
    }
    runs
}

fn trimmed(text: &str, range: Range<usize>, away: impl Fn(char) -> bool + Copy) -> Range<usize> {
    let run = text.get(range.clone()).unwrap_or_default();
    let front = run.len() - run.trim_start_matches(away).len();
    let length = run.trim_matches(away).len();
    range.start + front..range.start + front + length
}

/// Where IBANs may be in a run of words.
fn ibans(text: &str, run: Range<usize>) -> Vec<Range<usize>> {
    let words = text.get(run.clone()).unwrap_or_default();
    let mut found = Vec::new();
    let starts = words.match_indices([' ', '-']).map(|(at, _)| at + 1);
    for start in std::iter::once(0).chain(starts) {
        let Some(rest) = words.get(start..) else {
            continue;
        };
        let bytes = rest.as_bytes();
        let looks = bytes
            .get(..2)
            .is_some_and(|c| c.iter().all(u8::is_ascii_alphabetic))
            && bytes
                .get(2..4)
                .is_some_and(|c| c.iter().all(u8::is_ascii_digit));
        let bank = rest.bytes().filter(u8::is_ascii_alphanumeric);
        let mut bank = bank.skip(4).take(BANK);
        if !looks || !bank.all(is_nobodys) {
            continue;
        }
        // It ends where a word ends.
        let ends = rest
            .match_indices([' ', '-'])
            .map(|(at, _)| at)
            .chain([rest.len()]);
        for end in ends.take(12) {
            found.push(run.start + start..run.start + start + end);
        }
    }
    found.retain(|range| normal(Form::Iban, text.get(range.clone()).unwrap_or_default()).is_some());
    found
}

/// Whether a bank code of these is nobody's.
fn is_nobodys(byte: u8) -> bool {
    byte == b'0' || byte.eq_ignore_ascii_case(&b'x')
}

/// Characters in place of the letters and digits of a value; what is between those
/// stays.
fn spaced(value: &str, instead: &str) -> String {
    let mut instead = instead.chars();
    let put = |c: char| match c.is_ascii_alphanumeric() {
        true => instead.next().unwrap_or(c),
        false => c,
    };
    value.chars().map(put).collect()
}

/// The digit that makes these right by the Luhn algorithm.
fn luhn_check(digits: &str) -> Option<u8> {
    let mut sum = 0;
    for (at, digit) in digits.bytes().rev().enumerate() {
        let digit = u32::from(digit.checked_sub(b'0')?);
        let doubled = if at % 2 == 0 { digit * 2 } else { digit };
        sum += doubled / 10 + doubled % 10;
    }
    u8::try_from((10 - sum % 10) % 10).ok()
}

/// The rest modulo 97 of a number whose letters stand for 10 to 35 (ISO 7064).
fn mod97(text: &str) -> Option<u32> {
    text.chars().try_fold(0, |rest, c| {
        let value = c.to_digit(36)?;
        let factor = if value < 10 { 10 } else { 100 };
        Some((rest * factor + value) % 97)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
