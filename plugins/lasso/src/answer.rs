//! What Lasso says, and what that leads to.

use std::collections::BTreeMap;

use mcp_gateway_sdk::log;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::edit::{self, Edit, Hint};
use crate::piece::{Batch, Form, Piece};

/// Bytes of one part of a rule's name.
const NAME: usize = 48;

/// An answer, as far as it counts.
#[derive(Debug, Deserialize)]
struct Answer {
    violations_detected: bool,
    #[serde(default)]
    deputies: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    findings: Option<BTreeMap<String, Option<Vec<Found>>>>,
    #[serde(default)]
    messages: Option<Vec<Masked>>,
}

/// Something that a deputy found.
#[derive(Debug, Deserialize)]
struct Found {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    severity: Value,
    #[serde(default)]
    score: Value,
    #[serde(default)]
    message_index: Option<usize>,
    #[serde(default)]
    start: Option<usize>,
    #[serde(default)]
    end: Option<usize>,
    #[serde(default)]
    mask: Option<String>,
}

/// A message as the API would have it.
#[derive(Debug, Deserialize)]
struct Masked {
    role: String,
    content: Value,
}

/// What becomes of a batch.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// The rules for which it is refused.
    pub(crate) refused_for: Vec<String>,
    /// What is reported.
    pub(crate) notes: Vec<Note>,
    pub(crate) edits: Vec<Edit>,
}

/// Something that is reported.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) rule: String,
    pub(crate) confidence: f32,
    pub(crate) remark: String,
}

/// What a policy does about a finding.
enum Action {
    Block,
    Mask,
    Report,
    Ignore,
}

impl Outcome {
    pub(crate) fn blocks(&self) -> bool {
        !self.refused_for.is_empty()
    }
}

/// What an answer leads to: to block before to mask, before to report.
///
/// A violation without a finding that says what to do about it blocks, since nothing says that it
/// may pass.
///
/// # Errors
/// It is no answer, or what it masks cannot be told.
pub(crate) fn outcome(json: &[u8], batch: &Batch<'_>, masking: bool) -> Result<Outcome, String> {
    let answer: Answer = serde_json::from_slice(json)
        .map_err(|_| "Lasso's answer is not what its API says".to_owned())?;
    let mut outcome = Outcome::default();
    if !answer.violations_detected {
        return Ok(outcome);
    }
    let findings = answer.findings.unwrap_or_default();
    let mut masks = Vec::new();
    for (deputy, found) in &findings {
        for found in found.iter().flatten() {
            let rule = rule(deputy, found.name.as_deref());
            match found.action(&rule) {
                Action::Block => outcome.refuse(&rule),
                Action::Mask if masking => masks.push((rule.clone(), found)),
                Action::Mask | Action::Report => {}
                Action::Ignore => continue,
            }
            outcome.notes.push(found.note(rule));
        }
    }
    for (deputy, violated) in answer.deputies.iter().flatten() {
        let told = findings.get(deputy).and_then(Option::as_ref);
        if *violated == Value::Bool(true) && told.is_none_or(Vec::is_empty) {
            outcome.refuse(&rule(deputy, None));
        }
    }
    if findings.values().flatten().flatten().next().is_none() && !outcome.blocks() {
        outcome.refuse("violation");
    }
    if !outcome.blocks() && !masks.is_empty() {
        outcome.edits = edits(answer.messages.as_deref(), &masks, batch)?;
    }
    Ok(outcome)
}

impl Outcome {
    fn refuse(&mut self, rule: &str) {
        if !self.refused_for.iter().any(|known| known == rule) {
            self.refused_for.push(rule.to_owned());
        }
    }
}

impl Found {
    fn action(&self, rule: &str) -> Action {
        match self.action.as_deref() {
            // Nothing says that it may pass.
            Some("BLOCK") | None => Action::Block,
            Some("AUTO_MASKING") => Action::Mask,
            Some("WARN" | "USER_ALERT" | "ADMIN_ALERT") => Action::Report,
            Some("OFF") => Action::Ignore,
            Some(action) => {
                let action = part(action);
                log::warn(format_args!(
                    "Lasso names an action for {rule} that this version does not know, and which only reports: {action}"
                ));
                Action::Report
            }
        }
    }

