//! The configuration file changes while the gateway runs: servers and
//! guardrails come and go, and a file with an error changes nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;

use mcp_gateway_tests::{Gateway, Server, alive, eventually, guest};
use serde_json::json;

/// Makes the configuration file another one.
fn rewrite(gateway: &Gateway, change: impl FnOnce(String) -> String) {
    let text = fs::read_to_string(&gateway.config).unwrap();
    Gateway::rename_over(&gateway.config, change(text).as_bytes());
}

#[test]
fn a_server_is_added_and_removed() {
    let gateway = Gateway::with().mirror().start();
    let alone = gateway.client.tools();
    let another = Server::mirror("other").toml();
    rewrite(&gateway, |text| text + &another);
    gateway.log.wait("the configuration was reloaded");
    gateway
        .client
        .receive_method("notifications/tools/list_changed");
    eventually("the new server's tools", || {
        gateway.client.tools().contains(&"other_echo".to_owned())
    });
    assert_eq!(
        gateway
            .client
            .call("other_echo", json!({"text": "new"}))
            .text(),
        "new"
    );
    assert_eq!(
        gateway.client.call("m_echo", json!({"text": "old"})).text(),
        "old"
    );
    // The server that stays was not started again.
    let starts = gateway.server().diary();
    assert_eq!(
        starts
            .iter()
            .filter(|line| line.starts_with("process "))
            .count(),
        1
    );

    rewrite(&gateway, |text| text.replace(&another, ""));
    eventually("the end of the new server's tools", || {
        gateway.client.tools() == alone
    });
}

#[test]
fn a_server_that_is_configured_anew_takes_over_from_the_old_one() {
    // The old one takes its time to end, while the new one is in use.
    let gateway = Gateway::with().server(Server::stubborn("m")).start();
    let old = gateway.server().process("process");
    gateway.client.call("m_echo", json!({"text": "old"}));
    rewrite(&gateway, |text| {
        text.replace("[servers.m]", "[servers.m]\ninit_timeout = \"33s\"")
    });
    gateway.log.wait("the configuration was reloaded");
    let key = json!({"key": "held"});
    eventually("the new server", || {
        let process = gateway.client.call("m_echo", json!({"text": "new"}));
        !process.is_tool_error()
    });
    let held = gateway.client.start_call("m_hold", key.clone());
    eventually("the end of the old server", || !alive(old));
    gateway.client.call("m_release", key);
    let answer = gateway.client.answer(&held);
    assert!(!answer.is_tool_error(), "{}", answer.raw);
    let restarts = gateway
        .log
        .events()
        .into_iter()
        .filter(|event| event.message().contains("server is down"));
    assert_eq!(restarts.count(), 0);
}

#[test]
fn a_guardrails_mode_changes() {
    let gateway = Gateway::with()
        .mirror()
        .guardrail(guest("guardrail_codename"), "mode = \"warn\"")
        .start();
    let said = || {
        gateway
            .client
            .call("m_echo", json!({"text": "BLUEBIRD"}))
            .text()
    };
    assert_eq!(said(), "BLUEBIRD");
    rewrite(&gateway, |text| text.replace("\"warn\"", "\"enforce\""));
    gateway.log.wait("the configuration was reloaded");
    assert_eq!(said(), "<CODENAME>");
    rewrite(&gateway, |text| text.replace("\"enforce\"", "\"off\""));
    eventually("the guardrail to be off", || said() == "BLUEBIRD");
}

#[test]
fn a_broken_file_of_one_guardrail_does_not_hold_up_changes_elsewhere() {
    let setup = Gateway::with().mirror();
    let file = setup.folder().join("rule.wasm");
    fs::copy(guest("guardrail_codename"), &file).unwrap();
    let gateway = setup.guardrail(&file, "").start();
    let said = || {
        let text = json!({"text": "BLUEBIRD ann@example.org"});
        gateway.client.call("m_echo", text).text()
    };
    assert_eq!(said(), "<CODENAME> ann@example.org");
    Gateway::rename_over(&file, b"broken");
    gateway.log.wait("the old build goes on serving");
    let email = guest("guardrail_email");
    rewrite(&gateway, |text| {
        format!(
            "{text}\n[[guardrails]]\nuse = {:?}\n",
            email.display().to_string()
        )
    });
    eventually("both guardrails", || said() == "<CODENAME> <EMAIL>");
}

