//! Every kind of secret, in the places where secrets stand.

use std::time::{Duration, Instant};

use mcp_gateway_sdk::testing::{Outcome, Sample, configured, examples_hold};
use mcp_gateway_sdk::{Decision, Direction};
use proptest::prelude::*;

use crate::Basic;
use crate::anchors::SHORTEST;
use crate::secrets::SECRETS;

/// What may surround a secret; `§` is its place.
const CONTEXTS: &[&str] = &[
    "§",
    "'§'",
    "\"§\"",
    "`§`",
    r#"{"token": "§", "n": 1}"#,
    r#"{"text": "{\"token\":\"§\"}"}"#,
    r"line one\n§\nline three",
    "the token is §.",
    "is it §? Or §!",
    "<token>§</token>",
    "https://host.example/path?a=1&tok=§&b=2",
    "https://host.example/?tok%3D§",
    "a,§,b",
    "| name | § |",
    "[§](§);{§}",
    "first\n§\nlast",
    "§ at the start",
    "at the end §",
    "TOKEN=§",
    "token:§",
    "\u{1b}[31m§\u{1b}[0m",
    "geheim„§“ 秘§密",
];

fn basic(config: &str) -> Basic {
    configured(config).unwrap()
}

fn judged(texts: &[&str]) -> Outcome {
    Sample::response("tools/call", texts)
        .judge(&basic("{}"))
        .unwrap()
}

fn masked(text: &str) -> String {
    judged(&[text]).texts.concat()
}

fn sample() -> String {
    SECRETS[0].samples[0].concat()
}

#[test]
fn every_sample_is_masked_in_every_context_and_the_context_stays() {
    for secret in SECRETS {
        for sample in secret.samples.iter().map(|sample| sample.concat()) {
            for context in CONTEXTS {
                let text = context.replace('§', &sample);
                let expected = context.replace('§', secret.replacement);
                assert_eq!(masked(&text), expected, "{} in {context:?}", secret.id);
            }
        }
    }
}

#[test]
fn near_misses_stay() {
    for secret in SECRETS {
        for near_miss in secret
            .near_misses
            .iter()
            .map(|near_miss| near_miss.concat())
        {
            assert_eq!(masked(&near_miss), near_miss, "{}", secret.id);
        }
    }
}

#[test]
fn every_secret_is_described_and_no_two_share_a_name() {
    for (place, secret) in SECRETS.iter().enumerate() {
        assert!(
            !secret.origin.is_empty() && !secret.samples.is_empty(),
            "{}",
            secret.id
        );
        assert!(!secret.near_misses.is_empty(), "{}", secret.id);
        assert!(
            SECRETS[..place].iter().all(|other| other.id < secret.id),
            "{}",
            secret.id
        );
        for anchor in secret.shapes.iter().flat_map(|shape| shape.anchors) {
            assert!(anchor.len() >= SHORTEST, "{}: {anchor}", secret.id);
        }
    }
}

#[test]
fn masked_json_is_still_json() {
    for secret in SECRETS {
        let value = serde_json::json!({ "a": secret.samples[0].concat(), "b": [1, null] });
        for text in [
            value.to_string(),
            serde_json::json!({ "text": value.to_string() }).to_string(),
        ] {
            let after = masked(&text);
            assert!(after.contains(secret.replacement), "{}", secret.id);
            serde_json::from_str::<serde_json::Value>(&after).unwrap();
        }
    }
}

#[test]
fn a_secret_is_not_put_together_from_two_texts() {
    let (start, end) = (&sample()[..10], &sample()[10..]);
    assert_eq!(judged(&[start, end]).texts, [start, end]);
}

#[test]
fn what_goes_to_the_client_is_masked_whatever_its_kind() {
    for config in ["{}", r#"{"requests": "off"}"#, r#"{"requests": "block"}"#] {
        for kind in [
            "request",
            "response",
            "error",
            "notification",
            "log-line",
            "of-the-future",
        ] {
            let message = Sample::new("x/y", kind, Direction::ToClient, [sample()]);
            let outcome = message.judge(&basic(config)).unwrap();
            assert_eq!(outcome.texts, ["<AWS_ACCESS_KEY>"], "{config} {kind}");
        }
    }
}

