//! A legacy client and a server that is modern only.

use super::*;

fn start() -> Gateway {
    let gateway = in_front_of("modern").start_silent();
    gateway.client.initialize_with(everything());
    gateway
}

#[test]
fn the_session_opens_as_with_a_legacy_server() {
    let gateway = in_front_of("modern").start_silent();
    let answer = gateway.client.initialize_with(everything()).value();
    let result = &answer["result"];
    assert_eq!(result["protocolVersion"], "2025-06-18", "{answer}");
    assert!(result["capabilities"]["tools"].is_object(), "{answer}");
    assert!(result["serverInfo"]["name"].is_string(), "{answer}");
    for modern in [
        "resultType",
        "supportedVersions",
        "ttlMs",
        "cacheScope",
        "_meta",
    ] {
        assert!(result.get(modern).is_none(), "{modern} in {answer}");
    }
    assert_eq!(
        gateway.client.request("ping", json!({})).value()["result"],
        json!({})
    );
}

#[test]
fn results_have_nothing_that_a_legacy_client_does_not_know() {
    let gateway = start();
    let list = gateway.client.request("tools/list", json!({})).value();
    let call = gateway.client.call("f_test_simple_text", json!({})).value();
    let read = gateway
        .client
        .request("resources/read", json!({"uri": "test://static-text"}))
        .value();
    for answer in [&list, &call, &read] {
        for modern in ["resultType", "ttlMs", "cacheScope", "_meta"] {
            assert!(
                answer["result"].get(modern).is_none(),
                "{modern} in {answer}"
            );
        }
    }
    assert!(list["result"]["tools"].as_array().unwrap().len() > 20);
    assert!(read["result"]["contents"][0]["text"].is_string(), "{read}");
}

#[test]
fn what_the_server_asks_for_is_asked_of_the_client() {
    let gateway = start();
    let call = gateway
        .client
        .start_call("f_test_input_required_result_elicitation", json!({}));
    let question = gateway.client.receive_method("elicitation/create");
    assert_eq!(question.value()["params"]["message"], "What is your name?");
    reply(
        &gateway.client,
        &question,
        &json!({"action": "accept", "content": {"name": "Ada"}}),
    );
    assert_eq!(gateway.client.answer(&call).text(), "Hello, Ada!");
}

#[test]
fn several_things_and_several_rounds_are_asked_for_and_the_state_comes_back() {
    let gateway = start();
    let client = &gateway.client;
    let call = client.start_call("f_test_input_required_result_multiple_inputs", json!({}));
    let form = client.receive_method("elicitation/create");
    reply(
        client,
        &form,
        &json!({"action": "accept", "content": {"name": "Ada"}}),
    );
    let sample = client.receive_method("sampling/createMessage");
    let said =
        json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "hi"}});
    reply(client, &sample, &said);
    let roots = client.receive_method("roots/list");
    reply(client, &roots, &json!({"roots": [{"uri": "file:///tmp"}]}));
    assert_eq!(client.answer(&call).text(), "Answers: 3");

    let call = client.start_call("f_test_input_required_result_multi_round", json!({}));
    for (field, value) in [("name", "Ada"), ("color", "green")] {
        let form = client.receive_method("elicitation/create");
        let content = json!({"action": "accept", "content": {field: value}});
        reply(client, &form, &content);
    }
    assert_eq!(client.answer(&call).text(), "Ada likes green");
}

#[test]
fn an_error_of_the_client_is_the_end_of_the_call() {
    let gateway = start();
    let client = &gateway.client;
    let call = client.start_call("f_test_input_required_result_sampling", json!({}));
    let sample = client.receive_method("sampling/createMessage");
    client.send_raw(&format!(
        r#"{{"jsonrpc":"2.0","id":{},"error":{{"code":-1,"message":"not today","data":[1]}}}}"#,
        sample.id.unwrap()
    ));
    let answer = client.answer(&call).value();
    assert_eq!(
        answer["error"],
        json!({"code": -1, "message": "not today", "data": [1]})
    );
}

#[test]
fn a_cancelled_call_takes_its_question_along() {
    let gateway = start();
    let client = &gateway.client;
    let call = client.start_call("f_test_input_required_result_elicitation", json!({}));
    let question = client.receive_method("elicitation/create");
    client.notify(
        "notifications/cancelled",
        json!({"requestId": call.parse::<u64>().unwrap()}),
    );
    let notice = client.receive_method("notifications/cancelled").value();
    assert_eq!(
        notice["params"]["requestId"].to_string(),
        question.id.unwrap()
    );
}

#[test]
fn changes_are_told_as_to_a_legacy_client() {
    let gateway = start();
    let client = &gateway.client;
    // Until the server listens, it has nobody to tell.
    let mut told = None;
    mcp_gateway_tests::eventually("a change is told", || {
        client.call("f_test_trigger_tool_change", json!({}));
        let lines = client.received();
        told = lines
            .into_iter()
            .find(|line| line.contains("notifications/tools/list_changed"));
        told.is_some()
    });
    let told: Value = serde_json::from_str(&told.unwrap()).unwrap();
    assert!(told["params"].get("_meta").is_none(), "{told}");
    assert!(
        !client
            .received()
            .iter()
            .any(|line| line.contains("subscriptions/acknowledged"))
    );
}

#[test]
fn a_subscription_to_a_resource_is_kept_and_ended() {
    let gateway = start();
    let client = &gateway.client;
    let watched = json!({"uri": "test://watched-resource"});
    let answer = client
        .request("resources/subscribe", watched.clone())
        .value();
    assert_eq!(answer["result"], json!({}), "{answer}");
    mcp_gateway_tests::eventually("an update is told", || {
        client.call("f_test_trigger_resource_update", json!({}));
        client
            .received()
            .iter()
            .any(|line| line.contains("notifications/resources/updated"))
    });
    let answer = client.request("resources/unsubscribe", watched).value();
    assert_eq!(answer["result"], json!({}), "{answer}");
}

#[test]
fn the_log_level_goes_with_each_request() {
    let gateway = start();
    let client = &gateway.client;
    let answer = client
        .request("logging/setLevel", json!({"level": "info"}))
        .value();
    assert_eq!(answer["result"], json!({}), "{answer}");
    client.call("f_test_tool_with_logging", json!({}));
    let logged = client.receive_method("notifications/message").value();
    assert_eq!(logged["params"]["level"], "info", "{logged}");
}
