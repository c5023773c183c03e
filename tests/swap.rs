//! A new build serves only if it protects no less than the one whose place it takes: on
//! the gateway's own texts, on that build's examples, and on the messages of real servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "swap/capture.rs"]
mod capture;
#[path = "swap/shadow.rs"]
mod shadow;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mcp_gateway_tests::real::{printed, python, sqlite_server};
use mcp_gateway_tests::{Event, Gateway, Setup, guest};
use serde_json::{Value, json};

/// What `pii` may use, as if it was bundled.
const GRANT: &str = "grant = { state = true, keys = true }";

/// A guardrail whose file is a copy of this component.
fn with_build(setup: Setup, build: &str, settings: &str) -> (Setup, PathBuf) {
    let file = setup.folder().join("rule.wasm");
    fs::copy(guest(build), &file).unwrap();
    (setup.guardrail(&file, settings), file)
}

fn replace(file: &Path, build: &str) {
    Gateway::rename_over(file, &fs::read(guest(build)).unwrap());
}

/// Customers in a real database, behind a build of `pii`.
fn customers(settings: &str) -> (Gateway, PathBuf) {
    let (setup, file) = before_customers(Gateway::with(), settings);
    (setup.guardrail("audit", "").start(), file)
}

fn before_customers(setup: Setup, settings: &str) -> (Setup, PathBuf) {
    let database = setup.folder().join("customers.db");
    let script = "import sqlite3, sys\n\
        with sqlite3.connect(sys.argv[1]) as db:\n  \
          db.execute('create table customers (id integer primary key, name text, mail text, phone text)')\n  \
          db.executemany('insert into customers (name, mail, phone) values (?, ?, ?)', [\n    \
            ('Jennifer Miller', 'jen.miller@acme-corp.com', '+44 20 7946 0958'),\n    \
            ('Robert Johnson', 'rob@acme-corp.com', '+44 20 7946 0123'),\n    \
            ('Patricia Williams', 'pat@acme-corp.com', '+44 20 7946 0777')])";
    let filled = Command::new(python())
        .args(["-c", script])
        .arg(&database)
        .output();
    printed("the database", &filled.unwrap());
    let setup = setup.server(sqlite_server("crm", &database));
    let settings = format!("{GRANT}\n{settings}");
    with_build(setup, "mcp_gateway_pii", &settings)
}

fn query(gateway: &Gateway) -> String {
    let query = "SELECT name, mail, phone FROM customers ORDER BY id";
    let answer = gateway
        .client
        .call("crm_read_query", json!({"query": query}));
    assert!(!answer.is_tool_error(), "{}", answer.raw);
    answer.text()
}

/// What is the same each time: no digests, no times, not how often the server spoke, and not
/// how many examples `pii` has by now.
fn steady(table: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in table.lines() {
        let mut line = line.to_owned();
        while let Some((before, rest)) = line.split_once(" (")
            && let Some((digest, after)) = rest.split_once(')')
            && digest.len() == 12
        {
            line = format!("{before}{after}");
        }
        if line.starts_with("cost: ") {
            line = "cost: …".to_owned();
        }
        if let Some((before, _)) = line.split_once(" canary texts, ") {
            line = format!("{before} canary texts, … examples of the old build and … messages");
        }
        if let Some((before, _)) = line.split_once("old build's examples ") {
            line = format!("{before}old build's examples …");
        }
        lines.push(line);
    }
    lines.join("\n")
}

fn refusal(gateway: &Gateway, mark: usize) -> Event {
    gateway
        .log
        .wait_since(mark, "the old build goes on serving")
}

fn status(gateway: &Gateway, args: &[&str]) -> String {
    let output = Gateway::command()
        .arg("status")
        .args(args)
        .env("MCP_GATEWAY_STATE_DIR", gateway.folder().join("state"))
        .output()
        .unwrap();
    printed("status", &output)
}

#[test]
fn a_build_that_forgets_what_canaries_hold_is_refused() {
    let (setup, file) = with_build(Gateway::with().mirror(), "guardrail_email", "");
    let gateway = setup.start();
    replace(&file, "guardrail_codename");
    let refusal = refusal(&gateway, 0);
    let told = refusal.message();
    for words in [
        "the new build is worse than the one that serves: lost redaction",
        "swap = \"examples\" in its entry lets it in all the same",
        "canary: mail",
    ] {
        assert!(told.contains(words), "{told}");
    }
    assert_eq!(said(&gateway, "ann@example.org"), "<EMAIL>");
}

