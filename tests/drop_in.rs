//! What worked with the Python gateway works here: its file, its arguments, its
//! names; and what does not work is refused with a word about what to do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::path::Path;
use std::process::Stdio;

use mcp_gateway_tests::{Client, Gateway, Server, program_beside};
use serde_json::{Value, json};
use tempfile::TempDir;

fn token() -> String {
    format!("hf_{}", "okpaLGklBeJFhdqdOvkrXljOCTwhADRrXo")
}

/// A home with the file of an editor in it, whose gateway has one server.
fn home() -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let mirror = program_beside("mirror");
    let file = json!({
        "mcpServers": {
            "another": {"command": "something-else", "args": []},
            "mcp-gateway": {
                "command": "mcp-gateway",
                "args": ["--mcp-json-path", "~/.cursor/mcp.json", "--enable-guardrails", "basic"],
                "servers": {"m": {"command": mirror, "args": []}},
            },
        },
    });
    fs::create_dir(home.path().join(".cursor")).unwrap();
    fs::write(home.path().join(".cursor/mcp.json"), format!("{file:#}")).unwrap();
    home
}

/// Starts the gateway with these arguments and says something through it that
/// holds a secret.
fn says(home: &Path, args: &[&str]) -> String {
    let mut child = Gateway::command()
        .args(args)
        .env("HOME", home)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let client = Client::on(child.stdin.take().unwrap(), child.stdout.take().unwrap());
    client.initialize();
    assert!(client.tools().contains(&"m_whisper".to_owned()));
    let text = client
        .call("m_whisper", json!({"line": token().replace('_', "~_~")}))
        .text();
    client.leave();
    assert!(child.wait().unwrap().success());
    text
}

/// Starts a gateway that refuses to run, and returns why.
fn refusal(home: &Path, args: &[&str]) -> String {
    let output = Gateway::command()
        .args(args)
        .env("HOME", home)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{args:?} runs: {text}");
    assert!(
        output.stdout.is_empty(),
        "standard output is for the protocol"
    );
    text
}

fn refuses(args: &[&str], words: &[&str]) {
    let text = refusal(home().path(), args);
    for words in words {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
}

const FILE: &str = "~/.cursor/mcp.json";

#[test]
fn every_former_way_to_name_the_guardrail_works() {
    let ways: &[&[&str]] = &[
        &["--mcp-json-path", FILE, "-p", "basic"],
        &["--mcp-json-path", FILE, "--plugin", "basic"],
        &["--mcp-json-path", FILE, "--plugin=basic"],
        &["--mcp-json-path", FILE, "--enable-guardrails", "basic"],
        &["--mcp-json-path", FILE, "--enable-guardrails"],
        &["-p", "basic", "--mcp-json", FILE],
    ];
    let home = home();
    for way in ways {
        assert_eq!(says(home.path(), way), "<HUGGINGFACE_TOKEN>", "{way:?}");
    }
}

#[test]
fn without_a_guardrail_everything_passes() {
    assert_eq!(says(home().path(), &["--mcp-json-path", FILE]), token());
}

#[test]
fn an_unknown_guardrail_is_refused_with_those_that_are_known() {
    refuses(
        &["--mcp-json-path", FILE, "-p", "basik"],
        &["unknown guardrail \"basik\"", "did you mean \"basic\"?"],
    );
    refuses(
        &["--mcp-json-path", FILE, "-p", "mystery"],
        &["unknown guardrail \"mystery\"", "known: audit, basic"],
    );
}

#[test]
fn without_a_file_it_says_what_to_type() {
    refuses(
        &[],
        &[
            "--mcp-json-path ~/.cursor/mcp.json -p basic",
            "mcp-gateway wrap",
        ],
    );
    refuses(
        &["--mcp-json-path", "~/none.json"],
        &["none.json: can't read the file"],
    );
}

#[test]
fn all_errors_of_a_client_file_are_named_with_their_places() {
    let home = home();
    let file = home.path().join("broken.json");
    let text = r#"{"mcpServers": {"gw": {"servers": {
        "a": {"comand": "x"},
        "b": {"command": "x", "args": "y"}
    }}}}"#;
    fs::write(&file, text).unwrap();
    let refusal = refusal(
        home.path(),
        &["--mcp-json-path", file.to_str().unwrap(), "-p", "basik"],
    );
    for words in [
        "broken.json:2:",
        "did you mean \"command\"?",
        "broken.json:3:",
        "must be an array",
        "unknown guardrail",
    ] {
        assert!(refusal.contains(words), "{words:?} is not in: {refusal}");
    }
}

#[test]
fn all_errors_of_the_gateways_own_file_are_named_with_their_places() {
    let setup = Gateway::with()
        .setting("namin = \"bare\"")
        .server(Server::command("a", "x", &[]).setting("init_timeout = \"soon\""))
        .guardrail("basik", "mode = \"loud\"");
    let toml = setup.toml();
    let refusal = setup.refused();
    let places = [
        ("namin", "did you mean \"naming\"?"),
        ("init_timeout", "\"soon\""),
        ("mode", "\"loud\""),
        ("use", "unknown guardrail \"basik\""),
    ];
    for (key, words) in places {
        let line = toml.lines().position(|line| line.starts_with(key)).unwrap() + 1;
        let place = format!("gateway.toml:{line}:");
        assert!(
            refusal
                .lines()
                .any(|line| line.contains(&place) && line.contains(words)),
            "{place} {words}: {refusal}"
        );
        assert_eq!(
            refusal.matches(words).count(),
            1,
            "{words:?} is said once: {refusal}"
        );
    }
}

#[test]
fn one_server_can_be_wrapped_without_any_file() {
    let mut child = Gateway::command()
        .args(["wrap", "-p", "basic", "--"])
        .arg(program_beside("mirror"))
        .spawn()
        .unwrap();
    let client = Client::on(child.stdin.take().unwrap(), child.stdout.take().unwrap());
    client.initialize();
    assert!(
        client.tools().contains(&"whisper".to_owned()),
        "names stay as they are"
    );
    let text = client
        .call("whisper", json!({"line": token().replace('_', "~_~")}))
        .text();
    assert_eq!(text, "<HUGGINGFACE_TOKEN>");
    client.leave();
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_tool_that_tells_of_servers_is_there_if_it_is_wanted() {
    let without = Gateway::with().mirror().start();
    assert!(!without.client.tools().iter().any(|it| it == "get_metadata"));
    let lost = Server::command("lost", "no-such-program-anywhere", &[]);
    let gateway = Gateway::with()
        .setting("expose_metadata = true\nnaming = \"bare\"")
        .mirror()
        .server(lost)
        .start();
    let tools = gateway.client.tools();
    assert_eq!(
        tools.iter().filter(|it| *it == "get_metadata").count(),
        1,
        "{tools:?}"
    );
    let answer = gateway.client.call("get_metadata", json!({}));
    let told = answer.value()["result"]["structuredContent"].clone();
    assert_eq!(told["m"]["status"], "active");
    assert!(told["m"]["capabilities"]["tools"].is_object(), "{told}");
    let original = told["m"]["original_tools"].as_array().unwrap();
    assert!(original.iter().any(|tool| tool["name"] == "echo"), "{told}");
    assert_eq!(told["lost"]["status"], "inactive");
    assert!(told["lost"]["error"].is_string(), "{told}");
    let text: Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(text, told);
}
