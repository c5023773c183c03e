//! What belongs together stays together and in order: progress, cancellation,
//! requests of servers; and neither a slow call nor a bad line holds up others.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use mcp_gateway_tests::{Gateway, Setup, guest};
use serde_json::json;

fn setups() -> [Setup; 2] {
    [
        Gateway::with().mirror(),
        Gateway::with()
            .mirror()
            .guardrail(guest("guest_faulty"), ""),
    ]
}

#[test]
fn progress_arrives_in_order_with_its_token_and_before_the_answer() {
    for setup in setups() {
        let gateway = setup.start();
        for token in ["\"my-token\"", "7"] {
            let id = if token == "7" { "501" } else { "502" };
            let before = gateway.client.received().len();
            gateway.client.send_raw(&format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"m_progress","arguments":{{"steps":50}},"_meta":{{"progressToken":{token}}}}}}}"#
            ));
            gateway.client.answer(id);
            let lines = gateway.client.received().split_off(before);
            let expected: Vec<String> = (1..=50)
                .map(|step| format!(r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{step},"total":50,"message":"step {step}","x-extra":1.0}}}}"#))
                .collect();
            assert_eq!(lines[..50], expected);
            assert_eq!(lines.len(), 51);
        }
    }
}

#[test]
fn no_progress_token_is_invented() {
    let gateway = Gateway::with().mirror().start();
    let line = gateway.client.call("m_mirror", json!({})).text();
    assert!(!line.contains("progressToken"), "{line}");
}

#[test]
fn a_cancellation_reaches_the_server_under_its_id_and_no_answer_follows() {
    for setup in setups() {
        let gateway = setup.start();
        let id = gateway.client.start_call("m_hold", json!({"key": "a"}));
        gateway.server().wait_for("holding a");
        gateway.client.notify(
            "notifications/cancelled",
            json!({"requestId": id.parse::<u64>().unwrap(), "reason": "changed my mind", "x": 1}),
        );
        // Only the id that the server knows ends the call there.
        gateway.server().wait_for("cancelled a");
        let notice = gateway.server().wait_to_receive("notifications/cancelled");
        assert!(
            notice.contains(r#""reason":"changed my mind","x":1"#),
            "{notice}"
        );
        assert_eq!(
            gateway.client.call("m_echo", json!({"text": "on"})).text(),
            "on"
        );
        let late = format!("\"id\":{id},");
        assert!(
            !gateway
                .client
                .received()
                .iter()
                .any(|line| line.contains(&late))
        );
    }
}

/// A person may change their mind at once: the cancellation then stands on the
/// line after the request.
#[test]
fn a_cancellation_right_after_its_request_is_not_lost() {
    let gateway = Gateway::with().mirror().start();
    for n in 0..40 {
        let (id, key) = (1000 + n, format!("key-{n}"));
        let call = json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "m_hold", "arguments": {"key": key}}});
        let cancel = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
        gateway.client.send_raw(&format!("{call}\n{cancel}"));
        gateway.client.call("m_echo", json!({"text": "next"}));
        // Ends the call if it was not cancelled.
        gateway.client.call("m_release", json!({"key": key}));
        gateway.client.call("m_echo", json!({"text": "next"}));
        let answer = format!("\"id\":{id},");
        assert!(
            !gateway
                .client
                .received()
                .iter()
                .any(|line| line.contains(&answer)),
            "call {n} was not cancelled; the server received {:#?}",
            gateway.server().received()
        );
    }
}

#[test]
fn an_answer_to_a_cancelled_request_goes_nowhere() {
    let gateway = Gateway::with().mirror().start();
    let id = gateway.client.start_call("m_hold", json!({"key": "a"}));
    gateway.server().wait_for("holding a");
    let held = gateway.server().wait_to_receive("hold");
    let held: serde_json::Value = serde_json::from_str(&held).unwrap();
    gateway.client.notify(
        "notifications/cancelled",
        json!({"requestId": id.parse::<u64>().unwrap()}),
    );
    gateway.server().wait_for("cancelled a");
    let late = format!(
        r#"{{"jsonrpc":"2.0","id":{},"result":{{"late":true}}}}"#,
        held["id"]
    );
    let done = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
    gateway.client.call("m_say", json!({"lines": [late, done]}));
    assert!(!gateway.client.received().join("\n").contains("late"));
}

#[test]
fn requests_of_a_server_go_to_the_client_and_back() {
    for setup in setups() {
        let gateway = setup.start();
        for (method, params) in [
            ("roots/list", None),
            (
                "sampling/createMessage",
                Some(json!({"messages": [], "maxTokens": 5, "x-v": 1.5})),
            ),
        ] {
            let call = gateway
                .client
                .start_call("m_ask", json!({"method": method, "params": params}));
            let request = gateway.client.receive_method(method);
            if let Some(params) = params {
                assert_eq!(request.value()["params"], params);
            }
            let result = r#"{"roots":[{"uri":"file:///r","x-root":1.0}],"x-result":1e400}"#;
            gateway.client.send_raw(&format!(
                r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#,
                request.id.unwrap()
            ));
            let heard = gateway.client.answer(&call).text();
            assert!(heard.contains(result), "{heard}");
        }
    }
}

