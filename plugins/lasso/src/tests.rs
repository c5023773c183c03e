//! From a message to the body of a request, and from an answer to a verdict. What goes over the
//! network is tested with the gateway.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod answers;
mod mapping;

use mcp_gateway_sdk::testing::Sample;
use mcp_gateway_sdk::{Guardrail, Verdict};
use serde_json::{Value, json};

use super::*;

fn lasso(config: Value) -> Lasso {
    Lasso::configure(serde_json::from_value(config).unwrap()).unwrap()
}

/// The bodies that a message becomes.
fn bodies(lasso: &Lasso, sample: &Sample) -> Vec<Value> {
    let Some(sent) = lasso.sent(&sample.message()) else {
        return Vec::new();
    };
    let batches = sent.batches();
    let bodies = batches.iter().map(|batch| {
        let body = body::body(batch, &lasso.0.ids, Some("S").filter(|_| sent.extended));
        serde_json::from_slice(&body.unwrap()).unwrap()
    });
    bodies.collect()
}

/// What becomes of a message with an answer.
fn judged(lasso: &Lasso, sample: &Sample, answer: &Value) -> Result<Verdict, String> {
    let message = sample.message();
    let sent = lasso.sent(&message).unwrap();
    let batches = sent.batches();
    let mut verdict = Verdict::builder();
    let json = answer.to_string();
    let outcome = answer::outcome(json.as_bytes(), &batches[0], lasso.0.masking)?;
    apply::apply(&message, &batches[0], &outcome, &mut verdict);
    verdict.finish()
}

fn result(texts: &[&str]) -> Sample {
    let content = texts
        .iter()
        .map(|text| json!({"type": "text", "text": text}));
    let content: Vec<Value> = content.collect();
    Sample::of("tools/call", "response", &json!({"content": content}))
}

fn call(arguments: Value) -> Sample {
    let params = json!({"name": "send", "arguments": arguments});
    Sample::of("tools/call", "request", &params)
        .server("mail")
        .subject("send")
}

#[test]
fn what_cannot_be_used_is_refused_by_its_key() {
    let refused = |config: Value| {
        let config = serde_json::from_value::<Config>(config).map_err(|error| error.to_string());
        config
            .and_then(|config| Lasso::configure(config).map(drop))
            .unwrap_err()
    };
    assert!(refused(json!({"api_base": "server.lasso.security"})).contains("api_base"));
    assert!(refused(json!({"timeout": 0})).contains("timeout"));
    assert!(refused(json!({"user_id": "a\u{200b}b"})).contains("user_id"));
    assert!(refused(json!({"agent_id": "a".repeat(129)})).contains("agent_id"));
    assert!(refused(json!({"lasso_api_key": "k"})).contains("lasso_api_key"));
}

#[test]
fn the_address_is_that_of_the_python_gateway_or_its_beginning() {
    for (config, url) in [
        (
            json!({}),
            "https://server.lasso.security/gateway/v3/classifix",
        ),
        (
            json!({"masking": false}),
            "https://server.lasso.security/gateway/v3/classify",
        ),
        (
            json!({"api_base": "http://a:1/gateway/v3/classify"}),
            "http://a:1/gateway/v3/classifix",
        ),
        (
            json!({"api_base": "https://a/v3/", "masking": false}),
            "https://a/v3/classify",
        ),
    ] {
        assert_eq!(lasso(config).0.url, url);
    }
}
