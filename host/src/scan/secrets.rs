//! Secrets that stand in a file: in variables, arguments, headers and addresses.

use serde_json::Value;

use super::detector::Detectors;
use super::finding::{Finding, Level, SECRET};
use super::found::Found;

/// The members of an entry in which secrets stand.
const PLACES: &[&str] = &[
    "env",
    "envs",
    "environment",
    "args",
    "command",
    "headers",
    "http_headers",
    "url",
    "serverUrl",
    "httpUrl",
    "uri",
    "bearer",
    "oauth",
];

/// What an entry gives away.
pub(super) async fn look(found: &Found, detectors: &Detectors) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for place in PLACES {
        let Some(value) = found.raw.get(place) else {
            continue;
        };
        let mut leaves = Vec::new();
        collect(value, place, &format!("/{place}"), &mut leaves);
        for (name, at, text) in leaves {
            if is_elsewhere(text) {
                continue;
            }
            let Some(rule) = detectors.secret(&name, text).await? else {
                continue;
            };
            let who = match *place {
                "args" | "command" => {
                    "and every program of this machine can see it while the server runs; hand it over in a variable"
                }
                _ => {
                    "and whoever reads the file has it; write ${NAME}, and keep it in the environment"
                }
            };
            let text = format!("a secret ({rule}) stands at {at:?}, {who}");
            findings.push(Finding::new(&SECRET, Level::Warning, text).at(&at));
        }
    }
    Ok(findings)
}

/// Every text, by the name that tells what it is, and its place.
fn collect<'a>(
    value: &'a Value,
    name: &str,
    at: &str,
    leaves: &mut Vec<(String, String, &'a str)>,
) {
    match value {
        Value::String(text) => leaves.push((name.to_owned(), at.to_owned(), text)),
        Value::Array(elements) => {
            // The value of an option stands behind it.
            let mut option = name.to_owned();
            for (index, element) in elements.iter().enumerate() {
                let text = element.as_str().unwrap_or_default();
                collect(element, &option, &format!("{at}/{index}"), leaves);
                option = match text.strip_prefix("--") {
                    Some(option) if !option.contains('=') => option.replace('-', "_"),
                    _ => name.to_owned(),
                };
            }
        }
        Value::Object(members) => {
            for (key, value) in members {
                let token = key.replace('~', "~0").replace('/', "~1");
                collect(value, key, &format!("{at}/{token}"), leaves);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether the secret, if it is one, is not in the file: a variable stands for it.
fn is_elsewhere(text: &str) -> bool {
    text.contains("${") || text.contains("{env:") || text.starts_with('$')
}
