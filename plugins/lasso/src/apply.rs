//! From an outcome to a verdict.

use mcp_gateway_sdk::{Message, PatchOp, PatchValue, Places, Role, Rule, Text, VerdictBuilder};
use serde_json::Value;

use crate::answer::{Note, Outcome};
use crate::edit::{Change, MASK, difference};
use crate::piece::{Batch, Form, Part};

/// Adds what an outcome says about a batch.
pub(crate) fn apply(
    message: &Message<'_>,
    batch: &Batch<'_>,
    outcome: &Outcome,
    verdict: &mut VerdictBuilder,
) {
    let texts: Vec<Text<'_>> = match outcome.edits.is_empty() {
        true => Vec::new(),
        false => message.texts().collect(),
    };
    let mut values = Vec::new();
    for edit in &outcome.edits {
        let Some(piece) = batch.pieces.get(edit.piece) else {
            continue;
        };
        match (&edit.change, &piece.form) {
            (Change::Value { pointer, with }, Form::Input(from)) => {
                values.push((format!("{from}{pointer}"), with, edit.rule.as_str()));
            }
            (Change::Range { range, with }, _) => {
                let mut with = with.as_str();
                for part in &piece.parts {
                    let Some((text, there)) = there(part, range, &texts) else {
                        continue;
                    };
                    verdict.mask(text, there, edit.rule.as_str(), with);
                    // What reaches into another text cannot be divided.
                    with = MASK;
                }
            }
            (Change::Value { .. }, _) => {}
        }
    }
    if !change(message, &texts, &values, verdict) {
        patch(&values, verdict);
    }
    // What is masked is reported by that.
    let masked = |note: &&Note| outcome.edits.iter().any(|edit| edit.rule == note.rule);
    for note in outcome.notes.iter().filter(|note| !masked(note)) {
        let rule = Rule::new(note.rule.as_str()).confidence(note.confidence);
        verdict.note(rule.remark(note.remark.as_str()));
    }
    if outcome.blocks() {
        for rule in &outcome.refused_for {
            if !outcome.notes.iter().any(|note| note.rule == *rule) {
                verdict.note(rule.as_str());
            }
        }
        let rules = outcome.refused_for.join(", ");
        verdict.block(format!("it violates a policy of Lasso Security ({rules})"));
    }
}

/// Where a part of a range of a piece is in its text.
fn there<'t, 'm>(
    part: &Part,
    range: &std::ops::Range<usize>,
    texts: &'t [Text<'m>],
) -> Option<(&'t Text<'m>, std::ops::Range<usize>)> {
    let start = range.start.max(part.at);
    let end = range.end.min(part.at + part.length);
    let there = part.from + start.checked_sub(part.at)?..part.from + end.checked_sub(part.at)?;
    let text = texts.get(part.text)?;
    (start < end).then_some((text, there))
}

/// Changes values that are texts, as long as all of them are. Whether they are.
fn change(
    message: &Message<'_>,
    texts: &[Text<'_>],
    values: &[(String, &Value, &str)],
    verdict: &mut VerdictBuilder,
) -> bool {
    if values.is_empty() {
        return true;
    }
    let places = Places::of(message);
    let text_at = |pointer: &str| {
        let mut texts = texts.iter();
        texts.find(|text| {
            let place = places.of_text(text);
            place.is_some_and(|place| place.role == Role::Value && place.pointer == pointer)
        })
    };
    let masks = values.iter().map(|(pointer, with, rule)| {
        let text = text_at(pointer)?;
        Some((text, difference(text, with.as_str()?, 0), *rule))
    });
    let Some(masks) = masks.collect::<Option<Vec<_>>>() else {
        return false;
    };
    for (text, difference, rule) in masks {
        if let Some((range, with)) = difference {
            verdict.mask(text, range, rule, with);
        }
    }
    true
}

/// Puts other values in place of such that are no texts, such as numbers.
fn patch(values: &[(String, &Value, &str)], verdict: &mut VerdictBuilder) {
    for (path, with, rule) in values {
        verdict.note(*rule);
        verdict.patch(PatchOp::Replace(PatchValue {
            path: path.clone(),
            value: with.to_string(),
        }));
    }
}
