//! Reads and makes JSON without a model: a value stays the text it is.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, Range};

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::escape;

/// A member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'a> {
    /// The key, unescaped.
    pub key: Cow<'a, str>,
    /// The value's JSON text, as it is written.
    pub value: &'a str,
}

/// The members of an object in their order, with the repeated ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members<'a>(Vec<Member<'a>>);

/// Why a text cannot be read as asked.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// Not a JSON text.
    #[error("not json")]
    NotJson(#[from] serde_json::Error),
    /// A JSON text, but not of an object.
    #[error("not a json object")]
    NotObject,
    /// A JSON text, but not of an array.
    #[error("not a json array")]
    NotArray,
    /// A member stands twice, or in another letter case, so that parsers
    /// disagree on its value.
    #[error("member {0:?} is ambiguous")]
    Ambiguous(String),
}

/// The members of the object that a JSON text holds.
///
/// # Errors
/// When the text is not JSON or not an object.
pub fn members(object: &str) -> Result<Members<'_>, JsonError> {
    if !starts_with(object, '{') {
        check(object)?;
        return Err(JsonError::NotObject);
    }
    let mut reader = serde_json::Deserializer::from_str(object);
    let members = reader.deserialize_map(MembersVisitor)?;
    reader.end()?;
    Ok(members)
}

/// The JSON texts of the elements of the array that a JSON text holds.
///
/// # Errors
/// When the text is not JSON or not an array.
pub fn elements(array: &str) -> Result<Vec<&str>, JsonError> {
    if !starts_with(array, '[') {
        check(array)?;
        return Err(JsonError::NotArray);
    }
    let elements: Vec<&RawValue> = serde_json::from_str(array)?;
    Ok(elements.into_iter().map(RawValue::get).collect())
}

/// The value of the one member with this key, as [`Members::unique`].
///
/// # Errors
/// When the text is not an object, or the key is ambiguous.
pub fn unique_member<'a>(object: &'a str, key: &str) -> Result<Option<&'a str>, JsonError> {
    members(object)?.unique(key)
}

/// The text with something else in the place of a part of it. The part must be
/// a slice of the text, such as the value of a [`Member`]; absent if it isn't.
#[must_use]
pub fn replace_within(text: &str, part: &str, new: &str) -> Option<String> {
    let range = range_in(text, part);
    let (head, tail) = (text.get(..range.start)?, text.get(range.end..)?);
    Some([head, new, tail].concat())
}

/// What a JSON string literal says. A lone surrogate becomes U+FFFD. Absent if
/// the text is anything else.
#[must_use]
pub fn string(literal: &str) -> Option<Cow<'_, str>> {
    let content = literal
        .trim_matches(WHITESPACE)
        .strip_prefix('"')?
        .strip_suffix('"')?;
    if content.bytes().any(|byte| byte < b' ') {
        return None;
    }
    if memchr::memchr2(b'"', b'\\', content.as_bytes()).is_none() {
        return Some(Cow::Borrowed(content));
    }
    let mut text = String::with_capacity(content.len());
    let read = escape::unescape_until_quote(content, &mut text)?;
    (read == content.len()).then_some(Cow::Owned(text))
}

/// The JSON string literal that says this text.
#[must_use]
pub fn quote(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    escape::escape_into(text, &mut literal);
    literal.push('"');
    literal
}

/// The JSON text without the whitespace around it and with a space for every
/// line break, so that it can stand within a message.
///
/// # Errors
/// When the text is not JSON.
pub fn one_line(json: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    let json = check(json)?;
    // A line break in valid JSON is never part of a string.
    Ok(if json.contains(['\n', '\r']) {
        Cow::Owned(json.replace(['\n', '\r'], " "))
    } else {
        Cow::Borrowed(json)
    })
}

/// Where a slice of a text stands in it; out of its range for any other text.
pub(super) fn range_in(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    start..start.saturating_add(part.len())
}

/// Whether a parser that ignores letter case, as Go's does, takes one name for
/// the other.
pub(super) fn same_but_for_case(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        return one.eq_ignore_ascii_case(other);
    }
    fn folded(text: &str) -> impl Iterator<Item = char> {
        // The two characters beyond ASCII that Unicode folds to ASCII letters.
        text.chars().map(|c| match c {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            c => c.to_ascii_lowercase(),
        })
    }
    folded(one).eq(folded(other))
}

impl<'a> Members<'a> {
    /// The value of the member with this key, if there is one.
    ///
    /// # Errors
    /// When the key stands twice, or also or only in another letter case:
    /// parsers disagree on what such an object says.
    pub fn unique(&self, key: &str) -> Result<Option<&'a str>, JsonError> {
        let mut alike = self
            .0
            .iter()
            .filter(|member| same_but_for_case(&member.key, key));
        match (alike.next(), alike.next()) {
            (None, _) => Ok(None),
            (Some(member), None) if member.key == key => Ok(Some(member.value)),
            _ => Err(JsonError::Ambiguous(key.to_owned())),
        }
    }
}

