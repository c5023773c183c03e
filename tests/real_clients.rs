//! The official clients in front of real servers: with the gateway between
//! them, and a guardrail in it, they see what they see without, but for the
//! names of tools and prompts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "real_clients/rust.rs"]
mod rust;

use std::path::Path;
use std::process::Command;

use mcp_gateway_tests::{Gateway, Server, peer, peers, repository};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A real server, and what to ask it.
struct Case {
    server: Server,
    calls: Value,
    prompts: Value,
    resources: Value,
    /// A tool that the server offers only to a client that can do more.
    until: &'static str,
    /// Where the server works, if anywhere.
    _folder: Option<TempDir>,
}

impl Case {
    fn calls(server: Server, calls: Value) -> Self {
        Self {
            server,
            calls,
            prompts: json!([]),
            resources: json!([]),
            until: "",
            _folder: None,
        }
    }

    /// What a client is told: to start this, and what to do then.
    fn plan(&self, command: &str, args: &[String], env: Value, prefix: &str) -> Value {
        json!({
            "command": command, "args": args, "env": env, "prefix": prefix,
            "calls": self.calls, "prompts": self.prompts, "resources": self.resources, "until": self.until,
        })
    }
}

fn node(name: &str, package: &str, args: &[&str]) -> Server {
    let script = peer(&format!(
        "node_modules/@modelcontextprotocol/{package}/dist/index.js"
    ));
    let mut all = vec![script.to_str().unwrap()];
    all.extend(args);
    Server::command(name, "node", &all)
}

fn python(name: &str, program: &str, args: &[&str]) -> Server {
    let program = peer(&format!("venv/bin/{program}"));
    Server::command(name, program.to_str().unwrap(), args)
}

fn everything() -> Case {
    Case {
        prompts: json!([["simple-prompt", {}], ["args-prompt", {"city": "Zürich", "state": "ZH"}], ["no-prompt", {}]]),
        resources: json!([
            "demo://resource/static/document/architecture.md",
            "demo://resource/static/document/none.md",
        ]),
        ..Case::calls(
            node("everything", "server-everything", &["stdio"]),
            json!([
                ["echo", {"message": "hello ünï ☃ \u{2028} 🙂"}],
                ["get-sum", {"a": 1.5, "b": 2}],
                ["get-sum", {"a": "not a number"}],
                ["get-structured-content", {"location": "New York"}],
                ["get-annotated-message", {"messageType": "error", "includeImage": true}],
                ["get-tiny-image", {}],
                ["get-resource-links", {"count": 3}],
                ["does-not-exist", {}],
            ]),
        )
    }
}

fn filesystem() -> Case {
    let folder = tempfile::tempdir().unwrap();
    // As the server resolves it, which refuses what lies elsewhere.
    let root = folder.path().canonicalize().unwrap();
    std::fs::write(root.join("notes.txt"), "some notes\nof two lines\n").unwrap();
    let path = |name: &str| root.join(name);
    Case {
        _folder: Some(folder),
        ..Case::calls(
            node("files", "server-filesystem", &[root.to_str().unwrap()]),
            json!([
                ["list_directory", {"path": root}],
                ["read_text_file", {"path": path("notes.txt")}],
                ["read_text_file", {"path": path("none.txt")}],
                ["read_text_file", {"path": "/somewhere/else"}],
                ["read_multiple_files", {"paths": [path("notes.txt"), path("none.txt")]}],
                ["directory_tree", {"path": root}],
                ["list_allowed_directories", {}],
            ]),
        )
    }
}

fn memory() -> Case {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memory.json");
    let server =
        node("memory", "server-memory", &[]).env("MEMORY_FILE_PATH", file.to_str().unwrap());
    let entity = json!({"name": "Ann", "entityType": "person", "observations": ["likes 🙂"]});
    Case {
        _folder: Some(folder),
        ..Case::calls(
            server,
            json!([
                ["create_entities", {"entities": [entity]}],
                ["search_nodes", {"query": "Ann"}],
                ["delete_entities", {"entityNames": ["Ann"]}],
                ["read_graph", {}],
            ]),
        )
    }
}

fn time() -> Case {
    Case::calls(
        python(
            "time",
            "mcp-server-time",
            &["--local-timezone", "Europe/Zurich"],
        ),
        json!([
            ["convert_time", {"source_timezone": "UTC", "time": "16:30", "target_timezone": "Asia/Kolkata"}],
            ["convert_time", {"source_timezone": "No/Where", "time": "16:30", "target_timezone": "UTC"}],
        ]),
    )
}

fn git() -> Case {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path();
    let git = |args: &[&str]| {
        let status = Command::new("git")
            .arg("-C")
            .arg(repository)
            .args(args)
            .output()
            .unwrap();
        assert!(status.status.success(), "{status:?}");
    };
    git(&["init", "--quiet"]);
    std::fs::write(repository.join("a.txt"), "one\n").unwrap();
    git(&["add", "a.txt"]);
    git(&[
        "-c",
        "user.name=Ann",
        "-c",
        "user.email=ann@localhost",
        "commit",
        "--quiet",
        "-m",
        "first",
    ]);
    std::fs::write(repository.join("a.txt"), "two\n").unwrap();
    let path = repository.to_str().unwrap();
    let case = Case::calls(
        python("git", "mcp-server-git", &["--repository", path]),
        json!([
            ["git_status", {"repo_path": path}],
            ["git_diff_unstaged", {"repo_path": path}],
            ["git_log", {"repo_path": path}],
            ["git_status", {"repo_path": "/nowhere"}],
        ]),
    );
    Case {
        _folder: Some(folder),
        ..case
    }
}

