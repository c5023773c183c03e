//! What servers listed last time is there at the next start, before they are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::path::{Path, PathBuf};

use mcp_gateway_tests::{Gateway, Server, Setup, eventually, guest, program_beside, quote};
use serde_json::json;
use tempfile::TempDir;

/// A server that answers `initialize` once the gate is open, and the folder in
/// which gateways keep its catalog from one start to the next.
struct Slow {
    folder: TempDir,
}

impl Slow {
    /// The gate is open.
    fn new() -> Self {
        let slow = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        slow.grown(0);
        slow.pages_of(1000);
        slow.open();
        slow
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self) {
        fs::write(self.path("gate"), "").unwrap();
    }

    fn shut(&self) {
        fs::remove_file(self.path("gate")).unwrap();
    }

    /// Has so many tools more from its next start on.
    fn grown(&self, tools: usize) {
        fs::write(self.path("grown"), tools.to_string()).unwrap();
    }

    /// Has so many tools on a page.
    fn pages_of(&self, tools: usize) {
        fs::write(self.path("page"), tools.to_string()).unwrap();
    }

    /// A gateway before it, with what this has kept.
    fn gateway(&self) -> Setup {
        let mirror = program_beside("mirror");
        // The number is not in the configuration, as with a new version of a
        // server.
        let script = format!(
            "export MIRROR_GROWN=$(cat {}) MIRROR_PAGE=$(cat {}); exec {}",
            quote(self.path("grown").to_str().unwrap()),
            quote(self.path("page").to_str().unwrap()),
            quote(mirror.to_str().unwrap())
        );
        let server = Server::command("m", "sh", &["-c", &script])
            .env("MIRROR_GATE", self.path("gate").to_str().unwrap())
            .env("MIRROR_LOG", self.path("diary").to_str().unwrap())
            .env("MIRROR_INSTRUCTIONS", "kept instructions");
        Gateway::with()
            .catalog(&self.path("catalog"))
            .setting("ready_timeout = \"10m\"")
            .server(server)
    }

    fn times_received(&self, part: &str) -> usize {
        let diary = fs::read_to_string(self.path("diary")).unwrap_or_default();
        diary.lines().filter(|line| line.contains(part)).count()
    }

    fn is_kept(&self, method: &str) -> bool {
        let ending = method.replace('/', "-");
        let Ok(files) = fs::read_dir(self.path("catalog")) else {
            return false;
        };
        files
            .filter_map(Result::ok)
            .any(|file| file.path().extension().is_some_and(|it| *it == *ending))
    }

    /// One session in which the client asks for tools; the server's are kept
    /// then.
    fn once(&self) -> Vec<String> {
        let gateway = self.gateway().start();
        let tools = gateway.client.tools();
        eventually("the catalog to be kept", || {
            self.is_kept("tools/list") && self.is_kept("opening")
        });
        gateway.end();
        tools
    }
}

fn changes(gateway: &Gateway) -> usize {
    let received = gateway.client.received();
    let changed = received
        .iter()
        .filter(|line| line.contains("list_changed\"}"));
    changed.count()
}

#[test]
fn a_slow_servers_tools_are_listed_at_once_at_the_next_start() {
    let slow = Slow::new();
    let tools = slow.once();
    slow.shut();

    let gateway = slow.gateway().start_silent();
    let client = &gateway.client;
    // The server has not answered, and would be waited for.
    let welcome = client.initialize().value();
    assert_eq!(
        welcome["result"]["instructions"],
        json!("kept instructions")
    );
    assert_eq!(client.tools(), tools);
    let call = client.start_call("m_echo", json!({"text": "waited"}));
    assert_eq!(slow.times_received("\"tools/call\""), 0);
    slow.open();
    assert_eq!(client.answer(&call).text(), "waited");
    // The server was asked whether it still has them, and it has.
    eventually("the second list", || {
        slow.times_received("\"tools/list\"") == 2
    });
    client.call("m_echo", json!({"text": "again"}));
    assert_eq!(client.tools(), tools);
    assert_eq!(changes(&gateway), 0);
}

