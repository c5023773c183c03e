//! The commands besides the gateway itself, and what goes to which stream.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::process::Output;

use mcp_gateway_tests::{Gateway, guest, peers};
use serde_json::{Value, json};

fn run(args: &[&str]) -> (Output, String) {
    let output = Gateway::command()
        .args(args)
        .current_dir(peers())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, text)
}

#[test]
fn inspect_says_what_a_bundled_guardrail_is_and_can_do() {
    let (output, text) = run(&["plugin", "inspect", "basic"]);
    assert!(output.status.success(), "{output:?}");
    for words in [
        "guardrail   basic",
        "digest      sha256:",
        "contract    mcp-gateway:guardrail 0.1.0",
        "read files",
        "reach the network",
        "from a snapshot",
    ] {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
}

#[test]
fn inspect_answers_scripts_in_json() {
    let (output, text) = run(&["plugin", "inspect", "basic", "--json"]);
    assert!(output.status.success(), "{output:?}");
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["manifest"]["name"], json!("basic"));
    assert_eq!(report["contract"], json!("0.1.0"));
    assert_eq!(report["imports"]["refused"], json!([]));
    assert_eq!(report["refused"], json!(null));
    assert_eq!(report["snapshot"], json!(true));
}

#[test]
fn inspect_says_why_a_component_would_be_refused() {
    let component = guest("guest_sockets");
    let (output, text) = run(&["plugin", "inspect", component.to_str().unwrap()]);
    assert!(!output.status.success());
    assert!(text.contains("REFUSED     it imports "), "{text}");
    assert!(text.contains("wasi:sockets/"), "{text}");
}

#[test]
fn inspect_says_what_a_component_has_to_be_granted() {
    let component = guest("guest_keeping");
    let component = component.to_str().unwrap();
    let (output, text) = run(&["plugin", "inspect", component]);
    assert!(output.status.success(), "{output:?}");
    for words in [
        "if granted  keep values in the gateway, by grant = { state = true }",
        "if granted  derive keys from this installation's secret, by grant = { keys = true }",
        "to grant    mcp-gateway:guardrail/state@0.1.0\n            mcp-gateway:guardrail/keys@0.1.0",
    ] {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    let (_, text) = run(&["plugin", "inspect", component, "--json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    let to_grant = json!([
        "mcp-gateway:guardrail/state@0.1.0",
        "mcp-gateway:guardrail/keys@0.1.0"
    ]);
    assert_eq!(report["imports"]["toGrant"], to_grant);
}

/// A component imports what it uses, not all that the SDK knows of.
#[test]
fn inspect_finds_nothing_to_grant_where_nothing_is_used() {
    let (_, text) = run(&["plugin", "inspect", "basic", "--json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["imports"]["toGrant"], json!([]));
}

#[test]
fn inspect_names_the_bundled_guardrails_when_it_finds_nothing() {
    let (output, text) = run(&["plugin", "inspect", "basik"]);
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("no bundled guardrail has that name (bundled: audit, basic, "),
        "{error}"
    );
    assert_eq!(text, "");
}

#[test]
fn the_demo_shows_the_masks_and_the_swap() {
    let (output, text) = run(&["demo"]);
    assert!(
        output.status.success(),
        "{}\n{text}",
        String::from_utf8_lossy(&output.stderr)
    );
    for words in [
        "<HUGGINGFACE_TOKEN>",
        "<AWS_ACCESS_KEY>",
        "<CODENAME>",
        "in use after",
        "<EMAIL>",
        "guardrail basic",
        "Done: ",
    ] {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    let (before, after) = text.split_once("in use after").unwrap();
    assert!(
        before.contains("<CODENAME>") && !before.contains("<EMAIL>"),
        "{before}"
    );
    assert!(
        after.contains("<EMAIL>") && !after.contains("<CODENAME>"),
        "{after}"
    );
}

#[test]
fn standard_output_carries_the_protocol_and_nothing_else() {
    let gateway = Gateway::with()
        .mirror()
        .guardrail("basic", "")
        .log_level("trace")
        .start();
    gateway.client.tools();
    gateway
        .client
        .call("m_complain", json!({"line": "a line on stderr"}));
    gateway.client.call(
        "m_say",
        json!({"lines": ["not JSON", r#"{"jsonrpc":"2.0","id":$id,"result":{}}"#]}),
    );
    assert!(gateway.end().success());
    gateway.client.wait_for_end();
    for line in gateway.client.received() {
        let message: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(message["jsonrpc"], json!("2.0"), "{line}");
    }
    for event in gateway.log.events() {
        assert!(
            event.fields.is_object(),
            "not an event of the log: {}",
            event.raw
        );
    }
}

#[test]
fn the_version_and_the_help_are_for_standard_output() {
    let (output, text) = run(&["--version"]);
    assert!(output.status.success());
    assert!(text.starts_with("mcp-gateway "), "{text}");
    let (output, text) = run(&["--help"]);
    assert!(output.status.success());
    for words in ["--mcp-json-path", "--config", "wrap", "demo", "plugin"] {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
}
