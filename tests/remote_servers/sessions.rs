//! The session with a server: its id, how it is lost, and how it ends.

use std::time::{Duration, Instant};

use mcp_gateway_tests::eventually;
use serde_json::json;

use crate::mcp::{Sessions, gateway, says, server, server_with};
use crate::web::Request;

fn of_method(requests: &[Request], method: &str) -> usize {
    let of_method = |request: &&Request| request.says("method") == method;
    requests.iter().filter(of_method).count()
}

#[test]
fn a_session_that_the_server_forgot_is_opened_again_and_the_call_is_made_once() {
    let sessions = Sessions::default();
    let web = server_with(sessions.clone(), |_, _| false);
    let gateway = gateway(&web);
    gateway.client.call("echo", json!({"call": 1}));
    sessions.forget_all();
    let answer = gateway.client.call("echo", json!({"call": 2}));
    assert_eq!(answer.text(), r#"{"call":2}"#);
    let calls: Vec<_> = web
        .seen()
        .into_iter()
        .filter(|request| request.tool() == "echo")
        .collect();
    let sessions: Vec<_> = calls
        .iter()
        .map(|call| call.header("mcp-session-id"))
        .collect();
    assert_eq!(sessions, ["session-1", "session-1", "session-2"]);
    assert_eq!(of_method(&web.seen(), "initialize"), 2);
    assert_eq!(of_method(&web.seen(), "notifications/initialized"), 2);
}

#[test]
fn calls_at_the_same_time_survive_a_lost_session() {
    let sessions = Sessions::default();
    let web = server_with(sessions.clone(), |_, _| false);
    let gateway = gateway(&web);
    gateway.client.tools();
    sessions.forget_all();
    let calls: Vec<_> = (0..8)
        .map(|n| gateway.client.start_call("echo", json!({"n": n})))
        .collect();
    for (n, id) in calls.iter().enumerate() {
        assert_eq!(gateway.client.answer(id).text(), format!(r#"{{"n":{n}}}"#));
    }
    assert_eq!(of_method(&web.seen(), "initialize"), 2);
}

#[test]
fn a_server_that_says_400_for_a_lost_session_is_understood() {
    let web = server(|request, reply| {
        let lost = request.tool() == "echo" && request.header("mcp-session-id") == "session-1";
        if lost {
            let error = r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}"#;
            reply.body("400 Bad Request", "application/json", error);
        }
        lost
    });
    let gateway = gateway(&web);
    assert_eq!(
        gateway.client.call("echo", json!({"a": 1})).text(),
        r#"{"a":1}"#
    );
}

#[test]
fn a_call_that_is_lost_twice_fails() {
    let web = server(|request, reply| {
        let call = request.tool() == "echo";
        if call {
            reply.status("404 Not Found");
        }
        call
    });
    let gateway = gateway(&web);
    let answer = gateway.client.call("echo", json!({}));
    assert!(answer.is_tool_error());
    assert_eq!(
        answer.text(),
        r#"server "r" is not available: it has forgotten the session"#
    );
    let calls = web
        .seen()
        .into_iter()
        .filter(|request| request.tool() == "echo");
    assert_eq!(calls.count(), 2);
}

#[test]
fn the_session_ends_with_a_word_to_the_server() {
    let web = server(|_, _| false);
    let gateway = gateway(&web);
    gateway.client.tools();
    assert!(gateway.end().success());
    let last = web.seen().pop().unwrap();
    assert_eq!(
        (last.method.as_str(), last.path.as_str()),
        ("DELETE", "/mcp")
    );
    assert_eq!(last.header("mcp-session-id"), "session-1");
}

#[test]
fn a_server_that_does_not_take_leave_does_not_keep_the_gateway() {
    let web = server(|request, reply| {
        let farewell = request.method == "DELETE";
        if farewell {
            reply.wait_for_hang_up();
        }
        farewell
    });
    let gateway = gateway(&web);
    gateway.client.tools();
    assert!(gateway.end().success());
}

#[test]
fn what_the_server_says_unasked_is_listened_to_and_again_where_it_broke() {
    let web = server(|request, reply| {
        let listening = request.method == "GET";
        if listening {
            reply.stream();
            let last = request.header("last-event-id");
            let next = last.parse::<u32>().unwrap_or_default() + 1;
            let note = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"#;
            reply.piece(&format!("retry: 1\nid: {next}\ndata: {note}{next}}}}}\n\n"));
            if next >= 3 {
                reply.wait_for_hang_up();
            }
        }
        listening
    });
    let gateway = gateway(&web);
    for number in 1..=3 {
        let note = gateway.client.receive_method("notifications/message");
        assert_eq!(note.value()["params"]["data"], json!(number));
    }
    let listening: Vec<_> = web
        .seen()
        .into_iter()
        .filter(|request| request.method == "GET")
        .collect();
    assert_eq!(listening[0].header("accept"), "text/event-stream");
    assert_eq!(listening[0].header("mcp-session-id"), "session-1");
    assert_eq!(listening[0].header("last-event-id"), "");
    assert_eq!(listening[2].header("last-event-id"), "2");
}

#[test]
fn a_server_that_ends_each_stream_with_a_greeting_is_asked_less_and_less_often() {
    let web = server(|request, reply| {
        let listening = request.method == "GET";
        if listening {
            reply.stream();
            reply.piece(": welcome\n\n");
        }
        listening
    });
    let gateway = gateway(&web);
    gateway.client.call("echo", json!({}));
    let listened = || {
        let seen = web.seen();
        seen.iter().filter(|it| it.method == "GET").count()
    };
    eventually("the first stream", || listened() >= 1);
    let first = Instant::now();
    eventually("the fourth stream", || listened() >= 4);
    // However slow the machine is, the pauses between are half a second, one and two.
    assert!(first.elapsed() > Duration::from_secs(3));
}

#[test]
fn a_server_that_does_not_know_how_to_be_listened_to_has_not_forgotten_the_session() {
    let web = server(|request, reply| {
        let listening = request.method == "GET";
        if listening {
            reply.status("404 Not Found");
        }
        listening
    });
    let gateway = gateway(&web);
    gateway.client.call("echo", json!({}));
    web.wait_for("the listening", |request| request.method == "GET");
    gateway.client.call("echo", json!({}));
    assert_eq!(of_method(&web.seen(), "initialize"), 1);
}

#[test]
fn a_server_asks_the_client_and_gets_the_answer() {
    let web = server(|request, reply| {
        if request.tool() != "ask" {
            return false;
        }
        reply.stream();
        reply.event(r#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#);
        // The answer comes in another request, which ends the test's wait.
        reply.event(&says(request, "asked"));
        true
    });
    let gateway = gateway(&web);
    let call = gateway.client.start_call("ask", json!({}));
    let question = gateway.client.receive_method("roots/list");
    let id = question.id.unwrap();
    gateway.client.send_raw(&format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"roots":[]}}}}"#
    ));
    gateway.client.answer(&call);
    eventually("the answer", || {
        let answer = |request: &Request| {
            request.body == r#"{"jsonrpc":"2.0","id":"q","result":{"roots":[]}}"#
        };
        web.seen().iter().any(answer)
    });
}
