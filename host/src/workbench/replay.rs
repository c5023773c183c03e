//! `replay`: captured messages go through the chain of a configuration, and it is shown
//! what would become of each.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};

use super::component::rehearsal;
use super::say;
use crate::chain::{Chain, Input, Link, Passed, Rehearsing};
use crate::cli::{Output, Replay};
use crate::config::{Config, Guardrail as Spec, Mode};
use crate::distribution::fetch;
use crate::guardrail::{Direction, Guardrail};
use crate::plural::counted;
use crate::reload::{policy, recipe};
use crate::run::cache;
use crate::sandbox::Sandbox;
use crate::swap;

/// Shows what would become of the messages of a capture.
///
/// # Errors
/// When the capture, the configuration or a guardrail cannot be used.
pub(super) async fn show(replay: &Replay) -> anyhow::Result<bool> {
    let inputs = swap::read(&replay.capture)?;
    let config = replay.source.load()?;
    let sandbox = rehearsal(cache())?;
    let mut links = Vec::new();
    for spec in config.guardrails.iter().filter(|it| it.mode != Mode::Off) {
        let guardrail = load(&sandbox, spec, &config).await;
        let guardrail = guardrail.with_context(|| format!("guardrail \"{}\"", spec.name))?;
        links.push(Link::new(guardrail, spec.clone()));
    }
    let chain = Chain::new(links);
    let mut sessions: BTreeMap<Arc<str>, Rehearsing<'_>> = BTreeMap::new();
    let mut counts = Counts::default();
    for (number, input) in (1_usize..).zip(&inputs) {
        let session = Arc::clone(&input.envelope.session);
        let rehearsing = sessions
            .entry(session)
            .or_insert_with(|| Rehearsing::of(chain.links()));
        let passed = rehearsing.pass(input).await;
        let fate = Fate::of(input, &passed);
        counts.add(&fate);
        say(&match replay.output {
            Output::Text => line(number, input, &passed, fate),
            Output::Json => format!("{}\n", object(number, input, &passed, fate)),
        })?;
    }
    if replay.output == Output::Text {
        say(&format!(
            "{}: {} pass, {} changed, {} blocked\n",
            counted(inputs.len(), "message"),
            counts.pass,
            counts.changed,
            counts.blocked
        ))?;
    }
    Ok(true)
}

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Passes,
    Changed,
    Blocked,
}

#[derive(Default)]
struct Counts {
    pass: usize,
    changed: usize,
    blocked: usize,
}

impl Fate {
    fn of(input: &Input, passed: &Passed) -> Self {
        match &passed.end {
            Err(_) => Self::Blocked,
            Ok(left) if left.line() == input.message.line() => Self::Passes,
            Ok(_) => Self::Changed,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::Changed => "changed",
            Self::Blocked => "BLOCKED",
        }
    }
}

impl Counts {
    fn add(&mut self, fate: &Fate) {
        match fate {
            Fate::Passes => self.pass += 1,
            Fate::Changed => self.changed += 1,
            Fate::Blocked => self.blocked += 1,
        }
    }
}

/// Each guardrail that had something to say, with what it decided and its rules.
fn said(passed: &Passed) -> Vec<(&str, &'static str, BTreeMap<&str, usize>)> {
    let steps = passed.steps.iter().filter_map(|step| {
        let (decision, findings) = match &step.outcome {
            Ok(verdict) => (verdict.decision.name(), verdict.findings.as_slice()),
            Err(fault) => (fault.name(), Default::default()),
        };
        let mut rules: BTreeMap<&str, usize> = BTreeMap::new();
        for finding in findings {
            *rules.entry(&finding.rule).or_default() += 1;
        }
        let silent = step.outcome.is_ok() && decision == "pass" && rules.is_empty();
        (!silent).then_some((&*step.guardrail, decision, rules))
    });
    steps.collect()
}

fn line(number: usize, input: &Input, passed: &Passed, fate: Fate) -> String {
    let envelope = &input.envelope;
    let way = match envelope.direction {
        Direction::ToServer => "→",
        Direction::ToClient => "←",
    };
    let subject = envelope.subject.as_deref().unwrap_or_default();
    let said: Vec<String> = said(passed)
        .into_iter()
        .map(|(guardrail, decision, rules)| {
            let rules = rules.iter().map(|(rule, count)| format!("{rule} ×{count}"));
            let rules: Vec<String> = rules.collect();
            match rules.as_slice() {
                [] => format!("{guardrail}: {decision}"),
                rules => format!("{guardrail}: {decision} {}", rules.join(", ")),
            }
        })
        .collect();
    let text = format!(
        "{number:>5} {way} {:<8} {:<12} {}",
        fate.word(),
        envelope.kind.as_str(),
        [&*envelope.server, &*envelope.method, subject].join(" ")
    );
    match said.is_empty() {
        true => format!("{}\n", text.trim_end()),
        false => format!("{}   {}\n", text.trim_end(), said.join("; ")),
    }
}

fn object(number: usize, input: &Input, passed: &Passed, fate: Fate) -> Value {
    let envelope = &input.envelope;
    let said = said(passed).into_iter().map(|(guardrail, decision, rules)| {
        json!({ "guardrail": guardrail, "decision": decision, "rules": rules })
    });
    let block = passed.end.as_ref().err();
    json!({
        "number": number,
        "session": envelope.session,
        "exchange": envelope.exchange,
        "server": envelope.server,
        "method": envelope.method,
        "kind": envelope.kind.as_str(),
        "direction": envelope.direction,
        "subject": envelope.subject,
        "fate": fate.word().to_lowercase(),
        "blockedBy": block.map(|block| &block.guardrail),
        "guardrails": said.collect::<Vec<_>>(),
    })
}

async fn load(
    sandbox: &Arc<Sandbox>,
    spec: &Spec,
    config: &Config,
) -> anyhow::Result<Arc<Guardrail>> {
    let bytes = fetch(&spec.component, &policy(spec, config)).await?;
    let recipe = recipe(spec, bytes);
    let guardrail = Guardrail::load(Arc::clone(sandbox), recipe).await?;
    Ok(Arc::new(guardrail))
}
