//! The official clients in front of real servers: with the gateway between
//! them, and a guardrail in it, they see what they see without, but for the
//! names of tools and prompts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "real_clients/cases.rs"]
mod cases;
#[path = "real_clients/inspector.rs"]
mod inspector;
#[path = "real_clients/rust.rs"]
mod rust;

use std::path::Path;

use cases::{Case, everything, filesystem, fixture, git, memory, time};
use mcp_gateway_tests::{Gateway, differences, real};
use serde_json::{Value, json};

/// Has a client follow the case's plan without the gateway and with it, and
/// compares what it saw.
fn sees_the_same(case: &Case, client: impl Fn(&Value) -> Value) {
    let (command, args) = case.server.command_line();
    let direct = client(&case.plan(command, args, case.server.variables(), ""));

    // A busy machine takes its time to start a server, and these clients list once.
    let setup = Gateway::with()
        .setting("ready_timeout = \"5m\"")
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
    let found = differences(&direct, &guarded);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn python_client(plan: &Value) -> Value {
    real::client(&real::python(), "official.py", [plan.to_string()])
}

fn typescript_client(plan: &Value) -> Value {
    real::client(Path::new("node"), "official.mjs", [plan.to_string()])
}

/// The second version, which speaks the modern era to who knows it.
fn modern_typescript_client(plan: &Value) -> Value {
    let mut plan = plan.clone();
    plan["modern"] = json!(true);
    let saw = typescript_client(&plan);
    assert_eq!(saw["version"], "2026-07-28", "{saw}");
    saw
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
fn the_modern_typescript_client_sees_server_time_as_it_is() {
    sees_the_same(&time(), modern_typescript_client);
}

#[test]
fn the_modern_typescript_client_sees_the_fixture_as_it_is_and_is_asked_the_same() {
    sees_the_same(&fixture(), modern_typescript_client);
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
fn the_inspector_sees_server_everything_as_it_is() {
    let (server, folders) = (everything().server, [(); 2].map(|()| tempfile::tempdir()));
    let [folder, other] = folders.map(Result::unwrap);
    let (command, args) = server.command_line();
    let direct = inspector::script(&folder, command, args, &server.variables());
    let setup = Gateway::with().server(server).guardrail("basic", "");
    let (command, args, env) = setup.command_line();
    let guarded = inspector::script(&other, &command, &args, &env);

    let echo = ["--tool-arg", "message=hello", "--tool-name"];
    for (method, more, named, list) in [
        ("tools/list", &[][..], "", "tools"),
        ("tools/call", &echo, "echo", ""),
        ("resources/list", &[], "", ""),
        ("resources/templates/list", &[], "", ""),
        ("prompts/list", &[], "", "prompts"),
        ("prompts/get", &["--prompt-name"], "simple-prompt", ""),
    ] {
        let ask = |script: &Path, prefix: &str| {
            let name = format!("{prefix}{named}");
            let mut words = vec!["--method", method];
            words.extend(more);
            words.extend((!named.is_empty()).then_some(name.as_str()));
            let mut answer = inspector::inspect(script, &words);
            for item in answer[list].as_array_mut().into_iter().flatten() {
                let name = item["name"].as_str().unwrap();
                item["name"] = json!(name.strip_prefix(prefix).unwrap());
            }
            answer
        };
        let answer = ask(&direct, "");
        let found = differences(&answer, &ask(&guarded, "everything_"));
        assert!(found.is_empty(), "{method}: {}", found.join("\n"));
        assert!(answer.get("error").is_none(), "{method}: {answer}");
    }
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
