//! Results and errors: what a server says, for a client of the other era.

use super::request::{with_meta, without_meta};
use super::{LEGACY, MODERN, code, meta, pointer};
use crate::message::{self, Kind, Message, PatchError, PatchOp, quote};

/// Methods whose modern results say how long they may be kept.
const CACHEABLE: [&str; 6] = [
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
];

/// What modern results have that legacy clients do not know.
const MODERN_ONLY: [&str; 3] = ["/resultType", "/ttlMs", "/cacheScope"];

/// A server that does not say what it is called.
const UNNAMED: &str = r#"{"name":"unknown","version":"0"}"#;

/// Whether a modern result asks for something before there can be an answer.
pub fn is_input_required(answer: &Message) -> bool {
    answer.kind() == Kind::Response && answer.value("/resultType") == Some("\"input_required\"")
}

/// A modern server's answer to a method, for a legacy client that asked for this
/// revision. What a server says of itself becomes the answer to `initialize`.
///
/// # Errors
/// When the answer is ambiguous.
pub fn answer_for_legacy(
    method: &str,
    answer: Message,
    version: &str,
) -> Result<Message, PatchError> {
    match (answer.kind(), method) {
        (Kind::Response, "server/discover") => Ok(introduction_for_legacy(&answer, version)),
        (Kind::Response, _) => {
            let ops: Vec<PatchOp> = MODERN_ONLY
                .into_iter()
                .filter(|path| answer.value(path).is_some())
                .map(|path| PatchOp::Remove { path: path.into() })
                .collect();
            let answer = match ops.is_empty() {
                true => answer,
                false => answer.patch(&ops)?,
            };
            without_meta(&answer, &[meta::SERVER_INFO])
        }
        _ => Ok(answer),
    }
}

/// A legacy server's answer to a method, for a modern client. What a server says
/// of itself becomes the answer to `server/discover`.
///
/// # Errors
/// When the answer is ambiguous.
pub fn answer_for_modern(
    method: &str,
    answer: Message,
    server_info: Option<&str>,
) -> Result<Message, PatchError> {
    match (answer.kind(), method) {
        (Kind::Response, "initialize") => Ok(introduction_for_modern(&answer)),
        (Kind::Response, _) => {
            let mut ops = Vec::new();
            let mut add = |path: &str, value: &str| {
                if answer.value(path).is_none() {
                    ops.push(PatchOp::Add {
                        path: path.into(),
                        value: value.into(),
                    });
                }
            };
            add("/resultType", "\"complete\"");
            if CACHEABLE.contains(&method) {
                add("/ttlMs", "0");
                add("/cacheScope", "\"private\"");
            }
            let answer = answer.patch(&ops)?;
            match server_info {
                Some(info) => with_meta(&answer, &[(meta::SERVER_INFO, info)]),
                None => Ok(answer),
            }
        }
        (Kind::Error, _) => Ok(error_for_modern(answer)),
        _ => Ok(answer),
    }
}

