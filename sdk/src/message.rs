//! The message that is being checked.

use std::iter::FusedIterator;
use std::ops::Deref;
use std::time::Duration;

use crate::bindings::mcp_gateway::guardrail::{journal, keys, message as raw, types};
use crate::testing::Gateway;
use crate::{Content, Direction, EarlierFinding, Place, Scope, State};

/// The message that is being checked: its envelope, its texts, and on request a closer look.
///
/// The closer look ([`place`](Self::place) and what follows it) asks the gateway, which costs time.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    envelope: &'a types::Envelope,
    texts: &'a types::Texts,
    details: &'a dyn Details,
}

/// What the gateway is asked for only when it is needed; a seam, so that native tests need no gateway.
pub(crate) trait Details {
    fn place(&self, text: u32) -> Option<Place>;
    fn payload(&self) -> Option<String>;
    fn value(&self, pointer: &str) -> Option<String>;
    fn request(&self) -> Option<String>;
    fn earlier_findings(&self) -> Vec<EarlierFinding>;
    fn elapsed(&self) -> u64;

    /// The message of a real gateway.
    fn raw(&self) -> Option<&raw::Message> {
        None
    }

    /// What stands in for the gateway where there is none.
    fn gateway(&self) -> Option<&Gateway> {
        None
    }
}

impl<'a> Message<'a> {
    pub(crate) fn new(
        envelope: &'a types::Envelope,
        texts: &'a types::Texts,
        details: &'a dyn Details,
    ) -> Self {
        Self {
            envelope,
            texts,
            details,
        }
    }

    /// The client connection that the message belongs to. Opaque; two connections never share it.
    pub fn session(&self) -> &'a str {
        &self.envelope.session
    }

    /// Pairs a request with its progress notifications and its response.
    pub fn exchange(&self) -> Option<u64> {
        self.envelope.exchange
    }

    /// The server, as the gateway's configuration names it.
    pub fn server(&self) -> &'a str {
        &self.envelope.server
    }

    /// The MCP method, such as `tools/call`; for a response or an error, the method that it answers.
    pub fn method(&self) -> &'a str {
        &self.envelope.method
    }

    /// `request`, `response`, `error`, `notification`, `log-line` or `record` (what is about to be written to the
    /// journal). The set may grow: let what you do not know pass.
    pub fn kind(&self) -> &'a str {
        &self.envelope.kind
    }

    /// Which way the message travels.
    pub fn direction(&self) -> Direction {
        self.envelope.direction
    }

    /// The tool's or prompt's name as the server knows it, or the resource's URI.
    pub fn subject(&self) -> Option<&'a str> {
        self.envelope.subject.as_deref()
    }

    /// Every string of the payload, values and object keys, in document order;
    /// text in base64 is decoded. Numbers of seven digits or more are texts, too.
    pub fn texts(&self) -> Texts<'a> {
        Texts {
            joined: &self.texts.joined,
            ends: &self.texts.ends,
            index: 0,
            start: 0,
        }
    }

    /// Where the text with this [index](Text::index) stands.
    pub fn place(&self, text: usize) -> Option<Place> {
        self.details.place(u32::try_from(text).ok()?)
    }

    /// The payload: the JSON text of `params`, `result` or `error`.
    pub fn payload(&self) -> Option<String> {
        self.details.payload()
    }

    /// The JSON text of the value at a JSON Pointer (RFC 6901) into the payload.
    pub fn value(&self, pointer: &str) -> Option<String> {
        self.details.value(pointer)
    }

    /// For a response, an error or a progress notification: the JSON text of its request's `params`, as sent on.
    pub fn request(&self) -> Option<String> {
        self.details.request()
    }

    /// What the earlier guardrails of the chain found in this message.
    pub fn earlier_findings(&self) -> Vec<EarlierFinding> {
        self.details.earlier_findings()
    }

    /// For a response or an error: the time since its request was sent on. Zero for any other message.
    pub fn elapsed(&self) -> Duration {
        Duration::from_micros(self.details.elapsed())
    }

    /// What the guardrail keeps in the gateway for this session, or for all. The configuration has to grant it:
    /// `grant = { state = true }`.
    pub fn state(&self, scope: Scope) -> State<'a> {
        State::new(scope, self.session(), self.stand_in())
    }

    /// A secret key of the guardrail's own for a purpose, 32 bytes: one for this session, or one for all that stays
    /// the same when the gateway is started anew. The configuration has to grant it: `grant = { keys = true }`.
    ///
    /// In examples, and under a native test, keys are the same everywhere.
    pub fn key(&self, scope: Scope, purpose: &str) -> Vec<u8> {
        #[cfg(not(target_family = "wasm"))]
        if let Some(gateway) = self.stand_in() {
            let session = matches!(scope, Scope::Session).then(|| self.session());
            return gateway.key(session, purpose);
        }
        keys::derive(scope, purpose)
    }

    /// Says what the gateway keeps of this message, a request or its answer, in the record of its exchange; nothing if
    /// there is no content. The configuration has to grant it: `grant = { journal = true }`.
    ///
    /// # Errors
    /// The journal cannot be written at present. A guardrail that returns this lets nothing pass unrecorded, unless it
    /// is configured to.
    pub fn keep(&self, content: Option<Content>) -> Result<(), String> {
        if let Some(gateway) = self.stand_in() {
            gateway.keep(content);
            return Ok(());
        }
        match self.details.raw() {
            Some(message) => journal::keep(message, content.as_ref()),
            None => Ok(()),
        }
    }

    /// Known to be none in a component, so that one which keeps nothing has none of this in it.
    fn stand_in(&self) -> Option<&'a Gateway> {
        match cfg!(target_family = "wasm") {
            true => None,
            false => self.details.gateway(),
        }
    }
}

/// One text of a message. Use it like a `&str`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    index: usize,
    start: usize,
    text: &'a str,
}

impl<'a> Text<'a> {
    /// Its number among the message's texts, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// The text itself.
    pub fn as_str(&self) -> &'a str {
        self.text
    }

    /// Where the text starts in the message's joined texts.
    pub(crate) fn start(&self) -> usize {
        self.start
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.text
    }
}

/// The texts of a message, one after the other.
#[derive(Debug, Clone)]
pub struct Texts<'a> {
    joined: &'a str,
    ends: &'a [u32],
    index: usize,
    start: usize,
}

impl<'a> Iterator for Texts<'a> {
    type Item = Text<'a>;

    fn next(&mut self) -> Option<Text<'a>> {
        let (index, start) = (self.index, self.start);
        let end = usize::try_from(*self.ends.get(index)?).ok()?;
        let text = self.joined.get(start..end)?;
        (self.index, self.start) = (index + 1, end);
        Some(Text { index, start, text })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.ends.len() - self.index;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Texts<'_> {}
impl FusedIterator for Texts<'_> {}

impl Details for raw::Message {
    fn raw(&self) -> Option<&raw::Message> {
        Some(self)
    }

    fn place(&self, text: u32) -> Option<Place> {
        self.place(text)
    }

    fn payload(&self) -> Option<String> {
        self.payload()
    }

    fn value(&self, pointer: &str) -> Option<String> {
        self.value(pointer)
    }

    fn request(&self) -> Option<String> {
        self.request()
    }

    fn earlier_findings(&self) -> Vec<EarlierFinding> {
        self.earlier_findings()
    }

    fn elapsed(&self) -> u64 {
        self.elapsed()
    }
}
