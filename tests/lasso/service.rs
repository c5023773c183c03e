//! Lasso's API, as far as it is known, on this machine: it takes what the API takes, finds certain
//! words, and fails on demand.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use mcp_gateway_tests::web::{Peer, Reply, Seen};
use serde_json::{Map, Value, json};

use crate::certificates::Certificates;

/// The key that it accepts.
pub(crate) const KEY: &str = "k-0001";

/// What it masks.
pub(crate) const MAIL: &str = "ann@example.org";

/// A running service.
pub(crate) struct Service {
    peer: Peer,
    faults: Faults,
}

type Faults = Arc<Mutex<VecDeque<Fault>>>;

/// How it fails, once.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// It answers with a status and some headers.
    Status(&'static str, &'static str),
    /// It answers with what is no JSON, or not that of the API.
    Says(&'static str),
    /// It hangs up.
    HangsUp,
    /// It does not answer.
    Silent,
    /// It hands nothing back masked, and counts places in characters.
    PlacesOnly,
}

/// Words that it finds, with the deputy, the name and the action.
const WORDS: [(&str, &str, &str, &str); 4] = [
    ("LASSO_BLOCK", "jailbreak", "Jailbreak", "BLOCK"),
    ("LASSO_WARN", "custom-policies", "Policy 7", "WARN"),
    ("LASSO_ALERT", "codetect", "Code", "ADMIN_ALERT"),
    ("LASSO_NEW", "brand-new", "Brand new", "QUARANTINE"),
];

impl Service {
    pub(crate) fn start() -> Self {
        let faults = Faults::default();
        let mine = Arc::clone(&faults);
        let peer = Peer::start(move |request, reply| serve(&mine, request, reply));
        Self { peer, faults }
    }

    /// The same over TLS.
    pub(crate) fn start_secure(certificates: &Certificates) -> Self {
        let faults = Faults::default();
        let mine = Arc::clone(&faults);
        let peer = certificates.serve(move |request, reply| serve(&mine, request, reply));
        Self { peer, faults }
    }

    /// What the configuration is told, as the Python gateway was: the whole address.
    pub(crate) fn api_base(&self) -> String {
        format!("{}/gateway/v3/classify", self.peer.origin())
    }

    pub(crate) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// The next requests fail so, one after the other.
    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().unwrap().extend(faults);
    }

    /// The bodies of all requests so far.
    pub(crate) fn asked(&self) -> Vec<Value> {
        let seen = self.peer.seen().into_iter();
        seen.map(|seen| serde_json::from_str(&seen.body).unwrap())
            .collect()
    }

    /// Those that hold a word.
    pub(crate) fn asked_about(&self, word: &str) -> Vec<Value> {
        let mut asked = self.asked();
        asked.retain(|body| body.to_string().contains(word));
        asked
    }
}

