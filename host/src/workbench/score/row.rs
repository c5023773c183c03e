//! One line of a corpus: a text or a message, and what is to be found in it.

use std::ops::Range;

use anyhow::{Context, anyhow, bail};
use bytes::Bytes;
use serde_json::{Map, Value};

use crate::cli::{Offsets, Way};
use crate::guardrail::Direction;
use crate::message::{self, Message, Role, Texts};
use crate::workbench::shown::Shown;

/// The members of a row under all names that public corpora have for them. The first
/// is the documented one.
pub(super) struct Names(Vec<(&'static str, Vec<String>)>);

const NAMES: &[(&str, &[&str])] = &[
    ("text", &["text", "full_text"]),
    ("message", &["message"]),
    ("spans", &["spans", "annotations", "expected"]),
    ("start", &["start", "start_position"]),
    ("end", &["end", "end_position"]),
    ("label", &["label", "entity_type", "entity", "rule"]),
    ("flag", &["flag", "is_secret", "label"]),
    ("count", &["count", "expected_len"]),
];

/// A row, read.
#[derive(Debug)]
pub(super) struct Row {
    subject: Subject,
    spans: Vec<Span>,
    /// What there is to be found in it, or anything.
    pub(super) label: Option<String>,
    /// Whether there is anything to be found, for a row that does not say where.
    pub(super) flag: Option<bool>,
    /// How many things there are to be found, if the places of some are not known.
    pub(super) count: Option<usize>,
    offsets: Offsets,
}

#[derive(Debug)]
enum Subject {
    Text(String),
    Message(Message, Direction),
}

#[derive(Debug)]
struct Span {
    label: String,
    pointer: Option<String>,
    start: usize,
    end: usize,
}

/// Something that is to be found, in bytes of the joined texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) label: String,
    pub(super) range: Range<usize>,
}

/// What a span is called that nobody has named.
const UNNAMED: &str = "unnamed";

impl Names {
    /// The known names, some of them replaced.
    pub(super) fn with(map: &[(String, String)]) -> anyhow::Result<Self> {
        let mut names: Vec<(&'static str, Vec<String>)> = NAMES
            .iter()
            .map(|(member, names)| {
                (
                    *member,
                    names.iter().map(|name| (*name).to_owned()).collect(),
                )
            })
            .collect();
        for (member, name) in map {
            let known = names.iter_mut().find(|(known, _)| known == member);
            let (_, names) = known.ok_or_else(|| {
                let known: Vec<&str> = NAMES.iter().map(|(member, _)| *member).collect();
                anyhow!("--map {member}={name}: a row has {}", known.join(", "))
            })?;
            *names = vec![name.clone()];
        }
        Ok(Self(names))
    }

    fn of<'a>(&self, row: &'a Map<String, Value>, member: &str) -> impl Iterator<Item = &'a Value> {
        let names = self.0.iter().find(|(known, _)| *known == member);
        let names = names.map(|(_, names)| names.as_slice()).unwrap_or_default();
        names.iter().filter_map(|name| row.get(name))
    }

    fn text<'a>(&self, row: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
        self.of(row, member).find_map(Value::as_str)
    }

    fn number(&self, row: &Map<String, Value>, member: &str) -> Option<usize> {
        let number = self.of(row, member).find_map(Value::as_u64)?;
        usize::try_from(number).ok()
    }

    fn flag(&self, row: &Map<String, Value>) -> Option<bool> {
        self.of(row, "flag").find_map(|value| match value {
            Value::Bool(flag) => Some(*flag),
            Value::Number(number) => Some(number.as_u64()? != 0),
            _ => None,
        })
    }
}

impl Row {
    /// A text in which nothing is to be found.
    pub(super) fn clean(text: String) -> Self {
        Self {
            subject: Subject::Text(text),
            spans: Vec::new(),
            label: None,
            flag: Some(false),
            count: None,
            offsets: Offsets::Bytes,
        }
    }

