//! What a peer can use up: the work on a call that nobody wants any more, time,
//! places in the queue, memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::io::{Read, Result};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use mcp_gateway_tests::{Client, Gateway, Server, eventually, guest, resident};
use serde_json::{Value, json};

/// A text is judged where messages are relayed, a large one aside.
#[cfg(target_os = "linux")]
#[test]
fn a_cancellation_ends_the_check_of_the_answer() {
    use mcp_gateway_tests::cpu_time;

    for length in [10, 100_000] {
        let gateway = Gateway::with()
            .mirror()
            .guardrail(
                guest("guest_faulty"),
                "config = { fault = \"slow:600000\" }\nlimits = { cpu = \"60s\", wall = \"600s\" }",
            )
            .start();
        let used = || cpu_time(gateway.process());
        gateway.client.call("m_echo", json!({"text": "warm"}));
        let before = used();
        let line = format!("FA~ULT{}", "x".repeat(length));
        let id = gateway
            .client
            .start_call("m_whisper", json!({"line": line}));
        eventually("the answer is judged", || {
            used() > before + Duration::from_millis(300)
        });
        gateway.client.notify(
            "notifications/cancelled",
            json!({"requestId": id.parse::<u64>().unwrap()}),
        );
        let mut since = (Instant::now(), used());
        eventually("the check ends", || {
            if since.0.elapsed() < Duration::from_millis(500) {
                return false;
            }
            let spent = used() - since.1;
            since = (Instant::now(), used());
            spent < Duration::from_millis(50)
        });
        assert_eq!(
            gateway.client.call("m_echo", json!({"text": "on"})).text(),
            "on"
        );
        let answer = format!("\"id\":{id},");
        let received = gateway.client.received();
        assert!(!received.iter().any(|line| line.contains(&answer)));
    }
}

#[test]
fn a_server_that_does_not_answer_in_time_is_told_to_stop_and_the_client_learns_why() {
    let gateway = Gateway::with()
        .setting("timeouts = { \"tools/*\" = \"500ms\", \"prompts/get\" = \"1h\" }")
        .mirror()
        .start();
    let answer = gateway.client.call("m_hold", json!({"key": "a"}));
    assert!(answer.is_tool_error(), "{}", answer.raw);
    let text = answer.text();
    for part in [
        "server \"m\" did not answer within 500ms",
        "\"timeouts\" in [gateway]",
    ] {
        assert!(text.contains(part), "{text}");
    }
    gateway.server().wait_for("cancelled a");
    let notice = gateway.server().wait_to_receive("notifications/cancelled");
    assert!(notice.contains("no answer within 500ms"), "{notice}");
    // Its answer comes after all, and goes nowhere.
    let notice: Value = serde_json::from_str(&notice).unwrap();
    let number = &notice["params"]["requestId"];
    let late = format!(r#"{{"jsonrpc":"2.0","id":{number},"result":{{"late":true}}}}"#);
    let done = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
    gateway.client.call("m_say", json!({"lines": [late, done]}));
    assert!(!gateway.client.received().join("\n").contains("late\":"));
}

#[test]
fn what_is_not_a_tool_call_ends_in_an_error_of_the_protocol() {
    let gateway = Gateway::with()
        .setting("request_timeout = \"500ms\"")
        .mirror()
        .start();
    let answer = gateway
        .client
        .request("resources/read", json!({"uri": "mirror://silence"}));
    let error = &answer.value()["error"];
    assert_eq!(error["code"], -32000, "{}", answer.raw);
    let text = error["message"].as_str().unwrap();
    assert!(text.contains("\"request_timeout\" in [gateway]"), "{text}");
}

/// What cannot even be handed over has its time as well, and can be cancelled.
#[test]
fn a_server_that_does_not_read_holds_up_no_call_for_ever() {
    let script = r#"read l; id=$${l#*\"id\":}; id=$${id%%,*}
        echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"deaf\",\"version\":\"1\"}}}"
        exec sleep 1000"#;
    let gateway = Gateway::with()
        .setting("timeouts = { \"tools/call\" = \"1s\" }")
        .server(
            Server::command("d", "sh", &["-c", script])
                .setting("tool_timeouts = { \"long\" = \"1h\" }"),
        )
        .start();
    let large = "x".repeat(30_000_000);
    let first = gateway.client.start_call("d_t", json!({"text": large}));
    let second = gateway.client.start_call("d_t", json!({"text": large}));
    let third = gateway.client.start_call("d_long", json!({"text": large}));
    for id in [first, second] {
        let text = gateway.client.answer(&id).text();
        assert!(text.contains("did not answer within 1s"), "{text}");
    }
    gateway.client.notify(
        "notifications/cancelled",
        json!({"requestId": third.parse::<u64>().unwrap()}),
    );
    gateway.client.request("ping", json!({}));
    assert_eq!(gateway.end().code(), Some(0));
}

#[test]
fn progress_gives_a_call_more_time() {
    const LIMIT: Duration = Duration::from_secs(4);
    let gateway = Gateway::with()
        .setting("request_timeout = \"4s\"")
        .mirror()
        .start();
    gateway.client.send_raw(
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"m_hold","arguments":{"key":"a"},"_meta":{"progressToken":"p"}}}"#,
    );
    gateway.server().wait_for("holding a");
    let begun = Instant::now();
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":1}}"#;
    let done = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
    let mut last = begun;
    eventually("more time has passed than an answer may take", || {
        if last.elapsed() > LIMIT / 8 {
            last = Instant::now();
            gateway
                .client
                .call("m_say", json!({"lines": [progress, done]}));
        }
        begun.elapsed() > LIMIT * 2
    });
    gateway.client.call("m_release", json!({"key": "a"}));
    assert_eq!(gateway.client.answer("7").text(), "released");
}

