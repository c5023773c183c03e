//! Several servers as one: whose a resource, a task and a notification are,
//! lists that are too long for one answer, and definitions that are no good.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "aggregation/lists.rs"]
mod lists;
#[path = "aggregation/real.rs"]
mod real;

use mcp_gateway_tests::{Gateway, Received, Server, Setup, eventually};
use serde_json::{Value, json};

/// Two mirrors of these names, each with these variables.
fn two(one: &[(&str, &str)], other: &[(&str, &str)]) -> Setup {
    let mirror = |name: &str, variables: &[(&str, &str)]| {
        let mirror = Server::mirror(name);
        variables
            .iter()
            .fold(mirror, |mirror, (name, value)| mirror.env(name, value))
    };
    Gateway::with()
        .server(mirror("one", one))
        .server(mirror("other", other))
}

/// The strings under a key of a list's items.
fn items(answer: &Received, list: &str, key: &str) -> Vec<String> {
    let value = answer.value();
    let items = value["result"][list].as_array();
    let items = items.unwrap_or_else(|| panic!("no {list} in {value}"));
    let text = |item: &Value| item[key].as_str().unwrap_or_default().to_owned();
    items.iter().map(text).collect()
}

fn read(gateway: &Gateway, uri: &str) -> Value {
    let read = gateway
        .client
        .request("resources/read", json!({ "uri": uri }));
    read.value()
}

/// Whether a server has received a request of this method that contains this.
fn has_received(gateway: &Gateway, server: &str, method: &str, part: &str) -> bool {
    let received = gateway.server_named(server).received();
    received
        .iter()
        .any(|line| line.contains(&format!("\"method\":\"{method}\"")) && line.contains(part))
}

#[test]
fn a_uri_of_two_servers_leads_to_each() {
    let gateway = two(&[], &[]).start();
    let client = &gateway.client;
    let list = client.request("resources/list", json!({}));
    let uris = items(&list, "resources", "uri");
    assert_eq!(uris, ["mirror://note", "mcp-gateway://other/mirror://note"]);
    let templates = client.request("resources/templates/list", json!({}));
    let templates = items(&templates, "resourceTemplates", "uriTemplate");
    assert_eq!(
        templates,
        ["mirror://{text}", "mcp-gateway://other/mirror://{text}"]
    );

    for (server, uri) in ["one", "other"].into_iter().zip(&uris) {
        let contents = &read(&gateway, uri)["result"]["contents"][0];
        assert_eq!(contents["uri"], json!(uri));
        assert_eq!(contents["text"], json!("note"));
        for method in [
            "resources/read",
            "resources/subscribe",
            "resources/unsubscribe",
        ] {
            let answer = client.request(method, json!({ "uri": uri })).value();
            assert!(answer["error"].is_null(), "{answer}");
            assert!(has_received(&gateway, server, method, r#""mirror://note""#));
        }
    }
    // What the template of the other expands to.
    let contents = &read(&gateway, "mcp-gateway://other/mirror://x%20y")["result"]["contents"][0];
    assert_eq!(contents["text"], json!("x%20y"));
    assert!(has_received(
        &gateway,
        "other",
        "resources/read",
        r#""mirror://x%20y""#
    ));
    assert!(!has_received(&gateway, "one", "resources/read", "x%20y"));
}

#[test]
fn a_change_of_a_resource_is_told_by_the_uri_that_the_client_knows() {
    let gateway = two(&[], &[]).start();
    let client = &gateway.client;
    client.request("resources/list", json!({}));
    let updated = r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"mirror://note","x":1.0}}"#;
    let done = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
    for (tool, uri) in [
        ("one_say", "mirror://note"),
        ("other_say", "mcp-gateway://other/mirror://note"),
    ] {
        client.call(tool, json!({"lines": [updated, done]}));
        let note = client.receive_method("notifications/resources/updated");
        assert_eq!(note.raw, updated.replace("mirror://note", uri));
    }
}

#[test]
fn a_resource_that_is_not_listed_is_read_where_a_template_matches() {
    let gateway = two(
        &[
            ("MIRROR_TEMPLATES", "{+anything}"),
            ("MIRROR_READS", "mirror:"),
        ],
        &[("MIRROR_TEMPLATES", "mirror://by-id/{id}")],
    )
    .start();
    gateway
        .client
        .request("resources/templates/list", json!({}));
    let contents = &read(&gateway, "mirror://by-id/7")["result"]["contents"][0];
    assert_eq!(contents["text"], json!("by-id/7"));
    assert!(has_received(&gateway, "other", "resources/read", "by-id/7"));
    assert!(!has_received(&gateway, "one", "resources/read", "by-id/7"));
}