/// Has a client follow the case's plan without the gateway and with it, and
/// compares what it saw.
fn sees_the_same(case: &Case, client: impl Fn(&Value) -> Value) {
    let (command, args) = case.server.command_line();
    let direct = client(&case.plan(command, args, case.server.variables(), ""));

    let setup = Gateway::with()
        .server(case.server.clone())
        .guardrail("basic", "");
    let (command, args, env) = setup.command_line();
    let prefix = format!("{}_", case.server.name());
    let guarded = client(&case.plan(&command, &args, env, &prefix));

    assert!(
        direct["tools"]
            .as_array()
            .is_some_and(|tools| !tools.is_empty()),
        "{direct}"
    );
    assert_eq!(
        direct["calls"].as_array().unwrap().len(),
        case.calls.as_array().unwrap().len()
    );
    let (direct, guarded) = (direct.as_object().unwrap(), guarded.as_object().unwrap());
    for (part, expected) in direct {
        differs(part, expected, &guarded[part]);
    }
    assert_eq!(direct.len(), guarded.len());
}

/// Fails with the innermost place where two values differ.
fn differs(place: &str, direct: &Value, guarded: &Value) {
    match (direct, guarded) {
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, (one, other)) in one.iter().zip(other).enumerate() {
                differs(&format!("{place}/{index}"), one, other);
            }
        }
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            for (key, value) in one {
                differs(&format!("{place}/{key}"), value, &other[key]);
            }
        }
        _ => assert!(
            direct == guarded,
            "{place}\ndirect:      {direct}\nthe gateway: {guarded}"
        ),
    }
}

fn run(program: &Path, script: &str, plan: &Value) -> Value {
    let output = Command::new(program)
        .arg(repository().join("tests/clients").join(script))
        .arg(plan.to_string())
        .current_dir(peers())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {stderr}");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{script}: {error}: {stderr}"))
}

fn python_client(plan: &Value) -> Value {
    run(&peer("venv/bin/python"), "official.py", plan)
}

fn typescript_client(plan: &Value) -> Value {
    run(Path::new("node"), "official.mjs", plan)
}

#[test]
fn the_python_client_sees_server_everything_as_it_is() {
    sees_the_same(&everything(), python_client);
}

#[test]
fn the_python_client_is_asked_by_server_everything_as_it_would_be() {
    let case = Case {
        until: "trigger-sampling-request",
        calls: json!([
            ["trigger-sampling-request", {"prompt": "a prompt", "maxTokens": 10}],
            ["get-roots-list", {}],
            ["trigger-elicitation-request", {}],
            ["trigger-long-running-operation", {"duration": 0.2, "steps": 4}],
        ]),
        ..everything()
    };
    sees_the_same(&case, python_client);
}

#[test]
fn the_python_client_sees_server_filesystem_as_it_is() {
    sees_the_same(&filesystem(), python_client);
}

#[test]
fn the_python_client_sees_server_memory_as_it_is() {
    sees_the_same(&memory(), python_client);
}

#[test]
fn the_python_client_sees_server_time_as_it_is() {
    sees_the_same(&time(), python_client);
}

#[test]
fn the_python_client_sees_server_git_as_it_is() {
    sees_the_same(&git(), python_client);
}

#[test]
fn the_typescript_client_sees_server_everything_as_it_is() {
    sees_the_same(&everything(), typescript_client);
}

#[test]
fn the_typescript_client_sees_server_filesystem_as_it_is() {
    sees_the_same(&filesystem(), typescript_client);
}

#[test]
fn the_typescript_client_sees_server_git_as_it_is() {
    sees_the_same(&git(), typescript_client);
}

#[test]
fn the_rust_client_sees_server_everything_as_it_is() {
    sees_the_same(&everything(), rust::client);
}

#[test]
fn the_rust_client_sees_server_time_as_it_is() {
    sees_the_same(&time(), rust::client);
}

#[test]
fn two_real_servers_are_one_for_the_client() {
    let files = filesystem();
    let setup = Gateway::with()
        .server(files.server.clone())
        .server(time().server)
        .guardrail("basic", "");
    let (command, args, env) = setup.command_line();
    let calls = json!([
        ["files_list_allowed_directories", {}],
        ["time_convert_time", {"source_timezone": "UTC", "time": "10:00", "target_timezone": "UTC"}],
    ]);
    let plan = json!({
        "command": command, "args": args, "env": env, "prefix": "",
        "calls": calls, "prompts": [], "resources": [],
    });
    for saw in [python_client(&plan), typescript_client(&plan)] {
        let tools: Vec<&str> = saw["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|tool| tool["name"].as_str().unwrap())
            .collect();
        assert!(
            tools.contains(&"files_read_text_file") && tools.contains(&"time_get_current_time"),
            "{tools:?}"
        );
        for call in saw["calls"].as_array().unwrap() {
            assert_ne!(call["isError"], json!(true), "{call}");
            assert!(call["content"][0]["text"].is_string(), "{call}");
        }
    }
}
