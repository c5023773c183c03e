//! Databases that are written, read, and tampered with.

mod rotating;
mod writing;

use std::path::Path;

use rusqlite::Connection;

use super::*;

const SECRET: [u8; 32] = [9; 32];

fn record(method: &str) -> Record {
    Record {
        time: 1_790_000_000_000,
        kind: Kind::Call,
        session: "s-1".into(),
        exchange: Some(1),
        client: Some("claude".into()),
        client_version: Some("1.2".into()),
        server: Some("files".into()),
        method: method.into(),
        subject: Some("delete_file".into()),
        direction: "to-server",
        arguments: Content {
            text: Some(r#"{"path":"/a"}"#.into()),
            form: Form::Masked,
            is_cut: false,
        },
        result: Content::default(),
        outcome: Outcome::Ok,
        blocked_by: None,
        reason: None,
        duration: 1_500,
        server_time: 1_200,
        guardrail_time: 200,
        request_bytes: 100,
        result_bytes: 50,
        findings: vec![Finding {
            guardrail: "basic".into(),
            digest: "ab".into(),
            rule: "aws-key".into(),
            count: 2,
            place: "/arguments/path".into(),
            message: "request",
            decision: "pass",
            is_enforced: true,
        }],
    }
}

fn store(path: &Path) -> Store {
    Store::open(path, &Keys::new(SECRET), Durability::Batch).unwrap()
}

fn check(path: &Path, checkpoints: &[Checkpoint]) -> Result<u64, String> {
    let database = Database::open(path).unwrap();
    verify(&database, &Keys::new(SECRET), checkpoints)
        .map(|verified| verified.records)
        .map_err(|tampered| tampered.to_string())
}

/// A journal of ten records, and what is done to it.
fn tampered(sql: &str) -> Result<u64, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let records: Vec<_> = (0..10).map(|_| record("tools/call")).collect();
    store(&path).append(&records).unwrap();
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    check(&path, &[])
}

#[test]
fn a_journal_that_nobody_touched_verifies() {
    assert_eq!(tampered(""), Ok(10));
}

#[test]
fn the_first_record_that_was_changed_removed_or_moved_is_named() {
    let swap = "UPDATE records SET seq = 100 WHERE seq = 4; UPDATE records SET seq = 4 WHERE seq = 5; \
                UPDATE records SET seq = 5 WHERE seq = 100;";
    let same = "UPDATE records SET time = time + seq; UPDATE records SET time = time - seq;";
    assert_eq!(tampered(same), Ok(10));
    let changed = |seq| {
        Err(format!(
            "record {seq} is not what was written: it or a finding of it was changed, or it is another record"
        ))
    };
    for (sql, expected) in [
        (
            "UPDATE records SET outcome = 'blocked' WHERE seq = 7",
            changed(7),
        ),
        (
            "UPDATE records SET arguments = NULL WHERE seq >= 3",
            changed(3),
        ),
        ("UPDATE findings SET rule = 'x' WHERE seq = 10", changed(10)),
        ("UPDATE findings SET number = 2 WHERE seq = 2", changed(2)),
        ("DELETE FROM findings WHERE seq = 1", changed(1)),
        (swap, changed(4)),
        (
            "DELETE FROM records WHERE seq = 6",
            Err("record 6 was removed".into()),
        ),
        (
            "DELETE FROM findings WHERE seq IN (5, 6); DELETE FROM records WHERE seq IN (5, 6)",
            Err("records 5 to 6 were removed".into()),
        ),
        (
            "DELETE FROM findings WHERE seq = 1; DELETE FROM records WHERE seq = 1",
            Err("record 1 was removed".into()),
        ),
        (
            "DELETE FROM findings WHERE seq = 1; DELETE FROM records WHERE seq = 1; \
             UPDATE meta SET value = 1 WHERE key = 'anchor_seq'",
            Err("where its chain begins was changed".into()),
        ),
    ] {
        let found = tampered(sql);
        match (&found, &expected) {
            (Err(found), Err(expected)) if found.starts_with(expected.as_str()) => {}
            _ => assert_eq!(found, expected, "{sql}"),
        }
    }
}

