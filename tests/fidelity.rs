//! Transparency: what no guardrail touches leaves the gateway byte for byte as
//! it came in, but for the id, which is the gateway's own on each hop, and for
//! the name of a tool.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::HashMap;

use mcp_gateway_tests::{Gateway, Server, Setup, guest};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// With no guardrail, and with one that looks at everything and finds nothing.
fn setups() -> [Setup; 2] {
    [
        Gateway::with().mirror(),
        Gateway::with()
            .mirror()
            .guardrail(guest("guest_faulty"), ""),
    ]
}

/// JSON that a parser into models would change or refuse, as one array item
/// each.
const ODDITIES: &[&str] = &[
    r#"1e400"#,
    r#"-0.0"#,
    r#"1.0"#,
    r#"1E+2"#,
    r#"12345678901234567890123456789"#,
    r#"0.1000000000000000055511151231257827"#,
    r#"{"z":1,"a":2,"m":{"b":null,"a":[]}}"#,
    r#"{"same":1,"same":2}"#,
    r#"{"":"","\u0000":"\u0000"}"#,
    r#""\/ \b\f\n\r\t \" \\ \u00e9 \ud83d\ude42""#,
    r#""lone \ud83d and \udc00 surrogates""#,
    r#""é 你好 🙂 👩‍👩‍👧 ﷽ ""#,
    r#"[ 1 , 2,  {  "spaced" :  true } ]"#,
    r#"null"#,
];

fn oddities() -> String {
    format!("[{}]", ODDITIES.join(","))
}

/// A call of the mirror, spelled unusually.
fn call(beside: &str, id: &str, name: &str) -> String {
    format!(
        r#"{{ {beside}"jsonrpc":"2.0","id":{id},"params":{{"x-p":[1e2],"name":"{name}","arguments":{{"odd":{}}},"_meta":{{"com.example/trace":{{"b":1,"a":2}},"traceparent":"00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"}}}},"method":"tools/call" }}"#,
        oddities()
    )
}

#[test]
fn a_request_reaches_the_server_byte_for_byte_but_for_id_and_name() {
    for setup in setups() {
        let gateway = setup.start();
        gateway.client.send_raw(&call("", "\"my id\"", "m_mirror"));
        let arrived = gateway.client.answer("\"my id\"").text();
        assert_eq!(arrived, call("", &id_of(&arrived), "mirror"));
    }
}

#[test]
fn members_beside_those_of_json_rpc_pass_only_where_no_guardrail_would_miss_them() {
    let beside = r#""x-first":1.0,"#;
    let [unguarded, guarded] = setups();
    let unguarded = unguarded.start();
    unguarded.client.send_raw(&call(beside, "7", "m_mirror"));
    let arrived = unguarded.client.answer("7").text();
    assert_eq!(arrived, call(beside, &id_of(&arrived), "mirror"));

    let guarded = guarded.start();
    guarded.client.send_raw(&call(beside, "7", "m_mirror"));
    let answer = guarded.client.answer("7").text();
    assert!(
        answer.contains("members beside those of JSON-RPC"),
        "{answer}"
    );
}

fn id_of(line: &str) -> String {
    let members: HashMap<String, &RawValue> = serde_json::from_str(line).unwrap();
    members["id"].get().to_owned()
}

#[test]
fn an_answer_reaches_the_client_byte_for_byte_but_for_the_id() {
    for setup in setups() {
        let gateway = setup.start();
        let answer = |id: &str| {
            format!(
                r#"{{"result":{{"x":{},"content":[]}},"id" : {id}, "jsonrpc":"2.0"}}"#,
                oddities()
            )
        };
        let lines = json!([answer("$id")]);
        let id = gateway
            .client
            .start_call("m_say", json!({ "lines": lines }));
        assert_eq!(gateway.client.answer(&id).raw, answer(&id));
    }
}

#[test]
fn a_result_of_things_that_no_model_knows_is_passed_on() {
    for setup in setups() {
        let gateway = setup.start();
        let raw = gateway.client.call("m_odd", json!({})).raw;
        for part in [
            r#""structuredContent":{"b":1.0,"a":12345678901234567890,"c":1e400,"z":-0.0,"nul":null}"#,
            r#"{"type":"com.example/custom","payload":{"b":1,"a":2}}"#,
            r#""x-result":{"deep":[1,2,{"k":null}]}"#,
        ] {
            assert!(raw.contains(part), "{raw}");
        }
    }
}

