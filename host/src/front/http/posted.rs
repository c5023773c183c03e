//! What a client posts: whether it may be posted so, and the messages in it.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap};
use rmcp::model::ErrorCode;

use super::access::text;
use super::answer::{self, Answer, Refusal};
use crate::message::{self, Kind, Message, ParseError};

/// How long a client may take to send a message.
const BODY: Duration = Duration::from_secs(120);

/// Memory that a body gets on the word of its sender alone.
const TRUSTED: usize = 1 << 20;

/// The messages of one POST.
pub(super) struct Posted {
    /// All of it, as one line.
    pub(super) line: Bytes,
    /// One, or those of a batch.
    pub(super) messages: Vec<Message>,
    /// Whether they stand in a batch.
    pub(super) is_batch: bool,
}

/// Why a body is not read.
enum Unread {
    TooLong,
    TooSlow,
    Broken,
}

impl Posted {
    /// Reads a POST of at most so many bytes.
    pub(super) async fn read(
        headers: &HeaderMap,
        body: Incoming,
        longest: usize,
    ) -> Result<Self, Refusal> {
        if !is_json(headers) {
            let why = "Content-Type must be application/json";
            return Err(answer::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, why).into());
        }
        if !accepts(headers, "application/json") || !accepts(headers, "text/event-stream") {
            let why = "Accept must list both application/json and text/event-stream";
            return Err(answer::refusal(StatusCode::NOT_ACCEPTABLE, why).into());
        }
        match tokio::time::timeout(BODY, read(body, longest)).await {
            Ok(Ok(bytes)) => Self::parse(bytes),
            Ok(Err(unread)) => Err(unread.answer(longest).into()),
            Err(_) => Err(Unread::TooSlow.answer(longest).into()),
        }
    }

    fn parse(bytes: Bytes) -> Result<Self, Refusal> {
        let line = one_line(bytes)?;
        let (messages, is_batch) = match Message::parse(line.clone()) {
            Ok(message) => (vec![message], false),
            Err(ParseError::Batch) => (batch(&line)?, true),
            Err(error) => return Err(no_message(&error).into()),
        };
        Ok(Self {
            line,
            messages,
            is_batch,
        })
    }

    /// The only message, unless it is a batch.
    pub(super) fn only(&self) -> Option<&Message> {
        match self.messages.as_slice() {
            [only] if !self.is_batch => Some(only),
            _ => None,
        }
    }

    /// The ids of the requests, as they are written.
    pub(super) fn requests(&self) -> Vec<Arc<str>> {
        let messages = self.messages.iter();
        let requests = messages.filter(|message| message.kind() == Kind::Request);
        requests.filter_map(|it| it.id().map(Arc::from)).collect()
    }
}

fn batch(line: &[u8]) -> Result<Vec<Message>, Refusal> {
    let text = std::str::from_utf8(line).unwrap_or_default();
    let elements = message::elements(text).unwrap_or_default();
    let messages: Result<Vec<_>, _> = elements
        .into_iter()
        .map(|element| Message::parse(element.to_owned().into()))
        .collect();
    match messages {
        Ok(messages) if messages.is_empty() => {
            let why = "Invalid Request: the batch is empty";
            Err(answer::invalid(ErrorCode::INVALID_REQUEST, why).into())
        }
        Ok(messages) => Ok(messages),
        Err(error) => Err(no_message(&error).into()),
    }
}

/// A body may have line breaks between the parts of its JSON; a message has
/// none.
fn one_line(bytes: Bytes) -> Result<Bytes, Refusal> {
    if memchr::memchr2(b'\n', b'\r', &bytes).is_none() {
        return Ok(bytes);
    }
    let fault = |error: &dyn std::fmt::Display| {
        let why = format!("Parse error: {error}");
        Refusal::from(answer::invalid(ErrorCode::PARSE_ERROR, &why))
    };
    let text = std::str::from_utf8(&bytes).map_err(|error| fault(&error))?;
    let line = message::one_line(text).map_err(|error| fault(&error))?;
    Ok(line.into_owned().into())
}

