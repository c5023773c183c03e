//! What the audit database has of the calls that went through the gateway.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::path::{Path, PathBuf};

use mcp_gateway_tests::real::{npm_server, sqlite_server};
use mcp_gateway_tests::{Gateway, Server, Setup, Signal, eventually, guest, signal};
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
    // Refused, with all that it says.
    client.call(
        "m_echo",
        json!({"text": format!("{secret} <PERSON_7K3QXM>")}),
    );
    let database = database(&gateway);
    let arguments = format!("SELECT arguments {CALLS}");
    eventually("all are recorded", || {
        rows(&database, &arguments).len() == 3
    });
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

/// Takes the database away, and puts a folder in its place, to which nobody can write.
fn take_away(database: &Path) {
    for end in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{end}", database.display()));
        let _ = fs::rename(&file, file.with_extension(format!("aside{end}")));
    }
    fs::create_dir(database).unwrap();
}

#[test]
fn no_call_goes_through_unrecorded() {
    let gateway = recorded("").start();
    gateway.client.call("m_echo", json!({"text": "one"}));
    let database = database(&gateway);
    eventually("it is recorded", || {
        rows(&database, &format!("SELECT seq {CALLS}")).len() == 1
    });
    take_away(&database);
    // The one that finds it out was written too late to be stopped.
    gateway.client.call("m_echo", json!({"text": "two"}));
    gateway.log.wait("the journal cannot be written");
    let answer = gateway.client.call("m_echo", json!({"text": "three"}));
    assert!(answer.is_tool_error(), "{}", answer.raw);
    assert!(
        answer.text().contains("the journal cannot be written"),
        "{}",
        answer.text()
    );
    assert!(
        !gateway
            .server()
            .received()
            .iter()
            .any(|line| line.contains("three"))
    );
}

#[test]
fn with_on_error_allow_calls_go_on_and_are_recorded_later() {
    let gateway = recorded("on_error = \"allow\"").start();
    gateway.client.call("m_echo", json!({"text": "one"}));
    let database = database(&gateway);
    let count = format!("SELECT count(*) {CALLS}");
    eventually("it is recorded", || rows(&database, &count) == ["1"]);
    take_away(&database);
    assert!(
        !gateway
            .client
            .call("m_echo", json!({"text": "two"}))
            .is_tool_error()
    );
    gateway.log.wait("the journal cannot be written");
    assert!(
        !gateway
            .client
            .call("m_echo", json!({"text": "three"}))
            .is_tool_error()
    );
    fs::remove_dir(&database).unwrap();
    gateway.log.wait("the journal can be written again");
    gateway.end();
    assert_eq!(rows(&database, &count), ["2"]);
}

