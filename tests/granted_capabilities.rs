//! What a guardrail can do that the configuration grants it: keep values in the
//! gateway, and derive keys from the secret of the installation.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mcp_gateway_tests::{Gateway, Setup, guest};
use serde_json::json;

const GRANTED: &str = "grant = { state = true, keys = true }";

fn with_guest(settings: &str) -> Setup {
    let settings = format!("{GRANTED}\n{settings}");
    Gateway::with()
        .mirror()
        .guardrail(guest("guest_keeping"), &settings)
}

/// What becomes of an order: the mirror says what it was sent in its place.
fn obeys(gateway: &Gateway, order: &str) -> String {
    gateway.client.call("m_echo", json!({"text": order})).text()
}

/// Each order, and what comes of it.
fn holds(gateway: &Gateway, outcomes: &[(&str, &str)]) {
    for (order, outcome) in outcomes {
        assert_eq!(&obeys(gateway, order), outcome, "{order}");
    }
}

/// The same component, as another build of it: with a section that means nothing.
fn rebuilt() -> Vec<u8> {
    let mut build = fs::read(guest("guest_keeping")).unwrap();
    build.extend([0, 8, 7]);
    build.extend(b"rebuilt");
    build
}

#[test]
fn a_guardrail_finds_again_what_it_kept() {
    let gateway = with_guest("").start();
    holds(
        &gateway,
        &[
            ("@get session k", "nothing"),
            ("@set session k 7", "set"),
            ("@add session k -2", "5"),
            ("@get session k", "5"),
            ("@get global k", "nothing"),
            ("@set session word w", "set"),
            ("@add session word 1", "NotANumber"),
            ("@swap session word v x", "false"),
            ("@swap session word w x", "true"),
            ("@swap session new - x", "true"),
            ("@swap session new - y", "false"),
            ("@get session new", "x"),
            ("@delete session new", "true"),
            ("@delete session new", "false"),
        ],
    );
}

/// Its examples count as well, in a store of their own.
#[test]
fn what_a_guardrail_kept_outlives_a_swap_of_its_component() {
    let setup = Gateway::with().mirror();
    let file = setup.folder().join("rule.wasm");
    fs::copy(guest("guest_keeping"), &file).unwrap();
    let gateway = setup.guardrail(&file, GRANTED).start();
    holds(
        &gateway,
        &[
            ("@add session n 1", "1"),
            ("@add global n 10", "10"),
            ("@get global example", "nothing"),
        ],
    );
    let key = obeys(&gateway, "@key session p");

    Gateway::rename_over(&file, &rebuilt());
    let swapped = gateway.log.wait("guardrail swapped");
    assert_eq!(swapped.text("uses"), "state, keys");
    holds(
        &gateway,
        &[
            ("@add session n 1", "2"),
            ("@add global n 10", "20"),
            ("@get global example", "nothing"),
            ("@key session p", &key),
        ],
    );
}

#[test]
fn a_fault_loses_nothing_that_was_kept() {
    let gateway = with_guest("isolation = \"message\"").start();
    holds(&gateway, &[("@set session k v", "set")]);
    let answer = gateway.client.call("m_echo", json!({"text": "@wrong"}));
    assert!(answer.is_tool_error(), "{}", answer.raw);
    holds(&gateway, &[("@get session k", "v")]);
}

#[test]
fn two_guardrails_of_one_component_keep_and_derive_apart() {
    let component = guest("guest_keeping");
    // The first obeys; what it says in its place is no order for the second.
    let gateway = Gateway::with()
        .server(mcp_gateway_tests::Server::mirror("one"))
        .server(mcp_gateway_tests::Server::mirror("two"))
        .guardrail(
            &component,
            &format!("name = \"a\"\nonly.servers = [\"one\"]\n{GRANTED}"),
        )
        .guardrail(
            &component,
            &format!("name = \"b\"\nonly.servers = [\"two\"]\n{GRANTED}"),
        )
        .start();
    let obeys = |server: &str, order: &str| {
        let tool = format!("{server}_echo");
        gateway.client.call(&tool, json!({"text": order})).text()
    };
    assert_eq!(obeys("one", "@set global k v"), "set");
    assert_eq!(obeys("one", "@get global k"), "v");
    assert_eq!(obeys("two", "@get global k"), "nothing");
    assert_ne!(obeys("one", "@key global p"), obeys("two", "@key global p"));
}

#[test]
fn sessions_share_what_is_global_and_nothing_else() {
    let gateway = with_guest("").serve(&[]);
    let [one, two] = [gateway.client(), gateway.client()];
    let obeys = |client: &mcp_gateway_tests::HttpClient, order: &str| {
        client.call("m_echo", json!({"text": order}))
    };
    assert_eq!(obeys(&one, "@set session k mine"), "set");
    assert_eq!(obeys(&one, "@add global n 1"), "1");
    assert_eq!(obeys(&two, "@get session k"), "nothing");
    assert_eq!(obeys(&two, "@add global n 1"), "2");
    assert_eq!(obeys(&one, "@get session k"), "mine");
    let keys = ["session", "global"].map(|scope| {
        let order = format!("@key {scope} p");
        obeys(&one, &order) == obeys(&two, &order)
    });
    assert_eq!(keys, [false, true]);
}

