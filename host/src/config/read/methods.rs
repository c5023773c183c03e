//! The methods that a guardrail can be restricted to.

use crate::config::error::Problem;
use crate::config::field::Field;
use crate::config::guardrail::covers;
use crate::config::hint::within;
use crate::config::report::Reading;
use crate::config::tree::Position;

/// All that MCP has in any version, and what the gateway calls a server's log.
const METHODS: [&str; 42] = [
    "completion/complete",
    "elicitation/create",
    "initialize",
    "log-line",
    "logging/setLevel",
    "notifications/cancelled",
    "notifications/elicitation/complete",
    "notifications/initialized",
    "notifications/message",
    "notifications/progress",
    "notifications/prompts/list_changed",
    "notifications/resources/list_changed",
    "notifications/resources/updated",
    "notifications/roots/list_changed",
    "notifications/subscriptions/acknowledged",
    "notifications/tasks",
    "notifications/tasks/status",
    "notifications/tools/list_changed",
    "ping",
    "prompts/get",
    "prompts/list",
    "resources/list",
    "resources/read",
    "resources/subscribe",
    "resources/templates/list",
    "resources/unsubscribe",
    "roots/list",
    "sampling/createMessage",
    "server/discover",
    "subscriptions/listen",
    "tasks/cancel",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "tasks/update",
    "tools/call",
    "tools/list",
    "notifications/*",
    "prompts/*",
    "resources/*",
    "tasks/*",
    "tools/*",
];

/// A method, or `prefix/*`. One that nothing can match is an error, since its
/// guardrail would never be asked; so is one that is nearly a method of MCP.
/// Any other may be an extension's, which only deserves a warning.
pub(super) fn method(field: Field<'_>) -> Option<String> {
    let (reading, at, what) = (field.reading, field.at, field.what());
    checked(reading, at, what, field.text()?)
}

/// Like `method`, for what stands there.
pub(super) fn checked(
    reading: Reading<'_>,
    at: Position,
    what: String,
    found: String,
) -> Option<String> {
    let remedy = match fault(&found) {
        None if METHODS.iter().any(|method| covers(&found, method)) => return Some(found),
        None => match within(2, &found, METHODS) {
            Some(nearest) => format!("did you mean \"{nearest}\"?"),
            None => {
                let warning = format!("{what}: \"{found}\" is not a method that MCP defines");
                reading.warn(at, &warning);
                return Some(found);
            }
        },
        Some(remedy) => remedy.to_owned(),
    };
    reading.error(
        at,
        Problem::NeverMatches {
            what,
            found,
            remedy,
        },
    );
    None
}

fn fault(method: &str) -> Option<&'static str> {
    let stem = method.strip_suffix("/*").unwrap_or(method);
    if method == "*" {
        Some("leave \"methods\" out to mean all")
    } else if stem.contains('*') {
        Some("a \"*\" can only follow the last \"/\", as in \"tools/*\"")
    } else if stem.is_empty() || stem.contains(char::is_whitespace) {
        Some("write a method such as \"tools/call\", or \"tools/*\"")
    } else {
        None
    }
}