#[test]
fn an_error_keeps_its_code_and_data() {
    for setup in setups() {
        let gateway = setup.start();
        let error = r#"{"code":-32050.0,"message":"é","data":{"z":1e400,"a":1.0}}"#;
        let line = format!(r#"{{"jsonrpc":"2.0","id":$id,"error":{error}}}"#);
        let answer = gateway.client.call("m_say", json!({"lines": [line]}));
        assert!(answer.raw.contains(error), "{}", answer.raw);
    }
}

#[test]
fn in_a_touched_message_only_the_span_differs() {
    let gateway = Gateway::with()
        .mirror()
        .guardrail(guest("guest_faulty"), "")
        .start();
    let answer = |word: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":ID,"result":{{"odd":{},"content":[ {{"type":"text","text":"\u0062efore\/ {word} \u0000 \ud83d 🙂 {word}"}}], "n": 1.0, "{word}" : {{"same":1,"same":2}}}}}}"#,
            oddities()
        )
    };
    let said = answer("SECRET~WORD").replace("ID", "$id");
    let id = gateway.client.start_call("m_say", json!({"lines": [said]}));
    assert_eq!(
        gateway.client.answer(&id).raw,
        answer("<MASKED>").replace("ID", &id)
    );
}

#[test]
fn a_listed_tool_differs_in_its_name_only() {
    for setup in setups() {
        let gateway = setup.start();
        let raw = gateway.client.request("tools/list", json!({})).raw;
        let tool = r#"{"name":"m_odd","description":"a tool","inputSchema":{"type":"object","x-order":{"b":1.0,"a":12345678901234567890}},"x-vendor":{"z":1,"y":[1e2]},"execution":{"taskSupport":"optional"}}"#;
        assert!(raw.contains(tool), "{raw}");
        assert!(raw.contains(r#""x-list":1"#), "{raw}");
    }
}

#[test]
fn the_only_servers_welcome_is_passed_on_as_it_is() {
    let gateway = Gateway::with().mirror().start_silent();
    let welcome = gateway
        .client
        .initialize_with(json!({"roots": {"listChanged": true}, "com.example/c": {"z": 1}}));
    assert!(welcome.raw.contains(r#""serverInfo":{"name":"mirror","version":"1","x-si":1},"instructions":"mirror instructions","x-init":1"#), "{}", welcome.raw);
    let initialize = gateway.server().wait_to_receive("\"initialize\"");
    for part in [
        r#""com.example/c":{"z":1}"#,
        r#""protocolVersion":"2025-06-18""#,
        r#""name":"tests""#,
    ] {
        assert!(initialize.contains(part), "{initialize}");
    }
}

#[test]
fn a_byte_order_mark_before_a_message_is_passed_over() {
    let gateway = Gateway::with().mirror().start();
    let ping = r#"{"jsonrpc":"2.0","id":"marked","method":"ping"}"#;
    gateway.client.send_raw(&format!("\u{feff}{ping}"));
    let answer = gateway.client.answer("\"marked\"");
    assert_eq!(answer.value()["result"], json!({}));
}

#[test]
fn ids_come_back_as_they_were_written() {
    let gateway = Gateway::with().mirror().start();
    for id in [
        "7",
        "0",
        "-3",
        "9007199254740993",
        "\"7\"",
        "\"str-ü-\\u00e9\"",
        "\"\"",
    ] {
        let params = json!({"name": "m_echo", "arguments": {"text": id}});
        gateway.client.send_raw(&format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#
        ));
        assert_eq!(gateway.client.answer(id).text(), id);
    }
}

#[test]
fn every_page_of_a_list_is_fetched() {
    let server = Server::mirror("m").env("MIRROR_PAGE", "4");
    let gateway = Gateway::with().server(server).start();
    let tools = gateway.client.tools();
    assert_eq!(tools.len(), 16, "{tools:?}");
    assert_eq!(
        gateway
            .server()
            .received()
            .iter()
            .filter(|line| line.contains("tools/list"))
            .count(),
        4
    );
}

#[test]
fn a_tool_that_is_added_is_announced_and_listed() {
    let gateway = Gateway::with().mirror().start();
    assert!(!gateway.client.tools().contains(&"m_grown_1".to_owned()));
    gateway.client.call("m_grow", json!({}));
    gateway
        .client
        .receive_method("notifications/tools/list_changed");
    assert!(gateway.client.tools().contains(&"m_grown_1".to_owned()));
}

#[test]
fn methods_and_notifications_that_mcp_does_not_know_are_passed_on() {
    for setup in setups() {
        let gateway = setup.start();
        let params: Value = json!({"z": 1, "a": [null]});
        let answer = gateway.client.request("com.example/custom", params.clone());
        assert_eq!(answer.value()["result"], json!({"x": 1, "got": params}));
        let answer = gateway.client.request("com.example/none", json!({}));
        assert_eq!(answer.value()["error"]["code"], json!(-32601));

        let note = r#"{"jsonrpc":"2.0","method":"notifications/com.example/ping","params":{"b":1.0,"a":2}}"#;
        let done = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
        gateway.client.call("m_say", json!({"lines": [note, done]}));
        assert_eq!(
            gateway
                .client
                .receive_method("notifications/com.example/ping")
                .raw,
            note
        );
        gateway.client.send_raw(note);
        assert_eq!(
            gateway
                .server()
                .wait_to_receive("com.example/ping\",\"params\":{\"b\":1.0"),
            note
        );
    }
}
