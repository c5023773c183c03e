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

/// Where the contents of the strings stand, without their quotes.
pub(super) fn strings(json: &str) -> Vec<Range<usize>> {
    let mut strings = Vec::new();
    let mut open = None;
    let mut chars = json.char_indices();
    while let Some((at, c)) = chars.next() {
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
    strings
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
    const LITERALS: [&str; 7] = [
        "0",
        "-0.0",
        "1e400",
        "123456789012345678901234567890",
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
