//! The gateway's answer to `initialize` and to `server/discover`: what its
//! servers answered, as one.

use std::sync::Arc;

use rmcp::model::ProtocolVersion;
use serde_json::{Map, Value, json};

use crate::gate::Cleared;
use crate::message::{self, Message};
use crate::protocol::{MODERN_VERSIONS, meta};

/// The name under which several servers appear as one.
pub const SERVER_INFO_NAME: &str = "mcp-gateway";

/// What a client may rely on while some servers have not said what they can do:
/// empty lists, and a notification once they are not empty any more.
fn provisional() -> Value {
    json!({
        "tools": {"listChanged": true},
        "prompts": {"listChanged": true},
        "resources": {"listChanged": true},
    })
}

/// The result of `initialize`, given what the servers said to open theirs.
///
/// A single server's own answer is passed on as it is. Several become one: the
/// union of their capabilities, and all their instructions.
pub fn welcome(request: &Message, openings: &[(Arc<str>, Cleared)], servers: usize) -> String {
    if let ([(_, only)], 1) = (openings, servers)
        && let Some(result) = only.message().payload()
    {
        return result.to_owned();
    }
    let requested = request
        .value("/protocolVersion")
        .and_then(message::string)
        .unwrap_or_default();
    let newest = &ProtocolVersion::LATEST_WITH_INITIALIZE;
    let version = ProtocolVersion::KNOWN_VERSIONS
        .iter()
        .find(|version| version.has_initialize() && version.as_str() == requested)
        .unwrap_or(newest);

    let mut result = json!({
        "protocolVersion": version,
        "capabilities": capabilities(openings, servers),
        "serverInfo": server_info(),
    });
    instruct(&mut result, openings);
    result.to_string()
}

/// The result of `server/discover`, as [`welcome`] that of `initialize`.
pub fn introduction(openings: &[(Arc<str>, Cleared)], servers: usize) -> String {
    if let ([(_, only)], 1) = (openings, servers)
        && let Some(result) = only.message().payload()
    {
        return result.to_owned();
    }
    let mut result = json!({
        "resultType": "complete",
        "supportedVersions": MODERN_VERSIONS,
        "capabilities": capabilities(openings, servers),
        "_meta": {},
        // Servers come and go, and what they say has passed this client's
        // guardrails.
        "ttlMs": 0,
        "cacheScope": "private",
    });
    if let Some(meta) = result.get_mut("_meta").and_then(Value::as_object_mut) {
        meta.insert(meta::SERVER_INFO.replace("~1", "/"), server_info());
    }
    instruct(&mut result, openings);
    result.to_string()
}

/// Who the gateway is.
pub(super) fn server_info() -> Value {
    json!({
        "name": SERVER_INFO_NAME,
        "title": "MCP Gateway",
        "version": env!("CARGO_PKG_VERSION"),
    })
}

/// What the servers are able to do, together.
fn capabilities(openings: &[(Arc<str>, Cleared)], servers: usize) -> Value {
    let mut capabilities = if openings.len() == servers && servers > 0 {
        json!({})
    } else {
        provisional()
    };
    for (_, opening) in openings {
        let theirs = opening.message();
        if let Some(offered) = theirs.value("/capabilities").and_then(parse) {
            unite(&mut capabilities, offered);
        }
    }
    if let Some(capabilities) = capabilities.as_object_mut() {
        // Servers come and go.
        for list in ["tools", "prompts", "resources"] {
            if let Some(Value::Object(list)) = capabilities.get_mut(list) {
                list.insert("listChanged".into(), true.into());
            }
        }
    }
    capabilities
}

/// Adds what the servers tell the model, each under its name.
fn instruct(result: &mut Value, openings: &[(Arc<str>, Cleared)]) {
    let mut instructions = Vec::new();
    for (server, opening) in openings {
        let text = opening.message().value("/instructions");
        let text = text.and_then(message::string);
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            instructions.push(format!("## {server}\n\n{text}"));
        }
    }
    if let (false, Some(result)) = (instructions.is_empty(), result.as_object_mut()) {
        result.insert("instructions".into(), instructions.join("\n\n").into());
    }
}

fn parse(json: &str) -> Option<Value> {
    serde_json::from_str(json).ok()
}

/// Adds what a server offers: a flag is set if anybody sets it, an object has
/// everybody's members, and of anything else the first stays.
fn unite(into: &mut Value, offered: Value) {
    match (into, offered) {
        (Value::Object(into), Value::Object(offered)) => {
            for (key, value) in offered {
                unite(member(into, key), value);
            }
        }
        (Value::Bool(into), Value::Bool(offered)) => *into |= offered,
        (into @ Value::Null, offered) => *into = offered,
        _ => {}
    }
}

fn member(object: &mut Map<String, Value>, key: String) -> &mut Value {
    object.entry(key).or_insert(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_united() {
        let mut all = json!({"tools": {"listChanged": false}, "logging": {}});
        unite(
            &mut all,
            json!({"tools": {"listChanged": true, "x": 1}, "prompts": {}}),
        );
        assert_eq!(
            all,
            json!({"tools": {"listChanged": true, "x": 1}, "logging": {}, "prompts": {}})
        );
    }

    #[test]
    fn an_unknown_version_is_answered_with_the_newest() {
        let request = |version: &str| {
            let params = json!({"protocolVersion": version}).to_string();
            Message::request("1", "initialize", Some(&params))
        };
        let version = |request: &Message| {
            let result = welcome(request, &[], 0);
            parse(&result).and_then(|r| r.get("protocolVersion")?.as_str().map(str::to_owned))
        };
        assert_eq!(
            version(&request("2025-03-26")).as_deref(),
            Some("2025-03-26")
        );
        assert_eq!(
            version(&request("2099-01-01")).as_deref(),
            Some("2025-11-25")
        );
    }
}
