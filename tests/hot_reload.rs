//! A guardrail's file is replaced while the gateway runs: the new build goes
//! live without a restart, and a build that is no good changes nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use mcp_gateway_tests::{Gateway, eventually, guest};
use serde_json::json;

/// What the two builds make of it: the one hides the project's name, the other
/// the address.
const TEXT: &str = "BLUEBIRD jane@example.com";
const OF_CODENAME: &str = "<CODENAME> jane@example.com";
const OF_EMAIL: &str = "BLUEBIRD <EMAIL>";

/// Each build forgets what the other one hides.
const TAKEN: &str = "swap = \"examples\"";

fn codename() -> Vec<u8> {
    fs::read(guest("guardrail_codename")).unwrap()
}

fn email() -> Vec<u8> {
    fs::read(guest("guardrail_email")).unwrap()
}

/// A gateway that runs the codename guardrail from a file of its own.
fn started() -> (Gateway, PathBuf) {
    started_with(TAKEN)
}

fn started_with(settings: &str) -> (Gateway, PathBuf) {
    let setup = Gateway::with().mirror();
    let file = setup.folder().join("rule.wasm");
    fs::write(&file, codename()).unwrap();
    let gateway = setup.guardrail(&file, settings).start();
    assert_eq!(said(&gateway), OF_CODENAME);
    (gateway, file)
}

fn said(gateway: &Gateway) -> String {
    gateway.client.call("m_echo", json!({"text": TEXT})).text()
}

/// Replaces the file in some way; the new build serves from the moment that
/// the log says so.
fn swaps(replace: impl FnOnce(&Path)) {
    let (gateway, file) = started();
    let mark = gateway.log.mark();
    replace(&file);
    let swapped = gateway.log.wait_since(mark, "guardrail swapped");
    assert_eq!(swapped.text("guardrail"), "rule");
    assert_eq!(said(&gateway), OF_EMAIL);
}

/// Replaces the file by something bad; the old build goes on serving, and a
/// good one is taken afterwards.
fn keeps_the_old_build(bad: &[u8], words: &str) {
    keeps_the_old_build_with(TAKEN, bad, words);
}

fn keeps_the_old_build_with(settings: &str, bad: &[u8], words: &str) {
    let (gateway, file) = started_with(settings);
    let mark = gateway.log.mark();
    Gateway::rename_over(&file, bad);
    let refusal = gateway
        .log
        .wait_since(mark, "the old build goes on serving");
    assert!(
        refusal.message().contains("guardrail \"rule\""),
        "{}",
        refusal.raw
    );
    assert!(refusal.message().contains(words), "{}", refusal.raw);
    assert_eq!(said(&gateway), OF_CODENAME);
    Gateway::rename_over(&file, &email());
    gateway.log.wait_since(mark, "guardrail swapped");
    eventually("the verdict of the new build", || {
        said(&gateway) == OF_EMAIL
    });
    let refusals = gateway.log.events().split_off(mark);
    let refusals = refusals
        .iter()
        .filter(|event| event.message().contains("goes on serving"));
    assert_eq!(refusals.count(), 1, "a bad build is reported once");
}

#[test]
fn a_file_that_is_renamed_over_the_old_one_goes_live() {
    swaps(|file| Gateway::rename_over(file, &email()));
}

#[test]
fn a_file_that_is_moved_there_by_mv_goes_live() {
    swaps(|file| {
        let fresh = file.with_extension("new");
        fs::write(&fresh, email()).unwrap();
        assert!(
            Command::new("mv")
                .arg(&fresh)
                .arg(file)
                .status()
                .unwrap()
                .success()
        );
    });
}

#[test]
fn a_file_that_is_copied_in_place_by_cp_goes_live() {
    swaps(|file| {
        let status = Command::new("cp")
            .arg(guest("guardrail_email"))
            .arg(file)
            .status();
        assert!(status.unwrap().success());
    });
}

#[test]
fn a_file_that_is_emptied_and_then_written_goes_live() {
    swaps(|file| {
        fs::write(file, b"").unwrap();
        let bytes = email();
        let (one, other) = bytes.split_at(bytes.len() / 2);
        fs::write(file, one).unwrap();
        fs::write(file, [one, other].concat()).unwrap();
    });
}

#[test]
fn a_file_that_is_removed_and_made_again_goes_live() {
    swaps(|file| {
        fs::remove_file(file).unwrap();
        fs::write(file, email()).unwrap();
    });
}