#[test]
fn a_slow_call_holds_up_no_other() {
    for setup in setups() {
        let gateway = setup.start();
        let slow = gateway.client.start_call("m_hold", json!({"key": "a"}));
        gateway.server().wait_for("holding a");
        assert_eq!(
            gateway
                .client
                .call("m_echo", json!({"text": "fast"}))
                .text(),
            "fast"
        );
        gateway.client.call("m_release", json!({"key": "a"}));
        assert_eq!(gateway.client.answer(&slow).text(), "released");
    }
}

#[test]
fn a_message_of_20_megabytes_passes_both_ways() {
    for setup in [
        Gateway::with().mirror(),
        Gateway::with().mirror().guardrail("basic", ""),
    ] {
        let gateway = setup.start();
        let text = "x".repeat(20_000_000);
        let answer = gateway.client.call("m_echo", json!({"text": text}));
        assert!(answer.text() == text, "{:.300}", answer.raw);
    }
}

#[test]
fn a_message_beyond_the_limit_is_answered_with_an_error() {
    let gateway = Gateway::with()
        .setting("max_message = \"1MiB\"")
        .mirror()
        .start();
    let answer = gateway
        .client
        .call("m_echo", json!({"text": "x".repeat(2 << 20)}));
    assert!(
        answer
            .raw
            .contains("longer than the limit of 1048576 bytes"),
        "{:.300}",
        answer.raw
    );
    let answer = gateway.client.call("m_big", json!({"bytes": 2 << 20}));
    assert!(
        answer
            .raw
            .contains("longer than the limit of 1048576 bytes"),
        "{:.300}",
        answer.raw
    );
    assert_eq!(
        gateway.client.call("m_echo", json!({"text": "on"})).text(),
        "on"
    );
}

#[test]
fn nonsense_of_the_client_is_survived() {
    let gateway = Gateway::with().mirror().start();
    for line in [
        "{not json",
        "",
        "   ",
        "null",
        "42",
        "[]",
        "{}",
        r#"{"jsonrpc":"2.0"}"#,
        r#"{"id":1,"result":{}}"#,
        "\u{feff}",
        "[1,2]",
    ] {
        gateway.client.send_raw(line);
    }
    gateway.client.send_raw(&"[".repeat(100_000));
    assert_eq!(
        gateway
            .client
            .call("m_echo", json!({"text": "alive"}))
            .text(),
        "alive"
    );
    gateway.log.wait("dropped a line that is no message");
}

#[test]
fn nonsense_of_a_server_is_logged_and_never_passed_on() {
    let gateway = Gateway::with().mirror().start();
    let done = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
    let lines = json!([
        "npm WARN deprecated {",
        "",
        "  ",
        "null",
        "[[[",
        "{\"jsonrpc\":\"2.0\",\"id\":99999,\"result\":{}}",
        done
    ]);
    gateway.client.call("m_say", json!({ "lines": lines }));
    let event = gateway.log.wait("dropped a line that is no message");
    assert_eq!(event.text("from"), "m");
    for line in gateway.client.received() {
        let message: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(message["jsonrpc"], json!("2.0"), "{line}");
        assert_ne!(message["id"], json!(99999), "{line}");
    }
}

#[test]
fn a_tool_that_nobody_has_is_an_error_of_the_client() {
    let gateway = Gateway::with().mirror().start();
    for tool in ["m_nope", "nope"] {
        let answer = gateway.client.call(tool, json!({})).value();
        assert_eq!(answer["error"]["code"], json!(-32602), "{answer}");
    }
}

/// Servers get ready when they are told that the client is: a list that is
/// asked for before lacks tools. (It was possible while the notification waited
/// for its turn and the request after it did not.)
#[test]
fn no_request_overtakes_the_clients_initialized() {
    for _ in 0..40 {
        let gateway = Gateway::with().mirror().start();
        gateway.client.tools();
        let received = gateway.server().received();
        let place = |method: &str| {
            received
                .iter()
                .position(|line| line.contains(method))
                .unwrap()
        };
        assert!(
            place("\"notifications/initialized\"") < place("\"tools/list\""),
            "{received:#?}"
        );
    }
}

/// The same, the other way round.
#[test]
fn an_answer_does_not_overtake_the_notifications_before_it() {
    for setup in setups() {
        let gateway = setup.start();
        let note = |n: usize| {
            format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"level":"info","data":{n}}}}}"#
            )
        };
        let mut lines: Vec<String> = (0..100).map(note).collect();
        lines.push(r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#.to_owned());
        let before = gateway.client.received().len();
        gateway.client.call("m_say", json!({ "lines": lines }));
        let received = gateway.client.received().split_off(before);
        assert_eq!(received[..100], lines[..100]);
    }
}
