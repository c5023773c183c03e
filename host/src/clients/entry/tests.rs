//! What stays with the client, and what the gateway takes.

#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::json;

use super::*;

fn taken(client: &str, entry: Value) -> Result<Taken, Stays> {
    take(Client::named(client).unwrap(), &entry, false)
}

#[test]
fn what_only_the_client_can_do_stays() {
    let program = |key: &str, value: Value| {
        let mut entry = json!({"command": "npx"});
        entry.as_object_mut().unwrap().insert(key.to_owned(), value);
        entry
    };
    let check = |client, entry: Value, expected: Stays| {
        assert_eq!(taken(client, entry.clone()), Err(expected), "{entry}");
    };
    check(
        "cursor",
        program("envFile", json!(".env")),
        Stays::Key("envFile".into()),
    );
    check(
        "vscode",
        program("env", json!({"K": "${input:k}"})),
        Stays::Variable("${input:k}".into()),
    );
    check(
        "gemini-cli",
        program("excludeTools", json!(["rm"])),
        Stays::HidesTools("excludeTools".into()),
    );
    check("cline", program("disabled", json!(true)), Stays::Off);
    check(
        "cursor",
        json!({"url": "https://x.example/mcp"}),
        Stays::Login,
    );
    check(
        "goose",
        json!({"type": "builtin", "name": "developer"}),
        Stays::BuiltIn,
    );
    check("cursor", json!({"command": "./server"}), Stays::Relative);
    check(
        "cursor",
        json!({"command": "/opt/mcp-gateway"}),
        Stays::Ours,
    );
    check(
        "zed",
        json!({"command": {"path": "x"}}),
        Stays::Form("no \"command\"".into()),
    );
}

#[test]
fn a_variable_that_is_only_named_is_handed_on() {
    let entry = json!({"command": "npx", "env_vars": ["TOKEN"]});
    let taken = taken("codex", entry).unwrap();
    let Reached::Program { env, .. } = taken.reached else {
        panic!("no program")
    };
    assert_eq!(env, [("TOKEN".to_owned(), "${TOKEN}".to_owned())]);
    assert!(taken.variables.contains("TOKEN"));
}

#[test]
fn what_is_lost_is_told() {
    let entry = json!({"command": "npx", "autoApprove": ["read"]});
    assert_eq!(taken("cline", entry).unwrap().lost, ["autoApprove"]);
}
