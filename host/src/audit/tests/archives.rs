//! The commands on a journal parts of which are in archives.

use super::*;
use crate::journal::{Rotation, Which};

/// Moves records of a journal into archives, two at a time; the last two stay.
fn archived(path: &Path) {
    let mut rotation = Rotation::begin(path, &keys().unwrap()).unwrap();
    for hours in [1, 0] {
        let time = When::now().0 - hours * HOUR - HOUR / 2;
        rotation.rotate(Which::Before(time), &|| true).unwrap();
    }
}

#[test]
fn all_commands_answer_as_if_nothing_had_been_moved() {
    let (_folder, path) = written(&calls());
    let tail = |lines| Tail {
        lines,
        follows: false,
        is_json: false,
    };
    let since = Filter {
        since: Some("24h".parse().unwrap()),
        tools: some(&["*delete*", "*drop*", "shell"]),
        ..Filter::default()
    };
    let until = Filter {
        until: Some("90m".parse().unwrap()),
        ..Filter::default()
    };
    let mut actions = Vec::new();
    for filter in [Filter::default(), since, until] {
        for format in [Format::Table, Format::Json, Format::Csv] {
            actions.push(query(filter.clone(), format));
        }
        for limit in 1..4 {
            let (filter, format) = (filter.clone(), Format::Json);
            actions.push(Action::Query {
                filter,
                limit,
                format,
            });
        }
        for format in [FileFormat::Jsonl, FileFormat::Csv] {
            let (filter, output) = (filter.clone(), None);
            actions.push(Action::Export {
                filter,
                format,
                output,
            });
        }
        for is_json in [true, false] {
            let filter = filter.clone();
            actions.push(Action::Stats { filter, is_json });
        }
        actions.push(Action::Tail(filter.clone(), tail(4)));
        actions.push(Action::Tail(filter, tail(100)));
    }
    for seq in 1..=6 {
        actions.push(Action::Show { seq, is_json: true });
    }
    let before: Vec<_> = actions.iter().map(|action| said(&path, action)).collect();
    archived(&path);
    let seqs = |of| Action::Sql {
        statement: "SELECT min(seq), max(seq) FROM records".to_owned(),
        of,
        format: Format::Json,
    };
    let (left, all) = (seqs(Records::Journal), seqs(Records::All));
    assert_eq!(said(&path, &all), "{\"min(seq)\":1,\"max(seq)\":6}\n");
    assert_eq!(said(&path, &left), "{\"min(seq)\":6,\"max(seq)\":6}\n");
    for (action, before) in actions.iter().zip(before) {
        assert_eq!(said(&path, action), before, "{action:?}");
    }
}

#[test]
fn who_reads_sees_one_moment_while_records_are_moved() {
    let (_folder, path) = written(&calls());
    let reading = Reading::open(&path).unwrap();
    archived(&path);
    let filter = Filter::default();
    let seen = |reading: &Reading| {
        let mut seen = Vec::new();
        let all = Wanted::all(&filter);
        let each = reading.each(all, &mut |call| {
            seen.push(call.seq);
            Ok(())
        });
        each.unwrap();
        seen
    };
    assert_eq!(seen(&reading), [1, 2, 3, 4, 5, 6]);
    reading.release().unwrap();
    reading.look().unwrap();
    assert_eq!(seen(&reading), [1, 2, 3, 4, 5, 6]);
    assert_eq!(reading.last().unwrap(), 6);
}

#[test]
fn records_are_moved_verified_and_deleted_by_hand() {
    let (folder, path) = written(&calls());
    let checkpoint = folder.path().join("checkpoint.jsonl");
    let sign = Action::Checkpoint {
        output: Some(checkpoint.clone()),
    };
    let verify = |is_json| Action::Verify {
        checkpoints: vec![checkpoint.clone()],
        is_json,
    };
    let rotate = |before: Option<&str>| Action::Rotate {
        before: before.map(|it| it.parse().unwrap()),
        is_json: false,
    };
    let prune = |before: &str, is_sure| Action::Prune {
        before: before.parse().unwrap(),
        is_sure,
        is_json: false,
    };
    assert_eq!(said(&path, &sign), "");
    let moved = said(&path, &rotate(Some("24h")));
    assert!(
        moved.contains("000000000001-000000000001.db.zst"),
        "{moved}"
    );
    let moved = said(&path, &rotate(None));
    assert!(
        moved.contains("000000000002-000000000006.db.zst"),
        "{moved}"
    );
    assert_eq!(said(&path, &rotate(None)), "nothing to move\n");
    assert_eq!(
        said(&path, &verify(false)),
        "nobody changed anything: 6 records, 1 to 6, with 2 archives, as a checkpoint has seen them\n"
    );

    assert_eq!(said(&path, &prune("7d", true)), "no archive is that old\n");
    let shown = said(&path, &prune("24h", false));
    assert!(shown.contains("nothing is deleted yet"), "{shown}");
    assert_eq!(found(&path, Filter::default()), [6, 5, 4, 3, 2, 1]);
    said(&path, &prune("24h", true));
    assert_eq!(found(&path, Filter::default()), [6, 5, 4, 3, 2]);
    let verified: serde_json::Value = serde_json::from_str(&said(&path, &verify(true))).unwrap();
    assert_eq!(
        (&verified["intact"], &verified["first"]),
        (&true.into(), &2.into())
    );

    // The end is cut off.
    let file = "000000000002-000000000006.db.zst";
    std::fs::remove_file(folder.path().join("audit.db.archives").join(file)).unwrap();
    let error = tried(&path, &verify(false)).unwrap_err().to_string();
    assert!(error.contains(file), "{error}");
    let query = tried(&path, &query(Filter::default(), Format::Table));
    assert!(query.unwrap_err().to_string().contains(file));
}

#[test]
fn a_checkpoint_tells_what_was_cut_off_at_the_end() {
    let (folder, path) = written(&calls());
    let checkpoint = folder.path().join("checkpoint.jsonl");
    let output = Some(checkpoint.clone());
    said(&path, &Action::Checkpoint { output });
    let cut = rusqlite::Connection::open(&path).unwrap();
    cut.execute_batch("DELETE FROM records WHERE seq = 6")
        .unwrap();
    let verify = |checkpoints| Action::Verify {
        checkpoints,
        is_json: false,
    };
    assert!(said(&path, &verify(vec![])).starts_with("nobody changed anything: 5 records"));
    let error = tried(&path, &verify(vec![checkpoint.clone()])).unwrap_err();
    let words =
        "records were removed at the end: a checkpoint has seen record 6, and the last is 5";
    assert!(error.to_string().ends_with(words), "{error}");
    std::fs::write(&checkpoint, "{}").unwrap();
    let error = tried(&path, &verify(vec![checkpoint])).unwrap_err();
    assert!(matches!(error, AuditError::Checkpoint { .. }), "{error}");
}
