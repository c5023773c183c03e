//! One text for all ways to write down a JSON value: no white space, the members of
//! objects in the order of their keys, strings escaped in one way. Numbers stay as
//! they are written.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::message::{elements, members, quote, string};

/// Deeper than any definition. What lies deeper counts as it is written.
const DEEPEST: usize = 64;

/// The canonical text of a JSON value.
pub fn canonical(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    write(json.trim(), DEEPEST, &mut text);
    text
}

/// The digest of a canonical text.
pub fn digest(canonical: &str) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(canonical) {
        // Nothing fails that writes into a string.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn write(json: &str, depth: usize, text: &mut String) {
    match json.as_bytes().first() {
        Some(b'{') if depth > 0 => match members(json) {
            Ok(found) => {
                let mut found: Vec<_> = found.iter().collect();
                // A key that stands twice keeps its order: parsers differ in which
                // of them counts.
                found.sort_by(|one, other| one.key.cmp(&other.key));
                text.push('{');
                for (index, member) in found.into_iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    text.push_str(&quote(&member.key));
                    text.push(':');
                    write(member.value, depth - 1, text);
                }
                text.push('}');
            }
            Err(_) => text.push_str(json),
        },
        Some(b'[') if depth > 0 => match elements(json) {
            Ok(found) => {
                text.push('[');
                for (index, element) in found.into_iter().enumerate() {
                    if index > 0 {
                        text.push(',');
                    }
                    write(element, depth - 1, text);
                }
                text.push(']');
            }
            Err(_) => text.push_str(json),
        },
        Some(b'"') => match string(json) {
            Some(found) => text.push_str(&quote(&found)),
            // Half of a surrogate pair, which no string holds.
            None => text.push_str(json),
        },
        _ => text.push_str(json),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// A JSON value with the members of its objects in another order, written with
    /// other white space and other escapes.
    fn rewritten(value: &Value, turn: usize) -> String {
        match value {
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                if !members.is_empty() {
                    let turn = turn % members.len();
                    members.rotate_left(turn);
                    members.reverse();
                }
                let members = members.into_iter().map(|(key, value)| {
                    format!("\n {} : {}", escaped(key), rewritten(value, turn + 1))
                });
                format!("{{{}}}", members.collect::<Vec<_>>().join(" ,"))
            }
            Value::Array(elements) => {
                let elements = elements.iter().map(|it| rewritten(it, turn));
                format!("[ {} ]", elements.collect::<Vec<_>>().join("\t,"))
            }
            Value::String(text) => escaped(text),
            other => other.to_string(),
        }
    }

    fn escaped(text: &str) -> String {
        let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
        format!("\"{}\"", units.collect::<String>())
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(".{0,4}", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_order_of_keys_white_space_and_escapes_do_not_matter(value in json(), turn in 0..9usize) {
            prop_assert_eq!(canonical(&value.to_string()), canonical(&rewritten(&value, turn)));
        }

        #[test]
        fn another_value_has_another_text(one in json(), other in json()) {
            let same = canonical(&one.to_string()) == canonical(&other.to_string());
            prop_assert_eq!(same, one == other);
        }
    }

    #[test]
    fn a_key_that_stands_twice_and_a_number_written_otherwise_are_not_passed_over() {
        for (one, other) in [
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":2,"a":1}"#),
            (r#"{"a":1}"#, r#"{"a":1.0}"#),
            (r#"["a","b"]"#, r#"["b","a"]"#),
            (r#"{"a":"1"}"#, r#"{"a":1}"#),
        ] {
            assert_ne!(canonical(one), canonical(other), "{one} {other}");
        }
    }

    #[test]
    fn what_lies_too_deep_still_counts() {
        let nested = |inner: &str| format!("{}{inner}{}", "[".repeat(500), "]".repeat(500));
        assert_ne!(canonical(&nested("1")), canonical(&nested("2")));
    }
}
