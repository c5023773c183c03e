//! Requests and notifications: what a client says, for a server of the other
//! era.

use super::{Hello, meta, pointer};
use crate::message::{Kind, Message, PatchError, PatchOp};

/// What modern requests have that legacy servers do not know.
const MODERN_ONLY: [&str; 4] = [
    meta::PROTOCOL_VERSION,
    meta::CLIENT_INFO,
    meta::CLIENT_CAPABILITIES,
    meta::LOG_LEVEL,
];

/// A legacy client's request for a modern server: it says who asks.
///
/// # Errors
/// When its params are no object, or ambiguous.
pub fn for_modern(
    request: &Message,
    hello: &Hello,
    log_level: Option<&str>,
) -> Result<Message, PatchError> {
    let entries = hello.meta(log_level);
    let entries: Vec<(&str, &str)> = entries
        .iter()
        .map(|(key, value)| (*key, &**value))
        .collect();
    with_meta(request, &entries)
}

/// A modern client's request for a legacy server.
///
/// # Errors
/// When its params are no object, or ambiguous.
pub fn for_legacy(request: &Message) -> Result<Message, PatchError> {
    let request = without_meta(request, &MODERN_ONLY)?;
    let rounds = ["/inputResponses", "/requestState"];
    let ops: Vec<PatchOp> = rounds
        .into_iter()
        .filter(|path| request.value(path).is_some())
        .map(|path| PatchOp::Remove { path: path.into() })
        .collect();
    request.patch(&ops)
}

/// A message with these keys of `_meta` set, by the last part of a JSON Pointer
/// to each.
///
/// # Errors
/// When the payload is no object, or ambiguous.
pub fn with_meta(message: &Message, entries: &[(&str, &str)]) -> Result<Message, PatchError> {
    let message = match (message.payload(), message.kind(), message.method()) {
        (None, Kind::Request, Some(method)) => {
            &Message::request(message.id().unwrap_or_default(), method, Some("{}"))
        }
        (None, Kind::Notification, Some(method)) => &Message::notification(method, Some("{}")),
        _ => message,
    };
    let mut ops = Vec::with_capacity(entries.len() + 1);
    if !message
        .value("/_meta")
        .is_some_and(|meta| meta.starts_with('{'))
    {
        ops.push(PatchOp::Add {
            path: "/_meta".into(),
            value: "{}".into(),
        });
    }
    ops.extend(entries.iter().map(|(key, value)| PatchOp::Add {
        path: pointer(key),
        value: (*value).to_owned(),
    }));
    message.patch(&ops)
}

/// A message without these keys of `_meta`, and without `_meta` if nothing else
/// is in it.
///
/// # Errors
/// When the payload is ambiguous.
pub fn without_meta(message: &Message, keys: &[&str]) -> Result<Message, PatchError> {
    let ops: Vec<PatchOp> = keys
        .iter()
        .map(|key| pointer(key))
        .filter(|path| message.value(path).is_some())
        .map(|path| PatchOp::Remove { path })
        .collect();
    if ops.is_empty() {
        return Ok(message.clone());
    }
    let left = message.patch(&ops)?;
    let empty = left
        .value("/_meta")
        .is_some_and(|meta| crate::message::members(meta).is_ok_and(|members| members.is_empty()));
    if !empty {
        return Ok(left);
    }
    left.patch(&[PatchOp::Remove {
        path: "/_meta".into(),
    }])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn request(params: &str) -> Message {
        Message::request("7", "tools/call", Some(params))
    }

    fn hello() -> Hello {
        let params = r#"{"protocolVersion":"2025-06-18","capabilities":{"roots":{}},"clientInfo":{"name":"c","version":"1"}}"#;
        Hello::of(&Message::request("1", "initialize", Some(params))).unwrap()
    }

    #[test]
    fn a_legacy_request_says_who_asks_and_keeps_the_rest() {
        let legacy = request(r#"{"name":"t","_meta":{"progressToken":1},"arguments":{"n":1.0}}"#);
        let modern = for_modern(&legacy, &hello(), Some("\"debug\"")).unwrap();
        insta::assert_snapshot!(modern.line(), @r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"t","_meta":{"progressToken":1,"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},"io.modelcontextprotocol/clientCapabilities":{"roots":{}},"io.modelcontextprotocol/logLevel":"debug"},"arguments":{"n":1.0}}}"#);
    }

    #[test]
    fn a_request_without_params_gets_some() {
        let bare = Message::request("7", "tools/list", None);
        let modern = for_modern(&bare, &hello(), None).unwrap();
        assert_eq!(
            modern.value("/_meta/io.modelcontextprotocol~1protocolVersion"),
            Some("\"2026-07-28\"")
        );
    }

    #[test]
    fn there_and_back_again_is_the_same() {
        for params in [
            r#"{"name":"t"}"#,
            r#"{"name":"t","_meta":{"progressToken":1},"arguments":{}}"#,
            "{}",
        ] {
            let legacy = request(params);
            let modern = for_modern(&legacy, &hello(), None).unwrap();
            assert_eq!(for_legacy(&modern).unwrap().line(), legacy.line());
        }
    }

    #[test]
    fn what_concerns_rounds_stays_with_the_gateway() {
        let retry = request(r#"{"name":"t","inputResponses":{"a":{}},"requestState":"s"}"#);
        assert_eq!(
            for_legacy(&retry).unwrap().payload(),
            Some(r#"{"name":"t"}"#)
        );
    }
}
