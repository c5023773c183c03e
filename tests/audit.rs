//! What the audit database has of the calls that went through the gateway.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::path::{Path, PathBuf};

use mcp_gateway_tests::real::sqlite_server;
use mcp_gateway_tests::{Gateway, Server, Setup, eventually, guest};
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
            if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
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
    gateway.client.call("db_read_query", json!({"query": "SELECT nothing"}));
    gateway.end();
    let database = database(&gateway);
    let columns = "client || ' ' || client_version || ' ' || server || ' ' || subject || ' ' || outcome || ' ' || arguments";
    assert_eq!(
        rows(&database, &format!("SELECT {columns} {CALLS}")),
        [
            r#"test 1 db create_table ok {"query":"CREATE TABLE t (n int)"}"#,
            r#"test 1 db read_query ok {"query":"SELECT nothing"}"#,
        ]
    );
    let times = "duration >= server_time + guardrail_time AND server_time > 0 AND guardrail_time > 0 \
                 AND request_bytes > 100 AND result_bytes > 50 AND abs(time - unixepoch() * 1000) < 600000";
    assert_eq!(rows(&database, &format!("SELECT {times} {CALLS}")), ["1", "1"]);
    let result = rows(&database, &format!("SELECT result {CALLS}"));
    assert!(result[0].contains("Table created successfully"), "{result:?}");
    // What the server is asked when it is opened, and what it offers, are there as hashes.
    let lists = rows(&database, "SELECT DISTINCT result_form FROM records WHERE method IN ('initialize', 'tools/list')");
    assert_eq!(lists, ["hash"]);
}