#[test]
fn a_build_is_taken_whatever_it_forgets_where_its_entry_says_so() {
    let settings = "swap = \"examples\"";
    let (setup, file) = with_build(Gateway::with().mirror(), "guardrail_email", settings);
    let gateway = setup.start();
    replace(&file, "guardrail_codename");
    gateway.log.wait("guardrail swapped");
    assert_eq!(said(&gateway, "ann@example.org"), "ann@example.org");
}

fn said(gateway: &Gateway, text: &str) -> String {
    gateway.client.call("m_echo", json!({"text": text})).text()
}

/// No canary knows the name that the old build hides, and the new one does all that its own
/// examples say.
#[test]
fn a_build_without_an_example_and_the_rule_behind_it_is_refused_until_its_entry_lets_it_in() {
    let (setup, file) = with_build(Gateway::with().mirror(), "guardrail_codename", "");
    let gateway = setup.start();
    replace(&file, "guardrail_email");
    let refusal = refusal(&gateway, 0);
    let (reason, table) = refusal.message().split_once('\n').unwrap();
    for words in [
        "the new build is worse than the one that serves: lost redaction in 1 message (codename)",
        "example 1 of guardrail-codename 0.1.0 (",
        ") no longer holds",
        "swap = \"examples\" in its entry lets it in all the same",
    ] {
        assert!(reason.contains(words), "{reason}");
    }
    assert!(table.contains("old build's example 1 "), "{table}");
    assert_eq!(said(&gateway, "BLUEBIRD a@b.org"), "<CODENAME> a@b.org");
    let text = status(&gateway, &[]);
    for words in ["example 1 of guardrail-codename", "swap = \"examples\""] {
        assert!(text.contains(words), "{text}");
    }

    let mark = gateway.log.mark();
    let config = fs::read_to_string(&gateway.config).unwrap();
    let config = config.replace("[[guardrails]]", "[[guardrails]]\nswap = \"examples\"");
    Gateway::rename_over(&gateway.config, config.as_bytes());
    gateway.log.wait_since(mark, "guardrail swapped");
    assert_eq!(said(&gateway, "BLUEBIRD a@b.org"), "BLUEBIRD <EMAIL>");
}

/// Its rule has another name, and something else stands in the place of what it hides.
#[test]
fn a_build_that_keeps_the_promise_of_an_example_in_other_words_is_taken() {
    let (setup, file) = with_build(Gateway::with().mirror(), "guardrail_codename", "");
    let gateway = setup.start();
    assert_eq!(said(&gateway, "BLUEBIRD"), "<CODENAME>");
    replace(&file, "guest_weakened");
    gateway.log.wait("guardrail swapped");
    assert_eq!(said(&gateway, "BLUEBIRD"), "<HIDDEN>");
}

