//! The thread that writes: in time, at the end, and when it cannot.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::super::*;
use super::{SECRET, check, record};

fn journal(path: &Path, durability: Durability) -> Journal {
    let settings = Settings {
        path: path.to_owned(),
        keys: Keys::new(SECRET),
        durability,
        rotate: Policy::default(),
        events: None,
    };
    Journal::start(settings).unwrap()
}

/// Polls until it holds; fails after a time that no machine needs.
pub(super) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn blocked_path(folder: &Path) -> PathBuf {
    // A folder where the file should be.
    let path = folder.join("audit.db");
    std::fs::create_dir(&path).unwrap();
    path
}

#[test]
fn what_was_handed_over_is_written_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let journal = journal(&path, Durability::Batch);
    for _ in 0..1_000 {
        journal.write(record("x")).unwrap();
    }
    drop(journal);
    assert_eq!(check(&path, &[]), Ok(1_000));
}

#[test]
fn a_batch_is_committed_without_another_word() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let journal = journal(&path, Durability::Batch);
    journal.write(record("x")).unwrap();
    until("it is committed", || {
        path.exists() && Database::open(&path).is_ok() && check(&path, &[]) == Ok(1)
    });
    assert_eq!(journal.is_writable(), Ok(()));
}

#[tokio::test]
async fn a_strict_record_is_there_once_it_is_said_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let journal = journal(&path, Durability::Strict);
    for count in 1..=20 {
        let pending = journal.write(record("x")).unwrap();
        pending.recorded().await.unwrap();
        assert_eq!(check(&path, &[]), Ok(count));
    }
}

#[tokio::test]
async fn what_cannot_be_written_is_said_and_written_later() {
    let folder = tempfile::tempdir().unwrap();
    let path = blocked_path(folder.path());
    let journal = journal(&path, Durability::Strict);
    until("it fails", || journal.is_writable().is_err());
    let pending = journal.write(record("x")).unwrap();
    let refusal = pending.recorded().await.unwrap_err().to_string();
    assert!(
        refusal.starts_with("the journal cannot be written"),
        "{refusal}"
    );
    std::fs::remove_dir(&path).unwrap();
    until("it goes on", || journal.is_writable().is_ok());
    journal
        .write(record("y"))
        .unwrap()
        .recorded()
        .await
        .unwrap();
    assert_eq!(check(&path, &[]), Ok(2));
}

#[test]
fn what_found_no_place_in_line_leaves_a_record_of_the_gap() {
    let folder = tempfile::tempdir().unwrap();
    let path = blocked_path(folder.path());
    let journal = journal(&path, Durability::Batch);
    until("it fails", || journal.is_writable().is_err());
    let written = (0..10_003).map(|_| journal.write(record("x")));
    let lost = written.filter(|it| matches!(it, Err(Unrecorded::Full)));
    assert_eq!(lost.count(), 3);
    std::fs::remove_dir(&path).unwrap();
    drop(journal);
    assert_eq!(check(&path, &[]), Ok(10_001));
    let database = Database::open(&path).unwrap();
    let gap = "SELECT arguments ->> '$.lost', outcome FROM records WHERE kind = 'gap'";
    let gap = database.connection().query_row(gap, [], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    });
    assert_eq!(gap.unwrap(), (3, "lost".to_owned()));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_was_taken_away_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let journal = journal(&path, Durability::Strict);
    journal
        .write(record("x"))
        .unwrap()
        .recorded()
        .await
        .unwrap();
    for file in ["audit.db", "audit.db-wal", "audit.db-shm"] {
        let there = folder.path().join(format!("old-{file}"));
        std::fs::rename(folder.path().join(file), there).unwrap();
    }
    journal
        .write(record("y"))
        .unwrap()
        .recorded()
        .await
        .unwrap();
    assert_eq!(check(&path, &[]), Ok(1));
}

#[tokio::test]
async fn who_asks_more_than_can_be_written_waits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let journal = journal(&path, Durability::Batch);
    journal.write(record("x")).unwrap();
    until("it is committed", || {
        path.exists() && Database::open(&path).is_ok() && check(&path, &[]) == Ok(1)
    });
    // Somebody else writes.
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    for _ in 0..5_000 {
        journal.write(record("x")).unwrap();
    }
    let is_there_room = tokio::select! {
        biased;
        () = journal.room() => true,
        () = std::future::ready(()) => false,
    };
    assert!(!is_there_room);
    other.execute_batch("COMMIT").unwrap();
    journal.room().await;
    drop(journal);
    assert_eq!(check(&path, &[]), Ok(5_001));
}
