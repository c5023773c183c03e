//! The gateway over HTTP, for clients of the modern era: every request stands
//! for itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "serve_modern/sharing.rs"]
mod sharing;

use mcp_gateway_tests::{Gateway, Request, Response, Server, Serving, alive, eventually};
use serde_json::{Value, json};

const VERSION: &str = "2026-07-28";

fn serve() -> Serving {
    Gateway::with().mirror().serve(&[])
}

/// A client's word about itself.
fn meta(name: &str) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientInfo": {"name": name, "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

/// A request with the headers that it must have.
fn request(gateway: &Serving, message: &Value) -> Request {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let params = &message["params"];
    let mut request = gateway
        .request("POST")
        .header("MCP-Protocol-Version", VERSION)
        .header("Mcp-Method", &text(&message["method"]))
        .body(message.to_string());
    if params["name"].is_string() {
        request = request.header("Mcp-Name", &text(&params["name"]));
    }
    request
}

fn call(id: Value, client: &str, tool: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
        "name": tool, "arguments": arguments, "_meta": meta(client),
    }})
}

fn start(gateway: &Serving, message: &Value) -> Response {
    request(gateway, message).send()
}

fn text(answer: &Value) -> &str {
    let text = answer.pointer("/result/content/0/text");
    text.and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no text in {answer}"))
}

#[test]
fn a_request_needs_no_session_and_gets_none() {
    let gateway = serve();
    let answer = start(
        &gateway,
        &call(json!("one"), "a", "m_echo", json!({"text": "x"})),
    );
    assert_eq!((answer.status, answer.header("mcp-session-id")), (200, ""));
    assert_eq!(answer.header("content-type"), "application/json");
    let answer = answer.json();
    assert_eq!((answer["id"].as_str(), text(&answer)), (Some("one"), "x"));
    let discover = json!({"jsonrpc": "2.0", "id": 7, "method": "server/discover", "params": {"_meta": meta("a")}});
    let discovered = start(&gateway, &discover).json();
    assert_eq!(discovered["id"], 7);
    assert_eq!(discovered["result"]["supportedVersions"][0], VERSION);
}

#[test]
fn requests_of_one_client_share_its_servers_and_no_other_client_does() {
    let gateway = serve();
    for id in 0..3 {
        start(
            &gateway,
            &call(json!(id), "a", "m_echo", json!({"text": "x"})),
        )
        .json();
    }
    assert_eq!(gateway.server_processes().len(), 1);
    start(
        &gateway,
        &call(json!(0), "b", "m_echo", json!({"text": "x"})),
    )
    .json();
    assert_eq!(gateway.server_processes().len(), 2);
    let mut with_token = request(
        &gateway,
        &call(json!(0), "a", "m_echo", json!({"text": "x"})),
    );
    with_token = with_token.header("Authorization", "Bearer somebody-else");
    with_token.send().json();
    assert_eq!(gateway.server_processes().len(), 3);
}

#[test]
fn clients_that_use_the_same_ids_and_tokens_get_their_own() {
    let gateway = serve();
    let held = |key: &str| {
        let hold = json!({"key": key, "text": key});
        start(&gateway, &call(json!(1), "a", "m_hold", hold))
    };
    let progress = |steps: i64| {
        let mut call = call(json!(1), "a", "m_progress", json!({"steps": steps}));
        call["params"]["_meta"]["progressToken"] = json!("t");
        start(&gateway, &call).messages()
    };
    let (one, other) = (held("one"), held("other"));
    for steps in [5, 9] {
        let messages = progress(steps);
        let progress: Vec<&Value> = messages[..messages.len() - 1]
            .iter()
            .map(|it| &it["params"])
            .collect();
        assert_eq!(
            progress.len(),
            usize::try_from(steps).unwrap(),
            "{messages:?}"
        );
        assert!(
            progress
                .iter()
                .all(|it| it["progressToken"] == "t" && it["total"] == steps)
        );
        assert_eq!(messages.last().unwrap()["id"], 1);
    }
    for (key, held) in [("other", other), ("one", one)] {
        start(
            &gateway,
            &call(json!(1), "a", "m_release", json!({"key": key})),
        )
        .json();
        let answer = held.answer();
        assert_eq!((answer["id"].as_i64(), text(&answer)), (Some(1), key));
    }
}

