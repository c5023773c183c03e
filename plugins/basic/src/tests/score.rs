//! Keeps score on labelled texts, which are no part of the project.
//!
//! ```sh
//! MCP_GATEWAY_CORPUS=secrets.jsonl cargo test --release -p mcp-gateway-basic score -- --ignored --nocapture
//! ```
//! Each line is an object with the text as `text`, whether there is a secret in it as `is_secret`, and, if known, the secret as
//! `value` and the kind of the text as `shape` or `rule`. With `MCP_GATEWAY_SHOW` set, false alarms and what was missed are
//! shown; with `MCP_GATEWAY_CONFIG`, another configuration is used than none, and with
//! `MCP_GATEWAY_RULE`, this rule and no other.

use std::collections::BTreeMap;
use std::fs;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{basic, only, outcome, row};
use crate::Basic;

#[test]
#[ignore = "needs a file of labelled texts, named by MCP_GATEWAY_CORPUS"]
fn score() {
    let path = std::env::var("MCP_GATEWAY_CORPUS").unwrap();
    let show = std::env::var_os("MCP_GATEWAY_SHOW").is_some();
    let guardrail = chosen();
    let (mut secrets, mut found, mut clean, mut alarms) = (0, 0, 0, 0);
    let mut missed: BTreeMap<String, usize> = BTreeMap::new();
    for line in fs::read_to_string(path).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let outcome = outcome(&guardrail, &[row["text"].as_str().unwrap()]);
        let hit = !outcome.rules.is_empty();
        let kind = row["shape"].as_str().or(row["rule"].as_str());
        let kind = kind.unwrap_or("-");
        if !row["is_secret"].as_bool().unwrap() {
            clean += 1;
            alarms += usize::from(hit);
            if hit && show {
                eprintln!("alarm {kind} {:?}: {}", outcome.rules, row["text"]);
            }
            continue;
        }
        secrets += 1;
        let value = row["value"].as_str();
        if hit && value.is_none_or(|value| !outcome.texts[0].contains(value)) {
            found += 1;
        } else {
            if show {
                eprintln!("missed {kind}: {}", row["text"]);
            }
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

/// How much of a folder of files without secrets is taken for some, most of all what a name gives away.
///
/// ```sh
/// MCP_GATEWAY_CLEAN=folder cargo test --release -p mcp-gateway-basic clean -- --ignored --nocapture
/// ```
#[test]
#[ignore = "needs a folder of texts without secrets, named by MCP_GATEWAY_CLEAN"]
fn clean() {
    let folder = std::env::var("MCP_GATEWAY_CLEAN").unwrap();
    let show = std::env::var_os("MCP_GATEWAY_SHOW").is_some();
    let guardrail = chosen();
    let (mut bytes, mut files) = (0, Vec::new());
    let mut alarms: BTreeMap<String, usize> = BTreeMap::new();
    walk(Path::new(&folder), &mut files);
    for path in &files {
        let Ok(text) = fs::read_to_string(path) else {
            continue;
        };
        bytes += text.len();
        for line in text.split_inclusive('\n').collect::<Vec<_>>().chunks(2000) {
            let outcome = outcome(&guardrail, &[&line.concat()]);
            for rule in &outcome.rules {
                *alarms.entry(rule.clone()).or_default() += 1;
            }
            if show && !outcome.rules.is_empty() {
                let after = outcome.texts.concat();
                for (before, after) in line.concat().lines().zip(after.lines()) {
                    if before != after {
                        eprintln!("{}: {}", path.display(), before.trim());
                    }
                }
            }
        }
    }
    let all: usize = alarms.values().sum();
    let share = all as f64 * 1e5 / bytes as f64;
    eprintln!(
        "{all} in {bytes} bytes of {} files: {share:.3} in 100 kB",
        files.len()
    );
    eprintln!("{alarms:?}");
    assert!(share <= 1.0, "more than one alarm in 100 kB");
}

/// The guardrail that is asked for.
fn chosen() -> Basic {
    if let Ok(id) = std::env::var("MCP_GATEWAY_RULE") {
        return only(&row(&id));
    }
    basic(&std::env::var("MCP_GATEWAY_CONFIG").unwrap_or("{}".into()))
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}