#[test]
fn a_resource_that_nobody_has_listed_is_found_where_it_is() {
    let gateway = two(
        &[("MIRROR_READS", "a:"), ("MIRROR_RESOURCES", "a://x")],
        &[("MIRROR_READS", "b:"), ("MIRROR_RESOURCES", "")],
    )
    .start();
    for (server, uri) in [("one", "a://1"), ("other", "b://1"), ("other", "b://1")] {
        let answer = read(&gateway, uri);
        assert_eq!(
            answer["result"]["contents"][0]["uri"],
            json!(uri),
            "{answer}"
        );
        assert!(has_received(&gateway, server, "resources/read", uri));
    }
    // Once it is known where it is, nobody else is asked.
    let asked = gateway.server_named("one").received();
    assert_eq!(
        asked.iter().filter(|line| line.contains("b://1")).count(),
        1
    );

    // The error of whoever would likeliest have it is passed on.
    let answer = read(&gateway, "c://1");
    assert_eq!(answer["error"]["code"], json!(-32002), "{answer}");
    assert_eq!(answer["error"]["data"], json!({"x-data": [1]}));
    for server in ["one", "other"] {
        assert!(has_received(&gateway, server, "resources/read", "c://1"));
    }
}

#[test]
fn a_resource_that_a_result_links_to_is_read_where_the_result_came_from() {
    let gateway = two(&[("MIRROR_READS", "x:")], &[("MIRROR_READS", "x:")]).start();
    let link = json!({"content": [
        {"type": "resource_link", "uri": "x://linked", "name": "l"},
        {"type": "resource", "resource": {"uri": "x://embedded", "text": "t"}},
    ]});
    let result = gateway.client.call("other_raw", json!({ "result": link }));
    assert_eq!(result.value()["result"], link);
    for uri in ["x://linked", "x://embedded"] {
        read(&gateway, uri);
        assert!(has_received(&gateway, "other", "resources/read", uri));
        assert!(!has_received(&gateway, "one", "resources/read", uri));
    }
}

#[test]
fn a_task_is_asked_for_where_it_runs() {
    let gateway = two(
        &[("MIRROR_TASKS", "t1 both")],
        &[("MIRROR_TASKS", "t2 both")],
    );
    let gateway = gateway.start_silent();
    let client = &gateway.client;
    let welcome = client.initialize().value();
    let offered = &welcome["result"]["capabilities"]["tasks"];
    assert_eq!(offered["requests"]["tools"]["call"], json!({}), "{welcome}");

    // A call makes a task.
    let made = json!({"task": {"taskId": "t2", "status": "working"}});
    client.call("other_raw", json!({ "result": made }));
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        let answer = client.request(method, json!({"taskId": "t2"})).value();
        assert_eq!(answer["result"]["taskId"], json!("t2"), "{answer}");
        assert!(!has_received(&gateway, "one", method, "t2"));
    }
    // A list and a notification name some.
    let list = client.request("tasks/list", json!({}));
    assert_eq!(
        items(&list, "tasks", "taskId"),
        ["t1", "both", "t2", "both"]
    );
    client.request("tasks/get", json!({"taskId": "both"}));
    assert!(has_received(&gateway, "one", "tasks/get", "both"));
    assert!(!has_received(&gateway, "other", "tasks/get", "both"));
}

#[test]
fn a_task_that_is_not_known_is_searched_for() {
    let gateway = two(&[("MIRROR_TASKS", "t1")], &[("MIRROR_TASKS", "t2")]).start();
    let client = &gateway.client;
    let answer = client.request("tasks/get", json!({"taskId": "t2"})).value();
    assert_eq!(answer["result"]["taskId"], json!("t2"), "{answer}");
    let answer = client.request("tasks/get", json!({"taskId": "t3"})).value();
    assert_eq!(answer["error"]["message"], json!("Unknown task"));
}

#[test]
fn the_status_of_a_clients_task_goes_to_whoever_asked_for_it() {
    let gateway = two(&[], &[]).start();
    let client = &gateway.client;
    let call = client.start_call("other_ask", json!({"method": "sampling/createMessage"}));
    let asked = client.receive_method("sampling/createMessage");
    let answer = json!({"jsonrpc": "2.0", "id": null, "result": {"task": {"taskId": "c1", "status": "working"}}});
    client.send_raw(&answer.to_string().replace("null", &asked.id.unwrap()));
    client.answer(&call);
    client.notify(
        "notifications/tasks/status",
        json!({"taskId": "c1", "status": "completed"}),
    );
    gateway
        .server_named("other")
        .wait_to_receive("notifications/tasks/status");
    client.notify("notifications/roots/list_changed", json!({}));
    for server in ["one", "other"] {
        gateway
            .server_named(server)
            .wait_to_receive("notifications/roots/list_changed");
    }
    assert!(!has_received(
        &gateway,
        "one",
        "notifications/tasks/status",
        "c1"
    ));
}