    pub(super) fn read(
        row: &Map<String, Value>,
        names: &Names,
        offsets: Offsets,
    ) -> anyhow::Result<Self> {
        let subject = match names.text(row, "text") {
            Some(text) => Subject::Text(text.to_owned()),
            None => {
                let message = names.of(row, "message").find(|value| value.is_object());
                let message = message
                    .context("it has neither a text nor a message (see --map and --where)")?;
                let message = Message::parse(Bytes::from(message.to_string()))?;
                let direction = direction(row, &message)?;
                Subject::Message(message, direction)
            }
        };
        let label = names.text(row, "label").map(str::to_owned);
        let flag = names.flag(row);
        let count = names.number(row, "count");
        let list = names.of(row, "spans").find_map(Value::as_array);
        let one = names.number(row, "start").zip(names.number(row, "end"));
        let named = || label.clone().unwrap_or_else(|| UNNAMED.to_owned());
        let spans = match (list, one) {
            (Some(list), _) => list
                .iter()
                .map(|span| Span::read(span, names, &named))
                .collect::<anyhow::Result<_>>()?,
            (None, Some((start, end))) if flag != Some(false) => vec![Span {
                label: named(),
                pointer: None,
                start,
                end,
            }],
            (None, _) if flag.is_none() && count.is_none() => bail!(
                "it does not say what is to be found in it: no spans, no flag, no count (see --map)"
            ),
            (None, _) => Vec::new(),
        };
        let offsets = match row.get("offsets").and_then(Value::as_str) {
            None => offsets,
            Some("code-points") => Offsets::CodePoints,
            Some("bytes") => Offsets::Bytes,
            Some("utf16") => Offsets::Utf16,
            Some(other) => bail!("offsets are bytes, code-points or utf16, not {other}"),
        };
        Ok(Self {
            subject,
            spans,
            label,
            flag,
            count,
            offsets,
        })
    }

    /// The message that a guardrail is shown.
    pub(super) fn shown(&self, way: Way) -> anyhow::Result<Shown> {
        match &self.subject {
            Subject::Text(text) => Shown::text(text, way),
            Subject::Message(message, direction) => Shown::message(message.clone(), *direction),
        }
    }

    /// Where its own text starts in that message; the first of them for a message.
    pub(super) fn origin(&self, texts: &Texts, way: Way) -> anyhow::Result<usize> {
        match self.subject {
            Subject::Text(_) => Ok(Places::default().text(texts, Shown::pointer(way))?.0),
            Subject::Message(..) => Ok(0),
        }
    }

    /// Where in that message something is to be found.
    pub(super) fn expected(&self, texts: &Texts, way: Way) -> anyhow::Result<Vec<Expected>> {
        let mut places = Places::default();
        self.spans
            .iter()
            .map(|span| {
                let pointer = match (&span.pointer, &self.subject) {
                    (Some(pointer), _) => pointer.as_str(),
                    (None, Subject::Text(_)) => Shown::pointer(way),
                    (None, Subject::Message(..)) => {
                        bail!("a span in a message needs the pointer of its text")
                    }
                };
                let (start, text) = places.text(texts, pointer)?;
                if let Subject::Text(own) = &self.subject
                    && own != text
                {
                    bail!("guardrails see its text decoded, so that its offsets mean nothing");
                }
                let at = |offset| {
                    position(text, offset, self.offsets)
                        .with_context(|| format!("its offset {offset} is no place in the text"))
                };
                let (from, to) = (at(span.start)?, at(span.end)?);
                if from >= to {
                    bail!("its span {}..{} is empty", span.start, span.end);
                }
                Ok(Expected {
                    label: span.label.clone(),
                    range: start + from..start + to,
                })
            })
            .collect()
    }
}

impl Span {
    fn read(span: &Value, names: &Names, named: &dyn Fn() -> String) -> anyhow::Result<Self> {
        let (label, pointer, start, end) = match span {
            Value::Object(span) => (
                names.text(span, "label").map(str::to_owned),
                span.get("pointer").and_then(Value::as_str),
                names.number(span, "start"),
                names.number(span, "end"),
            ),
            Value::Array(span) => {
                let number = |at: usize| usize::try_from(span.get(at)?.as_u64()?).ok();
                (None, None, number(0), number(1))
            }
            _ => (None, None, None, None),
        };
        let (start, end) = start
            .zip(end)
            .context("one of its spans does not say where it starts and ends (see --map)")?;
        Ok(Self {
            label: label.unwrap_or_else(named),
            pointer: pointer.map(str::to_owned),
            start,
            end,
        })
    }
}

/// The texts of a message that spans of a row point to. Most rows have one.
#[derive(Default)]
struct Places(Vec<(String, usize)>);

impl Places {
    /// The text at a pointer, and where it starts in the joined texts.
    fn text<'a>(&mut self, texts: &'a Texts, pointer: &str) -> anyhow::Result<(usize, &'a str)> {
        let known = self.0.iter().find(|(known, _)| known == pointer);
        let index = match known {
            Some((_, index)) => *index,
            None => {
                let index = (0..texts.len())
                    .find(|index| {
                        let place = texts.place(*index);
                        place.is_some_and(|it| it.pointer == pointer && it.role == Role::Value)
                    })
                    .with_context(|| format!("there is no text at {pointer}"))?;
                self.0.push((pointer.to_owned(), index));
                index
            }
        };
        let start = match index.checked_sub(1) {
            Some(before) => texts.ends().get(before).copied().unwrap_or_default(),
            None => 0,
        };
        Ok((start as usize, texts.get(index).unwrap_or_default()))
    }
}

