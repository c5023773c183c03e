//! The one way through: a message is admitted by the chain, or refused.
//!
//! The writers of both sides take nothing but [`Admitted`], and only this
//! module makes it, so no message can pass by forgetting to check it.

mod refusal;

pub use refusal::{Refusal, Word, tool_error};

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::chain::{Chain, Circumstances};
use crate::guardrail::{Direction, Envelope, Kind};
use crate::message::{self, Message};

/// A message that the chain let pass, as the chain left it. It can be read, and
/// be given the id that it has on its next hop.
#[derive(Debug, Clone)]
pub struct Cleared(Message);

/// A message that may be written to a peer.
#[derive(Debug, Clone)]
pub struct Admitted {
    /// What stands before the id, the id, and what stands after it; a message
    /// whose id stays has one part.
    parts: [Bytes; 3],
    kind: message::Kind,
    about: Option<Arc<str>>,
    /// The requests that a batch answers.
    answered: Option<Arc<[Arc<str>]>>,
}

/// Passes a message through the chain.
pub async fn admit(
    chain: &Chain,
    envelope: &Envelope,
    message: Message,
    circumstances: &Circumstances,
) -> Result<Cleared, Refusal> {
    if !chain.concerns(
        &envelope.server,
        &envelope.method,
        envelope.kind,
        envelope.direction,
    ) {
        return Ok(Cleared(message));
    }
    chain
        .judge(envelope, message, circumstances)
        .await
        .map(Cleared)
        .map_err(|block| Refusal::new(envelope, block))
}

/// Passes a line that a server wrote for a person through the chain. What comes
/// back may be logged; `None` may not.
pub async fn admit_log_line(chain: &Chain, envelope: &Envelope, line: String) -> Option<String> {
    if !chain.concerns(
        &envelope.server,
        &envelope.method,
        envelope.kind,
        envelope.direction,
    ) {
        return Some(line);
    }
    let quoted = message::quote(&line);
    let message = Message::notification(&envelope.method, Some(&quoted));
    let judged = chain
        .judge(envelope, message, &Circumstances::default())
        .await;
    judged
        .ok()?
        .payload()
        .and_then(message::string)
        .map(|line| line.into_owned())
}

/// The envelope of a line that a server wrote for a person.
pub fn log_line_envelope(session: &Arc<str>, server: &Arc<str>) -> Envelope {
    Envelope {
        session: Arc::clone(session),
        exchange: None,
        server: Arc::clone(server),
        method: "log-line".into(),
        kind: Kind::LogLine,
        direction: Direction::ToClient,
        subject: None,
    }
}

impl Cleared {
    /// The message, to be read.
    pub fn message(&self) -> &Message {
        &self.0
    }

    /// Ready to be written with the id that it has on its next hop.
    pub fn with_id(self, id: &str) -> Admitted {
        match self.0.split_at_id() {
            Some((before, after)) => Admitted {
                parts: [before, Bytes::copy_from_slice(id.as_bytes()), after],
                kind: self.0.kind(),
                about: None,
                answered: None,
            },
            None => self.as_is(),
        }
    }

    /// Ready to be written as it is.
    pub fn as_is(self) -> Admitted {
        Admitted::whole(self.0)
    }

    /// The message with a name or a token in it replaced by what it is called
    /// on its next hop.
    pub fn renamed(self, path: &[&str], value: &str) -> Result<Self, message::PathError> {
        self.0.with_payload_member(path, value).map(Self)
    }
}

impl Admitted {
    /// A message that the gateway made itself: of its own words, and of what
    /// was cleared. Whoever calls this vouches that nothing else is in it.
    pub fn own(message: Message) -> Self {
        Self::whole(message)
    }

    /// The same as part of what belongs to a request of the peer: its answer,
    /// its progress, what is asked of the peer meanwhile. The id is the
    /// peer's, as it is written.
    #[must_use]
    pub fn about(self, id: Option<Arc<str>>) -> Self {
        Self { about: id, ..self }
    }

    /// The peer's request that it belongs to, if that is known.
    pub fn belongs_to(&self) -> Option<&Arc<str>> {
        self.about.as_ref()
    }

    /// The peer's requests that it answers.
    pub fn answered(&self) -> &[Arc<str>] {
        match (&self.answered, self.kind) {
            (Some(answered), _) => answered,
            (None, message::Kind::Response | message::Kind::Error) => self.about.as_slice(),
            (None, message::Kind::Request | message::Kind::Notification) => &[],
        }
    }

    /// What it is, by JSON-RPC; a batch of answers counts as one.
    pub fn kind(&self) -> message::Kind {
        self.kind
    }

    /// Several messages as one batch.
    pub(crate) fn together(messages: &[Self]) -> Self {
        let length: usize = messages.iter().map(|message| message.len() + 1).sum();
        let mut batch = Vec::with_capacity(length + 1);
        for (index, message) in messages.iter().enumerate() {
            batch.push(if index == 0 { b'[' } else { b',' });
            for part in &message.parts {
                batch.extend_from_slice(part);
            }
        }
        batch.push(b']');
        Self {
            parts: [batch.into(), Bytes::new(), Bytes::new()],
            kind: message::Kind::Response,
            about: messages.first().and_then(|first| first.about.clone()),
            answered: Some(messages.iter().filter_map(|it| it.about.clone()).collect()),
        }
    }

    /// How many bytes it is.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(Bytes::len).sum()
    }

    /// What is to be written, one part after the other.
    pub(crate) fn parts(&self) -> &[Bytes; 3] {
        &self.parts
    }

    /// What is to be written, in one piece.
    pub fn bytes(&self) -> Bytes {
        match &self.parts {
            [whole, middle, end] if middle.is_empty() && end.is_empty() => whole.clone(),
            parts => {
                let mut bytes = BytesMut::with_capacity(self.len());
                for part in parts {
                    bytes.extend_from_slice(part);
                }
                bytes.freeze()
            }
        }
    }

    /// The same for one of several peers that share a connection, each of which
    /// has its own words for what is called `shared` there: the id of an answer,
    /// and members of the payload.
    #[must_use]
    pub fn for_sharer(self, shared: &str, id: &str, members: &[(&[&str], &str)]) -> Self {
        if members.is_empty() && self.parts[1] == shared {
            let [before, _, after] = self.parts;
            let id = Bytes::copy_from_slice(id.as_bytes());
            return Self {
                parts: [before, id, after],
                ..self
            };
        }
        let Ok(mut message) = Message::parse(self.bytes()) else {
            return self;
        };
        for (path, value) in members {
            if message.payload_member(path) == Some(shared) {
                message = message.with_payload_member(path, value).unwrap_or(message);
            }
        }
        let cleared = Cleared(message);
        let admitted = match self.kind {
            message::Kind::Response | message::Kind::Error => cleared.with_id(id),
            message::Kind::Request | message::Kind::Notification => cleared.as_is(),
        };
        admitted.about(self.about)
    }

    fn whole(message: Message) -> Self {
        Self {
            kind: message.kind(),
            parts: [message.raw(), Bytes::new(), Bytes::new()],
            about: None,
            answered: None,
        }
    }
}
