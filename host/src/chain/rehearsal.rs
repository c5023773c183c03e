//! A chain on messages that were sent before: what every guardrail would say, and what
//! would become of the message. Nothing leaves, and nothing that is kept outlives it.

use std::sync::Arc;
use std::time::Duration;

use super::{Applied, Block, Cause, Circumstances, Input, Link, Passage};
use crate::capability::message::MessageView;
use crate::config::{Mode, OnError};
use crate::guardrail::{Fault, Rehearsal, Verdict};
use crate::message::Message;

/// Guardrails in their order, as one session would have them.
pub struct Rehearsing<'a>(Vec<(&'a Link, Rehearsal)>);

/// What one guardrail said about a message.
#[derive(Debug)]
pub struct Step {
    /// The guardrail.
    pub guardrail: Arc<str>,
    /// Whether its decisions are carried out.
    pub is_enforced: bool,
    /// Its verdict, or why there is none.
    pub outcome: Result<Verdict, Fault>,
    /// What that took.
    pub took: Duration,
}

/// A message that went through a chain.
#[derive(Debug)]
pub struct Passed {
    /// The guardrails that were asked.
    pub steps: Vec<Step>,
    /// The message as they leave it, or why it does not pass.
    pub end: Result<Message, Block>,
    earlier: Vec<(Arc<str>, String)>,
}

impl<'a> Rehearsing<'a> {
    /// These links, with nothing kept yet. One that has exchanges recorded is not asked:
    /// nothing is to be recorded. Nor is one that stands beside the chain.
    pub fn of(links: &'a [Link]) -> Self {
        let asked = links.iter().filter(|link| link.hides(&[]));
        let asked = asked.map(|link| (link, Rehearsal::of(link.guardrail())));
        Self(asked.collect())
    }

    /// Passes a message through them.
    pub async fn pass(&mut self, input: &Input) -> Passed {
        let mut passage = Passage::of(input.message.clone());
        let circumstances = input.circumstances();
        let (envelope, mut steps) = (&input.envelope, Vec::new());
        let mut outcome = Ok(());
        for (link, rehearsal) in &mut self.0 {
            let (server, method) = (&envelope.server, &envelope.method);
            if !link.applies(server, method, envelope.kind, envelope.direction) {
                continue;
            }
            let view = match passage.view(&circumstances) {
                Ok(view) => view,
                Err(why) => {
                    outcome = link.failing(&why);
                    break;
                }
            };
            let judged = rehearsal.judge(envelope, view.clone()).await;
            outcome = match &judged.outcome {
                Ok(verdict) => link.rehearsed(&view, verdict, &mut passage),
                Err(fault) => link.failing(fault),
            };
            steps.push(Step {
                guardrail: Arc::clone(link.guardrail().name()),
                is_enforced: link.spec().mode == Mode::Enforce,
                outcome: judged.outcome,
                took: judged.took,
            });
            if outcome.is_err() {
                break;
            }
        }
        Passed {
            steps,
            end: outcome.map(|()| passage.message),
            earlier: passage.earlier,
        }
    }
}

impl Passed {
    /// What the next guardrail would be shown, if the message gets there and can be read.
    pub fn view(&self, input: &Input) -> Option<MessageView> {
        let mut passage = Passage::of(self.end.as_ref().ok()?.clone());
        passage.earlier.clone_from(&self.earlier);
        passage.view(&input.circumstances()).ok()
    }
}

impl Input {
    fn circumstances(&self) -> Circumstances {
        Circumstances {
            request: self.request.clone(),
            elapsed: self.elapsed,
            ..Circumstances::default()
        }
    }
}

impl Link {
    fn rehearsed(
        &self,
        view: &MessageView,
        verdict: &Verdict,
        passage: &mut Passage,
    ) -> Result<(), Block> {
        match self.apply(view, verdict, &[]) {
            Ok(changed) => passage.change(changed),
            Err(Applied::Blocked(block)) => return Err(block),
            Err(Applied::Fault(fault)) => self.failing(&fault)?,
        }
        let name = self.guardrail.name();
        let rules = verdict.findings.iter().map(|finding| finding.rule.clone());
        let rules = rules.map(|rule| (Arc::clone(name), rule));
        passage.earlier.extend(rules);
        Ok(())
    }

    /// What becomes of the message, without a word in the log.
    fn failing(&self, why: &dyn std::fmt::Display) -> Result<(), Block> {
        match (self.spec.mode, self.spec.on_error) {
            (Mode::Enforce, OnError::Block) => Err(Block {
                guardrail: Arc::clone(self.guardrail.name()),
                rule: None,
                reason: format!("the guardrail failed: {why}"),
                cause: Cause::Failure,
            }),
            _ => Ok(()),
        }
    }
}
