//! The bundled guardrail `lasso`, in front of the mirror, with Lasso's API on this machine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "http_capability/certificates.rs"]
mod certificates;
#[path = "lasso/failing.rs"]
mod failing;
#[path = "lasso/service.rs"]
mod service;

use std::process::Stdio;

use mcp_gateway_tests::{Client, Gateway, Received, Setup, program_beside};
use serde_json::{Value, json};
use service::{Fault, KEY, MAIL, Service, is_ulid};

fn with(service: &Service, settings: &str) -> Setup {
    let base = service.api_base();
    Gateway::with()
        .mirror()
        .guardrail(
            "lasso",
            &format!("config.api_base = \"{base}\"\n{settings}"),
        )
        .variable("LASSO_API_KEY", KEY)
}

fn echo(gateway: &Gateway, text: &str) -> Received {
    gateway.client.call("m_echo", json!({ "text": text }))
}

/// Has the mirror say what the call does not.
fn whisper(gateway: &Gateway, text: &str) -> Received {
    let line = text.replace('_', "~_~").replace('@', "~@~");
    gateway.client.call("m_whisper", json!({ "line": line }))
}

fn blocked(answer: &Received, words: &str) {
    assert!(answer.is_tool_error(), "{}", answer.raw);
    assert!(answer.text().contains(words), "{}", answer.raw);
}

#[test]
fn a_flag_and_a_key_in_the_environment_are_all_that_is_needed() {
    let service = Service::start();
    let state = tempfile::tempdir().unwrap();
    let mut child = Gateway::command()
        .env("MCP_GATEWAY_STATE_DIR", state.path())
        .args(["wrap", "-p", "lasso", "--"])
        .arg(program_beside("mirror"))
        .env("LASSO_API_BASE", service.api_base())
        .env("LASSO_API_KEY", KEY)
        .env("LASSO_USER_ID", "ann")
        .env("LASSO_CONVERSATION_ID", "01ARYZ6S41TSV4RRFFQ69G5FAV")
        .spawn()
        .unwrap();
    let client = Client::on(child.stdin.take().unwrap(), child.stdout.take().unwrap());
    client.initialize();
    assert_eq!(
        client.call("echo", json!({"text": "hello"})).text(),
        "hello"
    );
    blocked(
        &client.call("echo", json!({"text": "LASSO_BLOCK"})),
        "it violates a policy of Lasso Security (jailbreak)",
    );
    client.leave();
    let log = child.wait_with_output().unwrap().stderr;
    assert!(!String::from_utf8_lossy(&log).contains(KEY));
    let seen = service.peer().seen();
    let call = seen
        .iter()
        .find(|seen| seen.body.contains("hello"))
        .unwrap();
    assert_eq!(call.header("lasso-api-key"), KEY);
    assert_eq!(call.header("lasso-user-id"), "ann");
    assert_eq!(
        call.header("lasso-conversation-id"),
        "01ARYZ6S41TSV4RRFFQ69G5FAV"
    );
    let body: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(body["userId"], "ann");
    assert_eq!(body["sessionId"], "01ARYZ6S41TSV4RRFFQ69G5FAV");
}

#[test]
fn without_a_key_it_does_not_start_and_says_where_that_is_set() {
    let refusal = Gateway::with().mirror().guardrail("lasso", "").refused();
    assert!(
        refusal.contains("needs a key: set LASSO_API_KEY"),
        "{refusal}"
    );
    let output = Gateway::command()
        .args(["wrap", "-p", "lasso", "--", "true"])
        .env_remove("LASSO_API_KEY")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("needs a key: set LASSO_API_KEY"), "{said}");
    let off = Gateway::with()
        .mirror()
        .guardrail("lasso", "mode = \"off\"");
    assert_eq!(echo(&off.start(), "hello").text(), "hello");
}

