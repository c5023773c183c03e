//! Secrets in the system's keyring reach the server that refers to them, and nobody else. The
//! keyring is GNOME's own, as Debian packages it, on a bus of the test's own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use mcp_gateway_tests::{Gateway, Server, Setup, descendants, eventually, peer};
use serde_json::{Value, json};
use tempfile::TempDir;

const SECRET: &str = "correct-horse-battery-staple";

const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

/// A session of a desktop: its bus, and perhaps a keyring. Dropping it ends both.
struct Session {
    folder: TempDir,
    bus: Child,
    keyring: Option<Child>,
}

/// How a keyring is started.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keyring {
    /// As by logging in: with the password.
    Unlocked,
    /// So that it has to ask, which nothing on the bus can do.
    Locked,
}

impl Session {
    fn without_a_keyring() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run");
        fs::create_dir(&run).unwrap();
        fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).unwrap();
        let config = folder.path().join("bus.conf");
        let text = format!(
            "<busconfig><type>session</type><listen>unix:path={}/bus</listen>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
             <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
            run.display()
        );
        fs::write(&config, text).unwrap();
        let bus = program("dbus-daemon", folder.path())
            .args(["--nofork", "--nopidfile", "--nosyslog", "--config-file"])
            .arg(&config)
            .spawn()
            .unwrap();
        let session = Self {
            folder,
            bus,
            keyring: None,
        };
        eventually("the bus is there", || {
            UnixStream::connect(session.run().join("bus")).is_ok()
        });
        session
    }

    fn with_a_keyring() -> Self {
        let mut session = Self::without_a_keyring();
        session.start(Keyring::Unlocked);
        session
    }

    fn start(&mut self, how: Keyring) {
        let mut command = program("gnome-keyring-daemon", self.folder.path());
        command
            .args(["--foreground", "--components=secrets"])
            .env(BUS, self.address())
            .stdin(Stdio::piped());
        if how == Keyring::Unlocked {
            command.arg("--unlock");
        }
        let mut keyring = command.spawn().unwrap();
        // All of standard input is the password.
        keyring.stdin.take().unwrap().write_all(b"sesame").unwrap();
        self.keyring = Some(keyring);
        let missing = "no program answers for it";
        eventually("the keyring is there", || {
            let said = self.run_command(&["secret", "delete", "no/such"], "");
            !text(&said).contains(missing)
        });
    }

    fn stop(&mut self) {
        let mut keyring = self.keyring.take().unwrap();
        keyring.kill().unwrap();
        keyring.wait().unwrap();
    }

    fn run(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    fn address(&self) -> String {
        format!("unix:path={}/bus", self.run().display())
    }

    /// What a command of the gateway's says in this session.
    fn run_command(&self, command: &[&str], input: &str) -> Output {
        let mut child = Gateway::command()
            .args(command)
            .env(BUS, self.address())
            .env("MCP_GATEWAY_STATE_DIR", self.folder.path().join("state"))
            .spawn()
            .unwrap();
        // It may have ended without reading.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    #[track_caller]
    fn set(&self, item: &str, secret: &str) {
        let output = self.run_command(&["secret", "set", item], secret);
        let said = text(&output);
        assert!(output.status.success(), "{said}");
        assert!(said.contains(&format!("${{keyring:{item}}}")), "{said}");
        assert!(!said.contains(secret.trim()), "{said}");
    }

    #[track_caller]
    fn delete(&self, item: &str) {
        let output = self.run_command(&["secret", "delete", item], "");
        assert!(output.status.success(), "{}", text(&output));
    }

    /// Two servers, of which one needs a secret.
    fn setup(&self) -> Setup {
        let needy = Server::mirror("m").env("MIRROR_DESCRIPTION", "${keyring:mirror/words}");
        Gateway::with()
            .server(needy)
            .server(Server::mirror("other"))
            .variable(BUS, self.address())
            .variable("XDG_RUNTIME_DIR", self.run())
            .log_level("trace")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for child in self.keyring.iter_mut().chain([&mut self.bus]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A program of the keyring's packages, at home in a folder.
fn program(name: &str, home: &Path) -> Command {
    let root = peer("keyring");
    let libraries = fs::read_dir(root.join("usr/lib")).unwrap();
    let libraries = libraries.map(|entry| entry.unwrap().path());
    let libraries: Vec<String> = libraries.map(|it| it.display().to_string()).collect();
    let mut command = Command::new(root.join("usr/bin").join(name));
    command
        .env("LD_LIBRARY_PATH", libraries.join(":"))
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .env("XDG_DATA_HOME", home.join("data"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn text(output: &Output) -> String {
    let bytes = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8(bytes).unwrap()
}

/// What the server has been told.
fn told(gateway: &Gateway) -> String {
    let list = gateway.client.request("tools/list", json!({})).value();
    let tools = list["result"]["tools"].as_array().cloned();
    let echo = |tool: &Value| tool["name"] == json!("m_echo");
    let tool = tools.unwrap_or_default().into_iter().find(echo);
    let description = tool.map(|tool| tool["description"].clone());
    let description = description.as_ref().and_then(Value::as_str);
    description.unwrap_or_default().to_owned()
}

/// Why the server is not there, in the words that a client is told.
fn refusal(gateway: &Gateway) -> String {
    let answer = gateway.client.call("m_echo", json!({"text": "x"}));
    let text = answer.value().to_string();
    assert!(text.contains("is not available"), "{text}");
    text
}

#[track_caller]
fn works(gateway: &Gateway) {
    let answer = gateway.client.call("other_echo", json!({"text": "hello"}));
    assert_eq!(answer.text(), "hello");
}

/// All that is in the files of a folder, and how the gateway and its servers were started.
fn traces(gateway: &Gateway) -> Vec<(String, Vec<u8>)> {
    let mut traces = Vec::new();
    let mut folders = vec![gateway.folder().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.is_file() {
                traces.push((path.display().to_string(), fs::read(path).unwrap()));
            }
        }
    }
    let own = gateway.process();
    let servers = descendants(own);
    assert!(servers.len() >= 2, "{servers:?}");
    for process in servers.into_iter().chain([own]) {
        let file = format!("/proc/{process}/cmdline");
        traces.push((file.clone(), fs::read(file).unwrap()));
    }
    traces
}

#[test]
fn a_server_gets_the_secret_of_the_keyring_and_nothing_else_shows_it() {
    let session = Session::with_a_keyring();
    session.set("mirror/words", &format!("{SECRET}\n"));
    let setup = session.setup();
    let database = setup.folder().join("audit.db");
    // This server tells the secret in its list, which is not to be kept here.
    let setup = setup
        .variable("XETRACK_DB_PATH", database)
        .setting("pinning = \"off\"\ncatalog_cache = false");
    let gateway = setup.guardrail("audit", "").start();
    assert_eq!(told(&gateway), SECRET);
    let answer = gateway.client.call("m_echo", json!({"text": "hello"}));
    assert_eq!(answer.text(), "hello");

    let config = gateway.config.to_str().unwrap();
    let state = gateway.folder().join("state");
    let asked = |command: &[&str]| {
        let mut asking = Gateway::command();
        asking.args(command).env(BUS, session.address());
        asking.env("XDG_RUNTIME_DIR", session.run());
        text(
            &asking
                .env("MCP_GATEWAY_STATE_DIR", &state)
                .output()
                .unwrap(),
        )
    };
    let status = asked(&["status", "--json"]);
    assert!(status.contains("\"m\""), "{status}");
    let doctor = asked(&["doctor", "--config", config, "--json"]);
    assert!(doctor.contains("\"m\""), "{doctor}");
    let said = [
        ("the log".to_owned(), gateway.log.text().into_bytes()),
        ("status".to_owned(), status.into_bytes()),
        ("doctor".to_owned(), doctor.into_bytes()),
    ];
    for (what, bytes) in said.into_iter().chain(traces(&gateway)) {
        let shows = bytes
            .windows(SECRET.len())
            .any(|it| it == SECRET.as_bytes());
        assert!(!shows, "{what} shows it");
    }
}

#[test]
fn a_server_whose_secret_is_not_kept_is_down_until_it_is_and_no_other() {
    let session = Session::with_a_keyring();
    session.set("mirror/words", "of old");
    session.set("mirror/words", SECRET);
    let gateway = session.setup().start();
    assert_eq!(told(&gateway), SECRET);
    drop(gateway);

    session.delete("mirror/words");
    let gateway = session.setup().start();
    let why = "${keyring:mirror/words}: the keyring has no such secret; \
               run: mcp-gateway secret set mirror/words";
    assert!(refusal(&gateway).contains(why), "{}", refusal(&gateway));
    works(&gateway);
    let down = gateway
        .log
        .wait("server is down: its configuration cannot be filled in: ");
    assert_eq!(down.text("server"), "m");
    let config = gateway.config.to_str().unwrap();
    let doctor = text(&session.run_command(&["doctor", "--config", config], ""));
    assert!(doctor.contains("ERROR server.unresolved"), "{doctor}");
    assert!(doctor.contains(why), "{doctor}");

    session.set("mirror/words", "another");
    eventually("the server", || told(&gateway) == "another");
}

#[test]
fn where_there_is_no_keyring_the_server_says_so_and_the_others_work() {
    let session = Session::without_a_keyring();
    let gateway = session.setup().start();
    let why = refusal(&gateway);
    assert!(why.contains("this session has no keyring"), "{why}");
    works(&gateway);

    let nowhere = session.setup().variable(BUS, "unix:path=/no/such/bus");
    let gateway = nowhere.start();
    let why = refusal(&gateway);
    let words = "there is no D-Bus session at unix:path=/no/such/bus";
    assert!(why.contains(words), "{why}");
    works(&gateway);
}

#[test]
fn a_locked_keyring_is_no_reason_for_others_to_wait_and_is_tried_again() {
    let mut session = Session::with_a_keyring();
    session.set("mirror/words", SECRET);
    session.stop();
    session.start(Keyring::Locked);
    let gateway = session.setup().start();
    works(&gateway);
    let why = refusal(&gateway);
    assert!(why.contains("the keyring is locked; unlock it"), "{why}");

    session.stop();
    session.start(Keyring::Unlocked);
    eventually("the server", || told(&gateway) == SECRET);
}

#[test]
fn without_the_secret_of_a_guardrail_no_message_passes() {
    let session = Session::with_a_keyring();
    let guarded = || {
        let key = "config = { key = \"${keyring:basic/key}\" }";
        session.setup().guardrail("basic", key)
    };
    let why = guarded().refused();
    assert!(why.contains("secret set basic/key"), "{why}");
    session.set("basic/key", SECRET);
    // It is looked up now; the guardrail knows no such key.
    let why = guarded().refused();
    assert!(!why.contains("secret set") && why.contains("key"), "{why}");
    assert!(!why.contains(SECRET), "{why}");
}

#[test]
fn a_secret_that_is_none_is_not_kept() {
    let session = Session::with_a_keyring();
    for (item, secret, why) in [
        ("mirror/words", "", "there is no secret"),
        ("mirror/words", "\n", "there is no secret"),
        ("mirror/words", "a\0b", "NUL"),
        ("mirror", "x", "SERVICE/NAME, such as github/token"),
    ] {
        let output = session.run_command(&["secret", "set", item], secret);
        assert!(!output.status.success(), "{item}");
        assert!(text(&output).contains(why), "{}", text(&output));
    }
    let output = session.run_command(&["secret", "delete", "mirror/words"], "");
    assert!(!output.status.success());
    assert!(
        text(&output).contains("no such secret"),
        "{}",
        text(&output)
    );
}
