//! The command line of the MCP Inspector.

use std::path::Path;
use std::process::Command;

use mcp_gateway_tests::{peer, real};
use serde_json::Value;
use tempfile::TempDir;

/// Has the Inspector start a server by a script, and do something.
pub(crate) fn inspect(script: &Path, words: &[&str]) -> Value {
    // It keeps what it knows about servers at home.
    let home = tempfile::tempdir().unwrap();
    let launcher = "node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js";
    let output = Command::new(real::node22())
        .arg(peer(launcher))
        .args(["--cli", "sh"])
        .arg(script)
        .args(words)
        .env("HOME", home.path())
        .output()
        .unwrap();
    let printed = real::printed("the Inspector", &output);
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
}

/// A script that starts a server; the Inspector would take options in its
/// command line for its own.
pub(crate) fn script(folder: &TempDir, command: &str, args: &[String], env: &Value) -> Box<Path> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let mut text = String::new();
    for (name, value) in env.as_object().unwrap() {
        let value = quoted(value.as_str().unwrap());
        text.push_str(&format!("export {name}={value}\n"));
    }
    text.push_str("exec");
    for word in [command].into_iter().chain(args.iter().map(String::as_str)) {
        text.push(' ');
        text.push_str(&quoted(word));
    }
    let path = folder.path().join("server.sh");
    std::fs::write(&path, text + "\n").unwrap();
    path.into()
}