#[test]
fn calls_and_results_that_violate_a_policy_are_stopped() {
    let service = Service::start();
    let gateway = with(&service, "").start();
    blocked(&echo(&gateway, "LASSO_BLOCK"), "before it reached server");
    blocked(&whisper(&gateway, "LASSO_BLOCK"), "jailbreak");
    assert_eq!(echo(&gateway, "LASSO_WARN").text(), "LASSO_WARN");
    assert_eq!(echo(&gateway, "LASSO_ALERT").text(), "LASSO_ALERT");
    assert_eq!(echo(&gateway, "LASSO_NEW").text(), "LASSO_NEW");
    let event = gateway.log.wait("an action for brand-new");
    assert!(event.message().ends_with("quarantine"), "{}", event.raw);
}

#[test]
fn a_call_and_its_result_are_told_apart_and_belong_together() {
    let service = Service::start();
    let gateway = with(&service, "").start();
    echo(&gateway, "one");
    echo(&gateway, "two");
    let asked = service.asked_about("\"one\"");
    let (call, result) = (&asked[0], &asked[1]);
    assert_eq!(call["messageType"], "COMPLETION");
    assert_eq!(call["source"], json!({"type": "mcp-gateway"}));
    let used = &call["messages"][0]["content"];
    assert_eq!(call["messages"][0]["role"], "model");
    assert_eq!(
        (&used["name"], &used["input"]),
        (&json!("m.echo"), &json!({"text": "one"}))
    );
    assert_eq!(result["messageType"], "PROMPT");
    assert_eq!(result["messages"][0]["role"], "developer");
    let said = &result["messages"][0]["content"];
    assert_eq!(
        (&said["tool_use_id"], &said["content"]),
        (&used["id"], &json!("one"))
    );

    let session = call["sessionId"].as_str().unwrap();
    assert!(is_ulid(session), "{session}");
    assert_eq!(service.asked_about("\"two\"")[0]["sessionId"], session);
    let other = with(&service, "").start();
    echo(&other, "three");
    assert_ne!(service.asked_about("\"three\"")[0]["sessionId"], session);
}

#[test]
fn tools_are_shown_as_such() {
    let service = Service::start();
    let gateway = with(&service, "").start();
    assert!(gateway.client.tools().contains(&"m_echo".to_owned()));
    let asked = service.asked_about("\"tools\"");
    let tools = asked[0]["tools"].as_array().unwrap();
    assert!(
        tools.iter().any(|tool| tool["name"] == "m.echo"),
        "{tools:?}"
    );
}

#[test]
fn what_a_policy_masks_is_masked_in_both_directions() {
    let service = Service::start();
    let gateway = with(&service, "").start();
    let text = format!("päivää {MAIL}, \"{MAIL}\"!");
    let masked = "päivää <EMAIL_ADDRESS>, \"<EMAIL_ADDRESS>\"!";
    assert_eq!(echo(&gateway, &text).text(), masked);
    assert_eq!(whisper(&gateway, &text).text(), masked);
    let result = json!({
        "content": [{"type": "text", "text": format!("one {MAIL}")}],
        "structuredContent": {"a": {"mail": MAIL, "n": 1.50}, "b": "é"},
    });
    let odd = gateway.client.call("m_raw", json!({ "result": result }));
    let odd = odd.value()["result"].clone();
    assert_eq!(odd["content"][0]["text"], "one <EMAIL_ADDRESS>");
    let structured = json!({"a": {"mail": "<EMAIL_ADDRESS>", "n": 1.50}, "b": "é"});
    assert_eq!(odd["structuredContent"], structured);
}

#[test]
fn results_are_masked_where_calls_are_not_looked_at() {
    let service = Service::start();
    let gateway = with(&service, "config.check = \"to-client\"").start();
    let result = json!({
        "content": [{"type": "text", "text": format!("one {MAIL}")}],
        "structuredContent": {"a": {"mail": MAIL, "n": 1.50}, "b": "é"},
    });
    let answer = gateway.client.call("m_raw", json!({ "result": result }));
    let answer = answer.value()["result"].clone();
    assert_eq!(answer["content"][0]["text"], "one <EMAIL_ADDRESS>");
    let structured = json!({"a": {"mail": "<EMAIL_ADDRESS>", "n": 1.50}, "b": "é"});
    assert_eq!(answer["structuredContent"], structured);
    let asked = service.asked();
    assert!(
        asked.iter().all(|body| body["messageType"] == "PROMPT"),
        "{asked:?}"
    );
}