fn introduction_for_legacy(answer: &Message, version: &str) -> Message {
    use rmcp::model::ProtocolVersion;
    let known = ProtocolVersion::KNOWN_VERSIONS
        .iter()
        .any(|known| known.has_initialize() && known.as_str() == version);
    let version = if known { version } else { LEGACY };
    let capabilities = answer.value("/capabilities").unwrap_or("{}");
    let info = answer.value(&pointer(meta::SERVER_INFO));
    let mut result = format!(
        r#"{{"protocolVersion":{},"capabilities":{capabilities},"serverInfo":{}"#,
        quote(version),
        info.unwrap_or(UNNAMED),
    );
    if let Some(instructions) = answer.value("/instructions") {
        result.push_str(&format!(r#","instructions":{instructions}"#));
    }
    result.push('}');
    Message::result(answer.id().unwrap_or("0"), &result)
}

fn introduction_for_modern(answer: &Message) -> Message {
    let capabilities = answer.value("/capabilities").unwrap_or("{}");
    let mut result = format!(
        r#"{{"resultType":"complete","supportedVersions":["{MODERN}"],"capabilities":{capabilities}"#
    );
    if let Some(instructions) = answer.value("/instructions") {
        result.push_str(&format!(r#","instructions":{instructions}"#));
    }
    if let Some(info) = answer.value("/serverInfo") {
        let key = quote(&meta::SERVER_INFO.replace("~1", "/"));
        result.push_str(&format!(r#","_meta":{{{key}:{info}}}"#));
    }
    result.push_str(r#","ttlMs":0,"cacheScope":"private"}"#);
    Message::result(answer.id().unwrap_or("0"), &result)
}

/// Two codes mean nothing to modern clients. A page that the person must visit
/// first is asked for as modern servers do.
fn error_for_modern(error: Message) -> Message {
    let value: Option<i64> = error.value("/code").and_then(|code| code.parse().ok());
    match value {
        Some(code::RESOURCE_NOT_FOUND) => {
            let invalid = rmcp::model::ErrorCode::INVALID_PARAMS.0.to_string();
            let renamed = error.with_payload_member(&["code"], &invalid);
            renamed.unwrap_or(error)
        }
        Some(code::URL_ELICITATION_REQUIRED) => {
            let pages = error.value("/data/elicitations");
            let Some(pages) = pages.and_then(|pages| message::elements(pages).ok()) else {
                return error;
            };
            let requests: Vec<String> = pages
                .iter()
                .enumerate()
                .map(|(index, page)| {
                    format!(r#""page-{index}":{{"method":"elicitation/create","params":{page}}}"#)
                })
                .collect();
            let result = format!(
                r#"{{"resultType":"input_required","inputRequests":{{{}}}}}"#,
                requests.join(",")
            );
            Message::result(error.id().unwrap_or("0"), &result)
        }
        _ => error,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn result(result: &str) -> Message {
        Message::result("7", result)
    }

    #[test]
    fn a_result_crosses_to_either_era() {
        let legacy = result(r#"{"content":[],"structuredContent":{"n":1.0},"_meta":{"x":1}}"#);
        let info = r#"{"name":"s","version":"1"}"#;
        let modern = answer_for_modern("tools/call", legacy.clone(), Some(info)).unwrap();
        assert_eq!(
            modern.payload(),
            Some(
                r#"{"content":[],"structuredContent":{"n":1.0},"_meta":{"x":1,"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}},"resultType":"complete"}"#
            )
        );
        let back = answer_for_legacy("tools/call", modern, "2025-06-18").unwrap();
        assert_eq!(back.line(), legacy.line());
    }

    #[test]
    fn a_list_says_how_long_it_may_be_kept() {
        let modern = answer_for_modern("tools/list", result(r#"{"tools":[]}"#), None).unwrap();
        assert_eq!(
            modern.payload(),
            Some(r#"{"tools":[],"resultType":"complete","ttlMs":0,"cacheScope":"private"}"#)
        );
    }

    #[test]
    fn an_introduction_crosses_to_either_era() {
        let legacy = result(
            r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"s","version":"1"},"instructions":"hi"}"#,
        );
        let modern = answer_for_modern("initialize", legacy.clone(), None).unwrap();
        insta::assert_snapshot!(modern.payload().unwrap(), @r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"instructions":"hi","_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1"}},"ttlMs":0,"cacheScope":"private"}"#);
        let back = answer_for_legacy("server/discover", modern, "2025-06-18").unwrap();
        assert_eq!(back.line(), legacy.line());
    }

    #[test]
    fn a_missing_resource_is_told_in_the_words_of_the_era() {
        let legacy = Message::error("7", -32002, "no such resource", None);
        let modern = answer_for_modern("resources/read", legacy, None).unwrap();
        assert_eq!(modern.value("/code"), Some("-32602"));
    }

    #[test]
    fn a_page_to_visit_first_becomes_a_question() {
        let data = r#"{"elicitations":[{"mode":"url","url":"https://a","elicitationId":"1","message":"go"}]}"#;
        let legacy = Message::error("7", -32042, "visit", Some(data));
        let modern = answer_for_modern("tools/call", legacy, None).unwrap();
        assert!(is_input_required(&modern));
        assert_eq!(
            modern.value("/inputRequests/page-0/params/url"),
            Some("\"https://a\"")
        );
    }
}
