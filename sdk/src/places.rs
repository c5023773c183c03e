//! Where the texts of a message stand, also where there are thousands of them.

use std::cell::{Cell, OnceCell};
use std::fmt::{self, Write};

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::{Message, Place, Role, Text};

/// So often the gateway is asked about single texts before the whole payload is read.
const SINGLE: usize = 64;

/// What `serde_json` says in place of a number, if anything built with it asks for numbers as they are written.
const NUMBER: &str = "$serde_json::private::Number";

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
    strings(&payload, &mut |pointer, role, _| {
        places.push(Place {
            pointer: pointer.to_owned(),
            role,
        });
    })?;
    (places.len() == message.texts().len()).then_some(places)
}

/// Calls `found` with every string of a JSON text, keys and values, in their order.
pub(crate) fn strings(json: &str, found: &mut dyn FnMut(&str, Role, &str)) -> Option<()> {
    let mut walk = Walk {
        pointer: String::new(),
        found,
    };
    let mut json = serde_json::Deserializer::from_str(json);
    walk.deserialize(&mut json).ok()?;
    json.end().ok()
}

struct Walk<'f> {
    pointer: String,
    found: &'f mut dyn FnMut(&str, Role, &str),
}

impl<'de> DeserializeSeed<'de> for &mut Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        (self.found)(&self.pointer, Role::Value, text);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let outer = self.pointer.len();
        while let Some(key) = members.next_key::<String>()? {
            if key == NUMBER {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            let escaped = key.replace('~', "~0").replace('/', "~1");
            self.pointer.push('/');
            self.pointer.push_str(&escaped);
            (self.found)(&self.pointer, Role::Key, &key);
            members.next_value_seed(&mut *self)?;
            self.pointer.truncate(outer);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let outer = self.pointer.len();
        for index in 0_usize.. {
            write!(self.pointer, "/{index}").map_err(de::Error::custom)?;
            let item = items.next_element_seed(&mut *self)?;
            self.pointer.truncate(outer);
            if item.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::Sample;

    #[test]
    fn every_string_has_its_place() {
        let json = r#" {"a/b~": ["x", {"c": "y", "d": [1, null, true, 1.5]}], "e": "\u00e9"} "#;
        let mut found = Vec::new();
        strings(json, &mut |pointer, role, text| {
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
                "/e Role::Key e",
                "/e Role::Value é",
            ]
        );
        for json in ["{", "[1e]", "1 2"] {
            assert!(strings(json, &mut |_, _, _| ()).is_none(), "{json}");
        }
    }

    #[test]
    fn places_of_many_texts_are_those_of_single_ones() {
        let rows: Vec<_> = (0..200).map(|n| json!({"n": n, "x": "y"})).collect();
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