#[test]
fn what_goes_to_the_server_follows_the_setting() {
    let outcome = |config| {
        let message = Sample::request("tools/call", [sample()]);
        message.judge(&basic(config)).unwrap()
    };
    let off = outcome(r#"{"requests": "off"}"#);
    assert!(matches!(off.decision, Decision::Pass) && off.rules.is_empty());
    let warn = outcome("{}");
    assert!(matches!(warn.decision, Decision::Pass));
    assert_eq!(
        (warn.rules, warn.texts),
        (vec!["aws-access-key".into()], vec![sample()])
    );
    assert_eq!(
        outcome(r#"{"requests": "mask"}"#).texts,
        ["<AWS_ACCESS_KEY>"]
    );
    let block = outcome(r#"{"requests": "block"}"#);
    assert!(matches!(block.decision, Decision::Block(reason) if !reason.contains(&sample())));
    let clean = Sample::request("tools/call", ["clean"]).judge(&basic(r#"{"requests": "block"}"#));
    assert!(matches!(clean.unwrap().decision, Decision::Pass));
}

#[test]
fn a_disabled_secret_passes() {
    let guardrail = basic(r#"{"disable": ["aws-access-key"]}"#);
    let outcome = Sample::response("tools/call", [sample()])
        .judge(&guardrail)
        .unwrap();
    assert!(matches!(outcome.decision, Decision::Pass));
}

#[test]
fn a_wrong_configuration_is_an_error_that_names_the_remedy() {
    let error = |config| configured::<Basic>(config).err().unwrap();
    assert!(error(r#"{"disable": ["awsaccess-key"]}"#).contains("did you mean \"aws-access-key\""));
    assert!(error(r#"{"request": "mask"}"#).contains("`request`, expected `requests`"));
    assert!(error(r#"{"requests": "deny"}"#).contains("\"requests\": unknown variant `deny`"));
}

#[test]
fn its_examples_hold_under_every_configuration() {
    for config in ["{}", r#"{"requests": "block"}"#, r#"{"disable": ["jwt"]}"#] {
        examples_hold(&basic(config)).unwrap();
    }
}

/// A reading that starts again from every anchor would take minutes here, even on a slow machine.
#[test]
fn anchors_without_end_take_linear_time() {
    let start = Instant::now();
    for secret in SECRETS {
        for anchor in secret.shapes.iter().flat_map(|shape| shape.anchors) {
            let spam = secret.samples[0].concat().replace('.', "");
            for unit in [
                anchor.to_string(),
                format!("-{anchor}"),
                format!(".{anchor}"),
                spam,
            ] {
                masked(&unit.repeat(300_000 / unit.len()));
            }
        }
    }
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "{:?}",
        start.elapsed()
    );
}

proptest! {
    #[test]
    fn masking_twice_is_masking_once(
        parts in prop::collection::vec((0..SECRETS.len(), "[ ,;\"'<>/.\\\\n-]{1,3}", "[a-z]{0,6}"), 0..8),
    ) {
        let text: String = parts
            .iter()
            .map(|(number, delimiter, word)| {
                let secret = SECRETS[*number].samples[0].concat();
                format!("{word}{delimiter}{secret}{delimiter}")
            })
            .collect();
        let once = masked(&text);
        prop_assert_eq!(masked(&once), once);
    }

    #[test]
    fn words_stay(words in prop::collection::vec("[A-Za-z0-9_.@/-]{0,12}", 0..60)) {
        let text = words.join(" ");
        prop_assert_eq!(masked(&text), text);
    }

    #[test]
    fn no_text_breaks_the_contract(text in "(\\PC|eyJ|[.]ey|AKIA|8Q~|xapp-1-|hf_|[A-Z]{16}|\\n){0,80}") {
        masked(&text);
    }
}
