//! The legacy era (2025-03-26 to 2025-11-25): a client opens a session with
//! `initialize`, names it in every request, and listens with GET.

use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use rmcp::model::{ErrorCode, ProtocolVersion};

use super::access::text;
use super::answer::{self, Answer, PROTOCOL_VERSION, Refusal, SESSION_ID};
use super::clients::{Clients, Key, Served};
use super::posted::{Posted, accepts};
use super::sse;
use super::streams::{EventId, NoStream, Reader};
use crate::message::{Kind, Message};
use crate::wire::Line;

/// How long an answer may take to be sent by itself, not as an event. A stream
/// that is there can be resumed.
const PROMPT: Duration = Duration::from_millis(500);

/// By which a client says where it lost a stream.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Takes messages of a client.
pub(super) async fn post(clients: &Arc<Clients>, headers: &HeaderMap, posted: Posted) -> Answer {
    if let Err(refused) = check_version(headers) {
        return *refused;
    }
    if text(headers, &SESSION_ID).is_none() && is_initialize(&posted) {
        return open(clients, headers, posted).await;
    }
    let served = match find(clients, headers).await {
        Ok((_, served)) => served,
        Err(refused) => return *refused,
    };
    match take(&served, posted).await {
        Ok(Some(reader)) => respond(&served, reader, wants_primer(headers)).await,
        Ok(None) => answer::empty(StatusCode::ACCEPTED),
        Err(refused) => *refused,
    }
}

/// Opens a stream for what belongs to no request, or goes on with one that was
/// lost.
pub(super) async fn get(clients: &Arc<Clients>, headers: &HeaderMap) -> Answer {
    if !accepts(headers, "text/event-stream") {
        let why = "Accept must list text/event-stream";
        return answer::refusal(StatusCode::NOT_ACCEPTABLE, why);
    }
    if let Err(refused) = check_version(headers) {
        return *refused;
    }
    let served = match find(clients, headers).await {
        Ok((_, served)) => served,
        Err(refused) => return *refused,
    };
    let reader = match text(headers, &LAST_EVENT_ID).map(str::parse::<EventId>) {
        None => served.streams.standing(),
        Some(last) => last.and_then(|last| served.streams.resume(last)),
    };
    match reader {
        Ok(reader) => stream(reader, wants_primer(headers)),
        Err(error) => no_stream(error),
    }
}

/// Ends a session, and with it its servers.
pub(super) async fn delete(clients: &Arc<Clients>, headers: &HeaderMap) -> Answer {
    match find(clients, headers).await {
        Ok((key, _)) => {
            clients.end(&key).await;
            answer::empty(StatusCode::NO_CONTENT)
        }
        Err(refused) => *refused,
    }
}

/// Opens a session and gives the client its id.
async fn open(clients: &Arc<Clients>, headers: &HeaderMap, posted: Posted) -> Answer {
    let Some(id) = unguessable() else {
        let why = "the system has no randomness for a session id";
        return answer::refusal(StatusCode::INTERNAL_SERVER_ERROR, why);
    };
    let wants_primer = posted.only().is_some_and(|initialize| {
        let version = initialize.value("/protocolVersion");
        version.and_then(crate::message::string).as_deref() >= Some(FIRST_PRIMED)
    }) || wants_primer(headers);
    let key = Key::Session(id.as_str().into());
    let served = match clients.find_or_open(key.clone()).await {
        Ok(served) => served,
        Err(error) => {
            return answer::refusal(StatusCode::SERVICE_UNAVAILABLE, &error.to_string());
        }
    };
    let unclaimed = Unclaimed {
        clients: Arc::clone(clients),
        key: Some(key),
    };
    let mut answer = match take(&served, posted).await {
        Ok(Some(reader)) => respond(&served, reader, wants_primer).await,
        Ok(None) => answer::empty(StatusCode::ACCEPTED),
        Err(refused) => return *refused,
    };
    if let Ok(id) = HeaderValue::try_from(id) {
        answer.headers_mut().insert(SESSION_ID, id);
    }
    unclaimed.claimed();
    answer
}

/// A session whose client does not know its id yet. If it leaves before, nobody
/// will ever use the session.
struct Unclaimed {
    clients: Arc<Clients>,
    key: Option<Key>,
}

impl Unclaimed {
    fn claimed(mut self) {
        self.key = None;
    }
}

impl Drop for Unclaimed {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            let clients = Arc::clone(&self.clients);
            tokio::spawn(async move { clients.end(&key).await });
        }
    }
}

