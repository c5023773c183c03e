//! What is known about a message besides its content.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::types;
use crate::message;

/// What a guardrail is told about a message.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The client connection that it belongs to.
    pub session: Arc<str>,
    /// Pairs a request with its progress and its response.
    pub exchange: Option<u64>,
    /// The server, as the configuration names it.
    pub server: Arc<str>,
    /// The method, or the method that it answers.
    pub method: Arc<str>,
    /// What kind of message it is.
    pub kind: Kind,
    /// Which way it travels.
    pub direction: Direction,
    /// The tool, prompt or resource that it is about.
    pub subject: Option<Arc<str>>,
}

impl Envelope {
    /// The same message before it is written down or shown: whichever way it travels, what
    /// is hidden from a client is hidden there.
    #[must_use]
    pub fn for_record(&self) -> Self {
        Self {
            kind: Kind::Record,
            direction: Direction::ToClient,
            ..self.clone()
        }
    }
}

/// What kind of message it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A JSON-RPC request.
    Request,
    /// The result of a request.
    Response,
    /// The failure of a request.
    Error,
    /// A JSON-RPC notification.
    Notification,
    /// A line that a server wrote for a person.
    LogLine,
    /// What is about to be written to the journal.
    Record,
}

/// Which way a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the client to a server.
    ToServer,
    /// From a server to the client.
    ToClient,
}

impl Kind {
    /// All kinds that there are.
    pub(super) const ALL: [Self; 6] = [
        Self::Request,
        Self::Response,
        Self::Error,
        Self::Notification,
        Self::LogLine,
        Self::Record,
    ];

    /// As the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Response => "response",
            Self::Error => "error",
            Self::Notification => "notification",
            Self::LogLine => "log-line",
            Self::Record => "record",
        }
    }

    /// The kind that the contract writes so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl Direction {
    /// As the contract writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToServer => "to-server",
            Self::ToClient => "to-client",
        }
    }
}

impl From<message::Kind> for Kind {
    fn from(kind: message::Kind) -> Self {
        match kind {
            message::Kind::Request => Self::Request,
            message::Kind::Response => Self::Response,
            message::Kind::Error => Self::Error,
            message::Kind::Notification => Self::Notification,
        }
    }
}

impl From<types::Direction> for Direction {
    fn from(raw: types::Direction) -> Self {
        match raw {
            types::Direction::ToServer => Self::ToServer,
            types::Direction::ToClient => Self::ToClient,
        }
    }
}

impl From<Direction> for types::Direction {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::ToServer => Self::ToServer,
            Direction::ToClient => Self::ToClient,
        }
    }
}
