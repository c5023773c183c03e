//! Where the texts of a message stand, also where there are thousands of them.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::fmt::Write;

use serde::de::IgnoredAny;

use crate::{Message, Place, Role, Text};

/// So often the gateway is asked about single texts before the whole payload is read.
const SINGLE: usize = 64;

/// Digits in a row that make a number a text.
const LONG: usize = 7;

/// Where the texts of one message stand.
///
/// The gateway is asked about a text only when its place is asked for, and about the whole message once there are many:
/// it limits how often it can be asked ([`Message::place`]).
pub struct Places<'a> {
    message: Message<'a>,
    asked: Cell<usize>,
    all: OnceCell<Option<Vec<Place>>>,
}

impl<'a> Places<'a> {
    /// Of the texts of a message.
    pub fn of(message: &Message<'a>) -> Self {
        Self {
            message: *message,
            asked: Cell::new(0),
            all: OnceCell::new(),
        }
    }

    /// Where a text stands.
    pub fn of_text(&self, text: &Text<'_>) -> Option<Place> {
        let asked = self.asked.get();
        self.asked.set(asked.saturating_add(1));
        if asked >= SINGLE
            && let Some(all) = self.all.get_or_init(|| all(&self.message))
        {
            return all.get(text.index()).cloned();
        }
        self.message.place(text.index())
    }
}

/// The places of all texts, unless the payload cannot be read here as the gateway reads it.
fn all(message: &Message<'_>) -> Option<Vec<Place>> {
    let payload = message.payload()?;
    let mut places = Vec::with_capacity(message.texts().len());
    texts(&payload, &mut |pointer, role, _| {
        places.push(Place {
            pointer: pointer.to_owned(),
            role,
        });
    })?;
    (places.len() == message.texts().len()).then_some(places)
}

/// Calls `found` with every text of a JSON text in their order: strings, keys and values, and long numbers.
pub(crate) fn texts(json: &str, found: &mut dyn FnMut(&str, Role, &str)) -> Option<()> {
    serde_json::from_str::<IgnoredAny>(json).ok()?;
    let bytes = json.as_bytes();
    let mut pointer = String::new();
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..)?;
        let start = at;
        at += 1;
        match byte {
            b'"' => {
                at = start + string_length(rest)?;
                let text: Cow<'_, str> = serde_json::from_str(json.get(start..at)?).ok()?;
                match open.last_mut() {
                    Some(container) if container.index.is_none() && !container.keyed => {
                        container.keyed = true;
                        pointer.push('/');
                        pointer.push_str(&text.replace('~', "~0").replace('/', "~1"));
                        found(&pointer, Role::Key, &text);
                    }
                    _ => found(&pointer, Role::Value, &text),
                }
            }
            b'{' | b'[' => {
                let index = (*byte == b'[').then_some(0);
                open.push(Open {
                    outer: pointer.len(),
                    index,
                    keyed: false,
                });
                if index.is_some() {
                    pointer.push_str("/0");
                }
            }
            b'}' | b']' => pointer.truncate(open.pop()?.outer),
            b',' => {
                let container = open.last_mut()?;
                pointer.truncate(container.outer);
                container.keyed = false;
                if let Some(index) = &mut container.index {
                    *index += 1;
                    write!(pointer, "/{index}").ok()?;
                }
            }
            b'-' | b'0'..=b'9' => {
                let of_number = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                at = start + rest.iter().take_while(of_number).count();
                let number = json.get(start..at)?;
                if is_long(number) {
                    found(&pointer, Role::Value, number);
                }
            }
            _ => {}
        }
    }
    Some(())
}

/// A container that the walk is in.
struct Open {
    /// How long its own pointer is.
    outer: usize,
    /// Of an array, the element that the walk is at.
    index: Option<usize>,
    /// Of an object, whether the walk is behind the key of a member.
    keyed: bool,
}

/// The length of a literal that these bytes begin with, with its quotes.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Whether the gateway shows a number as a text: seven digits stand before its point, or behind it if an exponent that
/// is not negative moves it.
fn is_long(number: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, exponent) = match number.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (number, None),
    };
    let number = number.trim_start_matches('-');
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_moved = exponent.is_some_and(|exponent| !exponent.starts_with('-'));
    digits(whole) >= LONG || digits(fraction) >= LONG && is_moved
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::Sample;

    #[test]
    fn every_string_and_long_number_has_its_place() {
        let json = r#" {"a/b~": ["x", {"c": "y", "d": [1, null, true, 1.5, 12345678]}], "e": "\u00e9", "f": {}, "g":[ ], "h": [[-1234567.5,"\"\\"], 0.12345678, 1.2345678E9, 1.2345678e-9]} "#;
        let mut found = Vec::new();
        texts(json, &mut |pointer, role, text| {
            found.push(format!("{pointer} {role:?} {text}"));
        })
        .unwrap();
        assert_eq!(
            found,
            [
                "/a~1b~0 Role::Key a/b~",
                "/a~1b~0/0 Role::Value x",
                "/a~1b~0/1/c Role::Key c",
                "/a~1b~0/1/c Role::Value y",
                "/a~1b~0/1/d Role::Key d",
                "/a~1b~0/1/d/4 Role::Value 12345678",
                "/e Role::Key e",
                "/e Role::Value é",
                "/f Role::Key f",
                "/g Role::Key g",
                "/h Role::Key h",
                "/h/0/0 Role::Value -1234567.5",
                "/h/0/1 Role::Value \"\\",
                "/h/2 Role::Value 1.2345678E9",
            ]
        );
        for json in ["{", "[1e]", "1 2"] {
            assert!(texts(json, &mut |_, _, _| ()).is_none(), "{json}");
        }
    }

    #[test]
    fn places_of_many_texts_are_those_of_single_ones() {
        let rows: Vec<_> = (0..200)
            .map(|n| json!({"n": n + 9_999_900, "x": "y"}))
            .collect();
        let sample = Sample::of("tools/call", "response", &json!({"rows": rows}));
        let message = sample.message();
        let places = Places::of(&message);
        for text in message.texts() {
            let place = places.of_text(&text).unwrap();
            let single = message.place(text.index()).unwrap();
            assert_eq!(
                (&place.pointer, place.role),
                (&single.pointer, single.role),
                "{}",
                text.index()
            );
        }
        assert!(places.all.get().is_some());
    }
}
