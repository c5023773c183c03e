//! The headers of a modern request: from 2026-07-28 on they repeat what its body
//! says, so that whatever stands between can route without reading it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::endpoint::VERSION;
use crate::message::{Message, string};
use crate::protocol::{Mirrored, named_in_header};

const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// Where a modern request says which revision it is of.
const PROTOCOL_VERSION: &str = "/_meta/io.modelcontextprotocol~1protocolVersion";

/// The headers that repeat what a request says; `None` for a legacy one.
pub(super) fn headers(request: &Message, mirrored: &Mirrored) -> Option<HeaderMap> {
    let version = request.value(PROTOCOL_VERSION).and_then(string)?;
    let method = request.method().unwrap_or_default();
    let mut headers = HeaderMap::new();
    headers.insert(VERSION, encoded(&version));
    headers.insert(METHOD, encoded(method));
    let Some(subject) = named_in_header(method) else {
        return Some(headers);
    };
    if let Some(name) = request.value(subject).and_then(string) {
        headers.insert(NAME, encoded(&name));
        if method == "tools/call" {
            let arguments = request.value("/arguments").unwrap_or("{}");
            for (header, value) in mirrored.of(&name, arguments) {
                headers.insert(header, encoded(&value));
            }
        }
    }
    Some(headers)
}

/// A text as a header can carry it: as it is, or in Base64 if it could be read
/// otherwise on the way.
fn encoded(text: &str) -> HeaderValue {
    const START: &str = "=?base64?";
    const END: &str = "?=";
    let plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t'))
        && text.trim_matches([' ', '\t']) == text
        && !(text.starts_with(START) && text.ends_with(END));
    let value = if plain {
        Cow::Borrowed(text)
    } else {
        Cow::Owned([START, &BASE64_STANDARD.encode(text), END].concat())
    };
    // What is made above is a header's value.
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The examples of the specification.
    #[test]
    fn what_a_header_cannot_carry_is_encoded() {
        for (text, expected) in [
            ("us-west1", "us-west1"),
            ("a b\tc", "a b\tc"),
            ("", ""),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
            ("=?base64?half", "=?base64?half"),
        ] {
            assert_eq!(encoded(text), expected, "{text:?}");
        }
    }

    fn headers_of(method: &str, params: &str) -> Option<Vec<(String, String)>> {
        let request = Message::request("1", method, Some(params));
        let headers = headers(&request, &Mirrored::default())?;
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        let mut headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect();
        headers.sort();
        Some(headers)
    }

    #[test]
    fn a_modern_request_repeats_its_version_method_and_name() {
        let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;
        let expected = |more: &[(&str, &str)]| {
            let all = [("mcp-protocol-version", "2026-07-28")];
            let mut all: Vec<_> = all
                .iter()
                .chain(more)
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            all.sort();
            Some(all)
        };
        let read = format!(r#"{{{meta},"uri":"file:///ü"}}"#);
        assert_eq!(
            headers_of("resources/read", &read),
            expected(&[
                ("mcp-method", "resources/read"),
                ("mcp-name", "=?base64?ZmlsZTovLy/DvA==?="),
            ])
        );
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let about = format!(r#"{{{meta},"taskId":"t-1"}}"#);
            assert_eq!(
                headers_of(method, &about),
                expected(&[("mcp-method", method), ("mcp-name", "t-1")])
            );
        }
        let list = format!(r#"{{{meta},"name":"x"}}"#);
        assert_eq!(
            headers_of("tools/list", &list),
            expected(&[("mcp-method", "tools/list")])
        );
        assert_eq!(headers_of("tools/call", r#"{"name":"x","_meta":{}}"#), None);
    }
}
