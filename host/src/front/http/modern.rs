//! The modern era (from 2026-07-28 on): every request stands for itself, and
//! says itself who sends it.
//!
//! Requests of one client share a session, so that its servers need not start
//! for each. Its requests may come over many connections, and those of
//! programs that call themselves alike come together, so what they call a
//! request is replaced within the session by what the gateway calls it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName};
use rmcp::model::{ErrorCode, ProtocolVersion};
use sha2::{Digest, Sha256};

use super::access::{bearer, text};
use super::answer::{self, Answer, PROTOCOL_VERSION, SESSION_ID};
use super::clients::{Clients, Key, Served};
use super::posted::Posted;
use super::sse;
use super::streams::{EventId, NoStream, Reader};
use crate::gate::Admitted;
use crate::message::{Kind, Message, quote, string};
use crate::protocol::{MODERN_VERSIONS, meta};
use crate::wire::Line;

/// How long the status may wait for the first message: in this era it says what
/// an error is, which nobody can say any more once a stream has begun. A server
/// may have to start first.
const STATUS: Duration = Duration::from_secs(5);

const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// The methods whose requests name something in a header, and where in the
/// params it stands.
const NAMED: [(&str, &str); 6] = [
    ("tools/call", "/name"),
    ("prompts/get", "/name"),
    ("resources/read", "/uri"),
    ("tasks/get", "/taskId"),
    ("tasks/update", "/taskId"),
    ("tasks/cancel", "/taskId"),
];

/// What is called by the id of a request within its session.
const PROGRESS_TOKEN: &[&str] = &["progressToken"];
const SUBSCRIPTION: &[&str] = &["_meta", "io.modelcontextprotocol/subscriptionId"];

/// What the next request is called within its session.
static LAST_ID: AtomicU64 = AtomicU64::new(0);

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
enum Invalid {
    #[error("params._meta lacks {0}")]
    Incomplete(&'static str),
    #[error("Header mismatch: {header} does not say the same as the body's {part}")]
    Mismatch {
        header: &'static str,
        part: &'static str,
    },
    #[error("Unsupported protocol version")]
    Version(String),
    #[error("Method not found: initialize")]
    Initialize,
}

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
    let first = match tokio::time::timeout(STATUS, exchange.next()).await {
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
            answered: false,
        })
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

/// What a request says of its sender, as JSON.
fn said<'a>(request: &'a Message, key: &str) -> Option<&'a str> {
    request.value(&format!("/_meta/{key}"))
}

/// Whether the headers say what the body says, in a version that is served.
fn check(headers: &HeaderMap, request: &Message) -> Result<(), Invalid> {
    let version = said(request, meta::PROTOCOL_VERSION).and_then(string);
    let version = version.ok_or(Invalid::Incomplete(
        "io.modelcontextprotocol/protocolVersion",
    ))?;
    if said(request, meta::CLIENT_CAPABILITIES).is_none() {
        let part = "io.modelcontextprotocol/clientCapabilities";
        return Err(Invalid::Incomplete(part));
    }
    if text(headers, &PROTOCOL_VERSION) != Some(&version) {
        return Err(Invalid::Mismatch {
            header: "MCP-Protocol-Version",
            part: "io.modelcontextprotocol/protocolVersion",
        });
    }
    let method = request.method().unwrap_or_default();
    if text(headers, &METHOD) != Some(method) {
        return Err(Invalid::Mismatch {
            header: "Mcp-Method",
            part: "method",
        });
    }
    if method == "initialize" {
        return Err(Invalid::Initialize);
    }
    if let Some((_, place)) = NAMED.iter().find(|(named, _)| *named == method) {
        let named = request.value(place).and_then(string);
        let said = text(headers, &NAME).and_then(decoded);
        // What an extension names need not stand there.
        let due = said.is_some() || place != &"/taskId";
        if due && named.is_some() && named.as_deref() != said.as_deref() {
            return Err(Invalid::Mismatch {
                header: "Mcp-Name",
                part: "name, uri or taskId",
            });
        }
    }
    if !MODERN_VERSIONS.contains(&&*version) {
        return Err(Invalid::Version(version.into_owned()));
    }
    Ok(())
}

/// A header's value as it was before it was made fit for a header.
fn decoded(value: &str) -> Option<String> {
    let coded = value.strip_prefix("=?base64?");
    match coded.and_then(|it| it.strip_suffix("?=")) {
        None => Some(value.to_owned()),
        Some(coded) => String::from_utf8(BASE64_STANDARD.decode(coded).ok()?).ok(),
    }
}

/// What is the same in all requests of one client, and in no other's: its
/// token, who it says that it is, and what it says that it can do.
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

impl Invalid {
    fn answer(&self, id: &str) -> Answer {
        let mut status = StatusCode::BAD_REQUEST;
        let (code, data) = match self {
            Self::Initialize => {
                status = StatusCode::NOT_FOUND;
                (ErrorCode::METHOD_NOT_FOUND, None)
            }
            Self::Incomplete(_) => (ErrorCode::INVALID_PARAMS, None),
            Self::Mismatch { .. } => (ErrorCode::HEADER_MISMATCH, None),
            Self::Version(requested) => {
                let known: Vec<_> = MODERN_VERSIONS.iter().map(|it| quote(it)).collect();
                let data = format!(
                    r#"{{"supported":[{}],"requested":{}}}"#,
                    known.join(","),
                    quote(requested)
                );
                (ErrorCode::UNSUPPORTED_PROTOCOL_VERSION, Some(data))
            }
        };
        let (code, why) = (code.0.into(), self.to_string());
        answer::error(status, id, code, &why, data.as_deref())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn header_values_are_decoded() {
        let cases = [
            ("us-west1", Some("us-west1")),
            ("=?base64?SGVsbG8sIOS4lueVjA==?=", Some("Hello, 世界")),
            (
                "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=",
                Some("=?base64?literal?="),
            ),
            ("=?BASE64?SGVsbG8=?=", Some("=?BASE64?SGVsbG8=?=")),
            ("=?base64?%%?=", None),
        ];
        for (value, expected) in cases {
            assert_eq!(decoded(value).as_deref(), expected, "{value}");
        }
    }

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