fn serve(faults: &Faults, request: &Seen, reply: &mut Reply<'_>) {
    let fault = faults.lock().unwrap().pop_front();
    match fault {
        Some(Fault::Status(status, headers)) => {
            reply.body(status, headers, r#"{"message":"no"}"#);
        }
        Some(Fault::Says(text)) => reply.body("200 OK", "", text),
        Some(Fault::HangsUp) => {
            reply.piece("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
            reply.hang_up();
        }
        Some(Fault::Silent) => reply.wait_for_hang_up(),
        Some(Fault::PlacesOnly) => answer(request, reply, true),
        None => answer(request, reply, false),
    }
}

fn answer(request: &Seen, reply: &mut Reply<'_>, places_only: bool) {
    let json = "Content-Type: application/json\r\n";
    if request.header("lasso-api-key") != KEY {
        return reply.body("401 Unauthorized", json, r#"{"message":"Unauthorized"}"#);
    }
    let masks = match request.target.as_str() {
        "/gateway/v3/classify" => false,
        "/gateway/v3/classifix" => true,
        _ => return reply.body("404 Not Found", json, r#"{"message":"Not Found"}"#),
    };
    let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
    if let Err(why) = valid(request, &body) {
        let message = json!({ "message": why }).to_string();
        return reply.body("400 Bad Request", json, &message);
    }
    let judged = judged(&body, masks && !places_only, places_only);
    reply.body("200 OK", json, &judged.to_string());
}

/// What the API asks of a request.
fn valid(request: &Seen, body: &Value) -> Result<(), String> {
    let is = |holds: bool, what: &str| holds.then_some(()).ok_or(what.to_owned());
    is(
        request.header("content-type") == "application/json",
        "content-type",
    )?;
    let kind = body["messageType"].as_str();
    is(matches!(kind, Some("PROMPT" | "COMPLETION")), "messageType")?;
    for id in ["userId", "agentId", "agentName"] {
        let value = body[id].as_str().unwrap_or("x");
        let visible = !value.chars().any(char::is_control);
        is((1..=128).contains(&value.chars().count()) && visible, id)?;
    }
    if let Some(session) = body.get("sessionId") {
        is(session.as_str().is_some_and(is_ulid), "sessionId")?;
    }
    let messages = body["messages"].as_array().ok_or("messages")?;
    is(!messages.is_empty(), "messages")?;
    for message in messages {
        let content = &message["content"];
        let fits = match (message["role"].as_str(), content["type"].as_str()) {
            (Some("user" | "assistant" | "system" | "developer" | "model"), None) => {
                content.is_string()
            }
            (Some("model"), Some("tool_use")) => {
                content["id"].is_string()
                    && content["name"].is_string()
                    && content["input"].is_object()
            }
            (Some("developer"), Some("tool_result")) => {
                content["tool_use_id"].is_string() && content["content"].is_string()
            }
            _ => false,
        };
        is(fits, "messages")?;
    }
    for tool in body["tools"].as_array().into_iter().flatten() {
        is(tool["name"].is_string(), "tools")?;
    }
    Ok(())
}

pub(crate) fn is_ulid(text: &str) -> bool {
    let digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    text.len() == 26 && text.chars().all(|c| digits.contains(c)) && text < "8"
}

fn judged(body: &Value, masks: bool, in_characters: bool) -> Value {
    let mut findings: Map<String, Value> = Map::new();
    let mut found = |deputy: &str, finding: Value| {
        let all = findings.entry(deputy).or_insert_with(|| json!([]));
        all.as_array_mut().unwrap().push(finding);
    };
    let mut messages = body["messages"].clone();
    for (index, message) in messages.as_array_mut().unwrap().iter_mut().enumerate() {
        let text = text(&message["content"]);
        for (word, deputy, name, action) in WORDS {
            if text.contains(word) {
                found(
                    deputy,
                    json!({
                        "name": name, "category": "SAFETY", "action": action,
                        "severity": "HIGH", "score": 0.95,
                    }),
                );
            }
        }
        for (at, mail) in text.match_indices(MAIL) {
            let start = match in_characters {
                true => text[..at].chars().count(),
                false => at,
            };
            found(
                "pattern-detection",
                json!({
                    "message_index": index, "name": "Email Address",
                    "category": "PERSONAL_IDENTIFIABLE_INFORMATION", "action": "AUTO_MASKING",
                    "severity": "HIGH", "start": start, "end": start + mail.len(),
                    "mask": "<EMAIL_ADDRESS>",
                }),
            );
        }
        mask(&mut message["content"]);
    }
    let tools = body["tools"].to_string();
    for (word, deputy, name, action) in WORDS {
        if tools.contains(word) {
            found(
                deputy,
                json!({"name": name, "action": action, "severity": "HIGH"}),
            );
        }
    }
    let deputies = [
        "jailbreak",
        "custom-policies",
        "sexual",
        "hate",
        "illegality",
        "codetect",
        "violence",
        "pattern-detection",
        "brand-new",
    ];
    let deputies: Map<String, Value> = deputies
        .iter()
        .map(|deputy| ((*deputy).to_owned(), findings.contains_key(*deputy).into()))
        .collect();
    let mut answer = json!({
        "violations_detected": !findings.is_empty(),
        "deputies": deputies,
        "findings": findings,
    });
    if masks {
        answer["messages"] = messages;
    }
    answer
}

/// Everything that a content says.
fn text(content: &Value) -> String {
    match content["type"].as_str() {
        None => content.as_str().unwrap().to_owned(),
        Some("tool_use") => content["input"].to_string(),
        Some(_) => content["content"].as_str().unwrap().to_owned(),
    }
}

fn mask(value: &mut Value) {
    match value {
        Value::String(text) => *text = text.replace(MAIL, "<EMAIL_ADDRESS>"),
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(members) => members.values_mut().for_each(mask),
        _ => {}
    }
}
