//! Real servers, and what there is to ask them.

use std::process::Command;

use mcp_gateway_tests::{Server, real};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A real server, and what to ask it.
pub(crate) struct Case {
    pub(crate) server: Server,
    pub(crate) calls: Value,
    pub(crate) prompts: Value,
    pub(crate) resources: Value,
    /// A tool that the server offers only to a client that can do more.
    pub(crate) until: &'static str,
    /// Where the server works, if anywhere.
    pub(crate) _folder: Option<TempDir>,
}

impl Case {
    pub(crate) fn calls(server: Server, calls: Value) -> Self {
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
    pub(crate) fn plan(&self, command: &str, args: &[String], env: Value, prefix: &str) -> Value {
        json!({
            "command": command, "args": args, "env": env, "prefix": prefix,
            "calls": self.calls, "prompts": self.prompts, "resources": self.resources, "until": self.until,
        })
    }
}

pub(crate) fn everything() -> Case {
    Case {
        prompts: json!([["simple-prompt", {}], ["args-prompt", {"city": "Zürich", "state": "ZH"}], ["no-prompt", {}]]),
        resources: json!([
            "demo://resource/static/document/architecture.md",
            "demo://resource/static/document/none.md",
        ]),
        ..Case::calls(
            real::npm_server("everything", "server-everything", &["stdio"]),
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

pub(crate) fn filesystem() -> Case {
    let folder = tempfile::tempdir().unwrap();
    // As the server resolves it, which refuses what lies elsewhere.
    let root = folder.path().canonicalize().unwrap();
    std::fs::write(root.join("notes.txt"), "some notes\nof two lines\n").unwrap();
    let path = |name: &str| root.join(name);
    Case {
        _folder: Some(folder),
        ..Case::calls(
            real::npm_server("files", "server-filesystem", &[root.to_str().unwrap()]),
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

pub(crate) fn memory() -> Case {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("memory.json");
    let server = real::npm_server("memory", "server-memory", &[])
        .env("MEMORY_FILE_PATH", file.to_str().unwrap());
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

pub(crate) fn time() -> Case {
    Case::calls(
        real::python_server(
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

pub(crate) fn git() -> Case {
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
        real::python_server("git", "mcp-server-git", &["--repository", path]),
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

/// The fixture, which speaks both eras, and asks back.
pub(crate) fn fixture() -> Case {
    Case {
        prompts: json!([
            ["test_simple_prompt", {}],
            ["test_prompt_with_arguments", {"arg1": "one", "arg2": "two"}],
            ["test_input_required_result_prompt", {}],
        ]),
        resources: json!([
            "test://static-text",
            "test://template/7/data",
            "test://none"
        ]),
        ..Case::calls(
            real::script_server("fixture", "fixture.py", &["stdio"]),
            json!([
                ["test_multiple_content_types", {}],
                ["test_error_handling", {}],
                ["test_elicitation", {"message": "who?"}],
                ["test_input_required_result_elicitation", {}],
                ["test_input_required_result_sampling", {}],
                ["test_input_required_result_list_roots", {}],
                ["test_input_required_result_request_state", {}],
                ["test_input_required_result_multiple_inputs", {}],
                ["test_input_required_result_multi_round", {}],
                ["test_input_required_result_capabilities", {}],
                ["does-not-exist", {}],
            ]),
        )
    }
}
