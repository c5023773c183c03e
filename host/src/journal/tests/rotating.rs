//! Records that go into archives: at any moment, with whatever happens in between.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use super::super::*;
use super::{SECRET, check, record, store};

const DAY: i64 = 86_400_000;

/// 2026-11-26.
const NOW: i64 = 1_795_651_200_000;

fn at(time: i64) -> Record {
    Record {
        time,
        ..record("tools/call")
    }
}

/// A journal of so many records, one a minute.
fn journal(records: i64) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.db");
    let records: Vec<_> = (0..records).map(|it| at(NOW + it * 60_000)).collect();
    store(&path).append(&records).unwrap();
    (folder, path)
}

fn rotate(path: &Path, which: Which) -> Option<Archive> {
    let mut rotation = Rotation::begin(path, &Keys::new(SECRET)).unwrap();
    rotation.rotate(which, &|| true).unwrap()
}

fn rows(path: &Path) -> i64 {
    let count = "SELECT count(*) FROM records";
    let connection = Connection::open(path).unwrap();
    connection.query_row(count, [], |row| row.get(0)).unwrap()
}

fn verified(path: &Path) -> Verified {
    verify(&Database::open(path).unwrap(), &Keys::new(SECRET), &[]).unwrap()
}

fn file_of(path: &Path, archive: &Archive) -> std::path::PathBuf {
    Archives::of(path).folder().join(&archive.file)
}

#[test]
fn the_chain_goes_on_through_archives() {
    let (_folder, path) = journal(10);
    let first = rotate(&path, Which::Before(NOW + 4 * 60_000)).unwrap();
    assert_eq!((first.first, first.last), (1, 4));
    assert_eq!((first.since, first.until), (NOW, NOW + 3 * 60_000));
    assert_eq!(rows(&path), 6);
    let second = rotate(&path, Which::All).unwrap();
    assert_eq!((second.first, second.last), (5, 10));
    assert_eq!(rows(&path), 0);
    assert_eq!(rotate(&path, Which::All), None);
    let last = store(&path).append(&[at(NOW), at(NOW)]).unwrap();
    assert_eq!(last, 12);
    let verified = verified(&path);
    assert_eq!((verified.records, verified.archives), (12, 2));

    let archive = Archives::of(&path).open(&first).unwrap();
    let found = "SELECT count(*), sum(count) FROM records JOIN findings USING (seq)";
    let found = archive
        .connection()
        .query_row(found, [], |row| row.try_into());
    assert_eq!(found, Ok((4, 8)));
}

#[test]
fn a_rotation_that_was_stopped_anywhere_loses_nothing_and_is_gone_on_with() {
    let (folder, path) = journal(5_000);
    let mut stops = 0;
    loop {
        let copy = folder.path().join(format!("{stops}.db"));
        fs::copy(&path, &copy).unwrap();
        let left = Cell::new(stops);
        let go_on = || left.replace(left.get() - 1) > 0;
        let mut rotation = Rotation::begin(&copy, &Keys::new(SECRET)).unwrap();
        let rotated = rotation.rotate(Which::All, &go_on);
        drop(rotation);
        assert_eq!(check(&copy, &[]), Ok(5_000), "after {stops} steps");
        store(&copy).append(&[at(NOW)]).unwrap();
        if rotated.is_ok() && left.get() > 0 {
            break;
        }
        rotate(&copy, Which::All);
        let verified = verified(&copy);
        assert_eq!(verified.records, 5_001, "after {stops} steps");
        assert_eq!(rows(&copy), 0);
        let folder = Archives::of(&copy);
        let mut names: Vec<_> = fs::read_dir(folder.folder())
            .unwrap()
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let known = folder.manifest().unwrap().unwrap().archives;
        let mut expected: Vec<_> = known.into_iter().map(|it| it.file).collect();
        expected.extend(["lock".into(), "manifest.json".into()]);
        assert_eq!(names, expected);
        stops += 1;
    }
    // So there were some places to stop at.
    assert!(stops > 5, "{stops}");
}

#[test]
fn gateways_write_while_records_are_moved() {
    let (_folder, path) = journal(4_500);
    let done = AtomicBool::new(false);
    let written = std::thread::scope(|scope| {
        let writers = [(); 3].map(|()| {
            scope.spawn(|| {
                let mut store = store(&path);
                let mut count = 0;
                while !done.load(Ordering::SeqCst) || count == 0 {
                    store.append(&[at(NOW), at(NOW)]).unwrap();
                    count += 2;
                }
                count
            })
        });
        for _ in 0..2 {
            rotate(&path, Which::All);
        }
        done.store(true, Ordering::SeqCst);
        writers
            .map(|it| it.join().unwrap())
            .into_iter()
            .sum::<u64>()
    });
    let verified = verified(&path);
    assert_eq!(verified.records, 4_500 + written);
    assert!(verified.archives >= 1);
}

