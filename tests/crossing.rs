//! A secret in a real server's files, and a real database that it must not get into.
//!
//! The secret is put together here, so that it stands in no source.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::path::PathBuf;

use mcp_gateway_tests::Gateway;
use mcp_gateway_tests::real::{npm_server, sqlite_server};
use serde_json::json;

fn secret() -> String {
    format!("ghp_{}", "16C7e42F292c6912E7710c838347Ae178B4a")
}

/// A gateway in front of files, of which one holds the secret, and of a database.
fn guarded(settings: &str) -> (Gateway, PathBuf) {
    let setup = Gateway::with();
    let folder = setup.folder().canonicalize().unwrap().join("files");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("ci.env"), format!("GITHUB={}\n", secret())).unwrap();
    let database = setup.folder().join("notes.db");
    let setup = setup
        .server(npm_server(
            "files",
            "server-filesystem",
            &[folder.to_str().unwrap()],
        ))
        .server(sqlite_server("db", &database));
    (setup.guardrail("basic", settings).start(), folder)
}

/// What the database is told to keep, and what it says then.
fn kept(gateway: &Gateway) -> (bool, String) {
    let write = |query: String| {
        gateway
            .client
            .call("db_write_query", json!({ "query": query }))
    };
    gateway.client.call(
        "db_create_table",
        json!({"query": "CREATE TABLE notes (text TEXT)"}),
    );
    let answer = write(format!("INSERT INTO notes VALUES ('{}')", secret()));
    let refused = answer.is_tool_error() && answer.text().contains("another server");
    let rows = gateway.client.call(
        "db_read_query",
        json!({"query": "SELECT length(text) AS width FROM notes"}),
    );
    (refused, rows.text())
}

#[test]
fn a_secret_of_one_server_never_reaches_another() {
    for (settings, refused, rows) in [
        ("", true, "[]"),
        ("config = { crossing = \"mask\" }", false, "[{'width': 30}]"),
        (
            "config = { where = [{ server = \"db\", crossing = \"allow\" }] }",
            false,
            "[{'width': 40}]",
        ),
    ] {
        let (gateway, folder) = guarded(settings);
        let path = folder.join("ci.env");
        let read = gateway
            .client
            .call("files_read_text_file", json!({ "path": path }));
        assert!(!read.raw.contains(&secret()), "{}", read.raw);
        assert_eq!(kept(&gateway), (refused, rows.to_owned()), "{settings}");
        // To the server that it came from it may go back.
        let copy = json!({"path": folder.join("copy.env"), "content": secret()});
        gateway.client.call("files_write_file", copy);
        let copied = fs::read_to_string(folder.join("copy.env")).unwrap();
        assert_eq!(copied, secret(), "{settings}");
    }
}

#[test]
fn a_secret_that_the_client_brings_along_goes_where_it_is_sent() {
    let (gateway, folder) = guarded("");
    let (refused, rows) = kept(&gateway);
    assert_eq!((refused, rows.as_str()), (false, "[{'width': 40}]"));
    let note = json!({"path": folder.join("note.env"), "content": secret()});
    gateway.client.call("files_write_file", note);
    assert_eq!(
        fs::read_to_string(folder.join("note.env")).unwrap(),
        secret()
    );
}
