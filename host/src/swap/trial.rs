//! Two builds of a guardrail are asked about the same messages.

use std::sync::Arc;
use std::time::Duration;

use super::canary;
use super::report::{Cost, MOST_FAILURES, Report};
use crate::capability::message::MessageView;
use crate::chain::{Input, Link, Rehearsing};
use crate::config::Only;
use crate::guardrail::{
    Change, Decision, Difference, Envelope, Fault, Guardrail, Rehearsal, Rehearsed, Verdict,
    broken_promises, differences,
};
use crate::message::Texts;

/// How often messages are passed at most to find out what a build costs: a machine that
/// has other work to do makes one look slow, but seldom three times.
const PASSES: usize = 3;

/// Two builds, and what is asked of both.
pub struct Trial<'a> {
    live: &'a Arc<Guardrail>,
    candidate: &'a Arc<Guardrail>,
    only: &'a Only,
    /// What a verdict may add to a message, in bytes.
    growth: usize,
    cost: u32,
}

/// A message that both were asked about.
struct Asked<'a> {
    envelope: &'a Envelope,
    differences: Vec<Difference>,
    live: Duration,
    candidate: Duration,
}

/// How two outcomes on the same texts differ, if they can be compared.
type Compare =
    fn(&Texts, usize, &Result<Verdict, Fault>, &Result<Verdict, Fault>) -> Option<Vec<Difference>>;

/// The two in one session.
struct Pair {
    live: Rehearsal,
    candidate: Rehearsal,
}

impl<'a> Trial<'a> {
    /// The build that serves and a new one, which may take so many times as long.
    pub fn new(
        live: &'a Arc<Guardrail>,
        candidate: &'a Arc<Guardrail>,
        only: &'a Only,
        growth: usize,
        cost: u32,
    ) -> Self {
        Self {
            live,
            candidate,
            only,
            growth,
            cost,
        }
    }

    /// A report of nothing yet.
    pub fn report(&self) -> Report {
        Report::of(self.live, self.candidate)
    }

    /// Asks both about the gateway's own texts.
    pub async fn on_canaries(&self, report: &mut Report) {
        for canary in canary::texts(self.only) {
            // None knows of the one before.
            let mut pair = self.pair();
            let Some(view) = canary.view() else { continue };
            let envelope = &canary.input.envelope;
            let asked = self.ask(&mut pair, envelope, view, differences).await;
            report.saw_canary(canary.name, asked.map(|asked| asked.differences));
            if report.is_enough() {
                return;
            }
        }
    }

    /// Asks both about the examples that the build that serves ships: a new one brings its
    /// own along, and may have dropped one of them with the rule behind it. They hold
    /// whatever messages the entry is for.
    pub async fn on_examples(&self, report: &mut Report) {
        // What an example keeps is there for the next one, as when they were run.
        let mut pair = self.pair();
        for (number, example) in (1..).zip(&self.live.manifest().examples) {
            let Ok((envelope, view)) = example.shown() else {
                continue;
            };
            let asked = self.ask(&mut pair, &envelope, view, broken_promises).await;
            report.saw_example(number, asked.map(|asked| asked.differences));
            if report.is_enough() {
                return;
            }
        }
    }

    /// Asks both about messages, as these guardrails leave them.
    pub async fn on_messages(&self, before: &[Link], inputs: &[Input], report: &mut Report) {
        let mut asked = self.pass(before, inputs, Some(report)).await;
        for asked in &mut asked {
            let differences = std::mem::take(&mut asked.differences);
            report.saw_message(asked.envelope, differences);
        }
        for _ in 1..PASSES {
            if !self.cost_of(&asked).is_some_and(|cost| cost.is_beyond()) || report.is_enough() {
                break;
            }
            let again = self.pass(before, inputs, None).await;
            for (asked, again) in asked.iter_mut().zip(again) {
                asked.live = asked.live.min(again.live);
                asked.candidate = asked.candidate.min(again.candidate);
            }
        }
        if let Some(cost) = self.cost_of(&asked) {
            report.cost(cost);
        }
    }

