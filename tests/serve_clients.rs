//! Official clients over HTTP, and real servers behind the gateway: they see
//! what they see on the servers' own stdio, but for the names of tools and
//! prompts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[allow(dead_code, reason = "not every server is asked over HTTP")]
#[path = "real_clients/cases.rs"]
mod cases;

use std::path::Path;

use cases::{Case, everything, filesystem, fixture, time};
use mcp_gateway_tests::{Gateway, Server, Serving, alive, differences, eventually, real};
use serde_json::{Value, json};

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

fn serve(server: &Server) -> Serving {
    Gateway::with()
        .server(server.clone())
        .guardrail("basic", "")
        .serve(&[])
}

/// Has a client follow the case's plan without the gateway, and over HTTP with
/// it.
fn sees_the_same(case: &Case, client: impl Fn(&Value) -> Value) {
    let (command, args) = case.server.command_line();
    let direct = client(&case.plan(command, args, case.server.variables(), ""));
    let gateway = serve(&case.server);
    let prefix = format!("{}_", case.server.name());
    let mut plan = case.plan("", &[], json!({}), &prefix);
    plan["url"] = json!(gateway.url());
    let guarded = client(&plan);
    assert!(direct["tools"][0]["name"].is_string(), "{direct}");
    let found = differences(&direct, &guarded);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Asks a server for everything, on its stdio, and over HTTP with the gateway
/// in between.
fn is_the_same(server: &Server, options: &[&str]) {
    let (command, args) = server.command_line();
    let env = server.variables().to_string();
    let start = ["--env", &env, "--", command].into_iter();
    let start = start.chain(args.iter().map(String::as_str));
    let probe = |words: Vec<&str>| real::client(&real::python(), "probe.py", words);
    let mut direct = probe(options.iter().copied().chain(start).collect());
    assert!(direct["tools"][0]["name"].is_string(), "{direct}");
    let gateway = serve(server);
    let (prefix, url) = (format!("{}_", server.name()), gateway.url());
    let there = ["--prefix", &prefix, "--url", &url].into_iter();
    let mut guarded = probe(options.iter().copied().chain(there).collect());
    if options.contains(&"auto") {
        // The client sends it without the headers that this era wants over HTTP.
        for saw in [&mut direct, &mut guarded] {
            assert!(saw["an unknown method"].take().is_object());
        }
    }
    let found = differences(&direct, &guarded);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_typescript_client_sees_server_everything_as_it_is() {
    sees_the_same(&everything(), typescript_client);
}

#[test]
fn the_modern_typescript_client_sees_the_fixture_as_it_is_and_is_asked_the_same() {
    sees_the_same(&fixture(), modern_typescript_client);
}

#[test]
fn the_python_client_sees_server_filesystem_as_it_is() {
    sees_the_same(&filesystem(), python_client);
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
fn server_everything_is_the_same_over_http() {
    let server = everything().server.env("PROBE_VARIABLE", "a value");
    is_the_same(&server, &["--profile", "everything"]);
}

#[test]
fn server_time_is_the_same_over_http_in_either_era() {
    let case = time();
    let calls = case.calls.to_string();
    for mode in ["legacy", "auto"] {
        is_the_same(&case.server, &["--calls", &calls, "--mode", mode]);
    }
}

#[test]
fn official_clients_that_come_together_do_not_meet() {
    let gateway = Gateway::with().mirror().serve(&[]);
    let text = |text: &str| json!([["echo", {"text": text}], ["say", {"lines": []}]]);
    let plan = |word: &str| {
        json!({
            "url": gateway.url(), "prefix": "m_", "prompts": [], "resources": [],
            "calls": [text(word)[0]],
        })
    };
    let saw = std::thread::scope(|scope| {
        let typescript = scope.spawn(|| typescript_client(&plan("from TypeScript")));
        let python = scope.spawn(|| python_client(&plan("from Python")));
        [typescript.join().unwrap(), python.join().unwrap()]
    });
    let heard = |saw: &Value| {
        saw["calls"][0]["content"][0]["text"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        saw.each_ref().map(heard),
        ["from TypeScript", "from Python"]
    );
    let processes = gateway.server_processes();
    assert_eq!(processes.len(), 2);
    // Each has ended its session when it left.
    eventually("the end of the servers", || {
        !processes.iter().any(|process| alive(*process))
    });
}
