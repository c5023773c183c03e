//! What a client learns when a server cannot be reached or does not want to
//! answer.

use std::net::TcpListener;

use mcp_gateway_tests::{Gateway, Server};
use serde_json::json;

use crate::mcp::{gateway, gateway_with, server};
use crate::web::Web;

/// What a call is answered with where this is the answer to every call.
fn told(status: &'static str, kind: &'static str, body: &'static str) -> (bool, String) {
    let web = server(move |request, reply| {
        let call = request.tool() == "echo";
        if call {
            reply.body(status, kind, body);
        }
        call
    });
    let gateway = gateway(&web);
    let answer = gateway.client.call("echo", json!({}));
    let error = answer.value()["error"]["message"].clone();
    match error.as_str() {
        Some(error) => (false, error.to_owned()),
        None => (answer.is_tool_error(), answer.text()),
    }
}

fn unavailable(reason: &str) -> (bool, String) {
    (true, format!("server \"r\" is not available: {reason}"))
}

#[test]
fn a_status_that_is_no_success_is_told_with_the_first_words_of_the_body() {
    assert_eq!(
        told(
            "503 Service Unavailable",
            "text/plain",
            "\nover capacity\nmore"
        ),
        unavailable("it answered HTTP 503 Service Unavailable: over capacity")
    );
    assert_eq!(
        told("502 Bad Gateway", "text/html", "<html><body>nginx"),
        unavailable("it answered HTTP 502 Bad Gateway")
    );
    assert_eq!(
        told("200 OK", "text/html", "<html><body>Please log in"),
        unavailable("it answered with text/html in place of JSON")
    );
    assert_eq!(
        told("202 Accepted", "text/plain", ""),
        unavailable("it took the request, but sent no answer (HTTP 202 Accepted)")
    );
    assert_eq!(
        told("200 OK", "application/json", "[1, 2]"),
        unavailable("what it answered is no answer")
    );
}

#[test]
fn an_error_in_the_body_is_the_answer_whatever_the_status() {
    let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"no luck"}}"#;
    assert_eq!(
        told("500 Internal Server Error", "application/json", error),
        (false, "no luck".to_owned())
    );
    assert_eq!(
        told("200 OK", "application/json", error),
        (false, "no luck".to_owned())
    );
}

#[test]
fn a_server_that_wants_a_log_in_says_how() {
    let web = Web::start(|_, reply| {
        let challenge = "Bearer resource_metadata=\"http://x\"";
        reply
            .header("WWW-Authenticate", challenge)
            .status("401 Unauthorized");
    });
    let gateway = gateway(&web);
    assert_eq!(
        gateway.client.call("echo", json!({})).text(),
        format!(
            r#"server "r" is not available: it wants you to log in: run `mcp-gateway login r --config {}`"#,
            gateway.config.display()
        )
    );
    drop(gateway);
    let gateway = gateway_with(&web, &["bearer = \"old\""]);
    assert_eq!(
        gateway.client.call("echo", json!({})).text(),
        r#"server "r" is not available: it refuses what the configuration logs in with (HTTP 401); check "bearer" and "headers""#
    );
}

#[test]
fn a_redirect_to_another_server_is_not_followed_and_one_to_itself_is() {
    let other = server(|_, _| false);
    let away = other.url("/mcp?key=hidden");
    let web = server(move |request, reply| {
        match (request.tool().as_str(), request.path.as_str()) {
            ("away", _) => {
                reply
                    .header("Location", away.clone())
                    .status("307 Temporary Redirect");
            }
            ("here", "/mcp") => {
                reply
                    .header("Location", "/mcp/")
                    .status("308 Permanent Redirect");
            }
            ("moved", _) => {
                reply
                    .header("Location", "/mcp/")
                    .status("301 Moved Permanently");
            }
            _ => return false,
        }
        true
    });
    let gateway = gateway_with(&web, &["bearer = \"s3cret\""]);
    let told = gateway.client.call("away", json!({})).text();
    assert!(told.contains("it redirects to http://127.0.0.1:"), "{told}");
    assert!(
        told.contains("write it as \"url\"") && !told.contains("hidden"),
        "{told}"
    );
    assert!(other.seen().is_empty());

    assert_eq!(
        gateway.client.call("here", json!({"a": 1})).text(),
        r#"{"a":1}"#
    );
    let here = web.wait_for("the request elsewhere", |request| request.path == "/mcp/");
    assert_eq!(here.header("authorization"), "Bearer s3cret");
    assert_eq!(here.tool(), "here");

    // A message must not become another request.
    let told = gateway.client.call("moved", json!({})).text();
    assert!(told.contains("it redirects to"), "{told}");
}

#[test]
fn a_server_that_is_not_there_is_named_and_found_once_it_is() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let gateway = Gateway::with()
        .server(Server::remote(
            "r",
            &format!("http://{address}/mcp?key=hidden"),
        ))
        .mirror()
        .start();
    let told = gateway.client.call("r_echo", json!({})).text();
    assert_eq!(
        told,
        format!(
            "server \"r\" is not available: cannot connect to http://{address}/mcp: Connection refused (os error 111)"
        )
    );
    // The others are not affected.
    assert!(
        !gateway
            .client
            .call("m_echo", json!({"text": "x"}))
            .is_tool_error()
    );
    assert!(!gateway.log.text().contains("hidden"));
}

#[test]
fn a_server_that_was_away_for_long_is_there_for_the_call_that_needs_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let gateway = Gateway::with()
        .setting("naming = \"bare\"")
        .server(Server::remote("r", &format!("http://{address}/mcp")))
        .start();
    // By now nobody would look for it for a while.
    gateway.log.wait("starting it again in 8s");
    let web = crate::mcp::server_at(address);
    let answer = gateway.client.call("echo", json!({"a": 1}));
    assert_eq!(answer.text(), r#"{"a":1}"#);
    assert_eq!(web.seen()[0].says("method"), "initialize");
}

#[test]
fn an_answer_that_is_packed_is_named_so() {
    let web = server(|request, reply| {
        let called = request.tool() == "echo";
        if called {
            assert_eq!(request.header("accept-encoding"), "identity");
            reply
                .header("Content-Encoding", "gzip".to_owned())
                .json("\u{1f}");
        }
        called
    });
    let gateway = gateway(&web);
    assert_eq!(
        gateway.client.call("echo", json!({})).text(),
        "server \"r\" is not available: its answer is packed (gzip), which was not asked for"
    );
}

#[test]
fn a_server_with_another_certificate_authority_is_refused() {
    // Whatever speaks no TLS stands for what speaks it wrongly.
    let web = server(|_, _| false);
    let url = web.url("/mcp").replace("http://", "https://");
    let gateway = Gateway::with().server(Server::remote("r", &url)).start();
    let told = gateway.client.call("r_echo", json!({})).text();
    assert!(
        told.contains("cannot connect to https://127.0.0.1:"),
        "{told}"
    );
}
