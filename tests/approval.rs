//! A guardrail that wants a person to approve: they are asked through the client, or say
//! so in a terminal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::path::Path;

use mcp_gateway_tests::{Gateway, Received, Setup, guest, in_a_terminal, real};
use serde_json::{Value, json};

/// What the mirror says to a call of "release" with a key that it does not know.
const DONE: &str = "nothing is held";

/// A guardrail asks about whatever has the word FAULT.
fn asking() -> Setup {
    let config = "config = { fault = \"ask\" }\nname = \"asks\"";
    Gateway::with()
        .mirror()
        .guardrail(guest("guest_faulty"), config)
}

fn with_a_person(capabilities: Value) -> Gateway {
    let gateway = asking().start_silent();
    gateway.client.initialize_with(capabilities);
    gateway
}

/// Answers a form that the client was sent.
fn answer(gateway: &Gateway, form: &Received, action: &str) {
    let id = form.id.as_deref().unwrap();
    let result = json!({"action": action});
    let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
    gateway.client.send_raw(&line);
}

fn reached(gateway: &Gateway, text: &str) -> bool {
    let received = gateway.server().received();
    received.iter().any(|line| line.contains(text))
}

#[test]
fn a_person_is_asked_through_the_client_and_their_word_counts_for_one_call() {
    let gateway = with_a_person(json!({"elicitation": {}}));
    let client = &gateway.client;
    for (action, expected) in [
        ("accept", None),
        ("decline", Some("The person declined it; do not repeat it.")),
        ("cancel", Some("The person did not answer.")),
    ] {
        let text = format!("a FAULT to {action}");
        let call = client.start_call("m_release", json!({"key": text}));
        let form = client.receive_method("elicitation/create");
        assert!(!reached(&gateway, &text));
        let params = form.value()["params"].clone();
        let message = params["message"].as_str().unwrap();
        assert!(
            message.starts_with(r#"Guardrail "asks" asks: is this fault all right?"#)
                && message.contains(r#""release" of server "m""#),
            "{message}"
        );
        assert_eq!(params["requestedSchema"]["type"], "object");
        answer(&gateway, &form, action);
        let answered = client.answer(&call);
        assert_eq!(reached(&gateway, &text), expected.is_none(), "{action}");
        match expected {
            None => assert_eq!(answered.text(), DONE),
            Some(expected) => {
                assert!(answered.is_tool_error());
                assert!(answered.text().contains(expected), "{}", answered.text());
            }
        }
    }
    gateway.log.wait("a person approved");
    let decided = |decision| {
        gateway
            .log
            .wait_for(0, decision, |it| it.text("decision") == decision)
    };
    decided("ask");
    decided("approved");
    // Nobody is asked about what the guardrail lets pass.
    assert_eq!(client.call("m_release", json!({"key": "x"})).text(), DONE);
}

#[test]
fn a_call_that_is_cancelled_while_a_person_is_asked_is_not_made() {
    let gateway = with_a_person(json!({"elicitation": {"form": {}}}));
    let client = &gateway.client;
    let call = client.start_call("m_release", json!({"key": "a FAULT"}));
    let form = client.receive_method("elicitation/create");
    let id: u64 = call.parse().unwrap();
    client.notify("notifications/cancelled", json!({"requestId": id}));
    client.receive_method("notifications/cancelled");
    answer(&gateway, &form, "accept");
    client.call("m_release", json!({"key": "after it"}));
    assert!(!reached(&gateway, "a FAULT"));
}

/// Whoever can only open pages cannot be asked by a form.
#[test]
fn a_person_who_cannot_be_asked_approves_of_one_call_in_a_terminal() {
    let gateway = with_a_person(json!({"elicitation": {"url": {}}}));
    let client = &gateway.client;
    let refused = |text: &str| {
        let answer = client.call("m_release", json!({"key": text}));
        assert!(answer.is_tool_error(), "{}", answer.raw);
        answer.text()
    };
    let text = refused("a FAULT");
    let code = text.split("mcp-gateway approve ").nth(1).unwrap();
    let code = code.split('`').next().unwrap();
    // The same call waits once.
    assert!(refused("a FAULT").contains(code));
    let approve = |args: &[&str]| {
        let mut command = Gateway::command();
        command.env("MCP_GATEWAY_STATE_DIR", gateway.folder().join("state"));
        command.arg("approve").args(args).output().unwrap()
    };
    let list = real::printed("approve", &approve(&[]));
    assert!(
        list.contains(code) && list.contains("is this fault all right?"),
        "{list}"
    );
    // A model that has a shell has no terminal.
    let alone = approve(&[code]);
    assert!(!alone.status.success());
    let said = String::from_utf8_lossy(&alone.stderr).into_owned();
    assert!(said.contains("approves in a terminal"), "{said}");
    assert!(refused("a FAULT").contains(code));
    let said = typed(&gateway, code, "y");
    assert!(
        said.contains("Approve of this one call?") && said.contains("the very same call"),
        "{said}"
    );
    assert!(!refused("another FAULT").contains(code));
    assert!(!reached(&gateway, "FAULT"));
    assert_eq!(
        client.call("m_release", json!({"key": "a FAULT"})).text(),
        DONE
    );
    assert!(refused("a FAULT").contains(code));
}

/// What a person looks at is shown, and kept on disk, as guardrails leave it for the record.
#[test]
fn what_waits_for_a_person_holds_nothing_that_guardrails_hide() {
    let token = format!("ghp_{}", "x7Qm2LpR9vTz4WcK8nBd3HsJ6yFg1AeU5oi0");
    let text = format!("a FAULT with {token} of jane.doe@example.com");
    let masked = |setup: Setup| setup.guardrail("basic", "").guardrail("pii", "");
    let gateway = masked(asking()).start();
    let answer = gateway.client.call("m_release", json!({"key": text}));
    assert!(answer.is_tool_error(), "{}", answer.raw);
    let folder = gateway.folder().join("state/approvals");
    let kept = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let kept: String = kept
        .map(|entry| std::fs::read_to_string(entry.path()).unwrap())
        .collect();
    assert!(kept.contains("<GITHUB_PERSONAL_ACCESS_TOKEN>"), "{kept}");
    assert!(
        !kept.contains(&token) && !kept.contains("jane.doe"),
        "{kept}"
    );

    let gateway = masked(asking()).start_silent();
    let client = &gateway.client;
    client.initialize_with(json!({"elicitation": {}}));
    client.start_call("m_release", json!({"key": text}));
    let form = client.receive_method("elicitation/create").raw;
    assert!(form.contains("<GITHUB_PERSONAL_ACCESS_TOKEN>"), "{form}");
    assert!(
        !form.contains(&token) && !form.contains("jane.doe"),
        "{form}"
    );
}

/// Runs `approve` for a person who types an answer.
fn typed(gateway: &Gateway, code: &str, types: &str) -> String {
    let mut command = Gateway::command();
    command
        .args(["approve", code])
        .env("MCP_GATEWAY_STATE_DIR", gateway.folder().join("state"));
    real::printed("approve", &in_a_terminal(&command, types))
}

const META: &str = "io.modelcontextprotocol/";

/// Calls as a modern client does.
fn modern(gateway: &Gateway, text: &str, more: Value) -> Value {
    let mut params = json!({"name": "m_release", "arguments": {"key": text}, "_meta": {}});
    params["_meta"][format!("{META}protocolVersion")] = json!("2026-07-28");
    params["_meta"][format!("{META}clientInfo")] = json!({"name": "tests", "version": "1"});
    params["_meta"][format!("{META}clientCapabilities")] = json!({"elicitation": {"form": {}}});
    for (key, value) in more.as_object().into_iter().flatten() {
        params[key] = value.clone();
    }
    gateway.client.request("tools/call", params).value()
}

#[test]
fn a_modern_client_comes_back_with_the_word_of_its_person() {
    let gateway = asking().start_silent();
    let ask = |text: &str| {
        let question = modern(&gateway, text, json!({}))["result"].clone();
        assert_eq!(question["resultType"], "input_required", "{question}");
        let form = &question["inputRequests"]["approval"];
        assert_eq!(form["method"], "elicitation/create");
        question["requestState"].clone()
    };
    let come_back = |text: &str, state: &Value, action: &str| {
        let responses = json!({"approval": {"action": action}});
        modern(
            &gateway,
            text,
            json!({"requestState": state, "inputResponses": responses}),
        )
    };
    // Their word is for this call, and for once.
    let state = ask("one FAULT");
    let other = come_back("another FAULT", &state, "accept");
    assert_eq!(other["error"]["code"], -32602, "{other}");
    let state = ask("one FAULT");
    let answered = come_back("one FAULT", &state, "accept");
    assert_eq!(answered["result"]["content"][0]["text"], DONE);
    let again = come_back("one FAULT", &state, "accept");
    assert_eq!(again["error"]["code"], -32602, "{again}");
    let declined = come_back("one FAULT", &ask("one FAULT"), "decline");
    let text = declined["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("The person declined it"), "{text}");
    assert!(!reached(&gateway, "another FAULT"));
}

#[test]
fn official_clients_put_the_question_to_their_person() {
    for (program, script, is_modern) in [
        // Its person declines.
        (real::python().as_path(), "official.py", false),
        // Its person accepts.
        (Path::new("node"), "official.mjs", true),
    ] {
        let setup = asking();
        let (command, args, env) = setup.command_line();
        let plan = json!({
            "command": command, "args": args, "env": env, "prefix": "m_", "until": "release",
            "calls": [["release", {"key": "a FAULT"}]], "prompts": [], "resources": [],
            "modern": is_modern,
        });
        let saw = real::client(program, script, [plan.to_string()]);
        let text = saw["calls"][0]["content"][0]["text"].as_str();
        let text = text.unwrap_or_else(|| panic!("{script}: {saw}"));
        match is_modern {
            true => assert_eq!(text, DONE),
            false => assert!(text.contains("The person declined it"), "{text}"),
        }
    }
}
