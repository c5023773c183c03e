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
fn a_round_tells_the_attempt_that_is_made_now() {
    let gateway = Gateway::with().mirror().start_silent();
    let modern = Modern::new(&gateway.client);
    let progress = r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":$token,"progress":1}}"#;
    let logged = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"done"}}"#;
    let attempt = |token: &str| {
        json!({
            "name": "m_ask", "arguments": {"lines": [progress, logged]},
            "_meta": {"progressToken": token, LOG_LEVEL: "info"},
        })
    };
    let told = |method: &str| {
        let method = format!("\"notifications/{method}\"");
        let received = gateway.client.received();
        received
            .into_iter()
            .filter(|line| line.contains(&method))
            .collect::<Vec<_>>()
    };
    let question = modern.request("tools/call", attempt("first")).value();
    let mut second = attempt("second");
    second["inputResponses"] = json!({&inputs(&question)[0].0: {"roots": []}});
    second["requestState"] = question["result"]["requestState"].clone();
    modern.request("tools/call", second);
    let (progress, logged) = (told("progress"), told("message"));
    assert_eq!((progress.len(), logged.len()), (1, 1), "{progress:?}");
    assert!(
        progress[0].contains("\"progressToken\":\"second\""),
        "{progress:?}"
    );
    // Who wishes for no log gets none, whatever others wish for.
    modern.call("m_flood", json!({"steps": 3, "bytes": 1}));
    assert_eq!(told("message").len(), 1);
}

#[test]
fn as_many_requests_may_wait_for_their_client_as_leave_room_for_others() {
    let gateway = Gateway::with()
        .setting("max_in_flight = 4")
        .mirror()
        .start_silent();
    let modern = Modern::new(&gateway.client);
    let questions = [(); 3].map(|()| modern.call("m_ask", json!({})).value());
    let cancelled = gateway.server().wait_to_receive("notifications/cancelled");
    let calls = gateway.server().received().into_iter();
    let calls = calls.filter(|line| line.contains("\"tools/call\""));
    let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].clone();
    let ids: Vec<Value> = calls.map(|line| id(&line)).collect();
    let cancelled: Value = serde_json::from_str(&cancelled).unwrap();
    assert_eq!(cancelled["params"]["requestId"], ids[0]);
    let answers = questions.each_ref().map(|question| {
        let given = json!({&inputs(question)[0].0: {"roots": []}});
        modern.again("m_ask", question, given).value()
    });
    let refused = &answers[0]["error"];
    assert_eq!(refused["code"], -32602, "{refused}");
    assert!(
        refused["message"]
            .as_str()
            .unwrap()
            .contains("send the request without it"),
        "{refused}"
    );
    for answer in &answers[1..] {
        assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    }
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

#[test]
fn a_request_that_may_be_answered_in_rounds_takes_the_room_of_one() {
    let gateway = Gateway::with()
        .setting("max_in_flight = 1")
        .mirror()
        .start_silent();
    let modern = Modern::new(&gateway.client);
    assert_eq!(modern.call("m_echo", json!({"text": "x"})).text(), "x");
    let question = modern.call("m_ask", json!({})).value();
    assert_eq!(modern.call("m_echo", json!({"text": "y"})).text(), "y");
    let given = json!({&inputs(&question)[0].0: {"roots": []}});
    let answer = modern.again("m_ask", &question, given).value();
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_is_waited_for_who_leaves_while_the_question_is_judged() {
    use mcp_gateway_tests::{cpu_time, eventually, guest};

    let gateway = Gateway::with()
        .mirror()
        .guardrail(
            guest("guest_faulty"),
            "config = { fault = \"slow:600000\" }\nlimits = { cpu = \"60s\", wall = \"600s\" }\nonly = { methods = [\"tools/call\"] }",
        )
        .start_silent();
    let modern = Modern::new(&gateway.client);
    let arguments = json!({"method": "elicitation/create", "params": {"message": "FA~ULT"}});
    let id = modern.start(
        "tools/call",
        json!({"name": "m_ask", "arguments": arguments}),
    );
    gateway.server().wait_to_receive("tools/call");
    let before = cpu_time(gateway.process());
    eventually("the question is judged", || {
        cpu_time(gateway.process()) > before + std::time::Duration::from_millis(300)
    });
    let id: u64 = id.parse().unwrap();
    gateway
        .client
        .notify("notifications/cancelled", json!({"requestId": id}));
    gateway.server().wait_to_receive("notifications/cancelled");
}

#[test]
fn who_stops_listening_ends_nothing_of_who_goes_on() {
    let gateway = in_front_of("legacy").start_silent();
    let modern = Modern::new(&gateway.client);
    let wants = json!({"notifications": {"resourceSubscriptions": ["test://watched-resource"]}});
    let acknowledged = |listening: &str| {
        let id = format!("\"{SUBSCRIPTION}\":{listening}");
        gateway.client.receive("its acknowledgement", |it| {
            it.raw.contains("acknowledged") && it.raw.contains(&id)
        });
        id
    };
    let first = modern.start("subscriptions/listen", wants.clone());
    acknowledged(&first);
    let second = modern.start("subscriptions/listen", wants);
    let first: u64 = first.parse().unwrap();
    gateway
        .client
        .notify("notifications/cancelled", json!({"requestId": first}));
    let id = acknowledged(&second);
    modern.call("f_test_trigger_resource_update", json!({}));
    gateway.client.receive("the update", |it| {
        it.raw.contains("resources/updated") && it.raw.contains(&id)
    });
}
