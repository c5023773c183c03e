//! The guardrails in their order, and what a message becomes on its way
//! through them.
//!
//! A chain never changes: a reload makes a new one, and a call that began
//! under the old one ends under it.

mod report;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::capability::message::MessageView;
use crate::config::{Guardrail as Spec, Mode, OnError};
use crate::guardrail::{Decision, Direction, Envelope, Fault, Guardrail, Kind, Verdict};
use crate::message::{Message, Texts};

/// Failures in a row after which a guardrail is reported as unhealthy.
const UNHEALTHY: u32 = 3;

/// The guardrails that a message passes, in order.
#[derive(Default)]
pub struct Chain {
    links: Vec<Link>,
}

/// A guardrail in its place in the chain.
pub struct Link {
    guardrail: Arc<Guardrail>,
    spec: Spec,
    failures: AtomicU32,
}

/// What else is known when a message is judged.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// The request that the message belongs to, as it was sent on.
    pub request: Option<Message>,
    /// Microseconds since then, for a message that ends the exchange.
    pub elapsed: u64,
}

/// Why a message does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The guardrail's name.
    pub guardrail: Arc<str>,
    /// The rule that fired, if the guardrail named one.
    pub rule: Option<String>,
    /// Why, for a model and a person to read.
    pub reason: String,
    /// Whether the guardrail decided so, or failed to decide.
    pub cause: Cause,
}

/// Whether a guardrail decided to block, or could not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It decided to.
    Decision,
    /// It failed, and is configured to block then.
    Failure,
}

impl Link {
    /// Puts a guardrail in the place that the configuration has for it.
    pub fn new(guardrail: Arc<Guardrail>, spec: Spec) -> Self {
        Self {
            guardrail,
            spec,
            failures: AtomicU32::new(0),
        }
    }

    /// As the configuration has it.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Whether it has not failed several times in a row of late.
    pub fn is_healthy(&self) -> bool {
        self.failures.load(Relaxed) < UNHEALTHY
    }

    /// The guardrail itself.
    pub fn guardrail(&self) -> &Arc<Guardrail> {
        &self.guardrail
    }

    fn applies(&self, server: &str, method: &str, kind: Kind, direction: Direction) -> bool {
        self.spec.only.includes(server, method)
            && self.guardrail.manifest().wants(method, kind, direction)
    }
}

impl Chain {
    /// A chain of these guardrails.
    pub fn new(links: Vec<Link>) -> Self {
        Self { links }
    }

    /// Its guardrails in order.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Whether it consists of the very guardrails of another, in the same
    /// places.
    pub fn is_made_of_the_same(&self, other: &Self) -> bool {
        self.links.len() == other.links.len()
            && self.links.iter().zip(&other.links).all(|(one, other)| {
                Arc::ptr_eq(&one.guardrail, &other.guardrail) && one.spec == other.spec
            })
    }

    /// Whether any guardrail looks at such a message. If none does, the message
    /// need not be looked into.
    pub fn concerns(&self, server: &str, method: &str, kind: Kind, direction: Direction) -> bool {
        self.links
            .iter()
            .any(|link| link.applies(server, method, kind, direction))
    }

    /// Passes a message through the guardrails. What comes back is the message
    /// as they leave it.
    pub async fn judge(
        &self,
        envelope: &Envelope,
        mut message: Message,
        circumstances: &Circumstances,
    ) -> Result<Message, Block> {
        let mut earlier: Vec<(Arc<str>, String)> = Vec::new();
        let mut texts = None;
        for link in &self.links {
            if !link.applies(
                &envelope.server,
                &envelope.method,
                envelope.kind,
                envelope.direction,
            ) {
                continue;
            }
            let current = match &texts {
                Some(texts) => Arc::clone(texts),
                None => match readable(&message) {
                    Ok(fresh) => Arc::clone(texts.insert(Arc::new(fresh))),
                    Err(why) => {
                        link.faulted(envelope, &why)?;
                        continue;
                    }
                },
            };
            let view = MessageView {
                message: message.clone(),
                texts: current,
                request: circumstances.request.clone(),
                earlier: earlier.clone(),
                elapsed: circumstances.elapsed,
            };
            let verdict = match link.guardrail.check(envelope, view.clone()).await {
                Ok(verdict) => verdict,
                Err(fault) => {
                    link.faulted(envelope, &fault)?;
                    continue;
                }
            };
            link.failures.store(0, Relaxed);
            link.report(envelope, &view, &verdict);
            match link.apply(&view, &verdict) {
                Ok(None) => {}
                Ok(Some(changed)) => {
                    message = changed;
                    texts = None;
                }
                Err(Applied::Blocked(block)) => return Err(block),
                Err(Applied::Fault(fault)) => link.faulted(envelope, &fault)?,
            }
            let name = link.guardrail.name();
            earlier.extend(
                verdict
                    .findings
                    .into_iter()
                    .map(|finding| (Arc::clone(name), finding.rule)),
            );
        }
        Ok(message)
    }