/// It passes the canaries and the examples, whose names of people are short: only what a real
/// server said shows that it hides less.
#[test]
fn a_weakened_build_of_pii_is_refused_on_messages_of_a_real_server() {
    let (gateway, file) = customers("swap = \"replay\"");
    let before = query(&gateway);
    assert!(!before.contains("Miller"), "{before}");
    assert!(!before.contains("acme-corp"), "{before}");
    let mark = gateway.log.mark();
    replace(&file, "guest_weakened");
    let refusal = refusal(&gateway, mark);
    let (reason, table) = refusal.message().split_once('\n').unwrap();
    assert!(
        reason.contains("lost redaction in 1 message (PERSON)"),
        "{reason}"
    );
    insta::assert_snapshot!(steady(table), @r"
    pii 0.1.0 → pii 0.1.0
    asked about 33 canary texts, … examples of the old build and … messages
             change          rule           in                         messages  findings
      WORSE  lost redaction  PERSON         crm tools/call response           1         3
             lost report     CREDIT_CARD    canary: card                      1         1
             lost report     EMAIL_ADDRESS  canary: connection string         1         1
             lost report     EMAIL_ADDRESS  canary: mail                      1         1
             lost report     EMAIL_ADDRESS  crm tools/call response           1         3
             lost report     IBAN_CODE      canary: account                   1         1
             lost report     PERSON         canary: name                      1         1
             lost report     PERSON         canary: names                     1         2
             lost report     PERSON         canary: record                    1         1
             lost report     PHONE_NUMBER   canary: telephone                 1         1
             lost report     PHONE_NUMBER   crm tools/call response           1         3
             lost report     US_SSN         canary: social security           1         1
             new redaction   telling        canary: access key                1         1
             new redaction   telling        canary: account                   1         1
             new redaction   telling        canary: card                      1         1
             new redaction   telling        canary: code                      1         2
             new redaction   telling        canary: connection string         1         1
             new redaction   telling        canary: names                     1         2
             new redaction   telling        canary: private key               1         9
             new redaction   telling        canary: prose                     1         1
             new redaction   telling        canary: record                    1         1
             new redaction   telling        canary: social security           1         1
             new redaction   telling        canary: telephone                 1         1
             new redaction   telling        canary: token                     1         1
             new redaction   telling        crm initialize response           1         2
             new redaction   telling        old build's examples …
             new report      telling        canary: mail                      1         1
             new report      telling        canary: name                      1         2
             new report      telling        crm tools/call response           1        15
    cost: …
    ");
    assert_eq!(query(&gateway), before);

    let text = status(&gateway, &[]);
    assert!(text.contains("new build refused"), "{text}");
    assert!(text.contains("lost redaction"), "{text}");
    assert!(!text.contains("Miller"), "{text}");
    let all: Value = serde_json::from_str(&status(&gateway, &["--json"])).unwrap();
    let swap = &all["gateways"][0]["guardrails"][0]["swap"];
    assert_eq!(swap["taken"], json!(false), "{swap:#}");
    assert_eq!(swap["report"]["worse"], json!(true), "{swap:#}");

    gateway.end();
    let database = gateway.folder().join("state/audit.db");
    let database = rusqlite::Connection::open(database).unwrap();
    let recorded: String = database
        .query_row(
            "SELECT arguments FROM records WHERE method = 'guardrail/refused'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let recorded: Value = serde_json::from_str(&recorded).unwrap();
    let reason = recorded["reason"].as_str().unwrap();
    assert!(reason.contains("lost redaction"), "{reason}");
    assert_ne!(recorded["digest"], recorded["before"]);
}

#[test]
fn without_a_replay_the_same_build_is_taken_and_its_differences_are_told() {
    let (gateway, file) = customers("");
    query(&gateway);
    replace(&file, "guest_weakened");
    let told = gateway.log.wait("the new build judges differently");
    assert!(told.message().contains("telling"), "{}", told.raw);
    gateway.log.wait("guardrail swapped");
    let text = status(&gateway, &[]);
    assert!(text.contains("new build taken"), "{text}");
}

/// The build `weakened` takes any configuration, so that it can serve before one that
/// misbehaves as it is configured.
fn misbehaving(fault: &str, settings: &str) -> String {
    let settings = format!("swap = \"replay\"\nconfig = {{ fault = \"{fault}\" }}\n{settings}");
    let (setup, file) = with_build(Gateway::with().mirror(), "guest_weakened", &settings);
    let gateway = setup.start();
    for _ in 0..3 {
        gateway.client.call("m_echo", json!({"text": "FAULT"}));
    }
    let mark = gateway.log.mark();
    replace(&file, "guest_faulty");
    let told = refusal(&gateway, mark).message().to_owned();
    assert_eq!(said(&gateway, "mail@x"), "<HIDDEN>");
    told
}

/// Canaries with a digit are left alone where only these servers' messages count.
const ELSEWHERE: &str = "only = { methods = [\"tools/call\"] }";

#[test]
fn a_build_that_fails_on_what_a_server_said_is_refused() {
    let told = misbehaving("trap", ELSEWHERE);
    assert!(told.contains("new failure"), "{told}");
}

#[test]
fn a_build_that_costs_much_more_is_refused() {
    let told = misbehaving("slow:20", ELSEWHERE);
    assert!(told.contains("TOO MUCH"), "{told}");
}
