//! HTTP answers: their status, their headers, and what of the gateway's own
//! words is in them.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use rmcp::model::ErrorCode;

use crate::gate::Admitted;
use crate::message::Message;

/// A body of any kind.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// An answer.
pub(super) type Answer = Response<Body>;

/// An answer that says why there is no other.
pub(super) type Refusal = Box<Answer>;

/// JSON-RPC 2.0's range for implementations: the transport does not let the
/// message in.
const REFUSED: i64 = -32000;

/// By which a client names its session.
pub(super) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// By which a client names the version that it speaks.
pub(super) const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Answer {
    with(status, Empty::new().boxed_unsync())
}

/// An answer of plain text.
pub(super) fn plain(status: StatusCode, text: &'static str) -> Answer {
    with(
        status,
        Full::new(Bytes::from_static(text.as_bytes())).boxed_unsync(),
    )
}

/// An answer that is one message.
pub(super) fn json(status: StatusCode, message: &Admitted) -> Answer {
    let mut answer = with(status, Full::new(message.bytes()).boxed_unsync());
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// An answer whose messages come as they come.
pub(super) fn events(body: Body) -> Answer {
    let mut answer = with(StatusCode::OK, body);
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("no-cache, no-transform"),
    );
    // Reverse proxies would keep events until they have enough of them.
    headers.insert(
        HeaderName::from_static("x-accel-buffering"),
        HeaderValue::from_static("no"),
    );
    answer
}

/// A refusal of the transport's, in words for whoever reads the client's log.
pub(super) fn refusal(status: StatusCode, why: &str) -> Answer {
    error(status, "null", REFUSED, why, None)
}

/// A refusal of what is no message that could be answered.
pub(super) fn invalid(code: ErrorCode, why: &str) -> Answer {
    error(StatusCode::BAD_REQUEST, "null", code.0.into(), why, None)
}

/// A JSON-RPC error to the request with this id. The id and the data are JSON
/// texts.
pub(super) fn error(
    status: StatusCode,
    id: &str,
    code: i64,
    why: &str,
    data: Option<&str>,
) -> Answer {
    json(status, &Admitted::own(Message::error(id, code, why, data)))
}

fn with(status: StatusCode, body: Body) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
}
