//! `plugin fuzz`: whether a guardrail keeps to the contract whatever it is shown.

mod chance;
mod messages;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use serde_json::{Value, json};

use super::component::{Component, config, rehearsal};
use super::say;
use super::shown::Shown;
use crate::cli::{FuzzArgs, Output};
use crate::config::Limits;
use crate::guardrail::{Fault, Guardrail};
use crate::plural::counted;
use crate::run::cache;
use chance::Chance;
use messages::Messages;

/// Messages that one instance sees in a case, at most: some faults need more than one.
const SEQUENCE: usize = 4;

/// What was found.
#[derive(Default)]
struct Findings {
    /// By what happened.
    failures: BTreeMap<String, Failure>,
    /// Messages that it was shown, and their bytes.
    shown: usize,
    bytes: usize,
    /// Cases that failed, but not when they were run again.
    unsteady: usize,
}

/// One way to fail.
struct Failure {
    kind: &'static str,
    words: String,
    /// The first case in which it fails so, and how many there are.
    first: u64,
    count: usize,
    /// The message of the first.
    message: Shown,
}

/// Shows a guardrail messages of all sorts. Says whether it had a valid verdict on each.
///
/// # Errors
/// When it cannot be used, or does not want to see any of them.
pub(super) async fn fuzz(args: &FuzzArgs) -> anyhow::Result<bool> {
    let component = Component::open(&args.guardrail)?;
    let sandbox = rehearsal(cache())?;
    let config = config(args.config.as_deref())?;
    let guardrail = component
        .load(&sandbox, &config)
        .await
        .map_err(|error| anyhow!("{}: {error}", component.origin))?;
    let messages = Messages::of(texts(args, &guardrail)?.into_iter(), args.largest);
    let seed = match args.seed {
        Some(seed) => seed,
        None => getrandom::u64().context("the system gives no random seed")?,
    };
    let mut findings = Findings::default();
    let cases = match args.case {
        Some(case) => case..case.saturating_add(1),
        None => 0..args.runs,
    };
    for case in cases {
        let Some((fault, message)) = run(&guardrail, &messages, seed, case, &mut findings).await
        else {
            continue;
        };
        // What only the moment is to blame for, such as a busy processor, is not told.
        let mut again = Findings::default();
        match run(&guardrail, &messages, seed, case, &mut again).await {
            Some((same, _)) if kind(&same) == kind(&fault) => findings.add(case, &same, message),
            _ => findings.unsteady += 1,
        }
    }
    if findings.shown == 0 {
        bail!(
            "{} does not want to see any of the messages",
            component.origin
        );
    }
    if let Some(file) = &args.save {
        save(file, &findings)?;
    }
    say(&match args.output() {
        Output::Text => text(args, &component, seed, &findings),
        Output::Json => format!("{:#}\n", report(&component, seed, &findings)),
    })?;
    Ok(findings.failures.is_empty())
}

/// What messages are made of: what the guardrail itself gives as examples, and what is
/// given besides.
fn texts(args: &FuzzArgs, guardrail: &Guardrail) -> anyhow::Result<Vec<String>> {
    let examples = guardrail.manifest().examples.iter();
    let mut texts: Vec<String> = examples.flat_map(|it| it.texts.iter().cloned()).collect();
    for file in &args.text {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read {}", file.display()))?;
        texts.extend(text.lines().map(str::to_owned));
    }
    Ok(texts)
}

/// Shows the messages of one case to a fresh instance, up to the first without a valid
/// verdict.
async fn run(
    guardrail: &Arc<Guardrail>,
    messages: &Messages,
    seed: u64,
    case: u64,
    findings: &mut Findings,
) -> Option<(Fault, Shown)> {
    let mut chance = Chance::of(seed, case);
    let mut trial = match guardrail.trial().await {
        Ok(trial) => trial,
        Err(fault) => {
            let nothing = Shown::text("", crate::cli::Way::ToClient).ok()?;
            return Some((fault, nothing));
        }
    };
    for _ in 0..=chance.below(SEQUENCE) {
        let Some((message, direction)) = messages.make(&mut chance) else {
            continue;
        };
        let Ok(shown) = Shown::message(message, direction) else {
            continue;
        };
        let Shown { envelope, view } = &shown;
        if !guardrail
            .manifest()
            .wants(&envelope.method, envelope.kind, direction)
        {
            continue;
        }
        findings.shown += 1;
        findings.bytes += view.message.line().len();
        let verdict = match trial.check(envelope, view.clone()).await {
            Ok(verdict) => verdict,
            Err(fault) => return Some((fault, shown)),
        };
        // What the gateway would do with it, which may find more.
        let carried_out = verdict.changed(&view.texts, Limits::default().output);
        if let Err(invalid) = carried_out {
            return Some((invalid.into(), shown));
        }
    }
    None
}

