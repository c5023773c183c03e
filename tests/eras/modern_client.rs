//! A modern client and a server that is legacy only.

use super::*;

#[test]
fn what_the_server_is_can_be_discovered() {
    let gateway = in_front_of("legacy").start_silent();
    let modern = Modern::new(&gateway.client);
    let answer = modern.request("server/discover", json!({})).value();
    let result = &answer["result"];
    assert_eq!(result["resultType"], "complete", "{answer}");
    assert_eq!(result["supportedVersions"], json!(["2026-07-28"]));
    assert!(result["capabilities"]["tools"].is_object(), "{answer}");
    assert!(result["_meta"][SERVER_INFO]["name"].is_string(), "{answer}");
    assert_eq!(result["ttlMs"], 0);
    assert_eq!(result["cacheScope"], "private");
}

#[test]
fn nothing_need_be_discovered_first() {
    let gateway = in_front_of("legacy").start_silent();
    let modern = Modern::new(&gateway.client);
    let call = modern.call("f_test_simple_text", json!({})).value();
    assert_eq!(call["result"]["resultType"], "complete", "{call}");
    let list = modern.request("tools/list", json!({})).value();
    assert_eq!(list["result"]["resultType"], "complete");
    assert_eq!(list["result"]["ttlMs"], 0);
    assert_eq!(list["result"]["cacheScope"], "private");
}

