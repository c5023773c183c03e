//! Everything that a real server says, asked for directly and through the
//! gateway, with guardrails and without: there is no difference but in names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[allow(
    dead_code,
    reason = "what official clients are told, probes know by themselves"
)]
#[path = "real_clients/cases.rs"]
mod cases;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use cases::{Case, everything, filesystem, git, memory, time};
use mcp_gateway_tests::{Gateway, Server, Setup, differences, real};
use serde_json::{Value, json};

/// The guardrails of the gateways that are probed.
const GUARDRAILS: [&[&str]; 2] = [&[], &["basic"]];

/// How many things `fidelity.py` checks.
const CHECKS: usize = 49;

fn guarded(mut setup: Setup, guardrails: &[&str]) -> Setup {
    for guardrail in guardrails {
        setup = setup.guardrail(guardrail, "");
    }
    setup
}

/// Probes what a command line starts.
fn probe(options: &[&str], (command, args, env): (&str, &[String], Value)) -> Value {
    let env = env.to_string();
    let words = options
        .iter()
        .copied()
        .chain(["--env", &env, "--", command])
        .chain(args.iter().map(String::as_str));
    real::client(&real::python(), "probe.py", words)
}

/// Probes a server directly, and through a gateway in front of it.
fn is_the_same_through_the_gateway(server: &Server, options: &[&str]) {
    let (command, args) = server.command_line();
    let direct = probe(options, (command, args, server.variables()));
    assert!(
        direct["tools"][0]["name"].is_string(),
        "there are no tools: {direct}"
    );
    for guardrails in GUARDRAILS {
        through_the_gateway(server, options, guardrails, &direct);
    }
}

fn through_the_gateway(server: &Server, options: &[&str], guardrails: &[&str], direct: &Value) {
    let setup = guarded(Gateway::with().server(server.clone()), guardrails);
    let (command, args, env) = setup.command_line();
    let prefix = format!("{}_", server.name());
    let options = [&["--prefix", &prefix], options].concat();
    let found = differences(direct, &probe(&options, (&command, &args, env)));
    assert!(
        found.is_empty(),
        "{} differences with {guardrails:?}:\n{}",
        found.len(),
        found.join("\n")
    );
}

fn case_is_the_same(case: &Case, options: &[&str]) {
    let calls = case.calls.to_string();
    let options = [&["--calls", &calls], options].concat();
    is_the_same_through_the_gateway(&case.server, &options);
}

#[test]
fn server_everything_is_the_same_through_the_gateway() {
    let server = everything().server.env("PROBE_VARIABLE", "a value");
    is_the_same_through_the_gateway(&server, &["--profile", "everything"]);
}

#[test]
fn server_filesystem_is_the_same_through_the_gateway() {
    let case = filesystem();
    let root = format!("file://{}", case.calls[0][1]["path"].as_str().unwrap());
    case_is_the_same(&case, &["--root", &root]);
}

#[test]
fn server_memory_is_the_same_through_the_gateway() {
    case_is_the_same(&memory(), &[]);
}

#[test]
fn server_git_is_the_same_through_the_gateway() {
    case_is_the_same(&git(), &[]);
}

#[test]
fn server_time_is_the_same_through_the_gateway() {
    case_is_the_same(&time(), &[]);
}

#[test]
fn server_time_is_the_same_through_the_gateway_in_the_modern_era() {
    case_is_the_same(&time(), &["--mode", "auto"]);
}

#[test]
fn server_fetch_is_the_same_through_the_gateway() {
    let site = site();
    let case = Case::calls(
        real::python_server("fetch", "mcp-server-fetch", &[]),
        json!([
            ["fetch", {"url": format!("{site}/a-page")}],
            ["fetch", {"url": format!("{site}/a-page"), "raw": true, "start_index": 10, "max_length": 20}],
            ["fetch", {"url": "http://127.0.0.1:1/nobody-is-there"}],
        ]),
    );
    case_is_the_same(&case, &[]);
}

/// A web site of one page, as long as the test runs; returns where it is.
fn site() -> String {
    const PAGE: &str = "<html><head><title>A page</title></head>\
        <body><article><h1>A page</h1><p>With a paragraph that is long enough to be read.</p></article></body></html>";
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 4096];
            let length = stream.read(&mut asked).unwrap_or(0);
            let (status, body) = match asked.get(..length) {
                Some(asked) if asked.starts_with(b"GET /a-page ") => ("200 OK", PAGE),
                _ => ("404 Not Found", ""),
            };
            let length = body.len();
            // A client may have left.
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    format!("http://{address}")
}

#[test]
fn messages_pass_byte_by_byte() {
    for guardrails in GUARDRAILS {
        let folder = tempfile::tempdir().unwrap();
        let diary = folder.path().join("diary");
        let diary = diary.to_str().unwrap();
        let mirror = real::script_server("m", "mirror.py", &[]).env("MIRROR_LOG", diary);
        let setup = guarded(Gateway::with().server(mirror), guardrails);
        let (command, args, env) = setup.command_line();
        let mut words = vec!["m_".to_owned(), diary.to_owned(), "env".to_owned()];
        let env = env.as_object().unwrap().iter();
        words.extend(env.map(|(name, value)| format!("{name}={}", value.as_str().unwrap())));
        words.push(command);
        words.extend(args);
        let checked = real::client(&real::python(), "fidelity.py", words);
        let checked = checked.as_object().unwrap();
        let wrong: Vec<_> = checked
            .iter()
            .filter(|(_, wrong)| !wrong.is_null())
            .collect();
        assert!(wrong.is_empty(), "with {guardrails:?}: {wrong:#?}");
        assert_eq!(checked.len(), CHECKS);
    }
}
