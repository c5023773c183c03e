//! The rules of the house that a program can check. Whoever breaks one changes
//! the architecture, and says so in ARCHITECTURE.md, or mends the code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "architecture/source.rs"]
mod source;

use std::fs;
use std::path::Path;

use mcp_gateway_tests::repository;
use source::{File, rust_files};

/// The modules of the host, lowest first. A module uses only those of lower
/// rows, and itself; the two that stand together may use each other.
const LAYERS: &[&[&str]] = &[
    &["keyring", "plural"],
    &["message", "config", "bundled", "clients"],
    &["protocol", "journal", "provenance"],
    &["capability+sandbox"],
    &["guardrail"],
    &["chain"],
    &["gate"],
    &[
        "wire",
        "oauth",
        "audit",
        "pinning",
        "reputation",
        "distribution",
        "swap",
    ],
    &["upstream", "approval"],
    &["catalog"],
    &["session"],
    &["reload", "front", "install", "client", "status"],
    &["run", "cli"],
    &["workbench", "demo", "doctor", "pin", "scan", "secret"],
    &["lib", "main"],
];

/// What only some modules may know of.
const SECRETS: &[(&str, &[&str])] = &[
    ("wasmtime::", &["guardrail", "sandbox", "capability"]),
    ("wasmtime_wasi::", &["sandbox"]),
    ("wasmtime_wasi_http::", &["sandbox", "capability"]),
    ("wasmtime_wizer::", &["guardrail"]),
    (
        "process::Command",
        &["upstream", "client", "oauth", "workbench"],
    ),
    ("tokio::process", &["upstream", "client"]),
    ("process_wrap::", &["upstream"]),
    ("Admitted::own(", &["gate", "session", "front"]),
    ("hyper::", &["front"]),
    (
        "reqwest::",
        &[
            "upstream",
            "config",
            "oauth",
            "capability",
            "reputation",
            "audit",
        ],
    ),
    (
        "rustls::",
        &[
            "upstream",
            "oauth",
            "capability",
            "reputation",
            "audit",
            "distribution",
        ],
    ),
    ("oauth2::", &["oauth"]),
    ("oci_client::", &["distribution", "config"]),
    ("hkdf::", &["capability"]),
    ("rusqlite::", &["journal", "audit", "capability"]),
    ("ring::aead", &["capability"]),
    ("blake3::", &["journal"]),
    ("ring::signature", &["journal", "distribution"]),
    ("zstd::", &["journal"]),
    ("dbus::", &["keyring"]),
    ("keyring_core::", &["keyring"]),
    ("rpassword::", &["secret"]),
    ("parquet::", &["audit"]),
    ("opentelemetry_proto::", &["audit"]),
    ("clap::", &["cli", "main"]),
    ("clap_complete::", &["cli"]),
    ("clap_mangen::", &["cli"]),
    ("diffy::", &["install", "pin"]),
    ("jsonc_parser::", &["clients", "config"]),
    ("saphyr_parser::", &["clients"]),
    ("toml_edit::", &["clients", "install"]),
    ("notify::", &["reload"]),
    ("include_bytes!", &["bundled"]),
    ("include_dir", &["workbench"]),
    (
        "anyhow::",
        &["main", "demo", "client", "doctor", "scan", "workbench"],
    ),
    ("flate2::", &["workbench", "audit"]),
];

/// Where messages are checked, and how often. Whoever adds or removes a check
/// runs `cargo xtask mutants`, which tells whether a test notices when it is
/// left out.
const CHECKS: &[(&str, usize)] = &[
    ("session/converse.rs", 4),
    ("session/kept.rs", 1),
    ("session/notes.rs", 2),
    ("session/rounds.rs", 2),
    ("session/subscriptions.rs", 1),
    ("session/supervise.rs", 2),
];

/// Names that say nothing about what is in a file.
const EMPTY_NAMES: &[&str] = &[
    "mod", "util", "utils", "common", "helper", "helpers", "misc", "types", "core",
];

/// What has no place in code that is done.
const UNFINISHED: &[&str] = &["TODO", "FIXME", "dbg!(", "todo!(", "unimplemented!("];

fn host() -> Vec<File> {
    let files = rust_files(&repository().join("host/src"));
    assert!(files.len() > 50, "the host is elsewhere");
    files
}

fn row(module: &str) -> usize {
    let row = LAYERS.iter().position(|row| {
        row.iter()
            .any(|names| names.split('+').any(|name| name == module))
    });
    row.unwrap_or_else(|| panic!("module {module} has no place in the layers"))
}

fn together(one: &str, other: &str) -> bool {
    let all = LAYERS.iter().flat_map(|row| row.iter());
    let mut pairs = all.filter(|names| names.contains('+'));
    one == other
        || pairs
            .any(|names| names.split('+').any(|n| n == one) && names.split('+').any(|n| n == other))
}

/// Fails with all violations, not only the first.
fn none(rule: &str, violations: Vec<String>) {
    assert!(
        violations.is_empty(),
        "{rule}:\n  {}",
        violations.join("\n  ")
    );
}

