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

#[test]
fn a_gateway_does_not_start_with_a_secret_that_others_can_read() {
    let setup = setup();
    let key = setup.folder().join("key");
    keep(&key, SECRET, 0o644);
    let why = setup.refused();
    let remedy = format!("chmod 600 {}", key.display());
    assert!(why.contains(&remedy), "{why}");
    assert!(!why.contains(SECRET), "{why}");
}
