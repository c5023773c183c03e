//! What a server asks passes the guardrails also where it changes its form: a
//! question of one era is a result of the other.

use super::*;

/// Asks a server whose question holds a token, behind a guardrail that looks at
/// messages of these methods only.
fn asks_for(era: &str, methods: &str) -> Setup {
    let only = format!("only = {{ methods = [\"{methods}\"] }}");
    in_front_of(era).guardrail("basic", &only)
}

fn token() -> String {
    format!("hf_{}", "okpaLGklBeJFhdqdOvkrXljOCTwhADRrXo")
}

#[test]
fn a_question_that_becomes_a_result_is_seen_as_that() {
    let gateway = asks_for("legacy", "tools/call").start_silent();
    let modern = Modern::new(&gateway.client);
    let answer = modern.call("f_test_elicitation", json!({"message": token()}));
    assert_eq!(
        answer.value()["result"]["resultType"],
        "input_required",
        "{}",
        answer.raw
    );
    assert!(!answer.raw.contains(&token()), "{}", answer.raw);
}

#[test]
fn a_result_that_becomes_a_question_is_seen_as_that() {
    let gateway = asks_for("modern", "elicitation/create").start_silent();
    gateway.client.initialize_with(everything());
    let arguments = json!({"message": token()});
    gateway.client.start_call("f_test_elicitation", arguments);
    let form = gateway.client.receive_method("elicitation/create");
    assert!(!form.raw.contains(&token()), "{}", form.raw);
}

#[test]
fn answers_that_come_with_a_request_are_seen_before_a_server_has_them() {
    let setup = Gateway::with().mirror();
    let gateway = setup
        .guardrail("basic", "config = { requests = \"mask\" }")
        .start_silent();
    let modern = Modern::new(&gateway.client);
    let question = modern.call("m_ask", json!({})).value();
    let asked = inputs(&question);
    let root = json!({"roots": [{"uri": "file:///r", "name": token()}]});
    let responses: Value = asked
        .iter()
        .map(|(name, _)| (name.clone(), root.clone()))
        .collect();
    modern.again("m_ask", &question, responses);
    let told = gateway.server().wait_to_receive("file:///r");
    assert!(!told.contains(&token()), "{told}");
}

#[test]
fn a_subscription_of_a_legacy_client_is_seen_although_no_server_is_sent_it() {
    let gateway = in_front_of("modern")
        .guardrail("basic", "config = { requests = \"block\" }")
        .start_silent();
    gateway.client.initialize_with(everything());
    let subscribe = |uri: &str| {
        let answer = gateway
            .client
            .request("resources/subscribe", json!({"uri": uri}));
        answer.value()
    };
    let refused = subscribe(&format!("test://{}", token()));
    assert_eq!(refused["error"]["code"], -32001, "{refused}");
    let taken = subscribe("test://watched-resource");
    assert_eq!(taken["result"], json!({}), "{taken}");
}
