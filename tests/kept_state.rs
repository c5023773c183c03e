//! What guardrails keep for all sessions outlasts the gateway, and is one thing for all
//! gateways of a configuration that run at the same time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mcp_gateway_tests::{Client, Gateway, Log, Setup, eventually, guest};
use serde_json::{Value, json};

const GRANTED: &str = "grant = { state = true, keys = true }";

/// A configuration, from which gateways are started.
struct Person(Setup);

/// One of them.
struct Started {
    client: Client,
    log: Log,
    process: Child,
}

impl Person {
    fn new() -> Self {
        Self::with("")
    }

    fn with(settings: &str) -> Self {
        let settings = format!("{GRANTED}\n{settings}");
        let setup = Gateway::with().mirror();
        Self(setup.guardrail(guest("guest_keeping"), &settings))
    }

    /// Starts a gateway as a client does.
    fn start(&self) -> Started {
        let (command, args, env) = self.0.command_line();
        let env = env.as_object().unwrap().clone();
        let env = env
            .iter()
            .map(|(name, value)| (name, value.as_str().unwrap()));
        let mut process = Command::new(command)
            .args(args)
            .envs(env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (process.stdin.take(), process.stdout.take());
        let client = Client::on(stdin.unwrap(), stdout.unwrap());
        client.initialize();
        Started {
            client,
            log: Log::read(process.stderr.take().unwrap()),
            process,
        }
    }

    /// Where it keeps what is for all sessions.
    fn file(&self) -> PathBuf {
        self.0.folder().join("state/guardrails/global.db")
    }
}

impl Started {
    /// What becomes of an order.
    fn obeys(&self, order: &str) -> String {
        self.client.call("m_echo", json!({"text": order})).text()
    }

    /// The client leaves.
    fn end(mut self) {
        self.client.leave();
        assert!(
            self.process.wait().unwrap().success(),
            "{}",
            self.log.text()
        );
    }

