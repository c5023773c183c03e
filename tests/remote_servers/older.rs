//! Servers of 2024-11-05, which speak HTTP+SSE.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use mcp_gateway_tests::{Gateway, Server, eventually};
use serde_json::json;

use crate::mcp::{result_of, says};
use crate::web::{Reply, Request, Web};

/// A server that tells its stream's reader to send messages there.
fn server(address: &'static str) -> Web {
    type Line = Arc<Mutex<Option<Sender<String>>>>;
    let line: Line = Line::default();
    Web::start(move |request: &Request, reply: &mut Reply<'_>| {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/sse") => {
                let (sender, receiver): (_, Receiver<String>) = channel();
                *line.lock().unwrap() = Some(sender);
                reply.stream();
                reply.piece(&format!("event: endpoint\ndata: {address}\n\n"));
                while let Ok(message) = receiver.recv() {
                    if message == "end" || !reply.event(&message) {
                        break;
                    }
                }
            }
            ("POST", "/messages?s=1") => {
                let answer = match request.says("method").as_str() {
                    "initialize" => result_of(
                        request,
                        r#"{"protocolVersion":"2024-11-05","capabilities":{"tools":{}},"serverInfo":{"name":"old","version":"1"}}"#,
                    ),
                    "tools/call" if request.tool() == "end" => "end".to_owned(),
                    "tools/call" => says(
                        request,
                        &request.message()["params"]["arguments"].to_string(),
                    ),
                    _ => {
                        reply.status("202 Accepted");
                        return;
                    }
                };
                reply.status("202 Accepted");
                let line = line.lock().unwrap();
                let _ = line.as_ref().unwrap().send(answer);
            }
            _ => reply.status("404 Not Found"),
        }
    })
}

fn gateway(web: &Web, settings: &str) -> Gateway {
    let server = Server::remote("r", &web.url("/sse")).setting(settings);
    Gateway::with()
        .setting("naming = \"bare\"")
        .server(server)
        .start()
}

#[test]
fn a_server_that_speaks_only_http_and_sse_is_found_out() {
    let web = server("/messages?s=1");
    let gateway = gateway(&web, "");
    assert_eq!(
        gateway.client.call("echo", json!({"a": 1})).text(),
        r#"{"a":1}"#
    );
    let tried: Vec<_> = web
        .seen()
        .iter()
        .map(|request| format!("{} {}", request.method, request.path))
        .collect();
    assert_eq!(tried[..3], ["POST /sse", "GET /sse", "POST /messages?s=1"]);
    assert_eq!(web.seen()[2].says("method"), "initialize");
}

#[test]
fn a_server_that_is_said_to_speak_http_and_sse_is_believed() {
    let web = server("/messages?s=1");
    let gateway = gateway(&web, "transport = \"sse\"");
    assert_eq!(
        gateway.client.call("echo", json!({"a": 1})).text(),
        r#"{"a":1}"#
    );
    assert_eq!(web.seen()[0].method, "GET");
}

#[test]
fn messages_are_not_sent_to_another_server() {
    let web = server("http://localhost:1/messages");
    let gateway = gateway(&web, "transport = \"sse\"");
    assert_eq!(
        gateway.client.call("echo", json!({})).text(),
        r#"server "r" is not available: it wants messages to be sent to another server"#
    );
}

#[test]
fn the_end_of_the_stream_is_the_end_of_the_connection() {
    let web = server("/messages?s=1");
    let gateway = gateway(&web, "transport = \"sse\"");
    assert_eq!(
        gateway.client.call("end", json!({})).text(),
        r#"server "r" is not available: its stream of events ended"#
    );
    eventually("a new connection", || {
        !gateway.client.call("echo", json!({})).is_tool_error()
    });
}

#[test]
fn a_session_that_the_server_forgot_is_opened_again_by_another_stream() {
    let streams: Arc<Mutex<Vec<Sender<String>>>> = Arc::default();
    let forgotten = Arc::new(AtomicUsize::new(0));
    let first = Arc::clone(&forgotten);
    let web = Web::start(move |request: &Request, reply: &mut Reply<'_>| {
        let session = request
            .path
            .rsplit_once('=')
            .map(|(_, number)| number.parse().unwrap());
        let Some(session): Option<usize> = session else {
            let (sender, receiver): (_, Receiver<String>) = channel();
            let mut streams = streams.lock().unwrap();
            streams.push(sender);
            reply.stream();
            reply.piece(&format!(
                "event: endpoint\ndata: /m?s={}\n\n",
                streams.len()
            ));
            drop(streams);
            // What stands between does not say that the server is another.
            while receiver.recv().is_ok_and(|message| reply.event(&message)) {}
            return;
        };
        if session <= first.load(Ordering::SeqCst) {
            return reply.status("404 Not Found");
        }
        reply.status("202 Accepted");
        let answer = match request.says("method").as_str() {
            "initialize" => result_of(
                request,
                r#"{"protocolVersion":"2024-11-05","capabilities":{"tools":{}},"serverInfo":{"name":"old","version":"1"}}"#,
            ),
            "tools/call" => says(request, &format!("session {session}")),
            _ => return,
        };
        let _ = streams.lock().unwrap()[session - 1].send(answer);
    });
    let gateway = gateway(&web, "transport = \"sse\"");
    assert_eq!(gateway.client.call("echo", json!({})).text(), "session 1");
    forgotten.store(1, Ordering::SeqCst);
    assert_eq!(gateway.client.call("echo", json!({})).text(), "session 2");
}
