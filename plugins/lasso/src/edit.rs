//! From what the API masks to what is to be changed.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What stands in for something of which nobody said what should.
pub(crate) const MASK: &str = "<MASKED>";

/// A change of a piece.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Edit {
    pub(crate) piece: usize,
    pub(crate) rule: String,
    pub(crate) change: Change,
}

/// What is changed.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Change {
    /// A range of the piece's content.
    Range { range: Range<usize>, with: String },
    /// A value of the piece, which is a JSON object.
    Value { pointer: String, with: Value },
}

/// Where a finding is, and what it wants there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hint<'a> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) mask: &'a str,
    pub(crate) rule: &'a str,
}

/// What an offset counts, which the API does not say.
const UNITS: [fn(char) -> usize; 3] = [char::len_utf8, |_| 1, char::len_utf16];

/// The changes that make a masked text of a text. With places that explain it they are exact;
/// otherwise they are as small as one can see.
pub(crate) fn of_text(
    piece: usize,
    text: &str,
    masked: &str,
    hints: &[Hint<'_>],
    rule: &str,
) -> Vec<Edit> {
    for unit in UNITS {
        let placed = placed(text, hints, unit);
        if let Some(placed) = placed.filter(|placed| applied(text, placed) == masked) {
            return edits(piece, placed);
        }
    }
    let lines = |text: &str| text.split('\n').count();
    let mut changes = Vec::new();
    if lines(text) == lines(masked) {
        let mut at = 0;
        for (line, masked) in text.split('\n').zip(masked.split('\n')) {
            changes.extend(difference(line, masked, at));
            at += line.len() + 1;
        }
    } else {
        changes.extend(difference(text, masked, 0));
    }
    let changes = changes.into_iter().map(|(range, with)| Edit {
        piece,
        rule: rule.to_owned(),
        change: Change::Range { range, with },
    });
    changes.collect()
}

/// The changes where only places are known. Whatever a place may mean is masked, so that nothing
/// stays visible. Nothing where it can mean nothing.
pub(crate) fn of_places(piece: usize, text: &str, hints: &[Hint<'_>]) -> Option<Vec<Edit>> {
    let mut all = Vec::new();
    for hint in hints {
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for unit in UNITS {
            ranges.extend(range(text, hint, unit).filter(|range| !ranges.contains(range)));
        }
        if ranges.is_empty() {
            return None;
        }
        all.extend(ranges.into_iter().map(|range| (range, *hint)));
    }
    Some(edits(piece, all))
}

/// The changes that make a masked JSON object of one.
///
/// # Errors
/// It is none.
pub(crate) fn of_json(
    piece: usize,
    json: &str,
    masked: &Value,
    rule: &str,
) -> Result<Vec<Edit>, String> {
    let value: Value = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let mut changes = Vec::new();
    compare(&value, masked, String::new(), &mut changes);
    let changes = changes.into_iter().map(|(pointer, with)| Edit {
        piece,
        rule: rule.to_owned(),
        change: Change::Value { pointer, with },
    });
    Ok(changes.collect())
}

/// The innermost values that differ.
fn compare(value: &Value, masked: &Value, pointer: String, into: &mut Vec<(String, Value)>) {
    match (value, masked) {
        (Value::Object(value), Value::Object(masked))
            if value.keys().all(|key| masked.contains_key(key)) && value.len() == masked.len() =>
        {
            for (key, value) in value {
                let part = key.replace('~', "~0").replace('/', "~1");
                let masked = masked.get(key).unwrap_or(&Value::Null);
                compare(value, masked, format!("{pointer}/{part}"), into);
            }
        }
        (Value::Array(value), Value::Array(masked)) if value.len() == masked.len() => {
            for (index, (value, masked)) in value.iter().zip(masked).enumerate() {
                compare(value, masked, format!("{pointer}/{index}"), into);
            }
        }
        _ if value == masked => {}
        // Other programs may write a number in another way.
        (Value::Number(value), Value::Number(masked)) if value.as_f64() == masked.as_f64() => {}
        _ => into.push((pointer, masked.clone())),
    }
}

/// What differs between two texts, without what they begin and end with alike. Nothing where the
/// masked one has only more.
pub(crate) fn difference(text: &str, masked: &str, at: usize) -> Option<(Range<usize>, String)> {
    let alike = text.chars().zip(masked.chars());
    let start: usize = alike
        .take_while(|(one, other)| one == other)
        .map(|(one, _)| one.len_utf8())
        .sum();
    let (rest, masked) = (text.get(start..)?, masked.get(start..)?);
    let alike = rest.chars().rev().zip(masked.chars().rev());
    let end: usize = alike
        .take_while(|(one, other)| one == other)
        .map(|(one, _)| one.len_utf8())
        .sum();
    let (rest, masked) = (rest.len() - end, masked.get(..masked.len() - end)?);
    (rest > 0).then(|| (at + start..at + start + rest, masked.to_owned()))
}

type Placed<'a> = Vec<(Range<usize>, Hint<'a>)>;

/// All places in bytes, in their order, if all of them can be counted so.
fn placed<'a>(text: &str, hints: &[Hint<'a>], unit: fn(char) -> usize) -> Option<Placed<'a>> {
    let all = hints
        .iter()
        .map(|hint| Some((range(text, hint, unit)?, *hint)));
    let mut all: Placed<'a> = all.collect::<Option<_>>()?;
    all.sort_by_key(|(range, _)| range.start);
    all.dedup_by(|(one, _), (other, _)| one == other);
    Some(all).filter(|all| !all.is_empty())
}

/// A place in bytes, if it can be counted so.
fn range(text: &str, hint: &Hint<'_>, unit: fn(char) -> usize) -> Option<Range<usize>> {
    let (mut count, mut start) = (0, None);
    for (byte, c) in text.char_indices() {
        if count == hint.start {
            start = Some(byte);
        }
        if count == hint.end {
            return Some(start?..byte).filter(|range| !range.is_empty());
        }
        count += unit(c);
    }
    let end = (count == hint.end).then_some(text.len())?;
    Some(start?..end).filter(|range| !range.is_empty())
}

fn applied(text: &str, placed: &Placed<'_>) -> String {
    let (mut applied, mut done) = (String::new(), 0);
    for (range, hint) in placed {
        applied.push_str(text.get(done..range.start).unwrap_or_default());
        applied.push_str(hint.mask);
        done = range.end;
    }
    applied.push_str(text.get(done..).unwrap_or_default());
    applied
}

fn edits(piece: usize, placed: Placed<'_>) -> Vec<Edit> {
    let edits = placed.into_iter().map(|(range, hint)| Edit {
        piece,
        rule: hint.rule.to_owned(),
        change: Change::Range {
            range,
            with: hint.mask.to_owned(),
        },
    });
    edits.collect()
}
