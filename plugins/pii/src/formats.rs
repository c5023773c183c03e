//! Where the results of tools have to keep a form, since the client checks them by the tool's `outputSchema`.

use mcp_gateway_sdk::{Direction, Message, Scope};
use serde_json::Value;

/// The formats for which there are surrogates.
const FORMATS: [&str; 4] = ["email", "idn-email", "ipv4", "ipv6"];

/// So many tools of one list, and so deep a schema, are looked at.
const TOOLS: usize = 1_000;
const DEPTH: usize = 16;

/// Remembers what a list of tools demands of their results.
pub(crate) fn remember(message: &Message<'_>) {
    let is_list = message.direction() == Direction::ToClient && message.method() == "tools/list";
    if !is_list || !message.texts().any(|text| text.as_str() == "outputSchema") {
        return;
    }
    let payload = message.payload().unwrap_or_default();
    let list: Value = serde_json::from_str(&payload).unwrap_or_default();
    let tools = list.get("tools").and_then(Value::as_array);
    for tool in tools.into_iter().flatten().take(TOOLS) {
        let (Some(name), Some(schema)) = (
            tool.get("name").and_then(Value::as_str),
            tool.get("outputSchema"),
        ) else {
            continue;
        };
        let mut paths = Vec::new();
        collect(schema, "", DEPTH, &mut paths);
        let key = key(message.server(), name);
        let state = message.state(Scope::Session);
        if paths.is_empty() {
            state.delete(&key);
        } else {
            // Without it the value is hidden all the same; the client may refuse the result.
            let _ = state.set(&key, paths.join("\n").as_bytes());
        }
    }
}

/// The paths in the structured content of a result that have to keep a form.
pub(crate) fn of(message: &Message<'_>) -> Vec<String> {
    let Some(tool) = message
        .subject()
        .filter(|_| message.method() == "tools/call")
    else {
        return Vec::new();
    };
    let key = key(message.server(), tool);
    let known = message.state(Scope::Session).get(&key);
    let known = known.unwrap_or_default();
    let known = String::from_utf8_lossy(&known);
    known.lines().map(str::to_owned).collect()
}

/// Whether one of the paths leads to what a JSON Pointer into the result says.
pub(crate) fn cover(paths: &[String], pointer: &str) -> bool {
    let Some(pointer) = pointer.strip_prefix("/structuredContent") else {
        return false;
    };
    let fits = |path: &String| {
        let same = |(one, other): (&str, &str)| one == "*" || one == other;
        path.split('/').count() == pointer.split('/').count()
            && path.split('/').zip(pointer.split('/')).all(same)
    };
    paths.iter().any(fits)
}

fn collect(schema: &Value, path: &str, depth: usize, paths: &mut Vec<String>) {
    let format = schema.get("format").and_then(Value::as_str);
    if format.is_some_and(|format| FORMATS.contains(&format)) {
        paths.push(path.to_owned());
    }
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let name = name.replace('~', "~0").replace('/', "~1");
        collect(schema, &format!("{path}/{name}"), depth, paths);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(schema) = schema.get(key) {
            collect(schema, &format!("{path}/*"), depth, paths);
        }
    }
}

fn key(server: &str, tool: &str) -> String {
    format!("f/{server}/{tool}")
}
