//! Whether the tests notice when a message passes unchecked: for every place
//! where messages are checked, the check is left out, and a test has to fail.
//!
//! The places are found in the source. All mutants are in one build of a copy of
//! the repository, and a variable says which of them a gateway is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::program::Program;
use crate::{Outcome, root, target};

/// Which mutant a gateway is.
const VARIABLE: &str = "MCP_GATEWAY_MUTANT";

/// The tests that are about what guardrails see, those that notice most first.
const TESTS: [&str; 10] = [
    "masking",
    "everything_is_seen",
    "eras",
    "kept_catalog",
    "faulty_guardrails",
    "conversation",
    "aggregation",
    "lifecycle",
    "remote_servers",
    "serve",
];

/// What is said of a file of tests that did not come to its end: a test that
/// panics twice ends all.
const ABORTED: &str = "the tests ended early";

/// How a message is let pass unchecked in `gate.rs`, and by whom.
const UNCHECKED: &str = "
/// Whether this gateway is that mutant.
pub(crate) fn is_mutant(number: u32) -> bool {
    std::env::var(\"MCP_GATEWAY_MUTANT\").is_ok_and(|it| it == number.to_string())
}

/// Does not check if this gateway is that mutant.
pub(crate) async fn mutant_admit<const NUMBER: u32>(
    chain: &Chain,
    envelope: &Envelope,
    message: Message,
    circumstances: &Circumstances,
) -> Result<Cleared, Refusal> {
    if is_mutant(NUMBER) {
        return Ok(Cleared(message));
    }
    admit(chain, envelope, message, circumstances).await
}

/// Does not check if this gateway is that mutant.
pub(crate) async fn mutant_admit_log_line<const NUMBER: u32>(
    chain: &Chain,
    envelope: &Envelope,
    line: String,
) -> Option<String> {
    if is_mutant(NUMBER) {
        return Some(line);
    }
    admit_log_line(chain, envelope, line).await
}
";

/// A place where messages are checked.
struct Mutant {
    number: u32,
    /// The file and the line.
    place: String,
    /// What is there.
    code: String,
}

/// Builds the mutants, and has the tests run against each.
pub(crate) fn run() -> Outcome {
    let tree = target().join("mutants/tree");
    let mutants = copy(&tree)?;
    let binary = build(&tree)?;
    let tests = tests();

    let (mut report, mut survived) = (String::new(), 0);
    for mutant in &mutants {
        let noticed = notice(&binary, mutant.number, &tests)?;
        survived += u32::from(noticed.is_none());
        let noticed = noticed.unwrap_or_else(|| "NOBODY NOTICES".to_owned());
        let line = format!("{}: {}\n    {noticed}\n", mutant.place, mutant.code);
        eprint!("{line}");
        report.push_str(&line);
    }
    let file = target().join("mutants/report.txt");
    fs::write(&file, &report).map_err(|error| error.to_string())?;
    match survived {
        0 => Ok(()),
        _ => Err(format!(
            "{survived} of {} mutants live; see {}",
            mutants.len(),
            file.display()
        )),
    }
}

/// Copies the repository as it is now, with the mutants in it; returns what they
/// are. What has not changed keeps its time, so that it is not compiled again.
fn copy(tree: &Path) -> Result<Vec<Mutant>, String> {
    let listed = Program::named("git", "it lists what belongs to the repository")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output()?;
    let mut mutants = Vec::new();
    for name in listed.lines() {
        let (from, to) = (root().join(name), tree.join(name));
        let Ok(mut content) = fs::read(&from) else {
            // It has been removed.
            continue;
        };
        if let Some(source) = name
            .strip_prefix("host/src/")
            .filter(|it| it.ends_with(".rs"))
        {
            content = mutate(source, &String::from_utf8_lossy(&content), &mut mutants).into_bytes();
        }
        if fs::read(&to).is_ok_and(|there| there == content) {
            continue;
        }
        let folder = to.parent().unwrap_or(tree);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&to, content))
            .map_err(|error| format!("cannot copy {name}: {error}"))?;
    }
    match mutants.len() {
        0 => Err("no check of a message is to be found in the sources".to_owned()),
        _ => Ok(mutants),
    }
}

