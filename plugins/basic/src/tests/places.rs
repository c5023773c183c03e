//! What differs by server, tool and path.

use mcp_gateway_sdk::testing::{Sample, configured};
use mcp_gateway_sdk::{Decision, Direction};
use serde_json::json;

use super::{aws, basic, expand};
use crate::Basic;

#[test]
fn rules_and_what_is_allowed_differ_by_place() {
    let config = json!({
        "disable": ["jwt"],
        "where": [
            {"server": "code*", "disable": ["aws-access-key"], "enable": ["jwt"]},
            {"tool": "demo", "allow": {"values": [aws()]}},
            {"path": "/result/structuredContent/id", "allow": {"patterns": ["^AKIA"]}},
        ],
    });
    let guardrail = basic(&config.to_string());
    let jwt = expand("eyJ[A-Za-z0-9]{17}.ey[A-Za-z0-9]{30}.", "d");
    let text = format!("{} {jwt}", aws());
    let after = |server: &str, tool: &str| {
        let sample = Sample::response("tools/call", [&text]);
        let outcome = sample.server(server).subject(tool).judge(&guardrail);
        outcome.unwrap().texts.concat()
    };
    assert_eq!(after("web", "get"), format!("<AWS_ACCESS_KEY> {jwt}"));
    assert_eq!(after("code-1", "get"), format!("{} <JWT_TOKEN>", aws()));
    assert_eq!(after("web", "demo"), text);
    let payload = json!({"structuredContent": {"id": aws(), "key": aws()}});
    let outcome = Sample::of("tools/call", "response", &payload).judge(&guardrail);
    let texts = outcome.unwrap().texts;
    assert_eq!(
        texts,
        ["structuredContent", "id", &aws(), "key", "<AWS_ACCESS_KEY>"]
    );
}

#[test]
fn what_only_looks_random_is_masked_where_that_is_asked_for() {
    let random = expand("[A-Za-z0-9]{40}", "r");
    let after = |config: &str, server: &str| {
        let text = format!("the one in use is {random}");
        let sample = Sample::response("tools/call", [&text]).server(server);
        sample.judge(&basic(config)).unwrap().texts.concat()
    };
    let masked = "the one in use is <OPAQUE_STRING>";
    let here = r#"{"where": [{"server": "vault", "enable": ["opaque-string"]}]}"#;
    assert!(after("{}", "vault").contains(&random) && after(here, "code").contains(&random));
    assert_eq!(after(here, "vault"), masked);
    let elsewhere = r#"{"enable": ["opaque-string"], "where": [{"server": "code", "disable": ["opaque-string"]}]}"#;
    assert_eq!(after(elsewhere, "vault"), masked);
    assert!(after(elsewhere, "code").contains(&random));
}

#[test]
fn what_looks_random_is_an_identifier_if_its_name_says_so() {
    let guardrail = basic(r#"{"enable": ["opaque-string"]}"#);
    let random = expand("[A-Za-z0-9]{40}", "r");
    let payload = json!({"structuredContent": {"etag": random, "nodeId": random, "note": random}});
    let outcome = Sample::of("tools/call", "response", &payload).judge(&guardrail);
    let texts = outcome.unwrap().texts;
    let expected = [
        "structuredContent",
        "etag",
        &random,
        "nodeId",
        &random,
        "note",
        "<OPAQUE_STRING>",
    ];
    assert_eq!(texts, expected);
    let text = format!(r#"{{"nodeId": "{random}", "note": "{random}"}}"#);
    let outcome = Sample::response("tools/call", [&text]).judge(&guardrail);
    let after = format!(r#"{{"nodeId": "{random}", "note": "<OPAQUE_STRING>"}}"#);
    assert_eq!(outcome.unwrap().texts, [after]);
}

#[test]
fn what_leaves_is_treated_by_place() {
    let guardrail =
        basic(r#"{"requests": "off", "where": [{"server": "web", "requests": "block"}]}"#);
    let decision = |server: &str| {
        let sample = Sample::new("tools/call", "request", Direction::ToServer, [aws()]);
        sample.server(server).judge(&guardrail).unwrap().decision
    };
    assert!(matches!(decision("web"), Decision::Block(_)));
    assert!(matches!(decision("vault"), Decision::Pass));
}

#[test]
fn a_wrong_place_is_an_error_that_names_it() {
    let error = |config| configured::<Basic>(config).err().unwrap();
    let unknown = error(r#"{"where": [{"server": "a", "enable": ["jwtt"]}]}"#);
    assert!(
        unknown.contains("where 1: enable") && unknown.contains("\"jwt\""),
        "{unknown}"
    );
    let pattern = error(r#"{"where": [{"server": "a", "allow": {"patterns": ["("]}}]}"#);
    assert!(pattern.contains("where 1: allow"), "{pattern}");
}
