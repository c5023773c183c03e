#![doc = include_str!("../README.md")]

mod faults;

use std::cell::{Cell, RefCell};

use mcp_gateway_sdk::bindings::exports::mcp_gateway::guardrail::guardrail::Guest;
use mcp_gateway_sdk::bindings::mcp_gateway::guardrail::message::Message;
use mcp_gateway_sdk::bindings::mcp_gateway::guardrail::types::{
    Decision, Direction, Envelope, Example, Expectation, Finding, Interest, Manifest, Span, Texts,
    Verdict,
};
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default = "none")]
    fault: String,
    #[serde(default = "secret_word")]
    word: String,
    #[serde(default = "masked")]
    replacement: String,
}

fn none() -> String {
    "none".into()
}

fn secret_word() -> String {
    "SECRETWORD".into()
}

fn masked() -> String {
    "<MASKED>".into()
}

thread_local! {
    static CONFIG: RefCell<Option<Config>> = const { RefCell::new(None) };
    static CHECKS: Cell<u32> = const { Cell::new(0) };
}

/// What the component exports.
#[derive(Debug)]
pub struct Faulty;

impl Guest for Faulty {
    fn configure(config: String) -> Result<Manifest, String> {
        let config: Config = serde_json::from_str(&config).map_err(|error| error.to_string())?;
        faults::configure(&config.fault)?;
        let manifest = manifest(&config);
        CONFIG.set(Some(config));
        Ok(manifest)
    }

    fn check(_: Envelope, texts: Texts, message: &Message) -> Result<Verdict, String> {
        let config = CONFIG.with_borrow(Clone::clone).ok_or("not configured")?;
        let check = CHECKS.get() + 1;
        CHECKS.set(check);
        match config.fault.as_str() {
            "none" | "bad-example" | "unknown-kind" | "configure-prints" => {
                Ok(healthy(&texts, &config))
            }
            "stateful" | "stateful-invalid" if check > 1 => {
                Ok(decided(Decision::Block(format!("check {check}"))))
            }
            fault if texts.joined.contains("FAULT") => faults::check(fault, &texts, message),
            _ => Ok(decided(Decision::Pass)),
        }
    }
}

#[cfg(target_family = "wasm")]
mcp_gateway_sdk::bindings::export_guardrail!(Faulty with_types_in mcp_gateway_sdk::bindings);

/// Masks the word. One that stands across two texts is left, as the contract asks.
fn healthy(texts: &Texts, config: &Config) -> Verdict {
    let crosses = |start, end| {
        texts
            .ends
            .iter()
            .any(|e| (start + 1..end).contains(&(*e as usize)))
    };
    let findings: Vec<_> = texts
        .joined
        .match_indices(&config.word)
        .map(|(start, word)| (start, start + word.len()))
        .filter(|(start, end)| !crosses(*start, *end))
        .map(|(start, end)| finding(start, end, Some(config.replacement.clone())))
        .collect();
    let decision = if findings.is_empty() {
        Decision::Pass
    } else {
        Decision::Redact
    };
    Verdict { decision, findings }
}

fn decided(decision: Decision) -> Verdict {
    Verdict {
        decision,
        findings: Vec::new(),
    }
}

fn finding(start: usize, end: usize, replacement: Option<String>) -> Finding {
    let offset = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
    Finding {
        rule: "word".into(),
        where_: Some(Span {
            start: offset(start),
            end: offset(end),
        }),
        replacement,
        confidence: 1.0,
        note: None,
    }
}

fn manifest(config: &Config) -> Manifest {
    let bad = Example {
        method: "tools/call".into(),
        kind: "response".into(),
        direction: Direction::ToClient,
        texts: vec!["nothing to be blocked".into()],
        expects: Expectation::Block,
        after: Vec::new(),
    };
    let unknown = Interest {
        methods: Vec::new(),
        kinds: vec!["result".into()],
        directions: Vec::new(),
    };
    Manifest {
        name: "faulty".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        description: env!("CARGO_PKG_DESCRIPTION").into(),
        wants: if config.fault == "unknown-kind" {
            vec![unknown]
        } else {
            Vec::new()
        },
        config_schema: None,
        examples: if config.fault == "bad-example" {
            vec![bad]
        } else {
            Vec::new()
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn healthy_it_masks_its_word() {
        let config = Config {
            fault: none(),
            word: secret_word(),
            replacement: masked(),
        };
        let texts = |end| Texts {
            joined: "a SECRETWORD b".into(),
            ends: vec![end, 14],
        };
        let verdict = healthy(&texts(1), &config);
        assert!(matches!(verdict.decision, Decision::Redact));
        assert_eq!(verdict.findings.len(), 1);
        assert!(matches!(
            healthy(&texts(5), &config).decision,
            Decision::Pass
        ));
    }

    #[test]
    fn an_unknown_fault_is_refused() {
        assert!(Faulty::configure(r#"{"fault": "tarp"}"#.into()).is_err());
        assert!(Faulty::configure(r#"{"fault": "slow:20"}"#.into()).is_ok());
    }
}
