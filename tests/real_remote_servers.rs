//! Real servers over HTTP: through the gateway a client sees what it sees when it
//! connects itself, but for names.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::io::{BufRead, BufReader};
use std::process::Command;
use std::thread;

use mcp_gateway_tests::real::Listening;
use mcp_gateway_tests::{Gateway, Server, differences, real};
use serde_json::{Value, json};

/// What a client sees that connects itself.
fn directly(url: &str, options: &[&str]) -> Value {
    let words = options.iter().copied().chain(["--url", url]);
    real::client(&real::python(), "probe.py", words)
}

/// What it sees through a gateway that connects.
fn through_the_gateway(url: &str, guardrails: &[&str], options: &[&str]) -> Value {
    let mut setup = Gateway::with().server(Server::remote("r", url));
    for guardrail in guardrails {
        setup = setup.guardrail(guardrail, "");
    }
    let (command, args, env) = setup.command_line();
    let env = env.to_string();
    let words = options
        .iter()
        .copied()
        .chain(["--prefix", "r_", "--env", &env, "--", &command])
        .chain(args.iter().map(String::as_str));
    real::client(&real::python(), "probe.py", words)
}

fn check(direct: &Value, other: &Value) {
    assert!(direct["tools"][0]["name"].is_string(), "no tools: {direct}");
    let found = differences(direct, other);
    assert!(
        found.is_empty(),
        "{} differences:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn server_everything_over_streamable_http_is_the_same_through_the_gateway() {
    let server = Listening::everything(
        "streamableHttp",
        "MCP Streamable HTTP Server listening",
        "/mcp",
    );
    let options = ["--profile", "everything"];
    let direct = directly(&server.url, &options);
    check(&direct, &through_the_gateway(&server.url, &[], &options));
    check(
        &direct,
        &through_the_gateway(&server.url, &["basic"], &options),
    );
}

#[test]
fn server_everything_over_http_and_sse_is_the_same_as_over_streamable_http() {
    let options = ["--profile", "everything"];
    let newer = Listening::everything(
        "streamableHttp",
        "MCP Streamable HTTP Server listening",
        "/mcp",
    );
    let mut direct = directly(&newer.url, &options);
    let older = Listening::everything("sse", "Server is running", "/sse");
    let mut found = through_the_gateway(&older.url, &["basic"], &options);
    // Over streamable HTTP the server says some things before anybody listens.
    for saw in [&mut direct, &mut found] {
        let told = saw["what the server tells"].as_array_mut().unwrap();
        told.retain(|method| method != "notifications/tools/list_changed");
    }
    check(&direct, &found);
}

/// Tools of the fixture: text, errors, progress, and a question to the client.
fn calls() -> String {
    json!([
        ["test_simple_text", {}],
        ["test_multiple_content_types", {}],
        ["test_error_handling", {}],
        ["test_tool_with_progress", {}],
        ["test_tool_with_logging", {}],
        ["no_such_tool", {}],
    ])
    .to_string()
}

#[test]
fn a_python_server_of_either_era_is_the_same_through_the_gateway() {
    for (era, mode) in [("legacy", "legacy"), ("modern", "auto"), ("dual", "auto")] {
        let server = Listening::fixture(era);
        let calls = calls();
        let options = ["--mode", mode, "--calls", &calls];
        let mut direct = directly(&server.url, &options);
        let mut found = through_the_gateway(&server.url, &[], &options);
        if mode == "auto" {
            // What is no modern request the gateway refuses in its own words.
            for step in ["an unknown method"] {
                for saw in [&mut direct, &mut found] {
                    assert!(saw.as_object_mut().unwrap().remove(step).is_some());
                }
            }
        }
        check(&direct, &found);
    }
}

#[test]
fn a_server_is_believed_whose_certificate_the_system_trusts_and_no_other() {
    let fixture = Listening::fixture("legacy");
    let port = fixture
        .url
        .split([':', '/'])
        .find_map(|part| part.parse::<u16>().ok());
    let folder = tempfile::tempdir().unwrap();
    let tls = real::script_server(
        "tls",
        "tls.py",
        &[&port.unwrap().to_string(), folder.path().to_str().unwrap()],
    );
    let (program, args) = tls.command_line();
    let mut command = Command::new(program);
    command.args(args);
    let tls = Listening::start(command, "listening on ", |url| format!("{url}/mcp"));
    let gateway = || {
        Gateway::with()
            .setting("naming = \"bare\"")
            .server(Server::remote("r", &tls.url))
    };

    let told = gateway()
        .start()
        .client
        .call("test_simple_text", json!({}))
        .text();
    assert!(told.contains("invalid peer certificate"), "{told}");

    let trusting = gateway().variable("SSL_CERT_FILE", folder.path().join("authority.pem"));
    let answer = trusting.start().client.call("test_simple_text", json!({}));
    assert!(!answer.is_tool_error(), "{}", answer.raw);
}

#[test]
fn a_server_elsewhere_is_reached_through_the_proxy_that_the_environment_names() {
    let proxy = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (stream, _) = proxy.accept().unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    });
    let _gateway = Gateway::with()
        .server(Server::remote("r", "http://mcp.example.invalid/mcp"))
        .variable("http_proxy", &address)
        .start();
    let asked = asked.join().unwrap();
    assert!(
        asked.starts_with("POST http://mcp.example.invalid/mcp "),
        "{asked}"
    );
}

/// The server closes the stream while it works, and the answer is fetched.
#[test]
fn an_answer_whose_stream_the_server_closed_is_fetched() {
    let server = Listening::fixture("legacy");
    let gateway = Gateway::with()
        .setting("naming = \"bare\"")
        .server(Server::remote("r", &server.url))
        .start();
    let answer = gateway.client.call("test_reconnection", json!({}));
    assert!(!answer.is_tool_error(), "{}", answer.raw);
    assert!(!answer.text().is_empty());
}
