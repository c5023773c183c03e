//! Runs the official conformance suite, and reads what it found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use mcp_gateway_tests::{peer, real};
use serde::Deserialize;
use serde_json::Value;

/// What became of each check, by its scenario and its own name.
pub(crate) type Checks = BTreeMap<String, Verdict>;

/// What became of a check, which may have been made several times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// It did not apply.
    Skipped,
    /// It was not made.
    Missing,
    /// Expected only: one of these.
    Any,
}

impl Verdict {
    /// Whether it is what was expected.
    pub(crate) fn is(self, expected: Self) -> bool {
        expected == Self::Any || self == expected
    }
}

/// A version of the suite, at a version of the protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Suite {
    /// What it is called in reports.
    pub(crate) name: &'static str,
    /// The folder of its npm package.
    package: &'static str,
    /// The version of the protocol, where it can be chosen.
    version: Option<&'static str>,
    /// The scenarios for servers; without any, all that belong to the protocol.
    scenarios: &'static [&'static str],
}

/// All that are run.
pub(crate) const STABLE: Suite = Suite {
    name: "0.1.16",
    package: "conformance-0.1",
    version: None,
    scenarios: &[],
};
pub(crate) const LEGACY: Suite = Suite {
    name: "0.2 at 2025-11-25",
    package: "conformance-0.2",
    version: Some("2025-11-25"),
    scenarios: &[],
};
pub(crate) const MODERN: Suite = Suite {
    name: "0.2 at 2026-07-28",
    package: "conformance-0.2",
    version: Some("2026-07-28"),
    scenarios: &[],
};
/// What an extension of the protocol adds, which belongs to no version of it.
pub(crate) const TASKS: Suite = Suite {
    name: "0.2, tasks",
    package: "conformance-0.2",
    version: None,
    scenarios: &[
        "tasks-lifecycle",
        "tasks-capability-negotiation",
        "tasks-wire-fields",
        "tasks-request-state-removal",
        "tasks-mrtr-input",
        "tasks-request-headers",
        "tasks-dispatch-and-envelope",
        "tasks-status-notifications",
        "tasks-required-task-error",
        "tasks-mrtr-composition",
    ],
};

impl Suite {
    /// Checks a server.
    pub(crate) fn check_server(&self, url: &str) -> Checks {
        let results = tempfile::tempdir().unwrap();
        let all = [["--suite", "all"]];
        let some = self.scenarios.iter().map(|it| ["--scenario", *it]);
        for which in all
            .into_iter()
            .filter(|_| self.scenarios.is_empty())
            .chain(some)
        {
            let mut command = self.command("server", results.path());
            command.args(which).args(["--url", url]);
            run(command);
        }
        read(results.path())
    }

    /// Has a gateway start servers for all those that the suite's modern clients
    /// say they are: that may take longer than a check waits.
    pub(crate) fn warm_up(&self, url: &str) {
        if self.name == MODERN.name {
            let warm = Self {
                scenarios: &["server-stateless"],
                ..*self
            };
            warm.check_server(url);
        }
    }

    /// Checks a client by some scenarios.
    pub(crate) fn check_client(&self, scenarios: &[&str], client: &str) -> Checks {
        let results = tempfile::tempdir().unwrap();
        for scenario in scenarios {
            let mut command = self.command("client", results.path());
            command.args(["--scenario", scenario, "--command", client]);
            // By default half a minute, which is short where everything else is tested meanwhile.
            command.args(["--timeout", "120000"]);
            run(command);
        }
        read(results.path())
    }

    fn command(&self, mode: &str, results: &Path) -> Command {
        let mut command = Command::new(real::node22());
        command.arg(peer(&format!(
            "node_modules/{}/dist/index.js",
            self.package
        )));
        command.arg(mode).arg("--output-dir").arg(results);
        if let Some(version) = self.version {
            command.args(["--spec-version", version]);
        }
        command
    }
}

/// Runs the suite to its end; that checks fail is no failure of it.
fn run(mut command: Command) {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some(), "{command:?}: {stderr}");
}

/// Reads what was found: a folder for each scenario, with a list of checks.
fn read(results: &Path) -> Checks {
    let mut checks = Checks::new();
    for file in reports(results) {
        let folder = file.parent().unwrap().strip_prefix(results).unwrap();
        let scenario = scenario(folder.to_str().unwrap());
        let report: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        for check in report.as_array().unwrap() {
            let verdict = match check["status"].as_str().unwrap() {
                "SUCCESS" => Verdict::Passed,
                "FAILURE" | "WARNING" => Verdict::Failed,
                "SKIPPED" => Verdict::Skipped,
                // Merely what went over the wire.
                "INFO" => continue,
                other => panic!("{}: status {other}", file.display()),
            };
            let name = format!("{scenario}: {}", check["name"].as_str().unwrap());
            let entry = checks.entry(name).or_insert(verdict);
            if verdict == Verdict::Failed || *entry == Verdict::Skipped {
                *entry = verdict;
            }
        }
    }
    checks
}

/// The name of a scenario, of which a folder is made with a word before it,
/// and the time after it.
fn scenario(folder: &str) -> &str {
    const TIME: usize = "-2026-07-28T00-00-00-000Z".len();
    let name = &folder[..folder.len() - TIME];
    name.strip_prefix("server-").unwrap_or(name)
}

fn reports(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(reports(&path));
        } else if path.ends_with("checks.json") {
            found.push(path);
        }
    }
    found
}
