//! Clients that nobody can tell apart share a session, and a server of the legacy
//! era does not say which of them it means: nobody gets what is another's.

use std::io::Write;
use std::net::TcpStream;

use super::*;

const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// A call of a client that can be asked for its roots, and that nobody can tell
/// from others of its kind.
fn able(id: i64, tool: &str, arguments: Value) -> Value {
    let mut call = call(json!(id), "alike", tool, arguments);
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    call["params"]["_meta"][capabilities] = json!({"roots": {}});
    call
}

/// A call that wants to be told of progress and of what is logged.
fn telling(mut call: Value, progress_token: &str) -> Value {
    call["params"]["_meta"]["progressToken"] = json!(progress_token);
    call["params"]["_meta"][LOG_LEVEL] = json!("info");
    call
}

/// A call once more, with what the client was asked for.
fn again(mut call: Value, question: &Value, name: &str) -> Value {
    let inputs = question["result"]["inputRequests"].as_object().unwrap();
    let root = json!({"roots": [{"uri": format!("file:///{name}")}]});
    let responses = inputs.keys().map(|input| (input.clone(), root.clone()));
    call["params"]["inputResponses"] = responses.collect();
    call["params"]["requestState"] = question["result"]["requestState"].clone();
    call
}

/// Sends a request whose answer is not waited for; whoever drops the connection
/// has cancelled it.
fn start_aside(gateway: &Serving, message: &Value) -> TcpStream {
    let mut connection = request(gateway, message).start();
    connection
        .write_all(message.to_string().as_bytes())
        .unwrap();
    connection
}

/// Whether an answer asks for something.
fn asks(answer: &Value) -> bool {
    answer["result"]["resultType"] == "input_required"
}

/// The calls of tools that the server has received.
fn calls(gateway: &Serving) -> Vec<Value> {
    let received = gateway.server().received().into_iter();
    let calls = received.filter(|line| line.contains("\"tools/call\""));
    calls
        .map(|line| serde_json::from_str(&line).unwrap())
        .collect()
}

const LOGGED: &str =
    r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"done"}}"#;

#[test]
fn a_question_waits_until_it_can_be_for_one_client_only() {
    let gateway = serve();
    let asked = |id| start(&gateway, &able(id, "m_ask", json!({}))).answer();
    let first = asked(1);
    assert!(asks(&first), "{first}");
    let again = |id, question: &Value, name: &str| {
        start(
            &gateway,
            &again(able(id, "m_ask", json!({})), question, name),
        )
        .answer()
    };
    std::thread::scope(|scope| {
        let second = scope.spawn(|| asked(2));
        eventually("both calls at the server", || calls(&gateway).len() == 2);
        // The server has asked twice, and the second question could be the first's.
        let done = again(3, &first, "first");
        assert!(text(&done).contains("file:///first"), "{done}");
        let second = second.join().unwrap();
        assert_eq!(second["id"], 2);
        let done = again(4, &second, "second");
        assert!(text(&done).contains("file:///second"), "{done}");
    });
}

#[test]
fn a_log_message_that_could_be_for_two_is_for_nobody() {
    let gateway = serve();
    let told = |answer: Response| answer.text().matches("notifications/message").count();
    let flood = |id, level: Option<&str>| {
        let mut call = able(id, "m_flood", json!({"steps": 3, "bytes": 1}));
        if let Some(level) = level {
            call["params"]["_meta"][LOG_LEVEL] = json!(level);
        }
        told(start(&gateway, &call))
    };
    assert_eq!(flood(1, Some("info")), 3);
    // What one request wishes is no wish of the next, nor is less than it wishes.
    assert_eq!(flood(2, None), 0);
    assert_eq!(flood(3, Some("error")), 0);
    let hold = able(4, "m_hold", json!({"key": "k", "text": "held"}));
    std::thread::scope(|scope| {
        let held = scope.spawn(|| told(start(&gateway, &hold)));
        gateway.server().wait_to_receive("\"hold\"");
        let doubtful = flood(5, Some("info"));
        start(&gateway, &able(6, "m_release", json!({"key": "k"}))).json();
        assert_eq!((doubtful, held.join().unwrap()), (0, 0));
    });
}

