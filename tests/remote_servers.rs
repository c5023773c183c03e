//! Servers that are reached over HTTP: what goes over the wire, byte for byte,
//! and what becomes of a server that misbehaves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "remote_servers/mcp.rs"]
mod mcp;
#[path = "remote_servers/web.rs"]
mod web;

#[path = "remote_servers/failures.rs"]
mod failures;
#[path = "remote_servers/modern.rs"]
mod modern;
#[path = "remote_servers/older.rs"]
mod older;
#[path = "remote_servers/sessions.rs"]
mod sessions;
#[path = "remote_servers/streams.rs"]
mod streams;

use mcp::{gateway, gateway_with, result_of, says, server};
use mcp_gateway_tests::{Gateway, Server, guest};
use serde_json::json;
use web::{Reply, Request};

#[test]
fn a_json_answer_comes_byte_for_byte() {
    let odd =
        r#"{"content":[],"x":1.0,"big":123456789012345678901234567890,"n":null,"u":"\u00e9\/"}"#;
    let web = server(move |request, reply| {
        if request.tool() != "odd" {
            return false;
        }
        // Over several lines, as some servers write.
        let pretty = result_of(request, odd).replacen("\"result\":", "\r\n  \"result\":\n", 1);
        reply.json(&pretty);
        true
    });
    let gateway = gateway(&web);
    let answer = gateway.client.call("odd", json!({}));
    assert!(answer.raw.contains(odd), "{}", answer.raw);
    assert!(answer.raw.ends_with("}}"), "{}", answer.raw);
}

#[test]
fn a_request_goes_out_byte_for_byte() {
    let web = server(|_, _| false);
    let gateway = gateway(&web);
    let params = r#"{"name":"echo","arguments":{"n":1e400,"x":[ 1.50 ],"\u0061":"\ud83d"}}"#;
    gateway.client.send_raw(&format!(
        r#"{{"id":"me","jsonrpc":"2.0","method":"tools/call","params":{params}}}"#
    ));
    gateway.client.answer("\"me\"");
    let call = web.wait_for("the call", |request| request.body.contains("1e400"));
    let expected = format!(r#","jsonrpc":"2.0","method":"tools/call","params":{params}}}"#);
    assert!(call.body.ends_with(&expected), "{}", call.body);
    assert!(call.body.starts_with(r#"{"id":"#));
}

#[test]
fn every_request_has_the_headers_that_mcp_and_the_configuration_want() {
    let web = server(|_, _| false);
    let gateway = gateway_with(
        &web,
        &[
            r#"bearer = "s3cret""#,
            r#"headers = { X-Team = "red", Accept = "text/html" }"#,
        ],
    );
    gateway.client.tools();
    for method in ["initialize", "notifications/initialized", "tools/list"] {
        let request = web.wait_for_method(method);
        assert_eq!(request.header("authorization"), "Bearer s3cret");
        assert_eq!(request.header("x-team"), "red");
        assert_eq!(
            request.header("accept"),
            "application/json, text/event-stream"
        );
        assert_eq!(request.header("content-type"), "application/json");
        assert!(request.header("user-agent").starts_with("mcp-gateway/"));
        let opened = method != "initialize";
        let (session, version) = if opened {
            ("session-1", "2025-06-18")
        } else {
            ("", "")
        };
        assert_eq!(request.header("mcp-session-id"), session, "{method}");
        assert_eq!(request.header("mcp-protocol-version"), version, "{method}");
        assert_eq!(request.header("mcp-method"), "", "{method}");
    }
    assert!(!gateway.log.text().contains("s3cret"));
}

#[test]
fn requests_are_under_way_beside_each_other_and_set_out_in_their_order() {
    let web = server(|request, reply| {
        if request.tool() != "slow" {
            return false;
        }
        // Until whoever asked hangs up.
        reply.stream();
        reply.wait_for_hang_up();
        true
    });
    let gateway = gateway(&web);
    let slow = gateway.client.start_call("slow", json!({}));
    for number in 0..20 {
        gateway.client.start_call("echo", json!({"number": number}));
    }
    for number in 101..=120 {
        gateway.client.answer(&(number + 1).to_string());
    }
    gateway.client.notify(
        "notifications/cancelled",
        json!({"requestId": slow.parse::<u64>().unwrap()}),
    );
    web.wait_for_method("notifications/cancelled");
    gateway.end();
    let cancelled = web
        .seen()
        .into_iter()
        .find(|request| request.says("method") == "notifications/cancelled");
    let called = web
        .seen()
        .into_iter()
        .find(|request| request.tool() == "slow");
    assert_eq!(
        cancelled.unwrap().message()["params"]["requestId"],
        called.unwrap().message()["id"]
    );
}

#[test]
fn later_requests_find_the_initialized_notification_taken() {
    let web = server(|request, reply| {
        if request.says("method") != "notifications/initialized" {
            return false;
        }
        // Slow, but not slower than the gateway is patient.
        std::thread::sleep(std::time::Duration::from_millis(300));
        reply.status("202 Accepted");
        true
    });
    let gateway = gateway(&web);
    gateway.client.tools();
    let methods: Vec<_> = web
        .seen()
        .iter()
        .map(|request| request.says("method"))
        .collect();
    assert_eq!(
        methods,
        ["initialize", "notifications/initialized", "", "tools/list"]
    );
}

#[test]
fn answers_and_errors_of_a_remote_server_pass_the_guardrails() {
    let parts = ["x7Kq2Lm9Pz4R", "t8Wv3Yb6Nc1H", "d5Fg0JsAuEiO"];
    let token = format!("ghp_{}", parts.concat());
    let web = server({
        let token = token.clone();
        move |request: &Request, reply: &mut Reply<'_>| {
            match request.tool().as_str() {
                "json" => reply.json(&says(request, &token)),
                "stream" => {
                    reply.stream();
                    reply.event(&says(request, &token));
                }
                "text" => reply.body("500 Oops", "text/plain", &format!("no {token}")),
                "error" => {
                    let id = request.id();
                    let body = format!(
                        r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":1,"message":"{token}"}}}}"#
                    );
                    reply.body("400 Bad Request", "application/json", &body);
                }
                _ => return false,
            }
            true
        }
    });
    let gateway = Gateway::with()
        .setting("naming = \"bare\"")
        .server(Server::remote("r", &web.url("/mcp")))
        .guardrail("basic", "")
        .start();
    for tool in ["json", "stream", "text", "error"] {
        let answer = gateway.client.call(tool, json!({}));
        assert!(!answer.raw.contains(&token), "{tool}: {}", answer.raw);
        assert!(
            answer.raw.to_uppercase().contains("GITHUB"),
            "{tool}: {}",
            answer.raw
        );
    }
}

#[test]
fn a_crashing_guardrail_keeps_a_call_from_a_remote_server() {
    let web = server(|_, _| false);
    let gateway = Gateway::with()
        .setting("naming = \"bare\"")
        .server(Server::remote("r", &web.url("/mcp")))
        .guardrail(
            guest("guest_faulty"),
            "config = { fault = \"trap\" }\nonly = { methods = [\"tools/call\"] }",
        )
        .start();
    let answer = gateway.client.call("echo", json!({"text": "FAULT"}));
    assert!(answer.is_tool_error(), "{}", answer.raw);
    gateway.end();
    assert!(web.seen().iter().all(|request| request.tool().is_empty()));
}
