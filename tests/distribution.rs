//! Components that come from a registry, and what has to be true of them: a digest, a
//! signature. The registry is Docker's own, as Debian packages it.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use mcp_gateway_tests::real::{free_port, printed};
use mcp_gateway_tests::{Gateway, Setup, eventually, guest, peer};
use serde_json::json;

/// A registry that keeps everything in memory. Dropping it ends it.
struct Registry {
    process: Child,
    port: u16,
}

impl Registry {
    fn start(folder: &Path) -> Self {
        let port = free_port();
        let config = folder.join("registry.yml");
        let text =
            format!("version: 0.1\nstorage:\n  inmemory: {{}}\nhttp:\n  addr: 127.0.0.1:{port}\n");
        fs::write(&config, text).unwrap();
        let process = Command::new(peer("registry/usr/bin/docker-registry"))
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("the registry listens", || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self { process, port }
    }

    fn reference(&self, name: &str) -> String {
        format!("oci://127.0.0.1:{}/{name}", self.port)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs `plugin`, with the state of a gateway in this folder.
fn plugin(folder: &Path, args: &[&str]) -> String {
    let mut command = Gateway::command();
    command.env("MCP_GATEWAY_STATE_DIR", folder.join("state"));
    command.arg("plugin").args(args);
    printed(&args.join(" "), &command.output().unwrap())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A copy of a guest that is a file of the test's own.
fn copy(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join("component.wasm");
    fs::copy(guest(name), &path).unwrap();
    path
}

/// The key that `keygen` made, as others trust it.
fn key(folder: &Path, name: &str) -> (PathBuf, String) {
    let file = folder.join(name);
    let said = plugin(folder, &["keygen", text(&file)]);
    let trusted = said.split('"').nth(1).unwrap().to_owned();
    (file, trusted)
}

fn using(setup: Setup, reference: &str, settings: &str) -> Setup {
    setup.mirror().guardrail(reference, settings)
}

/// Whether the guardrail `codename` is at work.
fn hides(gateway: &Gateway) -> bool {
    let answer = gateway
        .client
        .call("m_echo", json!({"text": "about BLUEBIRD"}));
    assert!(!answer.is_tool_error(), "{}", answer.raw);
    !answer.text().contains("BLUEBIRD")
}

#[test]
fn a_component_comes_from_a_registry_once_and_stays_what_it_was_until_it_is_updated() {
    let setup = Gateway::with();
    let folder = setup.folder().to_owned();
    let registry = Registry::start(&folder);
    let reference = registry.reference("house/codename:1");
    let (key, trusted) = key(&folder, "key.pem");
    let component = copy(&folder, "guardrail_codename");
    plugin(&folder, &["sign", text(&component), "--key", text(&key)]);
    let pushed = plugin(&folder, &["push", text(&component), &reference]);
    assert!(pushed.contains(", signed, manifest sha256:"), "{pushed}");

    let setup = setup.setting(&format!("trusted_keys = [\"{trusted}\"]"));
    let gateway = using(setup, &reference, "swap = \"examples\"").start();
    assert!(hides(&gateway));
    let lock = fs::read_to_string(folder.join("gateway.lock")).unwrap();
    let digest = pushed
        .split_whitespace()
        .nth(2)
        .unwrap()
        .trim_end_matches(',');
    assert!(lock.contains(&reference) && lock.contains(digest), "{lock}");

    // Another build gets the tag. The lock file says what it stood for.
    fs::copy(guest("guardrail_email"), &component).unwrap();
    plugin(&folder, &["sign", text(&component), "--key", text(&key)]);
    plugin(&folder, &["push", text(&component), &reference]);
    let again = || {
        let mut command = Gateway::command();
        command.env("MCP_GATEWAY_STATE_DIR", folder.join("state"));
        let config = folder.join("gateway.toml");
        command.args(["plugin", "update", "--config", text(&config)]);
        command.output().unwrap()
    };
    assert!(hides(&gateway));
    let updated = |digest: &str| {
        let mark = gateway.log.mark();
        printed("plugin update", &again());
        let swapped = gateway.log.wait_since(mark, "guardrail swapped");
        let is_that = swapped.text("digest") == digest;
        let lock = fs::read_to_string(folder.join("gateway.lock")).unwrap();
        assert_eq!(lock.contains(digest), is_that, "{lock}");
        is_that
    };
    assert!(!updated(digest));
    assert!(!hides(&gateway));

    // And back. What is here already needs no registry.
    fs::copy(guest("guardrail_codename"), &component).unwrap();
    plugin(&folder, &["sign", text(&component), "--key", text(&key)]);
    plugin(&folder, &["push", text(&component), &reference]);
    assert!(updated(digest));
    assert!(hides(&gateway));
    drop(registry);
    gateway.end();
    let mut command = Gateway::command();
    command
        .env("MCP_GATEWAY_STATE_DIR", folder.join("state"))
        .args([
            "doctor",
            "--json",
            "--config",
            text(&folder.join("gateway.toml")),
        ]);
    let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(
        said.contains("codename") && !said.contains("cannot pull"),
        "{said}"
    );
}

#[test]
fn what_nobody_trusted_has_signed_is_not_loaded_from_a_registry() {
    let setup = Gateway::with();
    let folder = setup.folder().to_owned();
    let registry = Registry::start(&folder);
    let reference = registry.reference("house/codename:unsigned");
    let (_, trusted) = key(&folder, "key.pem");
    let component = copy(&folder, "guardrail_codename");
    plugin(&folder, &["push", text(&component), &reference]);
    let setup = setup.setting(&format!("trusted_keys = [\"{trusted}\"]"));
    let refused = using(setup, &reference, "").refused();
    assert!(
        refused.contains("is not signed") && refused.contains(&reference),
        "{refused}"
    );
}

#[test]
fn a_reference_that_leads_nowhere_is_named() {
    let setup = Gateway::with();
    let registry = Registry::start(setup.folder());
    let reference = registry.reference("house/nothing:1");
    let refused = using(setup, &reference, "").refused();
    assert!(
        refused.contains(&format!("cannot pull {reference}")),
        "{refused}"
    );
}

#[test]
fn a_file_with_a_pinned_digest_is_not_swapped_for_another() {
    let setup = Gateway::with();
    let folder = setup.folder().to_owned();
    let component = copy(&folder, "guardrail_codename");
    let inspected = plugin(&folder, &["inspect", text(&component), "--json"]);
    let inspected: serde_json::Value = serde_json::from_str(&inspected).unwrap();
    let digest = inspected["digest"].as_str().unwrap();
    let settings = format!("digest = \"{digest}\"");
    let gateway = using(setup, text(&component), &settings).start();
    assert!(hides(&gateway));
    let mark = gateway.log.mark();
    Gateway::rename_over(&component, &fs::read(guest("guardrail_email")).unwrap());
    let refused = gateway.log.wait_for(mark, "it is refused", |it| {
        it.message().contains("the old build goes on serving")
    });
    assert!(refused.message().contains(digest), "{}", refused.message());
    assert!(hides(&gateway));
    // The same, from the start.
    let setup = Gateway::with();
    let component = copy(setup.folder(), "guardrail_email");
    let refused = using(setup, text(&component), &settings).refused();
    assert!(
        refused.contains("is not the component that was asked for"),
        "{refused}"
    );
}
