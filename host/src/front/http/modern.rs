//! The modern era (from 2026-07-28 on): every request stands for itself, and
//! says itself who sends it.
//!
//! Requests of one client share a session, so that its servers need not start
//! for each. Its requests may come over many connections, and those of
//! programs that call themselves alike come together, so what they call a
//! request is replaced within the session by what the gateway calls it.

mod headers;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::StatusCode;
use hyper::header::HeaderMap;
use rmcp::model::{ErrorCode, ProtocolVersion};
use sha2::{Digest, Sha256};

use super::access::{bearer, text};
use super::answer::{self, Answer, PROTOCOL_VERSION, SESSION_ID};
use super::clients::{Clients, Key, Served};
use super::posted::Posted;
use super::sse;
use super::streams::{EventId, NoStream, Reader};
use crate::gate::Admitted;
use crate::message::{Kind, Message};
use crate::protocol::meta;
use crate::wire::Line;
use headers::{check, check_mirrored, said};

/// How long an answer may take to be sent by itself, not as an event: only then
/// can its status say what it is. Clients wait longer for a first byte.
const PROMPT: Duration = Duration::from_secs(10);

/// What is called by the id of a request within its session.
const PROGRESS_TOKEN: &[&str] = &["progressToken"];
const SUBSCRIPTION: &[&str] = &["_meta", "io.modelcontextprotocol/subscriptionId"];

/// What the next request is called within its session.
static LAST_ID: AtomicU64 = AtomicU64::new(0);

/// Whether a request without a body, or of a body that does not tell, is of
/// this era.
pub(super) fn is_named_in(headers: &HeaderMap) -> bool {
    let first = ProtocolVersion::NO_INITIALIZE;
    let version = text(headers, &PROTOCOL_VERSION);
    !headers.contains_key(SESSION_ID) && version.is_some_and(|it| it >= first.as_str())
}

/// Whether messages are of this era.
pub(super) fn is_spoken_in(headers: &HeaderMap, posted: &Posted) -> bool {
    posted.only().is_some_and(|message| {
        said(message, meta::PROTOCOL_VERSION).is_some()
            || (message.method() != Some("initialize") && is_named_in(headers))
    })
}

/// Takes a message of a client.
pub(super) async fn post(clients: &Arc<Clients>, headers: &HeaderMap, posted: Posted) -> Answer {
    let Some(request) = posted.only() else {
        return answer::invalid(
            ErrorCode::INVALID_REQUEST,
            "Invalid Request: no single message",
        );
    };
    match request.kind() {
        Kind::Request => {}
        Kind::Notification => {
            // The era has none over HTTP, and one for a request could not say
            // whose: ids are each client's own.
            tracing::debug!(method = request.method(), "dropped a notification");
            return answer::empty(StatusCode::ACCEPTED);
        }
        Kind::Response | Kind::Error => {
            let why = "Invalid Request: nobody asked; answers stand in inputResponses";
            return answer::invalid(ErrorCode::INVALID_REQUEST, why);
        }
    }
    if let Err(invalid) = check(headers, request) {
        return invalid.answer(request.id().unwrap_or("null"));
    }
    let key = Key::Identity(identity(headers, request));
    let mut exchange = loop {
        let served = match clients.find_or_open(key.clone()).await {
            Ok(served) => served,
            Err(error) => {
                return answer::refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string());
            }
        };
        if let Err(invalid) = check_mirrored(headers, request, &served.mirrored) {
            return invalid.answer(request.id().unwrap_or("null"));
        }
        match Exchange::open(served, request) {
            Ok(exchange) => break exchange,
            // It ended just now; the next one is another.
            Err(NoStream::Ended) => {}
            Err(error) => {
                return answer::refusal(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string());
            }
        }
    };
    exchange.send(request).await;
    let first = match tokio::time::timeout(PROMPT, exchange.next()).await {
        Err(_) => return answer::events(sse::body(Vec::new(), exchange)),
        Ok(None) => {
            let why = "the session that served this request has ended; send it again";
            return answer::refusal(StatusCode::SERVICE_UNAVAILABLE, why);
        }
        Ok(Some(message)) => message,
    };
    if exchange.answered {
        return answer::json(status(&first), &first);
    }
    let ready = vec![sse::event(None, &first.bytes())];
    answer::events(sse::body(ready, exchange))
}

/// One request and what comes back, until this is dropped. Whoever drops it
/// before the answer is there has cancelled it.
struct Exchange {
    served: Arc<Served>,
    reader: Reader,
    /// What the request is called within the session.
    called: Arc<str>,
    /// What the client calls it, and its progress.
    id: Box<str>,
    progress_token: Option<Box<str>>,
    /// Whether what comes back is named after the request.
    subscribes: bool,
    /// Whether what comes back says how tools are called.
    lists_tools: bool,
    answered: bool,
}

impl Exchange {
    fn open(served: Arc<Served>, request: &Message) -> Result<Self, NoStream> {
        let number = LAST_ID.fetch_add(1, Ordering::Relaxed) + 1;
        let called: Arc<str> = number.to_string().into();
        Ok(Self {
            reader: served.streams.open(&[Arc::clone(&called)])?,
            served,
            called,
            id: request.id().unwrap_or("null").into(),
            progress_token: request.value("/_meta/progressToken").map(Into::into),
            subscribes: request.method() == Some("subscriptions/listen"),
            lists_tools: request.method() == Some("tools/list"),
            answered: false,
        })
    }

