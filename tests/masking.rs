//! The bundled guardrail `basic` in front of a real server and of the mirror:
//! no secret reaches the client by any way that a message can take.
//!
//! The secrets are put together here, so that they stand in no source.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::path::PathBuf;

use mcp_gateway_tests::{Gateway, Server, Setup, peer};
use serde_json::{Value, json};

fn token() -> String {
    format!("hf_{}", "okpaLGklBeJFhdqdOvkrXljOCTwhADRrXo")
}

fn aws_key() -> String {
    format!("AKIA{}", "IOSFODNN7EXAMPLE")
}

fn github_token() -> String {
    format!("ghp_{}", "16C7e42F292c6912E7710c838347Ae178B4a")
}

const MASK: &str = "<HUGGINGFACE_TOKEN>";

fn guarded() -> Setup {
    Gateway::with().mirror().guardrail("basic", "")
}

/// The token, put so that the request for it does not look like one.
fn whispered() -> String {
    token().replace('_', "~_~")
}

/// The mirror is asked to say something that holds the token; what the client
/// gets holds the mask instead.
fn masks(what: &str, answer: &str) {
    assert!(!answer.contains(&token()), "{what}: {answer}");
    assert!(answer.contains(MASK), "{what}: {answer}");
}

/// A real filesystem server on a folder with these files.
fn files(files: &[(&str, String)]) -> (Gateway, PathBuf) {
    let setup = Gateway::with();
    // As the server resolves it, which refuses what lies elsewhere.
    let folder = setup.folder().canonicalize().unwrap().join("files");
    fs::create_dir(&folder).unwrap();
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
    let script = peer("node_modules/@modelcontextprotocol/server-filesystem/dist/index.js");
    let server = Server::command(
        "files",
        "node",
        &[script.to_str().unwrap(), folder.to_str().unwrap()],
    );
    (setup.server(server).guardrail("basic", "").start(), folder)
}

#[test]
fn secrets_in_a_file_are_masked_and_the_rest_stays() {
    let text = format!(
        "# café 🙂\nHF_TOKEN={}\nkey={}\nsee {}.\n",
        token(),
        aws_key(),
        github_token()
    );
    let (gateway, folder) = files(&[("notes.env", text)]);
    let path = folder.join("notes.env");
    let answer = gateway
        .client
        .call("files_read_text_file", json!({ "path": path }));
    for secret in [token(), aws_key(), github_token()] {
        assert!(!answer.raw.contains(&secret), "{}", answer.raw);
    }
    let text = answer.text();
    assert!(text.starts_with("# café 🙂\nHF_TOKEN=<"), "{text}");
    assert!(
        text.contains(MASK) && text.contains("<AWS_ACCESS_KEY>"),
        "{text}"
    );
    assert!(text.ends_with(">.\n"), "{text}");
    // The server has said the same once more as structured content.
    let value = answer.value();
    let structured = value["result"]["structuredContent"].to_string();
    masks("structuredContent", &structured);
}

#[test]
fn a_json_file_stays_valid_json() {
    let content = json!({
        "token": token(),
        "nested": {"keys": [aws_key(), "harmless"], token(): 1},
        "quoted": format!("say \"{}\"", token()),
    });
    let (gateway, folder) = files(&[("settings.json", content.to_string())]);
    let path = folder.join("settings.json");
    let text = gateway
        .client
        .call("files_read_text_file", json!({ "path": path }))
        .text();
    masks("file", &text);
    let read: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["nested"]["keys"][1], json!("harmless"));
    assert_eq!(read["quoted"], json!(format!("say \"{MASK}\"")));
}

#[test]
fn a_server_error_that_holds_a_path_with_a_secret_is_masked() {
    let (gateway, folder) = files(&[]);
    let path = folder.join(token());
    let answer = gateway
        .client
        .call("files_read_text_file", json!({ "path": path }));
    assert!(answer.is_tool_error(), "{}", answer.raw);
    masks("tool error", &answer.raw);
}

