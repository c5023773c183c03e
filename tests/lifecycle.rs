//! Servers that are dead, absent, hanging or noisy harm nobody but themselves,
//! and one that crashes is back before long.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::time::{Duration, Instant};

use mcp_gateway_tests::{Gateway, Server, eventually};
use serde_json::json;

/// What a person takes for "at once, more or less".
const SECONDS: Duration = Duration::from_secs(8);

/// A bad server beside a healthy one: the healthy one is there at once, and a
/// call of the bad one is answered with an error that names it.
fn harms_nobody(bad: Server, words: &[&str]) {
    let name = bad.name().to_owned();
    let begun = Instant::now();
    let gateway = Gateway::with()
        .setting("ready_timeout = \"2s\"")
        .server(bad.setting("init_timeout = \"1s\""))
        .mirror()
        .start();
    assert!(gateway.client.tools().contains(&"m_echo".to_owned()));
    assert_eq!(
        gateway
            .client
            .call("m_echo", json!({"text": "here"}))
            .text(),
        "here"
    );
    assert!(begun.elapsed() < SECONDS, "{:?}", begun.elapsed());

    let answer = gateway
        .client
        .call(&format!("{name}_echo"), json!({"text": "x"}));
    assert!(answer.is_tool_error(), "{}", answer.raw);
    assert!(
        answer
            .text()
            .contains(&format!("server \"{name}\" is not available: ")),
        "{}",
        answer.raw
    );
    for words in words {
        assert!(
            answer.text().contains(words),
            "{words:?} is not in {}",
            answer.raw
        );
    }
}

#[test]
fn a_server_that_ends_at_once() {
    harms_nobody(
        Server::command("dead", "sh", &["-c", "exit 3"]),
        &["it exited with code 3"],
    );
}

#[test]
fn a_server_whose_command_does_not_exist() {
    let absent = Server::command("absent", "no-such-program-anywhere", &[]);
    harms_nobody(
        absent,
        &["\"no-such-program-anywhere\" was not found on the PATH"],
    );
}

#[test]
fn a_server_that_never_answers_initialize() {
    harms_nobody(
        Server::misbehaving("hanging", "hang"),
        &["it did not answer initialize within 1s"],
    );
}

#[test]
fn a_server_that_never_answers_and_never_stops_chattering() {
    harms_nobody(
        Server::misbehaving("noisy", "hang chatter"),
        &["did not answer initialize"],
    );
}

#[test]
fn a_server_that_never_lists_its_tools_keeps_nobody_elses_from_the_client() {
    let begun = Instant::now();
    let gateway = Gateway::with()
        .setting("ready_timeout = \"1s\"")
        .server(Server::misbehaving("mute", "mute"))
        .mirror()
        .start();
    assert!(gateway.client.tools().contains(&"m_echo".to_owned()));
    assert!(begun.elapsed() < SECONDS, "{:?}", begun.elapsed());
    gateway.log.wait("left out of the list");
}

#[test]
fn a_server_that_chatters_can_be_used_all_the_same() {
    let gateway = Gateway::with()
        .server(Server::misbehaving("m", "chatter"))
        .start();
    for n in 0..50 {
        let text = n.to_string();
        assert_eq!(
            gateway.client.call("m_echo", json!({"text": text})).text(),
            text
        );
    }
    assert!(!gateway.client.received().join("\n").contains("npm WARN"));
}

#[test]
fn initialize_is_answered_although_no_server_is_there() {
    let gateway = Gateway::with()
        .setting("ready_timeout = \"1s\"")
        .server(Server::misbehaving("hanging", "hang"))
        .start_silent();
    let begun = Instant::now();
    let welcome = gateway.client.initialize().value();
    assert!(begun.elapsed() < SECONDS);
    assert_eq!(welcome["result"]["protocolVersion"], json!("2025-06-18"));
    assert_eq!(
        welcome["result"]["capabilities"]["tools"]["listChanged"],
        json!(true)
    );
    assert_eq!(gateway.client.tools(), [""; 0]);
}

