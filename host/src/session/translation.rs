//! How an answer becomes one of the asking side's era, before anybody sees it.

use std::sync::Arc;

use super::failure::Failure;
use crate::message::Message;
use crate::protocol::{self, Bridge};
use crate::upstream::Ready;

/// How an answer becomes one of the asking side's era.
#[derive(Debug, Clone)]
pub(super) enum Translation {
    /// Both are of one era.
    None,
    /// A modern server answers a legacy client.
    ForLegacy {
        /// The revision that the client asked for.
        version: Arc<str>,
    },
    /// A legacy server answers a modern client.
    ForModern {
        /// The JSON text of the server's name and version, if it is known yet.
        server_info: Option<Arc<str>>,
    },
}

impl Translation {
    /// How answers of a server are translated.
    pub(super) fn of(ready: &Ready) -> Self {
        match ready.bridge {
            Bridge::None => Self::None,
            Bridge::ToModern => Self::ForLegacy {
                version: ready.client.version().into(),
            },
            Bridge::ToLegacy => Self::ForModern {
                server_info: ready.server_info().map(Into::into),
            },
        }
    }

    /// The answer to a request of this method, in the asking side's words.
    pub(super) fn apply(&self, method: &str, answer: Message) -> Result<Message, Failure> {
        Ok(match self {
            Self::None => answer,
            Self::ForLegacy { .. } if protocol::is_input_required(&answer) => {
                return Err(Failure::InputRequired(answer));
            }
            Self::ForLegacy { version } => protocol::answer_for_legacy(method, answer, version)?,
            Self::ForModern { server_info } => {
                protocol::answer_for_modern(method, answer, server_info.as_deref())?
            }
        })
    }
}