#[test]
fn a_guardrails_own_configuration_changes() {
    let gateway = Gateway::with()
        .mirror()
        .guardrail(guest("guest_faulty"), "config = { word = \"one\" }")
        .start();
    let said = || {
        gateway
            .client
            .call("m_echo", json!({"text": "one two"}))
            .text()
    };
    assert_eq!(said(), "<MASKED> two");
    rewrite(&gateway, |text| text.replace("\"one\"", "\"two\""));
    eventually("the new configuration", || said() == "one <MASKED>");
}

#[test]
fn a_guardrail_is_added() {
    let gateway = Gateway::with().mirror().start();
    let said = || {
        gateway
            .client
            .call("m_echo", json!({"text": "BLUEBIRD"}))
            .text()
    };
    assert_eq!(said(), "BLUEBIRD");
    let component = guest("guardrail_codename");
    rewrite(&gateway, |text| {
        format!(
            "{text}\n[[guardrails]]\nuse = {:?}\n",
            component.to_str().unwrap()
        )
    });
    eventually("the new guardrail", || said() == "<CODENAME>");
}

#[test]
fn a_file_with_errors_changes_nothing_and_each_is_named_with_its_line() {
    let gateway = Gateway::with()
        .mirror()
        .guardrail(guest("guardrail_codename"), "")
        .start();
    rewrite(&gateway, |text| {
        text.replace(
            "[[guardrails]]",
            "[[guardrails]]\nmod = \"off\"\non_error = \"ignore\"",
        )
    });
    let event = gateway.log.wait("the configuration stays as it was");
    let text = fs::read_to_string(&gateway.config).unwrap();
    for (part, words) in [
        ("mod = ", "did you mean \"mode\"?"),
        ("on_error", "\"ignore\""),
    ] {
        let line = text
            .lines()
            .position(|line| line.starts_with(part))
            .unwrap()
            + 1;
        let place = format!("gateway.toml:{line}:");
        let found = event
            .message()
            .lines()
            .any(|line| line.contains(&place) && line.contains(words));
        assert!(found, "{place} {words}: {}", event.message());
    }
    assert_eq!(
        gateway
            .client
            .call("m_echo", json!({"text": "BLUEBIRD"}))
            .text(),
        "<CODENAME>"
    );
}

#[test]
fn a_guardrail_that_does_not_load_changes_nothing() {
    let gateway = Gateway::with()
        .mirror()
        .guardrail(guest("guardrail_codename"), "")
        .start();
    let refused = guest("guest_sockets");
    rewrite(&gateway, |text| {
        format!(
            "{text}\n[[guardrails]]\nuse = {:?}\n",
            refused.to_str().unwrap()
        )
    });
    let event = gateway.log.wait("the configuration stays as it was");
    assert!(event.message().contains("wasi:sockets/"), "{}", event.raw);
    assert_eq!(
        gateway
            .client
            .call("m_echo", json!({"text": "BLUEBIRD"}))
            .text(),
        "<CODENAME>"
    );
}

#[test]
fn a_file_that_was_refused_is_tried_again_when_the_component_that_it_names_is_there() {
    let gateway = Gateway::with().mirror().start();
    let component = gateway.folder().join("late").join("rule.wasm");
    rewrite(&gateway, |text| {
        format!("{text}\n[[guardrails]]\nuse = {component:?}\n")
    });
    let event = gateway.log.wait("the configuration stays as it was");
    assert!(event.message().contains("cannot read"), "{}", event.raw);
    fs::create_dir(component.parent().unwrap()).unwrap();
    fs::copy(guest("guardrail_codename"), &component).unwrap();
    gateway.log.wait("the configuration was reloaded");
    let said = gateway.client.call("m_echo", json!({"text": "BLUEBIRD"}));
    assert_eq!(said.text(), "<CODENAME>");
}