#[test]
fn a_server_that_crashes_during_calls_is_named_and_started_again() {
    let gateway = Gateway::with().mirror().start();
    let client = &gateway.client;
    let held = client.start_call("m_hold", json!({"key": "a"}));
    gateway.server().wait_for("holding a");
    let first = gateway.server().process("process");

    let crash = client.start_call("m_crash", json!({}));
    for call in [crash, held] {
        let answer = client.answer(&call);
        assert!(answer.is_tool_error(), "{}", answer.raw);
        assert!(
            answer
                .text()
                .contains("server \"m\" is not available: it exited with code 3"),
            "{}",
            answer.raw
        );
    }
    client.receive_method("notifications/tools/list_changed");
    eventually("the server to be back", || {
        !client
            .call("m_echo", json!({"text": "back"}))
            .is_tool_error()
    });
    let starts = gateway.server().diary();
    let starts: Vec<&String> = starts
        .iter()
        .filter(|line| line.starts_with("process "))
        .collect();
    assert_eq!(starts.len(), 2, "{starts:?}");
    assert_ne!(*starts[1], format!("process {first}"));
    // It was told what the first one was told.
    let received = gateway.server().received().join("\n");
    assert_eq!(received.matches("\"notifications/initialized\"").count(), 2);
}

#[test]
fn a_crash_of_one_server_is_nothing_to_another() {
    let gateway = Gateway::with().mirror().server(Server::mirror("n")).start();
    let held = gateway.client.start_call("n_hold", json!({"key": "a"}));
    gateway.server_named("n").wait_for("holding a");
    gateway.client.call("m_crash", json!({}));
    gateway.client.call("n_release", json!({"key": "a"}));
    assert_eq!(gateway.client.answer(&held).text(), "released");
}

#[test]
fn a_server_sees_only_the_variables_that_are_meant_for_it() {
    let server = Server::mirror("m").env("FOR_THE_SERVER", "1");
    let gateway = Gateway::with().server(server).start();
    let variables = gateway.server().wait_for("variables ");
    let variables: Vec<&str> = variables.split(' ').collect();
    for expected in ["PATH", "FOR_THE_SERVER"] {
        assert!(variables.contains(&expected), "{variables:?}");
    }
    // The gateway itself has this one.
    assert!(
        !variables.contains(&"MCP_GATEWAY_CACHE_DIR"),
        "{variables:?}"
    );
}

#[test]
fn two_servers_that_look_alike_are_kept_apart() {
    let gateway = Gateway::with()
        .mirror()
        .server(Server::mirror("m_two"))
        .start();
    let tools = gateway.client.tools();
    assert_eq!(
        tools.iter().filter(|name| name.ends_with("_echo")).count(),
        2
    );
    gateway
        .client
        .call("m_two_echo", json!({"text": "for two"}));
    assert!(
        gateway
            .server_named("m_two")
            .received()
            .join("\n")
            .contains("for two")
    );
    assert!(!gateway.server().received().join("\n").contains("for two"));
}

#[test]
fn two_thousand_calls_at_once_are_all_answered() {
    let setup = Gateway::with().setting("max_in_flight = 2000");
    let gateway = setup.mirror().start();
    let calls: Vec<String> = (0..2_000)
        .map(|_| gateway.client.start_call("m_big", json!({"bytes": 10_000})))
        .collect();
    for call in calls {
        assert_eq!(gateway.client.answer(&call).text().len(), 10_000);
    }
}

#[test]
fn two_servers_resources_are_read_where_they_are_listed() {
    let gateway = Gateway::with().mirror().server(Server::mirror("n")).start();
    let list = gateway.client.request("resources/list", json!({})).value();
    assert_eq!(
        list["result"]["resources"].as_array().unwrap().len(),
        2,
        "{list}"
    );
    let read = gateway
        .client
        .request("resources/read", json!({"uri": "mirror://note"}))
        .value();
    assert_eq!(
        read["result"]["contents"][0]["text"],
        json!("note"),
        "{read}"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_gateway_may_have_more_files_open_than_a_desktop_begins_with() {
    let gateway = Gateway::with()
        .mirror()
        .launched_by("sh", &["-c", "ulimit -Sn 64; exec \"$@\"", "sh"])
        .start();
    gateway.client.tools();
    let limits = format!("/proc/{}/limits", gateway.process());
    let limits = std::fs::read_to_string(limits).unwrap();
    let files = limits.lines().find(|it| it.starts_with("Max open files"));
    let soft = files.and_then(|it| it.split_whitespace().nth(3));
    let soft: u64 = soft.unwrap().parse().unwrap();
    assert!(soft > 64, "{limits}");
}
