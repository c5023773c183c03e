//! What the audit database has of the calls that went through the gateway.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "audit/faults.rs"]
mod faults;
#[path = "audit/readers.rs"]
mod readers;

use std::fs;
use std::path::{Path, PathBuf};

use mcp_gateway_tests::real::sqlite_server;
use mcp_gateway_tests::{Gateway, Setup, eventually, guest};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

/// A gateway whose audit database is `audit.db` in its folder.
fn recorded(settings: &str) -> Setup {
    let setup = Gateway::with();
    let database = setup.folder().join("audit.db");
    let setup = setup.variable("XETRACK_DB_PATH", database);
    setup.mirror().guardrail("audit", settings)
}

fn database(gateway: &Gateway) -> PathBuf {
    gateway.folder().join("audit.db")
}

/// What a query of one column gives, `NULL` as such.
fn rows(database: &Path, query: &str) -> Vec<String> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags).unwrap();
    let mut statement = connection.prepare(query).unwrap();
    let rows = statement.query_map([], |row| {
        Ok(match row.get_ref(0)? {
            rusqlite::types::ValueRef::Null => "NULL".to_owned(),
            rusqlite::types::ValueRef::Integer(number) => number.to_string(),
            rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            other => panic!("{query}: {other:?}"),
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

const CALLS: &str = "FROM records WHERE method = 'tools/call' ORDER BY seq";

/// All files below a folder, and where in them a text is.
fn files_with(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with(&path, text));
        } else if entry.file_type().unwrap().is_file() {
            let bytes = fs::read(&path).unwrap();
            if bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
            {
                found.push(path);
            }
        }
    }
    found
}

/// What `audit verify` says.
fn verified(gateway: &Gateway) -> String {
    let mut command = Gateway::command();
    command
        .args(["audit", "verify", "--db"])
        .arg(database(gateway));
    command.env("MCP_GATEWAY_STATE_DIR", gateway.folder().join("state"));
    let output = command.output().unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(output.status.success(), "{said}");
    said
}

/// Runs `audit` on a gateway's database.
fn audit(gateway: &Gateway, args: &[&str]) -> Vec<u8> {
    let mut command = Gateway::command();
    command
        .arg("audit")
        .args(args)
        .arg("--db")
        .arg(database(gateway));
    command.env("MCP_GATEWAY_STATE_DIR", gateway.folder().join("state"));
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
    output.stdout
}

#[test]
fn a_call_of_a_real_server_is_recorded_whole() {
    let setup = recorded("");
    let data = setup.folder().join("data.db");
    let gateway = setup.server(sqlite_server("db", &data)).start();
    let query = json!({"query": "CREATE TABLE t (n int)"});
    gateway.client.call("db_create_table", query);
    gateway
        .client
        .call("db_read_query", json!({"query": "SELECT nothing"}));
    gateway.end();
    let database = database(&gateway);
    let columns = "client || ' ' || client_version || ' ' || server || ' ' || subject || ' ' || outcome || ' ' || arguments";
    assert_eq!(
        rows(&database, &format!("SELECT {columns} {CALLS}")),
        [
            r#"tests 1 db create_table ok {"query":"CREATE TABLE t (n int)"}"#,
            r#"tests 1 db read_query ok {"query":"SELECT nothing"}"#,
        ]
    );
    let times = "duration >= server_time + guardrail_time AND server_time > 0 AND guardrail_time > 0 \
                 AND request_bytes > 100 AND result_bytes > 50 AND abs(time - unixepoch() * 1000) < 600000";
    assert_eq!(
        rows(&database, &format!("SELECT {times} {CALLS}")),
        ["1", "1"]
    );
    let result = rows(&database, &format!("SELECT result {CALLS}"));
    assert!(
        result[0].contains("Table created successfully"),
        "{result:?}"
    );
    // What the server is asked when it is opened, and what it offers, are there as hashes.
    let lists = rows(
        &database,
        "SELECT DISTINCT result_form FROM records WHERE method IN ('initialize', 'tools/list')",
    );
    assert_eq!(lists, ["hash"]);
}

/// Secrets and addresses that only this test makes.
fn secret() -> String {
    format!(
        "ghp_{}",
        "x7Qm2LpR9vTz4WcK8nBd3HsJ6yFg1AeU5oi0"[..36].to_owned()
    )
}

fn faulty(fault: &str) -> String {
    format!("config = {{ fault = \"{fault}\" }}\nname = \"faulty\"")
}

#[test]
fn a_call_is_recorded_however_it_ends() {
    let setup = recorded("").guardrail(guest("guest_faulty"), &faulty("block"));
    let gateway = setup
        .setting("timeouts = { \"tools/call\" = \"1s\" }")
        .start();
    let client = &gateway.client;
    assert!(
        !client
            .call("m_echo", json!({"text": "fine"}))
            .is_tool_error()
    );
    assert!(
        client
            .call("m_echo", json!({"text": "a FAULT here"}))
            .is_tool_error()
    );
    // Its answer is refused.
    client.call("m_whisper", json!({"line": "FA~ULT"}));
    client.call("m_fail", json!({"line": "it went wrong"}));
    client.call("m_nothing_like_that", json!({"n": 1}));
    client.call("m_hold", json!({"key": "for ever"}));
    let id = client.start_call("m_hold", json!({"key": "until cancelled"}));
    gateway.server().wait_to_receive("until cancelled");
    client.notify(
        "notifications/cancelled",
        json!({"requestId": id.parse::<u64>().unwrap()}),
    );
    let database = database(&gateway);
    let outcomes =
        format!("SELECT subject || ' ' || outcome || ' ' || coalesce(blocked_by, '-') {CALLS}");
    eventually("all are recorded", || rows(&database, &outcomes).len() == 7);
    gateway.end();
    let outcomes = rows(&database, &outcomes);
    assert_eq!(
        outcomes,
        [
            "echo ok -",
            "echo blocked faulty",
            "whisper blocked faulty",
            "fail protocol-error -",
            "nothing_like_that protocol-error -",
            "hold timed-out -",
            "hold cancelled -",
        ]
    );
    // What was refused is there, too, and who refused it.
    let blocked = rows(
        &database,
        "SELECT arguments FROM records WHERE outcome = 'blocked' ORDER BY seq",
    );
    assert_eq!(blocked[0], "NULL", "{blocked:?}");
    let findings = rows(
        &database,
        "SELECT guardrail || ' ' || message || ' ' || decision || ' ' || enforced FROM findings ORDER BY seq, number",
    );
    assert_eq!(
        findings,
        ["faulty request block 1", "faulty response block 1"]
    );
}

#[test]
fn what_guardrails_hide_is_in_no_file() {
    let setup = recorded("")
        .guardrail("basic", "")
        .guardrail("pii", "")
        .log_level("debug");
    let gateway = setup.start();
    let (secret, person) = (secret(), "jane.doe@example.com");
    let client = &gateway.client;
    // They pass to the server, since a person may mean them to; what it answers is masked.
    let text = format!("the token {secret} of {person}");
    let answer = client.call("m_echo", json!({"text": text}));
    assert!(
        !answer.raw.contains(&secret) && !answer.raw.contains(person),
        "{}",
        answer.raw
    );
    // A value that stands behind a pseudonym goes back to the server.
    let pseudonym = answer.text().split(" of ").nth(1).unwrap().to_owned();
    client.call("m_echo", json!({"text": format!("again {pseudonym}")}));
    gateway.server().wait_to_receive(&format!("again {person}"));
    // So it does in the answer to what the server asks.
    let call = client.start_call("m_ask", json!({"method": "sampling/createMessage"}));
    let asked = client.receive_method("sampling/createMessage");
    let words = json!({"type": "text", "text": format!("sampled {pseudonym} {secret}")});
    let sampled = json!({
        "jsonrpc": "2.0",
        "id": asked.value()["id"],
        "result": {"role": "assistant", "content": words, "model": "m"},
    });
    client.send_raw(&sampled.to_string());
    client.answer(&call);
    let reached = format!("sampled {person} {secret}");
    gateway.server().wait_to_receive(&reached);
    // Refused, with all that it says.
    client.call(
        "m_echo",
        json!({"text": format!("{secret} <PERSON_7K3QXM>")}),
    );
    let database = database(&gateway);
    let arguments = format!("SELECT arguments {CALLS}");
    eventually("all are recorded", || {
        rows(&database, &arguments).len() == 4
    });
    let sampled = "SELECT result FROM records WHERE method = 'sampling/createMessage'";
    let expected = format!("sampled {pseudonym} <GITHUB_PERSONAL_ACCESS_TOKEN>");
    assert!(
        rows(&database, sampled)[0].contains(&expected),
        "{:?}",
        rows(&database, sampled)
    );
    // While the gateway runs: the write-ahead log is there.
    for hidden in [secret.as_str(), person] {
        let found = files_with(gateway.folder(), hidden);
        let diary = |path: &PathBuf| path.extension().is_some_and(|it| it == "diary");
        let found: Vec<_> = found.into_iter().filter(|path| !diary(path)).collect();
        assert_eq!(found, Vec::<PathBuf>::new(), "{hidden}");
        assert!(!gateway.log.text().contains(hidden));
    }
    let arguments = rows(&database, &arguments);
    assert!(
        arguments[0].contains("the token <GITHUB_PERSONAL_ACCESS_TOKEN> of"),
        "{arguments:?}"
    );
    assert!(arguments[1].contains(&pseudonym), "{arguments:?}");
    gateway.end();
}

#[test]
fn what_is_kept_is_what_the_configuration_says() {
    let config = "config = { arguments = \"hash\", result = \"none\", where = [{ tool = \"echo\", arguments = \"full\", limit = 12 }] }";
    let gateway = recorded(config).start();
    gateway
        .client
        .call("m_echo", json!({"text": "a long text"}));
    gateway.client.call("m_fail", json!({"line": "one"}));
    gateway.client.call("m_fail", json!({"line": "one"}));
    gateway.end();
    let database = database(&gateway);
    let forms = format!("SELECT arguments_form || arguments_cut || result_form {CALLS}");
    assert_eq!(
        rows(&database, &forms),
        ["full1none", "hash0none", "hash0none"]
    );
    let arguments = rows(&database, &format!("SELECT arguments {CALLS}"));
    assert_eq!(arguments[0], "{\"text\":\"a l");
    assert_eq!(arguments[1].len(), 64);
    assert_eq!(arguments[1], arguments[2]);
}

/// Users of the Python gateway name the file of theirs, which is another's database.
#[test]
fn a_database_of_the_python_gateway_stays_as_it_is() {
    let setup = recorded("");
    let theirs = setup.folder().join("audit.db");
    Connection::open(&theirs)
        .unwrap()
        .execute_batch("CREATE TABLE events (a)")
        .unwrap();
    let before = fs::read(&theirs).unwrap();
    let logs = setup.folder().join("logs");
    let gateway = setup.variable("XETRACK_LOGS_PATH", &logs).start();
    gateway.client.call("m_echo", json!({"text": "x", "n": 1}));
    gateway.end();
    // What it logged as lines of JSON is logged as before: arguments and contents are flat.
    let day = fs::read_dir(&logs).unwrap().next().unwrap().unwrap();
    let lines = fs::read_to_string(day.path()).unwrap();
    let mut events = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let event: serde_json::Value = events
        .find(|event: &serde_json::Value| event["capability_type"] == "tool")
        .unwrap();
    for (key, value) in [
        ("capability_name", json!("echo")),
        ("server_name", json!("m")),
        ("response_type", json!("CallToolResult")),
        ("text", json!("x")),
        ("n", json!(1)),
        ("content_type", json!("text")),
        ("content_text", json!("x")),
        ("isError", json!(false)),
    ] {
        assert_eq!(event[key], value, "{key}: {event}");
    }
    assert_eq!(fs::read(&theirs).unwrap(), before);
    let ours = gateway.folder().join("audit.db.audit.db");
    assert_eq!(rows(&ours, &format!("SELECT count(*) {CALLS}")), ["1"]);
}

/// Whoever reads of a call can tell what it had passed.
#[test]
fn guardrails_that_come_into_force_are_recorded() {
    let setup = recorded("");
    let component = setup.folder().join("rule.wasm");
    fs::copy(guest("guardrail_codename"), &component).unwrap();
    let taken = "swap = \"examples\"";
    let gateway = setup.guardrail(&component, taken).start();
    let mark = gateway.log.mark();
    Gateway::rename_over(&component, &fs::read(guest("guardrail_email")).unwrap());
    gateway.log.wait_since(mark, "guardrail swapped");
    gateway.end();
    let came = rows(
        &database(&gateway),
        "SELECT method || ' ' || subject || ' ' || (json_extract(arguments, '$.before') IS NULL) FROM records \
         WHERE kind = 'guardrail' ORDER BY seq",
    );
    assert_eq!(
        came,
        [
            "guardrail/loaded rule 1",
            "guardrail/loaded audit 1",
            "guardrail/swapped rule 0"
        ]
    );
    verified(&gateway);
}
