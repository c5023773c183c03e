//! A guardrail that fails takes one message with it and nothing else: the
//! message is blocked with a reason that says what happened, and the next one
//! is served.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use mcp_gateway_tests::{Gateway, Received, Server, Setup, guest};
use serde_json::json;

/// A gateway in front of a mirror, with a guardrail that has a fault.
fn with_fault(fault: &str, settings: &str) -> Setup {
    let settings = format!("config = {{ fault = \"{fault}\" }}\n{settings}");
    Gateway::with()
        .mirror()
        .guardrail(guest("guest_faulty"), &settings)
}

/// The fault fires on a request: it is blocked, says why, never reaches the
/// server, and the next request is served.
fn blocks_a_request(fault: &str, words: &[&str]) {
    blocks(with_fault(fault, ""), words);
}

fn blocks(setup: Setup, words: &[&str]) {
    let gateway = setup.start();
    let client = &gateway.client;
    let answer = client.call(
        "m_echo",
        json!({"text": "é FAULT FAULT FAULT", "more": "text"}),
    );
    is_blocked(&answer, words);
    assert!(
        answer
            .text()
            .contains("stopped before it reached server \"m\""),
        "{}",
        answer.raw
    );
    assert_eq!(
        client.call("m_echo", json!({"text": "fine"})).text(),
        "fine"
    );
    let received = gateway.server().received().join("\n");
    assert!(!received.contains("FAULT"), "{received}");
}

