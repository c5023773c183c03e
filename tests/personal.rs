//! The bundled guardrail `pii` in front of a real server and of the mirror.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;

use mcp_gateway_tests::real::script_server;
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
fn thousands_of_values_in_one_message_are_hidden() {
    // All but the time, which depends on what else the machine does.
    let limits = "limits = { cpu = \"5s\" }";
    let gateway = Gateway::with().mirror().guardrail("pii", limits).start();
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

/// With the official server and client, which hold what they get against the schemas.
#[test]
fn numbers_of_cards_are_hidden_and_come_back_as_the_schemas_of_tools_say() {
    let setup = Gateway::with();
    let file = setup.folder().join("paid.txt");
    let path = file.to_str().unwrap().to_owned();
    let server = || script_server("shop", "payments.py", &[path.as_str()]);
    let gateway = setup.server(server()).guardrail("pii", "").start();
    let tools = gateway.client.request("tools/list", json!({}));
    assert!(tools.raw.contains("shop_pay"), "{}", tools.raw);
    let answer = gateway.client.call("shop_customer", json!({}));
    let structured = answer.value()["result"]["structuredContent"].clone();
    assert_eq!(
        structured["id"],
        json!(4_111_111_111_111_111_u64),
        "{structured}"
    );
    assert_eq!(structured["since"], json!(1_753_698_896_123_u64));
    let card = structured["card"].as_u64().unwrap().to_string();
    let mobile = structured["mobile"].as_u64().unwrap().to_string();
    assert!(
        card.starts_with("400000") && card.len() == 16,
        "{structured}"
    );
    assert!(
        mobile.starts_with("999") && mobile.len() == 10,
        "{structured}"
    );
    assert_eq!(
        answer.raw.matches("4111111111111111").count(),
        2,
        "{}",
        answer.raw
    );
    let card = &structured["card"];
    let paid = gateway.client.call(
        "shop_pay",
        json!({"card": card, "note": format!("for {card}")}),
    );
    assert!(!paid.is_tool_error(), "{}", paid.raw);
    assert_eq!(paid.value()["result"]["structuredContent"]["card"], *card);
    let written = fs::read_to_string(&file).unwrap();
    assert_eq!(written, "4111111111111111 'for 4111111111111111'\n");
}
