//! Messages that nobody sent, as a guardrail is shown them.

use std::sync::Arc;

use anyhow::Context;

use crate::capability::message::MessageView;
use crate::cli::Way;
use crate::guardrail::{Direction, Envelope, Kind};
use crate::message::{Message, quote};

/// The session of all these messages; no client's is named so.
pub(super) const SESSION: &str = "workbench";

/// What most messages are about.
const METHOD: &str = "tools/call";

/// A message, and what is known about it.
pub(super) struct Shown {
    pub(super) envelope: Envelope,
    pub(super) view: MessageView,
}

impl Shown {
    /// A message that belongs to a call of a tool.
    pub(super) fn message(message: Message, direction: Direction) -> anyhow::Result<Self> {
        let texts = message.texts().context("it is too long")?;
        let method = message.method().unwrap_or(METHOD);
        Ok(Self {
            envelope: Envelope {
                session: SESSION.into(),
                exchange: Some(1),
                server: SESSION.into(),
                method: method.into(),
                kind: Kind::from(message.kind()),
                direction,
                subject: (method == METHOD).then(|| "read_file".into()),
            },
            view: MessageView {
                message,
                texts: Arc::new(texts),
                request: None,
                earlier: Vec::new(),
                elapsed: 0,
                trail: None,
            },
        })
    }

    /// A text as the result of a tool, or as an argument of its call.
    pub(super) fn text(text: &str, way: Way) -> anyhow::Result<Self> {
        let text = quote(text);
        let message = match way {
            Way::ToClient => Message::result(
                "1",
                &format!(r#"{{"content":[{{"type":"text","text":{text}}}]}}"#),
            ),
            Way::ToServer => Message::request(
                "1",
                METHOD,
                Some(&format!(
                    r#"{{"name":"read_file","arguments":{{"text":{text}}}}}"#
                )),
            ),
        };
        Self::message(message, way.into())
    }

    /// Where the text stands that [`text`](Self::text) was given.
    pub(super) fn pointer(way: Way) -> &'static str {
        match way {
            Way::ToClient => "/content/0/text",
            Way::ToServer => "/arguments/text",
        }
    }
}

impl From<Way> for Direction {
    fn from(way: Way) -> Self {
        match way {
            Way::ToClient => Self::ToClient,
            Way::ToServer => Self::ToServer,
        }
    }
}