fn is_blocked(answer: &Received, words: &[&str]) {
    assert!(answer.is_tool_error(), "{}", answer.raw);
    let text = answer.text();
    assert!(
        text.starts_with("Blocked by guardrail \"guest_faulty\""),
        "{text}"
    );
    for words in words {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
}

const FAILED: &str = "Reason: the guardrail failed: ";

#[test]
fn a_trapping_guardrail_blocks_the_call() {
    blocks_a_request("trap", &[FAILED, "it crashed (a panic or an abort"]);
}

#[test]
fn a_guardrail_that_never_returns_is_stopped() {
    blocks_a_request(
        "spin",
        &[FAILED, "it used more CPU time than its limit of 100 ms"],
    );
}

#[test]
fn a_limit_can_be_set_for_each_guardrail() {
    let setup = with_fault("spin", "limits = { cpu = \"30ms\" }");
    blocks(setup, &["more CPU time than its limit of 30 ms"]);
}

#[test]
fn a_guardrail_that_hoards_memory_is_stopped() {
    blocks_a_request(
        "grow",
        &[
            FAILED,
            "it wanted more memory than its limit of 67108864 bytes",
        ],
    );
}

#[test]
fn a_guardrail_that_floods_its_verdict_is_stopped() {
    blocks_a_request(
        "flood-output",
        &[
            FAILED,
            "its verdict is larger than its limit of 4194304 bytes",
        ],
    );
}

#[test]
fn a_guardrail_that_floods_the_log_is_stopped() {
    blocks_a_request(
        "flood-log",
        &[FAILED, "it logged more than its limit of 100 lines"],
    );
}

#[test]
fn a_guardrail_that_floods_standard_error_is_stopped() {
    blocks_a_request(
        "flood-stderr",
        &[FAILED, "it logged more than its limit of 100 lines"],
    );
}

#[test]
fn a_guardrail_that_waits_too_long_is_stopped() {
    let setup = with_fault("sleep", "limits = { wall = \"300ms\" }");
    blocks(setup, &[FAILED, "it took longer than its limit of 300 ms"]);
}

#[test]
fn a_guardrail_that_calls_the_host_without_end_is_stopped() {
    blocks_a_request(
        "flood-host",
        &[
            FAILED,
            "it called the host more often than its limit of 10000",
        ],
    );
}

#[test]
fn a_guardrail_that_recurses_without_end_is_stopped() {
    blocks_a_request("recurse", &[FAILED, "call stack exhausted"]);
}

#[test]
fn a_guardrail_that_cannot_be_snapshotted_works_all_the_same() {
    let gateway = with_fault("configure-prints", "").start();
    let said = gateway
        .client
        .call("m_echo", json!({"text": "a SECRETWORD"}));
    assert_eq!(said.text(), "a <MASKED>");
}

#[test]
fn replacements_that_make_a_message_grow_without_bounds_are_refused() {
    let setup = with_fault("grow-replacement", "limits = { output = \"1MiB\" }");
    blocks(setup, &[FAILED, "larger than its limit of 1048576 bytes"]);
}

#[test]
fn a_guardrail_that_reports_an_error_blocks_the_call() {
    blocks_a_request(
        "error",
        &[FAILED, "it reports: the guardrail could not do its work"],
    );
}

const INVALID: &str = "its verdict is invalid: the span of its finding 1 (word)";

#[test]
fn a_span_out_of_range_is_refused() {
    blocks_a_request("span-out-of-range", &[FAILED, INVALID]);
}

#[test]
fn a_reversed_span_is_refused() {
    blocks_a_request("span-reversed", &[FAILED, INVALID]);
}

#[test]
fn a_span_inside_a_character_is_refused() {
    blocks_a_request("span-inside-character", &[FAILED, INVALID]);
}

#[test]
fn a_span_across_two_texts_is_refused() {
    blocks_a_request("span-crosses-texts", &[FAILED, INVALID]);
}

const REPLACEMENTS: &str = "its verdict is invalid: its replacements: ";

#[test]
fn overlapping_spans_are_refused() {
    blocks_a_request("spans-overlap", &[FAILED, REPLACEMENTS, "overlaps"]);
}

#[test]
fn unsorted_spans_are_refused() {
    blocks_a_request("spans-unsorted", &[FAILED, REPLACEMENTS, "out of order"]);
}

#[test]
fn a_patch_that_does_not_fit_is_refused() {
    blocks_a_request(
        "bad-patch",
        &[FAILED, "its verdict is invalid: its patch: "],
    );
}

#[test]
fn a_patch_with_a_broken_value_is_refused() {
    blocks_a_request(
        "bad-patch-value",
        &[FAILED, "its verdict is invalid: its patch: "],
    );
}

#[test]
fn a_decision_to_block_is_carried_out() {
    blocks_a_request(
        "block",
        &["Reason: blocked as it was asked to.", "set mode = \"warn\""],
    );
}

#[test]
fn a_question_that_nobody_can_answer_blocks() {
    blocks_a_request(
        "ask",
        &[
            "a person must approve it: is this fault all right?",
            "`mcp-gateway approve ",
        ],
    );
}

#[test]
fn a_patch_changes_the_answer() {
    let gateway = with_fault("patch", "").start();
    let answer = gateway.client.call("m_whisper", json!({"line": "FAU~LT"}));
    assert_eq!(answer.value()["result"], json!({"content": []}));
}

#[test]
fn an_answer_is_withheld_when_the_guardrail_fails_on_it() {
    let gateway = with_fault("trap", "").start();
    let client = &gateway.client;
    let answer = client.call("m_whisper", json!({"line": "FAU~LT"}));
    is_blocked(
        &answer,
        &[FAILED, "server \"m\" answered, but the answer was withheld"],
    );
    let answer = client.call("m_fail", json!({"line": "FAU~LT"}));
    is_blocked(&answer, &[FAILED, "the answer was withheld"]);
    assert_eq!(
        client.call("m_whisper", json!({"line": "fine"})).text(),
        "fine"
    );
}

#[test]
fn what_is_no_tool_call_is_refused_with_a_protocol_error() {
    let gateway = with_fault("trap", "").start();
    let prompt = |text| {
        (
            "prompts/get",
            json!({"name": "m_say", "arguments": {"text": text}}),
        )
    };
    let resource = |uri| ("resources/read", json!({"uri": uri}));
    let cases = [
        (prompt("FAULT"), "stopped before it reached server"),
        (prompt("FAU~LT"), "the answer was withheld"),
        (
            resource("mirror://FAULT"),
            "stopped before it reached server",
        ),
        (resource("mirror://FAU~LT"), "the answer was withheld"),
        (
            ("com.example/custom", json!({"a": "FAULT"})),
            "stopped before it reached server",
        ),
    ];
    for ((method, params), words) in cases {
        let answer = gateway.client.request(method, params).value();
        let error = &answer["error"];
        assert_eq!(error["code"], json!(-32001), "{answer}");
        assert!(
            error["message"].as_str().unwrap().contains(words),
            "{answer}"
        );
        assert_eq!(
            error["data"]["guardrail"],
            json!("guest_faulty"),
            "{answer}"
        );
        assert_eq!(error["data"]["server"], json!("m"), "{answer}");
    }
    let (method, params) = prompt("fine");
    let answer = gateway.client.request(method, params).value();
    assert_eq!(
        answer["result"]["messages"][0]["content"]["text"],
        json!("fine")
    );
}

#[test]
fn a_list_that_is_withheld_does_not_hold_back_another_servers() {
    let bad = Server::mirror("bad").env("MIRROR_DESCRIPTION", "FAULT");
    let alone = Gateway::with().server(bad.clone());
    let beside = Gateway::with().server(bad).mirror();
    let [alone, beside] = [alone, beside].map(|setup| {
        let settings = "config = { fault = \"trap\" }";
        setup.guardrail(guest("guest_faulty"), settings).start()
    });
    let answer = alone.client.request("tools/list", json!({})).value();
    assert_eq!(answer["error"]["code"], json!(-32001), "{answer}");

    let tools = beside.client.tools();
    assert!(tools.contains(&"m_echo".to_owned()), "{tools:?}");
    assert!(!tools.contains(&"bad_echo".to_owned()), "{tools:?}");
    beside.log.wait("left out of the list");
}

#[test]
fn a_notification_is_dropped_and_the_next_one_passes() {
    let gateway = with_fault("trap", "").start();
    let note = |text: &str| {
        json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": text}})
            .to_string()
    };
    let answer = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
    let lines = json!([note("FAU~LT"), note("fine"), answer]);
    gateway.client.call("m_say", json!({ "lines": lines }));
    let passed = gateway
        .client
        .receive_method("notifications/message")
        .value();
    assert_eq!(passed["params"]["data"], json!("fine"));

    gateway
        .client
        .notify("notifications/com.example/a", json!({"text": "FAULT"}));
    gateway
        .client
        .notify("notifications/com.example/b", json!({"text": "fine"}));
    gateway
        .server()
        .wait_to_receive("notifications/com.example/b");
    let received = gateway.server().received().join("\n");
    assert!(
        !received.contains("notifications/com.example/a"),
        "{received}"
    );
}

#[test]
fn a_servers_request_is_refused_towards_the_server() {
    let gateway = with_fault("trap", "").start();
    let arguments = json!({"method": "sampling/createMessage", "params": {"system": "FAU~LT"}});
    let answer = gateway.client.call("m_ask", arguments).text();
    assert!(answer.contains("-32001"), "{answer}");
    assert!(answer.contains("a request of server"), "{answer}");
    assert!(
        !gateway
            .client
            .received()
            .join("\n")
            .contains("sampling/createMessage")
    );
}

#[test]
fn with_on_error_allow_the_message_passes_and_the_log_says_so() {
    for fault in ["trap", "spin", "span-reversed", "bad-patch"] {
        let gateway = with_fault(fault, "on_error = \"allow\"").start();
        let answer = gateway.client.call("m_echo", json!({"text": "FAULT"}));
        assert_eq!(answer.text(), "FAULT", "{fault}");
        gateway.log.wait("guardrail failed: ");
        gateway
            .log
            .wait("the message passes without this guardrail");
    }
}

#[test]
fn in_warn_mode_nothing_is_blocked_whatever_happens() {
    for fault in ["trap", "block", "ask", "span-reversed"] {
        let gateway = with_fault(fault, "mode = \"warn\"").start();
        let answer = gateway.client.call("m_echo", json!({"text": "FAULT"}));
        assert_eq!(answer.text(), "FAULT", "{fault}");
    }
    let gateway = with_fault("block", "mode = \"warn\"").start();
    gateway.client.call("m_echo", json!({"text": "FAULT"}));
    let finding = gateway.log.wait("finding");
    assert_eq!(finding.text("decision"), "block");
    assert_eq!(finding.fields["enforced"], json!(false));
}

#[test]
fn a_guardrail_that_keeps_failing_is_reported_as_unhealthy() {
    let gateway = with_fault("trap", "").start();
    for _ in 0..3 {
        gateway.client.call("m_echo", json!({"text": "FAULT"}));
    }
    let event = gateway.log.wait("guardrail is unhealthy");
    assert_eq!(event.text("guardrail"), "guest_faulty");
}

#[test]
fn with_isolation_by_message_nothing_is_left_of_the_message_before() {
    let settings = "only = { methods = [\"tools/call\"] }\nisolation = \"message\"";
    let gateway = with_fault("stateful", settings).start();
    for _ in 0..5 {
        assert_eq!(
            gateway.client.call("m_echo", json!({"text": "x"})).text(),
            "x"
        );
    }
}

#[test]
fn with_isolation_by_session_an_instance_is_used_again() {
    let gateway = with_fault("stateful", "only = { methods = [\"tools/call\"] }").start();
    let answer = gateway.client.call("m_echo", json!({"text": "x"}));
    is_blocked(&answer, &["Reason: check 2."]);
}
