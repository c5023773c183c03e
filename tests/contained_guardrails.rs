//! What a guardrail that fails, or that has much to do, leaves behind: nothing in
//! the log that a message holds, no instance that has failed, and time for the
//! others.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use mcp_gateway_tests::{Gateway, Setup, guest};
use serde_json::json;

/// A gateway in front of a mirror, with a guardrail that has a fault.
fn with_fault(fault: &str, settings: &str) -> Setup {
    let settings = format!("config = {{ fault = \"{fault}\" }}\n{settings}");
    Gateway::with()
        .mirror()
        .guardrail(guest("guest_faulty"), &settings)
}

/// Where no guardrail can look, whoever lets messages pass without a guardrail's
/// word lets these pass too.
#[test]
fn what_cannot_be_shown_to_a_guardrail_passes_where_its_faults_do() {
    for (settings, passes) in [
        ("", false),
        ("on_error = \"allow\"", true),
        ("mode = \"warn\"", true),
    ] {
        let gateway = with_fault("none", settings).start();
        gateway.client.send_raw(
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","odd":1,"params":{"name":"m_echo","arguments":{"text":"x"}}}"#,
        );
        let answer = gateway.client.answer("7");
        assert_eq!(answer.text() == "x", passes, "{settings}: {}", answer.raw);
        let event = gateway.log.wait("guardrail failed: ");
        let words = "members beside those of JSON-RPC";
        assert!(event.message().contains(words), "{}", event.raw);
        if passes {
            gateway
                .log
                .wait("the message passes without this guardrail");
        }
    }
}

/// A panic's words may quote the message.
#[test]
fn what_a_guest_prints_is_logged_for_those_who_debug_it_only() {
    const WORDS: &str = "this guest panics as it was asked to";
    for (level, seen) in [("info", false), ("debug", true)] {
        let gateway = with_fault("trap", "").log_level(level).start();
        gateway.client.call("m_echo", json!({"text": "FAULT"}));
        gateway.log.wait("with --log debug the log has its words");
        assert_eq!(gateway.log.text().contains(WORDS), seen, "{level}");
    }
}

/// An instance whose verdict is invalid is not asked again: it would block the
/// answer.
#[test]
fn after_an_invalid_verdict_the_instance_is_dropped() {
    let settings = "only = { methods = [\"tools/call\"] }\non_error = \"allow\"";
    let gateway = with_fault("stateful-invalid", settings).start();
    let answer = gateway.client.call("m_echo", json!({"text": "FAULT"}));
    assert_eq!(answer.text(), "FAULT");
    gateway.log.wait("its verdict is invalid");
}

/// They used to take a thread each, and were billed for the time in which the
/// system had given their processor to another of them.
#[cfg(target_os = "linux")]
#[test]
fn large_messages_at_once_do_not_take_a_thread_each() {
    let gateway = with_fault("work:5000000", "").start();
    let threads = || {
        let tasks = format!("/proc/{}/task", gateway.process());
        std::fs::read_dir(tasks).unwrap().count()
    };
    let before = threads();
    let text = "FAULT ".repeat(6_000);
    let calls: Vec<String> = (0..60)
        .map(|_| gateway.client.start_call("m_echo", json!({"text": text})))
        .collect();
    for call in calls {
        let answer = gateway.client.answer(&call);
        assert!(!answer.is_tool_error(), "{}", answer.text());
    }
    // Those that have nothing to do wait for some seconds before they end. A
    // few come on top of one for each processor: a turn ends just before its
    // thread is free.
    let more = threads().saturating_sub(before);
    let processors = std::thread::available_parallelism().unwrap().get();
    assert!(more <= processors + 28, "{more} threads more than before");
}
