//! Documents as nobody would write them, and a slow way to read their strings.

use std::collections::HashSet;
use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;

/// A character of a string or an escape: what it says and how it is written.
pub(super) struct Unit {
    pub(super) says: char,
    pub(super) written: String,
}

/// Any document, with repeated keys too.
pub(super) fn document() -> impl Strategy<Value = String> {
    nested(string(), string(), false)
}

/// A document without repeated keys.
pub(super) fn unique_document() -> impl Strategy<Value = String> {
    nested(string(), string(), true)
}

/// A document that every parser reads alike: for comparison with a model.
pub(super) fn ordinary_document() -> impl Strategy<Value = String> {
    let plain = "\"[a-c~/]{0,2}\"".prop_map(String::from);
    nested(plain.clone(), plain, true)
}

/// Whether a text stands there without quotes.
pub(super) fn is_number(json: &str, text: &Range<usize>) -> bool {
    !json[..text.start].ends_with('"')
}

/// Where the contents of the strings, without their quotes, and the long numbers stand.
pub(super) fn texts(json: &str) -> Vec<Range<usize>> {
    let mut strings = Vec::new();
    let mut open = None;
    let mut number = None;
    let mut chars = json.char_indices();
    while let Some((at, c)) = chars.next() {
        let is_of_number = open.is_none() && "+-.eE0123456789".contains(c);
        match number {
            None if is_of_number => number = Some(at),
            Some(start) if !is_of_number => {
                let long = is_long(&json[start..at]);
                strings.extend(long.then_some(start..at));
                number = None;
            }
            _ => {}
        }
        match (c, open) {
            ('"', None) => open = Some(at + 1),
            ('"', Some(start)) => {
                strings.push(start..at);
                open = None;
            }
            ('\\', Some(_)) => drop(chars.next()),
            _ => {}
        }
    }
    let last = number.map(|start| start..json.len());
    strings.extend(last.filter(|last| is_long(&json[last.clone()])));
    strings
}

/// Whether at least seven digits of a number stand before its point, or behind it with
/// an exponent that is not negative.
pub(super) fn is_long(number: &str) -> bool {
    let (digits, exponent) = match number.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent)),
        None => (number, None),
    };
    let digits = digits.trim_start_matches('-');
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let moved = exponent.is_some_and(|exponent| !exponent.starts_with('-'));
    all(whole) && (whole.len() > 6 || fraction.len() > 6 && moved)
}

/// What the content of a string says.
pub(super) fn says(content: &str) -> String {
    units(content).into_iter().map(|unit| unit.says).collect()
}

/// The units of a string's content, read by way of UTF-16.
pub(super) fn units(content: &str) -> Vec<Unit> {
    let mut codes: Vec<(u16, String)> = Vec::new();
    let mut chars = content.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            let mut buffer = [0; 2];
            // A character beyond the first plane: all is written in its first half.
            let mut written = c.to_string();
            for code in c.encode_utf16(&mut buffer) {
                codes.push((*code, std::mem::take(&mut written)));
            }
            continue;
        }
        let kind = chars.next().unwrap();
        if kind == 'u' {
            let digits: String = chars.by_ref().take(4).collect();
            let code = u16::from_str_radix(&digits, 16).unwrap();
            codes.push((code, format!("\\u{digits}")));
        } else {
            let (_, says) = *[('b', 8), ('f', 12), ('n', 10), ('r', 13), ('t', 9)]
                .iter()
                .find(|(escape, _)| *escape == kind)
                .unwrap_or(&(kind, kind as u16));
            codes.push((says, format!("\\{kind}")));
        }
    }
    let mut written = codes.iter().map(|(_, written)| written.as_str());
    char::decode_utf16(codes.iter().map(|(code, _)| *code))
        .map(|read| {
            let says = read.unwrap_or(char::REPLACEMENT_CHARACTER);
            Unit {
                says,
                written: written.by_ref().take(says.len_utf16()).collect(),
            }
        })
        .collect()
}

fn nested(
    key: impl Strategy<Value = String> + Clone + 'static,
    value: impl Strategy<Value = String> + Clone + 'static,
    unique: bool,
) -> impl Strategy<Value = String> {
    let scalar = prop_oneof![3 => value, 1 => literal()];
    scalar.prop_recursive(4, 24, 5, move |inner| {
        let array = vec((space(), inner.clone(), space()), 0..5).prop_map(|items| {
            let items: Vec<_> = items
                .iter()
                .map(|(a, item, b)| format!("{a}{item}{b}"))
                .collect();
            format!("[{}]", items.join(","))
        });
        let member = (space(), key.clone(), space(), inner, space());
        let object = (vec(member, 0..5), space()).prop_map(move |(members, space)| {
            let mut keys = HashSet::new();
            let members: Vec<_> = members
                .iter()
                .filter(|(_, key, ..)| !unique || keys.insert(says(&key[1..key.len() - 1])))
                .map(|(a, key, b, value, c)| format!("{a}{key}{b}:{a}{value}{c}"))
                .collect();
            format!("{{{space}{}}}", members.join(","))
        });
        prop_oneof![array, object]
    })
}

fn space() -> impl Strategy<Value = &'static str> + Clone {
    prop_oneof![4 => Just(""), 1 => Just(" "), 1 => Just("\t ")]
}

fn literal() -> impl Strategy<Value = String> + Clone {
    const LITERALS: [&str; 14] = [
        "0",
        "-0.0",
        "1e400",
        "123456789012345678901234567890",
        "4111111111111111",
        "-4111111.0",
        "411111",
        "0.12345678",
        "4.1111111E+15",
        "4.1111111e-15",
        "1234567e9",
        "1.50",
        "true",
        "null",
    ];
    proptest::sample::select(&LITERALS).prop_map(str::to_owned)
}

/// A literal with every sort of escape, often cut surrogate pairs.
fn string() -> impl Strategy<Value = String> + Clone {
    let piece = prop_oneof![
        4 => "[a-c~/ @]",
        1 => "[é漢😀\u{2028}\u{7f}]",
        2 => proptest::sample::select(&[
            r"\n", r"\/", r#"\""#, r"\\", r"\b", r"\f", r"\r", r"\t", r"\u0000", r"\u0061", r"\u00E9",
            r"\uffff", r"\ud83d\ude00",
        ]).prop_map(str::to_owned),
        2 => proptest::sample::select(&[r"\ud83d", r"\uDE00", r"\uDBFF", r"\udc00"]).prop_map(str::to_owned),
    ];
    vec(piece, 0..7).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}