#[test]
fn a_method_that_nobody_knows_is_refused_with_the_servers_names() {
    let gateway = two(&[], &[]).start();
    let answer = gateway.client.request("com.example/custom", json!({}));
    let error = &answer.value()["error"];
    assert_eq!(error["code"], json!(-32601));
    assert_eq!(
        error["data"],
        json!({"method": "com.example/custom", "servers": ["one", "other"]})
    );
}

#[test]
fn a_completion_is_asked_for_by_the_servers_own_name() {
    let gateway = two(&[], &[]).start();
    let complete = |reference: Value| {
        let argument = json!({"name": "text", "value": "a"});
        gateway.client.request(
            "completion/complete",
            json!({"ref": reference, "argument": argument}),
        );
    };
    complete(json!({"type": "ref/prompt", "name": "other_say"}));
    gateway
        .client
        .request("resources/templates/list", json!({}));
    complete(json!({"type": "ref/resource", "uri": "mcp-gateway://other/mirror://{text}"}));
    let asked = |server, part| has_received(&gateway, server, "completion/complete", part);
    for part in [r#""name":"say""#, r#""uri":"mirror://{text}""#] {
        assert!(asked("other", part), "{part}");
        assert!(!asked("one", part), "{part}");
    }
}

#[test]
fn a_server_that_starts_again_is_told_again() {
    let gateway = two(&[], &[]).start();
    let client = &gateway.client;
    client.request("resources/list", json!({}));
    client.request("logging/setLevel", json!({"level": "error"}));
    for uri in ["mirror://note", "mirror://gone"] {
        client.request("resources/subscribe", json!({ "uri": uri }));
    }
    client.request("resources/unsubscribe", json!({"uri": "mirror://gone"}));
    let times = |part: &str| {
        let received = gateway.server_named("one").received();
        received.iter().filter(|line| line.contains(part)).count()
    };
    assert_eq!(times("logging/setLevel"), 1);
    client.call("one_crash", json!({}));
    eventually("the level and the subscription", || {
        times("logging/setLevel") == 2
            && times(r#"resources/subscribe","params":{"uri":"mirror://note""#) == 2
    });
    assert_eq!(
        times(r#"resources/subscribe","params":{"uri":"mirror://gone""#),
        1
    );
    assert_eq!(
        gateway
            .server_named("other")
            .received()
            .iter()
            .filter(|line| line.contains("setLevel"))
            .count(),
        1
    );
}

/// Asks as a client of the modern era does; returns the id of the request.
fn start_modern(gateway: &Gateway, method: &str, mut params: Value) -> String {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    gateway.client.start(method, params)
}

#[test]
fn a_modern_client_sees_several_servers_as_one() {
    let gateway = two(&[], &[]).start_silent();
    let client = &gateway.client;
    let ask = |method, params| {
        let id = start_modern(&gateway, method, params);
        client.answer(&id).value()["result"].clone()
    };
    ask("server/discover", json!({}));
    let list = ask("tools/list", json!({}));
    let named = |list: &Value| list["_meta"]["io.modelcontextprotocol/serverInfo"]["name"].clone();
    assert_eq!(list["resultType"], json!("complete"), "{list}");
    assert_eq!(list["ttlMs"], json!(0));
    assert_eq!(list["cacheScope"], json!("private"));
    assert_eq!(named(&list), json!("mcp-gateway"));
    let call = json!({"name": "other_echo", "arguments": {"text": "a"}});
    assert_eq!(named(&ask("tools/call", call)), json!("mirror"));

    ask("resources/list", json!({}));
    let uris = ["mcp-gateway://other/mirror://note", "mirror://note"];
    let wants = json!({"resourceSubscriptions": uris, "toolsListChanged": true});
    let listening = start_modern(
        &gateway,
        "subscriptions/listen",
        json!({"notifications": wants}),
    );
    let acknowledged = client.receive_method("notifications/subscriptions/acknowledged");
    assert_eq!(acknowledged.value()["params"]["notifications"], wants);
    for server in ["one", "other"] {
        assert!(has_received(
            &gateway,
            server,
            "resources/subscribe",
            r#""mirror://note""#
        ));
    }
    let updated = r#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"mirror://note"}}"#;
    let done = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
    for (tool, uri) in [("other_say", uris[0]), ("one_say", uris[1])] {
        ask(
            "tools/call",
            json!({"name": tool, "arguments": {"lines": [updated, done]}}),
        );
        let params = &client
            .receive_method("notifications/resources/updated")
            .value()["params"];
        assert_eq!(params["uri"], json!(uri));
        let id = params["_meta"]["io.modelcontextprotocol/subscriptionId"].to_string();
        assert_eq!(id, listening);
    }
}