    /// What a message takes of each, in the mean.
    fn cost_of(&self, asked: &[Asked<'_>]) -> Option<Cost> {
        let count = u32::try_from(asked.len()).ok().filter(|count| *count > 0)?;
        let sum = |of: fn(&Asked<'_>) -> Duration| asked.iter().map(of).sum::<Duration>() / count;
        Some(Cost {
            live: sum(|it| it.live),
            candidate: sum(|it| it.candidate),
            most: self.cost,
        })
    }

    /// Has both judge all messages once. A session's come one after the other, so that
    /// what guardrails keep for it is there, and no more instances are alive than needed.
    async fn pass<'i>(
        &self,
        before: &[Link],
        inputs: &'i [Input],
        mut report: Option<&mut Report>,
    ) -> Vec<Asked<'i>> {
        let mut all = Vec::new();
        let mut failures = 0;
        for session in sessions(inputs) {
            let mut earlier = Rehearsing::of(before);
            let mut pair = self.pair();
            for input in inputs.iter().filter(|it| it.envelope.session == session) {
                if !self.concerns(&input.envelope) {
                    continue;
                }
                let passed = earlier.pass(input).await;
                let asked = match passed.view(input) {
                    Some(view) => {
                        let envelope = &input.envelope;
                        self.ask(&mut pair, envelope, view, differences).await
                    }
                    None => None,
                };
                match (asked, &mut report) {
                    (Some(asked), _) => {
                        let fails = |it: &Difference| it.change == Change::Fails;
                        failures += usize::from(asked.differences.iter().any(fails));
                        all.push(asked);
                    }
                    (None, Some(report)) => report.skipped(),
                    (None, None) => {}
                }
                if failures >= MOST_FAILURES {
                    return all;
                }
            }
        }
        all
    }

    /// Whether any of the two looks at such a message.
    fn concerns(&self, envelope: &Envelope) -> bool {
        self.only.includes(&envelope.server, &envelope.method)
            && (wants(self.live, envelope) || wants(self.candidate, envelope))
    }

    fn pair(&self) -> Pair {
        Pair {
            live: Rehearsal::of(self.live),
            candidate: Rehearsal::of(self.candidate),
        }
    }

    async fn ask<'i>(
        &self,
        pair: &mut Pair,
        envelope: &'i Envelope,
        view: MessageView,
        compare: Compare,
    ) -> Option<Asked<'i>> {
        let texts = Arc::clone(&view.texts);
        let live = judge(&mut pair.live, envelope, view.clone()).await;
        let candidate = judge(&mut pair.candidate, envelope, view).await;
        let differences = compare(&texts, self.growth, &live.outcome, &candidate.outcome)?;
        Some(Asked {
            envelope,
            differences,
            live: live.took,
            candidate: candidate.took,
        })
    }
}

/// What a build makes of a message: one that it does not want to see passes.
async fn judge(rehearsal: &mut Rehearsal, envelope: &Envelope, view: MessageView) -> Rehearsed {
    match wants(rehearsal.guardrail(), envelope) {
        true => rehearsal.judge(envelope, view).await,
        false => Rehearsed {
            outcome: Ok(Verdict {
                decision: Decision::Pass,
                findings: Vec::new(),
            }),
            took: Duration::ZERO,
        },
    }
}

fn wants(guardrail: &Guardrail, envelope: &Envelope) -> bool {
    let (method, kind, way) = (&envelope.method, envelope.kind, envelope.direction);
    guardrail.manifest().wants(method, kind, way)
}

/// The sessions of messages, in the order in which they come up.
fn sessions(inputs: &[Input]) -> Vec<Arc<str>> {
    let mut sessions: Vec<Arc<str>> = Vec::new();
    for input in inputs {
        let session = &input.envelope.session;
        if sessions.last() != Some(session) && !sessions.contains(session) {
            sessions.push(Arc::clone(session));
        }
    }
    sessions
}