#[test]
fn every_part_of_an_answer_is_masked() {
    let whispered = whispered();
    let secret = whispered.replace('~', "");
    let gateway = guarded().start();
    let answer = |result: Value| {
        let line = format!(r#"{{"jsonrpc":"2.0","id":$id,"result":{result}}}"#)
            .replace(&secret, &whispered);
        gateway.client.call("m_say", json!({"lines": [line]})).raw
    };
    let cases = [
        (
            "text",
            json!({"content": [{"type": "text", "text": secret}]}),
        ),
        (
            "structuredContent",
            json!({"content": [], "structuredContent": {"a": [{"b": secret}]}}),
        ),
        (
            "an object's key",
            json!({"content": [], "structuredContent": {secret.as_str(): 1}}),
        ),
        (
            "embedded resource",
            json!({"content": [{"type": "resource", "resource": {"uri": "a://b", "text": secret}}]}),
        ),
        (
            "resource link",
            json!({"content": [{"type": "resource_link", "uri": "a://b", "name": "n", "description": secret}]}),
        ),
        (
            "_meta",
            json!({"content": [], "_meta": {"com.example/a": secret}}),
        ),
        (
            "what no model knows",
            json!({"x-vendor": {"deep": [secret]}}),
        ),
        (
            "JSON in text",
            json!({"content": [{"type": "text", "text": json!({"a": secret}).to_string()}]}),
        ),
    ];
    for (what, result) in cases {
        masks(what, &answer(result));
    }
    // A client may get the same text spelled differently.
    let escaped = format!("\\u0068f{}", whispered.strip_prefix("hf").unwrap());
    let line = format!(r#"{{"jsonrpc":"2.0","id":$id,"result":{{"a":"{escaped}"}}}}"#);
    masks(
        "an escaped letter",
        &gateway.client.call("m_say", json!({"lines": [line]})).raw,
    );
}

#[test]
fn errors_prompts_and_resources_are_masked() {
    let gateway = guarded().start();
    let client = &gateway.client;
    let whispered = whispered();
    masks(
        "error",
        &client.call("m_fail", json!({"line": whispered})).raw,
    );
    let prompt = json!({"name": "m_say", "arguments": {"text": whispered}});
    masks("prompt", &client.request("prompts/get", prompt).raw);
    let uri = format!("mirror://{whispered}");
    masks(
        "resource",
        &client.request("resources/read", json!({ "uri": uri })).raw,
    );
}

#[test]
fn tool_descriptions_are_masked() {
    let server = Server::mirror("m").env("MIRROR_DESCRIPTION", &format!("use {}", token()));
    let gateway = Gateway::with()
        .server(server)
        .guardrail("basic", "")
        .start();
    masks(
        "tools/list",
        &gateway.client.request("tools/list", json!({})).raw,
    );
}

#[test]
fn instructions_are_masked() {
    let said = format!("log in with {}", token());
    let server = |name| Server::mirror(name).env("MIRROR_INSTRUCTIONS", &said);
    let one = Gateway::with().server(server("m"));
    let two = Gateway::with().server(server("m")).server(server("n"));
    for setup in [one, two] {
        let gateway = setup.guardrail("basic", "").start_silent();
        masks("initialize", &gateway.client.initialize().raw);
    }
}

#[test]
fn notifications_are_masked() {
    let gateway = guarded().start();
    let note = format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"level":"info","data":"{}"}}}}"#,
        whispered()
    );
    let done = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
    gateway.client.call("m_say", json!({"lines": [note, done]}));
    masks(
        "log message",
        &gateway.client.receive_method("notifications/message").raw,
    );
}

#[test]
fn requests_of_a_server_are_masked() {
    let gateway = guarded().start();
    let params =
        json!({"messages": [{"role": "user", "content": {"type": "text", "text": whispered()}}]});
    gateway.client.start_call(
        "m_ask",
        json!({"method": "sampling/createMessage", "params": params}),
    );
    masks(
        "sampling",
        &gateway.client.receive_method("sampling/createMessage").raw,
    );
}

#[test]
fn what_a_server_writes_to_standard_error_is_masked_in_the_log() {
    let gateway = guarded().start();
    gateway.client.call(
        "m_complain",
        json!({"line": format!("cannot log in with {}", whispered())}),
    );
    let event = gateway.log.wait("cannot log in with ");
    masks("log line", &event.raw);
    assert_eq!(event.text("server"), "m");
    assert!(!gateway.log.text().contains(&token()));
}

#[test]
fn a_secret_in_a_request_passes_and_is_reported() {
    let gateway = guarded().start();
    gateway
        .client
        .start_call("m_mirror", json!({"text": token()}));
    gateway.server().wait_to_receive(&token());
    let finding = gateway.log.wait("finding");
    assert_eq!(finding.text("guardrail"), "basic");
    assert_eq!(finding.text("direction"), "to-server");
    assert!(
        !gateway.log.text().contains(&token()),
        "the log holds the secret"
    );
}

#[test]
fn requests_can_be_masked_or_blocked() {
    let with = |requests: &str| {
        let config = format!("config = {{ requests = \"{requests}\" }}");
        Gateway::with().mirror().guardrail("basic", &config).start()
    };
    let masking = with("mask");
    masks(
        "mask",
        &masking
            .client
            .call("m_mirror", json!({"text": token()}))
            .text(),
    );
    assert!(!masking.server().received().join("\n").contains(&token()));

    let blocking = with("block");
    let answer = blocking.client.call("m_mirror", json!({"text": token()}));
    assert!(
        answer.text().starts_with("Blocked by guardrail \"basic\""),
        "{}",
        answer.raw
    );
    assert!(!answer.raw.contains(&token()), "{}", answer.raw);
    assert!(!blocking.server().received().join("\n").contains(&token()));
}

