//! Examples and cases, those that pass and those that do not.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use mcp_gateway_tests::{Gateway, guest};

use super::{folder, plugin};

/// The example that ships with the repository, in a folder with this file of cases.
fn codename(cases: &str) -> tempfile::TempDir {
    let folder = folder(&[("cases.jsonl", cases)]);
    fs::copy(
        guest("guardrail_codename"),
        folder.path().join("codename.wasm"),
    )
    .unwrap();
    folder
}

#[test]
fn cases_pass_where_decision_texts_and_findings_are_as_expected() {
    let folder = codename(
        r#"{"name":"masks","text":"a BLUEBIRD","expects":"redact","after":"a <CODENAME>","findings":[{"rule":"codename","text":"BLUEBIRD","start":2,"end":10}]}
{"text":"to a server: BLUEBIRD","direction":"to-server","expects":"redact","after":"to a server: <CODENAME>"}
{"texts":["BLUEBIRD","b"],"expects":"redact","after":["<CODENAME>","b"]}
{"message":{"jsonrpc":"2.0","id":1,"result":{"n":1.50,"BLUEBIRD":["x"]}},"expects":"redact","after":{"n":1.50,"<CODENAME>":["x"]}}
{"text":"bluebird","expects":"pass","findings":[]}
"#,
    );
    let answer = plugin(folder.path(), &["test", "codename.wasm", "cases.jsonl"]);
    insta::assert_snapshot!(answer.text, @r"
    codename.wasm
      ok    example 1
      ok    cases.jsonl:1 masks
      ok    cases.jsonl:2
      ok    cases.jsonl:3
      ok    cases.jsonl:4
      ok    cases.jsonl:5
    6 pass
    ");
    assert_eq!(answer.code, 0, "{}", answer.error);
}

#[test]
fn what_differs_is_shown_line_by_line() {
    let folder = codename(
        r#"{"name":"decides otherwise","text":"a BLUEBIRD","expects":"block"}
{"name":"says otherwise","text":"first\na BLUEBIRD\nlast","expects":"redact","after":"first\na <NAME>\nlast"}
{"name":"in a message","message":{"jsonrpc":"2.0","id":1,"result":{"a":"BLUEBIRD"}},"expects":"redact","after":{"a":"BLUEBIRD"}}
{"name":"finds more","text":"BLUEBIRD BLUEBIRD","expects":"redact","findings":[{"rule":"codename","start":0,"end":8}]}
"#,
    );
    let answer = plugin(folder.path(), &["test", "codename.wasm", "cases.jsonl"]);
    insta::assert_snapshot!(answer.text, @r#"
    codename.wasm
      ok    example 1
      FAIL  cases.jsonl:1 decides otherwise
              decision:
              - block
              + redact
      FAIL  cases.jsonl:2 says otherwise
              afterwards:
                first
              - a <NAME>
              + a <CODENAME>
                last
      FAIL  cases.jsonl:3 in a message
              afterwards:
                {
              -   "a": "BLUEBIRD"
              +   "a": "<CODENAME>"
                }
      FAIL  cases.jsonl:4 finds more
              findings:
              - codename 0..8
              + codename 0..8 "BLUEBIRD"
              + codename 9..17 "BLUEBIRD"
    4 of 5 fail
    "#);
    assert_eq!(answer.code, 1, "{}", answer.error);
    let words = ["test", "codename.wasm", "cases.jsonl", "--json"];
    let report = plugin(folder.path(), &words).json();
    assert_eq!(report["cases"][0]["passes"], true);
    assert_eq!(report["cases"][1]["passes"], false);
}

#[test]
fn what_a_guardrail_keeps_is_kept_for_the_cases_of_a_session() {
    let folder = folder(&[(
        "cases.jsonl",
        r#"{"texts":["@add session n 1"],"kind":"request","direction":"to-server","session":"a","expects":"redact","after":["1"]}
{"texts":["@add session n 1"],"kind":"request","direction":"to-server","session":"a","expects":"redact","after":["2"]}
{"texts":["@add session n 1"],"kind":"request","direction":"to-server","expects":"redact","after":["1"]}
{"texts":["@add session n 1"],"kind":"response","expects":"pass"}
"#,
    )]);
    let keeping = guest("guest_keeping");
    let words = ["test", keeping.to_str().unwrap(), "cases.jsonl"];
    let answer = plugin(folder.path(), &words);
    assert_eq!(answer.code, 0, "{}{}", answer.text, answer.error);
    assert!(answer.text.contains("7 pass"), "{}", answer.text);
}

#[test]
fn a_fault_is_an_outcome_that_can_be_expected() {
    let folder = folder(&[(
        "cases.jsonl",
        r#"{"text":"FAULT","expects":"fault","reason":"it crashed"}
{"text":"FAULT","expects":"pass"}
"#,
    )]);
    let faulty = guest("guest_faulty");
    let faulty = faulty.to_str().unwrap();
    let words = ["test", faulty, "cases.jsonl", "--config", "fault = 'trap'"];
    let answer = plugin(folder.path(), &words);
    assert_eq!(answer.code, 1);
    assert!(
        answer.text.contains("ok    cases.jsonl:1"),
        "{}",
        answer.text
    );
    assert!(
        answer.text.contains("+ fault: it crashed"),
        "{}",
        answer.text
    );
    let example = ["test", faulty, "--config", "fault = 'bad-example'"];
    let answer = plugin(folder.path(), &example);
    assert!(answer.text.contains("FAIL  example 1"), "{}", answer.text);
    assert_eq!(answer.code, 1);
}

#[test]
fn what_cannot_be_run_is_no_failure_of_the_guardrail() {
    let folder = codename("{\"text\":\"a\",\"expects\":\"mask\"}\n");
    for (words, why) in [
        (
            &["codename.wasm", "cases.jsonl"][..],
            "cases.jsonl:1: expects is one of pass",
        ),
        (&["nowhere.wasm"], "cannot read nowhere.wasm"),
        (
            &["codename.wasm", "--config", "a = 1"],
            "refuses its configuration",
        ),
    ] {
        let answer = plugin(folder.path(), &[&["test"], words].concat());
        assert_eq!(answer.code, 2, "{words:?}: {}", answer.text);
        assert!(
            answer.error.contains(why),
            "{why:?} is not in: {}",
            answer.error
        );
    }
}

#[test]
fn a_watched_file_is_run_again_when_it_changes() {
    let folder = codename("{\"text\":\"BLUEBIRD\",\"expects\":\"pass\"}\n");
    let mut watching = Gateway::command()
        .args(["plugin", "test", "codename.wasm", "cases.jsonl", "--watch"])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watching.stdout.take().unwrap()).lines();
    let mut until = |end: &str| {
        let found = lines
            .by_ref()
            .map(Result::unwrap)
            .find(|line| line.contains(end));
        assert!(found.is_some(), "it ended before it said {end:?}");
    };
    until("1 of 2 fail");
    // An editor may leave half of a line for a moment; what matters is what is there then.
    for (text, end) in [
        ("{\"text\":", "cannot be run"),
        ("{\"text\":\"bird\",\"expects\":\"pass\"}\n", "2 pass"),
    ] {
        fs::write(folder.path().join("cases.jsonl"), text).unwrap();
        until(end);
    }
    watching.kill().unwrap();
    watching.wait().unwrap();
}
