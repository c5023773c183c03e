//! Whom the gateway serves over HTTP, and what it does not take from them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::io::Read;
use std::net::TcpStream;

use mcp_gateway_tests::{Gateway, Request, Response, Serving, initialize};
use serde_json::json;

fn serve(args: &[&str]) -> Serving {
    Gateway::with().mirror().serve(args)
}

fn opening(gateway: &Serving) -> Request {
    let body = initialize("2025-11-25", json!({}));
    gateway.request("POST").body(body.to_string())
}

/// Fails unless it is refused, and says why.
fn is_refused(response: Response, status: u16, why: &str) {
    assert_eq!(response.status, status, "{why}");
    let error = response.json();
    let message = error["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(why), "{why} in {error}");
}

#[test]
fn only_names_of_this_machine_are_served() {
    let gateway = serve(&["--allow-host", "gateway.example"]);
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
    ] {
        is_refused(
            opening(&gateway).header("Host", host).send(),
            403,
            "--allow-host",
        );
    }
    is_refused(
        opening(&gateway).without("Host").send(),
        403,
        "--allow-host",
    );
    for host in ["localhost", "127.0.0.1", "[::1]:8808", "gateway.example"] {
        assert_eq!(
            opening(&gateway).header("Host", host).send().status,
            200,
            "{host}"
        );
    }
    let health = Request::new(&gateway.address, "GET", "/health");
    assert_eq!(health.header("Host", "evil.example").send().status, 403);
}

#[test]
fn only_web_pages_of_this_machine_are_served() {
    let gateway = serve(&["--allow-origin", "https://app.example"]);
    for origin in [
        "https://evil.example",
        "null",
        "http://app.example",
        "http://localhost.evil.example",
    ] {
        let refused = opening(&gateway).header("Origin", origin).send();
        is_refused(refused, 403, "--allow-origin");
    }
    for origin in [
        "http://localhost:3000",
        "http://127.0.0.1",
        "https://app.example",
    ] {
        assert_eq!(
            opening(&gateway).header("Origin", origin).send().status,
            200,
            "{origin}"
        );
    }
}

#[test]
fn a_browser_that_asks_beforehand_is_told_what_a_page_may_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "a-secret").unwrap();
    let gateway = serve(&["--token-file", file.to_str().unwrap()]);
    let ask = |origin: &str| {
        gateway
            .request("OPTIONS")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .send()
    };
    // It has no token to ask with.
    let told = ask("http://localhost:3000");
    assert_eq!(told.status, 204);
    let of = "access-control-allow-origin";
    assert_eq!(told.header(of), "http://localhost:3000");
    let headers = told.header("access-control-allow-headers");
    assert!(headers.contains("authorization") && headers.contains("mcp-session-id"));
    // Tools choose what is repeated in headers; everything else is not asked for.
    let told = gateway
        .request("OPTIONS")
        .header("Origin", "http://localhost:3000")
        .header("Access-Control-Request-Method", "POST")
        .header(
            "Access-Control-Request-Headers",
            "content-type,mcp-param-region, x-other",
        )
        .send();
    let headers = told.header("access-control-allow-headers");
    assert!(headers.contains("mcp-param-region") && headers.contains("authorization"));
    assert!(!headers.contains("x-other"), "{headers}");
    let refused = ask("https://evil.example");
    assert_eq!((refused.status, refused.header(of)), (403, ""));
    let served = opening(&gateway)
        .header("Origin", "http://localhost:3000")
        .header("Authorization", "Bearer a-secret")
        .send();
    assert_eq!(served.header(of), "http://localhost:3000");
    let seen = served.header("access-control-expose-headers");
    assert!(seen.contains("mcp-session-id"));
}

#[test]
fn with_a_token_nobody_is_served_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "a-secret\n").unwrap();
    let gateway = serve(&["--token-file", file.to_str().unwrap()]);
    let refused = opening(&gateway).send();
    assert_eq!(refused.header("www-authenticate"), "Bearer");
    is_refused(refused, 401, "bearer token is required");
    for wrong in [
        "Bearer wrong",
        "Bearer a-secret-and-more",
        "Basic a-secret",
        "a-secret",
    ] {
        let refused = opening(&gateway).header("Authorization", wrong).send();
        assert_eq!(refused.status, 401, "{wrong}");
    }
    let served = opening(&gateway)
        .header("Authorization", "Bearer a-secret")
        .send();
    assert_eq!(served.status, 200);
    // The session's id is no token.
    let id = served.header("mcp-session-id").to_owned();
    for method in ["GET", "POST", "DELETE"] {
        let refused = gateway.request(method).header("Mcp-Session-Id", &id).send();
        assert_eq!(refused.status, 401, "{method}");
    }
    assert_eq!(
        Request::new(&gateway.address, "GET", "/health")
            .send()
            .text(),
        "ok"
    );
    assert!(!gateway.log.text().contains("a-secret"));
}

