//! A project of a guardrail, in a folder of its own, and the tools that build it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use mcp_gateway_tests::{Gateway, built, peer, repository};
use serde_json::Value;
use tempfile::TempDir;

/// A project that was built, with the component that it makes.
pub(super) struct Project {
    _root: TempDir,
    folder: PathBuf,
    component: PathBuf,
}

impl Project {
    /// An example as it is in the repository, built from clean.
    pub(super) fn example(name: &str) -> Self {
        let (root, folder) = beside_the_sdks(&format!("examples/{name}"));
        Self::build(root, folder)
    }

    /// The guardrail that uses all of a language's SDK, with the cases for all of them.
    pub(super) fn of_sdk(language: &str) -> Self {
        let (root, folder) = beside_the_sdks(&format!("tests/sdks/{language}"));
        let cases = repository().join("tests/sdks/cases.jsonl");
        fs::copy(cases, folder.join("cases.jsonl")).unwrap();
        Self::build(root, folder)
    }

    /// What `plugin new` makes, built from clean.
    pub(super) fn of_template(language: &str) -> Self {
        let root = tempfile::tempdir().unwrap();
        let name = format!("made-with-{language}");
        let words = ["plugin", "new", "--lang", language, &name];
        let made = Gateway::command()
            .args(words)
            .current_dir(&root)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", said(&made));
        let folder = root.path().join(name);
        Self::build(root, folder)
    }

    fn build(root: TempDir, folder: PathBuf) -> Self {
        install(&folder);
        let mut words = vec!["build"];
        let config = folder.join("config.toml");
        if config.exists() {
            words.extend(["--config", "config.toml"]);
        }
        let built = plugin(&folder, &words);
        assert!(built.status.success(), "{}", said(&built));
        let text = String::from_utf8(built.stdout).unwrap();
        // What its cases come to is the last line.
        assert!(text.trim_end().ends_with(" pass"), "{text}");
        let component = PathBuf::from(text.lines().next().unwrap());
        Self {
            _root: root,
            folder,
            component,
        }
    }

    pub(super) fn component(&self) -> &Path {
        &self.component
    }

    /// What `inspect` says, in JSON.
    pub(super) fn inspected(&self) -> Value {
        let component = self.component.to_str().unwrap();
        let answer = plugin(&self.folder, &["inspect", component, "--json"]);
        serde_json::from_slice(&answer.stdout).unwrap_or_else(|_| panic!("{}", said(&answer)))
    }

    /// Runs a command of the project, such as that of its own tests.
    pub(super) fn succeeds(&self, words: &[&str]) {
        succeeds(&self.folder, words);
    }
}

/// A copy of a folder of the repository, with the SDKs where it looks for them.
fn beside_the_sdks(place: &str) -> (TempDir, PathBuf) {
    let root = tempfile::tempdir().unwrap();
    for part in ["wit", "sdk/js", "sdk/python", "sdk/c", "sdk/go", place] {
        copy(&repository().join(part), &root.path().join(part));
    }
    let folder = root.path().join(place);
    (root, folder)
}

/// Runs `plugin` in a folder.
pub(super) fn plugin(folder: &Path, words: &[&str]) -> Output {
    Gateway::command()
        .arg("plugin")
        .args(words)
        // Where what Rust projects depend on is compiled once.
        .env("CARGO_TARGET_DIR", built("authoring"))
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Runs a command in a folder, with the tools of all languages.
pub(super) fn succeeds(folder: &Path, words: &[&str]) {
    let tools = peer("venv-authoring/bin");
    let usual = std::env::var_os("PATH").unwrap();
    let path = [tools].into_iter().chain(std::env::split_paths(&usual));
    let output = Command::new(words[0])
        .args(&words[1..])
        .env("PATH", std::env::join_paths(path).unwrap())
        .env("GOTOOLCHAIN", "local")
        .env("CARGO_TARGET_DIR", built("authoring"))
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{words:?}: {}", said(&output));
}

/// Gives a project what it says has to be installed.
fn install(folder: &Path) {
    if folder.join("package.json").exists() {
        let words = [
            "npm",
            "install",
            "--prefer-offline",
            "--no-audit",
            "--no-fund",
        ];
        succeeds(folder, &words);
    }
    if !folder.join("Cargo.toml").exists() {
        symlink(peer("venv-authoring"), folder.join(".venv")).unwrap();
    }
}

/// All of it, links followed, but what was built there.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let place = to.join(name);
        match path.is_dir() {
            true if ["node_modules", "dist", ".venv", "__pycache__"].contains(&name) => {}
            true => copy(&path, &place),
            false => drop(fs::copy(&path, &place).unwrap()),
        }
    }
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    format!("{text}{}", String::from_utf8_lossy(&output.stderr))
}
