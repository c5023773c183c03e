//! A component that is no good for a guardrail is refused before any message
//! depends on it: the gateway does not start, and says which guardrail it is
//! and what is the matter with it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::path::PathBuf;

use mcp_gateway_tests::{Gateway, Setup, guest};

fn says(refusal: &str, guardrail: &str, words: &[&str]) {
    let name = format!("guardrail \"{guardrail}\"");
    assert_eq!(
        refusal.matches(&name).count(),
        1,
        "it is named once in: {refusal}"
    );
    for words in words {
        assert!(refusal.contains(words), "{words:?} is not in: {refusal}");
    }
}

fn refuses_fault(fault: &str, settings: &str, words: &[&str]) {
    let settings = format!("config = {{ fault = \"{fault}\" }}\n{settings}");
    let setup = Gateway::with()
        .mirror()
        .guardrail(guest("guest_faulty"), &settings);
    says(&setup.refused(), "guest_faulty", words);
}

fn refuses(name: &str, words: &[&str]) {
    says(
        &Gateway::with()
            .mirror()
            .guardrail(guest(name), "")
            .refused(),
        name,
        words,
    );
}

/// A file with this content, as a guardrail.
fn with_file(content: &[u8]) -> Setup {
    let setup = Gateway::with().mirror();
    let path: PathBuf = setup.folder().join("odd.wasm");
    fs::write(&path, content).unwrap();
    setup.guardrail(path, "")
}

#[test]
fn one_that_refuses_its_configuration() {
    refuses_fault(
        "configure-error",
        "",
        &["it refuses its configuration: configure fails as it was asked to"],
    );
}

#[test]
fn one_that_crashes_while_it_is_configured() {
    refuses_fault(
        "configure-trap",
        "",
        &["it fails while it is configured: it crashed"],
    );
}

#[test]
fn one_that_never_ends_to_be_configured() {
    let limit = "limits = { configure = \"300ms\" }";
    refuses_fault(
        "configure-spin",
        limit,
        &["it fails while it is configured: ", "limit of 300 ms"],
    );
}

/// Waiting costs no CPU, so that limit does not end it.
#[test]
fn one_that_waits_while_it_is_configured() {
    refuses_fault(
        "configure-sleep",
        "limits = { configure = \"200ms\", wall = \"300ms\" }",
        &["it fails while it is configured: it took longer than its limit of 300 ms"],
    );
}

/// It would silently see nothing.
#[test]
fn one_that_wants_messages_of_a_kind_that_does_not_exist() {
    refuses_fault(
        "unknown-kind",
        "",
        &[
            "it wants messages of kind \"result\"",
            "request, response, error, ",
        ],
    );
}

#[test]
fn one_that_fails_on_a_harmless_message_whatever_is_done_with_its_faults() {
    for settings in ["", "on_error = \"allow\"", "mode = \"warn\""] {
        let setup = Gateway::with()
            .mirror()
            .guardrail(guest("guest_failing"), settings);
        says(
            &setup.refused(),
            "guest_failing",
            &["fails on a harmless message: it reports: no message is"],
        );
    }
}

#[test]
fn one_that_does_not_do_what_its_own_example_says() {
    refuses_fault(
        "bad-example",
        "",
        &["its example 1 fails: it decides pass where block is expected"],
    );
}

#[test]
fn one_that_wants_to_send_http_requests() {
    refuses(
        "guest_network",
        &[
            "it imports http, which it is not granted",
            "write `grant = { http = [\"https://…\"] }`",
        ],
    );
}

#[test]
fn one_that_wants_sockets() {
    refuses(
        "guest_sockets",
        &["it imports wasi:sockets/", "no guardrail is granted"],
    );
}

#[test]
fn one_of_an_unknown_contract() {
    refuses(
        "guest_wrong_version",
        &["it speaks version 9.0.0 of the guardrail contract; this gateway knows 0.1.0"],
    );
}

#[test]
fn a_file_that_was_cut_short() {
    let whole = fs::read(guest("guardrail_codename")).unwrap();
    let cut = with_file(&whole[..whole.len() / 2]);
    says(
        &cut.refused(),
        "odd",
        &["it is not a complete WebAssembly component"],
    );
}

#[test]
fn a_file_that_lacks_its_last_byte() {
    let whole = fs::read(guest("guardrail_codename")).unwrap();
    let cut = with_file(&whole[..whole.len() - 1]);
    says(
        &cut.refused(),
        "odd",
        &["it is not a complete WebAssembly component"],
    );
}

#[test]
fn a_file_of_something_else() {
    says(
        &with_file(b"#!/bin/sh\n").refused(),
        "odd",
        &["it is not a complete WebAssembly component"],
    );
    says(
        &with_file(b"").refused(),
        "odd",
        &["it is not a complete WebAssembly component"],
    );
}

#[test]
fn a_core_module() {
    let module = with_file(b"\0asm\x01\0\0\0");
    says(
        &module.refused(),
        "odd",
        &["it is a core WebAssembly module, not a component"],
    );
}

#[test]
fn a_component_that_is_no_guardrail() {
    let empty = with_file(b"\0asm\x0d\0\x01\0");
    says(
        &empty.refused(),
        "odd",
        &["it does not export mcp-gateway:guardrail/guardrail"],
    );
}

#[test]
fn a_file_that_is_not_there() {
    let setup = Gateway::with().mirror().guardrail("./nowhere.wasm", "");
    says(
        &setup.refused(),
        "nowhere",
        &["cannot read ", "nowhere.wasm"],
    );
}