/// A source with mutants in it.
fn mutate(name: &str, text: &str, mutants: &mut Vec<Mutant>) -> String {
    let mut mutated = String::new();
    // What is for tests only stands at the end.
    let mut product = true;
    for (line, code) in (1..).zip(text.lines()) {
        product &= code != "#[cfg(test)]";
        let number = u32::try_from(mutants.len()).unwrap_or_default() + 1;
        let changed = mutation(code, number).filter(|_| product);
        if changed.is_some() {
            mutants.push(Mutant {
                number,
                place: format!("{name}:{line}"),
                code: code.trim().to_owned(),
            });
        }
        mutated.push_str(changed.as_deref().unwrap_or(code));
        mutated.push('\n');
    }
    if name == "gate.rs" {
        mutated.push_str(UNCHECKED);
    }
    mutated
}

/// The line without its check, if it has one.
fn mutation(line: &str, number: u32) -> Option<String> {
    let code = line.trim_start();
    if code.starts_with("//") || code.contains("fn admit") {
        return None;
    }
    for call in ["admit", "admit_log_line"] {
        let Some(at) = line.find(&format!("{call}(")) else {
            continue;
        };
        let (before, after) = line.split_at(at);
        if before.ends_with(|it: char| it.is_alphanumeric() || it == '_') {
            continue;
        }
        let after = after.strip_prefix(call)?;
        return Some(format!("{before}mutant_{call}::<{number}>{after}"));
    }
    // Who asks whether there is anything to check.
    for question in ["if !chain.concerns(", "if !link.applies("] {
        if let Some((before, after)) = line.split_once(question) {
            let question = question.trim_start_matches("if ");
            return Some(format!(
                "{before}if crate::gate::is_mutant({number}) || {question}{after}"
            ));
        }
    }
    None
}

/// Builds the mutants, apart from everything else: cargo would take what is built
/// of the copy for what is built of the repository.
fn build(tree: &Path) -> Result<PathBuf, String> {
    let build = target().join("mutants/build");
    Program::cargo()
        .args(["build", "--package", "mcp-gateway", "--bin", "mcp-gateway"])
        .args(["--target-dir"])
        .args([&build])
        .inside(tree)
        .run()?;
    let name = format!("mcp-gateway{}", std::env::consts::EXE_SUFFIX);
    Ok(build.join("debug").join(name))
}

/// Those tests that there are.
fn tests() -> Vec<&'static str> {
    let is_there = |name: &&str| root().join(format!("tests/{name}.rs")).exists();
    TESTS.into_iter().filter(is_there).collect()
}

/// Has the tests run; returns which noticed the mutant, of the first file where
/// one does.
fn notice(binary: &Path, number: u32, tests: &[&str]) -> Result<Option<String>, String> {
    for test in tests {
        let failed = failures(binary, number, test, &[])?;
        if failed.is_empty() {
            continue;
        }
        // What fails without the mutation as well, or now and then, has not
        // noticed it.
        let aborted = failed.iter().any(|it| it == ABORTED);
        let some = if aborted { &[][..] } else { &failed };
        let always = failures(binary, number, test, some)?;
        let anyway = failures(binary, 0, test, some)?;
        let noticed: Vec<&str> = failed
            .iter()
            .filter(|it| always.contains(it) && !anyway.contains(it))
            .map(String::as_str)
            .collect();
        if !noticed.is_empty() {
            return Ok(Some(format!("{test}: {}", noticed.join(", "))));
        }
    }
    Ok(None)
}

/// The tests of a file that fail: of all, or of some.
fn failures(
    binary: &Path,
    number: u32,
    test: &str,
    some: &[String],
) -> Result<Vec<String>, String> {
    let printed = Program::cargo()
        .args(["test", "--package", "mcp-gateway-tests", "--test", test])
        .args(["--", "--exact"])
        .args(some)
        .env("MCP_GATEWAY_BIN", binary)
        .env(VARIABLE, number.to_string())
        .output_of_any_end()?;
    if !printed.contains("running ") {
        return Err(format!("`cargo test --test {test}` did not run"));
    }
    let lines = printed.lines();
    let failed = lines.filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... FAILED"));
    let mut failed: Vec<String> = failed.map(str::to_owned).collect();
    if !printed.contains("test result: ") {
        failed.push(ABORTED.to_owned());
    }
    Ok(failed)
}
