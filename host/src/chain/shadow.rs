//! Guardrails that are asked beside the chain: while the message goes on, on a thread of
//! their own, and without any effect on it. What they would have done otherwise is logged,
//! and recorded where exchanges are.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use super::{Circumstances, Link, Passage};
use crate::capability::message::MessageView;
use crate::guardrail::{Decision, Difference, Envelope, Fault, Guardrail, Verdict, differences};
use crate::journal::{self, Journal, Record};

/// Messages that may wait for a shadow. What comes beyond is not shown to it: it must not
/// hold up anybody, nor take memory without bounds.
const WAITING: usize = 256;

/// Bytes that these may take together.
const BYTES: usize = 16 << 20;

/// A guardrail beside the chain.
pub(super) struct Shadow {
    guardrail: Arc<Guardrail>,
    /// What its verdicts may add to a message, in bytes.
    growth: usize,
    queue: Mutex<Queue>,
    missed: AtomicU64,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    bytes: usize,
    /// Whether a thread works on them.
    is_worked_on: bool,
}

enum Job {
    Ask(Box<Asked>),
    /// A session has ended.
    Forget(Arc<str>),
}

/// A message, and what it is held against.
struct Asked {
    envelope: Envelope,
    view: MessageView,
    /// What the guardrail decided that it stands beside; that it passes if it stands alone.
    decided: Verdict,
    journal: Option<Arc<Journal>>,
}

impl Asked {
    fn size(&self) -> usize {
        self.view.message.line().len() + self.view.texts.joined().len()
    }
}

impl Shadow {
    pub(super) fn new(guardrail: &Arc<Guardrail>, growth: usize) -> Self {
        Self {
            guardrail: Arc::clone(guardrail),
            growth,
            queue: Mutex::default(),
            missed: AtomicU64::new(0),
        }
    }

    /// Has it judge a message when it comes to that.
    fn ask(self: &Arc<Self>, asked: Asked) {
        let size = asked.size();
        let mut queue = self.queue();
        if queue.jobs.len() >= WAITING || queue.bytes + size > BYTES {
            self.missed.fetch_add(1, Relaxed);
            return;
        }
        queue.bytes += size;
        queue.jobs.push_back(Job::Ask(Box::new(asked)));
        self.work(queue);
    }

    /// Drops what it has of a session that has ended, and what of it still waits.
    pub(super) fn forget(self: &Arc<Self>, session: &str) {
        let mut queue = self.queue();
        queue.jobs.retain(|job| match job {
            Job::Ask(asked) => &*asked.envelope.session != session,
            Job::Forget(_) => true,
        });
        let asks = queue.jobs.iter().map(|job| match job {
            Job::Ask(asked) => asked.size(),
            Job::Forget(_) => 0,
        });
        queue.bytes = asks.sum();
        queue.jobs.push_back(Job::Forget(session.into()));
        self.work(queue);
    }

