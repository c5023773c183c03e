//! What a session has seen: who showed it what strangers wrote, and private data.

use mcp_gateway_sdk::{Message, Scope, State};
use serde_json::Value;

use crate::config::{Config, Content};
use crate::fetch::{LINKS, VALUES};
use crate::labels::Labels;
use crate::shown::{New, links, values};
use crate::tools::described;

/// What is kept, once it is so, is who made it so.
const UNTRUSTED: &str = "untrusted";
const PRIVATE: &str = "private";

/// Who showed a session what it takes to steal data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) untrusted: String,
    pub(crate) private: String,
}

impl Seen {
    /// Of the session that a message belongs to, if it has seen both.
    pub(crate) fn both(message: &Message<'_>) -> Option<Self> {
        let state = message.state(Scope::Session);
        let read = |key| {
            let value: Option<Vec<u8>> = state.get(key);
            value.map(|value| String::from_utf8_lossy(&value).into_owned())
        };
        Some(Self {
            private: read(PRIVATE)?,
            untrusted: read(UNTRUSTED)?,
        })
    }
}

/// Remembers what a message shows to the client: that of a tool or resource which is this.
pub(crate) fn note(message: &Message<'_>, labels: Labels, config: &Config) -> Result<(), String> {
    let earlier = message.earlier_findings();
    let found_by = |names: &[String]| {
        let mut all = earlier.iter().map(|finding| &finding.guardrail);
        all.find(|name| names.contains(name)).cloned()
    };
    let is_answer = message.kind() == "response";
    let has = |label| is_answer && labels.has(label);
    let flagged = found_by(&config.flagged_by);
    // What strangers wrote is not private because there is an address of mail in it; nor is what servers say of
    // themselves.
    let is_data = !labels.has(Labels::UNTRUSTED) && !describes(message.method());
    let hidden = found_by(&config.private_by).filter(|_| is_data);
    let counts = config.untrusted_content == Content::All;
    let is_untrusted = flagged.is_some() || counts && has(Labels::UNTRUSTED);
    let is_private = hidden.is_some() || has(Labels::PRIVATE);
    let state = message.state(Scope::Session);
    if is_untrusted {
        seen(&state, UNTRUSTED, message, flagged)?;
    }
    if is_private {
        seen(
            &state,
            PRIVATE,
            message,
            hidden.filter(|_| !has(Labels::PRIVATE)),
        )?;
        keep(&state, VALUES, message, values)?;
    }
    // Where the model may have written itself what it reads, links are not a stranger's.
    if has(Labels::UNTRUSTED) && !is_private {
        let mut request = None;
        keep(&state, LINKS, message, |text, found| {
            links(text, &mut |link| {
                let request = request.get_or_insert_with(|| asked_with(message));
                if !request.contains(link) {
                    found(link);
                }
            });
        })?;
    }
    Ok(())
}

/// What a message answers, in which nothing is escaped that need not be.
fn asked_with(message: &Message<'_>) -> String {
    let request = message.request().unwrap_or_default();
    let value: Option<Value> = serde_json::from_str(&request).ok();
    value.map_or(request, |value| value.to_string())
}

/// Whether an answer to this says what a server is and has.
fn describes(method: &str) -> bool {
    method.ends_with("/list") || matches!(method, "initialize" | "server/discover")
}

/// Remembers who showed it first, and whose findings say so.
fn seen(
    state: &State<'_>,
    key: &str,
    message: &Message<'_>,
    by: Option<String>,
) -> Result<(), String> {
    // It has been seen already, mostly, and to ask costs less than to try.
    if state.get(key).is_some() {
        return Ok(());
    }
    let mut who = described(message);
    if let Some(guardrail) = by {
        who.push_str(&format!(", where {guardrail:?} found something"));
    }
    state.compare_and_swap(key, None, who.as_bytes(), None)?;
    Ok(())
}

fn keep(
    state: &State<'_>,
    key: &str,
    message: &Message<'_>,
    mut find: impl FnMut(&str, &mut dyn FnMut(&str)),
) -> Result<(), String> {
    let mut new = New::default();
    for text in message.texts() {
        find(&text, &mut |it| new.add(it));
    }
    new.keep(state, key)
}
