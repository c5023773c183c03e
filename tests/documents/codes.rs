//! Every code that the program gives has its row in `docs/troubleshooting.md`, and every
//! variable that it reads in `docs/configuration.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use mcp_gateway_tests::{Gateway, repository};
use serde_json::{Value, json};

use super::markdown::document;

const TROUBLESHOOTING: &str = "docs/troubleshooting.md";

/// What stands between the quotes of a source.
fn literals(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let parts = source.split('"').map(move |part| {
        let start = at;
        at += part.len() + 1;
        (start, part)
    });
    parts.skip(1).step_by(2)
}

#[test]
fn every_code_of_the_doctor_is_explained() {
    let source = fs::read_to_string(repository().join("host/src/doctor/finding.rs")).unwrap();
    let is_code = |text: &str| {
        let is_word = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
        };
        let parts = text.split_once('.');
        parts.is_some_and(|(kind, what)| is_word(kind) && is_word(what))
    };
    let given: BTreeMap<_, _> = literals(&source)
        .filter(|(_, text)| is_code(text))
        .map(|(at, code)| {
            let before = &source[..at];
            let level = |name: &str| {
                before
                    .rfind(&format!("{name}("))
                    .map(|at| (at, name.to_owned()))
            };
            let (_, level) = level("error").max(level("warning")).unwrap();
            (code.to_owned(), level)
        })
        .collect();
    let document = document(TROUBLESHOOTING);
    let explained: BTreeMap<_, _> = document
        .rows("What `doctor` finds")
        .into_iter()
        .map(|row| (row[0].trim_matches('`').to_owned(), row[1].to_owned()))
        .collect();
    assert!(given.len() > 15, "{given:?}");
    assert_eq!(explained, given);
}

#[test]
fn every_rule_of_the_scan_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mcp.json");
    let nobody = json!({"mcpServers": {"a": {"command": "true"}}});
    fs::write(&file, nobody.to_string()).unwrap();
    let output = Gateway::command()
        .args(["scan", "--static", "--offline", "--sarif"])
        .arg(&file)
        .env("MCP_GATEWAY_STATE_DIR", folder.path().join("state"))
        .output()
        .unwrap();
    let log: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rules = log["runs"][0]["tool"]["driver"]["rules"]
        .as_array()
        .unwrap();
    let rules: BTreeSet<_> = rules
        .iter()
        .map(|rule| rule["id"].as_str().unwrap())
        .collect();
    assert!(rules.len() > 15, "{rules:?}");
    for (name, heading) in [
        (TROUBLESHOOTING, "What `scan` finds"),
        ("docs/scan.md", "`mcp-gateway scan`"),
    ] {
        let document = document(name);
        let rows = document.rows(heading);
        let cells = rows.iter().flat_map(|row| row[0].split(", "));
        let explained: BTreeSet<_> = cells.map(|code| code.trim_matches('`')).collect();
        assert_eq!(explained, rules, "{name}");
    }
}

fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with("tests") {
            continue;
        }
        if path.is_dir() {
            sources(&path, text);
        } else {
            let source = fs::read_to_string(&path).unwrap();
            let (code, _) = source.split_once("#[cfg(test)]").unwrap_or((&source, ""));
            *text += code;
        }
    }
}

#[test]
fn every_variable_of_the_environment_is_explained() {
    let mut source = String::new();
    sources(&repository().join("host/src"), &mut source);
    let is_ours = |text: &&str| {
        let prefixes = ["MCP_GATEWAY_", "XETRACK_", "LASSO_"];
        prefixes.iter().any(|prefix| text.starts_with(prefix))
    };
    let words = source.split(|c: char| !c.is_ascii_uppercase() && c != '_');
    let read: BTreeSet<_> = words.filter(is_ours).collect();
    let document = document("docs/configuration.md");
    let rows = document.rows("The environment");
    let cells = rows.iter().flat_map(|row| row[0].split(", "));
    let explained: BTreeSet<_> = cells
        .map(|name| name.trim_matches('`'))
        .filter(is_ours)
        .collect();
    assert!(read.len() > 10, "{read:?}");
    assert_eq!(explained, read);
}
