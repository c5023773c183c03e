//! The gateway over HTTP, for clients of the legacy era: sessions, the streams
//! that messages leave on, and how all of it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;

use mcp_gateway_tests::{
    Gateway, Server, ServerSentEvent, Serving, Signal, alive, eventually, guest, initialize, signal,
};
use serde_json::{Value, json};

fn serve() -> Serving {
    Gateway::with().mirror().serve(&[])
}

fn method(event: &ServerSentEvent) -> String {
    event.json()["method"].as_str().unwrap_or("").to_owned()
}

#[test]
fn each_client_has_a_session_and_servers_of_its_own() {
    let gateway = serve();
    let (one, other) = (gateway.client(), gateway.client());
    assert_eq!(one.call("m_echo", json!({"text": "one"})), "one");
    assert_eq!(other.call("m_echo", json!({"text": "other"})), "other");
    assert_eq!(gateway.server_processes().len(), 2);
    assert_eq!(one.call("m_grow", json!({})), "grown");
    let grown = "m_grown_1".to_owned();
    assert!(one.tools().contains(&grown) && !other.tools().contains(&grown));
    let id = |client: &mcp_gateway_tests::HttpClient| client.session().to_owned();
    assert!(id(&one) != id(&other) && id(&one).len() >= 32);
}

#[test]
fn each_client_has_instances_of_guardrails_of_its_own() {
    let settings = "only = { methods = [\"tools/call\"] }\nconfig = { fault = \"stateful\" }";
    let gateway = Gateway::with()
        .mirror()
        .guardrail(guest("guest_faulty"), settings)
        .serve(&[]);
    for _ in 0..3 {
        // The answer is the second message that this client's instance sees.
        let text = gateway.client().call("m_echo", json!({"text": "x"}));
        assert!(text.contains("Reason: check 2."), "{text}");
    }
}

#[test]
fn a_prompt_answer_is_json_and_a_later_one_an_event() {
    let gateway = serve();
    let client = gateway.client();
    let prompt = client.start("tools/list", json!({}));
    assert_eq!(prompt.header("content-type"), "application/json");
    let held = client.start_call("m_hold", json!({"key": "k"}));
    assert_eq!(held.header("content-type"), "text/event-stream");
    assert_eq!(held.header("x-accel-buffering"), "no");
    assert_eq!(held.header("cache-control"), "no-cache, no-transform");
    assert_eq!(client.call("m_release", json!({"key": "k"})), "ok");
    assert_eq!(held.answer()["result"]["content"][0]["text"], "released");
}

#[test]
fn progress_comes_in_order_before_the_answer_on_the_stream_of_its_request() {
    let gateway = serve();
    let client = gateway.client();
    let listening = client.listen();
    let request = json!({"jsonrpc": "2.0", "id": "p", "method": "tools/call", "params": {
        "name": "m_progress", "arguments": {"steps": 200}, "_meta": {"progressToken": "t"},
    }});
    let messages = client.post(&request).messages();
    let steps: Vec<i64> = messages
        .iter()
        .filter_map(|message| message["params"]["progress"].as_i64())
        .collect();
    assert_eq!(steps, (1..=200).collect::<Vec<_>>());
    assert_eq!(messages.len(), 201);
    assert_eq!(messages[200]["id"], "p");
    // Nothing of it came twice.
    drop(gateway);
    assert!(listening.messages().is_empty());
}