/// Hands messages to the session; if there are requests among them, their
/// answers can be read then.
async fn take(served: &Served, posted: Posted) -> Result<Option<Reader>, Refusal> {
    let requests = posted.requests();
    let reader = match requests.as_slice() {
        [] => None,
        ids => Some(
            served
                .streams
                .open(ids)
                .map_err(|error| Refusal::from(no_stream(error)))?,
        ),
    };
    served.session.relay_client(Line::Whole(posted.line)).await;
    for id in posted.messages.iter().filter_map(cancelled) {
        served.streams.give_up(id);
    }
    Ok(reader)
}

/// The request that a notification cancels: nobody answers it any more.
fn cancelled(message: &Message) -> Option<&str> {
    let cancels =
        message.kind() == Kind::Notification && message.method() == Some("notifications/cancelled");
    cancels.then(|| message.value("/requestId")).flatten()
}

/// An answer that comes at once is all that is sent; otherwise messages are
/// sent as they come.
async fn respond(served: &Served, mut reader: Reader, wants_primer: bool) -> Answer {
    let start = reader.start();
    let first = match tokio::time::timeout(PROMPT, reader.next()).await {
        Err(_) => return stream(reader, wants_primer),
        Ok(None) if served.streams.have_ended() => return no_stream(NoStream::Ended),
        Ok(None) => return stream(reader, false),
        Ok(Some(event)) => event,
    };
    if reader.is_done() {
        reader.forget();
        return answer::json(StatusCode::OK, &first.message);
    }
    let mut ready = Vec::new();
    if wants_primer {
        ready.push(sse::primer(start));
    }
    ready.push(sse::event(Some(first.id), &first.message.bytes()));
    answer::events(sse::body(ready, reader))
}

fn stream(reader: Reader, wants_primer: bool) -> Answer {
    let primer = wants_primer.then(|| sse::primer(reader.start()));
    answer::events(sse::body(primer.into_iter().collect(), reader))
}

/// The session that a request names.
async fn find(clients: &Clients, headers: &HeaderMap) -> Result<(Key, Arc<Served>), Refusal> {
    let Some(id) = text(headers, &SESSION_ID) else {
        let why = "Mcp-Session-Id is missing: open a session with initialize first";
        return Err(answer::refusal(StatusCode::BAD_REQUEST, why).into());
    };
    let key = Key::Session(id.into());
    match clients.find(&key).await {
        Some(served) => Ok((key, served)),
        None => Err(no_stream(NoStream::Ended).into()),
    }
}

fn no_stream(error: NoStream) -> Answer {
    match error {
        // By this a client knows that it has to open a new session.
        NoStream::Ended => answer::refusal(
            StatusCode::NOT_FOUND,
            "there is no such session (any more): open a new one with initialize",
        ),
        NoStream::InUse => answer::invalid(
            ErrorCode::INVALID_REQUEST,
            &format!("Invalid Request: {error}"),
        ),
        NoStream::Unknown => answer::refusal(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

/// The first version whose clients expect an event without a message.
const FIRST_PRIMED: &str = "2025-11-25";

fn wants_primer(headers: &HeaderMap) -> bool {
    text(headers, &PROTOCOL_VERSION).is_some_and(|version| version >= FIRST_PRIMED)
}

/// Who names no version speaks one that had no header for it.
fn check_version(headers: &HeaderMap) -> Result<(), Refusal> {
    let known = ProtocolVersion::KNOWN_VERSIONS;
    let is_known = |it: &str| known.iter().any(|version| version.as_str() == it);
    if !headers.contains_key(PROTOCOL_VERSION)
        || text(headers, &PROTOCOL_VERSION).is_some_and(is_known)
    {
        return Ok(());
    }
    let names: Vec<_> = known.iter().map(ProtocolVersion::as_str).collect();
    let why = format!(
        "MCP-Protocol-Version names no version that is supported; these are: {}",
        names.join(", ")
    );
    Err(answer::refusal(StatusCode::BAD_REQUEST, &why).into())
}

fn is_initialize(posted: &Posted) -> bool {
    posted.only().is_some_and(|message| {
        message.kind() == Kind::Request && message.method() == Some("initialize")
    })
}

/// 128 bits that nobody can guess, as text.
fn unguessable() -> Option<String> {
    let mut bits = [0_u8; 16];
    getrandom::fill(&mut bits).ok()?;
    Some(format!("{:032x}", u128::from_be_bytes(bits)))
}
