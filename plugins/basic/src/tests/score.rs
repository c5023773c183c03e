//! Keeps score on labelled texts, which are no part of the project.
//!
//! ```sh
//! MCP_GATEWAY_CORPUS=secrets.jsonl cargo test --release -p mcp-gateway-basic score -- --ignored --nocapture
//! ```
//! Each line is an object with the text as `text`, whether there is a secret in it as `is_secret`, and, if known, the secret as
//! `value` and the kind of the text as `shape` or `rule`.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use super::{basic, outcome};

#[test]
#[ignore = "needs a file of labelled texts, named by MCP_GATEWAY_CORPUS"]
fn score() {
    let path = std::env::var("MCP_GATEWAY_CORPUS").unwrap();
    let guardrail = basic("{}");
    let (mut secrets, mut found, mut clean, mut alarms) = (0, 0, 0, 0);
    let mut missed: BTreeMap<String, usize> = BTreeMap::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let outcome = outcome(&guardrail, &[row["text"].as_str().unwrap()]);
        let hit = !outcome.rules.is_empty();
        if !row["is_secret"].as_bool().unwrap() {
            clean += 1;
            alarms += usize::from(hit);
            continue;
        }
        secrets += 1;
        let value = row["value"].as_str();
        if hit && value.is_none_or(|value| !outcome.texts[0].contains(value)) {
            found += 1;
        } else {
            let kind = row["shape"]
                .as_str()
                .or(row["rule"].as_str())
                .unwrap_or("-");
            *missed.entry(kind.to_owned()).or_default() += 1;
        }
    }
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    eprintln!("secrets {found} of {secrets}: {:.4}", share(found, secrets));
    eprintln!(
        "false alarms {alarms} of {clean}: {:.4}",
        share(alarms, clean)
    );
    eprintln!("missed: {missed:?}");
    assert!(share(found, secrets) >= 0.95, "recall is below the mark");
}
