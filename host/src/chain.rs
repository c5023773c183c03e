//! The guardrails in their order, and what a message becomes on its way
//! through them.
//!
//! A chain never changes: a reload makes a new one, and a call that began
//! under the old one ends under it.

mod masking;
mod recent;
mod rehearsal;
mod report;
mod shadow;

pub use recent::{Input, Memory, Recent, Seen};
pub use rehearsal::{Passed, Rehearsing, Step};

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Instant;

use crate::capability::journal::Trail;
use crate::capability::message::MessageView;
use crate::config::{Guardrail as Spec, GuardrailName, Mode, OnError};
use crate::guardrail::{Decision, Direction, Envelope, Fault, Guardrail, Kind, Verdict};
use crate::journal::Unrecorded;
use crate::message::{Message, Texts};
use shadow::Shadow;

/// Failures in a row after which a guardrail is reported as unhealthy.
const UNHEALTHY: u32 = 3;

/// The guardrails that a message passes, in order.
#[derive(Default)]
pub struct Chain {
    links: Vec<Link>,
    /// What messages are kept in, if any are.
    memory: Memory,
}

/// A guardrail in its place in the chain.
pub struct Link {
    guardrail: Arc<Guardrail>,
    spec: Spec,
    failures: AtomicU32,
    /// If it is asked beside the chain.
    shadow: Option<Arc<Shadow>>,
    /// Whether another one is asked beside it.
    is_shadowed: bool,
}

/// What else is known when a message is judged.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// The request that the message belongs to, as it was sent on.
    pub request: Option<Message>,
    /// Microseconds since then, for a message that ends the exchange.
    pub elapsed: u64,
    /// What is known of the exchange for the journal, if that is recorded.
    pub trail: Option<Arc<Trail>>,
    /// The guardrails whose questions about this very message a person has approved.
    pub approved: Vec<Arc<str>>,
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

/// Whether a guardrail decided to block, left it to a person, or could not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It decided to.
    Decision,
    /// A person has to approve, and has not; the reason is the question.
    Question,
    /// It failed, and is configured to block then.
    Failure,
}