    /// Sees to it that a thread works on what waits.
    fn work(self: &Arc<Self>, mut queue: MutexGuard<'_, Queue>) {
        // Without a runtime nobody relays any more.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if std::mem::replace(&mut queue.is_worked_on, true) {
            return;
        }
        drop(queue);
        let shadow = Arc::clone(self);
        let work = runtime.clone();
        runtime.spawn_blocking(move || {
            while let Some(job) = shadow.next() {
                match job {
                    Job::Ask(asked) => work.block_on(shadow.judge(&asked)),
                    Job::Forget(session) => shadow.guardrail.forget(&session),
                }
            }
        });
    }

    /// What is next; if nothing is, the thread that asks has ended.
    fn next(&self) -> Option<Job> {
        let mut queue = self.queue();
        let next = queue.jobs.pop_front();
        match &next {
            Some(Job::Ask(asked)) => queue.bytes = queue.bytes.saturating_sub(asked.size()),
            Some(Job::Forget(_)) => {}
            None => {
                queue.is_worked_on = false;
                drop(queue);
                self.tell_missed();
            }
        }
        next
    }

    fn tell_missed(&self) {
        let missed = self.missed.swap(0, Relaxed);
        if missed > 0 {
            tracing::warn!(
                guardrail = &**self.guardrail.name(),
                missed,
                "a shadow did not keep up, and was not shown all messages"
            );
        }
    }

    async fn judge(&self, asked: &Asked) {
        let (envelope, view) = (&asked.envelope, asked.view.clone());
        let texts = Arc::clone(&view.texts);
        let outcome = self.guardrail.check_beside(envelope, view).await;
        // What it stands beside has passed it on.
        let decided = Ok(asked.decided.clone());
        match differences(&texts, self.growth, &decided, &outcome) {
            Some(found) if !found.is_empty() => self.tell(asked, &outcome, &found),
            Some(_) => tracing::debug!(
                guardrail = &**self.guardrail.name(),
                method = &*envelope.method,
                kind = envelope.kind.as_str(),
                "shadow agrees"
            ),
            None => {}
        }
    }

    fn tell(&self, asked: &Asked, outcome: &Result<Verdict, Fault>, found: &[Difference]) {
        let decision = match outcome {
            Ok(verdict) => verdict.decision.name(),
            Err(_) => "fault",
        };
        let envelope = &asked.envelope;
        for Difference {
            change,
            rule,
            count,
        } in found
        {
            tracing::info!(
                guardrail = &**self.guardrail.name(),
                change = change.name(),
                decision,
                rule,
                count,
                server = &*envelope.server,
                method = &*envelope.method,
                kind = envelope.kind.as_str(),
                direction = envelope.direction.as_str(),
                exchange = envelope.exchange,
                "shadow differs"
            );
        }
        let Some(journal) = &asked.journal else {
            return;
        };
        if let Err(unrecorded) = journal.write(self.record(envelope, decision, found)) {
            tracing::error!("how a shadow differs was not recorded: {unrecorded}");
        }
    }

    /// A record of its own, since that of the exchange may have been written.
    fn record(&self, envelope: &Envelope, decision: &'static str, found: &[Difference]) -> Record {
        let changes = found.iter().map(|difference| {
            serde_json::json!({
                "change": difference.change.name(),
                "rule": difference.rule,
                "count": difference.count,
            })
        });
        let said = serde_json::json!({
            "method": envelope.method,
            "kind": envelope.kind.as_str(),
            "differences": changes.collect::<Vec<_>>(),
        });
        let findings = found.iter().map(|difference| journal::Finding {
            guardrail: Arc::clone(self.guardrail.name()),
            digest: self.guardrail.anatomy().digest.as_str().into(),
            rule: difference.rule.clone(),
            count: difference.count,
            place: String::new(),
            message: envelope.kind.as_str(),
            decision,
            is_enforced: false,
        });
        Record {
            session: Arc::clone(&envelope.session),
            exchange: envelope.exchange,
            server: Some(Arc::clone(&envelope.server)).filter(|server| !server.is_empty()),
            subject: Some(Arc::clone(self.guardrail.name())),
            direction: envelope.direction.as_str(),
            findings: findings.collect(),
            ..Record::alone(
                journal::Kind::Guardrail,
                "guardrail/shadow",
                said.to_string(),
            )
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    /// Has the guardrail judge the message beside the chain: what the one it stands beside
    /// was shown, or what is left of the message here.
    pub(super) fn cast(
        &self,
        shadow: &Arc<Shadow>,
        envelope: &Envelope,
        passage: &mut Passage,
        circumstances: &Circumstances,
        gets_here: bool,
    ) {
        let (view, decided) = match &self.spec.beside {
            Some(beside) => {
                let mut known = passage.shadowed.iter();
                let Some((_, view, decided)) = known.find(|(name, ..)| name == beside) else {
                    return;
                };
                (view.clone(), decided.clone())
            }
            None => match passage.view(circumstances) {
                Ok(view) if gets_here => (view, nothing()),
                // It would not have been asked.
                _ => return,
            },
        };
        let journal = circumstances.trail.as_ref();
        shadow.ask(Asked {
            envelope: envelope.clone(),
            // Nothing of what it says is recorded for the exchange.
            view: MessageView {
                trail: None,
                ..view
            },
            decided,
            journal: journal.map(|trail| Arc::clone(trail.journal())),
        });
    }
}

/// The verdict of whom a shadow that stands alone is held against.
fn nothing() -> Verdict {
    Verdict {
        decision: Decision::Pass,
        findings: Vec::new(),
    }
}