    /// The system ends it, in the middle of everything.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_guardrail_counts_on_when_the_gateway_is_started_again() {
    let person = Person::new();
    let first = person.start();
    assert_eq!(first.obeys("@add global n 1"), "1");
    assert_eq!(first.obeys("@add session n 1"), "1");
    first.end();
    let second = person.start();
    assert_eq!(second.obeys("@add global n 1"), "2");
    assert_eq!(second.obeys("@get session n"), "nothing");
    second.kill();
    let third = person.start();
    assert_eq!(third.obeys("@add global n 1"), "3");
    assert_eq!(third.obeys("@delete global n"), "true");
    assert_eq!(third.obeys("@get global n"), "nothing");
}

#[test]
fn of_two_gateways_at_once_no_increment_is_lost() {
    let person = Person::new();
    let gateways = [person.start(), person.start()];
    // Large, so that several are judged at a time.
    let text = format!("@often global n 250\n{}", "x".repeat(64 << 10));
    let calls = gateways.iter().flat_map(|gateway| {
        let text = &text;
        (0..4).map(move |_| {
            (
                gateway,
                gateway.client.start_call("m_echo", json!({ "text": text })),
            )
        })
    });
    let calls: Vec<_> = calls.collect();
    for (gateway, call) in calls {
        assert_eq!(gateway.client.answer(&call).text(), "added");
    }
    for gateway in &gateways {
        assert_eq!(gateway.obeys("@get global n"), "2000");
    }
}

#[test]
fn of_two_gateways_that_swap_at_once_one_has_swapped_each_time() {
    let person = Person::new();
    let gateways = [person.start(), person.start()];
    let mut before = "-".to_owned();
    for round in 0..25 {
        let calls = [0, 1].map(|index| {
            let order = format!("@swap global k {before} {round}-{index}");
            gateways[index]
                .client
                .start_call("m_echo", json!({ "text": order }))
        });
        let won = [0, 1].map(|index| gateways[index].client.answer(&calls[index]).text());
        let winner = match [won[0].as_str(), won[1].as_str()] {
            ["true", "false"] => 0,
            ["false", "true"] => 1,
            other => panic!("round {round}: {other:?}"),
        };
        before = format!("{round}-{winner}");
        for gateway in &gateways {
            assert_eq!(gateway.obeys("@get global k"), before);
        }
    }
}

#[test]
fn a_time_goes_on_while_no_gateway_runs() {
    let person = Person::new();
    let first = person.start();
    assert_eq!(first.obeys("@add global short 1 1"), "1");
    assert_eq!(first.obeys("@add global long 1 1000"), "1");
    first.end();
    let second = person.start();
    eventually("it has expired", || {
        second.obeys("@get global short") == "nothing"
    });
    assert_eq!(second.obeys("@get global long"), "1");
}

#[test]
fn guardrails_of_one_name_in_two_configurations_do_not_see_each_other() {
    let (one, two) = (Person::new(), Person::new());
    let state = one.0.folder().join("state");
    let two = Person(two.0.variable("MCP_GATEWAY_STATE_DIR", &state));
    let (one, two) = (one.start(), two.start());
    assert_eq!(one.obeys("@add global n 1"), "1");
    assert_eq!(two.obeys("@get global n"), "nothing");
    assert_eq!(two.obeys("@add global n 5"), "5");
    assert_eq!(one.obeys("@add global n 1"), "2");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn nothing_that_is_kept_can_be_read_by_whoever_has_the_file_alone() {
    let person = Person::new();
    let gateway = person.start();
    assert_eq!(
        gateway.obeys("@set global its-key-word its-value-word"),
        "set"
    );
    assert_eq!(
        gateway.obeys("@set session other-key-word other-value-word"),
        "set"
    );
    let folder = person.file().parent().unwrap().to_owned();
    assert_eq!(mode(&folder), 0o700);
    let holds = |word: &str| {
        let files = files(&folder);
        assert!(files.contains(&person.file()), "{files:?}");
        files.iter().any(|file| {
            assert_eq!(mode(file), 0o600, "{}", file.display());
            let bytes = fs::read(file).unwrap();
            bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes())
        })
    };
    assert!(holds("SQLite format 3"));
    for word in [
        "its-key-word",
        "its-value-word",
        "other-key-word",
        "other-value-word",
        "guest_keeping",
    ] {
        assert!(!holds(word), "{word}");
    }
    gateway.end();
    assert!(!holds("its-value-word"));
}

#[test]
fn who_keeps_something_for_a_session_alone_has_no_file() {
    let person = Person::new();
    let gateway = person.start();
    assert_eq!(gateway.obeys("@add session n 1"), "1");
    gateway.end();
    assert!(!person.file().exists());
    let gateway = person.start();
    assert_eq!(gateway.obeys("@get global n"), "nothing");
    assert!(person.file().exists());
}

#[test]
fn a_file_that_is_damaged_stops_what_needs_it_and_nothing_else() {
    let person = Person::new();
    let gateway = person.start();
    assert_eq!(gateway.obeys("@add global n 1"), "1");
    gateway.end();
    let whole = fs::read(person.file()).unwrap();
    fs::write(person.file(), "This is no database. ".repeat(500)).unwrap();

    let gateway = person.start();
    let answer = gateway
        .client
        .call("m_echo", json!({"text": "@add global n 1"}));
    assert!(answer.is_tool_error(), "{}", answer.raw);
    let words = "what it keeps for all sessions cannot be used: file is not a database";
    assert!(answer.text().contains(words), "{}", answer.raw);
    assert!(!answer.text().contains("global.db"), "{}", answer.raw);
    let event = gateway
        .log
        .wait("what guardrails keep for all sessions cannot be used");
    assert!(
        event.message().contains("guardrails/global.db: "),
        "{}",
        event.message()
    );
    assert_eq!(gateway.obeys("@add session n 1"), "1");

    // Once it is put back, nobody has to start the gateway again.
    fs::write(person.file(), whole).unwrap();
    assert_eq!(gateway.obeys("@add global n 1"), "2");
}

/// Nothing at all was relayed until it had it again.
#[test]
fn while_another_program_has_the_file_to_itself_all_else_goes_on() {
    let person = Person::new();
    let gateway = person.start();
    assert_eq!(gateway.obeys("@get global n"), "nothing");
    let other = rusqlite::Connection::open(person.file()).unwrap();
    // On a busy machine it may be waited for in vain once.
    let goes_on = (0..10).any(|_| {
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let order = json!({"text": "@add global n 1"});
        let waits = gateway.client.start_call("m_echo", order);
        let passes = gateway.obeys("@get session n") == "nothing";
        let answers = gateway.client.received();
        let is_waiting = !answers.iter().any(|line| is_answer(line, &waits));
        other.execute_batch("COMMIT").unwrap();
        let answer = gateway.client.answer(&waits);
        passes && is_waiting && !answer.is_tool_error()
    });
    assert!(goes_on, "{}", gateway.log.text());
}

/// Whether a line is the answer to a request.
fn is_answer(line: &str, id: &str) -> bool {
    let [message, id] = [line, id].map(|text| serde_json::from_str::<Value>(text).unwrap());
    message["id"] == id && message.get("method").is_none()
}

#[test]
fn where_there_can_be_no_file_it_is_on_error_that_decides() {
    for (settings, passes) in [("", false), ("on_error = \"allow\"", true)] {
        let person = Person::with(settings);
        let folder = person.file().parent().unwrap().to_owned();
        fs::create_dir(folder.parent().unwrap()).unwrap();
        fs::write(&folder, "no folder").unwrap();
        let gateway = person.start();
        let answer = gateway
            .client
            .call("m_echo", json!({"text": "@get global n"}));
        match passes {
            true => assert_eq!(answer.text(), "@get global n"),
            false => {
                let words = "cannot be used: its folder is not to be used";
                assert!(answer.text().contains(words), "{}", answer.raw);
            }
        }
    }
}

#[test]
fn a_shadow_keeps_nothing_that_the_guardrail_finds_in_its_place() {
    let person = Person::with("mode = \"shadow\"");
    let gateway = person.start();
    for sum in ["1", "2"] {
        let mark = gateway.log.mark();
        assert_eq!(gateway.obeys("@add global n 1"), "@add global n 1");
        let told = gateway.log.wait_since(mark, "shadow differs");
        assert_eq!(told.text("decision"), "redact", "it has added: {sum}");
    }
    gateway.end();
    assert!(!person.file().exists());
}

/// Lasso is asked about lists, and remembers that it does not answer.
#[test]
fn the_doctor_keeps_nothing() {
    let setup = Gateway::with()
        .mirror()
        .guardrail(
            "lasso",
            "config.api_base = \"http://127.0.0.1:9\"\non_error = \"allow\"",
        )
        .variable("LASSO_API_KEY", "none");
    let person = Person(setup);
    person.0.command_line();
    let doctor = Gateway::command()
        .args(["doctor", "--json", "--config"])
        .arg(person.0.folder().join("gateway.toml"))
        .env("MCP_GATEWAY_STATE_DIR", person.0.folder().join("state"))
        .env("LASSO_API_KEY", "none")
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&doctor.stdout).unwrap();
    assert_eq!(report["servers"][0]["name"], "m", "{report}");
    assert!(!person.file().exists());

    let gateway = person.start();
    gateway.client.tools();
    assert!(person.file().exists());
}

#[test]
fn the_doctor_says_what_is_wrong_with_the_file() {
    let person = Person::new();
    let gateway = person.start();
    assert_eq!(gateway.obeys("@add global n 1"), "1");
    gateway.end();
    let codes = || {
        let doctor = Gateway::command()
            .args(["doctor", "--json", "--config"])
            .arg(person.0.folder().join("gateway.toml"))
            .env("MCP_GATEWAY_STATE_DIR", person.0.folder().join("state"))
            .output()
            .unwrap();
        String::from_utf8(doctor.stdout).unwrap()
    };
    assert!(!codes().contains("state.unusable"), "{}", codes());
    fs::write(person.file(), "This is no database. ".repeat(500)).unwrap();
    assert!(codes().contains("state.unusable"), "{}", codes());
}