impl Link {
    /// Puts a guardrail in the place that the configuration has for it.
    pub fn new(guardrail: Arc<Guardrail>, spec: Spec) -> Self {
        let shadow = (spec.mode == Mode::Shadow)
            .then(|| Arc::new(Shadow::new(&guardrail, spec.limits.output)));
        Self {
            guardrail,
            spec,
            failures: AtomicU32::new(0),
            shadow,
            is_shadowed: false,
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

    /// Whether it has exchanges recorded.
    pub fn journals(&self) -> bool {
        self.guardrail.uses().journal && self.shadow.is_none()
    }

    /// What becomes of an answer that was not recorded, as the person configured it.
    pub fn unrecorded(&self, why: &Unrecorded) -> Result<(), Block> {
        let block = Block {
            guardrail: Arc::clone(self.guardrail.name()),
            rule: None,
            reason: format!("what it answers could not be recorded: {why}"),
            cause: Cause::Failure,
        };
        match (self.spec.mode, self.spec.on_error) {
            (Mode::Enforce, OnError::Block) => Err(block),
            _ => {
                tracing::error!("an exchange was not recorded: {why}");
                Ok(())
            }
        }
    }

    fn applies(&self, server: &str, method: &str, kind: Kind, direction: Direction) -> bool {
        self.spec.only.includes(server, method)
            && self.guardrail.manifest().wants(method, kind, direction)
    }
}

impl Chain {
    /// A chain of these guardrails. One that has exchanges recorded is asked last.
    pub fn new(mut links: Vec<Link>) -> Self {
        links.sort_by_key(Link::journals);
        let besides = links.iter().filter_map(|link| link.spec.beside.clone());
        let besides: Vec<GuardrailName> = besides.collect();
        for link in &mut links {
            link.is_shadowed = besides.contains(&link.spec.name);
        }
        Self {
            links,
            memory: None,
        }
    }

    /// The same, with the messages that come to it kept.
    #[must_use]
    pub fn remembering(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    /// What the messages that come to it are kept in.
    pub fn memory(&self) -> &Memory {
        &self.memory
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
        message: Message,
        circumstances: &Circumstances,
    ) -> Result<Message, Block> {
        let came = self.memory.as_ref().map(|recent| (recent, message.clone()));
        let trail = circumstances.trail.as_deref();
        let begun = trail.map(|_| Instant::now());
        let mut passage = Passage::of(message);
        let mut outcome = Ok(());
        for link in self.of(envelope) {
            if link.journals() {
                let Some(trail) = trail else { continue };
                trail.noted().is_wanted = true;
            } else if let Some(shadow) = &link.shadow {
                link.cast(
                    shadow,
                    envelope,
                    &mut passage,
                    circumstances,
                    outcome.is_ok(),
                );
                continue;
            } else if outcome.is_err() {
                continue;
            }
            let judged = link.judge(envelope, &mut passage, circumstances).await;
            // Who refused it first.
            outcome = outcome.and(judged);
        }
        if let (Some(trail), Some(begun)) = (trail, begun) {
            trail.judged(envelope.kind == Kind::Request, begun.elapsed());
        }
        if let Some((recent, came)) = came {
            let left = outcome.is_ok().then_some(&passage.message);
            recent.keep(envelope, came, circumstances, left);
        }
        outcome.map(|()| passage.message)
    }

    /// The guardrail that has exchanges recorded, if there is one.
    pub fn journaling(&self) -> Option<&Link> {
        self.links.last().filter(|link| link.journals())
    }

    /// Has the guardrail that journals say what is kept of a request that nobody is asked
    /// to answer.
    pub async fn journal(&self, envelope: &Envelope, request: &Message, trail: &Arc<Trail>) {
        let circumstances = Circumstances {
            trail: Some(Arc::clone(trail)),
            ..Circumstances::default()
        };
        for link in self.of(envelope).filter(|link| link.journals()) {
            trail.noted().is_wanted = true;
            let mut passage = Passage::of(request.clone());
            // It goes nowhere, whatever the guardrail thinks of it.
            let _ = link.judge(envelope, &mut passage, &circumstances).await;
        }
    }

    /// The guardrails that look at such a message.
    fn of(&self, envelope: &Envelope) -> impl Iterator<Item = &Link> {
        let Envelope {
            server,
            method,
            kind,
            direction,
            ..
        } = envelope;
        let links = self.links.iter();
        links.filter(|link| link.applies(server, method, *kind, *direction))
    }

    /// Drops what the guardrails hold for a session that has ended.
    pub fn forget(&self, session: &str) {
        for link in &self.links {
            match &link.shadow {
                Some(shadow) => shadow.forget(session),
                None => link.guardrail.forget(session),
            }
        }
    }
}

/// A message on its way through the chain.
struct Passage {
    message: Message,
    /// Its texts, if anybody has asked for them since it was changed.
    texts: Option<Arc<Texts>>,
    earlier: Vec<(Arc<str>, String)>,
    /// What guardrails that others are asked beside were shown, and what they decided.
    shadowed: Vec<(GuardrailName, MessageView, Verdict)>,
}

impl Passage {
    fn of(message: Message) -> Self {
        Self {
            message,
            texts: None,
            earlier: Vec::new(),
            shadowed: Vec::new(),
        }
    }

    /// What the next guardrail is shown.
    fn view(&mut self, circumstances: &Circumstances) -> Result<MessageView, String> {
        let texts = match &self.texts {
            Some(texts) => Arc::clone(texts),
            None => Arc::clone(self.texts.insert(Arc::new(readable(&self.message)?))),
        };
        Ok(MessageView {
            message: self.message.clone(),
            texts,
            request: circumstances.request.clone(),
            earlier: self.earlier.clone(),
            elapsed: circumstances.elapsed,
            trail: circumstances.trail.clone(),
        })
    }

    fn change(&mut self, changed: Option<Message>) {
        if let Some(changed) = changed {
            self.message = changed;
            self.texts = None;
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
    /// Has the guardrail judge a message, and does what it says.
    async fn judge(
        &self,
        envelope: &Envelope,
        passage: &mut Passage,
        circumstances: &Circumstances,
    ) -> Result<(), Block> {
        let trail = circumstances.trail.as_deref();
        let view = match passage.view(circumstances) {
            Ok(view) => view,
            Err(why) => return self.faulted(envelope, &why, trail),
        };
        let verdict = match self.guardrail.check(envelope, view.clone()).await {
            Ok(verdict) => verdict,
            Err(fault) => return self.faulted(envelope, &fault, trail),
        };
        self.failures.store(0, Relaxed);
        if self.is_shadowed {
            let decided = (self.spec.name.clone(), view.clone(), verdict.clone());
            passage.shadowed.push(decided);
        }
        self.report(envelope, &view, &verdict, &circumstances.approved);
        match self.apply(&view, &verdict, &circumstances.approved) {
            Ok(changed) => passage.change(changed),
            Err(Applied::Blocked(block)) => return Err(block),
            Err(Applied::Fault(fault)) => self.faulted(envelope, &fault, trail)?,
        }
        let name = self.guardrail.name();
        let rules = verdict.findings.into_iter().map(|finding| finding.rule);
        passage
            .earlier
            .extend(rules.map(|rule| (Arc::clone(name), rule)));
        Ok(())
    }

    /// Does what the verdict says; in warn mode nothing. `None` stands for an
    /// unchanged message.
    fn apply(
        &self,
        view: &MessageView,
        verdict: &Verdict,
        approved: &[Arc<str>],
    ) -> Result<Option<Message>, Applied> {
        let outcome = match &verdict.decision {
            Decision::Block(reason) => {
                let block = self.block(verdict, reason, Cause::Decision);
                Err(Applied::Blocked(block))
            }
            Decision::Ask(question) if !approved.contains(self.guardrail.name()) => {
                let block = self.block(verdict, question, Cause::Question);
                Err(Applied::Blocked(block))
            }
            Decision::Pass => return Ok(None),
            Decision::Redact | Decision::Patch(_) | Decision::Ask(_) => {
                self.changed(view, verdict).map_err(Applied::Fault)
            }
        };
        match self.spec.mode {
            Mode::Enforce => outcome,
            Mode::Warn | Mode::Shadow | Mode::Off => {
                if let Some(trail) = &view.trail
                    && view.message.method().is_none()
                {
                    trail.noted().is_bare = true;
                }
                Ok(None)
            }
        }
    }

    /// The message as a verdict changes it, if it does; a refused one as its findings would.
    fn changed(&self, view: &MessageView, verdict: &Verdict) -> Result<Option<Message>, Fault> {
        let growth = self.spec.limits.output;
        let is_refused = matches!(verdict.decision, Decision::Block(_) | Decision::Ask(_));
        let edits = verdict.edits();
        let changed = match is_refused && !edits.is_empty() {
            true => view
                .texts
                .redact(&edits, growth)
                .map(Some)
                .map_err(Into::into),
            false => verdict.changed(&view.texts, growth),
        };
        changed.map_err(Fault::from)
    }

    fn block(&self, verdict: &Verdict, reason: &str, cause: Cause) -> Block {
        Block {
            guardrail: Arc::clone(self.guardrail.name()),
            rule: verdict.findings.first().map(|finding| finding.rule.clone()),
            reason: crate::guardrail::printable(reason),
            cause,
        }
    }

    /// What the person configured for a guardrail that cannot do its work.
    fn faulted(
        &self,
        envelope: &Envelope,
        fault: &dyn std::fmt::Display,
        trail: Option<&Trail>,
    ) -> Result<(), Block> {
        let block = self.failed(envelope, fault);
        self.note_fault(envelope, trail);
        match (self.spec.mode, self.spec.on_error) {
            (Mode::Enforce, OnError::Block) => Err(block),
            _ => {
                tracing::error!(
                    guardrail = &**self.guardrail.name(),
                    server = &*envelope.server,
                    method = &*envelope.method,
                    "the message passes without this guardrail, as its mode and on_error say"
                );
                if let Some(trail) = trail {
                    trail.noted().is_bare |= envelope.kind != Kind::Request && !self.journals();
                }
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
