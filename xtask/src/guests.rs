//! The guardrail components: the target that they are compiled for, and the
//! ones that the tests load.

use std::fs;
use std::path::PathBuf;

use crate::program::Program;
use crate::{Outcome, root, target};

const TARGET: &str = "wasm32-wasip2";

/// Folders of guardrails that are written in Rust.
const FOLDERS: [&str; 3] = ["plugins", "examples", "tests/guests"];

/// Sees to it that guardrails can be compiled.
pub(crate) fn require_target() -> Outcome {
    if has_target()? {
        return Ok(());
    }
    let added = Program::named(
        "rustup",
        "guardrails are compiled for wasm32-wasip2; install that target the way that you installed Rust",
    )
    .args(["target", "add", TARGET])
    .run();
    match has_target()? {
        true => Ok(()),
        false => added.and(Err(format!(
            "rustc still has no standard library for {TARGET}"
        ))),
    }
}

/// Asks rustc itself, since Rust may not come from rustup.
fn has_target() -> Result<bool, String> {
    let libraries = Program::named("rustc", "it is part of Rust")
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()?;
    Ok(PathBuf::from(libraries.trim()).is_dir())
}

/// Builds every guardrail that is written in Rust.
pub(crate) fn build() -> Outcome {
    require_target()?;
    let mut cargo = Program::cargo()
        .args([
            "build",
            "--profile",
            "guest",
            "--target",
            TARGET,
            "--target-dir",
        ])
        .args([target().join("guests")]);
    for package in packages()? {
        cargo = cargo.args(["--package", &package]);
    }
    cargo.run()
}

/// The names of the packages in the folders of guardrails.
fn packages() -> Result<Vec<String>, String> {
    let mut packages = Vec::new();
    for folder in FOLDERS {
        let Ok(entries) = fs::read_dir(root().join(folder)) else {
            continue;
        };
        for entry in entries.flatten() {
            let manifest = entry.path().join("Cargo.toml");
            let Ok(text) = fs::read_to_string(&manifest) else {
                continue;
            };
            let name = text.lines().find_map(|line| {
                line.strip_prefix("name = ")?
                    .trim()
                    .strip_prefix('"')?
                    .strip_suffix('"')
            });
            match name {
                Some(name) => packages.push(name.to_owned()),
                None => return Err(format!("{} names no package", manifest.display())),
            }
        }
    }
    packages.sort();
    Ok(packages)
}