#[test]
fn a_round_tells_the_attempt_that_is_made_now() {
    let gateway = serve();
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$token,"progress":1}}"#;
    let ask = |id| able(id, "m_ask", json!({"lines": [progress, LOGGED]}));
    let question = start(&gateway, &telling(ask(1), "first")).answer();
    assert!(asks(&question), "{question}");
    let attempt = telling(again(ask(2), &question, "here"), "second");
    let messages = start(&gateway, &attempt).messages();
    let methods: Vec<_> = messages.iter().map(|it| it["method"].as_str()).collect();
    let told = [
        Some("notifications/progress"),
        Some("notifications/message"),
    ];
    assert_eq!(methods, [&told[..], &[None]].concat(), "{messages:?}");
    assert_eq!(messages[0]["params"]["progressToken"], "second");
    assert_eq!(messages[2]["id"], 2);

    // An attempt that wants nothing is told nothing.
    let question = start(&gateway, &telling(ask(3), "third")).answer();
    let answer = start(&gateway, &again(ask(4), &question, "here")).json();
    assert!(text(&answer).contains("file:///here"), "{answer}");
}

#[test]
fn progress_of_a_request_that_is_over_reaches_nobody_else() {
    let gateway = serve();
    let mut hold = able(1, "m_hold", json!({"key": "k"}));
    hold["params"]["_meta"]["progressToken"] = json!("mine");
    let held = start_aside(&gateway, &hold);
    gateway.server().wait_for("holding k");
    let token = calls(&gateway)[0]["params"]["_meta"]["progressToken"].clone();
    drop(held);
    gateway.server().wait_for("cancelled k");
    let late = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {
        "progressToken": token, "progress": 1, "message": "half of it",
    }});
    let done = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
    let say = able(2, "m_say", json!({"lines": [late.to_string(), done]}));
    let told = start(&gateway, &telling(say, "other")).text();
    assert!(!told.contains("half of it"), "{told}");
}

#[test]
fn what_a_cancelled_call_still_makes_a_server_say_reaches_nobody_else() {
    let gateway = serve();
    let held = start_aside(&gateway, &able(1, "m_hold", json!({"key": "k"})));
    gateway.server().wait_for("holding k");
    let id = calls(&gateway)[0]["id"].clone();
    drop(held);
    gateway.server().wait_for("cancelled k");
    let flood = able(2, "m_flood", json!({"steps": 3, "bytes": 1}));
    let told = || {
        let answer = start(&gateway, &telling(flood.clone(), "p")).text();
        answer.matches("notifications/message").count()
    };
    assert_eq!(told(), 0, "it may still be at work on what was cancelled");
    // Now it is known not to be.
    let late = json!({"jsonrpc": "2.0", "id": id, "result": {"content": []}});
    let done = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
    let say = able(3, "m_say", json!({"lines": [late.to_string(), done]}));
    start(&gateway, &say).answer();
    assert_eq!(told(), 3);
}

#[test]
fn a_server_that_has_been_told_to_stop_has_so_long_to_do_so() {
    let gateway = serve();
    let held = start_aside(&gateway, &able(1, "m_hold", json!({"key": "k"})));
    gateway.server().wait_for("holding k");
    drop(held);
    gateway.server().wait_for("cancelled k");
    let question = start(&gateway, &able(2, "m_ask", json!({}))).answer();
    assert!(asks(&question), "{question}");
}

#[test]
fn of_questions_that_can_never_become_clear_one_is_refused_at_once() {
    let gateway = serve();
    let hold = able(1, "m_hold", json!({"key": "k", "text": "held"}));
    std::thread::scope(|scope| {
        let held = scope.spawn(|| start(&gateway, &hold).answer());
        gateway.server().wait_for("holding k");
        let asked = |id| {
            let gateway = &gateway;
            scope.spawn(move || start(gateway, &able(id, "m_ask", json!({}))).answer())
        };
        let both = [asked(2), asked(3)];
        eventually("both calls at the server", || calls(&gateway).len() == 3);
        start(&gateway, &able(4, "m_release", json!({"key": "k"}))).answer();
        assert_eq!(text(&held.join().unwrap()), "held");
        let answers = both.map(|asked| asked.join().unwrap());
        let (asked, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|it| asks(it));
        assert_eq!((asked.len(), refused.len()), (1, 1), "{answers:?}");
        assert!(text(refused[0]).contains("several clients"), "{answers:?}");
    });
}
