//! Lists of several servers: their pages, the names in them, what is wrong with
//! some, and what is said when they change.

use mcp_gateway_tests::{Gateway, Received, Server, Setup, eventually, guest};
use serde_json::json;

use super::{has_received, items, two};

/// All pages of a list, as a client gets them.
fn pages(gateway: &Gateway, method: &str) -> Vec<Received> {
    let mut pages = vec![gateway.client.request(method, json!({}))];
    while let Some(cursor) = pages.last().unwrap().value()["result"].get("nextCursor") {
        let page = gateway.client.request(method, json!({ "cursor": cursor }));
        pages.push(page);
        assert!(pages.len() < 100);
    }
    pages
}

#[test]
fn a_list_that_is_too_long_for_one_answer_has_pages() {
    let gateway = two(
        &[("MIRROR_GROWN", "6000"), ("MIRROR_PAGE", "1000")],
        &[("MIRROR_GROWN", "3000"), ("MIRROR_PAGE", "700")],
    )
    .start();
    let pages = pages(&gateway, "tools/list");
    let sizes: Vec<usize> = pages
        .iter()
        .map(|page| items(page, "tools", "name").len())
        .collect();
    assert!(sizes.len() == 2 && sizes[0] >= 5000, "{sizes:?}");
    let names: Vec<String> = pages
        .iter()
        .flat_map(|page| items(page, "tools", "name"))
        .collect();
    let grown = |server: &str, count: usize| {
        (1..=count)
            .map(|n| format!("{server}_grown_{n}"))
            .collect::<Vec<_>>()
    };
    let listed: Vec<_> = names
        .iter()
        .filter(|name| name.contains("_grown_"))
        .collect();
    let expected: Vec<_> = grown("one", 6000)
        .into_iter()
        .chain(grown("other", 3000))
        .collect();
    assert_eq!(listed, expected.iter().collect::<Vec<_>>());

    let cursor = pages[0].value()["result"]["nextCursor"].clone();
    for (method, cursor) in [("tools/list", json!("2")), ("prompts/list", cursor)] {
        let answer = gateway.client.request(method, json!({ "cursor": cursor }));
        let error = &answer.value()["error"];
        assert_eq!(error["code"], json!(-32602), "{error}");
        assert!(
            error["message"]
                .as_str()
                .unwrap()
                .contains("unknown cursor")
        );
    }
}

#[test]
fn a_wrapped_servers_pages_are_passed_on_as_they_are() {
    let gateway = Gateway::with()
        .setting("naming = \"bare\"")
        .server(Server::mirror("m").env("MIRROR_PAGE", "4"))
        .start();
    let pages = pages(&gateway, "tools/list");
    assert_eq!(pages.len(), 4);
    assert_eq!(pages[0].value()["result"]["nextCursor"], json!("4"));
    assert_eq!(pages[0].value()["result"]["x-list"], json!(1));
    // What the server says of a method that it does not know, it says itself.
    let answer = gateway.client.request("tasks/list", json!({})).value();
    assert_eq!(answer["error"]["data"], json!({"x-data": [1]}), "{answer}");
}