#[test]
fn a_strict_record_is_there_before_its_answer() {
    let setup = Gateway::with();
    let database = setup.folder().join("records.db");
    let setup = setup.setting("[journal]\nfile = \"records.db\"\ndurability = \"strict\"");
    let gateway = setup.mirror().guardrail("audit", "").start();
    for number in 1..=20 {
        gateway.client.call("m_echo", json!({"text": "x"}));
        let count = rows(&database, &format!("SELECT count(*) {CALLS}"));
        assert_eq!(count, [number.to_string()]);
    }
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

/// `KILLS=200` does it as often.
#[test]
fn a_gateway_that_is_killed_leaves_a_chain_that_verifies_and_loses_nothing_committed() {
    let rounds = std::env::var("KILLS").map_or(8, |rounds| rounds.parse().unwrap());
    for round in 0..rounds {
        let gateway = recorded("").start();
        let calls = 20 + (round * 37) % 300;
        for _ in 0..calls {
            gateway.client.start_call("m_echo", json!({"text": "x"}));
        }
        let database = database(&gateway);
        let count = || {
            rows(&database, "SELECT count(*) FROM records")[0]
                .parse::<u64>()
                .unwrap()
        };
        eventually("some are committed", || database.exists() && count() > 5);
        let before = count();
        signal(gateway.process(), Signal::KILL);
        gateway.wait();
        verified(&gateway);
        assert!(count() >= before);
    }
}

#[test]
fn several_gateways_write_to_one_database() {
    let one = recorded("").start();
    let shared = database(&one);
    let others: Vec<Gateway> = (0..3)
        .map(|_| {
            let setup = Gateway::with().variable("XETRACK_DB_PATH", &shared);
            let setup = setup.variable("MCP_GATEWAY_STATE_DIR", one.folder().join("state"));
            setup.mirror().guardrail("audit", "").start()
        })
        .collect();
    let all: Vec<&Gateway> = others.iter().chain([&one]).collect();
    for gateway in &all {
        for _ in 0..50 {
            gateway.client.start_call("m_echo", json!({"text": "x"}));
        }
    }
    for gateway in &all {
        gateway.client.call("m_echo", json!({"text": "last"}));
        gateway.end();
    }
    assert_eq!(rows(&shared, &format!("SELECT count(*) {CALLS}")), ["204"]);
    let sessions = "SELECT count(DISTINCT session) FROM records WHERE method = 'tools/call'";
    assert_eq!(rows(&shared, sessions), ["4"]);
    verified(&one);
}

/// The question that the mission begins with, by the command that the README has.
#[test]
fn calls_that_delete_or_drop_are_found_by_one_command() {
    let setup = recorded("");
    let memory = npm_server("memory", "server-memory", &[]);
    let kept = setup.folder().join("memory.json");
    let memory = memory.env("MEMORY_FILE_PATH", kept.to_str().unwrap());
    let tool = |name| json!({"name": name, "inputSchema": {"type": "object"}}).to_string();
    let tools = ["delete_row", "drop_table", "read_row"].map(tool).join(",");
    let mirror = Server::mirror("db").env("MIRROR_TOOLS", &tools);
    let gateway = setup.server(memory).server(mirror).start();
    let client = &gateway.client;
    client.call("memory_create_entities", json!({"entities": []}));
    let deleted = client.call("memory_delete_entities", json!({"entityNames": ["Ann"]}));
    assert!(!deleted.is_tool_error(), "{}", deleted.raw);
    for tool in ["db_delete_row", "db_read_row", "db_drop_table", "m_echo"] {
        client.call(tool, json!({"text": "x"}));
    }
    gateway.end();
    let mut command = Gateway::command();
    command.args([
        "audit", "query", "--since", "24h", "--tool", "*delete*", "--tool", "*drop*", "--json",
        "--db",
    ]);
    let output = command.arg(database(&gateway)).output().unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    let subjects: Vec<String> = found
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|call| call["subject"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(subjects, ["drop_table", "delete_row", "delete_entities"]);
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
fn what_was_recorded_can_be_read_in_every_way_before_and_after_it_is_archived() {
    let gateway = recorded("").start();
    gateway.client.call("m_echo", json!({"text": "hello"}));
    gateway.end();
    let parquet = gateway.folder().join("calls.parquet");
    let text = |args: &[&str]| String::from_utf8(audit(&gateway, args)).unwrap();
    let last = rows(&database(&gateway), "SELECT max(seq) FROM records").remove(0);
    for round in ["in the database", "in an archive"] {
        for args in [
            &["query"][..],
            &["query", "--csv"],
            &["query", "--json"],
            &["tail"],
            &["show", &last],
            &["stats"],
            &["export"],
            &["export", "--format", "csv"],
        ] {
            let text = text(args);
            assert!(text.contains("echo"), "{round}: {args:?}: {text}");
        }
        let _ = fs::remove_file(&parquet);
        text(&[
            "export",
            "--format",
            "parquet",
            "-o",
            parquet.to_str().unwrap(),
        ]);
        assert!(fs::read(&parquet).unwrap().starts_with(b"PAR1"), "{round}");
        text(&["verify"]);
        let count = text(&[
            "sql",
            "--all",
            "--csv",
            "SELECT count(*) FROM events WHERE capability_name = 'echo'",
        ]);
        assert_eq!(count.lines().last(), Some("1"), "{round}: {count}");
        text(&["rotate"]);
    }
    assert!(text(&["checkpoint"]).contains("signature"));
    assert!(text(&["sql"]).contains("CREATE TABLE records"));
}

/// Whoever reads of a call can tell what it had passed.
#[test]
fn guardrails_that_come_into_force_are_recorded() {
    let setup = recorded("");
    let component = setup.folder().join("rule.wasm");
    fs::copy(guest("guardrail_codename"), &component).unwrap();
    let gateway = setup.guardrail(&component, "").start();
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