    /// Drops what the guardrails hold for a session that has ended.
    pub fn forget(&self, session: &str) {
        for link in &self.links {
            link.guardrail.forget(session);
        }
    }
}

/// The texts of a message, if they are all that it says.
fn readable(message: &Message) -> Result<Texts, String> {
    if message.has_other_members() {
        return Err(
            "the message has members beside those of JSON-RPC, where no guardrail looks".into(),
        );
    }
    message.texts().map_err(|error| error.to_string())
}

/// Why a verdict does not leave a message behind.
enum Applied {
    Blocked(Block),
    Fault(Fault),
}

impl Link {
    /// Does what the verdict says; in warn mode nothing. `None` stands for an
    /// unchanged message.
    fn apply(&self, view: &MessageView, verdict: &Verdict) -> Result<Option<Message>, Applied> {
        let invalid = |error: crate::guardrail::InvalidVerdict| Applied::Fault(error.into());
        let changed = match &verdict.decision {
            Decision::Pass => None,
            Decision::Redact => {
                let edits = verdict.edits();
                if edits.is_empty() {
                    None
                } else {
                    let redacted = view.texts.redact(&edits, self.spec.limits.output);
                    Some(redacted.map_err(|error| invalid(error.into()))?)
                }
            }
            Decision::Patch(ops) => {
                let patched = view.message.patch(ops);
                Some(patched.map_err(|error| invalid(error.into()))?)
            }
            Decision::Block(reason) => {
                return self.enforced(Err(Applied::Blocked(self.block(verdict, reason.clone()))));
            }
            Decision::Ask(question) => {
                let reason =
                    format!("a person must approve it, and nobody can be asked here: {question}");
                return self.enforced(Err(Applied::Blocked(self.block(verdict, reason))));
            }
        };
        self.enforced(Ok(changed))
    }

    fn enforced(
        &self,
        outcome: Result<Option<Message>, Applied>,
    ) -> Result<Option<Message>, Applied> {
        match self.spec.mode {
            Mode::Enforce => outcome,
            Mode::Warn | Mode::Off => Ok(None),
        }
    }

    fn block(&self, verdict: &Verdict, reason: String) -> Block {
        Block {
            guardrail: Arc::clone(self.guardrail.name()),
            rule: verdict.findings.first().map(|finding| finding.rule.clone()),
            reason: crate::guardrail::printable(&reason),
            cause: Cause::Decision,
        }
    }

    /// What the person configured for a guardrail that cannot do its work.
    fn faulted(&self, envelope: &Envelope, fault: &dyn std::fmt::Display) -> Result<(), Block> {
        let block = self.failed(envelope, fault);
        match (self.spec.mode, self.spec.on_error) {
            (Mode::Enforce, OnError::Block) => Err(block),
            _ => {
                tracing::error!(
                    guardrail = &**self.guardrail.name(),
                    server = &*envelope.server,
                    method = &*envelope.method,
                    "the message passes without this guardrail, as its mode and on_error say"
                );
                Ok(())
            }
        }
    }

    fn failed(&self, envelope: &Envelope, error: &dyn std::fmt::Display) -> Block {
        let name = self.guardrail.name();
        tracing::error!(
            guardrail = &**name,
            server = &*envelope.server,
            method = &*envelope.method,
            kind = envelope.kind.as_str(),
            "guardrail failed: {error}"
        );
        if self.failures.fetch_add(1, Relaxed) + 1 == UNHEALTHY {
            tracing::error!(
                guardrail = &**name,
                "guardrail is unhealthy: it failed {UNHEALTHY} times in a row"
            );
        }
        Block {
            guardrail: Arc::clone(name),
            rule: None,
            reason: format!("the guardrail failed: {error}"),
            cause: Cause::Failure,
        }
    }
}
