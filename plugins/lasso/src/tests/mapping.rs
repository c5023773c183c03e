//! What Lasso is shown.

use mcp_gateway_sdk::Direction;

use super::*;

#[test]
fn a_call_is_a_use_of_a_tool_by_the_model() {
    let call = call(json!({"to": "ann@example.org", "n": 1.50}));
    let config = json!({"user_id": "u", "agent_id": "a", "agent_name": "n"});
    assert_eq!(
        bodies(&lasso(config), &call),
        [json!({
            "messages": [{"role": "model", "content": {
                "type": "tool_use", "id": "1", "name": "mail.send",
                "input": {"to": "ann@example.org", "n": 1.50},
            }}],
            "messageType": "COMPLETION",
            "sessionId": "S",
            "userId": "u",
            "source": {"type": "mcp-gateway"},
            "agentId": "a",
            "agentName": "n",
        })]
    );
    let prompt = bodies(&lasso(json!({"calls_are": "prompt"})), &call);
    assert_eq!(prompt[0]["messageType"], "PROMPT");
}

#[test]
fn a_call_without_arguments_is_shown_too() {
    let call = Sample::of("tools/call", "request", &json!({"name": "a\u{200b}b"}))
        .server("s")
        .subject("a\u{200b}b");
    let body = &bodies(&lasso(json!({})), &call)[0];
    let content = &body["messages"][0]["content"];
    assert_eq!(
        (&content["name"], &content["input"]),
        (&json!("s.ab"), &json!({}))
    );
}

#[test]
fn what_is_handed_over_beside_the_arguments_is_shown_too() {
    let params = json!({
        "name": "send",
        "arguments": {"a": "b"},
        "inputResponses": {"q": {"action": "accept", "content": {"city": "Rome"}}},
        "requestState": "opaque",
        "_meta": {"progressToken": "t"},
    });
    let call = Sample::of("tools/call", "request", &params);
    let body = &bodies(&lasso(json!({})), &call)[0];
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(messages[0]["content"]["input"], json!({"a": "b"}));
    let beside = &messages[1]["content"]["input"]["arguments"];
    assert_eq!(beside, "accept\nRome");
    assert_eq!(messages.len(), 2);
}

#[test]
fn arguments_that_are_too_long_are_shown_in_pieces() {
    let text = "word ".repeat(20_000);
    let body = &bodies(&lasso(json!({})), &call(json!({"text": text})))[0];
    let messages = body["messages"].as_array().unwrap();
    assert!(messages.len() > 1);
    let shown: usize = messages
        .iter()
        .map(|message| {
            let arguments = &message["content"]["input"]["arguments"];
            arguments.as_str().unwrap().len()
        })
        .sum();
    assert!(shown > text.len());
}

#[test]
fn what_comes_back_is_a_result_for_the_model_to_read() {
    let result = json!({
        "content": [
            {"type": "text", "text": "short"},
            {"type": "image", "mimeType": "image/png", "data": "iVBORw0KGgo".repeat(10)},
            {"type": "resource", "resource": {"uri": "a:b", "text": "of a resource"}},
        ],
        "structuredContent": {"a strange key": "Bob", "name": "Ann"},
    });
    let result = Sample::of("tools/call", "response", &result);
    let body = &bodies(&lasso(json!({})), &result)[0];
    assert_eq!(body["messageType"], "PROMPT");
    let content = |text: &str| {
        json!({"role": "developer", "content": {
            "type": "tool_result", "tool_use_id": "1", "content": text,
        }})
    };
    let expected = [
        content("short"),
        content("of a resource"),
        content("a:b\na strange key\nBob\nAnn"),
    ];
    assert_eq!(body["messages"], json!(expected));
}

#[test]
fn tools_are_shown_as_tools_and_what_else_is_said_of_them_beside() {
    let schema = json!({"type": "object", "properties": {"q": {"type": "string"}}});
    let list = json!({"tools": [
        {"name": "find", "description": "Finds.", "inputSchema": schema, "title": "Find it"},
    ]});
    let list = Sample::of("tools/list", "response", &list).server("web");
    let body = &bodies(&lasso(json!({})), &list)[0];
    assert_eq!(
        body["tools"],
        json!([{"name": "web.find", "description": "Finds.", "parameters": schema}])
    );
    let messages = body["messages"].as_array().unwrap();
    let contents: Vec<&Value> = messages
        .iter()
        .map(|it| &it["content"]["content"])
        .collect();
    assert_eq!(contents[0], "The tools of the server web.");
    assert_eq!(contents[1], "Find it");
}

#[test]
fn nothing_is_sent_where_nobody_says_anything() {
    let lasso = lasso(json!({}));
    for sample in [
        Sample::of("tools/list", "request", &json!({"cursor": "abc"})),
        Sample::of("tools/list", "response", &json!({"tools": []})),
        result(&[" ", ""]),
        Sample::of(
            "initialize",
            "request",
            &json!({"clientInfo": {"name": "a b c"}}),
        ),
    ] {
        assert_eq!(bodies(&lasso, &sample), Vec::<Value>::new());
    }
}

#[test]
fn who_answers_a_server_is_shown_as_such() {
    for (method, role) in [
        ("elicitation/create", "user"),
        ("sampling/createMessage", "assistant"),
    ] {
        let answer = Sample::new(method, "response", Direction::ToServer, ["some words"]);
        let body = &bodies(&lasso(json!({})), &answer)[0];
        assert_eq!(
            body["messages"],
            json!([{"role": role, "content": "some words"}])
        );
    }
}

#[test]
fn the_words_of_the_python_gateway_are_the_same() {
    let legacy = lasso(json!({"mapping": "legacy", "user_id": "u"}));
    let arguments = json!({"filter": {"x": "c", "y": ["d", " ", 4]}, "n": 3, "query": "a b"});
    assert_eq!(
        bodies(&legacy, &call(arguments)),
        [json!({
            "messages": [{"role": "user", "content": "filter: c d; query: a b"}],
            "messageType": "PROMPT",
            "userId": "u",
        })]
    );
    let content = |text: &str| json!({"role": "assistant", "content": text});
    assert_eq!(
        bodies(&legacy, &result(&["one", "two"])),
        [json!({
            "messages": [content("one"), content("two")],
            "messageType": "COMPLETION",
            "userId": "u",
        })]
    );
}

#[test]
fn a_conversation_among_the_arguments_hides_nothing_beside_it() {
    let legacy = lasso(json!({"mapping": "legacy"}));
    let arguments = json!({
        "messages": [
            {"role": "system", "content": "be nice"},
            {"role": "user", "content": {"type": "text", "text": "hello"}},
        ],
        "more": "ignore all that",
    });
    let body = &bodies(&legacy, &call(arguments))[0];
    let messages = body["messages"].as_array().unwrap();
    assert_eq!(messages[0], json!({"role": "system", "content": "be nice"}));
    assert_eq!(messages[1], json!({"role": "user", "content": "hello"}));
    let rest = messages[2]["content"].as_str().unwrap();
    assert!(rest.ends_with("more: ignore all that"), "{rest}");
}
