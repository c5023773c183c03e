//! Answers that come as streams of events.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use crate::mcp::{gateway, gateway_with, says, server};

fn progress(token: &str, done: usize) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{done}}}}}"#
    )
}

#[test]
fn progress_comes_in_its_order_and_before_the_answer() {
    let web = server(|request, reply| {
        if request.tool() != "work" {
            return false;
        }
        let token = request.message()["params"]["_meta"]["progressToken"].to_string();
        reply.stream();
        for done in 0..100 {
            reply.event(&progress(&token, done));
        }
        reply.event(&says(request, "done"));
        true
    });
    let gateway = gateway(&web);
    let id = gateway.client.start(
        "tools/call",
        json!({"name": "work", "arguments": {}, "_meta": {"progressToken": "t"}}),
    );
    gateway.client.answer(&id);
    let received = gateway.client.received();
    let mut seen = received
        .iter()
        .skip_while(|line| !line.contains("\"progress\":0}"));
    for done in 0..100 {
        assert_eq!(*seen.next().unwrap(), progress("\"t\"", done));
    }
    assert!(seen.next().unwrap().contains("done"));
}

#[test]
fn a_stream_that_breaks_goes_on_after_the_last_event() {
    let web = server(|request, reply| {
        if request.tool() == "work" {
            reply.stream();
            let call = request.id();
            reply.piece(&format!("id: {call}/1\nretry: 1\ndata:\n\n"));
            reply.piece(&format!("id: {call}/2\ndata: {}\n\n", progress("\"t\"", 1)));
            // Not complete, so it does not count.
            reply.piece(&format!("id: {call}/3\ndata: {{"));
            return true;
        }
        let Some((call, event)) = request.header("last-event-id").split_once('/') else {
            return false;
        };
        reply.stream();
        match event {
            // It may break more than once, even with nothing new.
            "2" => reply.piece(&format!(
                "id: {call}/4\ndata: {}\n\n",
                progress("\"t\"", 2)
            )),
            "4" => reply.piece(&format!("id: {call}/5\n\n")),
            _ => reply.event(&format!(
                r#"{{"jsonrpc":"2.0","id":{call},"result":{{"content":[{{"type":"text","text":"done"}}]}}}}"#
            )),
        };
        true
    });
    let gateway = gateway(&web);
    let id = gateway.client.start(
        "tools/call",
        json!({"name": "work", "arguments": {}, "_meta": {"progressToken": "t"}}),
    );
    assert_eq!(gateway.client.answer(&id).text(), "done");
    let received = gateway.client.received();
    let steps = received
        .iter()
        .filter(|line| line.contains("notifications/progress"));
    assert_eq!(steps.count(), 2);
}

#[test]
fn a_stream_without_ids_that_breaks_is_a_clear_failure() {
    let web = server(|request, reply| {
        let call = request.tool() == "work";
        if call {
            reply.stream();
            reply.event(&progress("1", 1));
        }
        call
    });
    let gateway = gateway(&web);
    let answer = gateway.client.call("work", json!({}));
    assert!(answer.is_tool_error());
    assert_eq!(
        answer.text(),
        r#"server "r" is not available: its stream ended before the answer"#
    );
    assert_eq!(
        gateway.client.call("echo", json!({"a": 1})).text(),
        r#"{"a":1}"#
    );
}

#[test]
fn a_stream_that_never_goes_on_is_given_up() {
    let resumed = AtomicUsize::new(0);
    let web = server(move |request, reply| {
        if request.tool() == "work" {
            reply.stream();
            reply.piece("retry: 1\nid: 1\n\n");
            return true;
        }
        let resumes = !request.header("last-event-id").is_empty();
        if resumes {
            match resumed.fetch_add(1, Ordering::Relaxed) {
                0 => reply.status("503 Service Unavailable"),
                _ => reply.status("400 Bad Request"),
            }
        }
        resumes
    });
    let gateway = gateway(&web);
    let answer = gateway.client.call("work", json!({}));
    assert_eq!(
        answer.text(),
        r#"server "r" is not available: its stream ended before the answer"#
    );
}

#[test]
fn a_body_that_is_too_long_fails_its_request_and_no_other() {
    let web = server(|request, reply| {
        let long = "x".repeat(200_000);
        match request.tool().as_str() {
            "json" => reply.json(&says(request, &long)),
            "stream" => {
                reply.stream();
                reply.event(&says(request, &long));
            }
            "error" => reply.body("500 Oops", "text/plain", &long),
            _ => return false,
        }
        true
    });
    let gateway = gateway_limited(&web);
    for tool in ["json", "stream"] {
        let answer = gateway.client.call(tool, json!({}));
        assert!(answer.is_tool_error());
        let expected = "its answer is unusable: message is longer than the limit of 65536 bytes";
        assert!(answer.text().contains(expected), "{}", answer.raw);
    }
    assert!(gateway.client.call("error", json!({})).raw.len() < 1000);
    assert_eq!(
        gateway.client.call("echo", json!({"a": 1})).text(),
        r#"{"a":1}"#
    );
}

fn gateway_limited(web: &crate::web::Web) -> mcp_gateway_tests::Gateway {
    mcp_gateway_tests::Gateway::with()
        .setting("naming = \"bare\"")
        .setting("max_message = \"64KiB\"")
        .server(mcp_gateway_tests::Server::remote("r", &web.url("/mcp")))
        .start()
}

#[test]
fn several_messages_may_come_together_and_after_the_answer() {
    let web = server(|request, reply| {
        let call = request.tool() == "work";
        if call {
            reply.stream();
            let note = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"after"}}"#;
            reply.piece(&format!(
                ": hello\r\n\r\nevent: ping\r\ndata: nothing\r\n\r\nevent: message\r\ndata: {}\r\n\r\ndata: {note}\r\n\r\n",
                says(request, "done")
            ));
        }
        call
    });
    let gateway = gateway_with(&web, &["transport = \"streamable-http\""]);
    assert_eq!(gateway.client.call("work", json!({})).text(), "done");
    gateway.client.receive_method("notifications/message");
}