#[test]
fn a_checkpoint_shows_that_the_end_was_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let keys = Keys::new(SECRET);
    let mut store = store(&path);
    store.append(&vec![record("a"); 5]).unwrap();
    let database = Database::open(&path).unwrap();
    let head = verify(&database, &keys, &[]).unwrap().head;
    let checkpoint = Checkpoint::new(database.id(), &head, 1, &keys).unwrap();
    store.append(&vec![record("b"); 5]).unwrap();
    // As it is written and read elsewhere.
    let json = serde_json::to_string(&checkpoint).unwrap();
    let checkpoint: Checkpoint = serde_json::from_str(&json).unwrap();
    assert_eq!(check(&path, std::slice::from_ref(&checkpoint)), Ok(10));

    let forged = Checkpoint {
        seq: 6,
        ..checkpoint.clone()
    };
    let refusal = "the checkpoint of record 6 is not signed by this installation";
    assert_eq!(check(&path, &[forged]), Err(refusal.into()));

    let other = folder.path().join("other.db");
    super::tests::store(&other)
        .append(&vec![record("a"); 5])
        .unwrap();
    let refusal = "the checkpoint of record 5 is of another database";
    assert_eq!(
        check(&other, std::slice::from_ref(&checkpoint)),
        Err(refusal.into())
    );

    let cut = "DELETE FROM findings WHERE seq > 4; DELETE FROM records WHERE seq > 4";
    Connection::open(&path).unwrap().execute_batch(cut).unwrap();
    assert_eq!(check(&path, &[]), Ok(4));
    let refusal =
        "records were removed at the end: a checkpoint has seen record 5, and the last is 4";
    assert_eq!(
        check(&path, std::slice::from_ref(&checkpoint)),
        Err(refusal.into())
    );
    store.append(&vec![record("c"); 2]).unwrap();
    let refusal = "record 5 is another one than the checkpoint has seen";
    assert_eq!(check(&path, &[checkpoint]), Err(refusal.into()));
}

#[test]
fn several_writers_share_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    // Often, since all of them make the database at the same moment.
    for round in 0..20 {
        let path = folder.path().join(format!("{round}/audit.db"));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut store = store(&path);
                    for _ in 0..5 {
                        store.append(&vec![record("x"); 3]).unwrap();
                    }
                });
            }
        });
        assert_eq!(check(&path, &[]), Ok(60));
    }
}

#[test]
fn what_is_no_journal_of_this_installation_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |path: &Path, secret| {
        let opened = Store::open(path, &Keys::new(secret), Durability::Batch);
        opened.err().unwrap().to_string()
    };
    let python = folder.path().join("tracing.db");
    let events = "CREATE TABLE events (timestamp TEXT)";
    Connection::open(&python)
        .unwrap()
        .execute_batch(events)
        .unwrap();
    assert!(refusal(&python, SECRET).contains("is a database of another program"));

    let ours = folder.path().join("audit.db");
    drop(store(&ours));
    assert!(refusal(&ours, [1; 32]).contains("the secret of another installation"));

    let newer = "PRAGMA user_version = 2";
    Connection::open(&ours)
        .unwrap()
        .execute_batch(newer)
        .unwrap();
    assert!(
        refusal(&ours, SECRET).contains("has the schema of a later version (2; this one knows 1)")
    );

    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "no database at all, but long enough to be looked at".repeat(50),
    )
    .unwrap();
    assert!(refusal(&text, SECRET).contains("file is not a database"));
}

#[cfg(unix)]
/// Who took it for another program's would record elsewhere.
#[test]
fn a_file_that_a_gateway_has_only_begun_to_make_is_a_journal_that_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    std::fs::write(&path, b"").unwrap();
    assert!(matches!(
        Database::open(&path),
        Err(JournalError::Missing(_))
    ));
    drop(store(&path));
    assert!(Database::open(&path).is_ok());
}

#[test]
fn nobody_else_can_read_a_new_journal() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let mut store = store(&path);
    store.append(&[record("x")]).unwrap();
    for file in ["audit.db", "audit.db-wal", "audit.db-shm"] {
        let found = std::fs::metadata(folder.path().join(file)).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o600, "{file}");
    }
}