#[test]
fn the_reason_of_a_cancellation_can_be_masked_or_kept_back_but_not_the_cancellation() {
    for requests in ["mask", "block"] {
        let config = format!("config = {{ requests = \"{requests}\" }}");
        let gateway = Gateway::with().mirror().guardrail("basic", &config).start();
        let id = gateway.client.start_call("m_hold", json!({"key": "k"}));
        gateway.server().wait_for("holding k");
        let id: u64 = id.parse().unwrap();
        let params = json!({"requestId": id, "reason": format!("no more of {}", token())});
        gateway.client.notify("notifications/cancelled", params);
        let told = gateway.server().wait_to_receive("notifications/cancelled");
        assert!(!told.contains(&token()), "{requests}: {told}");
        assert_eq!(told.contains(MASK), requests == "mask", "{told}");
    }
}

#[test]
fn what_a_client_says_when_it_is_initialized_can_be_masked() {
    let config = "config = { requests = \"mask\" }";
    let gateway = Gateway::with().mirror().guardrail("basic", config);
    let gateway = gateway.start_silent();
    let hello = json!({
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "tests", "version": "1"},
    });
    gateway.client.request("initialize", hello);
    let said = json!({"_meta": {"com.example/note": token()}});
    gateway.client.notify("notifications/initialized", said);
    let told = gateway
        .server()
        .wait_to_receive("notifications/initialized");
    masks("initialized", &told);
}

#[test]
fn the_log_names_the_rule_and_the_place_of_a_finding() {
    let gateway = guarded().start();
    gateway
        .client
        .call("m_whisper", json!({"line": whispered()}));
    let finding = gateway
        .log
        .wait_for(0, "a redaction", |event| event.text("decision") == "redact");
    assert_eq!(finding.text("place"), "/content/0/text");
    assert_eq!(finding.text("subject"), "whisper");
    assert!(
        finding.text("rule").contains("huggingface"),
        "{}",
        finding.raw
    );
}

/// The token is neither in the request nor in the answer as it is.
#[test]
fn a_secret_in_text_that_is_base64_is_masked() {
    let gateway = guarded().start();
    let text = format!("HF_TOKEN={}\nnothing else", token());
    let code = base64(&text);
    let resource = json!({"uri": "a://b", "mimeType": "text/plain", "blob": code});
    let icon = json!({"src": format!("data:text/plain;base64,{code}")});
    let result = json!({"content": [{"type": "resource", "resource": resource}], "icons": [icon]});
    let answer = gateway.client.call("m_raw", json!({"result": result}));
    let expected = base64(&format!("HF_TOKEN={MASK}\nnothing else"));
    assert_eq!(
        answer.value()["result"],
        json!({
            "content": [{"type": "resource", "resource": {"uri": "a://b", "mimeType": "text/plain", "blob": expected}}],
            "icons": [{"src": format!("data:text/plain;base64,{expected}")}],
        })
    );
}

/// A reading that starts again at every place would take hours for each of them; the limit ends it after a minute.
#[test]
fn long_texts_of_the_worst_kinds_are_read_within_the_limit_and_stay_as_they_are() {
    let settings =
        "config = { enable = [\"opaque-string\"] }\nlimits = { cpu = \"5s\", wall = \"600s\" }";
    let gateway = Gateway::with().mirror().guardrail("basic", settings);
    let gateway = gateway.start();
    let nested = {
        let text = json!([["a"], { "b": 1 }]).to_string();
        (0..12).fold(text, |text, _| json!({ "text": text }).to_string())
    };
    for (unit, megabytes) in [
        ("0123456789", 10),
        ("a", 10),
        ("{\"a\":", 2),
        (nested.as_str(), 2),
        ("\\\"", 2),
        ("ghp_", 2),
        ("eyJhbGciOi", 2),
        ("https://a:b", 2),
        ("password: ", 2),
        ("secret,token,", 2),
        ("%2525", 2),
        ("kind: Secret\n", 2),
        ("\"kind\":\"Secret\"}", 2),
    ] {
        let text = unit.repeat(megabytes * 1_000_000 / unit.len());
        let answer = gateway.client.call("m_whisper", json!({ "line": text }));
        let said = answer.text();
        let start: String = said.chars().take(300).collect();
        assert!(said == text, "{unit}: {start}");
    }
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut code = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three
            .iter()
            .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - three.len()));
        for place in 0..4 {
            code.push(if place <= three.len() {
                char::from(ALPHABET[bits >> (18 - 6 * place) & 63])
            } else {
                '='
            });
        }
    }
    code
}