/// What sort of failure it is.
fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::Limit(_) | Fault::Output(_) => "limit",
        Fault::Trap(_) => "trap",
        Fault::Guest(_) => "error",
        Fault::Verdict(_) => "invalid verdict",
        Fault::Busy => "busy",
        Fault::Kept(_) => "no state",
        Fault::Offline(_) => "no network",
    }
}

impl Findings {
    fn add(&mut self, case: u64, fault: &Fault, message: Shown) {
        let kind = kind(fault);
        // Offsets and indices differ from case to case, and not what is wrong.
        let words = fault.to_string();
        let same: String = words.chars().filter(|c| !c.is_ascii_digit()).collect();
        let failure = self.failures.entry(same).or_insert_with(|| Failure {
            kind,
            words,
            first: case,
            count: 0,
            message,
        });
        failure.count += 1;
    }
}

/// Writes what fails as cases for `plugin test`.
fn save(file: &Path, findings: &Findings) -> anyhow::Result<()> {
    let mut cases = String::new();
    for failure in findings.failures.values() {
        let Shown { envelope, view } = &failure.message;
        let name = format!("{}: {}", failure.kind, failure.words);
        writeln!(
            cases,
            r#"{{"name":{},"direction":"{}","message":{},"expects":"pass"}}"#,
            crate::message::quote(&name),
            envelope.direction.as_str(),
            view.message.line()
        )?;
    }
    std::fs::write(file, cases).with_context(|| format!("cannot write {}", file.display()))
}

fn text(args: &FuzzArgs, component: &Component, seed: u64, findings: &Findings) -> String {
    let mut text = format!(
        "{}\n{}, {:.1} MB, seed {seed}\n",
        component.origin,
        counted(findings.shown, "message"),
        megabytes(findings.bytes)
    );
    let config = args.config.iter().map(|it| format!(" --config {it:?}"));
    let texts = args
        .text
        .iter()
        .map(|it| format!(" --text {}", it.display()));
    let largest = format!(" --largest {}", args.largest);
    let besides: String = config.chain(texts).chain([largest]).collect();
    for failure in findings.failures.values() {
        let Shown { envelope, view } = &failure.message;
        text.push_str(&format!(
            "FAILS in {} ({}): {}\n  first on a {} {} of {} bytes; to see it again:\n  \
             mcp-gateway plugin fuzz {}{besides} --seed {seed} --case {}\n",
            counted(failure.count, "case"),
            failure.kind,
            failure.words,
            envelope.kind.as_str(),
            envelope.direction.as_str(),
            view.message.line().len(),
            args.guardrail.display(),
            failure.first,
        ));
    }
    if findings.failures.is_empty() {
        text.push_str("a valid verdict on each\n");
    }
    if findings.unsteady > 0 {
        text.push_str(&format!(
            "{} failed at first and not again: the machine may be busy\n",
            counted(findings.unsteady, "case")
        ));
    }
    text
}

fn report(component: &Component, seed: u64, findings: &Findings) -> Value {
    let failures = findings.failures.values().map(|failure| {
        json!({
            "kind": failure.kind,
            "failure": failure.words,
            "cases": failure.count,
            "firstCase": failure.first,
            "bytes": failure.message.view.message.line().len(),
        })
    });
    json!({
        "guardrail": component.origin,
        "seed": seed,
        "messages": findings.shown,
        "bytes": findings.bytes,
        "failures": failures.collect::<Vec<_>>(),
        "unsteady": findings.unsteady,
    })
}

fn megabytes(bytes: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
    let bytes = bytes as f64;
    bytes / 1e6
}