/// The byte of a text that an offset means.
fn position(text: &str, offset: usize, unit: Offsets) -> Option<usize> {
    let width = |c: char| match unit {
        Offsets::CodePoints => 1,
        Offsets::Bytes => c.len_utf8(),
        Offsets::Utf16 => c.len_utf16(),
    };
    let mut passed = 0;
    for (at, c) in text.char_indices() {
        if passed >= offset {
            return (passed == offset).then_some(at);
        }
        passed += width(c);
    }
    (passed == offset).then_some(text.len())
}

/// The way that a message travels: what the row says, or what is usual.
fn direction(row: &Map<String, Value>, message: &Message) -> anyhow::Result<Direction> {
    match row.get("direction").and_then(Value::as_str) {
        Some("to-server") => Ok(Direction::ToServer),
        Some("to-client") => Ok(Direction::ToClient),
        Some(other) => bail!("a message travels to-server or to-client, not {other}"),
        None if message.kind() == message::Kind::Request => Ok(Direction::ToServer),
        None => Ok(Direction::ToClient),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn row(json: &str) -> anyhow::Result<Row> {
        let value: Value = serde_json::from_str(json).unwrap();
        let names = Names::with(&[]).unwrap();
        Row::read(value.as_object().unwrap(), &names, Offsets::CodePoints)
    }

    /// What is expected in a row, as label and text.
    fn expected(json: &str) -> Vec<(String, String)> {
        let row = row(json).unwrap();
        let shown = row.shown(Way::ToClient).unwrap();
        let texts = &shown.view.texts;
        let expected = row.expected(texts, Way::ToClient).unwrap();
        expected
            .into_iter()
            .map(|it| (it.label, texts.joined()[it.range].to_owned()))
            .collect()
    }

    #[test]
    fn the_shapes_of_public_corpora_are_read_as_they_are() {
        let mail = [("MAIL".to_owned(), "é@b.c".to_owned())];
        for json in [
            r#"{"text":"ü: é@b.c","spans":[{"label":"MAIL","start":3,"end":8}]}"#,
            r#"{"full_text":"ü: é@b.c","spans":[{"entity_type":"MAIL","start_position":3,"end_position":8}]}"#,
            r#"{"text":"ü: é@b.c","annotations":[{"entity_type":"MAIL","start":3,"end":8}]}"#,
            r#"{"text":"ü: é@b.c","entity":"MAIL","expected":[[3,8,0.5,1.0]],"expected_len":1}"#,
            r#"{"text":"ü: é@b.c","rule":"MAIL","is_secret":true,"start":3,"end":8}"#,
            r#"{"text":"ü: é@b.c","offsets":"bytes","spans":[{"label":"MAIL","start":4,"end":10}]}"#,
            r#"{"message":{"jsonrpc":"2.0","id":1,"result":{"a":["é@b.c"]}},"spans":[{"label":"MAIL","pointer":"/a/0","start":0,"end":5}]}"#,
        ] {
            assert_eq!(expected(json), mail, "{json}");
        }
        assert!(
            expected(r#"{"text":"x","rule":"r","is_secret":false,"start":0,"end":1}"#).is_empty()
        );
    }

    #[test]
    fn utf16_offsets_count_what_javascript_counts() {
        let json =
            r#"{"text":"🙂 key","offsets":"utf16","spans":[{"label":"K","start":3,"end":6}]}"#;
        assert_eq!(expected(json), [("K".to_owned(), "key".to_owned())]);
        let cut = row(&json.replace("\"start\":3", "\"start\":1")).unwrap();
        let shown = cut.shown(Way::ToClient).unwrap();
        assert!(cut.expected(&shown.view.texts, Way::ToClient).is_err());
    }

    #[test]
    fn a_row_that_does_not_say_what_is_in_it_is_no_clean_text() {
        for json in [
            r#"{"text":"x"}"#,
            r#"{"spans":[]}"#,
            r#"{"text":"x","spans":[{"start":1}]}"#,
        ] {
            assert!(row(json).is_err(), "{json}");
        }
        assert_eq!(row(r#"{"text":"x","label":1}"#).unwrap().flag, Some(true));
        assert_eq!(
            row(r#"{"text":"x","expected_len":2}"#).unwrap().count,
            Some(2)
        );
    }

    #[test]
    fn a_member_can_have_another_name_and_only_a_known_one() {
        let map = [("text".to_owned(), "body".to_owned())];
        let names = Names::with(&map).unwrap();
        let value: Value = serde_json::from_str(r#"{"body":"x","flag":false}"#).unwrap();
        assert!(Row::read(value.as_object().unwrap(), &names, Offsets::Bytes).is_ok());
        assert!(Names::with(&[("txt".to_owned(), "body".to_owned())]).is_err());
    }
}
