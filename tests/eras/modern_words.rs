//! A modern client and a modern server: the gateway adds nothing but names.

use mcp_gateway_tests::guest;

use super::*;

#[test]
fn a_result_is_the_servers_own() {
    let gateway = in_front_of("modern")
        .setting("naming = \"bare\"")
        .start_silent();
    let modern = Modern::new(&gateway.client);
    let call = modern.call("test_simple_text", json!({})).value();
    assert_eq!(call["result"]["resultType"], "complete", "{call}");
    assert!(call["result"]["_meta"][SERVER_INFO].is_object(), "{call}");
    let refused = modern.call("test_no_such_tool", json!({})).value();
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
}

#[test]
fn a_question_and_its_state_pass_as_they_are() {
    let gateway = in_front_of("modern").start_silent();
    let modern = Modern::new(&gateway.client);
    let tool = "f_test_input_required_result_request_state";
    let question = modern.call(tool, json!({})).value();
    let name = &inputs(&question)[0].0;
    let given = json!({name: {"action": "accept", "content": {"ok": true}}});
    assert_eq!(modern.again(tool, &question, given).text(), "state-ok");
}

#[test]
fn a_listener_is_told_under_its_own_id() {
    let gateway = in_front_of("modern").start_silent();
    let modern = Modern::new(&gateway.client);
    let wants = json!({"notifications": {"toolsListChanged": true}});
    let listening = modern.start("subscriptions/listen", wants.clone());
    let acknowledged = gateway
        .client
        .receive_method("notifications/subscriptions/acknowledged")
        .value();
    assert_eq!(
        acknowledged["params"]["notifications"],
        wants["notifications"]
    );
    modern.call("f_test_trigger_tool_change", json!({}));
    let told = gateway
        .client
        .receive_method("notifications/tools/list_changed")
        .value();
    assert_eq!(told["params"]["_meta"][SUBSCRIPTION].to_string(), listening);
}

#[test]
fn a_request_that_does_not_say_enough_is_refused() {
    let gateway = in_front_of("modern").start_silent();
    let client = &gateway.client;
    let modern = Modern::new(client);
    modern.call("f_test_simple_text", json!({}));
    let meta = json!({VERSION: "2026-07-28"});
    let refused = client.request("tools/list", json!({"_meta": meta})).value();
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    let meta = json!({VERSION: "1900-01-01", CAPABILITIES: {}});
    let refused = client.request("tools/list", json!({"_meta": meta})).value();
    assert_eq!(refused["error"]["code"], -32022, "{refused}");
    assert_eq!(
        refused["error"]["data"],
        json!({"supported": ["2026-07-28"], "requested": "1900-01-01"})
    );
    for method in ["ping", "logging/setLevel", "resources/subscribe"] {
        let refused = modern.request(method, json!({})).value();
        assert_eq!(refused["error"]["code"], -32601, "{refused}");
    }
}

#[test]
fn what_a_guardrail_stops_is_a_complete_result() {
    let settings = "config = { fault = \"block\" }\nonly = { methods = [\"tools/call\"] }";
    let setup = in_front_of("modern").guardrail(guest("guest_faulty"), settings);
    let gateway = setup.start_silent();
    let modern = Modern::new(&gateway.client);
    let stopped = modern
        .call("f_test_custom_headers", json!({"text": "FAULT"}))
        .value();
    assert_eq!(stopped["result"]["isError"], true, "{stopped}");
    assert_eq!(stopped["result"]["resultType"], "complete", "{stopped}");
}

#[test]
fn what_a_guardrail_has_changed_is_not_for_caches_that_others_share() {
    let read = |word: &str| {
        let settings = format!("config = {{ word = \"{word}\" }}");
        let setup = in_front_of("modern").guardrail(guest("guest_faulty"), &settings);
        let gateway = setup.start_silent();
        let uri = json!({"uri": "test://static-text"});
        Modern::new(&gateway.client)
            .request("resources/read", uri)
            .value()
    };
    let unchanged = read("ELEPHANT");
    assert_eq!(unchanged["result"]["cacheScope"], "public", "{unchanged}");
    assert_eq!(unchanged["result"]["ttlMs"], 60_000);
    let changed = read("static text");
    assert_eq!(changed["result"]["cacheScope"], "private", "{changed}");
}
