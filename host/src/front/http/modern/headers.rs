//! Headers repeat some of what a request says, so that those on the way need
//! not read it; here they are held to it.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName};
use rmcp::model::ErrorCode;

use super::super::access::text;
use super::super::answer::{self, Answer, PROTOCOL_VERSION};
use crate::message::{Message, quote, string};
use crate::protocol::{MODERN_VERSIONS, Mirrored, meta, named_in_header};

const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Invalid {
    #[error("params._meta lacks {0}")]
    Incomplete(&'static str),
    #[error("Header mismatch: {header} does not say the same as the body's {part}")]
    Mismatch {
        header: &'static str,
        part: &'static str,
    },
    #[error("Unsupported protocol version")]
    Version(String),
    #[error("Method not found: this revision opens no session")]
    Initialize,
}

/// What a request says of its sender, as JSON.
pub(super) fn said<'a>(request: &'a Message, key: &str) -> Option<&'a str> {
    request.value(&format!("/_meta/{key}"))
}

/// Whether the headers say what the body says, in a version that is served.
pub(super) fn check(headers: &HeaderMap, request: &Message) -> Result<(), Invalid> {
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
    if let Some(place) = named_in_header(method) {
        let named = request.value(place).and_then(string);
        let said = text(headers, &NAME).and_then(decoded);
        if named.is_some() && named.as_deref() != said.as_deref() {
            return Err(Invalid::Mismatch {
                header: "Mcp-Name",
                part: "name or uri",
            });
        }
    }
    if method == "initialize" {
        return Err(Invalid::Initialize);
    }
    if !MODERN_VERSIONS.contains(&&*version) {
        return Err(Invalid::Version(version.into_owned()));
    }
    Ok(())
}

/// Whether the parameters of a call that a tool wants in headers are there.
pub(super) fn check_mirrored(
    headers: &HeaderMap,
    request: &Message,
    mirrored: &Mirrored,
) -> Result<(), Invalid> {
    if request.method() != Some("tools/call") {
        return Ok(());
    }
    let tool = request.value("/name").and_then(string).unwrap_or_default();
    let arguments = request.value("/arguments").unwrap_or("{}");
    let wanted = mirrored.of(&tool, arguments);
    let is_there = |(header, value): &(HeaderName, String)| {
        let said = text(headers, header).and_then(decoded);
        said.is_some_and(|said| is_the_same(&said, value))
    };
    if wanted.iter().all(is_there) {
        Ok(())
    } else {
        Err(Invalid::Mismatch {
            header: "Mcp-Param-…",
            part: "arguments",
        })
    }
}

/// `42.0` and `42` are the same number.
fn is_the_same(one: &str, other: &str) -> bool {
    one == other
        || matches!((one.parse::<f64>(), other.parse::<f64>()), (Ok(one), Ok(other)) if one == other)
}

/// A header's value as it was before it was made fit for a header.
fn decoded(value: &str) -> Option<String> {
    let coded = value.strip_prefix("=?base64?");
    match coded.and_then(|it| it.strip_suffix("?=")) {
        None => Some(value.to_owned()),
        Some(coded) => String::from_utf8(BASE64_STANDARD.decode(coded).ok()?).ok(),
    }
}

impl Invalid {
    pub(super) fn answer(&self, id: &str) -> Answer {
        let (code, data) = match self {
            Self::Incomplete(_) => (ErrorCode::INVALID_PARAMS, None),
            Self::Mismatch { .. } => (ErrorCode::HEADER_MISMATCH, None),
            Self::Initialize => (ErrorCode::METHOD_NOT_FOUND, None),
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
        let status = match self {
            Self::Initialize => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        answer::error(
            status,
            id,
            code.0.into(),
            &self.to_string(),
            data.as_deref(),
        )
    }
}

#[cfg(test)]
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
}