#[test]
fn a_wrapped_server_is_stood_in_for_too() {
    let slow = Slow::new();
    let wrapped = || slow.gateway().setting("naming = \"bare\"");
    slow.pages_of(6);
    let gateway = wrapped().start();
    let mut tools = gateway.client.tools();
    assert_eq!(tools.len(), 6);
    for cursor in ["6", "12"] {
        let page = gateway
            .client
            .request("tools/list", json!({ "cursor": cursor }));
        let page = page.value();
        let names = page["result"]["tools"].as_array().unwrap().iter();
        tools.extend(names.map(|tool| tool["name"].as_str().unwrap().to_owned()));
    }
    eventually("the catalog to be kept", || {
        slow.is_kept("tools/list") && slow.is_kept("opening")
    });
    gateway.end();
    slow.shut();

    let gateway = wrapped().start();
    let list = gateway.client.request("tools/list", json!({}));
    assert_eq!(gateway.client.tools(), tools);
    assert_eq!(slow.times_received("\"tools/list\""), 3);
    assert!(list.value()["result"]["nextCursor"].is_null());
    slow.open();
    gateway.client.call("echo", json!({"text": "ready"}));
    let live = gateway.client.request("tools/list", json!({}));
    assert_eq!(live.value()["result"]["nextCursor"], json!("6"));
}

#[test]
fn what_has_changed_since_is_announced() {
    let slow = Slow::new();
    let tools = slow.once();
    slow.shut();
    slow.grown(1);

    let gateway = slow.gateway().start();
    assert_eq!(gateway.client.tools(), tools);
    slow.open();
    gateway
        .client
        .receive_method("notifications/tools/list_changed");
    let now = gateway.client.tools();
    assert_eq!(now.last().unwrap(), "m_grown_1");
    assert_eq!(now.len(), tools.len() + 1);
    // Of what the client has not asked for, there is nothing to tell.
    assert_eq!(changes(&gateway), 1);
}

#[test]
fn what_is_kept_passes_the_guardrails_of_today() {
    let slow = Slow::new();
    slow.once();
    slow.shut();
    let masking = r#"config = { word = "says it back" }"#;
    let gateway = slow
        .gateway()
        .guardrail(guest("guest_faulty"), masking)
        .start();
    let list = gateway.client.request("tools/list", json!({}));
    assert!(list.raw.contains("<MASKED>"), "{}", list.raw);
    assert!(!list.raw.contains("says it back"), "{}", list.raw);
}

#[test]
fn a_damaged_file_is_not_used() {
    let slow = Slow::new();
    let tools = slow.once();
    slow.shut();
    damage(&slow.path("catalog"));
    let gateway = slow.gateway().start();
    let list = gateway.client.start("tools/list", json!({}));
    gateway.log.wait("a kept catalog is not used");
    slow.open();
    let list = gateway.client.answer(&list).value();
    assert_eq!(
        list["result"]["tools"].as_array().unwrap().len(),
        tools.len()
    );
    assert_eq!(gateway.client.tools(), tools);
}

/// Has the kept tools have other names.
fn damage(folder: &Path) {
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("echo", "ohce")).unwrap();
    }
}

#[test]
fn nothing_is_kept_if_it_is_not_wanted() {
    let slow = Slow::new();
    let gateway = slow.gateway().setting("catalog_cache = false").start();
    gateway.client.tools();
    gateway.end();
    assert!(!slow.path("catalog").exists());
}

#[test]
fn a_list_that_the_client_does_not_ask_for_again_is_kept_anew() {
    let slow = Slow::new();
    let gateway = slow.gateway().start();
    gateway.client.tools();
    gateway.client.call("m_grow", json!({}));
    eventually("the gateway to ask by itself", || {
        slow.times_received("\"tools/list\"") == 2
    });
}
