//! Secrets that the configuration only refers to reach the server, and nobody else.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mcp_gateway_tests::{Gateway, Server, Setup, eventually};
use serde_json::{Value, json};

const SECRET: &str = "correct-horse-battery-staple";

/// A server that tells what is in one of its variables, which is a secret in a file.
fn setup() -> Setup {
    let server = Server::mirror("m").env("MIRROR_DESCRIPTION", "${file:key}");
    let setup = Gateway::with().server(server).log_level("trace");
    keep(&setup.folder().join("key"), SECRET, 0o600);
    setup
}

fn keep(path: &Path, secret: &str, mode: u32) {
    let new = path.with_extension("new");
    fs::write(&new, format!("{secret}\n")).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(mode)).unwrap();
    fs::rename(new, path).unwrap();
}

/// What the server has been told.
fn told(gateway: &Gateway) -> String {
    let list = gateway.client.request("tools/list", json!({})).value();
    let tools = list["result"]["tools"].as_array().cloned();
    let echo = |tool: &&Value| tool["name"] == json!("m_echo");
    let tools = tools.unwrap_or_default();
    let description = tools.iter().find(echo).map(|tool| &tool["description"]);
    description
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn run(gateway: &Gateway, command: &[&str]) -> String {
    let output = Gateway::command()
        .args(command)
        .env("MCP_GATEWAY_STATE_DIR", gateway.folder().join("state"))
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap()
}

#[test]
fn a_server_gets_the_secret_and_nothing_else_shows_it() {
    let gateway = setup().start();
    assert_eq!(told(&gateway), SECRET);

    let status = run(&gateway, &["status", "--json"]);
    assert!(status.contains("\"m\""), "{status}");
    let config = gateway.config.to_str().unwrap();
    let doctor = run(&gateway, &["doctor", "--config", config, "--json"]);
    assert!(doctor.contains("\"m\""), "{doctor}");
    for (what, text) in [
        ("the log", gateway.log.text()),
        ("status", status),
        ("doctor", doctor),
    ] {
        assert!(!text.contains(SECRET), "{what} shows it: {text}");
    }
    let arguments = fs::read(format!("/proc/{}/cmdline", gateway.process())).unwrap();
    assert!(!String::from_utf8_lossy(&arguments).contains(SECRET));
}

#[test]
fn a_secret_that_changes_reaches_the_server_without_a_restart_of_the_gateway() {
    let gateway = setup().start();
    assert_eq!(told(&gateway), SECRET);
    keep(&gateway.folder().join("key"), "another", 0o600);
    gateway.log.wait("the configuration was reloaded");
    eventually("the new secret", || told(&gateway) == "another");
}

/// What a client is told who calls a tool of the server.
fn refusal(gateway: &Gateway) -> String {
    let answer = gateway.client.call("m_echo", json!({"text": "x"}));
    answer.value().to_string()
}

/// The same set-up with another server, which needs nothing.
fn two_servers() -> Setup {
    setup().server(Server::mirror("other"))
}

fn works(gateway: &Gateway) {
    let answer = gateway.client.call("other_echo", json!({"text": "hello"}));
    assert_eq!(answer.text(), "hello");
}

#[test]
fn a_secret_that_others_can_read_stops_its_server_and_no_other() {
    let setup = two_servers();
    let key = setup.folder().join("key");
    keep(&key, SECRET, 0o644);
    let gateway = setup.start();
    works(&gateway);
    let remedy = format!("chmod 600 {}", key.display());
    let config = gateway.config.to_str().unwrap();
    let doctor = run(&gateway, &["doctor", "--config", config]);
    assert!(doctor.contains("ERROR server.unresolved"), "{doctor}");
    for (what, text) in [
        ("the log", gateway.log.text()),
        ("the client", refusal(&gateway)),
        ("status", run(&gateway, &["status"])),
        ("doctor", doctor),
    ] {
        assert!(text.contains(&remedy), "{what} does not say it: {text}");
        assert!(!text.contains(SECRET), "{what} shows it: {text}");
    }

    keep(&key, SECRET, 0o600);
    gateway.log.wait("the configuration was reloaded");
    eventually("the server", || told(&gateway) == SECRET);
}

#[test]
fn a_server_stops_when_its_secret_is_gone_and_starts_when_it_is_back() {
    let gateway = two_servers().start();
    assert_eq!(told(&gateway), SECRET);
    let key = gateway.folder().join("key");
    fs::remove_file(&key).unwrap();
    let down = gateway
        .log
        .wait("server is down: its configuration cannot be filled in: ");
    assert_eq!(down.text("server"), "m");
    assert!(
        refusal(&gateway).contains("No such file"),
        "{}",
        refusal(&gateway)
    );
    works(&gateway);
    keep(&key, SECRET, 0o600);
    eventually("the server", || told(&gateway) == SECRET);
}

#[test]
fn a_variable_that_is_not_set_stops_its_server_in_a_clients_file_as_well() {
    let mirror = |lacks: &str| {
        let server = Server::mirror("x");
        let env = match lacks {
            "" => json!({}),
            lacks => json!({ "KEY": lacks }),
        };
        json!({"command": server.command_line().0, "env": env})
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mcp.json");
    let servers = json!({
        "well": mirror(""),
        "unset": mirror("${NO_SUCH_VARIABLE}"),
        "editors": mirror("${input:key}"),
    });
    let text = json!({"mcpServers": {"mcp-gateway": {"servers": servers}}}).to_string();
    fs::write(&file, text).unwrap();
    let output = Gateway::command()
        .args(["doctor", "--json", "-p", "basic", "--mcp-json-path"])
        .arg(&file)
        .env("MCP_GATEWAY_STATE_DIR", folder.path().join("state"))
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let unresolved = findings
        .iter()
        .filter(|it| it["code"] == "server.unresolved");
    let what: Vec<&str> = unresolved.map(|it| it["what"].as_str().unwrap()).collect();
    assert_eq!(what.len(), 2, "{report:#}");
    for words in [
        "${NO_SUCH_VARIABLE}, which is not set",
        "${input:key}, which only an editor",
    ] {
        assert!(what.iter().any(|what| what.contains(words)), "{what:?}");
    }
    let servers = report["servers"].as_array().unwrap();
    let ready = servers.iter().filter(|it| it["milliseconds"].is_u64());
    let ready: Vec<&Value> = ready.map(|it| &it["name"]).collect();
    assert_eq!(ready, ["well"], "{report:#}");
}

#[test]
fn a_gateway_does_not_start_without_the_secret_of_a_guardrail() {
    let setup = setup().guardrail("basic", "config = { key = \"${file:none}\" }");
    let why = setup.refused();
    assert!(why.contains("refers to the file"), "{why}");
}