fn no_message(error: &ParseError) -> Answer {
    match error {
        ParseError::NotUtf8(_) | ParseError::NotJson(_) => {
            answer::invalid(ErrorCode::PARSE_ERROR, &format!("Parse error: {error}"))
        }
        error => answer::invalid(
            ErrorCode::INVALID_REQUEST,
            &format!("Invalid Request: {error}"),
        ),
    }
}

async fn read(mut body: Incoming, longest: usize) -> Result<Bytes, Unread> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut bytes = BytesMut::with_capacity(expected.min(TRUSTED));
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else {
            continue;
        };
        length = length.saturating_add(data.len());
        if length <= longest {
            bytes.extend_from_slice(&data);
        } else if length / 2 > longest {
            return Err(Unread::TooLong);
        }
        // What is a little too long is read to its end: a client that is still
        // writing would not see the answer.
    }
    if length > longest {
        return Err(Unread::TooLong);
    }
    Ok(bytes.freeze())
}

impl Unread {
    fn answer(&self, longest: usize) -> Answer {
        match self {
            Self::TooLong => answer::error(
                StatusCode::PAYLOAD_TOO_LARGE,
                "null",
                ErrorCode::INVALID_REQUEST.0.into(),
                &format!("Invalid Request: message is longer than the limit of {longest} bytes"),
                None,
            ),
            Self::TooSlow => answer::refusal(
                StatusCode::REQUEST_TIMEOUT,
                "the message did not arrive in time",
            ),
            Self::Broken => answer::refusal(StatusCode::BAD_REQUEST, "the message is cut off"),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = text(headers, &header::CONTENT_TYPE).unwrap_or_default();
    essence(kind).eq_ignore_ascii_case("application/json")
}

/// Whether an answer of a kind may be given. Who does not say takes any.
pub(super) fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let mut values = headers.get_all(header::ACCEPT).iter().peekable();
    let any_of_its_kind = kind
        .split_once('/')
        .map(|(family, _)| format!("{family}/*"));
    let fits = |range: &str| {
        let range = essence(range);
        range == "*/*"
            || range.eq_ignore_ascii_case(kind)
            || any_of_its_kind.as_deref() == Some(range)
    };
    values.peek().is_none()
        || values.any(|value| value.to_str().is_ok_and(|value| value.split(',').any(fits)))
}

/// A media type without its parameters.
fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn accept_is_read_as_http_has_it() {
        let cases = [
            ("application/json, text/event-stream", true),
            ("text/event-stream;q=0.5,application/json;q=1", true),
            ("*/*", true),
            ("text/*, application/*", true),
            ("application/json", false),
            ("text/html", false),
            ("", false),
        ];
        for (accept, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, accept.parse().unwrap());
            let both =
                accepts(&headers, "application/json") && accepts(&headers, "text/event-stream");
            assert_eq!(both, expected, "{accept}");
        }
        assert!(accepts(&HeaderMap::new(), "text/event-stream"));
    }

    #[test]
    fn line_breaks_between_the_parts_of_a_message_are_spaces() {
        let body = "{\n  \"jsonrpc\": \"2.0\",\r\n  \"id\": 1, \"method\": \"a\\nb\"}\n";
        let posted = Posted::parse(body.into()).unwrap_or_else(|_| panic!("{body}"));
        let message = posted.only().unwrap();
        assert_eq!((message.id(), message.method()), (Some("1"), Some("a\nb")));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for body in [
            "",
            "{",
            "[]",
            "[1]",
            "7",
            "{\"id\":1}",
            "[{\"id\":1}]",
            "\u{1}",
        ] {
            let refused = Posted::parse(body.into()).err();
            assert_eq!(refused.unwrap().status(), StatusCode::BAD_REQUEST, "{body}");
        }
    }
}
