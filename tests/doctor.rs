//! The doctor names what is wrong with a set-up by a code that stays, and what mends
//! it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use mcp_gateway_tests::{Gateway, guest, program_beside, quote};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A set-up, in a folder of its own.
struct Patient {
    folder: TempDir,
}

impl Patient {
    fn with(toml: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gateway.toml");
        let mirror = quote(program_beside("mirror").to_str().unwrap());
        fs::write(&file, toml.replace("MIRROR", &mirror)).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    /// What the doctor says, and whether it calls the patient well.
    fn ask(&self, args: &[&str]) -> (String, bool) {
        let output = Gateway::command()
            .args(["doctor", "--config"])
            .arg(self.path().join("gateway.toml"))
            .args(args)
            .env("MCP_GATEWAY_STATE_DIR", self.path().join("state"))
            .current_dir(self.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(
            !text.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        (text, output.status.success())
    }

    fn report(&self) -> (Value, bool) {
        let (text, well) = self.ask(&["--json"]);
        (serde_json::from_str(&text).unwrap(), well)
    }

    /// The codes of what is wrong, with words of what was seen.
    #[track_caller]
    fn has(&self, code: &str, words: &str, well: bool) -> Value {
        let (report, says_well) = self.report();
        let findings = report["findings"].as_array().unwrap().clone();
        assert_eq!(findings.len(), 1, "{report:#}");
        assert_eq!(findings[0]["code"], json!(code), "{report:#}");
        let what = findings[0]["what"].as_str().unwrap();
        assert!(what.contains(words), "{words:?} is not in {what}");
        assert_ne!(findings[0]["mend"], json!(""));
        assert_eq!(says_well, well, "{report:#}");
        report
    }
}

const GUARDED: &str = "[[guardrails]]\nuse = \"basic\"\n";

fn server(lines: &str) -> Patient {
    Patient::with(&format!("[servers.m]\n{lines}\n{GUARDED}"))
}

#[test]
fn what_is_well_is_called_so_with_all_that_was_seen() {
    let patient = server("command = MIRROR");
    let (text, well) = patient.ask(&[]);
    assert!(well, "{text}");
    for words in [
        "guardrail  basic 0.1.0: ",
        " examples pass, ",
        "µs for a small message",
        "sha256:",
        "server     m 1: ready after ",
        "legacy era, ",
        "nothing is wrong",
    ] {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
    let (report, _) = patient.report();
    assert!(
        report["servers"][0]["tools"].as_u64().unwrap() > 3,
        "{report:#}"
    );
    assert_eq!(report["findings"], json!([]));
}

#[test]
fn a_mistake_in_the_configuration() {
    server("comand = \"x\"").ask(&[]);
    let (report, well) = server("command = \"x\"\nport = 1").report();
    assert!(!well);
    assert_eq!(report["findings"][0]["code"], json!("config.error"));
    let what = report["findings"][0]["what"].as_str().unwrap();
    assert!(
        what.contains("gateway.toml:3:1") && what.contains("\"port\""),
        "{what}"
    );
}

#[test]
fn no_guardrails() {
    let patient = Patient::with("[servers.m]\ncommand = MIRROR\n");
    patient.has("config.remark", "no guardrails are configured", true);
}

#[test]
fn a_command_that_is_nowhere_on_the_path() {
    let patient = server("command = \"no-such-program\"\nenv = { PATH = \"/nowhere\" }");
    let report = patient.has("server.command-not-found", "the PATH (/nowhere)", false);
    let mend = report["findings"][0]["mend"].as_str().unwrap();
    assert!(mend.contains("command -v no-such-program"), "{mend}");
}

#[test]
fn a_working_folder_that_does_not_exist() {
    let patient = server("command = MIRROR\ncwd = \"/no/such/folder\"");
    patient.has("server.no-folder", "/no/such/folder", false);
}

#[test]
fn a_program_that_the_system_refuses_to_run() {
    let patient = server("command = \"./server\"");
    let file = patient.path().join("server");
    fs::write(&file, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).unwrap();
    patient.has("server.cannot-start", "cannot be started", false);
}

#[test]
fn a_server_that_ends_at_once_has_its_last_words_shown_as_the_guardrails_leave_them() {
    let token = format!("hf_{}", "okpaLGklBeJFhdqdOvkrXljOCTwhADRrXo");
    let patient = server(&format!(
        "command = \"sh\"\nargs = [\"-c\", \"echo no database for {token} >&2; exit 3\"]"
    ));
    let report = patient.has("server.exits", "code 3", false);
    let words = report["servers"][0]["lastWords"][0].as_str().unwrap();
    assert!(words.starts_with("no database for <"), "{words}");
    assert!(!report.to_string().contains(&token));
}

#[test]
fn what_a_server_writes_does_not_move_the_cursor() {
    let script = r#"command = "sh"
args = ["-c", "printf '\\033[2Jgone\\n' >&2"]"#;
    let (text, _) = server(script).ask(&[]);
    assert!(text.contains("gone"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
}

#[test]
fn a_server_that_says_nothing() {
    let patient = server("command = \"sleep\"\nargs = [\"60\"]\ninit_timeout = \"1s\"");
    patient.has(
        "server.silent",
        "did not answer initialize within 1s",
        false,
    );
}

#[test]
fn a_remote_server_that_is_not_there() {
    let patient = server("url = \"http://127.0.0.1:9/mcp\"");
    patient.has("server.unreachable", "cannot connect", false);
}

#[test]
fn a_guardrail_that_is_not_there() {
    let patient =
        Patient::with("[servers.m]\ncommand = MIRROR\n[[guardrails]]\nuse = \"./x.wasm\"\n");
    let (report, well) = patient.report();
    assert!(!well);
    let codes: Vec<_> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| &f["code"])
        .collect();
    assert_eq!(
        codes,
        ["guardrail.refused", "server.not-tried"],
        "{report:#}"
    );
}

#[test]
fn a_guardrail_that_wants_what_it_may_not_have() {
    let network = quote(guest("guest_network").to_str().unwrap());
    let patient = Patient::with(&format!(
        "[servers.m]\ncommand = MIRROR\n[[guardrails]]\nuse = {network}\n"
    ));
    let (report, well) = patient.report();
    assert!(!well);
    let what = report["findings"][0]["what"].as_str().unwrap();
    assert!(
        what.contains("it imports http, which it is not granted"),
        "{what}"
    );
}

#[test]
fn a_configuration_that_others_may_read_or_write() {
    let patient = server("command = MIRROR");
    let file = patient.path().join("gateway.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    patient.has("file.readable", "permissions 644", true);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    patient.has("file.writable", "permissions 666", false);
}

#[test]
fn a_state_folder_that_is_not_private() {
    let patient = server("command = MIRROR");
    let state = patient.path().join("state");
    fs::create_dir(&state).unwrap();
    fs::set_permissions(&state, fs::Permissions::from_mode(0o777)).unwrap();
    patient.has("folder.unusable", "state", false);
}

#[test]
fn one_sick_server_does_not_hide_that_another_is_well() {
    let patient = Patient::with(&format!(
        "[servers.m]\ncommand = MIRROR\n[servers.x]\ncommand = \"no-such-program\"\n{GUARDED}"
    ));
    let report = patient.has("server.command-not-found", "server \"x\"", false);
    assert!(report["servers"][0]["milliseconds"].is_u64(), "{report:#}");
    assert_eq!(report["servers"][1]["milliseconds"], json!(null));
}
