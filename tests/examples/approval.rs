//! The example that asks a web service, in front of one.

use mcp_gateway_tests::web::Peer;
use mcp_gateway_tests::{Gateway, guest};
use serde_json::{Value, json};

/// A gateway whose calls of `echo` need the word of this service.
fn asking(peer: &Peer) -> Gateway {
    let origin = peer.origin();
    let settings = format!(
        "grant.http = [\"{origin}\"]\nconfig = {{ url = \"{origin}/mcp\", tools = [\"ec*\"] }}"
    );
    Gateway::with()
        .mirror()
        .guardrail(guest("guardrail_approval"), &settings)
        .start()
}

#[test]
fn a_call_is_made_or_refused_as_the_service_says() {
    let peer = Peer::start(|request, reply| {
        let question: Value = serde_json::from_str(&request.body).unwrap();
        let answer = match question["arguments"]["text"].as_str() {
            Some("yes") => r#"{"approved":true}"#,
            Some("no") => r#"{"approved":false,"reason":"not today"}"#,
            _ => "no JSON",
        };
        reply.body("200 OK", "", answer);
    });
    let gateway = asking(&peer);
    let call = |text| gateway.client.call("m_echo", json!({ "text": text }));
    assert_eq!(call("yes").text(), "yes");
    let refused = call("no");
    assert!(refused.is_tool_error());
    assert!(refused.text().contains("not today"), "{}", refused.raw);
    // What is no answer is no approval.
    let unclear = call("what?");
    assert!(unclear.is_tool_error(), "{}", unclear.raw);
    let asked: Value = serde_json::from_str(&peer.seen()[0].body).unwrap();
    let expected = json!({"server": "m", "tool": "echo", "arguments": {"text": "yes"}});
    assert_eq!(asked, expected);
}

#[test]
fn a_service_that_is_in_trouble_approves_of_nothing() {
    let peer = Peer::start(|_, reply| {
        reply.body("500 Internal Server Error", "", r#"{"approved":true}"#);
    });
    let gateway = asking(&peer);
    let answer = gateway.client.call("m_echo", json!({"text": "x"}));
    assert!(answer.is_tool_error(), "{}", answer.raw);
    gateway.log.wait("the service answers with status 500");
}
