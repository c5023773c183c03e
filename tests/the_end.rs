//! However the gateway ends, everything that it started ends with it, within
//! five seconds: also what ignores the end of its input and every polite
//! signal, and what that has started in turn.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::time::Duration;

use mcp_gateway_tests::{Gateway, Server, Setup, Signal, alive, descendants, signal, within};
use serde_json::json;

const AT_MOST: Duration = Duration::from_secs(5);

fn stubborn() -> Setup {
    Gateway::with().server(Server::stubborn("m"))
}

/// Waits for the server and its child, ends the gateway in some way, and sees
/// to it that nobody is left.
fn leaves_nobody(gateway: &Gateway, end: impl FnOnce()) {
    let (server, child) = (
        gateway.server().process("process"),
        gateway.server().process("child"),
    );
    let family = descendants(gateway.process());
    assert!(
        family.contains(&server) && family.contains(&child),
        "{family:?}"
    );
    end();
    within(AT_MOST, "nobody is left", || {
        !family.iter().any(|process| alive(*process))
    });
    within(AT_MOST, "the gateway is gone", || !alive(gateway.process()));
}

#[test]
fn when_the_client_closes_its_end() {
    let gateway = stubborn().start();
    leaves_nobody(&gateway, || gateway.client.leave());
    assert!(gateway.wait().success());
}

#[test]
fn when_nobody_reads_the_log_any_more() {
    let gateway = stubborn().start_without_a_log();
    let said = gateway.client.call("m_echo", json!({"text": "still here"}));
    assert_eq!(said.text(), "still here");
    leaves_nobody(&gateway, || gateway.client.leave());
    assert!(gateway.wait().success());
}

#[test]
fn when_the_client_is_killed() {
    let (gateway, mut client) = stubborn().start_behind_another_process();
    leaves_nobody(&gateway, || {
        client.kill().unwrap();
        client.wait().unwrap();
    });
}

#[test]
fn when_the_gateway_is_terminated() {
    std::thread::scope(|scope| {
        for how in [Signal::TERM, Signal::INT, Signal::HUP] {
            scope.spawn(move || {
                let gateway = stubborn().start();
                leaves_nobody(&gateway, || signal(gateway.process(), how));
                assert!(gateway.wait().success());
            });
        }
    });
}

#[test]
fn when_the_gateway_is_killed() {
    let gateway = stubborn().start();
    leaves_nobody(&gateway, || signal(gateway.process(), Signal::KILL));
}

#[test]
fn when_it_ends_before_the_client_has_said_a_word() {
    let gateway = stubborn().start_silent();
    leaves_nobody(&gateway, || gateway.client.leave());
}

#[test]
fn a_server_that_is_removed_from_the_configuration_is_gone_with_its_children() {
    let gateway = Gateway::with()
        .mirror()
        .server(Server::stubborn("n"))
        .start();
    let removed = gateway.server_named("n");
    let family = [removed.process("process"), removed.process("child")];
    let text = std::fs::read_to_string(&gateway.config).unwrap();
    Gateway::rename_over(
        &gateway.config,
        text.replace(&removed.toml(), "").as_bytes(),
    );
    within(AT_MOST, "its processes are gone", || {
        !family.iter().any(|process| alive(*process))
    });
    assert_eq!(
        gateway.client.call("m_echo", json!({"text": "on"})).text(),
        "on"
    );
}

#[test]
fn answers_that_are_about_to_come_are_delivered() {
    let gateway = Gateway::with().mirror().start();
    let held = gateway.client.start_call("m_hold", json!({"key": "a"}));
    gateway.server().wait_for("holding a");
    gateway.client.start_call("m_release", json!({"key": "a"}));
    gateway.client.leave();
    assert_eq!(gateway.client.answer(&held).text(), "released");
    assert!(gateway.wait().success());
}

#[test]
fn a_server_that_heeds_the_end_of_its_input_is_given_the_time_to() {
    let gateway = Gateway::with().mirror().start();
    gateway.end();
    gateway.server().wait_for("end of standard input");
}

#[test]
fn a_gateway_with_servers_that_heed_ends_at_once() {
    let gateway = Gateway::with().mirror().start();
    gateway.client.leave();
    within(Duration::from_secs(2), "the end", || {
        !alive(gateway.process())
    });
}