#[test]
fn whoever_closes_the_stream_has_cancelled_the_request() {
    let gateway = serve();
    let held = start(
        &gateway,
        &call(json!(1), "a", "m_hold", json!({"key": "k"})),
    );
    gateway.server().wait_for("holding k");
    drop(held);
    gateway.server().wait_for("cancelled k");
    // Also before there is anything on it.
    let message = call(json!(1), "a", "m_hold", json!({"key": "early"}));
    let mut connection = request(&gateway, &message).start();
    std::io::Write::write_all(&mut connection, message.to_string().as_bytes()).unwrap();
    gateway.server().wait_for("holding early");
    drop(connection);
    gateway.server().wait_for("cancelled early");
}

#[test]
fn whoever_listens_is_told_of_changes_in_their_own_words() {
    let gateway = serve();
    start(
        &gateway,
        &call(json!(1), "a", "m_echo", json!({"text": "x"})),
    )
    .json();
    let listen = json!({"jsonrpc": "2.0", "id": "mine", "method": "subscriptions/listen", "params": {
        "notifications": {"toolsListChanged": true}, "_meta": meta("a"),
    }});
    let mut listening = start(&gateway, &listen);
    assert_eq!(listening.header("content-type"), "text/event-stream");
    let mut next = || {
        let event = listening.event().expect("an event");
        assert_eq!(event.id, None);
        event.json()
    };
    let subscription = "io.modelcontextprotocol/subscriptionId";
    let acknowledged = next();
    assert_eq!(
        acknowledged["method"],
        "notifications/subscriptions/acknowledged"
    );
    assert_eq!(acknowledged["params"]["_meta"][subscription], "mine");
    start(&gateway, &call(json!(1), "a", "m_grow", json!({}))).answer();
    let changed = next();
    assert_eq!(changed["method"], "notifications/tools/list_changed");
    assert_eq!(changed["params"]["_meta"][subscription], "mine");
}

#[test]
fn headers_that_say_something_else_than_the_body_are_refused() {
    let gateway = serve();
    let message = call(json!(5), "a", "m_echo", json!({"text": "x"}));
    let refused = |request: Request| {
        let refused = request.send();
        assert_eq!(refused.status, 400);
        let error = refused.json();
        assert_eq!(
            (error["id"].as_i64(), error["error"]["code"].as_i64()),
            (Some(5), Some(-32020)),
            "{error}"
        );
    };
    let good = || request(&gateway, &message);
    refused(good().header("Mcp-Method", "tools/list"));
    refused(good().without("Mcp-Method"));
    refused(good().header("Mcp-Name", "m_other"));
    refused(good().without("Mcp-Name"));
    refused(good().header("Mcp-Name", "=?base64?bV9vdGhlcg==?="));
    refused(good().header("MCP-Protocol-Version", "2025-11-25"));
    refused(good().without("MCP-Protocol-Version"));
    assert_eq!(
        good()
            .header("Mcp-Name", "=?base64?bV9lY2hv?=")
            .send()
            .status,
        200
    );
    assert_eq!(gateway.server_processes().len(), 1);
}

#[test]
fn what_the_gateway_does_not_speak_or_know_is_said_in_the_status_too() {
    let gateway = serve();
    let mut ahead = call(json!(1), "a", "m_echo", json!({}));
    ahead["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2099-01-01");
    let refused = request(&gateway, &ahead)
        .header("MCP-Protocol-Version", "2099-01-01")
        .send();
    assert_eq!(refused.status, 400);
    let error = refused.json()["error"].clone();
    assert_eq!(error["code"], -32022);
    assert_eq!(error["data"]["requested"], "2099-01-01");
    assert!(
        error["data"]["supported"]
            .as_array()
            .unwrap()
            .contains(&json!(VERSION))
    );

    let mut incomplete = call(json!(1), "a", "m_echo", json!({}));
    incomplete["params"]["_meta"] = json!({});
    let refused = request(&gateway, &incomplete).send();
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["error"]["code"], -32602);

    let unknown =
        json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": meta("a")}});
    let refused = start(&gateway, &unknown);
    assert_eq!(refused.status, 404);
    assert_eq!(refused.json()["error"]["code"], -32601);

    let answer = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    let modern = || {
        gateway
            .request("POST")
            .header("MCP-Protocol-Version", VERSION)
    };
    assert_eq!(modern().body(answer.to_string()).send().status, 400);
    let notification = json!({"jsonrpc": "2.0", "method": "notifications/x"});
    assert_eq!(modern().body(notification.to_string()).send().status, 202);
    for method in ["GET", "DELETE"] {
        let refused = gateway
            .request(method)
            .header("MCP-Protocol-Version", VERSION)
            .send();
        assert_eq!(
            (refused.status, refused.header("allow")),
            (405, "POST"),
            "{method}"
        );
    }
}

