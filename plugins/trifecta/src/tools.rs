//! What the tools and resources of servers are: by the configuration, by their lists, by their names.

use mcp_gateway_sdk::{Message, Scope, log};
use serde_json::Value;

use crate::config::Config;
use crate::labels::Labels;
use crate::words::Words;

/// So many tools of one list are looked at; the others are known by their names alone.
const TOOLS: usize = 1_000;

/// So much of a tool's name is shown to a person.
const NAME: usize = 64;

/// What a message is about, if it is a tool or a resource.
pub(crate) fn labels(message: &Message<'_>, config: &Config, words: &Words) -> Labels {
    // Lists, and what a server says of itself, are about none.
    let Some(name) = message.subject() else {
        return Labels::NONE;
    };
    let (mut labels, others_count) = config.labels(message.server(), name);
    if others_count {
        labels.add(match message.method() {
            "tools/call" => tool(message, name, words),
            "resources/read" => resource(message.server(), name, words),
            _ => Labels::NONE,
        });
    }
    labels
}

fn tool(message: &Message<'_>, name: &str, words: &Words) -> Labels {
    let kept = message
        .state(Scope::Session)
        .get(&key(message.server(), name));
    match kept.as_deref() {
        Some(&[labels]) => Labels::from_byte(labels),
        _ => words.of_name(message.server(), name),
    }
}

/// A resource is what its scheme says. One that is read from the web is a page that is fetched.
fn resource(server: &str, uri: &str, words: &Words) -> Labels {
    match uri.split_once(':').map(|(scheme, _)| scheme) {
        Some("http" | "https") => Labels::UNTRUSTED.and(Labels::FETCHES),
        scheme => words.of_noun(server, scheme.unwrap_or_default()),
    }
}

/// Remembers what the tools of a list are, where their names alone do not say so.
pub(crate) fn remember(message: &Message<'_>, words: &Words) {
    let payload = message.payload().unwrap_or_default();
    let list: Value = serde_json::from_str(&payload).unwrap_or_default();
    let tools = list.get("tools").and_then(Value::as_array);
    let (server, state) = (message.server(), message.state(Scope::Session));
    for tool in tools.into_iter().flatten().take(TOOLS) {
        let Some(name) = tool.get("name").and_then(Value::as_str) else {
            continue;
        };
        let (labels, key) = (listed(server, name, tool, words), key(server, name));
        if labels == words.of_name(server, name) {
            state.delete(&key);
        } else if let Err(error) = state.set(&key, &[labels.to_byte()]) {
            log::warn(format_args!("a tool is known by its name alone: {error}"));
        }
    }
}

/// What a tool is by its definition. A hint of the server adds to what its words say, and takes nothing away.
fn listed(server: &str, name: &str, tool: &Value, words: &Words) -> Labels {
    let text = |key: &str| tool.get(key).and_then(Value::as_str).unwrap_or_default();
    let hint = |key: &str| tool.get("annotations")?.get(key)?.as_bool();
    let mut labels = words.of_listed(server, name, text("description"));
    if labels.is_none() && hint("openWorldHint") == Some(true) {
        let reads = words.reads(name) && hint("destructiveHint") != Some(true);
        labels.add(match hint("readOnlyHint").unwrap_or(reads) {
            true => Labels::UNTRUSTED,
            false => Labels::SENDS,
        });
    }
    labels
}

fn key(server: &str, tool: &str) -> String {
    format!("tool/{server}/{tool}")
}

/// What a message is about, in words for a person: names, and nothing else that the message holds.
pub(crate) fn described(message: &Message<'_>) -> String {
    let server = message.server();
    match (message.method(), message.subject()) {
        ("tools/call", Some(tool)) => {
            let shown: String = tool.chars().take(NAME).collect();
            let more = if shown.len() < tool.len() { "…" } else { "" };
            format!("{shown:?}{more} of server {server:?}")
        }
        ("resources/read", _) => format!("a resource of server {server:?}"),
        _ => format!("server {server:?}"),
    }
}
