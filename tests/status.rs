//! What a gateway says of itself to whoever may ask.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use mcp_gateway_tests::{Gateway, Server, eventually, guest};
use serde_json::{Value, json};

fn ask(state: &Path, args: &[&str]) -> (String, bool) {
    let output = Gateway::command()
        .arg("status")
        .args(args)
        .env("MCP_GATEWAY_STATE_DIR", state)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (text, output.status.success())
}

fn gateways(state: &Path) -> Vec<Value> {
    let (text, _) = ask(state, &["--json"]);
    let all: Value = serde_json::from_str(&text).unwrap();
    all["gateways"].as_array().unwrap().clone()
}

fn state(gateway: &Gateway) -> PathBuf {
    gateway.folder().join("state")
}

#[test]
fn clients_servers_and_guardrails_of_a_gateway_that_runs_are_shown() {
    let token = format!("hf_{}", "okpaLGklBeJFhdqdOvkrXljOCTwhADRrXo");
    let gateway = Gateway::with()
        .mirror()
        .server(Server::command("x", "no-such-program", &[]))
        .guardrail("basic", "config = { requests = \"block\" }")
        // What is shown does not depend on what is logged.
        .log_level("error")
        .start();
    gateway.client.tools();
    let blocked = gateway.client.call("m_echo", json!({"text": token}));
    assert!(blocked.is_tool_error());

    let all = gateways(&state(&gateway));
    let [status] = all.as_slice() else {
        panic!("{all:?}")
    };
    assert_eq!(status["process"], json!(gateway.process()));
    let session = &status["sessions"][0];
    assert_eq!(session["client"]["name"], json!("tests"));
    assert!(session["requests"].as_u64().unwrap() > 1, "{status:#}");
    assert_eq!(session["servers"][0]["name"], json!("m"));
    assert_eq!(session["servers"][0]["state"], json!("ready"));
    assert_eq!(session["servers"][1]["state"], json!("down"));
    let reason = session["servers"][1]["reason"].as_str().unwrap();
    assert!(reason.contains("was not found on the PATH"), "{reason}");
    let guardrail = &status["guardrails"][0];
    assert_eq!(guardrail["name"], json!("basic"));
    assert_eq!(guardrail["healthy"], json!(true));
    assert_eq!(guardrail["did"]["blocked"], json!(1));
    let news = status["news"].as_array().unwrap();
    assert!(
        news.iter().any(|it| it["message"] == json!("blocked")),
        "{status:#}"
    );
    assert!(!status.to_string().contains(&token));

    let (text, ok) = ask(&state(&gateway), &[]);
    assert!(ok);
    for words in [
        "client     tests 1: ",
        "server   m 1: ready",
        "server   x: down: command \"no-such-program\" was not found",
        "guardrail  basic 0.1.0, enforce, well: ",
        "1 blocked, 0 failures",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
}

#[test]
fn what_guardrails_take_is_shown_the_slowest_first() {
    let gateway = Gateway::with()
        .mirror()
        .guardrail("basic", "")
        .guardrail("pii", "only = { methods = [\"prompts/get\"] }")
        .guardrail(
            guest("guest_faulty"),
            "config = { fault = \"slow:20\" }\nonly = { methods = [\"tools/call\"] }",
        )
        .start();
    for _ in 0..3 {
        let answer = gateway.client.call("m_echo", json!({"text": "FAULT"}));
        assert_eq!(answer.text(), "FAULT");
    }

    let status = &gateways(&state(&gateway))[0];
    let slowest = status["slowest"].as_array().unwrap();
    let names: Vec<&Value> = slowest.iter().map(|it| &it["guardrail"]).collect();
    // What was not asked is not among them.
    assert_eq!(names, ["guest_faulty", "basic"], "{status:#}");
    let figure = |guardrail: usize, name: &str| slowest[guardrail][name].as_u64().unwrap();
    // Three requests and three answers.
    assert_eq!(figure(0, "checks"), 6);
    assert!(figure(0, "medianMicroseconds") >= 20_000, "{status:#}");
    assert!(figure(0, "totalMicroseconds") >= 6 * 20_000, "{status:#}");
    assert!(figure(1, "checks") >= 6, "{status:#}");
    for guardrail in 0..2 {
        let figures = ["median", "p99", "longest", "total"];
        let figures = figures.map(|it| figure(guardrail, &format!("{it}Microseconds")));
        assert!(figures.is_sorted() && figures[3] > 0, "{status:#}");
    }

    let (text, _) = ask(&state(&gateway), &[]);
    let (_, first) = text
        .split_once("  slowest    guest_faulty: median ")
        .unwrap();
    let (first, second) = first.split_once('\n').unwrap();
    assert!(first.contains(", 6 checks, "), "{text}");
    assert!(second.starts_with("             basic: median "), "{text}");
}

#[test]
fn only_the_person_whose_gateway_it_is_can_ask() {
    let gateway = Gateway::with().mirror().start();
    let folder = state(&gateway).join("gateways");
    let socket = folder.join(format!("{}.sock", gateway.process()));
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&socket), 0o600);
    gateway.end();
    assert!(!socket.exists());
}

#[test]
fn what_a_gateway_left_that_was_killed_is_cleared_away() {
    let folder = tempfile::tempdir().unwrap();
    let sockets = folder.path().join("gateways");
    fs::create_dir(&sockets).unwrap();
    fs::set_permissions(&sockets, fs::Permissions::from_mode(0o700)).unwrap();
    let left = sockets.join("1.sock");
    drop(UnixListener::bind(&left).unwrap());
    let (text, ok) = ask(folder.path(), &[]);
    assert_eq!((text.as_str(), ok), ("no gateway runs\n", false));
    assert!(!left.exists());
}

#[test]
fn every_session_over_http_is_shown() {
    let serving = Gateway::with().mirror().serve(&[]);
    let state = serving.folder().join("state");
    assert_eq!(gateways(&state)[0]["sessions"], json!([]));
    let one = serving.client();
    let two = serving.client();
    eventually("two sessions are shown", || {
        gateways(&state)[0]["sessions"].as_array().unwrap().len() == 2
    });
    drop((one, two));
}