impl<'a> Deref for Members<'a> {
    type Target = [Member<'a>];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<'a> IntoIterator for Members<'a> {
    type Item = Member<'a>;
    type IntoIter = std::vec::IntoIter<Member<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, 'm> IntoIterator for &'m Members<'a> {
    type Item = &'m Member<'a>;
    type IntoIter = std::slice::Iter<'m, Member<'a>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// Reads keys as raw text too: serde refuses a key with a lone surrogate.
struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(4);
        while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            let key =
                string(key.get()).ok_or_else(|| serde::de::Error::custom("key is not a string"))?;
            members.push(Member {
                key,
                value: value.get(),
            });
        }
        Ok(Members(members))
    }
}

const WHITESPACE: [char; 4] = [' ', '\t', '\n', '\r'];

fn starts_with(json: &str, first: char) -> bool {
    json.trim_start_matches(WHITESPACE).starts_with(first)
}

/// The JSON text without the whitespace around it, if it is one.
fn check(json: &str) -> Result<&str, serde_json::Error> {
    serde_json::from_str::<&RawValue>(json).map(RawValue::get)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_their_text() {
        let members = members(r#" {"b":1e400,"\u0061" : [ 1 ],"\ud800":"\/","b":null} "#).unwrap();
        let read: Vec<_> = members.iter().map(|it| (&*it.key, it.value)).collect();
        let expected = [
            ("b", "1e400"),
            ("a", "[ 1 ]"),
            ("\u{fffd}", r#""\/""#),
            ("b", "null"),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn a_member_that_parsers_read_differently_is_ambiguous() {
        let object = r#"{"name":"a","Uri":1,"x":1,"\u0078":2,"k":1,"\u212a":1,"ok":true}"#;
        let members = members(object).unwrap();
        assert_eq!(members.unique("name").unwrap(), Some(r#""a""#));
        assert_eq!(members.unique("ok").unwrap(), Some("true"));
        assert_eq!(members.unique("missing").unwrap(), None);
        for key in ["uri", "x", "k"] {
            let error = members.unique(key).unwrap_err().to_string();
            assert_eq!(error, format!("member {key:?} is ambiguous"));
        }
    }

    #[test]
    fn a_part_is_replaced_where_it_stands_and_not_where_it_is_repeated() {
        let item = r#"{"title":"a","name":"a"}"#;
        let name = unique_member(item, "name").unwrap().unwrap();
        let renamed = replace_within(item, name, "\"s_a\"").unwrap();
        assert_eq!(renamed, r#"{"title":"a","name":"s_a"}"#);
        assert_eq!(replace_within(item, &renamed, "x"), None);
        assert_eq!(replace_within(name, item, "x"), None);
    }

    #[test]
    fn only_an_object_has_members_and_only_an_array_elements() {
        assert!(matches!(members("[]"), Err(JsonError::NotObject)));
        assert!(matches!(members("{} x"), Err(JsonError::NotJson(_))));
        assert!(matches!(members("x"), Err(JsonError::NotJson(_))));
        assert!(matches!(elements("{}"), Err(JsonError::NotArray)));
        assert!(matches!(elements("[1,]"), Err(JsonError::NotJson(_))));
        assert_eq!(
            elements(" [ 1e400 , \"\\ud83d\",[ ] ] ").unwrap(),
            ["1e400", r#""\ud83d""#, "[ ]"]
        );
        assert!(elements("[]").unwrap().is_empty());
    }

    #[test]
    fn a_string_is_a_literal_and_nothing_else() {
        assert_eq!(
            string(r#" "a\u00e9\ud83d\ude00\ud83d\n\/" "#).unwrap(),
            "aé😀\u{fffd}\n/"
        );
        assert!(matches!(string(r#""plain""#), Some(Cow::Borrowed("plain"))));
        for text in [
            "",
            "\"",
            "1",
            "null",
            r#""a"b""#,
            r#""a\""#,
            r#""\u00g0""#,
            r#""\u+123""#,
            r#""\x""#,
            "\"\n\"",
        ] {
            assert_eq!(string(text), None, "{text}");
        }
    }

    #[test]
    fn a_quoted_text_says_what_it_said() {
        for text in [
            "",
            "a\"b\\c/",
            "\0\u{1f}\u{8}\u{c}\n\r\t\u{7f}",
            "漢😀\u{2028}",
        ] {
            let literal = quote(text);
            assert_eq!(string(&literal).unwrap(), text);
            assert_eq!(literal, serde_json::to_string(text).unwrap());
        }
    }

    #[test]
    fn json_over_several_lines_becomes_one() {
        assert_eq!(
            one_line(" {\r\n\"a\\n\":\t1\n} ").unwrap(),
            "{  \"a\\n\":\t1 }"
        );
        assert!(one_line("\"a\nb\"").is_err());
        assert!(one_line("1 2").is_err());
    }
}
