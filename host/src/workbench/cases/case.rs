//! A case: a message, and what is expected of a guardrail that sees it.

use std::sync::Arc;

use anyhow::{Context, bail};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;

use crate::capability::message::MessageView;
use crate::cli::Way;
use crate::guardrail::{Direction, Envelope, Example, Kind};
use crate::message::{self, Message};
use crate::workbench::shown::Shown;

/// A case, ready to be run.
pub(super) struct Case {
    pub(super) name: Option<String>,
    pub(super) envelope: Envelope,
    pub(super) view: MessageView,
    pub(super) expects: String,
    pub(super) after: Option<After>,
    /// What the reason of a refusal, a question or a fault has to say among other things.
    pub(super) reason: Option<String>,
    /// All findings, in the order of the text.
    pub(super) findings: Option<Vec<Finding>>,
}

/// What is expected of the message afterwards.
pub(super) enum After {
    /// Its texts.
    Texts(Vec<String>),
    /// The text at this place.
    Text(&'static str, String),
    /// Its payload.
    Payload(Value),
}

/// A finding that is expected: what is not said may be anything.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finding {
    pub(super) rule: Option<String>,
    /// What stands in its span.
    pub(super) text: Option<String>,
    /// The bytes of the text that it is in.
    pub(super) start: Option<u32>,
    pub(super) end: Option<u32>,
}

/// A line of a file of cases.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    name: Option<String>,
    text: Option<String>,
    texts: Option<Vec<String>>,
    message: Option<Value>,
    request: Option<Value>,
    session: Option<String>,
    server: Option<String>,
    method: Option<String>,
    kind: Option<String>,
    direction: Option<Direction>,
    subject: Option<String>,
    expects: String,
    after: Option<Value>,
    reason: Option<String>,
    findings: Option<Vec<Finding>>,
}

/// What can be expected.
const EXPECTATIONS: [&str; 6] = ["pass", "redact", "patch", "block", "ask", "fault"];

impl Case {
    /// What a manifest says about itself.
    pub(super) fn of_example(example: &Example) -> anyhow::Result<Self> {
        let (envelope, view) = example.shown()?;
        let redacted = !example.after.is_empty() && example.expects == "redact";
        Ok(Self {
            name: None,
            envelope,
            view,
            expects: example.expects.clone(),
            after: redacted.then(|| After::Texts(example.after.clone())),
            reason: None,
            findings: None,
        })
    }

    /// A line of JSON. Without a session of its own it has one that no other has.
    pub(super) fn read(line: &str, place: &str) -> anyhow::Result<Self> {
        let line: Line = serde_json::from_str(line)?;
        if !EXPECTATIONS.contains(&line.expects.as_str()) {
            let known = EXPECTATIONS.join(", ");
            bail!("expects is one of {known}, not {}", line.expects);
        }
        let (
            Shown {
                mut envelope,
                mut view,
            },
            after,
        ) = line.shown()?;
        envelope.session = line.session.as_deref().unwrap_or(place).into();
        if let Some(server) = &line.server {
            envelope.server = server.as_str().into();
        }
        if let Some(method) = &line.method {
            envelope.method = method.as_str().into();
        }
        if let Some(kind) = &line.kind {
            envelope.kind =
                Kind::from_name(kind).with_context(|| format!("there is no kind {kind}"))?;
        }
        if let Some(subject) = &line.subject {
            envelope.subject = Some(subject.as_str().into());
        }
        if let Some(params) = &line.request {
            let params = params.to_string();
            view.request = Some(Message::request("1", &envelope.method, Some(&params)));
        }
        Ok(Self {
            name: line.name,
            envelope,
            view,
            expects: line.expects,
            after,
            reason: line.reason,
            findings: line.findings,
        })
    }
}

impl Line {
    /// The message, and what is to be left of it.
    fn shown(&self) -> anyhow::Result<(Shown, Option<After>)> {
        let after = self.after.clone();
        match (&self.text, &self.texts, &self.message) {
            (Some(text), None, None) => {
                let way = match self.direction {
                    Some(Direction::ToServer) => Way::ToServer,
                    _ => Way::ToClient,
                };
                let after = match after {
                    None => None,
                    Some(Value::String(text)) => Some(After::Text(Shown::pointer(way), text)),
                    Some(_) => bail!("what is left of a text is a text"),
                };
                Ok((Shown::text(text, way)?, after))
            }
            (None, Some(texts), None) => {
                let example = Example {
                    method: self.method.clone().unwrap_or_else(|| "tools/call".into()),
                    kind: self.kind.clone().unwrap_or_else(|| "response".into()),
                    direction: self.direction.unwrap_or(Direction::ToClient),
                    texts: texts.clone(),
                    expects: self.expects.clone(),
                    after: Vec::new(),
                };
                let (envelope, view) = example.shown()?;
                let after = after.map(serde_json::from_value).transpose();
                let after = after.context("what is left of texts are as many texts")?;
                Ok((Shown { envelope, view }, after.map(After::Texts)))
            }
            (None, None, Some(message)) => {
                let message = Message::parse(Bytes::from(message.to_string()))?;
                let usual = match message.kind() {
                    message::Kind::Request => Direction::ToServer,
                    _ => Direction::ToClient,
                };
                let direction = self.direction.unwrap_or(usual);
                Ok((
                    Shown::message(message, direction)?,
                    after.map(After::Payload),
                ))
            }
            _ => bail!("a case has a text, texts or a message, and one of them only"),
        }
    }
}

impl Case {
    /// The same message after it was changed.
    pub(super) fn changed(&self, message: Message) -> Option<MessageView> {
        let texts = Arc::new(message.texts().ok()?);
        Some(MessageView {
            message,
            texts,
            ..self.view.clone()
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_case_has_one_message_and_an_expectation() {
        let refused = |line: &str| Case::read(line, "x").err().unwrap().to_string();
        assert!(
            refused(r#"{"text":"a","texts":[],"expects":"pass"}"#).contains("one of them only")
        );
        assert!(refused(r#"{"expects":"pass"}"#).contains("one of them only"));
        assert!(refused(r#"{"text":"a","expects":"mask"}"#).contains("expects is one of pass"));
        assert!(refused(r#"{"text":"a","expects":"pass","afer":"b"}"#).contains("afer"));
        assert!(refused(r#"{"text":"a","kind":"result","expects":"pass"}"#).contains("no kind"));
    }

    #[test]
    fn cases_share_a_session_only_if_they_name_it() {
        let session = |line: &str, place| Case::read(line, place).ok().unwrap().envelope.session;
        let alone = r#"{"text":"a","expects":"pass"}"#;
        assert_ne!(session(alone, "f:1"), session(alone, "f:2"));
        let named = r#"{"text":"a","expects":"pass","session":"s"}"#;
        assert_eq!(session(named, "f:1"), session(named, "f:2"));
    }
}
