//! Whatever kind a message is of and wherever in it a string stands, the
//! guardrails see it: what they mask does not come out on the other side.
//!
//! A guest masks a word. Each message here holds it wherever MCP has a place for
//! text, and leaves with as many masks as it had words.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use mcp_gateway_tests::{Gateway, Server, guest};
use serde_json::{Value, json};

const WORD: &str = "SECRETWORD";
const MASK: &str = "<MASKED>";

/// "SECRETWORD" and "<MASKED>" in base64.
const CODE: &str = "U0VDUkVUV09SRA==";
const CODED_MASK: &str = "PE1BU0tFRD4=";

/// As many masks as there were words, and no word.
fn masked(what: &str, sent: &Value, received: &str) {
    let sent = sent.to_string();
    let words = sent.matches(WORD).count() + sent.matches(CODE).count();
    let masks = received.matches(MASK).count() + received.matches(CODED_MASK).count();
    assert!(words > 0, "{what} says nothing");
    assert!(
        !received.contains(WORD) && !received.contains(CODE),
        "{what}: {received}"
    );
    assert_eq!(masks, words, "{what}: {sent}\nbecame {received}");
}

/// The same for the mirror, which is to say it without being told so.
fn hidden(value: &Value) -> String {
    value
        .to_string()
        .replace(WORD, "SECRET~WORD")
        .replace(CODE, "U0VDUkVU~V09SRA==")
}

fn guarded(server: Server) -> Gateway {
    Gateway::with()
        .server(server)
        .guardrail(guest("guest_faulty"), "")
        .start_silent()
}

fn icons() -> Value {
    json!([{"src": format!("data:image/svg+xml;base64,{CODE}"), "mimeType": WORD, "sizes": [WORD]}])
}

fn annotations() -> Value {
    json!({"audience": [WORD], "lastModified": WORD, "title": WORD})
}

fn schema() -> Value {
    json!({
        "type": "object", "title": WORD, "description": WORD, "required": [WORD],
        "properties": {WORD: {"type": "string", "description": WORD, "enum": [WORD], "default": WORD, "pattern": WORD, "examples": [WORD]}},
        "$defs": {WORD: {"const": WORD}},
    })
}

fn contents() -> Value {
    json!([
        {"type": "text", "text": WORD, "annotations": annotations(), "_meta": {WORD: WORD}},
        {"type": "image", "data": "AAAA", "mimeType": WORD},
        {"type": "audio", "data": "AAAA", "mimeType": WORD},
        {"type": "resource_link", "uri": format!("file:///{WORD}"), "name": WORD, "title": WORD, "description": WORD, "icons": icons()},
        {"type": "resource", "resource": {"uri": WORD, "text": format!("<p>{WORD}</p>"), "mimeType": "text/html;profile=mcp-app"}},
        {"type": "resource", "resource": {"uri": WORD, "blob": CODE, "mimeType": "application/json"}},
        {"type": "tool_use", "id": WORD, "name": WORD, "input": {WORD: [WORD]}},
        {"type": "com.example/new", "deep": [[{WORD: WORD}]]},
    ])
}

