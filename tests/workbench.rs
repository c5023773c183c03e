//! What the author of a guardrail asks about it, by the binary and real components.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "workbench/bench.rs"]
mod bench;
#[path = "workbench/cases.rs"]
mod cases;
#[path = "workbench/fuzz.rs"]
mod fuzz;
#[path = "workbench/inspect.rs"]
mod inspect;
#[path = "workbench/score.rs"]
mod score;

use std::fs;
use std::path::Path;

use mcp_gateway_tests::Gateway;
use serde_json::Value;

/// What a command answered: its exit code, and both streams.
struct Answer {
    code: i32,
    text: String,
    error: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}{}", self.text, self.error))
    }
}

/// Runs `plugin` with these words, in a folder.
fn plugin(folder: &Path, words: &[&str]) -> Answer {
    let output = Gateway::command()
        .arg("plugin")
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap();
    Answer {
        code: output.status.code().unwrap(),
        text: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}
