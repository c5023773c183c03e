//! Batches, which MCP had in 2025-03-26.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use mcp_gateway_tests::{Gateway, Received};
use serde_json::{Value, json};

fn call(id: Value, tool: &str, arguments: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
}

/// Waits for a batch, in any order; what comes back is in the order of its ids.
fn batch(gateway: &Gateway) -> Vec<Value> {
    let received = gateway
        .client
        .receive("a batch", |message: &Received| message.raw.starts_with('['));
    let mut answers = match received.value() {
        Value::Array(answers) => answers,
        other => panic!("{other}"),
    };
    answers.sort_by_key(|answer| answer["id"].to_string());
    answers
}

#[test]
fn a_batch_is_answered_by_one_batch_once_all_answers_are_there() {
    let gateway = Gateway::with().mirror().start();
    gateway.client.send_raw(
        &json!([
            {"jsonrpc": "2.0", "id": "a", "method": "ping"},
            call(json!("b"), "m_hold", json!({"key": "b"})),
            {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"},
            call(json!("c"), "m_echo", json!({"text": "in a batch"})),
            {"jsonrpc": "2.0", "id": "d", "method": "no/such"},
        ])
        .to_string(),
    );
    gateway.server().wait_for("holding b");
    gateway
        .server()
        .wait_to_receive("notifications/roots/list_changed");
    gateway.client.call("m_release", json!({"key": "b"}));
    let answers = batch(&gateway);
    assert_eq!(answers.len(), 4, "{answers:#?}");
    assert_eq!(answers[0]["result"], json!({}));
    assert_eq!(answers[1]["result"]["content"][0]["text"], "released");
    assert_eq!(answers[2]["result"]["content"][0]["text"], "in a batch");
    assert_eq!(answers[3]["error"]["code"], -32601);
}

#[test]
fn what_is_cancelled_is_left_out_of_the_batch() {
    let gateway = Gateway::with().mirror().start();
    gateway.client.send_raw(
        &json!([
            call(json!(1), "m_hold", json!({"key": "a"})),
            call(json!(2), "m_echo", json!({"text": "x"})),
        ])
        .to_string(),
    );
    gateway.server().wait_for("holding a");
    gateway
        .client
        .notify("notifications/cancelled", json!({"requestId": 1}));
    let answers = batch(&gateway);
    assert_eq!(answers.len(), 1, "{answers:#?}");
    assert_eq!(answers[0]["id"], 2);
}

#[test]
fn a_batch_of_notifications_is_not_answered() {
    let gateway = Gateway::with().mirror().start();
    let before = gateway.client.received().len();
    gateway.client.send_raw(
        r#"[{"jsonrpc":"2.0","method":"notifications/roots/list_changed"},{"jsonrpc":"2.0","method":"notifications/x"}]"#,
    );
    gateway.server().wait_to_receive("notifications/x");
    gateway.client.call("m_echo", json!({"text": "next"}));
    assert_eq!(gateway.client.received().len(), before + 1);
}

#[test]
fn what_is_no_message_is_an_error_within_the_batch_and_so_is_an_empty_one() {
    let gateway = Gateway::with().mirror().start();
    gateway.client.send_raw(
        r#"[1,{"jsonrpc":"2.0","id":"x"},[],{"jsonrpc":"2.0","id":"y","method":"ping"}]"#,
    );
    let answers = batch(&gateway);
    let codes: Vec<_> = answers
        .iter()
        .map(|answer| (answer["id"].clone(), answer["error"]["code"].clone()))
        .collect();
    let invalid = json!(-32600);
    assert_eq!(
        codes,
        [
            (json!("x"), invalid.clone()),
            (json!("y"), Value::Null),
            (Value::Null, invalid.clone()),
            (Value::Null, invalid.clone()),
        ]
    );
    gateway.client.send_raw("[]");
    let answer = gateway.client.receive("an error", |message| {
        message.raw.contains("the batch is empty")
    });
    assert_eq!(answer.value()["error"]["code"], invalid);
}

#[test]
fn answers_that_are_too_long_for_one_message_come_one_by_one() {
    let gateway = Gateway::with()
        .setting("max_message = \"1MiB\"")
        .mirror()
        .start();
    let calls: Vec<Value> = (0..4)
        .map(|id| call(json!(id), "m_big", json!({"bytes": 400_000})))
        .collect();
    gateway.client.send_raw(&Value::Array(calls).to_string());
    for id in ["0", "1", "2", "3"] {
        assert_eq!(gateway.client.answer(id).text().len(), 400_000);
    }
}

/// A server may ask in a batch, too.
#[test]
fn a_batch_of_a_server_is_answered_by_one_batch() {
    let gateway = Gateway::with().mirror().start();
    let asks = r#"[{"jsonrpc":"2.0","id":"r1","method":"roots/list"},{"jsonrpc":"2.0","id":"r2","method":"roots/list"}]"#;
    let done = r#"[{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}]"#;
    // No message at all, so it is a line of a log and not answered.
    let logged = "[\"starting\"]";
    gateway
        .client
        .call("m_say", json!({"lines": [logged, asks, done]}));
    for _ in 0..2 {
        let id = gateway.client.receive_method("roots/list").id.unwrap();
        gateway.client.send_raw(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"roots":[]}}}}"#
        ));
    }
    let line = gateway.server().wait_for("< [");
    let answers: Value = serde_json::from_str(&format!("[{line}")).unwrap();
    assert_eq!(answers.as_array().unwrap().len(), 2, "{line}");
    assert!(!gateway.server().received().join("").contains("-32600"));
}
