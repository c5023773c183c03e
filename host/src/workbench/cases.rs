//! `plugin test`: whether a guardrail does what its examples say, and what its author
//! expects of it besides.

mod case;
mod compare;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};

use super::component::{Component, config, rehearsal};
use super::say;
use crate::cli::{Output, TestArgs};
use crate::config::Limits;
use crate::guardrail::Guardrail;
use crate::reload::Files;
use crate::run::cache;
use case::Case;
use compare::{Outcome, differences};

/// Quiet after a change, so that a compiler is done writing.
const SETTLE: Duration = Duration::from_millis(50);

/// A case that was run.
struct Ran {
    name: String,
    /// What differs from what is expected, line by line; empty if nothing does.
    differences: Vec<String>,
}

/// Runs the examples and the cases. Says whether all pass.
///
/// # Errors
/// When they cannot be run. While files are watched, that is said, and the next change
/// waited for.
pub(super) async fn test(args: &TestArgs) -> anyhow::Result<bool> {
    if !args.watch {
        return run(args).await;
    }
    let paths = [&args.guardrail].into_iter().chain(&args.cases);
    let paths = paths.map(std::path::absolute).collect::<Result<_, _>>()?;
    let mut files = Files::watch(paths);
    loop {
        if let Err(error) = run(args).await {
            say(&format!("cannot be run: {error:#}\n"))?;
        }
        files.changed(SETTLE).await;
        say("\n")?;
    }
}

async fn run(args: &TestArgs) -> anyhow::Result<bool> {
    let component = Component::open(&args.guardrail)?;
    let config = config(args.config.as_deref())?;
    let sandbox = rehearsal(cache())?;
    let recipe = component.recipe(&config, Limits::default());
    let guardrail = Guardrail::unproven(Arc::clone(&sandbox), recipe)
        .await
        .map_err(|error| anyhow!("{}: {error}", component.origin))?;
    let guardrail = Arc::new(guardrail);
    let mut ran = Vec::new();
    for (number, example) in (1..).zip(&guardrail.manifest().examples) {
        let case = Case::of_example(example)?;
        let verdict = guardrail.rehearse(&case.envelope, case.view.clone()).await;
        ran.push(Ran {
            name: format!("example {number}"),
            differences: differences(&case, &Outcome::of(&case, verdict)),
        });
    }
    // What is kept for a session is kept until all its cases have run.
    let mut sessions = HashMap::new();
    for (name, case) in cases(&args.cases)? {
        let session = Arc::clone(&case.envelope.session);
        sessions
            .entry(Arc::clone(&session))
            .or_insert_with(|| sandbox.states().open(&session));
        let envelope = &case.envelope;
        let (method, kind, way) = (&*envelope.method, envelope.kind, envelope.direction);
        let outcome = if guardrail.manifest().wants(method, kind, way) {
            let verdict = guardrail.check(envelope, case.view.clone()).await;
            Outcome::of(&case, verdict)
        } else {
            Outcome::unseen(&case)
        };
        ran.push(Ran {
            name,
            differences: differences(&case, &outcome),
        });
    }
    drop(sessions);
    if ran.is_empty() {
        bail!(
            "there is nothing to run: {} has no examples, and no cases were named",
            component.origin
        );
    }
    say(&match args.output() {
        Output::Text => text(&component.origin, &ran),
        Output::Json => format!("{:#}\n", report(&component.origin, &ran)),
    })?;
    Ok(ran.iter().all(|ran| ran.differences.is_empty()))
}

/// The cases of these files, each with where it stands and what it is called.
fn cases(files: &[PathBuf]) -> anyhow::Result<Vec<(String, Case)>> {
    let mut cases = Vec::new();
    for file in files {
        let shown = file.file_name().unwrap_or(file.as_os_str());
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() {
                continue;
            }
            let place = format!("{}:{number}", shown.display());
            let case = Case::read(line, &place).with_context(|| place.clone())?;
            let name = match &case.name {
                Some(name) => format!("{place} {name}"),
                None => place,
            };
            cases.push((name, case));
        }
    }
    Ok(cases)
}

fn text(guardrail: &str, ran: &[Ran]) -> String {
    let mut text = format!("{guardrail}\n");
    for Ran { name, differences } in ran {
        let sign = if differences.is_empty() {
            "ok  "
        } else {
            "FAIL"
        };
        text.push_str(&format!("  {sign}  {name}\n"));
        for line in differences {
            text.push_str(&format!("          {line}\n"));
        }
    }
    let failed = ran.iter().filter(|ran| !ran.differences.is_empty()).count();
    match failed {
        0 => text.push_str(&format!("{} pass\n", ran.len())),
        failed => text.push_str(&format!("{failed} of {} fail\n", ran.len())),
    }
    text
}

fn report(guardrail: &str, ran: &[Ran]) -> Value {
    let cases = ran.iter().map(|Ran { name, differences }| {
        json!({ "case": name, "passes": differences.is_empty(), "differences": differences })
    });
    json!({ "guardrail": guardrail, "cases": cases.collect::<Vec<_>>() })
}