/// What servers answer.
fn answers() -> Vec<(&'static str, Value, Value)> {
    let page = json!({"cursor": null});
    vec![
        (
            "initialize",
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}),
            json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}, "prompts": {}, "resources": {}, "completions": {}, "tasks": {}, "experimental": {WORD: {WORD: WORD}}}, "instructions": WORD,
                "serverInfo": {"name": WORD, "title": WORD, "version": WORD, "description": WORD, "websiteUrl": WORD, "icons": icons()}, "_meta": {WORD: WORD}}),
        ),
        (
            "tools/list",
            page.clone(),
            json!({"tools": [{"name": "t", "title": WORD, "description": WORD, "inputSchema": schema(), "outputSchema": schema(),
                "annotations": annotations(), "icons": icons(), "execution": {"taskSupport": WORD}, "_meta": {WORD: WORD}, "x-vendor": WORD}]}),
        ),
        (
            "prompts/list",
            page.clone(),
            json!({"prompts": [{"name": "p", "title": WORD, "description": WORD, "icons": icons(), "arguments": [{"name": WORD, "title": WORD, "description": WORD}]}]}),
        ),
        (
            "prompts/get",
            json!({"name": "m_p"}),
            json!({"description": WORD, "messages": [{"role": "user", "content": contents()}]}),
        ),
        (
            "resources/list",
            page.clone(),
            json!({"resources": [{"uri": "mirror://a", "name": WORD, "title": WORD, "description": WORD, "mimeType": WORD, "icons": icons(), "annotations": annotations()}]}),
        ),
        (
            "resources/templates/list",
            page,
            json!({"resourceTemplates": [{"uriTemplate": "mirror://{x}", "name": WORD, "title": WORD, "description": WORD, "icons": icons()}]}),
        ),
        (
            "resources/read",
            json!({"uri": "mirror://a"}),
            json!({"contents": [{"uri": WORD, "text": WORD, "_meta": {"ui": {"csp": WORD}}}, {"uri": WORD, "blob": CODE}]}),
        ),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "m_p"}, "argument": {"name": "x", "value": ""}}),
            json!({"completion": {"values": [WORD, WORD], "total": 2}}),
        ),
        (
            "tasks/get",
            json!({"taskId": "1"}),
            json!({"taskId": "1", "status": "working", "statusMessage": WORD, "createdAt": WORD}),
        ),
        (
            "tasks/result",
            json!({"taskId": "1"}),
            json!({"content": contents()}),
        ),
        (
            "tools/call",
            json!({"name": "m_t", "arguments": {}}),
            json!({"content": contents(), "structuredContent": {WORD: [WORD, {"a": WORD}]}, "isError": true, "_meta": {WORD: WORD}}),
        ),
        (
            "com.example/unknown",
            json!({}),
            json!({WORD: [[[WORD]]], "n": 1}),
        ),
    ]
}

#[test]
fn in_what_servers_answer() {
    let answers = answers();
    let told: serde_json::Map<String, Value> = answers
        .iter()
        .map(|(method, _, answer)| ((*method).to_owned(), answer.clone()))
        .collect();
    let told = Value::Object(told).to_string();
    let gateway = guarded(Server::mirror("m").env("MIRROR_ANSWERS", &told));
    for (method, params, answer) in answers {
        let received = gateway.client.request(method, params);
        masked(method, &answer, &received.raw);
        if method == "initialize" {
            gateway
                .client
                .notify("notifications/initialized", json!({}));
        }
    }
}

#[test]
fn in_what_servers_say_unasked_in_their_errors_and_their_questions_within_answers() {
    let gateway = guarded(Server::mirror("m"));
    gateway.client.initialize();
    let lines = [
        (
            "notifications/message",
            json!({"level": "info", "logger": WORD, "data": {WORD: [WORD]}}),
        ),
        (
            "notifications/tasks/status",
            json!({"taskId": "1", "status": "failed", "statusMessage": WORD}),
        ),
        ("notifications/resources/updated", json!({"uri": WORD})),
        (
            "notifications/elicitation/complete",
            json!({"elicitationId": WORD}),
        ),
        (
            "notifications/tools/list_changed",
            json!({"_meta": {WORD: WORD}}),
        ),
        ("notifications/com.example", json!({WORD: [[WORD]]})),
    ];
    for (method, params) in lines {
        let line = json!({"jsonrpc": "2.0", "method": method, "params": params});
        let done = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
        gateway
            .client
            .call("m_say", json!({"lines": [hidden(&line), done]}));
        let received = gateway.client.receive_method(method);
        masked(method, &line, &received.raw);
    }

    let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "p", "progress": 1, "message": WORD}});
    let ends = [
        json!({"error": {"code": -32000, "message": WORD, "data": {WORD: [WORD], "blob": CODE}}}),
        json!({"error": {"code": -32042, "message": WORD, "data": {"elicitations": [{"mode": "url", "url": WORD, "message": WORD}]}}}),
        json!({"result": {"resultType": "input_required", "requestState": "s", "inputRequests": {
            "a": {"method": "elicitation/create", "params": {"message": WORD, "requestedSchema": schema()}},
            "b": {"method": "sampling/createMessage", "params": {"systemPrompt": WORD, "messages": [{"role": "user", "content": contents()}]}},
        }}}),
    ];
    for end in ends {
        // The mirror puts the id in.
        let mut line = end.as_object().unwrap().clone();
        line.insert("jsonrpc".into(), json!("2.0"));
        let line = Value::Object(line);
        let said = hidden(&line).replacen('{', r#"{"id":$id,"#, 1);
        let id = gateway.client.start(
            "tools/call",
            json!({"name": "m_say", "arguments": {"lines": [hidden(&progress), said]}, "_meta": {"progressToken": "p"}}),
        );
        let received = gateway.client.receive_method("notifications/progress");
        masked("progress", &progress, &received.raw);
        masked("an answer", &line, &gateway.client.answer(&id).raw);
    }
}