    /// Learns what its client will repeat in headers.
    fn learn(&self, tools: &Admitted) {
        let (page, mirrored) = (tools.bytes(), &self.served.mirrored);
        if mirrored.concerns(&page)
            && let Ok(page) = Message::parse(page)
        {
            // It leaves as it is: clients are to leave out themselves what no
            // client can call.
            mirrored.learn("the gateway", page);
        }
    }

    async fn send(&self, request: &Message) {
        let renamed = match self.progress_token {
            Some(_) => request.with_payload_member(&["_meta", "progressToken"], &self.called),
            None => Ok(request.clone()),
        };
        // A token that cannot be replaced is none that anybody could read.
        let renamed = renamed.unwrap_or_else(|_| request.clone());
        let line = match renamed.split_at_id() {
            Some((before, after)) => {
                let length = before.len() + self.called.len() + after.len();
                let mut line = BytesMut::with_capacity(length);
                line.extend_from_slice(&before);
                line.extend_from_slice(self.called.as_bytes());
                line.extend_from_slice(&after);
                line.freeze()
            }
            None => renamed.raw(),
        };
        self.served.session.relay_client(Line::Whole(line)).await;
    }

    /// The next message, in the client's words.
    async fn next(&mut self) -> Option<Admitted> {
        let message = self.reader.next().await?.message;
        let answers = matches!(message.kind(), Kind::Response | Kind::Error);
        self.answered |= answers;
        if answers && self.lists_tools {
            self.learn(&message);
        }
        let mut members = Vec::new();
        if self.subscribes {
            members.push((SUBSCRIPTION, &*self.id));
        }
        if let Some(token) = self.progress_token.as_deref().filter(|_| !answers) {
            members.push((PROGRESS_TOKEN, token));
        }
        Some(message.for_sharer(&self.called, &self.id, &members))
    }
}

impl sse::Source for Exchange {
    async fn next(&mut self) -> Option<(Option<EventId>, Bytes)> {
        let message = Exchange::next(self).await?;
        Some((None, message.bytes()))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        let params = format!(r#"{{"requestId":{}}}"#, self.called);
        let cancelled = Message::notification("notifications/cancelled", Some(&params));
        let session = Arc::clone(&self.served.session);
        tokio::spawn(async move { session.relay_client(Line::Whole(cancelled.raw())).await });
    }
}

/// What is the same in all requests of one client, and in those of others only
/// if nobody can tell them apart: its token, who it says that it is, and what it
/// says that it can do.
fn identity(headers: &HeaderMap, request: &Message) -> [u8; 32] {
    let mut digest = Sha256::new();
    let token = bearer(headers);
    digest.update(token.as_ref().map_or(&[][..], |token| token.digest()));
    for key in [meta::CLIENT_INFO, meta::CLIENT_CAPABILITIES] {
        let canonical = canonical(said(request, key).unwrap_or("null"));
        digest.update(canonical.len().to_be_bytes());
        digest.update(canonical);
    }
    digest.finalize().into()
}

/// The same text for the same value, in whatever order its members stand.
fn canonical(json: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(json) {
        Ok(mut value) => {
            value.sort_all_objects();
            value.to_string()
        }
        Err(_) => json.to_owned(),
    }
}

/// The status of an answer, which tells those on the way what it is.
fn status(answer: &Admitted) -> StatusCode {
    if answer.kind() != Kind::Error {
        return StatusCode::OK;
    }
    let error = Message::parse(answer.bytes()).ok();
    let code = error.as_ref().and_then(|error| error.value("/code"));
    match code.and_then(|code| code.parse().ok()).map(ErrorCode) {
        Some(ErrorCode::METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        Some(
            ErrorCode::HEADER_MISMATCH
            | ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY
            | ErrorCode::UNSUPPORTED_PROTOCOL_VERSION,
        ) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_client_is_told_from_another() {
        let request = |meta: &str| {
            let params = format!(r#"{{"_meta":{{{meta}}}}}"#);
            Message::request("1", "tools/list", Some(&params))
        };
        let one = r#""io.modelcontextprotocol/clientInfo":{"name":"a","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"roots":{},"x":1}"#;
        let same = r#""io.modelcontextprotocol/clientCapabilities":{"x":1,"roots":{}}, "io.modelcontextprotocol/clientInfo":{"version":"1","name":"a"},"other":2"#;
        let other = r#""io.modelcontextprotocol/clientInfo":{"name":"b","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"roots":{},"x":1}"#;
        let bare = HeaderMap::new();
        let mut with_token = HeaderMap::new();
        with_token.insert("authorization", "Bearer t".parse().unwrap());
        let of = |headers: &HeaderMap, meta: &str| identity(headers, &request(meta));
        assert_eq!(of(&bare, one), of(&bare, same));
        assert_ne!(of(&bare, one), of(&bare, other));
        assert_ne!(of(&bare, one), of(&with_token, one));
    }
}
