//! One request and what comes back for it: a JSON answer, or a stream of events
//! that ends with the answer.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use tokio::time::{sleep, timeout};

use super::body;
use super::endpoint::{SESSION, Trouble, redirected};
use super::sse::Events;
use super::{Peer, Way, is_event_stream, is_forgotten, pause};
use crate::config::Flavor;
use crate::message::{Kind, Message, string};
use crate::wire::Line;

/// How often in a row a stream that broke may fail to go on: for half a minute, unless the
/// server says how long to wait.
const TRIES: u32 = 6;

/// How long a stream may go on after the answer, so that its connection can be
/// used again.
const AFTER_ANSWER: Duration = Duration::from_secs(1);

/// JSON-RPC's error for a method that is not there.
const METHOD_NOT_FOUND: &str = "-32601";

/// A request on its way.
pub(super) struct Exchange {
    pub(super) peer: Arc<Peer>,
    pub(super) way: Way,
    pub(super) request: Message,
    /// The headers that a modern request has.
    pub(super) modern: Option<HeaderMap>,
    /// Whether the server wanted others before.
    pub(super) is_corrected: bool,
}

/// What became of a request.
pub(super) enum Outcome {
    /// It was answered, or its failure reported.
    Done,
    /// The server does not know this transport.
    OtherTransport {
        /// The request, which it has not worked on.
        request: Message,
        /// What it said.
        reason: String,
    },
}

/// Why there is no answer.
enum Failed {
    /// For this reason.
    For(String),
    /// The server has forgotten the session, and done nothing.
    Forgotten,
    /// The server does not know this transport.
    OtherTransport(String),
    /// The server has done nothing, and wants these headers.
    OtherHeaders(HeaderMap),
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        Self::For(trouble.to_string())
    }
}

impl Exchange {
    /// Sends the request and hands on whatever comes back. The first time that
    /// this is polled, the request is on its way.
    pub(super) async fn run(mut self) -> Outcome {
        let asked = match self.ask().await {
            Err(Failed::OtherHeaders(headers)) => {
                self.modern = Some(headers);
                self.is_corrected = true;
                self.ask().await
            }
            asked => asked,
        };
        let (reason, again) = match asked {
            // Headers are corrected once.
            Ok(()) | Err(Failed::OtherHeaders(_)) => return Outcome::Done,
            Err(Failed::OtherTransport(reason)) => {
                return Outcome::OtherTransport {
                    request: self.request,
                    reason,
                };
            }
            Err(Failed::For(reason)) => (reason, false),
            Err(Failed::Forgotten) => {
                self.peer.forget();
                (super::FORGOTTEN.to_owned(), true)
            }
        };
        self.peer.undelivered(self.id(), reason, again).await;
        Outcome::Done
    }

    fn id(&self) -> &str {
        self.request.id().unwrap_or_default()
    }

    fn opens_session(&self) -> bool {
        self.request.method() == Some("initialize")
    }

    async fn ask(&self) -> Result<(), Failed> {
        let endpoint = &self.peer.endpoint;
        let own = self.modern.clone().unwrap_or_default();
        let url = self.way.url(endpoint);
        let response = endpoint.post(url, self.request.raw(), own).await?;
        let status = response.status();
        if !status.is_success() {
            return self.unsuccessful(response).await;
        }
        if let Way::Sse(_) = self.way {
            // The answer comes on the one stream that there is.
            return Ok(());
        }
        if self.opens_session() {
            endpoint.set_session(response.headers().get(SESSION).cloned());
        }
        if let Some(packed) = packed(response.headers()) {
            return Err(Failed::For(format!(
                "its answer is packed ({packed}), which was not asked for"
            )));
        }
        if is_event_stream(&response) {
            return self.stream(response).await;
        }
        let kind = response.headers().get(CONTENT_TYPE).cloned();
        let line = body::read(response, self.peer.longest).await;
        let line = line.map_err(|error| endpoint.trouble(&error))?;
        let unusable = match &line {
            Line::TooLong { .. } => {
                // Whoever reads it knows more to say, if it has an id.
                self.take(line).await;
                format!(
                    "its answer is unusable: message is longer than the limit of {} bytes",
                    self.peer.longest
                )
            }
            Line::Whole(bytes) if bytes.trim_ascii().is_empty() => {
                format!("it took the request, but sent no answer (HTTP {status})")
            }
            Line::Whole(_) => match kind.as_ref().filter(|kind| !is_json(kind)) {
                Some(kind) => format!(
                    "it answered with {} in place of JSON",
                    kind.to_str().unwrap_or("something")
                ),
                None if self.take(line).await => return Ok(()),
                None => "what it answered is no answer".to_owned(),
            },
        };
        Err(Failed::For(unusable))
    }