#[test]
fn a_server_and_a_tool_can_have_a_time_of_their_own() {
    let server = Server::mirror("m")
        .setting("timeout = \"500ms\"")
        .setting("tool_timeouts = { \"ho*\" = \"1h\" }");
    let gateway = Gateway::with().server(server).start();
    let held = gateway.client.start_call("m_hold", json!({"key": "a"}));
    gateway.server().wait_for("holding a");
    let text = gateway.client.call("m_ask", json!({})).text();
    assert!(text.contains("\"timeout\" in [servers.m]"), "{text}");
    gateway.client.call("m_release", json!({"key": "a"}));
    assert_eq!(gateway.client.answer(&held).text(), "released");
}

#[test]
fn a_client_that_does_not_answer_a_server_in_time_is_told_to_stop() {
    let gateway = Gateway::with()
        .setting("timeouts = { \"elicitation/create\" = \"500ms\" }")
        .mirror()
        .start();
    let arguments = json!({"method": "elicitation/create", "params": {"message": "well?"}});
    let call = gateway.client.start_call("m_ask", arguments);
    let question = gateway.client.receive_method("elicitation/create");
    let notice = gateway.client.receive_method("notifications/cancelled");
    let id = notice.value()["params"]["requestId"].to_string();
    assert_eq!(Some(id), question.id);
    let text = gateway.client.answer(&call).text();
    let expected = "the client did not answer server \\\"m\\\" within 500ms";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_flood_of_requests_is_refused_at_once_and_cancellations_still_pass() {
    let gateway = Gateway::with()
        .setting("max_in_flight = 5")
        .mirror()
        .start();
    let held: Vec<String> = (0..5)
        .map(|n| {
            let id = gateway
                .client
                .start_call("m_hold", json!({"key": format!("k{n}")}));
            gateway.server().wait_for(&format!("holding k{n}"));
            id
        })
        .collect();
    let flood: Vec<String> = (0..2_000)
        .map(|_| gateway.client.start_call("m_echo", json!({"text": "x"})))
        .collect();
    for id in &flood {
        let answer = gateway.client.answer(id);
        let error = &answer.value()["error"];
        assert_eq!(error["code"], -32000, "{}", answer.raw);
        let text = error["message"].as_str().unwrap();
        assert!(text.contains("the limit is 5 (\"max_in_flight\""), "{text}");
    }
    gateway.client.notify(
        "notifications/cancelled",
        json!({"requestId": held[0].parse::<u64>().unwrap()}),
    );
    gateway.server().wait_for("cancelled k0");
    assert_eq!(
        gateway.client.call("m_echo", json!({"text": "on"})).text(),
        "on"
    );
    // What a server asks is counted apart.
    let mut lines: Vec<String> = (0..50)
        .map(|n| format!(r#"{{"jsonrpc":"2.0","id":"r{n}","method":"roots/list"}}"#))
        .collect();
    lines.push(r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#.to_owned());
    gateway.client.call("m_say", json!({"lines": lines}));
    let refused = || {
        let received = gateway.server().received();
        let refusals = received
            .iter()
            .filter(|line| line.contains("max_in_flight"));
        refusals.count()
    };
    eventually("the server's flood is refused", || refused() == 45);
    let asked = gateway.client.received();
    let asked = asked.iter().filter(|line| line.contains("roots/list"));
    assert_eq!(asked.count(), 5);
}

#[test]
fn what_guardrails_make_longer_than_a_message_may_be_is_an_error_and_not_sent() {
    let gateway = Gateway::with()
        .setting("max_message = \"1MiB\"")
        .mirror()
        .guardrail(
            guest("guest_faulty"),
            "config = { fault = \"grow-replacement\" }",
        )
        .start();
    let limit = "longer than the limit of 1048576 bytes (\"max_message\"";
    for call in [
        gateway.client.call("m_echo", json!({"text": "FAULT"})),
        gateway.client.call("m_whisper", json!({"line": "FA~ULT"})),
    ] {
        assert!(call.text().contains(limit), "{:.300}", call.raw);
    }
    let read = json!({"uri": "mirror://FA~ULT"});
    let read = gateway.client.request("resources/read", read).value();
    let error = read["error"]["message"].as_str().unwrap();
    assert!(error.contains(limit), "{error}");
    let note = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"FA~ULT"}}"#;
    let done = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
    gateway.client.call("m_say", json!({"lines": [note, done]}));
    gateway
        .log
        .wait("dropped: message is longer than the limit");
    assert!(
        !gateway
            .client
            .received()
            .join("")
            .contains("notifications/message")
    );
    assert!(!gateway.server().received().join("").contains("FAULT"));
}

/// A stream that can be held up.
struct Gated<R> {
    reader: R,
    gate: Gate,
}

#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    fn close(&self) {
        *self.0.0.lock().unwrap() = true;
    }

    fn open(&self) {
        *self.0.0.lock().unwrap() = false;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let closed = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(closed, |closed| *closed).unwrap());
    }
}