#[test]
fn in_what_servers_ask_and_clients_answer() {
    let gateway = guarded(Server::mirror("m"));
    gateway.client.initialize_with(
        json!({"sampling": {"tools": {}}, "elicitation": {"form": {}, "url": {}}, "roots": {}}),
    );
    let message = json!({"role": "user", "content": contents()});
    let questions = [
        (
            "elicitation/create",
            json!({"mode": "form", "message": WORD, "requestedSchema": schema()}),
            json!({"result": {"action": "accept", "content": {WORD: WORD}}}),
        ),
        (
            "elicitation/create",
            json!({"mode": "url", "message": WORD, "url": WORD, "elicitationId": WORD}),
            json!({"error": {"code": -1, "message": WORD, "data": [WORD]}}),
        ),
        (
            "sampling/createMessage",
            json!({"systemPrompt": WORD, "messages": [message], "maxTokens": 1, "stopSequences": [WORD], "metadata": {WORD: WORD}, "modelPreferences": {"hints": [{"name": WORD}]},
                "tools": [{"name": WORD, "description": WORD, "inputSchema": schema()}], "toolChoice": {"mode": WORD}}),
            json!({"result": {"role": "assistant", "content": contents(), "model": WORD, "stopReason": WORD}}),
        ),
        (
            "roots/list",
            json!({"_meta": {WORD: WORD}}),
            json!({"result": {"roots": [{"uri": WORD, "name": WORD}]}}),
        ),
    ];
    for (method, params, answer) in questions {
        let said: Value = serde_json::from_str(&hidden(&params)).unwrap();
        let call = gateway
            .client
            .start_call("m_ask", json!({"method": method, "params": said}));
        let question = gateway.client.receive_method(method);
        masked(method, &params, &question.raw);
        let line = answer.to_string().replacen(
            '{',
            &format!(r#"{{"jsonrpc":"2.0","id":{},"#, question.id.unwrap()),
            1,
        );
        gateway.client.send_raw(&line);
        masked(
            &format!("the answer to {method}"),
            &answer,
            &gateway.client.answer(&call).text(),
        );
    }
}

#[test]
fn in_what_clients_send() {
    let gateway = guarded(Server::mirror("m"));
    gateway.client.initialize();
    let arguments = json!({
        "name": "m_mirror", "arguments": {WORD: [WORD, {"blob": CODE}]}, "_meta": {WORD: WORD}, "task": {WORD: WORD},
        "requestState": "s",
        "inputResponses": {"a": {"action": "accept", "content": {WORD: WORD}}, "b": {"role": "assistant", "content": contents(), "model": WORD}},
    });
    let heard = gateway.client.request("tools/call", arguments.clone());
    masked("tools/call", &arguments, &heard.text());
    for (method, params) in [
        ("com.example/custom", json!({WORD: [[WORD]]})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/resource", "uri": format!("mirror://{WORD}")}, "argument": {"name": WORD, "value": WORD}, "context": {"arguments": {WORD: WORD}}}),
        ),
        (
            "prompts/get",
            json!({"name": "m_say", "arguments": {"text": WORD}}),
        ),
    ] {
        let id = gateway.client.start(method, params.clone());
        let received = gateway
            .server()
            .wait_to_receive(&format!("\"method\":\"{method}\""));
        masked(method, &params, &received);
        gateway.client.answer(&id);
    }
    let params = json!({WORD: {WORD: WORD}});
    gateway
        .client
        .notify("notifications/com.example", params.clone());
    let received = gateway
        .server()
        .wait_to_receive("notifications/com.example");
    masked("a notification", &params, &received);
}