#[test]
fn a_module_uses_only_those_below_it() {
    let mut violations = Vec::new();
    for file in host() {
        let module = file.module();
        for (line, used) in file.uses_of_crate() {
            if !together(&module, &used) && row(&used) >= row(&module) {
                violations.push(format!("{}:{line}: {module} uses {used}", file.name));
            }
        }
    }
    none("a module uses only those below it", violations);
}

#[test]
fn only_some_modules_know_certain_things() {
    let mut violations = Vec::new();
    for file in host() {
        let module = file.module();
        for (line, text) in file.code() {
            for (secret, knowing) in SECRETS {
                if text.contains(secret) && !knowing.contains(&module.as_str()) {
                    violations.push(format!(
                        "{}:{line}: {secret} is for {knowing:?} only",
                        file.name
                    ));
                }
            }
        }
    }
    none("some things are known to few modules", violations);
}

#[test]
fn only_the_gate_admits_messages() {
    let mut violations = Vec::new();
    for file in host().into_iter().filter(|file| file.name != "gate.rs") {
        for (line, text) in file.code() {
            for made in ["Admitted {", "Admitted(", "Cleared {", "Cleared("] {
                // An enum may have a case of that name, which holds one, and a
                // function may return one that it was given.
                if text.contains(made)
                    && !text.contains(&format!("-> {made}"))
                    && !text.contains(&format!("::{made}"))
                    && !text.contains("Cleared(Cleared)")
                {
                    violations.push(format!("{}:{line}: {}", file.name, text.trim()));
                }
            }
        }
    }
    none("only gate.rs makes `Admitted` and `Cleared`", violations);
}

#[test]
fn every_place_where_messages_are_checked_is_known() {
    let mut found = Vec::new();
    for file in host().into_iter().filter(|file| file.name != "gate.rs") {
        let code = file.code();
        let checks = code
            .iter()
            .filter(|(_, text)| text.contains("admit(") || text.contains("admit_log_line("));
        match checks.count() {
            0 => {}
            count => found.push((file.name.clone(), count)),
        }
    }
    let known: Vec<(String, usize)> = CHECKS
        .iter()
        .map(|&(name, count)| (name.to_owned(), count))
        .collect();
    assert_eq!(
        found, known,
        "run `cargo xtask mutants`, then say so in CHECKS"
    );
}

#[test]
fn every_file_says_what_it_is_for_and_has_a_name_that_says_so_too() {
    let mut violations = Vec::new();
    for folder in ["host", "sdk", "plugins", "examples", "tests", "xtask"] {
        for file in rust_files(&repository().join(folder)) {
            if !file.text.starts_with("//!") && !file.text.starts_with("#![doc") {
                violations.push(format!(
                    "{folder}/{}: does not begin with what it is for",
                    file.name
                ));
            }
            if EMPTY_NAMES.contains(&file.stem().as_str()) {
                violations.push(format!("{folder}/{}: a name that says nothing", file.name));
            }
        }
    }
    none("a file says what it is for", violations);
}

#[test]
fn nothing_is_left_unfinished() {
    let mut violations = Vec::new();
    for file in host() {
        for (number, line) in file.text.lines().enumerate() {
            for mark in UNFINISHED.iter().filter(|mark| line.contains(**mark)) {
                violations.push(format!("{}:{}: {mark}", file.name, number + 1));
            }
        }
        for (line, text) in file.code() {
            for panic in [".unwrap()", ".expect(\"", "panic!("] {
                if text.contains(panic) {
                    violations.push(format!("{}:{line}: {panic} outside of tests", file.name));
                }
            }
        }
    }
    none("code is finished", violations);
}

#[test]
fn the_host_knows_no_guardrail_and_no_guardrail_knows_the_host() {
    let mut violations = Vec::new();
    let mut check = |manifest: &Path, forbidden: &[&str]| {
        let text = fs::read_to_string(manifest).unwrap();
        let dependencies = text
            .split_once("dependencies]")
            .map_or("", |(_, rest)| rest);
        for line in dependencies.lines() {
            if forbidden
                .iter()
                .any(|name| line.starts_with(name) || line.contains(&format!("path = \"{name}")))
            {
                violations.push(format!("{}: {line}", manifest.display()));
            }
        }
    };
    let root = repository();
    check(
        &root.join("host/Cargo.toml"),
        &["mcp-gateway-", "guardrail-", "guest-", "../"],
    );
    check(
        &root.join("tests/Cargo.toml"),
        &["mcp-gateway", "guardrail-", "../"],
    );
    check(
        &root.join("sdk/Cargo.toml"),
        &["mcp-gateway", "guardrail-", "wasmtime", "../"],
    );
    for folder in ["plugins", "examples", "tests/guests"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let manifest = entry.unwrap().path().join("Cargo.toml");
            if manifest.exists() {
                check(
                    &manifest,
                    &[
                        "mcp-gateway ",
                        "mcp-gateway.",
                        "mcp-gateway=",
                        "wasmtime",
                        "../../host",
                        "../../../host",
                    ],
                );
            }
        }
    }
    none(
        "the host and the guardrails meet in the contract only",
        violations,
    );
}

#[test]
fn no_test_is_forgotten() {
    let folder = repository().join("tests");
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let listed = manifest.contains(&format!("path = \"{name}\""));
        assert!(
            listed || !name.ends_with(".rs"),
            "{name} is not listed in tests/Cargo.toml"
        );
    }
}