/// Whoever asks so may mean well, but its requests share a session with others,
/// which must not become another one.
#[test]
fn no_modern_request_opens_a_session() {
    let gateway = serve();
    let echo = call(json!(1), "a", "m_echo", json!({"text": "x"}));
    start(&gateway, &echo).json();
    let opening =
        json!({"jsonrpc": "2.0", "id": 2, "method": "initialize", "params": {"_meta": meta("a")}});
    let refused = start(&gateway, &opening);
    assert_eq!(refused.status, 404);
    assert_eq!(refused.json()["error"]["code"], -32601);
    assert_eq!(text(&start(&gateway, &echo).json()), "x");
    assert_eq!(gateway.server_processes().len(), 1);
}

#[test]
fn parameters_that_a_tool_wants_in_headers_are_held_to_the_body() {
    let schema = json!({"type": "object", "properties": {
        "text": {"type": "string", "x-mcp-header": "Text"},
        "n": {"type": "integer", "x-mcp-header": "N"},
    }});
    let tools = json!({"name": "echo-it", "inputSchema": schema}).to_string();
    let gateway = Gateway::with()
        .server(Server::mirror("m").env("MIRROR_TOOLS", &tools))
        .serve(&[]);
    let list =
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta("a")}});
    start(&gateway, &list).json();
    let echo = call(json!(1), "a", "m_echo-it", json!({"text": "ünï", "n": 42}));
    let with = |headers: &[(&str, &str)]| {
        let headers = headers.iter();
        let request = request(&gateway, &echo);
        let request = headers.fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        let answer = request.send();
        (answer.status, answer.json()["error"]["code"].as_i64())
    };
    let coded = ("Mcp-Param-Text", "=?base64?w7xuw68=?=");
    // The server lists the tool, but does not have it.
    let passed = (200, Some(-32602));
    assert_eq!(with(&[coded, ("Mcp-Param-N", "42")]), passed);
    assert_eq!(with(&[coded, ("mcp-param-n", "42.0")]), passed);
    let refused = (400, Some(-32020));
    assert_eq!(with(&[coded]), refused);
    assert_eq!(with(&[coded, ("Mcp-Param-N", "43")]), refused);
    assert_eq!(
        with(&[("Mcp-Param-Text", "uni"), ("Mcp-Param-N", "42")]),
        refused
    );
    assert_eq!(
        with(&[
            ("Mcp-Param-Text", "=?base64?w7xuw68?="),
            ("Mcp-Param-N", "42")
        ]),
        refused
    );
}

#[test]
fn both_eras_are_served_at_one_place() {
    let gateway = serve();
    let legacy = gateway.client();
    start(&gateway, &call(json!(1), "a", "m_grow", json!({}))).answer();
    assert_eq!(legacy.call("m_echo", json!({"text": "x"})), "x");
    assert!(!legacy.tools().contains(&"m_grown_1".to_owned()));
}

#[test]
fn the_servers_of_a_client_that_is_not_heard_of_any_more_end() {
    let gateway = Gateway::with().mirror().serve(&["--session-idle", "200ms"]);
    start(
        &gateway,
        &call(json!(1), "a", "m_echo", json!({"text": "x"})),
    )
    .json();
    let processes = gateway.server_processes();
    eventually("the end of the server", || !alive(processes[0]));
    // If it is, there are new ones.
    let answer = start(
        &gateway,
        &call(json!(1), "a", "m_echo", json!({"text": "y"})),
    )
    .json();
    assert_eq!(text(&answer), "y");
    assert_eq!(gateway.server_processes().len(), 2);
}
