//! Messages that are written down, compared on and replayed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mcp_gateway_tests::{Gateway, guest};
use serde_json::{Value, json};

use super::{before_customers, query};

/// What a gateway in front of customers writes down, in a folder that outlives it, and its
/// configuration.
fn captured(settings: &str) -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("capture.jsonl");
    let table = format!(
        "[swap]\ncapture = {:?}\n{settings}",
        capture.to_str().unwrap()
    );
    let (setup, file) = before_customers(Gateway::with().setting(&table), "");
    let gateway = setup.start();
    query(&gateway);
    gateway.end();
    let config = folder.path().join("gateway.toml");
    let rule = folder.path().join("rule.wasm");
    fs::copy(&file, &rule).unwrap();
    fs::copy(&gateway.config, &config).unwrap();
    let text = fs::read_to_string(&config).unwrap();
    let text = text.replace(file.to_str().unwrap(), rule.to_str().unwrap());
    fs::write(&config, text).unwrap();
    (folder, capture, config)
}

/// What a command says, and whether it succeeds.
fn run(args: &[&str]) -> (String, bool) {
    let output = Gateway::command().args(args).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!said.is_empty(), "{error}");
    (said, output.status.success())
}

fn lines(capture: &Path) -> Vec<Value> {
    let text = fs::read_to_string(capture).unwrap();
    let lines = text.lines();
    lines.map(|it| serde_json::from_str(it).unwrap()).collect()
}

fn diff(capture: &Path) -> (String, bool) {
    let old = guest("mcp_gateway_pii");
    let new = guest("guest_weakened");
    run(&[
        "plugin",
        "diff",
        old.to_str().unwrap(),
        new.to_str().unwrap(),
        "--capture",
        capture.to_str().unwrap(),
    ])
}

#[test]
fn what_is_captured_is_masked_and_for_this_person_only() {
    let (_folder, capture, _) = captured("");
    let mode = fs::metadata(&capture).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs::read_to_string(&capture).unwrap();
    for word in ["Miller", "acme-corp", "7946"] {
        assert!(!text.contains(word), "{text}");
    }
    let lines = lines(&capture);
    let answer = lines
        .iter()
        .find(|it| it["kind"] == json!("response") && it["method"] == json!("tools/call"))
        .unwrap();
    assert_eq!(answer["server"], json!("crm"));
    assert_eq!(answer["subject"], json!("read_query"));
    let said = answer["message"]["result"]["content"][0]["text"]
        .as_str()
        .unwrap();
    assert!(said.contains("<PERSON_"), "{said}");
    let asked = answer["request"]["params"]["arguments"]["query"]
        .as_str()
        .unwrap();
    assert!(asked.starts_with("SELECT"), "{asked}");
    let (table, is_no_worse) = diff(&capture);
    assert!(is_no_worse, "what was hidden cannot be missed: {table}");
}

#[test]
fn builds_are_compared_on_a_capture_that_leaves_bare_what_they_hide() {
    let (_folder, capture, config) = captured("capture_bare = [\"rule\"]");
    assert!(fs::read_to_string(&capture).unwrap().contains("Miller"));
    let (table, is_no_worse) = diff(&capture);
    assert!(!is_no_worse, "{table}");
    assert!(!table.contains("Miller"), "{table}");
    let worse: Vec<&str> = table.lines().filter(|it| it.contains("WORSE")).collect();
    let worse = worse.concat();
    let worse: Vec<&str> = worse.split_whitespace().collect();
    let expected = "WORSE lost redaction PERSON crm tools/call response 1 3";
    assert_eq!(worse.join(" "), expected, "{table}");

    let (config, file) = (config.to_str().unwrap(), capture.to_str().unwrap());
    let (text, shown) = run(&["replay", file, "--config", config]);
    assert!(shown && !text.contains("Miller"), "{text}");
    for words in [
        "passes   request      crm tools/call read_query",
        "changed  response     crm tools/call read_query   rule: redact ",
        "PERSON ×3",
    ] {
        assert!(text.contains(words), "{text}");
    }
    let (json, _) = run(&["replay", file, "--config", config, "--json"]);
    let last: Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    let answer = &last["guardrails"][0];
    assert_eq!(last["fate"], json!("changed"), "{last:#}");
    assert_eq!(answer["rules"]["PERSON"], json!(3), "{last:#}");
}

#[test]
fn a_file_that_is_no_capture_is_named_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.jsonl");
    fs::write(&file, "{}\n").unwrap();
    let output = Gateway::command()
        .args(["plugin", "diff", "basic", "basic", "--capture"])
        .arg(&file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        error.contains("c.jsonl:1 is no line of a capture"),
        "{error}"
    );
}
