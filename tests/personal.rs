//! The bundled guardrail `pii` in front of a real server and of the mirror.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;

use mcp_gateway_tests::{Gateway, Server, peer};
use serde_json::json;

#[test]
fn personal_data_in_a_file_is_masked_in_content_and_structured_content() {
    let setup = Gateway::with();
    let folder = setup.folder().canonicalize().unwrap().join("files");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("people.csv");
    fs::write(
        &path,
        "id,mail,card\n583231000,ann@example.org,4111 1111 1111 1111\n",
    )
    .unwrap();
    let script = peer("node_modules/@modelcontextprotocol/server-filesystem/dist/index.js");
    let server = Server::command(
        "files",
        "node",
        &[script.to_str().unwrap(), folder.to_str().unwrap()],
    );
    let replace = "config = { operators = { DEFAULT = \"replace\" } }";
    let gateway = setup.server(server).guardrail("presidio", replace).start();
    let answer = gateway
        .client
        .call("files_read_text_file", json!({ "path": path }));
    let expected = "id,mail,card\n583231000,<EMAIL>,<CREDIT_CARD>\n";
    assert_eq!(answer.text(), expected);
    let structured = &answer.value()["result"]["structuredContent"];
    assert_eq!(structured["content"], json!(expected));
}

#[test]
fn what_goes_to_a_server_stays_unless_the_configuration_says_otherwise() {
    let said = |config: &str| {
        let gateway = Gateway::with().mirror().guardrail("pii", config).start();
        let answer = gateway
            .client
            .call("m_whisper", json!({"line": "ann~_~@example.org"}));
        answer.text()
    };
    let replaced = said("config = { operators = { DEFAULT = \"replace\" } }");
    assert_eq!(replaced, "<EMAIL>");
    let block = "config = { requests = \"block\" }";
    let gateway = Gateway::with().mirror().guardrail("pii", block).start();
    let answer = gateway
        .client
        .call("m_whisper", json!({"line": "ann@example.org"}));
    assert!(answer.raw.contains("EMAIL_ADDRESS"), "{}", answer.raw);
    assert!(!answer.raw.contains("ann@example.org"), "{}", answer.raw);
}

/// Each of them costs calls of the gateway, and time.
#[test]
fn thousands_of_values_in_one_message_are_within_the_limits() {
    let gateway = Gateway::with().mirror().guardrail("pii", "").start();
    let rows: Vec<_> = (0..4_500)
        .map(|n| format!("person{n}~_~@example.org"))
        .collect();
    let answer = gateway
        .client
        .call("m_whisper", json!({"line": rows.join("\n")}));
    assert!(!answer.is_tool_error(), "{}", &answer.raw[..300]);
    assert_eq!(answer.text().matches("<EMAIL_").count(), 4_500);
    assert!(!answer.raw.contains("@example.org"));
}