#[test]
fn one_process_at_a_time_moves_records() {
    let (_folder, path) = journal(3);
    let keys = Keys::new(SECRET);
    let first = Rotation::begin(&path, &keys).unwrap();
    let second = Rotation::begin(&path, &keys).err().unwrap();
    assert!(matches!(second, RotationError::Busy(_)), "{second}");
    drop(first);
    Rotation::begin(&path, &keys).unwrap();
}

#[test]
fn whatever_is_done_to_an_archive_or_its_manifest_shows() {
    type Tampering = fn(&Path, &[Archive]);
    let cases: [(&str, Tampering); 8] = [
        ("000000000001-000000000003.db.zst", |path, archives| {
            let file = file_of(path, &archives[0]);
            let mut bytes = fs::read(&file).unwrap();
            bytes.push(0);
            fs::write(file, bytes).unwrap();
        }),
        ("cannot use", |path, archives| {
            fs::remove_file(file_of(path, &archives[1])).unwrap();
        }),
        ("that the manifest names", |path, archives| {
            let [first, second] = [0, 1].map(|it| file_of(path, &archives[it]));
            fs::rename(second, first).unwrap();
        }),
        ("the manifest of its archives is not what", |path, _| {
            edit(path, |text| {
                text.replacen("\"first\": 1,", "\"first\": 2,", 1)
            });
        }),
        ("the manifest of its archives is not what", |path, _| {
            edit(path, |text| {
                let mut manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
                manifest["archives"].as_array_mut().unwrap().remove(0);
                manifest.to_string()
            });
        }),
        (
            "records 1 to 6 were moved to an archive that is not there",
            |path, _| {
                fs::remove_dir_all(Archives::of(path).folder()).unwrap();
            },
        ),
        ("where its chain begins was changed", |path, _| {
            let begins = "UPDATE meta SET value = 5 WHERE key = 'anchor_seq'";
            Connection::open(path)
                .unwrap()
                .execute_batch(begins)
                .unwrap();
        }),
        ("record 7 was removed", |path, _| {
            let delete = "DELETE FROM findings WHERE seq = 7; DELETE FROM records WHERE seq = 7";
            Connection::open(path)
                .unwrap()
                .execute_batch(delete)
                .unwrap();
        }),
    ];
    for (words, tamper) in cases {
        let (_folder, path) = journal(8);
        rotate(&path, Which::Before(NOW + 3 * 60_000)).unwrap();
        rotate(&path, Which::Before(NOW + 6 * 60_000)).unwrap();
        assert_eq!(check(&path, &[]), Ok(8));
        let archives = Archives::of(&path).manifest().unwrap().unwrap().archives;
        tamper(&path, &archives);
        let found = check(&path, &[]).unwrap_err();
        assert!(found.contains(words), "{words}: {found}");
    }
}

fn edit(path: &Path, change: impl FnOnce(String) -> String) {
    let file = Archives::of(path).folder().join("manifest.json");
    let text = fs::read_to_string(&file).unwrap();
    let changed = change(text.clone());
    assert_ne!(text, changed);
    fs::write(file, changed).unwrap();
}

#[test]
fn nothing_is_moved_that_is_not_what_was_written() {
    let (_folder, path) = journal(6);
    let change = "UPDATE records SET outcome = 'ok', method = 'x' WHERE seq = 4";
    Connection::open(&path)
        .unwrap()
        .execute_batch(change)
        .unwrap();
    let mut rotation = Rotation::begin(&path, &Keys::new(SECRET)).unwrap();
    let error = rotation
        .rotate(Which::All, &|| true)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("record 4 is not what was written"),
        "{error}"
    );
    assert_eq!(rows(&path), 6);
}

#[test]
fn a_manifest_that_is_lost_is_not_begun_anew() {
    let (_folder, path) = journal(6);
    let archive = rotate(&path, Which::All).unwrap();
    store(&path).append(&[at(NOW)]).unwrap();
    fs::remove_file(Archives::of(&path).folder().join("manifest.json")).unwrap();
    let error = Rotation::begin(&path, &Keys::new(SECRET)).err().unwrap();
    assert!(
        error.to_string().contains("manifest.json is not what"),
        "{error}"
    );
    assert!(file_of(&path, &archive).exists());
}

