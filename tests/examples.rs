//! Guardrails in every language, from clean: the examples, and what `plugin new` makes. Each
//! is built with its language's own tools by `plugin build`, which runs its cases.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "examples/approval.rs"]
mod approval;
#[path = "examples/granted.rs"]
mod granted;
#[path = "examples/project.rs"]
mod project;
#[path = "examples/sdks.rs"]
mod sdks;

use mcp_gateway_tests::{Gateway, Setup, guest};
use project::{Project, plugin};
use serde_json::json;

/// What all components may import with no grant.
const CONTRACT: [&str; 3] = [
    "mcp-gateway:guardrail/log@0.1.0",
    "mcp-gateway:guardrail/message@0.1.0",
    "mcp-gateway:guardrail/types@0.1.0",
];

/// A component imports the contract and what it is granted, and of WASI nothing.
fn imports_nothing_else(project: &Project, granted: &[&str]) {
    let report = project.inspected();
    let imports = &report["imports"];
    for import in imports["granted"].as_array().unwrap() {
        assert!(CONTRACT.contains(&import.as_str().unwrap()), "{import}");
    }
    assert_eq!(imports["toGrant"], json!(granted));
    assert_eq!(imports["inert"], json!([]));
    assert_eq!(imports["refused"], json!([]));
}

/// A gateway in front of a mirror, with a guardrail that was just built.
fn with(project: &Project, settings: &str) -> Setup {
    Gateway::with()
        .mirror()
        .guardrail(project.component(), settings)
}

fn echo(gateway: &Gateway, text: &str) -> String {
    gateway
        .client
        .call("m_echo", json!({ "text": text }))
        .text()
}

#[test]
fn statements_that_destroy_are_refused_in_javascript() {
    let project = Project::example("sql");
    imports_nothing_else(&project, &[]);
    project.succeeds(&["npm", "test"]);
    let gateway = with(&project, "config = { allow = [\"truncate\"] }").start();
    let answer = echo(&gateway, "drop table users");
    assert!(answer.contains("the statement drops something"), "{answer}");
    assert_eq!(echo(&gateway, "truncate users"), "truncate users");
}

#[test]
fn names_on_a_list_are_hidden_in_python() {
    let project = Project::example("codenames");
    imports_nothing_else(&project, &[]);
    project.succeeds(&["make", "test"]);
    // With the configuration that its cases ran with: for another one it is compiled again.
    let gateway = with(&project, "").start();
    let text = "é Bluebird, BLUEBIRD; bluebirds";
    assert_eq!(echo(&gateway, text), "é <CODENAME>, <CODENAME>; bluebirds");
}

#[test]
fn too_many_calls_are_refused_in_go() {
    let project = Project::example("rate-limit");
    imports_nothing_else(&project, &["mcp-gateway:guardrail/state@0.1.0"]);
    project.succeeds(&["make", "test"]);
    let settings = "grant = { state = true }\nconfig = { calls = 2, seconds = 600 }";
    let gateway = with(&project, settings).start();
    let answers = ["a", "b", "c"].map(|text| echo(&gateway, text));
    assert_eq!(answers[..2], ["a", "b"]);
    assert!(
        answers[2].contains("2 calls in 600 seconds"),
        "{}",
        answers[2]
    );
    // A component that was not granted what it uses does not run.
    let refused = with(&project, "").refused();
    assert!(refused.contains("grant = { state = true }"), "{refused}");
}

/// Its memory is managed by the collector, which may run at any time.
#[test]
fn a_guardrail_in_go_goes_on_however_much_it_is_shown() {
    let project = Project::of_template("go");
    imports_nothing_else(&project, &[]);
    project.succeeds(&["make", "test"]);
    let gateway = with(&project, "").start();
    let text = "BLUEBIRD é ".repeat(2_000);
    let expected = text.replace("BLUEBIRD", "<CODENAME>");
    for _ in 0..400 {
        assert_eq!(echo(&gateway, &text), expected);
    }
}

#[test]
fn tools_are_taken_out_of_lists_in_c() {
    let project = Project::example("hide-tools");
    imports_nothing_else(&project, &[]);
    let all = Gateway::with().mirror().start().client.tools();
    let gateway = with(&project, "config = { hide = [\"ech*\"] }").start();
    let mut kept = all.clone();
    kept.retain(|name| !name.starts_with("m_ech"));
    assert!(kept.len() < all.len() && !kept.is_empty(), "{all:?}");
    assert_eq!(gateway.client.tools(), kept);
    let answer = echo(&gateway, "x");
    assert!(answer.contains("not for this client"), "{answer}");
    let refused = with(&project, "config = { hid = [] }").refused();
    assert!(refused.contains("it takes hide ="), "{refused}");
}

#[test]
fn calls_are_bound_to_a_policy_in_rust() {
    let config = "config.allow = { ec = {}, \"ech*\" = { text = [\"/notes/*\"] } }";
    let gateway = Gateway::with()
        .mirror()
        .guardrail(guest("guardrail_tool_policy"), config)
        .start();
    assert_eq!(echo(&gateway, "/notes/a"), "/notes/a");
    for (text, reason) in [
        ("/etc/passwd", "argument text"),
        ("/notes/../x", "argument text"),
    ] {
        let answer = echo(&gateway, text);
        assert!(answer.contains(reason), "{answer}");
    }
    let answer = gateway.client.call("m_odd", json!({}));
    assert!(answer.text().contains("not one of those"), "{}", answer.raw);
}

#[test]
fn a_new_project_in_rust_builds_and_passes() {
    let project = Project::of_template("rust");
    project.succeeds(&["cargo", "test", "--quiet"]);
}

#[test]
fn a_new_project_in_javascript_or_typescript_builds_and_passes() {
    for language in ["js", "ts"] {
        let project = Project::of_template(language);
        imports_nothing_else(&project, &[]);
        project.succeeds(&["npm", "test"]);
    }
}

#[test]
fn a_new_project_in_python_builds_and_passes() {
    let project = Project::of_template("python");
    imports_nothing_else(&project, &[]);
    project.succeeds(&["make", "test"]);
}

#[test]
fn a_new_project_in_c_builds_and_passes() {
    imports_nothing_else(&Project::of_template("c"), &[]);
}

#[test]
fn what_is_missing_is_said_with_the_command_that_installs_it() {
    let root = tempfile::tempdir().unwrap();
    let made = plugin(root.path(), &["new", "--lang", "js", "no-tools"]);
    assert!(made.status.success());
    let folder = root.path().join("no-tools");
    let answer = plugin(&folder, &["build"]);
    let words = String::from_utf8(answer.stderr).unwrap();
    assert_eq!(answer.status.code(), Some(2));
    assert!(words.contains("npm install"), "{words}");
    // Nor is anything taken for a project, or overwritten.
    let answer = plugin(root.path(), &["build"]);
    assert_eq!(answer.status.code(), Some(2));
    let again = plugin(root.path(), &["new", "--lang", "c", "no-tools"]);
    let words = String::from_utf8(again.stderr).unwrap();
    assert!(words.contains("no-tools is there already"), "{words}");
}
