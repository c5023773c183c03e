//! Guardrails with one fault each, found; and those that keep to the contract.

use std::fs;

use mcp_gateway_tests::guest;

use super::{Answer, folder, plugin};

/// A few cases, made of what wakes the faulty guest, on which it has this fault.
fn fuzz(fault: &str, more: &[&str]) -> Answer {
    let folder = folder(&[("words.txt", "FAULT\n")]);
    fs::copy(guest("guest_faulty"), folder.path().join("faulty.wasm")).unwrap();
    let config = format!("fault = '{fault}'");
    let words = [
        "fuzz",
        "faulty.wasm",
        "--config",
        &config,
        "--text",
        "words.txt",
    ];
    let few = ["--seed", "3", "--largest", "20000"];
    let answer = plugin(folder.path(), &[&words[..], &few, more].concat());
    assert!(answer.code < 2, "{}", answer.error);
    answer
}

#[test]
fn what_breaks_the_contract_is_found_and_told_apart() {
    for (fault, kind, words) in [
        ("trap", "trap", "it crashed"),
        ("recurse", "trap", "call stack exhausted"),
        ("spin", "limit", "more CPU time than its limit"),
        ("grow", "limit", "more memory than its limit"),
        ("flood-output", "limit", "verdict is larger than its limit"),
        ("span-out-of-range", "invalid verdict", "is out of range"),
        (
            "spans-overlap",
            "invalid verdict",
            "overlaps the one before it",
        ),
        ("bad-patch", "invalid verdict", "its patch"),
        ("error", "error", "could not do its work"),
        // Only of an instance that has seen another message before.
        ("stateful-invalid", "invalid verdict", "is out of range"),
    ] {
        let runs = ["--json", "--runs", if fault == "spin" { "3" } else { "20" }];
        let answer = fuzz(fault, &runs);
        assert_eq!(answer.code, 1, "{fault}: {}", answer.text);
        let report = answer.json();
        let failures = report["failures"].as_array().unwrap();
        let found = failures.iter().any(|failure| {
            failure["kind"] == kind && failure["failure"].as_str().unwrap().contains(words)
        });
        assert!(found, "{fault}: {report}");
    }
}

#[test]
fn the_same_seed_finds_the_same_and_one_case_is_enough() {
    let all = fuzz("trap", &["--runs", "20"]);
    assert_eq!(all.text, fuzz("trap", &["--runs", "20"]).text);
    let (_, case) = all.text.split_once("--case ").unwrap();
    let one = fuzz("trap", &["--case", case.trim()]);
    assert_eq!(one.code, 1);
    assert!(
        one.text.contains("FAILS in 1 case (trap): it crashed"),
        "{}",
        one.text
    );
}

#[test]
fn what_keeps_to_the_contract_passes() {
    let answer = fuzz("none", &["--runs", "20"]);
    assert_eq!(answer.code, 0, "{}", answer.text);
    assert!(
        answer.text.contains("a valid verdict on each"),
        "{}",
        answer.text
    );
    let folder = folder(&[]);
    for bundled in ["basic", "pii"] {
        // The time that large ones take depends on the machine.
        let words = [
            "fuzz",
            bundled,
            "--seed",
            "1",
            "--runs",
            "200",
            "--largest",
            "20000",
        ];
        let answer = plugin(folder.path(), &words);
        assert_eq!(answer.code, 0, "{}{}", answer.text, answer.error);
    }
}

#[test]
fn what_failed_is_kept_as_cases() {
    let folder = folder(&[("words.txt", "FAULT\n")]);
    fs::copy(guest("guest_faulty"), folder.path().join("faulty.wasm")).unwrap();
    let config = ["--config", "fault = 'trap'"];
    let words = [
        "fuzz",
        "faulty.wasm",
        "--text",
        "words.txt",
        "--save",
        "found.jsonl",
    ];
    let few = ["--seed", "3", "--runs", "20"];
    let answer = plugin(folder.path(), &[&words[..], &config, &few].concat());
    assert_eq!(answer.code, 1, "{}", answer.error);
    let words = ["test", "faulty.wasm", "found.jsonl"];
    let answer = plugin(folder.path(), &[&words[..], &config].concat());
    assert_eq!(answer.code, 1, "{}", answer.error);
    assert!(
        answer.text.contains("+ fault: it crashed"),
        "{}",
        answer.text
    );
    let mended = plugin(folder.path(), &words);
    assert_eq!(mended.code, 0, "{}{}", mended.text, mended.error);
}
