//! The commands on databases that the journal wrote.

mod archives;
mod files;

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::journal::{Content, Durability, Finding, Form, Kind, Outcome, Record, Store};

const HOUR: i64 = 3_600_000;

/// A call, so many hours ago.
fn call(tool: &str, hours: i64) -> Record {
    Record {
        time: When::now().0 - hours * HOUR,
        kind: Kind::Call,
        session: "s-1".into(),
        exchange: Some(7),
        client: Some("Claude".into()),
        client_version: Some("1.2".into()),
        server: Some("db".into()),
        method: "tools/call".into(),
        subject: Some(tool.into()),
        direction: "to-server",
        arguments: content(r#"{"table":"users"}"#),
        result: content(r#"{"content":[{"type":"text","text":"done"}]}"#),
        outcome: Outcome::Ok,
        blocked_by: None,
        reason: None,
        duration: 12_300,
        server_time: 11_000,
        guardrail_time: 900,
        request_bytes: 100,
        result_bytes: 50,
        findings: Vec::new(),
    }
}

fn content(text: &str) -> Content {
    Content {
        text: Some(text.to_owned()),
        form: Form::Masked,
        is_cut: false,
    }
}

/// 1 an old deletion, 2 a reading, 3 a deletion, 4 a dropping that was blocked, 5 a
/// list, 6 what wants to act upon the terminal.
pub(super) fn calls() -> Vec<Record> {
    let blocked = Record {
        server: Some("files".into()),
        outcome: Outcome::Blocked,
        blocked_by: Some("sql".into()),
        reason: Some("the statement drops a table".into()),
        duration: 400,
        findings: vec![Finding {
            guardrail: "sql".into(),
            digest: "0123456789abcdef".into(),
            rule: "drop-table".into(),
            count: 2,
            place: "/arguments/table".into(),
            message: "request",
            decision: "block",
            is_enforced: true,
        }],
        ..call("DropTable", 1)
    };
    let list = Record {
        method: "tools/list".into(),
        subject: None,
        client: Some("Cursor".into()),
        ..call("", 1)
    };
    let nasty = Record {
        arguments: content("{\"path\":\"a\u{9b}31m \u{202e} \\u001b[2J\"}"),
        reason: Some("=1+1\u{1b}]0;x\u{7}".into()),
        session: "s-2".into(),
        ..call("shell", 0)
    };
    vec![
        call("delete_row", 30),
        call("read_row", 2),
        call("delete_row", 1),
        blocked,
        list,
        nasty,
    ]
}

pub(super) fn written(records: &[Record]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let mut store = Store::open(&path, &keys().unwrap(), Durability::Batch).unwrap();
    store.append(records).unwrap();
    (folder, path)
}

pub(super) fn keys() -> Result<Keys, SecretError> {
    Ok(Keys::new([1; 32]))
}

fn tried(path: &Path, action: &Action) -> Result<String, AuditError> {
    let mut out = Vec::new();
    perform(&Whereabouts::File(path.to_owned()), action, &keys, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

fn said(path: &Path, action: &Action) -> String {
    tried(path, action).unwrap()
}

fn query(filter: Filter, format: Format) -> Action {
    Action::Query {
        filter,
        limit: 100,
        format,
    }
}

/// The numbers of the records that a filter finds.
fn found(path: &Path, filter: Filter) -> Vec<i64> {
    let text = said(path, &query(filter, Format::Json));
    let objects = text.lines().map(|line| {
        let object: serde_json::Value = serde_json::from_str(line).unwrap();
        object["seq"].as_i64().unwrap()
    });
    objects.collect()
}

fn some(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn deletions_and_droppings_of_the_last_24_hours_are_found() {
    let (_folder, path) = written(&calls());
    let filter = Filter {
        since: Some("24h".parse().unwrap()),
        tools: some(&["*delete*", "*drop*"]),
        ..Filter::default()
    };
    assert_eq!(found(&path, filter), [4, 3]);
}

#[test]
fn each_kind_of_condition_finds_what_it_says() {
    let (_folder, path) = written(&calls());
    type Condition = fn(&mut Filter) -> &mut Vec<String>;
    let cases: [(&str, Condition, &[i64]); 19] = [
        ("delete_row", |f| &mut f.tools, &[3, 1]),
        ("DELETE_ROW", |f| &mut f.tools, &[3, 1]),
        ("delete", |f| &mut f.tools, &[]),
        ("files", |f| &mut f.servers, &[4]),
        ("tools/l*", |f| &mut f.methods, &[5]),
        ("blocked", |f| &mut f.outcomes, &[4]),
        ("b*k?d", |f| &mut f.outcomes, &[4]),
        ("*O*", |f| &mut f.outcomes, &[6, 5, 4, 3, 2, 1]),
        ("ok", |f| &mut f.outcomes, &[6, 5, 3, 2, 1]),
        ("of-another-version", |f| &mut f.outcomes, &[]),
        ("drop-*", |f| &mut f.rules, &[4]),
        ("sql", |f| &mut f.guardrails, &[4]),
        ("cursor", |f| &mut f.clients, &[5]),
        ("s-2", |f| &mut f.sessions, &[6]),
        ("DROPS a table", |f| &mut f.texts, &[4]),
        ("%", |f| &mut f.texts, &[]),
        ("\"path\":\"a", |f| &mut f.texts, &[6]),
        ("[ab]*", |f| &mut f.servers, &[]),
        ("' OR 1 --", |f| &mut f.servers, &[]),
    ];
    for (text, condition, numbers) in cases {
        let mut filter = Filter::default();
        condition(&mut filter).push(text.to_owned());
        assert_eq!(found(&path, filter), numbers, "{text}");
    }
    let until = Filter {
        until: Some("24h".parse().unwrap()),
        ..Filter::default()
    };
    assert_eq!(found(&path, until), [1]);
}

#[test]
fn nothing_that_is_recorded_acts_upon_a_terminal() {
    let (_folder, path) = written(&calls());
    let shown = Action::Show {
        seq: 6,
        is_json: false,
    };
    let statement = Action::Sql {
        statement: "SELECT * FROM records".to_owned(),
        of: Records::Journal,
        format: Format::Table,
    };
    let filter = Filter::default;
    let lines = Tail {
        lines: 10,
        follows: false,
        is_json: false,
    };
    for action in [
        query(filter(), Format::Table),
        query(filter(), Format::Json),
        query(filter(), Format::Csv),
        Action::Tail(filter(), lines),
        shown,
        statement,
    ] {
        let text = said(&path, &action);
        let acts = |c: char| (c.is_control() && c != '\n' && c != '\r') || c == '\u{202e}';
        assert!(!text.chars().any(acts), "{action:?}: {text:?}");
        assert!(
            text.contains("1+1") || text.contains("shell"),
            "{action:?}: {text}"
        );
        assert!(!text.contains(",=1+1"), "{action:?}: {text}");
    }
}

#[test]
fn a_call_is_shown_with_who_decided_what_and_where() {
    let (_folder, path) = written(&calls());
    let shown = Action::Show {
        seq: 4,
        is_json: false,
    };
    let text = said(&path, &shown);
    for words in [
        "outcome     blocked",
        "blocked by  sql",
        "reason      the statement drops a table",
        "took        0.4 ms",
        "block: sql/drop-table ×2, in the request at /arguments/table; build 0123456789ab",
        "arguments (masked)",
        "\"table\": \"users\"",
    ] {
        assert!(text.contains(words), "{words:?} is not in: {text}");
    }
    let missing = Action::Show {
        seq: 99,
        is_json: false,
    };
    let error = tried(&path, &missing).unwrap_err();
    assert!(matches!(error, AuditError::NoRecord(99)));
}

#[test]
fn numbers_are_those_of_the_calls() {
    let (_folder, path) = written(&calls());
    let stats = |is_json| {
        let filter = Filter::default();
        said(&path, &Action::Stats { filter, is_json })
    };
    let text = stats(false);
    assert!(text.starts_with("6 calls: 1 blocked, 5 ok"), "{text}");
    assert!(text.contains("░ 3, 1 blocked"), "{text}");
    let value: serde_json::Value = serde_json::from_str(&stats(true)).unwrap();
    let all = serde_json::json!({
        "what": "all", "calls": 6, "blocked": 1, "failed": 0, "findings": 2,
        "p50": 12_300, "p95": 12_300,
    });
    assert_eq!(value["all"], all);
    let rules = serde_json::json!([{ "rule": "sql/drop-table", "count": 2, "calls": 1 }]);
    assert_eq!(value["rules"], rules);
}

#[test]
fn a_statement_is_run_and_none_that_changes_something() {
    let (_folder, path) = written(&calls());
    let sql = |statement: &str| {
        let statement = statement.to_owned();
        let format = Format::Csv;
        let of = Records::Journal;
        let action = Action::Sql {
            statement,
            of,
            format,
        };
        tried(&path, &action)
    };
    let asked = "SELECT capability_name, content_text FROM events WHERE server_name = 'files'";
    assert_eq!(
        sql(asked).unwrap(),
        "capability_name,content_text\r\nDropTable,done\r\n"
    );
    for forbidden in [
        "DELETE FROM records",
        "UPDATE records SET seq = 1",
        "DROP TABLE meta",
    ] {
        assert!(
            matches!(sql(forbidden), Err(AuditError::NotReadOnly)),
            "{forbidden}"
        );
    }
    assert!(matches!(
        sql("SELECT nonsense"),
        Err(AuditError::Statement(_))
    ));
}

#[test]
fn what_is_no_audit_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let all = query(Filter::default(), Format::Table);
    let error = || tried(&path, &all).unwrap_err();
    assert!(matches!(error(), AuditError::Missing(_)));
    assert!(!path.exists());
    std::fs::write(
        &path,
        "not a database, but a text that is long enough to be one",
    )
    .unwrap();
    assert!(matches!(error(), AuditError::Journal(_)));
}

#[test]
fn what_is_written_meanwhile_does_not_disturb_who_reads() {
    let (_folder, path) = written(&calls());
    let reading = Reading::open(&path).unwrap();
    let mut store = Store::open(&path, &keys().unwrap(), Durability::Batch).unwrap();
    store.append(&calls()).unwrap();
    assert_eq!(reading.last().unwrap(), 6);
    reading.release().unwrap();
    reading.look().unwrap();
    assert_eq!(reading.last().unwrap(), 12);
}
