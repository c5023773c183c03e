//! How client and server find out of which era the other one is.

use super::*;

#[test]
fn a_client_that_discovers_and_then_initializes_gets_a_legacy_session() {
    for era in ["dual", "legacy", "modern"] {
        let gateway = in_front_of(era).start_silent();
        let modern = Modern::new(&gateway.client);
        let discovered = modern.request("server/discover", json!({})).value();
        assert_eq!(discovered["result"]["resultType"], "complete", "{era}");
        let opened = gateway.client.initialize_with(everything()).value();
        assert_eq!(
            opened["result"]["protocolVersion"], "2025-06-18",
            "{era}: {opened}"
        );
        assert!(
            opened["result"]["capabilities"]["tools"].is_object(),
            "{era}: {opened}"
        );
        let call = gateway.client.call("f_test_simple_text", json!({})).value();
        assert!(call["result"].get("resultType").is_none(), "{era}: {call}");
    }
}

#[test]
fn a_server_of_both_eras_is_met_in_the_clients_own() {
    let gateway = in_front_of("dual").start();
    let call = gateway.client.call("f_test_simple_text", json!({})).value();
    assert!(call["result"].get("_meta").is_none(), "{call}");

    let gateway = in_front_of("dual").start_silent();
    let call = Modern::new(&gateway.client).call("f_test_simple_text", json!({}));
    let server = &call.value()["result"]["_meta"][SERVER_INFO];
    assert!(server.is_object(), "{}", call.raw);
}

#[test]
fn the_configuration_can_say_of_which_era_a_server_is() {
    let server = fixture("dual").setting("protocol = \"modern\"");
    let gateway = Gateway::with().server(server).start_silent();
    gateway.client.initialize_with(everything());
    let call = gateway
        .client
        .start_call("f_test_input_required_result_elicitation", json!({}));
    let form = gateway.client.receive_method("elicitation/create");
    // A legacy server asks by requests of its own, whose ids are its business;
    // either way the client can't tell.
    reply(
        &gateway.client,
        &form,
        &json!({"action": "accept", "content": {"name": "A"}}),
    );
    assert_eq!(gateway.client.answer(&call).text(), "Hello, A!");

    let server = fixture("modern").setting("protocol = \"legacy\"");
    let gateway = Gateway::with().server(server).start();
    let call = gateway.client.call("f_test_simple_text", json!({}));
    assert!(call.is_tool_error(), "{}", call.raw);
}

#[test]
fn servers_of_both_eras_are_one_for_either_client() {
    let both = || {
        let named =
            |name: &str, era: &str| script_server(name, "fixture.py", &["--era", era, "stdio"]);
        let setup = Gateway::with().server(named("old", "legacy"));
        setup.server(named("new", "modern")).start_silent()
    };
    let gateway = both();
    gateway.client.initialize_with(everything());
    let tools = gateway.client.tools();
    for server in ["old", "new"] {
        assert!(
            tools.contains(&format!("{server}_test_simple_text")),
            "{tools:?}"
        );
        let call = gateway
            .client
            .call(&format!("{server}_test_simple_text"), json!({}));
        assert!(call.value()["result"].get("resultType").is_none());
    }

    let gateway = both();
    let modern = Modern::new(&gateway.client);
    let list = modern.request("tools/list", json!({})).value();
    assert_eq!(list["result"]["resultType"], "complete", "{list}");
    assert_eq!(list["result"]["cacheScope"], "private");
    for server in ["old", "new"] {
        let call = modern
            .call(&format!("{server}_test_simple_text"), json!({}))
            .value();
        assert_eq!(call["result"]["resultType"], "complete", "{call}");
    }
}

#[test]
fn initialize_after_discover_does_not_wait_for_what_that_has_begun() {
    let closed = std::env::temp_dir().join("mcp-gateway-tests-a-gate-that-stays-closed");
    let server = Server::mirror("m").env("MIRROR_GATE", &closed.to_string_lossy());
    let gateway = Gateway::with().server(server).start_silent();
    Modern::new(&gateway.client).start("server/discover", json!({}));
    gateway.server().wait_to_receive("initialize");
    let client = json!({"name": "tests", "version": "1"});
    gateway.client.start(
        "initialize",
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client}),
    );
    // The client's own words reach the server while the first one is still silent.
    gateway
        .server()
        .wait_to_receive("\"protocolVersion\":\"2025-06-18\"");
}
