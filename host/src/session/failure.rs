//! Why a request has no answer to pass on, and what is answered instead.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::ErrorCode;

use super::asked::TooMany;
use super::limits;
use crate::gate::{self, Refusal};
use crate::message::{self, Message, string};
use crate::pinning::Held;
use crate::protocol::{self, Era};
use crate::upstream::Unavailable;

/// The error code for what cannot be done now, of JSON-RPC 2.0's range for
/// implementations.
pub(super) const UNAVAILABLE: i64 = -32000;

/// Why a request has no answer to pass on.
#[derive(Debug)]
pub(super) enum Failure {
    /// The guardrails refused it or its answer.
    Refused(Box<Refusal>),
    /// Nobody is there to answer it.
    Unavailable(Unavailable),
    /// Nobody has worked on it, and somebody may be there to do so soon: it can
    /// be sent once more.
    Undelivered(Unavailable),
    /// It cannot be answered, as a JSON-RPC error.
    Protocol {
        code: i64,
        message: String,
        /// More about it, as a JSON text.
        data: Option<String>,
    },
    /// No answer came in time.
    Late { limit: Duration, text: String },
    /// It became longer than a message may be.
    TooLong { longest: usize },
    /// Whoever asked waits for too much already.
    TooMany(TooMany),
    /// A person has to approve of it first.
    Unapproved { server: Arc<str>, held: Box<Held> },
    /// Whoever asked does not want to know any more.
    Cancelled,
    /// A modern server wants to know something first, which a legacy client must
    /// be asked for. Nobody has seen this answer yet.
    InputRequired(Message),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl From<TooMany> for Failure {
    fn from(too_many: TooMany) -> Self {
        Self::TooMany(too_many)
    }
}

impl From<Unavailable> for Failure {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

impl Failure {
    /// An error that somebody answered with, to be passed on.
    pub(super) fn of_error(error: &Message) -> Self {
        let code = error.value("/code").and_then(|code| code.parse().ok());
        let text = error.value("/message").and_then(string);
        Self::Protocol {
            code: code.unwrap_or(ErrorCode::INTERNAL_ERROR.0.into()),
            message: text.unwrap_or_default().into_owned(),
            data: error.value("/data").map(str::to_owned),
        }
    }

    /// Whether a server turned a revision down and offers it in the same breath:
    /// it wants to be asked again.
    pub(super) fn offers_modern(&self) -> bool {
        let Self::Protocol {
            code: protocol::code::UNSUPPORTED_VERSION,
            data: Some(data),
            ..
        } = self
        else {
            return false;
        };
        let supported = message::unique_member(data, "supported").ok().flatten();
        let versions = supported.and_then(|it| message::elements(it).ok());
        versions.is_some_and(|versions| {
            let mut versions = versions.into_iter().filter_map(string);
            versions.any(|version| version == protocol::MODERN)
        })
    }

    /// What kind of failure it is, without the words of a server.
    pub(super) fn kind(&self) -> String {
        match self {
            Self::Refused(_) => "a guardrail refused it".into(),
            Self::Unavailable(unavailable) | Self::Undelivered(unavailable) => {
                unavailable.reason.to_string()
            }
            Self::Protocol { code, .. } => format!("it answered with error {code}"),
            Self::Late { .. } => "it did not answer in time".into(),
            Self::TooMany(too_many) => too_many.to_string(),
            Self::Unapproved { .. } => "a person has to approve of it first".into(),
            Self::TooLong { .. } => "the guardrails made it too long".into(),
            Self::Cancelled => "it was cancelled".into(),
            Self::InputRequired(_) => "it asked for input".into(),
        }
    }

    /// The answer to a request that failed so; none is due once it was
    /// cancelled.
    pub(super) fn answer(&self, id: &str, method: &str, era: Era) -> Option<Message> {
        let text = match self {
            Self::Refused(refusal) => return Some(refusal.answer(id, era)),
            Self::Protocol {
                code,
                message,
                data,
            } => return Some(Message::error(id, *code, message, data.as_deref())),
            Self::InputRequired(_) => {
                return Some(Message::error(
                    id,
                    ErrorCode::INTERNAL_ERROR.0.into(),
                    "the server asked for input where it may not",
                    None,
                ));
            }
            Self::TooMany(too_many) => {
                let text = too_many.to_string();
                return Some(Message::error(id, UNAVAILABLE, &text, None));
            }
            Self::Cancelled => return None,
            Self::Unavailable(unavailable) | Self::Undelivered(unavailable) => {
                unavailable.to_string()
            }
            Self::Late { text, .. } => text.clone(),
            Self::Unapproved { server, held } => format!(
                "{} of server {server:?} is withheld: {}. Trying again will not help; \
                 a person can look at it and approve with `mcp-gateway pin review`",
                held.offer.described(&held.name),
                held.why
            ),
            Self::TooLong { longest } => limits::too_long(*longest),
        };
        Some(if method == "tools/call" {
            gate::tool_error(id, &text, era)
        } else {
            Message::error(id, UNAVAILABLE, &text, None)
        })
    }
}
