//! Web pages that may use the gateway: browsers let them see only what they are
//! allowed to, and ask beforehand (CORS).

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::answer::{self, Answer};

/// What a page may send besides what any page may.
const HEADERS: &str = "authorization, content-type, last-event-id, mcp-method, mcp-name, mcp-protocol-version, mcp-session-id";

/// How headers begin that repeat parameters of tools, whatever those are called.
const PARAMETER: &str = "mcp-param-";

/// What a page may see of an answer besides what any page may.
const SEEN: HeaderValue = HeaderValue::from_static("mcp-session-id, www-authenticate");

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE");

/// How long a browser need not ask again, in seconds.
const AGE: HeaderValue = HeaderValue::from_static("7200");

/// The answer to a browser that asks beforehand, if it does.
pub(super) fn preflight(request: &Parts) -> Option<Answer> {
    let asks = request.method == Method::OPTIONS
        && request.headers.contains_key(header::ORIGIN)
        && request
            .headers
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    asks.then(|| {
        let mut answer = answer::empty(StatusCode::NO_CONTENT);
        let headers = answer.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        let may_send = may_send(request).unwrap_or(HeaderValue::from_static(HEADERS));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, may_send);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, AGE);
        answer
    })
}

/// What this page may send: it names the parameters that it wants to repeat.
fn may_send(request: &Parts) -> Option<HeaderValue> {
    let wanted = request
        .headers
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS)?;
    let wanted = wanted.to_str().ok()?.split(',').map(str::trim);
    let parameters = wanted.filter(|name| {
        let start = name.get(..PARAMETER.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(PARAMETER))
    });
    let all: Vec<_> = std::iter::once(HEADERS).chain(parameters).collect();
    all.join(", ").parse().ok()
}

/// Lets a page that may use the gateway see an answer.
pub(super) fn let_see(answer: &mut Answer, origin: HeaderValue) {
    let headers: &mut HeaderMap = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, SEEN);
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
}
