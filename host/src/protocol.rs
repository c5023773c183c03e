//! The two eras of MCP, and how a message of one becomes a message of the
//! other.
//!
//! Up to revision 2025-11-25 a session is opened by `initialize` (*legacy*).
//! From 2026-07-28 on there are no sessions: each request carries in its `_meta`
//! what the server must know of the client (*modern*). A gateway meets clients
//! and servers of both. Where the two ends are of one era, messages pass as they
//! are; where they are not, each is put into the words of the other before the
//! guardrails see it, so that these see what is delivered.

mod answer;
mod hello;
mod mirrored;
mod request;
mod severity;

pub use answer::{answer_for_legacy, answer_for_modern, is_input_required};
pub use hello::Hello;
pub use mirrored::Mirrored;
pub use request::{for_legacy, for_modern, with_meta, without_meta};
pub use severity::Severity;

use crate::message::Message;

/// The newest modern revision.
pub const MODERN: &str = "2026-07-28";

/// The newest legacy revision.
pub const LEGACY: &str = "2025-11-25";

/// The modern revisions that the gateway speaks.
pub const MODERN_VERSIONS: &[&str] = &[MODERN];

/// JSON-RPC errors of the modern era.
pub mod code {
    /// The request's revision is not spoken here.
    pub const UNSUPPORTED_VERSION: i64 = -32022;
    /// The client lacks a capability that the request needs.
    pub const MISSING_CAPABILITY: i64 = -32021;
    /// A legacy server does not know a resource; modern ones say "invalid params".
    pub(super) const RESOURCE_NOT_FOUND: i64 = -32002;
    /// A legacy server wants the person to visit a page first.
    pub(super) const URL_ELICITATION_REQUIRED: i64 = -32042;
}

/// Keys of `_meta` that the protocol reserves, as the last part of a JSON
/// Pointer.
pub mod meta {
    /// A request's revision.
    pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol~1protocolVersion";
    /// Who sends a request.
    pub const CLIENT_INFO: &str = "io.modelcontextprotocol~1clientInfo";
    /// What the sender of a request is able to do.
    pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol~1clientCapabilities";
    /// The least severe log messages that a request's sender wants.
    pub const LOG_LEVEL: &str = "io.modelcontextprotocol~1logLevel";
    /// Who answers.
    pub const SERVER_INFO: &str = "io.modelcontextprotocol~1serverInfo";
    /// The request to listen that a notification belongs to.
    pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol~1subscriptionId";
}

/// One of the two ways in which client and server come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Era {
    /// A session that `initialize` opens.
    Legacy,
    /// Requests that stand for themselves.
    Modern,
}

/// What lies between a client and a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bridge {
    /// Nothing: both are of one era.
    None,
    /// The client is legacy, the server modern.
    ToModern,
    /// The client is modern, the server legacy.
    ToLegacy,
}

impl Bridge {
    /// What lies between these two.
    pub fn between(client: Era, server: Era) -> Self {
        match (client, server) {
            (Era::Legacy, Era::Modern) => Self::ToModern,
            (Era::Modern, Era::Legacy) => Self::ToLegacy,
            _ => Self::None,
        }
    }
}

/// Where in its params a request names what its `Mcp-Name` header repeats;
/// `None` for a method that has no such header.
pub fn named_in_header(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("/name"),
        "resources/read" => Some("/uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("/taskId"),
        _ => None,
    }
}

/// The JSON text of a server's name and version, from what it says about itself in either
/// era.
pub fn server_info(introduction: &Message) -> Option<&str> {
    let legacy = introduction.value("/serverInfo");
    legacy.or_else(|| introduction.value(&pointer(meta::SERVER_INFO)))
}

/// The pointer to a key of a payload's `_meta`.
fn pointer(key: &str) -> String {
    format!("/_meta/{key}")
}