/// As deployments do that switch a whole release at once: the file that the
/// configuration names never changes its folder's entries.
#[test]
fn a_folder_that_is_switched_by_its_link_goes_live() {
    let setup = Gateway::with().mirror();
    let root = setup.folder().to_owned();
    for (release, build) in [("one", codename()), ("two", email())] {
        fs::create_dir(root.join(release)).unwrap();
        fs::write(root.join(release).join("rule.wasm"), build).unwrap();
    }
    symlink("one", root.join("current")).unwrap();
    let file = root.join("current/rule.wasm");
    let gateway = setup.guardrail(file, TAKEN).start();
    assert_eq!(said(&gateway), OF_CODENAME);
    symlink("two", root.join("next")).unwrap();
    fs::rename(root.join("next"), root.join("current")).unwrap();
    gateway.log.wait("guardrail swapped");
    eventually("the verdict of the new build", || {
        said(&gateway) == OF_EMAIL
    });
}

#[test]
fn a_truncated_build_changes_nothing() {
    let whole = email();
    keeps_the_old_build(
        &whole[..whole.len() / 2],
        "it is not a complete WebAssembly component",
    );
}

#[test]
fn garbage_changes_nothing() {
    keeps_the_old_build(
        b"not a component",
        "it is not a complete WebAssembly component",
    );
}

#[test]
fn a_build_for_another_contract_changes_nothing() {
    let build = fs::read(guest("guest_wrong_version")).unwrap();
    keeps_the_old_build(&build, "it speaks version 9.0.0");
}

#[test]
fn a_build_that_imports_more_than_is_granted_changes_nothing() {
    let build = fs::read(guest("guest_network")).unwrap();
    keeps_the_old_build(&build, "it imports http, which it is not granted");
}

#[test]
fn a_build_that_fails_on_everything_changes_nothing() {
    let build = fs::read(guest("guest_failing")).unwrap();
    for settings in ["", "on_error = \"allow\""] {
        let settings = format!("{TAKEN}\n{settings}");
        keeps_the_old_build_with(&settings, &build, "fails on a harmless message");
    }
}

/// The chain used to be refused as a whole as long as one build of it was bad.
#[test]
fn a_bad_build_does_not_hold_up_a_good_one_of_another_guardrail() {
    let setup = Gateway::with().mirror();
    let files = ["bad.wasm", "good.wasm"].map(|name| setup.folder().join(name));
    for file in &files {
        fs::write(file, codename()).unwrap();
    }
    let [bad, good] = &files;
    let gateway = setup.guardrail(bad, "").guardrail(good, TAKEN).start();
    Gateway::rename_over(bad, &fs::read(guest("guest_failing")).unwrap());
    gateway.log.wait("the old build goes on serving");
    Gateway::rename_over(good, &email());
    let swapped = gateway.log.wait("guardrail swapped");
    assert_eq!(swapped.text("guardrail"), "good");
    assert_eq!(said(&gateway), "<CODENAME> <EMAIL>");
}

#[test]
fn a_build_that_refuses_its_configuration_changes_nothing() {
    let setup = Gateway::with().mirror();
    let file = setup.folder().join("rule.wasm");
    fs::write(&file, fs::read(guest("guest_faulty")).unwrap()).unwrap();
    // The codename guardrail knows no key at all.
    let config = "config = { word = \"BLUEBIRD\" }";
    let gateway = setup.guardrail(&file, config).start();
    assert_eq!(said(&gateway), "<MASKED> jane@example.com");
    Gateway::rename_over(&file, &codename());
    let refusal = gateway.log.wait("the old build goes on serving");
    assert!(
        refusal.message().contains("it refuses its configuration"),
        "{}",
        refusal.raw
    );
    assert_eq!(said(&gateway), "<MASKED> jane@example.com");
}

#[test]
fn a_file_that_is_gone_changes_nothing() {
    let (gateway, file) = started();
    fs::remove_file(&file).unwrap();
    let refusal = gateway.log.wait("the old build goes on serving");
    assert!(refusal.message().contains("cannot read"), "{}", refusal.raw);
    assert_eq!(said(&gateway), OF_CODENAME);
}

#[test]
fn a_call_that_began_under_the_old_build_ends_under_it() {
    let (gateway, file) = started();
    let held = gateway
        .client
        .start_call("m_hold", json!({"key": "a", "text": TEXT}));
    gateway.server().wait_for("holding a");
    Gateway::rename_over(&file, &email());
    gateway.log.wait("guardrail swapped");
    eventually("the verdict of the new build", || {
        said(&gateway) == OF_EMAIL
    });
    gateway.client.call("m_release", json!({"key": "a"}));
    assert_eq!(gateway.client.answer(&held).text(), OF_CODENAME);
}

#[test]
fn the_same_build_again_is_no_swap() {
    let (gateway, file) = started();
    Gateway::rename_over(&file, &codename());
    Gateway::rename_over(&file, &email());
    eventually("the verdict of the new build", || {
        said(&gateway) == OF_EMAIL
    });
    let events = gateway.log.events();
    let swaps = events
        .iter()
        .filter(|event| event.message() == "guardrail swapped");
    assert_eq!(swaps.count(), 1);
}
