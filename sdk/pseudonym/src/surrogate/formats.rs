//! Forms that schemas demand: addresses of the web below `example.invalid`, UUIDs of version 8 that begin with zeros, and
//! days of the seventeenth century.

use std::ops::Range;

use super::{Form, runs, trimmed};
use crate::base32;

const HOST: &str = ".example.invalid";
const UUID: &str = "00000000-0000-8000-8";
const CENTURY: &str = "16";

/// How long a UUID is, and a day, and where in a day its parts begin.
const UUID_LENGTH: usize = 36;
const DAY: usize = 10;

/// A stand-in of one of these forms.
pub(super) fn make(form: Form, random: &[u8]) -> Option<String> {
    let below = |at: usize, most: u8| random.get(at).map(|byte| byte % most);
    let day = || {
        let (year, month, day) = (below(0, 100)?, below(1, 12)? + 1, below(2, 28)? + 1);
        Some(format!("{CENTURY}{year:02}-{month:02}-{day:02}"))
    };
    match form {
        Form::Uri => {
            let name = base32::encode(random.get(..5)?).to_lowercase();
            Some(format!("https://u{name}{HOST}/"))
        }
        Form::Uuid => {
            let hex = random.get(..8)?.iter().map(|byte| format!("{byte:02x}"));
            let hex: String = hex.collect();
            Some(format!("{UUID}{}-{}", hex.get(..3)?, hex.get(3..15)?))
        }
        Form::Date => day(),
        Form::DateTime => {
            let (hour, minute, second) = (below(3, 24)?, below(4, 60)?, below(5, 60)?);
            Some(format!("{}T{hour:02}:{minute:02}:{second:02}Z", day()?))
        }
        _ => None,
    }
}

/// What one of these forms is known by.
pub(super) fn normal(form: Form, text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let is_one = match form {
        Form::Uri => {
            let name = lower.strip_prefix("https://u");
            let name = name.and_then(|rest| rest.trim_end_matches('/').strip_suffix(HOST));
            return name.filter(|name| base32::is_one(name)).map(str::to_owned);
        }
        Form::Uuid => lower.len() == UUID_LENGTH && lower.starts_with(UUID),
        Form::Date => is_day(&lower),
        Form::DateTime => lower.get(..DAY).is_some_and(is_day) && lower.len() == DAY * 2,
        _ => false,
    };
    is_one.then_some(lower)
}

/// Calls `add` with what may be of these forms.
pub(super) fn find(text: &str, mut add: impl FnMut(Range<usize>, Form)) {
    if text.contains(HOST) {
        let in_address = |c: char| c.is_ascii_alphanumeric() || ":/.-".contains(c);
        for run in runs(text, in_address) {
            add(trimmed(text, run, |c| c == '.' || c == ':'), Form::Uri);
        }
    }
    let in_code = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == ':';
    if [UUID, CENTURY].iter().any(|start| text.contains(start)) {
        for run in runs(text, in_code) {
            for form in [Form::Uuid, Form::Date, Form::DateTime] {
                add(run.clone(), form);
            }
        }
    }
}

fn is_day(text: &str) -> bool {
    let form = text.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    text.len() == DAY && text.starts_with(CENTURY) && form
}