impl<R: Read> Read for Gated<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.gate.pass();
        let length = buffer.len().min(64 << 10);
        self.reader.read(&mut buffer[..length])
    }
}

/// 400 MB wait for a client that does not read: in the servers, not in the
/// gateway.
#[test]
fn a_client_that_does_not_read_holds_up_the_servers_and_costs_no_memory() {
    const MEGABYTE: usize = 1_000_000;
    const EACH: usize = 200;
    let setup = Gateway::with().mirror().server(Server::mirror("n"));
    let (program, arguments, _env) = setup.command_line();
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let gate = Gate::default();
    let stdout = Gated {
        reader: child.stdout.take().unwrap(),
        gate: gate.clone(),
    };
    let client = Client::on(child.stdin.take().unwrap(), stdout);
    client.initialize();
    client.tools();
    let before = resident(child.id());

    gate.close();
    let notes = client.start_call("m_flood", json!({"steps": EACH, "bytes": MEGABYTE}));
    let answers: Vec<String> = (0..EACH)
        .map(|_| client.start_call("n_big", json!({"bytes": MEGABYTE})))
        .collect();
    // Until the gateway takes no more, which it does not say.
    let mut last = (Instant::now(), 0);
    eventually("the gateway takes no more", || {
        let now = resident(child.id());
        assert!(now < before + 150 * MEGABYTE as u64, "{now} after {before}");
        if now != last.1 {
            last = (Instant::now(), now);
        }
        last.0.elapsed() > Duration::from_secs(2)
    });
    gate.open();

    for id in &answers {
        let text = client.answer(id).text();
        assert_eq!(text.len(), MEGABYTE, "{text:.300}");
    }
    client.answer(&notes);
    let loggers = client.received();
    let loggers = loggers.iter().filter_map(|line| {
        let rest = line.split_once(r#""logger":""#)?.1;
        rest.split_once('"')?.0.parse::<usize>().ok()
    });
    assert!(
        loggers.eq(1..=EACH),
        "notifications were lost or out of order"
    );
    client.leave();
    assert!(child.wait().unwrap().success());
}