#[test]
fn a_server_asks_the_client_on_the_stream_of_the_request_that_it_works_at() {
    let gateway = serve();
    let client = gateway.client_with(json!({"elicitation": {}}));
    let ask = json!({"method": "elicitation/create", "params": {"message": "Really?"}});
    let mut asked = client.start_call("m_ask", ask);
    let question = loop {
        let event = asked.event().unwrap();
        if !event.data.is_empty() {
            break event.json();
        }
    };
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["message"], "Really?");
    let answer =
        json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "x": 1}});
    assert_eq!(client.post(&answer).status, 202);
    let text = asked.answer()["result"]["content"][0]["text"].to_string();
    assert!(text.contains(r#"\"action\":\"accept\",\"x\":1"#), "{text}");
}

#[test]
fn what_belongs_to_no_request_waits_for_the_standing_stream() {
    let gateway = serve();
    let client = gateway.client();
    assert_eq!(client.call("m_grow", json!({})), "grown");
    let mut listening = client.listen();
    assert_eq!(listening.header("content-type"), "text/event-stream");
    let first = next(&mut listening);
    assert_eq!(method(&first), "notifications/tools/list_changed");
    assert_eq!(client.call("m_grow", json!({})), "grown");
    let second = next(&mut listening);
    assert_eq!(method(&second), "notifications/tools/list_changed");
    // Whoever lost the connection after the first gets the second again.
    drop(listening);
    let mut resumed = client.resume(first.id.as_deref().unwrap());
    assert_eq!(next(&mut resumed), second);
}

/// The next event that has a message.
fn next(response: &mut mcp_gateway_tests::Response) -> ServerSentEvent {
    let mut events = std::iter::from_fn(|| response.event());
    events
        .find(|event| !event.data.is_empty())
        .expect("an event")
}

#[test]
fn a_client_that_lost_its_connection_goes_on_where_it_was() {
    let gateway = serve();
    let client = gateway.client();
    let mut held = client.start_call("m_hold", json!({"key": "k"}));
    let primer = held.event().unwrap();
    assert_eq!(primer.data, "");
    gateway.server().wait_for("holding k");
    drop(held);
    // Losing the connection is no cancellation.
    assert_eq!(client.call("m_release", json!({"key": "k"})), "ok");
    let answer = client.resume(primer.id.as_deref().unwrap()).answer();
    assert_eq!(answer["result"]["content"][0]["text"], "released");
    // And it can do so again.
    let again = client.resume(primer.id.as_deref().unwrap()).answer();
    assert_eq!(again, answer);
    assert_eq!(client.resume("99-1").status, 400);
}

#[test]
fn a_client_of_an_earlier_version_gets_no_event_without_a_message() {
    let gateway = serve();
    let client = gateway.client();
    let call = json!({"jsonrpc": "2.0", "id": 9, "method": "tools/call",
        "params": {"name": "m_hold", "arguments": {"key": "k"}}});
    let held = client
        .http("POST")
        .header("MCP-Protocol-Version", "2025-06-18")
        .body(call.to_string());
    let mut held = held.send();
    gateway.server().wait_for("holding k");
    assert_eq!(client.call("m_release", json!({"key": "k"})), "ok");
    let first = held.event().unwrap();
    assert_eq!(first.json()["id"], 9);
}

#[test]
fn a_cancelled_call_ends_its_stream_without_an_answer() {
    let gateway = serve();
    let client = gateway.client();
    let held = client.start_call("m_hold", json!({"key": "k"}));
    gateway.server().wait_for("holding k");
    let cancelled =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}});
    assert_eq!(client.post(&cancelled).status, 202);
    gateway.server().wait_for("cancelled k");
    assert_eq!(held.messages(), Vec::<Value>::new());
}

#[test]
fn a_batch_is_answered_by_one_batch() {
    let gateway = serve();
    let client = gateway.client();
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/x"},
        {"jsonrpc": "2.0", "id": "two", "method": "tools/call", "params": {"name": "m_echo", "arguments": {"text": "b"}}},
    ]);
    let answers = client.post(&batch).json();
    let mut answers = answers.as_array().unwrap().clone();
    answers.sort_by_key(|answer| answer["id"].to_string());
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["result"]["content"][0]["text"], "b");
    let pong = json!({"jsonrpc": "2.0", "id": 1, "result": {}});
    assert_eq!(answers[1], pong);
}

#[test]
fn a_batch_goes_on_without_a_request_that_was_cancelled() {
    let gateway = serve();
    let client = gateway.client();
    let call = |id: i64, tool: &str, arguments: Value| {
        let params = json!({"name": tool, "arguments": arguments});
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
    };
    let held = [91, 92, 93].map(|id| call(id, "m_hold", json!({"key": id.to_string()})));
    let batch = client.post(&json!(held));
    for key in [91, 92, 93] {
        gateway.server().wait_for(&format!("holding {key}"));
    }
    let cancelled =
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 91}});
    assert_eq!(client.post(&cancelled).status, 202);
    gateway.server().wait_for("cancelled 91");
    for key in ["93", "92"] {
        client.call("m_release", json!({"key": key}));
    }
    let answers = batch.answer();
    let mut ids: Vec<_> = answers
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["id"].clone())
        .collect();
    ids.sort_by_key(Value::to_string);
    assert_eq!(ids, [92, 93], "{answers}");
}

#[test]
fn messages_leave_byte_for_byte_as_they_came() {
    let gateway = serve();
    let client = gateway.client();
    let odd = r#"{"content":[],"x":[1e2,1.0,12345678901234567890],  "z":"\ud83d","a":null}"#;
    let call = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"m_raw","arguments":{{"result":{odd}}}}}}}"#
    );
    let answer = client.http("POST").body(call).send().text();
    assert_eq!(
        answer,
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{odd}}}"#)
    );
}

#[test]
fn a_client_ends_its_session_and_with_it_its_servers_but_no_others() {
    let gateway = serve();
    let (one, other) = (gateway.client(), gateway.client());
    one.call("m_echo", json!({"text": "x"}));
    other.call("m_echo", json!({"text": "x"}));
    let held = one.start_call("m_hold", json!({"key": "k"}));
    let processes = gateway.server_processes();
    assert_eq!(one.http("DELETE").send().status, 204);
    assert_eq!(held.messages(), Vec::<Value>::new());
    eventually("the end of one server", || {
        processes.iter().filter(|process| alive(**process)).count() == 1
    });
    assert_eq!(one.start("ping", json!({})).status, 404);
    assert_eq!(one.listen().status, 404);
    assert_eq!(one.http("DELETE").send().status, 404);
    assert_eq!(other.call("m_echo", json!({"text": "y"})), "y");
}

