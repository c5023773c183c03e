//! Where in a message a text stands, and what may be done to it there.

use mcp_gateway_sdk::{Direction, Message, Place, Role};

use crate::rule::Context;

/// Members of the protocol whose values are no prose: another value would mean another thing.
const FIXED: [&str; 18] = [
    "$ref",
    "$schema",
    "cursor",
    "href",
    "id",
    "level",
    "logger",
    "method",
    "mimeType",
    "name",
    "nextCursor",
    "protocolVersion",
    "role",
    "taskId",
    "type",
    "uri",
    "uriTemplate",
    "version",
];

/// Members of a description that a model reads and nobody computes with.
const PROSE: [&str; 4] = ["description", "instructions", "text", "title"];

/// What a message is to the rules.
pub(crate) fn context(message: &Message<'_>) -> Context {
    match (message.direction(), message.method()) {
        (Direction::ToServer, _) => Context::Arguments,
        (Direction::ToClient, "initialize" | "server/discover") => Context::Description,
        (Direction::ToClient, method) if method.ends_with("/list") => Context::Description,
        (Direction::ToClient, _) => Context::Result,
    }
}

/// Whether a text may be changed without breaking what it is in.
pub(crate) fn is_prose(context: Context, place: &Place) -> bool {
    let name = place.pointer.rsplit('/').next().unwrap_or_default();
    let free = ["/structuredContent/", "/data/"];
    place.role == Role::Value
        && match context {
            Context::Arguments => false,
            Context::Description => PROSE.contains(&name),
            Context::Result => {
                free.iter().any(|free| place.pointer.starts_with(free)) || !FIXED.contains(&name)
            }
        }
}

/// The item of a list that a text belongs to: `/tools/3`.
pub(crate) fn item(method: &str, place: &Place) -> Option<(String, usize)> {
    let list = match method {
        "tools/list" => "tools",
        "prompts/list" => "prompts",
        "resources/list" => "resources",
        "resources/templates/list" => "resourceTemplates",
        _ => return None,
    };
    let mut parts = place.pointer.split('/').skip(1);
    let (name, number) = (parts.next()?, parts.next()?);
    let number = number.parse().ok().filter(|_| name == list)?;
    Some((format!("/{list}/{number}"), number))
}