#[test]
fn old_archives_are_deleted_and_their_records_are_known_to_have_been() {
    let (_folder, path) = journal(0);
    for day in 0..4 {
        store(&path)
            .append(&[at(NOW + day * DAY), at(NOW + day * DAY)])
            .unwrap();
        rotate(&path, Which::All).unwrap();
    }
    let head = verified(&path).head;
    let id = Database::open(&path).unwrap().id().to_owned();
    let checkpoint = Checkpoint::new(&id, &head, NOW, &Keys::new(SECRET)).unwrap();
    let mut rotation = Rotation::begin(&path, &Keys::new(SECRET)).unwrap();
    let old = rotation.delete_before(NOW + DAY + 1, NOW).unwrap();
    assert_eq!(old.iter().map(|it| it.last).collect::<Vec<_>>(), [2, 4]);
    assert!(old.iter().all(|it| !file_of(&path, it).exists()));
    drop(rotation);
    let verified = verified(&path);
    assert_eq!(
        (verified.anchor.seq, verified.records, verified.archives),
        (4, 4, 2)
    );
    assert_eq!(check(&path, std::slice::from_ref(&checkpoint)), Ok(4));
    // All of them, and the chain still goes on.
    let mut rotation = Rotation::begin(&path, &Keys::new(SECRET)).unwrap();
    assert_eq!(rotation.delete_before(i64::MAX, NOW).unwrap().len(), 2);
    drop(rotation);
    assert_eq!(check(&path, &[checkpoint]), Ok(0));
    assert_eq!(store(&path).append(&[at(NOW)]).unwrap(), 9);
    assert_eq!(check(&path, &[]), Ok(1));
}

#[test]
fn what_is_due_is_done() {
    let keys = Keys::new(SECRET);
    let kept = |policy: &Policy, now: i64| {
        let (folder, path) = journal(0);
        // 30 October, 31 October, 1 November and 26 November.
        let days = [-27, -26, -25, 0].map(|day| at(NOW + day * DAY));
        store(&path).append(&days).unwrap();
        let kept = keep(&path, &keys, policy, now, &|| true).unwrap();
        assert_eq!(
            keep(&path, &keys, policy, now, &|| true).unwrap(),
            Kept::default()
        );
        drop(folder);
        let made: Vec<_> = kept.made.iter().map(|it| (it.first, it.last)).collect();
        (made, kept.deleted.len())
    };
    let none = Policy::default();
    let month = Policy {
        every: Some(Period::Month),
        ..none.clone()
    };
    let day = Policy {
        every: Some(Period::Day),
        ..none.clone()
    };
    let age = |days: u64| Policy {
        age: Some(Duration::from_secs(days * 86_400)),
        ..none.clone()
    };
    let bytes = |bytes| Policy {
        bytes: Some(bytes),
        ..none.clone()
    };
    let keep = Policy {
        keep: Some(Duration::from_secs(20 * 86_400)),
        ..month.clone()
    };
    for (policy, now, made, deleted) in [
        (&none, NOW, vec![], 0),
        (&month, NOW, vec![(1, 2)], 0),
        (&month, NOW + 5 * DAY, vec![(1, 2), (3, 4)], 0),
        (&day, NOW, vec![(1, 1), (2, 2), (3, 3)], 0),
        (&age(30), NOW, vec![], 0),
        (&age(26), NOW, vec![(1, 4)], 0),
        (&bytes(1_000_000), NOW, vec![], 0),
        (&bytes(10_000), NOW, vec![(1, 4)], 0),
        (&keep, NOW, vec![(1, 2)], 1),
    ] {
        assert_eq!(kept(policy, now), (made, deleted), "{policy:?}");
    }
}

#[test]
fn a_keeper_moves_records_by_itself_and_ends_with_the_gateway() {
    let (_folder, path) = journal(10);
    let policy = Policy {
        bytes: Some(10_000),
        ..Policy::default()
    };
    let keeper = Keeper::start(path.clone(), Keys::new(SECRET), policy).unwrap();
    super::writing::until("records are in an archive", || rows(&path) == 0);
    drop(keeper);
    assert_eq!(check(&path, &[]), Ok(10));
}

#[test]
fn the_file_shrinks_when_records_have_left_it() {
    let (_folder, path) = journal(5_000);
    let before = fs::metadata(&path).unwrap().len();
    let archive = rotate(&path, Which::All).unwrap();
    let after = fs::metadata(&path).unwrap().len();
    assert!(after * 5 < before, "{before} {after}");
    assert!(archive.bytes * 3 < archive.unpacked_bytes, "{archive:?}");
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_an_archive_and_nothing_unpacked_is_left() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = journal(3);
    let archive = rotate(&path, Which::All).unwrap();
    let archives = Archives::of(&path);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(archives.folder()), 0o700);
    for file in [archive.file.as_str(), "manifest.json", "lock"] {
        assert_eq!(mode(&archives.folder().join(file)), 0o600, "{file}");
    }
    let open = archives.open(&archive).unwrap();
    let file = "SELECT file FROM pragma_database_list";
    let file: String = open
        .connection()
        .query_row(file, [], |row| row.get(0))
        .unwrap();
    assert!(!file.is_empty() && !Path::new(&file).exists(), "{file}");
}