#[test]
fn a_session_that_nobody_uses_ends_but_one_that_is_listened_to_does_not() {
    let gateway = Gateway::with().mirror().serve(&["--session-idle", "300ms"]);
    let listener = gateway.client();
    let _listening = listener.listen();
    let idle = gateway.client();
    let event = gateway.log.wait("nobody has used it");
    assert!(event.message().contains("300ms"));
    eventually("the end of the session", || {
        // Asking keeps a session alive, so one asks what it does not find.
        idle.start("ping", json!({})).status == 404
    });
    assert_eq!(listener.start("ping", json!({})).status, 200);
}

#[test]
fn there_are_only_so_many_sessions() {
    let gateway = Gateway::with().mirror().serve(&["--max-sessions", "1"]);
    let first = gateway.client();
    let another = || {
        let body = initialize("2025-11-25", json!({})).to_string();
        gateway.request("POST").body(body).send()
    };
    let refused = another();
    assert_eq!(refused.status, 503);
    let why = refused.json()["error"]["message"].to_string();
    assert!(why.contains("--max-sessions"), "{why}");
    assert_eq!(first.http("DELETE").send().status, 204);
    assert_eq!(another().status, 200);
}

#[test]
fn a_client_that_leaves_before_it_knows_its_session_leaves_none_behind() {
    let gateway = Gateway::with()
        .server(Server::misbehaving("m", "hang"))
        .serve(&["--max-sessions", "1"]);
    let request = gateway.request("POST");
    let body = initialize("2025-11-25", json!({})).to_string();
    let mut connection = request.body(body.clone()).start();
    std::io::Write::write_all(&mut connection, body.as_bytes()).unwrap();
    let process = gateway.server().process("process");
    drop(connection);
    eventually("the end of its server", || !alive(process));
    eventually("room for another client", || {
        gateway.request("POST").body(body.clone()).send().status == 200
    });
}

#[test]
fn a_changed_configuration_reaches_every_session_and_later_ones() {
    let gateway = serve();
    let clients = [gateway.client(), gateway.client()];
    let mut text = fs::read_to_string(&gateway.config).unwrap();
    text.push_str(&Server::mirror("other").toml());
    text.push_str("[[guardrails]]\nuse = \"basic\"\n");
    Gateway::rename_over(&gateway.config, text.as_bytes());
    gateway.log.wait("the configuration was reloaded");
    let secret = "ghp_~0123456789abcdefghijABCDEFGHIJ012345";
    for client in clients.iter().chain([&gateway.client()]) {
        eventually("the new server's tools", || {
            client.tools().contains(&"other_echo".to_owned())
        });
        let text = client.call("m_whisper", json!({"line": secret}));
        assert!(!text.contains("0123456789abcdef"), "{text}");
    }
}

#[test]
fn a_signal_ends_everything_once_what_is_about_to_come_has_come() {
    let gateway = serve();
    let (client, other) = (gateway.client(), gateway.client());
    let listening = other.listen();
    let held = client.start_call("m_hold", json!({"key": "k"}));
    other.call("m_echo", json!({"text": "x"}));
    let processes = gateway.server_processes();
    assert_eq!(processes.len(), 2);
    // A request whose head is there is taken; here it is what the call waits for.
    let arguments = json!({"name": "m_release", "arguments": {"key": "k"}});
    let release = json!({"jsonrpc": "2.0", "id": "r", "method": "tools/call", "params": arguments});
    let release = release.to_string();
    let mut late = client.http("POST").body(release.clone()).start();
    assert_eq!(client.start("ping", json!({})).status, 200);
    signal(gateway.process(), Signal::TERM);
    gateway.log.wait("ending: SIGTERM");
    std::io::Write::write_all(&mut late, release.as_bytes()).unwrap();
    assert_eq!(held.answer()["result"]["content"][0]["text"], "released");
    assert!(gateway.wait().success());
    assert!(!processes.iter().any(|process| alive(*process)));
    assert_eq!(listening.messages(), Vec::<Value>::new());
}

#[cfg(target_os = "linux")]
#[test]
fn a_gateway_that_is_to_outlive_its_terminal_does() {
    let gateway = Gateway::with()
        .mirror()
        .launched_by("nohup", &[])
        .serve(&[]);
    let client = gateway.client();
    signal(gateway.process(), Signal::HUP);
    assert_eq!(client.call("m_echo", json!({"text": "x"})), "x");
    signal(gateway.process(), Signal::TERM);
    gateway.log.wait("ending: SIGTERM");
    assert!(gateway.wait().success());
}

#[test]
fn a_gateway_that_is_killed_leaves_no_server_behind() {
    let gateway = serve();
    gateway.client().call("m_echo", json!({"text": "x"}));
    gateway.client().call("m_echo", json!({"text": "x"}));
    signal(gateway.process(), Signal::KILL);
    let processes = gateway.server_processes();
    eventually("the end of the servers", || {
        !processes.iter().any(|process| alive(*process))
    });
}
