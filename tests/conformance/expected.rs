//! What is expected of each check: that it passes, directly and through the
//! gateway, unless `differences.toml` says something else, and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use mcp_gateway_tests::repository;
use serde::Deserialize;

use crate::suite::{Checks, Verdict};

/// An entry of the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Difference {
    /// The version of the suite.
    suite: String,
    /// What is compared with direct runs, or how that begins.
    target: String,
    /// The scenarios and the checks.
    checks: Vec<String>,
    /// What becomes of them directly.
    direct: Verdict,
    /// What becomes of them through the gateway.
    gateway: Verdict,
    /// Why.
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    difference: Vec<Difference>,
}

fn differences(suite: &str, target: &str) -> BTreeMap<String, Difference> {
    let path = repository().join("tests/conformance/differences.toml");
    let file: File = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let lines = file.difference.into_iter().filter(|line| {
        assert!(!line.reason.is_empty(), "{line:?}");
        line.suite == suite && target.starts_with(&line.target)
    });
    let each = |line: Difference| {
        let checks = line.checks.clone().into_iter();
        checks.map(move |check| (check, line.clone()))
    };
    lines.flat_map(each).collect()
}

/// Compares what was found, writes all of it down, and fails at what nobody
/// expects, for better or for worse.
pub(crate) fn compare(suite: &str, target: &str, direct: &Checks, gateway: &Checks) {
    let mut expected = differences(suite, target);
    let (mut report, mut surprises) = (String::new(), Vec::new());
    let mut counts: BTreeMap<(Verdict, Verdict), usize> = BTreeMap::new();
    let checks: BTreeSet<&String> = direct.keys().chain(gateway.keys()).collect();
    for check in checks {
        let verdict = |of: &Checks| of.get(check).copied().unwrap_or(Verdict::Missing);
        let found = (verdict(direct), verdict(gateway));
        *counts.entry(found).or_default() += 1;
        let line = expected.remove(check);
        let due = match &line {
            Some(line) => (line.direct, line.gateway),
            // What does not apply directly does not apply through the gateway.
            None if found.0 == Verdict::Skipped => (Verdict::Skipped, Verdict::Skipped),
            None => (Verdict::Passed, Verdict::Passed),
        };
        let reason = line.map_or(String::new(), |line| format!(" ({})", line.reason));
        let words = format!("{check}: {:?}, {:?}{reason}", found.0, found.1);
        writeln!(report, "{words}").unwrap();
        if !(found.0.is(due.0) && found.1.is(due.1)) {
            surprises.push(format!("{words}; expected: {:?}, {:?}", due.0, due.1));
        }
    }
    let made = |line: &Difference| [line.direct, line.gateway] != [Verdict::Any; 2];
    let stale = expected.iter().filter(|(_, line)| made(line));
    surprises.extend(stale.map(|(check, _)| format!("{check}: is not made")));

    let folder = repository().join("target/conformance");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{suite}, {target}.txt").replace(' ', "-"));
    std::fs::write(&file, report).unwrap();
    eprintln!("{}", summary(suite, target, &counts, &file));
    assert!(
        surprises.is_empty(),
        "{suite}, {target}: check: directly, through the gateway\n  {}",
        surprises.join("\n  ")
    );
}

fn summary(
    suite: &str,
    target: &str,
    counts: &BTreeMap<(Verdict, Verdict), usize>,
    file: &Path,
) -> String {
    let counts = counts.iter().map(|((direct, gateway), count)| {
        if direct == gateway {
            format!("{count} {direct:?} in both")
        } else {
            format!("{count} {direct:?} directly but {gateway:?} through the gateway")
        }
    });
    let counts: Vec<String> = counts.collect();
    format!(
        "{suite}, {target}: {}; see {}",
        counts.join(", "),
        file.display()
    )
}