#[test]
fn a_gateway_that_others_can_reach_does_not_start_without_a_token() {
    let setup = || Gateway::with().mirror();
    let others = ["--listen", "0.0.0.0:0"];
    let why = setup().refused_to_serve(&others, &[]);
    assert!(
        why.contains("--token-file") && why.contains("MCP_GATEWAY_TOKEN"),
        "{why}"
    );
    let why = setup().refused_to_serve(&others, &[("MCP_GATEWAY_TOKEN", " ")]);
    assert!(why.contains("empty"), "{why}");
    let absent = ["--listen", "0.0.0.0:0", "--token-file", "/does/not/exist"];
    let why = setup().refused_to_serve(&absent, &[]);
    assert!(why.contains("/does/not/exist"), "{why}");

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "a-secret").unwrap();
    let gateway = serve(&[
        "--listen",
        "0.0.0.0:0",
        "--token-file",
        file.to_str().unwrap(),
    ]);
    assert!(gateway.address.starts_with("0.0.0.0:"));
    let port = gateway.address.rsplit(':').next().unwrap();
    let body = initialize("2025-11-25", json!({})).to_string();
    let call = |host: &str| {
        opening(&gateway)
            .header("Host", &format!("{host}:{port}"))
            .header("Authorization", "Bearer a-secret")
            .body(body.clone())
            .send()
    };
    // Others know the machine by addresses that it need not know itself.
    for host in ["localhost", "192.168.1.5", "[fd00::2]"] {
        assert_eq!(call(host).status, 200, "{host}");
    }
    is_refused(call("evil.example"), 403, "--allow-host");
}

#[test]
fn a_slash_at_the_end_is_the_same_place_and_whoever_looks_after_it_may_ask_for_the_head() {
    let gateway = serve(&[]);
    let body = initialize("2025-11-25", json!({})).to_string();
    let opened = Request::new(&gateway.address, "POST", "/mcp/")
        .header("Accept", "application/json, text/event-stream")
        .header("Content-Type", "application/json")
        .body(body)
        .send();
    assert_eq!(opened.status, 200);
    let health = Request::new(&gateway.address, "HEAD", "/health").send();
    assert_eq!(health.status, 200);
}

#[test]
fn two_gateways_do_not_listen_at_one_place() {
    let gateway = serve(&[]);
    let why = Gateway::with()
        .mirror()
        .refused_to_serve(&["--listen", &gateway.address], &[]);
    assert!(
        why.contains("cannot listen on") && why.contains("in use"),
        "{why}"
    );
}

#[test]
fn a_request_that_is_not_as_it_should_be_is_refused() {
    let gateway = Gateway::with()
        .mirror()
        .setting("max_message = \"64KiB\"")
        .serve(&[]);
    let post = || opening(&gateway);
    is_refused(
        post().header("Accept", "application/json").send(),
        406,
        "Accept",
    );
    is_refused(
        post().header("Accept", "text/event-stream").send(),
        406,
        "Accept",
    );
    is_refused(
        post().header("Content-Type", "text/plain").send(),
        415,
        "Content-Type",
    );
    is_refused(post().without("Content-Type").send(), 415, "Content-Type");
    is_refused(
        post().header("MCP-Protocol-Version", "2024-01-01").send(),
        400,
        "MCP-Protocol-Version",
    );
    for body in ["", "{", "no json", "\u{1}"] {
        let refused = post().body(body).send();
        assert_eq!(refused.status, 400, "{body}");
        assert_eq!(refused.json()["error"]["code"], -32700, "{body}");
    }
    for body in ["[]", "7", "{}", r#"{"id":1,"ID":2,"method":"ping"}"#] {
        let refused = post().body(body).send();
        assert_eq!(refused.status, 400, "{body}");
        assert_eq!(refused.json()["error"]["code"], -32600, "{body}");
    }
    is_refused(
        post().body("x".repeat(65 << 10)).send(),
        413,
        "the limit of 65536 bytes",
    );
    is_refused(
        post().body("x".repeat(500 << 10)).send(),
        413,
        "the limit of 65536 bytes",
    );
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    is_refused(post().body(ping).send(), 400, "Mcp-Session-Id is missing");
    is_refused(
        post().body(ping).header("Mcp-Session-Id", "unknown").send(),
        404,
        "no such session",
    );
    is_refused(
        gateway.request("GET").send(),
        400,
        "Mcp-Session-Id is missing",
    );
    is_refused(
        gateway.request("DELETE").send(),
        400,
        "Mcp-Session-Id is missing",
    );
    let put = gateway.request("PUT").send();
    assert_eq!(put.header("allow"), "GET, POST, DELETE");
    assert_eq!(put.status, 405);
    assert_eq!(
        Request::new(&gateway.address, "GET", "/").send().status,
        404
    );
    assert_eq!(
        Request::new(&gateway.address, "GET", "/health")
            .send()
            .text(),
        "ok"
    );
    // None of it has opened a session.
    assert!(gateway.server_processes().is_empty());
}

#[test]
fn a_request_may_be_written_over_several_lines() {
    let gateway = serve(&[]);
    let client = gateway.client();
    let pretty = "{\n  \"jsonrpc\": \"2.0\",\r\n  \"id\": 5,\n  \"method\": \"ping\"\n}\n";
    let answer = client.http("POST").body(pretty).send();
    assert_eq!(answer.text(), r#"{"jsonrpc":"2.0","id":5,"result":{}}"#);
}

#[test]
fn an_id_that_is_open_is_not_taken_again() {
    let gateway = serve(&[]);
    let client = gateway.client();
    let _held = client.start_call("m_hold", json!({"key": "k"}));
    gateway.server().wait_for("holding k");
    let again = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    is_refused(client.post(&again), 400, "still open");
}

#[test]
fn what_is_no_http_ends_the_connection_and_nothing_else() {
    let gateway = serve(&[]);
    let mut connection = TcpStream::connect(&gateway.address).unwrap();
    std::io::Write::write_all(&mut connection, b"{\"jsonrpc\":\"2.0\"}\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(gateway.client().call("m_echo", json!({"text": "x"})), "x");
}