#[test]
fn what_the_server_asks_meanwhile_is_an_answer_that_asks() {
    let gateway = in_front_of("legacy").start_silent();
    let modern = Modern::new(&gateway.client);
    let tool = "f_test_input_required_result_elicitation";
    let question = modern.call(tool, json!({})).value();
    let asked = inputs(&question);
    let [(name, input)] = &asked[..] else {
        panic!("{question}")
    };
    assert_eq!(input["method"], "elicitation/create");
    assert_eq!(input["params"]["message"], "What is your name?");
    let responses = json!({name: {"action": "accept", "content": {"name": "Ada"}}});
    assert_eq!(
        modern.again(tool, &question, responses).text(),
        "Hello, Ada!"
    );
    // Nothing that the era does not have was written to the client.
    assert!(!gateway.client.received().iter().any(|line| {
        line.contains("\"method\":\"elicitation/create\",\"id\"")
            || line.starts_with(r#"{"jsonrpc":"2.0","id":1,"method""#)
    }));
}

#[test]
fn each_round_has_its_state_and_each_state_is_good_for_one_round() {
    let gateway = in_front_of("legacy").start_silent();
    let modern = Modern::new(&gateway.client);
    let tool = "f_test_input_required_result_multi_round";
    let first = modern.call(tool, json!({})).value();
    let name = &inputs(&first)[0].0;
    let given = json!({name: {"action": "accept", "content": {"name": "Ada"}}});
    let second = modern.again(tool, &first, given.clone()).value();
    let color = &inputs(&second)[0].0;
    assert_ne!(
        first["result"]["requestState"],
        second["result"]["requestState"]
    );
    // The first state has been used.
    let refused = modern.again(tool, &first, given).value();
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    let given = json!({color: {"action": "accept", "content": {"color": "green"}}});
    assert_eq!(modern.again(tool, &second, given).text(), "Ada likes green");
}

#[test]
fn a_state_that_was_made_up_or_is_for_another_tool_is_refused() {
    let gateway = in_front_of("legacy").start_silent();
    let modern = Modern::new(&gateway.client);
    let tool = "f_test_input_required_result_elicitation";
    let question = modern.call(tool, json!({})).value();
    let made_up = json!({"result": {"requestState": "1.00000000000000000000000000000000"}});
    for (tool, state) in [(tool, &made_up), ("f_test_simple_text", &question)] {
        let refused = modern.again(tool, state, json!({})).value();
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
    }
}

#[test]
fn what_was_not_answered_is_asked_for_again() {
    let gateway = in_front_of("legacy").start_silent();
    let modern = Modern::new(&gateway.client);
    let tool = "f_test_input_required_result_elicitation";
    let question = modern.call(tool, json!({})).value();
    let again = modern
        .again(tool, &question, json!({"something": {}}))
        .value();
    let name = &inputs(&again)[0].0;
    let given = json!({name: {"action": "accept", "content": {"name": "Ada"}}});
    assert_eq!(modern.again(tool, &again, given).text(), "Hello, Ada!");
}

#[test]
fn a_client_that_cannot_be_asked_is_not() {
    let gateway = in_front_of("legacy").start_silent();
    let modern = Modern {
        capabilities: json!({}),
        ..Modern::new(&gateway.client)
    };
    let answer = modern
        .call("f_test_sampling", json!({"prompt": "?"}))
        .value();
    assert_ne!(answer["result"]["resultType"], "input_required", "{answer}");
}

#[test]
fn changes_are_told_to_those_who_listen() {
    let gateway = in_front_of("legacy").start_silent();
    let modern = Modern::new(&gateway.client);
    let wants = json!({"notifications": {
        "toolsListChanged": true,
        "resourceSubscriptions": ["test://watched-resource"],
    }});
    let listening = modern.start("subscriptions/listen", wants.clone());
    let acknowledged = gateway
        .client
        .receive_method("notifications/subscriptions/acknowledged")
        .value();
    assert_eq!(
        acknowledged["params"]["notifications"],
        wants["notifications"]
    );
    let id = |told: &Value| told["params"]["_meta"][SUBSCRIPTION].to_string();
    assert_eq!(id(&acknowledged), listening);

    modern.call("f_test_trigger_prompt_change", json!({}));
    modern.call("f_test_trigger_tool_change", json!({}));
    modern.call("f_test_trigger_resource_update", json!({}));
    let told = gateway
        .client
        .receive_method("notifications/tools/list_changed")
        .value();
    assert_eq!(id(&told), listening);
    let told = gateway
        .client
        .receive_method("notifications/resources/updated")
        .value();
    assert_eq!(id(&told), listening);
    assert_eq!(told["params"]["uri"], "test://watched-resource");
    assert!(
        !gateway
            .client
            .received()
            .iter()
            .any(|line| line.contains("prompts/list_changed")),
        "nobody listens to that"
    );

    let listening: u64 = listening.parse().unwrap();
    gateway
        .client
        .notify("notifications/cancelled", json!({"requestId": listening}));
    let before = gateway.client.received().len();
    mcp_gateway_tests::eventually("the end of the subscription", || {
        let before = gateway.client.received().len();
        modern.call("f_test_trigger_tool_change", json!({}));
        gateway.client.received().len() == before + 1
    });
    assert!(gateway.client.received().len() > before);
}

#[test]
fn log_messages_come_when_a_request_wants_them() {
    let gateway = in_front_of("legacy").start_silent();
    let modern = Modern::new(&gateway.client);
    modern.call("f_test_tool_with_logging", json!({}));
    let told = |line: &String| line.contains("notifications/message");
    assert!(!gateway.client.received().iter().any(told));
    let params =
        json!({"name": "f_test_tool_with_logging", "arguments": {}, "_meta": {LOG_LEVEL: "info"}});
    modern.request("tools/call", params);
    assert!(gateway.client.received().iter().any(told));
}

#[test]
fn progress_comes_before_the_answer() {
    let gateway = in_front_of("legacy").start_silent();
    let modern = Modern::new(&gateway.client);
    let params = json!({"name": "f_test_tool_with_progress", "arguments": {}, "_meta": {"progressToken": "p"}});
    modern.request("tools/call", params);
    let told = |line: &&String| line.contains("notifications/progress");
    let received = gateway.client.received();
    assert_eq!(received.iter().filter(told).count(), 3, "{received:?}");
    assert!(!told(&received.last().unwrap()));
}

#[test]
fn who_listens_does_not_wait_for_a_server_that_is_down() {
    let gateway = in_front_of("legacy")
        .server(Server::command(
            "gone",
            "mcp-gateway-tests-no-such-command",
            &[],
        ))
        .setting("ready_timeout = \"10m\"")
        .start_silent();
    let modern = Modern::new(&gateway.client);
    modern.start(
        "subscriptions/listen",
        json!({"notifications": {"toolsListChanged": true}}),
    );
    gateway
        .client
        .receive_method("notifications/subscriptions/acknowledged");
}