#[test]
fn places_without_masked_messages_are_masked_whatever_they_count() {
    let service = Service::start();
    let gateway = with(&service, "config.check = \"to-client\"\nconfig.cache = 0").start();
    gateway.client.tools();
    service.fail([Fault::PlacesOnly]);
    let text = echo(&gateway, &format!("ééé {MAIL}")).text();
    assert!(!text.contains(MAIL), "{text}");
    assert!(text.contains("<EMAIL_ADDRESS>"), "{text}");
}

#[test]
fn without_masking_nothing_is_masked_and_the_other_address_is_asked() {
    let service = Service::start();
    let gateway = with(&service, "config.masking = false").start();
    assert_eq!(echo(&gateway, MAIL).text(), MAIL);
    assert!(
        service
            .peer()
            .seen()
            .iter()
            .all(|seen| seen.target.ends_with("/classify"))
    );
}

/// What the Python gateway sent for the same messages.
#[test]
fn messages_can_be_put_as_the_python_gateway_did() {
    let service = Service::start();
    let gateway = with(&service, "config.mapping = \"legacy\"").start();
    assert_eq!(echo(&gateway, MAIL).text(), "<EMAIL_ADDRESS>");
    let asked = service.asked_about("text: ");
    let message = json!({"role": "user", "content": format!("text: {MAIL}")});
    assert_eq!(
        asked,
        [json!({"messages": [message], "messageType": "PROMPT"})]
    );
    let message = json!({"role": "assistant", "content": "<EMAIL_ADDRESS>"});
    let asked = service.asked_about("assistant");
    let answer = json!({"messages": [message], "messageType": "COMPLETION"});
    assert!(asked.contains(&answer), "{asked:?}");
    blocked(&echo(&gateway, "LASSO_BLOCK"), "jailbreak");
}

fn token() -> String {
    format!("hf_{}", "okpaLGklBeJFhdqdOvkrXljOCTwhADRrXo")
}

#[test]
fn on_a_command_line_it_comes_last_and_sends_what_the_others_left() {
    let service = Service::start();
    let mut child = Gateway::command()
        .args(["wrap", "-p", "lasso", "-p", "basic", "--"])
        .arg(program_beside("mirror"))
        .env("LASSO_API_BASE", service.api_base())
        .env("LASSO_API_KEY", KEY)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let client = Client::on(child.stdin.take().unwrap(), child.stdout.take().unwrap());
    client.initialize();
    let line = format!("take {}", token().replace('_', "~_~"));
    let answer = client.call("whisper", json!({ "line": line })).text();
    assert!(!answer.contains(&token()), "{answer}");
    assert_eq!(service.asked_about(&token()), Vec::<Value>::new());
    assert_eq!(service.asked_about(&answer).len(), 1, "{answer}");
    client.leave();
    child.wait().unwrap();
}