/// The messages are large, so that several are judged at a time.
#[test]
fn nothing_is_counted_twice_or_not_at_all_by_calls_at_a_time() {
    let gateway = with_guest("").start();
    let text = format!("@often global n 500\n{}", "x".repeat(64 << 10));
    let calls: Vec<String> = (0..8)
        .map(|_| gateway.client.start_call("m_echo", json!({"text": text})))
        .collect();
    for call in calls {
        assert_eq!(gateway.client.answer(&call).text(), "added");
    }
    holds(&gateway, &[("@get global n", "4000")]);
}

#[test]
fn a_store_that_is_full_refuses_and_keeps_what_it_has() {
    let limits =
        "limits = { state_entries = 2, state_key = 8, state_value = \"1KiB\", state_bytes = 1500 }";
    let gateway = with_guest(limits).start();
    holds(
        &gateway,
        &[
            ("@fill session too-long-a-key 1", "TooLarge"),
            ("@fill session a 1025", "TooLarge"),
            ("@fill session a 1024", "set"),
            ("@fill session b 1024", "Full"),
            ("@fill session b 400", "set"),
            ("@set session c v", "Full"),
            ("@add session c 1", "Full"),
            ("@set session a v", "set"),
            ("@fill global a 1024", "set"),
            ("@delete session b", "true"),
            ("@set session c v", "set"),
            ("@get session a", "v"),
        ],
    );
}

#[test]
fn using_them_counts_as_calling_the_host() {
    let gateway = with_guest("limits = { host_calls = 50 }").start();
    holds(&gateway, &[("@often session n 50", "added")]);
    let call = json!({"text": "@often session n 51"});
    let answer = gateway.client.call("m_echo", call);
    let words = "it called the host more often than its limit of 50 times";
    assert!(answer.text().contains(words), "{}", answer.raw);
    holds(&gateway, &[("@get session n", "100")]);
}

#[test]
fn a_guardrail_that_was_granted_nothing_is_refused() {
    for (grant, words) in [
        (
            "",
            "it imports state and keys, which it is not granted; to allow that, write \
             `grant = { state = true, keys = true }` into its entry of gateway.toml",
        ),
        (
            "grant = { state = true }",
            "it imports keys, which it is not granted; to allow that, write `grant = { keys = true }`",
        ),
        (
            "grant = { state = false, keys = true }",
            "it imports state, which it is not granted",
        ),
    ] {
        let setup = Gateway::with()
            .mirror()
            .guardrail(guest("guest_keeping"), grant);
        let refusal = setup.refused();
        assert!(refusal.contains(words), "{words:?} is not in: {refusal}");
    }
}

#[test]
fn what_can_be_granted_is_known_by_name() {
    let setup = Gateway::with()
        .mirror()
        .guardrail(guest("guest_keeping"), "grant = { sate = true }");
    let refusal = setup.refused();
    for words in ["unknown key \"sate\" in", "did you mean \"state\"?"] {
        assert!(refusal.contains(words), "{words:?} is not in: {refusal}");
    }
}

/// What `configure` leaves serves all sessions.
#[test]
fn neither_can_be_used_while_a_guardrail_is_configured() {
    let refusal = with_guest("config = { eager = true }").refused();
    let words = "it used `state` or `keys` while it was configured";
    assert!(refusal.contains(words), "{refusal}");
}

fn key_after(state: &Path, order: &str) -> String {
    let gateway = with_guest("")
        .variable("MCP_GATEWAY_STATE_DIR", state)
        .start();
    obeys(&gateway, order)
}

#[test]
fn a_key_is_the_same_when_the_gateway_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let key = key_after(&state, "@key global p");
    assert_eq!(key.len(), 64, "{key}");
    assert_eq!(key_after(&state, "@key global p"), key);
    assert_ne!(key_after(&state, "@key global q"), key);
    let session = key_after(&state, "@key session p");
    assert_ne!(key_after(&state, "@key session p"), session);

    let elsewhere = folder.path().join("elsewhere");
    assert_ne!(key_after(&elsewhere, "@key global p"), key);
}

/// The file with the secret, of a gateway that has made it.
fn secret(folder: &Path) -> PathBuf {
    let state = folder.join("state");
    key_after(&state, "@key global p");
    state.join("keys/installation")
}

#[test]
fn the_secret_is_for_this_person_alone_and_never_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = secret(folder.path());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(file.parent().unwrap()), 0o700);
    let secret = fs::read(&file).unwrap();
    assert_eq!(secret.len(), 32);
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let state = folder.path().join("state");
    assert_ne!(key_after(&state, "@key global p"), hex);
}

#[test]
fn a_secret_that_is_none_any_more_keeps_a_guardrail_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let file = secret(folder.path());
    let refused = || {
        with_guest("")
            .variable("MCP_GATEWAY_STATE_DIR", folder.path().join("state"))
            .refused()
    };
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let refusal = refused();
    assert!(refusal.contains("run `chmod 600` on it"), "{refusal}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, [0; 16]).unwrap();
    let refusal = refused();
    assert!(
        refusal.contains("is 16 bytes long, and not 32"),
        "{refusal}"
    );
}
