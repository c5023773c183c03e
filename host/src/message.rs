//! One JSON-RPC message, kept as the bytes it came in.
//!
//! A gateway that reads a message into typed models and writes it out again
//! loses what the models do not know. So a [`Message`] stays the line of JSON
//! that it was; what the gateway needs of it (its kind, method, id and payload)
//! is remembered as places in that line. Guardrails see the payload's strings
//! as [`Texts`], and what they change is spliced into the line: a byte that
//! nobody edited leaves as it came.
//!
//! Nothing in here recurses, so no depth of nesting can exhaust the stack, and
//! nothing reads a JSON value into a model, so numbers of any size, lone
//! surrogates and repeated keys pass unharmed.

mod encoded;
mod envelope;
mod escape;
pub mod json;
mod make;
mod patch;
mod place;
mod pointer;
mod redact;
mod scan;
mod texts;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod properties;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

pub use envelope::ParseError;
pub use json::{elements, members, one_line, quote, replace_within, string, unique_member};
pub use patch::{PatchError, PatchOp};
pub use place::{Place, Role};
pub use pointer::PathError;
pub use redact::{Edit, EditError};
pub use texts::{SpanError, Texts, TooLong};

/// One JSON-RPC message. A clone is cheap and shares the bytes.
#[derive(Clone)]
pub struct Message(Arc<Inner>);

/// What a message is, by JSON-RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Has a method and an id: somebody waits for the answer.
    Request,
    /// Has a method and no id: nobody answers it.
    Notification,
    /// Answers a request with a result.
    Response,
    /// Answers a request with an error, or reports one that belongs to none.
    Error,
}

/// The line and the places in it, as ranges of bytes.
#[derive(Clone)]
struct Inner {
    line: String,
    kind: Kind,
    /// Unescaped, so it need not be part of the line.
    method: Option<Arc<str>>,
    id: Option<Range<usize>>,
    payload: Option<Range<usize>>,
    other_members: bool,
}

impl Message {
    /// Reads one line without its line end.
    ///
    /// # Errors
    /// When it is no message, or one that two parsers could read differently.
    pub fn parse(raw: Bytes) -> Result<Self, ParseError> {
        envelope::parse_line(raw.into()).map(Self::from)
    }

    /// What the message is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The method of a request or notification, unescaped.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.0.method.as_deref()
    }

    /// The id as it is written: a JSON string literal or a number. Absent for
    /// notifications, and for errors whose id is null or missing.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.part(self.0.id.as_ref())
    }

    /// The JSON text of `params`, `result` or `error`.
    #[must_use]
    pub fn payload(&self) -> Option<&str> {
        self.part(self.0.payload.as_ref())
    }

    /// Whether the message has top-level members that JSON-RPC does not know.
    /// They are forwarded, but are no part of the payload, so no guardrail sees
    /// them: the gate decides whether such a message may pass.
    #[must_use]
    pub fn has_other_members(&self) -> bool {
        self.0.other_members
    }

    /// The whole line, without a line end.
    #[must_use]
    pub fn line(&self) -> &str {
        &self.0.line
    }

    /// The whole line for a writer, without copying it.
    #[must_use]
    pub fn raw(&self) -> Bytes {
        Bytes::from_owner(self.clone())
    }

    /// What precedes the id and what follows it, so that a writer can put
    /// another id between the two without copying. Absent if there is no id.
    #[must_use]
    pub fn split_at_id(&self) -> Option<(Bytes, Bytes)> {
        let id = self.0.id.clone()?;
        let raw = self.raw();
        Some((raw.slice(..id.start), raw.slice(id.end..)))
    }

    /// Every string of the payload, values and object keys, unescaped.
    ///
    /// # Errors
    /// When the payload is too long for the 32-bit offsets of a text.
    pub fn texts(&self) -> Result<Texts, TooLong> {
        Texts::of(self)
    }

    /// The JSON text at a JSON Pointer (RFC 6901) into the payload. Of a key
    /// that stands twice, the last counts, as it does for the JSON parsers of
    /// JavaScript and Python.
    #[must_use]
    pub fn value(&self, pointer: &str) -> Option<&str> {
        pointer::value(self.payload()?, pointer)
    }

    fn part(&self, range: Option<&Range<usize>>) -> Option<&str> {
        range.and_then(|range| self.0.line.get(range.clone()))
    }

    /// What precedes the payload in the line, the payload, and what follows it.
    fn around_payload(&self) -> Option<(&str, &str, &str)> {
        let payload = self.0.payload.clone()?;
        let (head, tail) = self.0.line.split_at_checked(payload.end)?;
        let (head, payload) = head.split_at_checked(payload.start)?;
        Some((head, payload, tail))
    }

    /// The same message with a line whose payload, and nothing else, differs.
    fn with_line(&self, line: String) -> Self {
        let old = &*self.0;
        let shift = |at: usize| (at + line.len()).saturating_sub(old.line.len());
        let payload = old.payload.clone().map(|it| it.start..shift(it.end));
        let id = old.id.clone().map(|id| match &old.payload {
            Some(payload) if payload.start < id.start => shift(id.start)..shift(id.end),
            _ => id,
        });
        Self::from(Inner {
            kind: old.kind,
            method: old.method.clone(),
            other_members: old.other_members,
            id,
            payload,
            line,
        })
    }
}

impl Kind {
    /// The name that guardrails, configuration and logs use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Notification => "notification",
            Self::Response => "response",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Inner> for Message {
    fn from(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }
}

/// The whole line, as [`Message::line`].
impl AsRef<[u8]> for Message {
    fn as_ref(&self) -> &[u8] {
        self.0.line.as_bytes()
    }
}

/// Tells messages apart without telling what is in them: a payload has no
/// place in a log.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("kind", &self.kind())
            .field("method", &self.method())
            .field("id", &self.id())
            .field("length", &self.0.line.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