#[test]
fn on_a_command_line_values_that_stand_ins_stand_for_are_kept_from_lasso() {
    let service = Service::start();
    let state = tempfile::tempdir().unwrap();
    let mut child = Gateway::command()
        .args(["wrap", "-p", "pii", "-p", "lasso", "--"])
        .arg(program_beside("mirror"))
        .env("LASSO_API_BASE", service.api_base())
        .env("LASSO_API_KEY", KEY)
        .env("MCP_GATEWAY_STATE_DIR", state.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let client = Client::on(child.stdin.take().unwrap(), child.stdout.take().unwrap());
    client.initialize();
    let line = MAIL.replace('@', "~@~");
    let stand_in = client.call("whisper", json!({ "line": line })).text();
    assert!(stand_in.starts_with("<EMAIL_"), "{stand_in}");
    let call = json!({"text": format!("{stand_in} LASSO_WARN")});
    let answer = client.call("echo", call).text();
    assert_eq!(answer, format!("{stand_in} LASSO_WARN"));
    // The call and its result.
    assert_eq!(service.asked_about("LASSO_WARN").len(), 2);
    assert_eq!(service.asked_about(MAIL), Vec::<Value>::new());
    client.leave();
    child.wait().unwrap();
}

#[test]
fn in_a_file_the_order_holds_and_one_that_sends_what_is_not_masked_warns() {
    let service = Service::start();
    let gateway = with(&service, "").guardrail("basic", "").start();
    gateway.log.wait("\"lasso\" stands before \"basic\"");
}

#[test]
fn the_same_content_is_judged_once_for_a_while() {
    let service = Service::start();
    let gateway = with(&service, "").start();
    for _ in 0..3 {
        assert_eq!(echo(&gateway, MAIL).text(), "<EMAIL_ADDRESS>");
        blocked(&echo(&gateway, "LASSO_BLOCK"), "jailbreak");
    }
    assert_eq!(service.asked_about(MAIL).len(), 1);
    assert_eq!(service.asked_about("LASSO_BLOCK").len(), 1);
    let gateway = with(&service, "config.cache = 0").start();
    for _ in 0..3 {
        echo(&gateway, "again");
    }
    assert_eq!(service.asked_about("again").len(), 6);
}

#[test]
fn a_long_text_is_judged_in_pieces_that_overlap() {
    let service = Service::start();
    let gateway = with(&service, "config.check = \"to-client\"").start();
    let filler = "word ".repeat(13_105);
    let text = format!("{filler}LASSO_BLOCK and more");
    assert!(filler.len() < 64 << 10 && text.len() > 64 << 10);
    blocked(&echo(&gateway, &text), "jailbreak");
    let long = format!("{}{MAIL}{}", "é".repeat(40_000), "x".repeat(90_000));
    let left = echo(&gateway, &long).text();
    assert_eq!(left, long.replace(MAIL, "<EMAIL_ADDRESS>"));
    let asked = service.asked_about("xxxxxxxx");
    let pieces = asked[0]["messages"].as_array().unwrap();
    assert!(pieces.len() > 2, "{}", pieces.len());
}

#[test]
fn it_works_over_tls_and_not_with_a_stranger() {
    let certificates = certificates::localhost();
    let service = Service::start_secure(&certificates);
    let named = service.peer().named("localhost");
    let settings = format!("config.api_base = \"{named}/gateway/v3\"");
    let setup = || {
        Gateway::with()
            .mirror()
            .guardrail("lasso", &settings)
            .variable("LASSO_API_KEY", KEY)
    };
    let gateway = setup()
        .variable("SSL_CERT_FILE", &certificates.authority)
        .start();
    assert_eq!(echo(&gateway, "hello").text(), "hello");
    blocked(&echo(&gateway, "LASSO_BLOCK"), "jailbreak");
    let before = service.asked().len();
    blocked(
        &echo(&setup().start(), "hello"),
        "the other side is not trusted",
    );
    assert_eq!(service.asked().len(), before);
}

#[test]
fn a_grant_of_ones_own_holds_and_has_to_list_what_is_asked() {
    let service = Service::start();
    let base = service.api_base();
    let refusal = with(&service, "grant.http = [\"https://example.com\"]").refused();
    assert!(
        refusal.contains("which its \"grant.http\" does not list"),
        "{refusal}"
    );
    let origin = service.peer().origin();
    let settings = format!(
        "config.api_base = \"{base}\"\ngrant.http.\"{origin}\".headers.lasso-api-key = \"{KEY}\""
    );
    let gateway = Gateway::with()
        .mirror()
        .guardrail("lasso", &settings)
        .start();
    assert_eq!(echo(&gateway, "hello").text(), "hello");
}