    fn note(&self, rule: String) -> Note {
        let word = |value: &Value| value.as_str().map(part);
        let action = self.action.as_deref().map(part);
        let words = [action, word(&self.severity)];
        let words: Vec<String> = words.into_iter().flatten().collect();
        Note {
            rule,
            // From 0 to 1, whatever is said.
            confidence: self.score.as_f64().unwrap_or(1.0).clamp(0.0, 1.0) as f32,
            remark: words.join(" "),
        }
    }

    /// Where it masks what, in a piece.
    fn hint<'a>(&'a self, rule: &'a str) -> Option<Hint<'a>> {
        Some(Hint {
            start: self.start?,
            end: self.end?,
            mask: self.mask.as_deref().unwrap_or(edit::MASK),
            rule,
        })
    }

    /// Which piece it is about; where there is one only, that is clear.
    fn is_about(&self, piece: usize, pieces: usize) -> bool {
        self.message_index == Some(piece) || (self.message_index.is_none() && pieces == 1)
    }
}

/// What is to be changed. What the API hands back masked counts before what it says about places.
fn edits(
    answered: Option<&[Masked]>,
    masks: &[(String, &Found)],
    batch: &Batch<'_>,
) -> Result<Vec<Edit>, String> {
    let untold = || Err("Lasso masks something, and it cannot be told what".to_owned());
    let pieces = batch.pieces;
    let masked: Option<Vec<&Value>> = answered
        .filter(|answered| answered.len() == pieces.len())
        .and_then(|answered| {
            let both = answered.iter().zip(pieces);
            both.map(|(masked, piece)| masked.content_of(piece))
                .collect()
        });
    let mut edits = Vec::new();
    let mut placed = 0;
    for (index, piece) in pieces.iter().enumerate() {
        let mut here: Vec<Hint<'_>> = Vec::new();
        for (rule, found) in masks {
            if found.is_about(index, pieces.len())
                && let Some(hint) = found.hint(rule)
            {
                placed += 1;
                here.push(hint);
            }
        }
        let rule = here.first().map(|hint| hint.rule);
        let rule = rule.or_else(|| masks.first().map(|(rule, _)| rule.as_str()));
        let rule = rule.unwrap_or_default();
        let masked = masked.as_ref().and_then(|masked| masked.get(index));
        let changed = match (&piece.form, masked) {
            (Form::Input(_), Some(masked)) => edit::of_json(index, &piece.content, masked, rule)?,
            (Form::Input(_), None) => Vec::new(),
            (_, Some(Value::String(masked))) if *masked != piece.content => {
                edit::of_text(index, &piece.content, masked, &here, rule)
            }
            _ => match edit::of_places(index, &piece.content, &here) {
                Some(edits) => edits,
                None => return untold(),
            },
        };
        if changed.is_empty() && !here.is_empty() {
            return untold();
        }
        edits.extend(changed);
    }
    // Of tools there are neither places nor masked copies. Nor can it be told where nothing was
    // handed back and a place is missing.
    if masked.is_none() && placed < masks.len() && batch.tools.is_empty() {
        return untold();
    }
    Ok(edits)
}

impl Masked {
    /// The counterpart of a piece's content, if it is one.
    fn content_of(&self, piece: &Piece) -> Option<&Value> {
        if self.role != piece.role() {
            return None;
        }
        match &piece.form {
            Form::Plain(_) => Some(&self.content).filter(|content| content.is_string()),
            Form::Result => self.content.get("content").filter(|it| it.is_string()),
            Form::Use => self
                .content
                .pointer("/input/arguments")
                .filter(|it| it.is_string()),
            Form::Input(_) => self.content.get("input").filter(|it| it.is_object()),
        }
    }
}

/// A rule's name: the deputy's, and what it calls the finding unless that is the same.
fn rule(deputy: &str, name: Option<&str>) -> String {
    let deputy = match part(deputy) {
        nameless if nameless.is_empty() => "violation".to_owned(),
        deputy => deputy,
    };
    match name.map(part) {
        Some(name) if name != deputy && !name.is_empty() => format!("{deputy}.{name}"),
        _ => deputy,
    }
}

/// A name in small letters, digits and hyphens.
fn part(name: &str) -> String {
    let mut part = String::new();
    for c in name.chars().take(NAME) {
        match c.is_ascii_alphanumeric() {
            true => part.push(c.to_ascii_lowercase()),
            false if part.ends_with('-') || part.is_empty() => {}
            false => part.push('-'),
        }
    }
    part.trim_end_matches('-').to_owned()
}
