//! What is recorded when the disk, the file or the gateway itself fails.

use std::fs;
use std::path::{Path, PathBuf};

use mcp_gateway_tests::{Gateway, Signal, eventually, signal};
use serde_json::json;

use super::{CALLS, database, recorded, rows, verified};

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

/// Its disk is one of its own, in memory, since filling the machine's harms others.
#[cfg(target_os = "linux")]
#[test]
fn on_a_full_disk_no_call_goes_through_and_with_room_again_all_is_proven() {
    let setup = recorded("");
    let disk = setup.folder().join("disk");
    fs::create_dir(&disk).unwrap();
    let mount = "mount -t tmpfs -o size=1m tmpfs \"$0\" && exec \"$@\"";
    let args = ["-rm", "sh", "-c", mount, disk.to_str().unwrap()];
    let setup = setup.variable("XETRACK_DB_PATH", disk.join("audit.db"));
    let gateway = setup.launched_by("unshare", &args).start();
    // Others see another folder in its place; and SQLite will not follow this path.
    let seen = PathBuf::from(format!(
        "/proc/{}/root{}",
        gateway.process(),
        disk.display()
    ));
    let copy = database(&gateway);
    let read = |query: &str| {
        for end in ["", "-wal"] {
            let from = seen.join(format!("audit.db{end}"));
            fs::copy(from, format!("{}{end}", copy.display())).unwrap();
        }
        rows(&copy, query)
    };
    gateway.client.call("m_echo", json!({"text": "one"}));
    let count = format!("SELECT count(*) {CALLS}");
    eventually("it is recorded", || {
        seen.join("audit.db-wal").exists() && read(&count) == ["1"]
    });
    let filler = seen.join("filler");
    assert!(fs::write(&filler, vec![1; 2 << 20]).is_err());
    let refused = || {
        let answer = gateway.client.call("m_echo", json!({"text": "more"}));
        answer.is_tool_error() && answer.text().contains("the journal cannot be written")
    };
    eventually("calls are refused", refused);
    gateway.log.wait("the journal cannot be written");
    let received = gateway.server().received().len();
    assert!(refused());
    assert_eq!(gateway.server().received().len(), received);
    fs::remove_file(&filler).unwrap();
    gateway.log.wait("the journal can be written again");
    let answer = gateway.client.call("m_echo", json!({"text": "last"}));
    assert!(!answer.is_tool_error(), "{}", answer.raw);
    let answered = gateway.server().received();
    let answered = answered.iter().filter(|it| it.contains("tools/call"));
    let answered = answered.count().to_string();
    let passed = "SELECT count(*) FROM records WHERE method = 'tools/call' AND outcome = 'ok'";
    eventually("all that passed is recorded", || {
        read(passed) == [answered.as_str()]
    });
    verified(&gateway);
}

#[test]
fn what_was_answered_before_a_signal_is_recorded() {
    for end in [Signal::TERM, Signal::INT] {
        let gateway = recorded("").start();
        for _ in 0..100 {
            gateway.client.call("m_echo", json!({"text": "x"}));
        }
        signal(gateway.process(), end);
        gateway.wait();
        let count = rows(&database(&gateway), &format!("SELECT count(*) {CALLS}"));
        assert_eq!(count, ["100"]);
        verified(&gateway);
    }
}