#[test]
fn bad_definitions_cost_nobody_a_list() {
    let huge = format!(
        r#"{{"name":"huge","description":"{}"}}"#,
        "x".repeat(100_000)
    );
    let bad = [
        r#"{"name":7}"#,
        r#"{"description":"no name"}"#,
        r#""not an object""#,
        "null",
        r#"{"name":"twice","name":"one_echo"}"#,
        r#"{"name":"echo","title":"again"}"#,
        &huge,
    ];
    let gateway = two(&[], &[("MIRROR_TOOLS", &bad.join(","))]).start();
    let list = gateway.client.request("tools/list", json!({}));
    let names = items(&list, "tools", "name");
    for name in ["one_echo", "other_echo", "other_crash", "other_huge"] {
        assert!(
            names.iter().any(|listed| listed == name),
            "{name} in {names:?}"
        );
    }
    // A client could take the second of two names for the one's tool.
    assert_eq!(names.iter().filter(|name| *name == "one_echo").count(), 1);
    assert!(!list.raw.contains("twice"));
    assert!(list.raw.contains(r#"{"name":7}"#));
    assert_eq!(
        gateway
            .client
            .call("other_echo", json!({"text": "a"}))
            .text(),
        "a"
    );
}

#[test]
fn a_name_with_a_suffix_is_known_before_it_is_listed() {
    let dotted = r#"{"name":"dotted.name","inputSchema":{"type":"object"}}"#;
    let setup = || two(&[], &[("MIRROR_TOOLS", dotted)]);
    let names = setup().start().client.tools();
    let name = names
        .iter()
        .find(|name| name.starts_with("other_dotted_name_"));
    let name = name.unwrap_or_else(|| panic!("{names:?}"));

    let gateway = setup().start();
    let answer = gateway.client.call(name, json!({})).value();
    assert_eq!(
        answer["error"]["message"],
        json!("Unknown tool: dotted.name")
    );
    let answer = gateway.client.call("other_dotted_name_00000000", json!({}));
    let answer = answer.value();
    assert_eq!(
        answer["error"]["message"],
        json!("Unknown tool: dotted_name_00000000")
    );
}

#[test]
fn a_bare_name_is_looked_up_where_there_are_several_servers_and_only_there() {
    let bare = |setup: Setup| setup.setting("naming = \"bare\"").start();
    let gateway = bare(two(&[], &[("MIRROR_TOOLS", r#"{"name":"own"}"#)]));
    let answer = gateway.client.call("own", json!({})).value();
    assert_eq!(answer["error"]["message"], json!("Unknown tool: own"));
    assert!(has_received(&gateway, "other", "tools/call", "own"));
    let answer = gateway.client.call("nobodys", json!({})).value();
    assert_eq!(answer["error"]["message"], json!("Unknown tool: nobodys"));
    assert!(!has_received(&gateway, "other", "tools/call", "nobodys"));

    let gateway = bare(Gateway::with().mirror());
    gateway.client.call("looks_hashed_0123abcd", json!({}));
    assert!(!has_received(&gateway, "m", "tools/list", ""));
}

#[test]
fn a_server_whose_page_is_blocked_is_left_out_and_the_others_are_not() {
    let gateway = two(&[], &[("MIRROR_DESCRIPTION", "FAULT")])
        .guardrail(guest("guest_faulty"), r#"config = { fault = "trap" }"#)
        .start();
    let names = gateway.client.tools();
    assert!(names.contains(&"one_echo".to_owned()));
    assert!(
        !names.iter().any(|name| name.starts_with("other_")),
        "{names:?}"
    );
    gateway.log.wait("left out of the list");
}

#[test]
fn many_changes_of_a_list_become_few_notifications() {
    let gateway = two(&[], &[]).start();
    let client = &gateway.client;
    let changed = r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;
    let done = r#"{"jsonrpc":"2.0","id":$id,"result":{"content":[]}}"#;
    let mut lines = vec![changed; 50];
    lines.push(done);
    client.call("one_say", json!({ "lines": lines }));
    // The first came before the answer, and the last change is not lost.
    let arrived = |received: &[String]| received.iter().filter(|line| *line == changed).count();
    let received = client.received();
    assert!(received.last().unwrap().contains("\"result\""));
    let before = arrived(&received);
    assert!((1..10).contains(&before), "{before}");
    eventually("the folded notification", || {
        arrived(&client.received()) > before
    });
}

#[test]
fn a_server_that_lists_the_same_after_a_restart_is_not_announced() {
    let gateway = two(&[], &[]).start();
    let client = &gateway.client;
    let changes = || {
        let received = client.received();
        let changed = received
            .iter()
            .filter(|line| line.contains("tools/list_changed"));
        changed.count()
    };
    let asked = |times: usize| {
        eventually("the gateway to ask again", || {
            let received = gateway.server_named("one").received();
            received
                .iter()
                .filter(|line| line.contains("tools/list"))
                .count()
                == times
        });
    };
    let before = client.tools();
    client.call("one_crash", json!({}));
    asked(2);
    assert_eq!(
        client.call("one_echo", json!({"text": "back"})).text(),
        "back"
    );
    assert_eq!(client.tools(), before);
    assert_eq!(changes(), 0);

    // It forgets in a restart what has grown.
    client.call("one_grow", json!({}));
    assert_eq!(changes(), 1);
    assert_eq!(client.tools().len(), before.len() + 1);
    client.call("one_crash", json!({}));
    eventually("the change to be told", || changes() == 2);
    assert_eq!(client.tools(), before);
}