    /// Hands on a message. Whether it is the answer.
    async fn take(&self, line: Line) -> bool {
        let received = super::read(line);
        let super::Received::Message(message) = received else {
            self.peer.hand_on(received).await;
            return false;
        };
        match self.as_answer(&message) {
            Some(answer) => {
                let answer = self.learn(answer);
                self.peer.hand_on(super::Received::Message(answer)).await;
                true
            }
            None => {
                self.peer.hand_on(super::Received::Message(message)).await;
                false
            }
        }
    }

    /// The message, if it answers the request. An error that names no request
    /// can only be about this one.
    fn as_answer(&self, message: &Message) -> Option<Message> {
        let own = self.id();
        match (message.kind(), message.id()) {
            (Kind::Response | Kind::Error, Some(id))
                if id == own || string(id).is_some_and(|id| id == own) =>
            {
                Some(message.clone())
            }
            (Kind::Error, None) => {
                let error = message.payload().unwrap_or("null");
                let line = format!(r#"{{"jsonrpc":"2.0","id":{own},"error":{error}}}"#);
                Message::parse(line.into()).ok()
            }
            _ => None,
        }
    }

    /// Keeps what later requests have to repeat.
    fn learn(&self, answer: Message) -> Message {
        match self.request.method() {
            Some("initialize") => {
                let version = answer.value("/protocolVersion").and_then(string);
                let version = version.and_then(|version| HeaderValue::from_str(&version).ok());
                if let Some(version) = version {
                    self.peer.endpoint.set_version(version);
                }
                answer
            }
            Some("tools/list") if self.modern.is_some() => {
                self.peer.mirrored.learn(&self.peer.server, answer)
            }
            _ => answer,
        }
    }

    /// Reads a stream up to the answer. One that breaks goes on where it broke
    /// if the server gave its events ids: the server may be at work still.
    async fn stream(&self, mut response: Response) -> Result<(), Failed> {
        let mut events = Events::new(self.peer.longest);
        let mut fruitless = 0;
        loop {
            let mut fruitful = false;
            let cause = loop {
                match response.chunk().await {
                    Ok(Some(chunk)) => {
                        fruitful = true;
                        let mut answered = false;
                        for event in events.push(&chunk) {
                            if event.name == "message" {
                                answered |= self.take(event.data).await;
                            }
                        }
                        if answered {
                            self.read_to_end(response, events).await;
                            return Ok(());
                        }
                    }
                    Ok(None) => break "its stream ended before the answer".to_owned(),
                    Err(error) => break self.peer.endpoint.trouble(&error).to_string(),
                }
            };
            // Modern streams have no ids that count.
            if self.modern.is_some() || events.last_id().is_none() {
                return Err(Failed::For(cause));
            }
            fruitless = if fruitful { 0 } else { fruitless + 1 };
            response = self.resume(&mut events, &mut fruitless, cause).await?;
        }
    }

    /// What comes after the answer is not waited for long.
    async fn read_to_end(&self, mut response: Response, mut events: Events) {
        let rest = async {
            while let Ok(Some(chunk)) = response.chunk().await {
                for event in events.push(&chunk) {
                    if event.name == "message" {
                        self.take(event.data).await;
                    }
                }
            }
        };
        let _ = timeout(AFTER_ANSWER, rest).await;
    }

    /// Opens a stream again after the last event that came.
    async fn resume(
        &self,
        events: &mut Events,
        fruitless: &mut u32,
        cause: String,
    ) -> Result<Response, Failed> {
        events.restart();
        while *fruitless < TRIES {
            sleep(pause(events.retry(), *fruitless)).await;
            *fruitless += 1;
            let Ok(response) = self.peer.endpoint.get(events.last_id()).await else {
                continue;
            };
            let status = response.status();
            if status.is_success() && is_event_stream(&response) {
                return Ok(response);
            }
            if is_forgotten(status, None) && self.peer.endpoint.session().id.is_some() {
                // It may have done its work, so the request is not sent again.
                self.peer.forget();
                return Err(Failed::For(super::FORGOTTEN.to_owned()));
            }
            if !status.is_server_error() {
                break;
            }
        }
        Err(Failed::For(cause))
    }

    /// A response whose status is no success may be an answer all the same.
    async fn unsuccessful(&self, response: Response) -> Result<(), Failed> {
        let status = response.status();
        if let Some(address) = redirected(self.peer.endpoint.remote(), &response) {
            return Err(Failed::For(format!(
                "it redirects to {address} (HTTP {status}); if you trust that, write it as \"url\" in the configuration"
            )));
        }
        // Over HTTP+SSE it is the address that names the session.
        let is_named = matches!(self.way, Way::Sse(_)) || self.peer.endpoint.session().id.is_some();
        let in_session = is_named && !self.opens_session();
        let may_be_older = self.opens_session()
            && self.peer.endpoint.remote().flavor == Flavor::Auto
            && matches!(self.way, Way::Streamable)
            && matches!(
                status,
                StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
            );
        let body = body::read(response, self.peer.longest).await;
        let body = match body.map_err(|error| self.peer.endpoint.trouble(&error))? {
            Line::Whole(body) => body,
            Line::TooLong { head, .. } => head,
        };
        let message = Message::parse(body::one_line(body.clone())).ok();
        if let Some(message) = message {
            if in_session && is_forgotten(status, Some(&message)) {
                return Err(Failed::Forgotten);
            }
            let general = message.id().is_none() && status != StatusCode::BAD_REQUEST;
            if let Some(answer) = self.as_answer(&message)
                && !(may_be_older && general)
            {
                if !self.is_corrected
                    && let Some(headers) = self.other_headers(&answer).await
                {
                    return Err(Failed::OtherHeaders(headers));
                }
                self.peer.hand_on(super::Received::Message(answer)).await;
                return Ok(());
            }
        } else if in_session && is_forgotten(status, None) {
            return Err(Failed::Forgotten);
        }
        let reason = format!("it answered HTTP {status}{}", first_words(&body));
        if may_be_older {
            return Err(Failed::OtherTransport(reason));
        }
        if self.request.method() == Some("server/discover") && status.is_client_error() {
            // A server that knows no more of the method than that is a legacy one.
            let line = format!(
                r#"{{"jsonrpc":"2.0","id":{},"error":{{"code":{METHOD_NOT_FOUND},"message":"HTTP {}"}}}}"#,
                self.id(),
                status.as_u16(),
            );
            self.take(Line::Whole(line.into())).await;
            return Ok(());
        }
        Err(Failed::For(reason))
    }
}

/// How a body is packed, if it is.
fn packed(headers: &HeaderMap) -> Option<&str> {
    let coding = headers.get(CONTENT_ENCODING)?;
    let coding = coding.to_str().unwrap_or("in some way").trim();
    (!coding.eq_ignore_ascii_case("identity") && !coding.is_empty()).then_some(coding)
}

fn is_json(kind: &HeaderValue) -> bool {
    let kind = kind.to_str().unwrap_or_default().to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind == "application/json" || kind.ends_with("+json")
}

/// What a body says to a person, after a colon: its first line, but for markup.
fn first_words(body: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(body);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    match line {
        Some(line) if !line.starts_with('<') => {
            let words: String = line.chars().filter(|c| !c.is_control()).collect();
            let short: String = words.chars().take(LONGEST).collect();
            let cut = if short.len() < words.len() {
                " …"
            } else {
                ""
            };
            format!(": {short}{cut}")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_are_one_short_line_of_text() {
        assert_eq!(first_words(b"\n  over\tloaded \nmore"), ": overloaded");
        assert_eq!(first_words(b"<!DOCTYPE html>\n<p>"), "");
        assert_eq!(first_words(b""), "");
        assert_eq!(
            first_words("ü".repeat(300).as_bytes()),
            format!(": {} …", "ü".repeat(200))
        );
    }
}
