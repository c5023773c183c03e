//! One loaded guardrail: from a file's bytes to verdicts.
//!
//! Loading checks everything that can be checked before a message depends on
//! it: what the component imports, which contract it speaks, its configuration,
//! and the examples it ships. The rest is [`Guardrail::check`], which answers
//! with a [`Verdict`] that keeps to the contract or with a [`Fault`] that says
//! why there is none; it never does neither.

mod anatomy;
mod difference;
mod envelope;
mod examples;
mod instances;
mod latency;
mod manifest;
mod promise;
mod rehearsal;
mod snapshot;
mod trial;
mod verdict;

pub use anatomy::{Anatomy, Import, ImportClass, Producer, digest};
pub use difference::{Change, Difference, differences};
pub use envelope::{Direction, Envelope, Kind};
pub use examples::ExampleFailed;
pub use latency::Latency;
pub use manifest::{Example, Interest, Manifest};
pub use promise::broken_promises;
pub use rehearsal::{Rehearsal, Rehearsed};
pub use snapshot::Start;
pub use trial::Trial;
pub use verdict::{Decision, Finding, InvalidVerdict, Verdict};

use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::Component;
use wasmtime::{PoolConcurrencyLimitError, Trap};

use crate::capability::contract::v0_1::GuardrailComponentPre;
use crate::capability::contract::v0_1::mcp_gateway::guardrail::types;
use crate::capability::http::Network;
use crate::capability::message::MessageView;
use crate::capability::own::{Own, Unavailable};
use crate::config::{Destinations, Grants, Isolation, Limits};
use crate::journal::Journal;
use crate::sandbox::{LimitExceeded, Sandbox, aside};
use instances::{Instance, Instances};
use latency::Histogram;

/// The largest component that is loaded: those of interpreted languages bring
/// their interpreter along and come to 20–35 MB.
const MAX_COMPONENT: usize = 64 << 20;

/// Bytes of text from which a message is judged on another thread than the one
/// that relays messages, so that long work on one does not hold up the others.
/// Below, the hand-over would cost more than the work.
const LARGE: usize = 32 << 10;

/// A guardrail, configured and ready to judge messages.
pub struct Guardrail {
    name: Arc<str>,
    anatomy: Anatomy,
    /// Whose keys it has.
    keyed: Arc<str>,
    /// What it uses of all that can be granted.
    uses: Grants,
    manifest: Manifest,
    start: Start,
    /// Bytes of what its instances are made of.
    size: usize,
    configured_in: Option<Duration>,
    limits: Limits,
    instances: Instances,
    latencies: Histogram,
    /// What it reaches, if it sends anything.
    network: Option<Arc<Network>>,
    sandbox: Arc<Sandbox>,
}

/// What a guardrail is made of.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// The name that its keys are derived by: its own, or that of the guardrail that it
    /// stands beside, so that both have the same stand-ins.
    pub keyed: Arc<str>,
    /// The component's bytes.
    pub bytes: Arc<[u8]>,
    /// Its configuration, a JSON text.
    pub config: String,
    /// What it may use.
    pub limits: Limits,
    /// Whose messages an instance may see.
    pub isolation: Isolation,
    /// What it may use besides what every guardrail may.
    pub grants: Grants,
    /// Where it may send HTTP requests.
    pub destinations: Destinations,
}

/// Why a component does not become a guardrail.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It is too large.
    #[error("it is {0} bytes long; the limit is {MAX_COMPONENT}")]
    TooLarge(usize),
    /// It is not what a guardrail is.
    #[error(transparent)]
    Anatomy(#[from] anatomy::AnatomyError),
    /// It cannot be compiled or linked.
    #[error("it cannot be compiled: {0:#}")]
    Compile(wasmtime::Error),
    /// It refuses its configuration.
    #[error("it refuses its configuration: {0}")]
    Configuration(String),
    /// It fails while it is configured.
    #[error("it fails while it is configured: {0}")]
    ConfigureFault(Fault),
    /// It wants messages of a kind that there is none of, so it would silently
    /// see nothing.
    #[error(
        "it wants messages of kind {0:?}, which does not exist; the kinds are {known}",
        known = Kind::ALL.map(Kind::as_str).join(", ")
    )]
    UnknownKind(String),
    /// There is no way to send its requests.
    #[error("it sends requests, and the gateway cannot: {0}")]
    Network(String),
    /// The gateway itself failed over it.
    #[error("it cannot be loaded: {0}")]
    Panicked(String),
    /// It does not do what it says about itself.
    #[error("its example {index} fails: {failure}")]
    Example {
        /// Counted from 1, as in the manifest.
        index: usize,
        /// What is wrong.
        failure: ExampleFailed,
    },
}

/// Why there is no verdict. Each message says what happened to the guardrail,
/// so that it can follow its name; none holds message content.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// It ran into one of its limits.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// It handed over more than it may.
    #[error("its verdict is larger than its limit of {0} bytes")]
    Output(usize),
    /// It trapped: a panic, an illegal access, an abort.
    #[error("it crashed ({0})")]
    Trap(String),
    /// It says itself that it could not do its work.
    #[error("it reports: {0}")]
    Guest(String),
    /// It could not do its work without the network, which it has for real messages
    /// only.
    #[error("it needs the network, which there is for real messages only: {0}")]
    Offline(String),
    /// Its verdict breaks the contract.
    #[error("its verdict is invalid: {0}")]
    Verdict(#[from] InvalidVerdict),
    /// All instances that the gateway can hold are at work.
    #[error("too many checks are running at a time")]
    Busy,
    /// What it keeps for all sessions cannot be read or written.
    #[error("{0}")]
    Kept(String),
}

impl Guardrail {
    /// Makes a guardrail of a component, or says why that is refused. Takes
    /// seconds for a component that was not compiled before.
    pub async fn load(sandbox: Arc<Sandbox>, recipe: Recipe) -> Result<Self, LoadError> {
        let guardrail = Self::unproven(sandbox, recipe).await?;
        guardrail.run_examples().await?;
        Ok(guardrail)
    }

    /// The same without its examples: for who runs them, and not for messages.
    pub async fn unproven(sandbox: Arc<Sandbox>, recipe: Recipe) -> Result<Self, LoadError> {
        if recipe.bytes.len() > MAX_COMPONENT {
            return Err(LoadError::TooLarge(recipe.bytes.len()));
        }
        let anatomy = Anatomy::of(&recipe.bytes)?;
        anatomy.require_grants(recipe.grants)?;

        let configured = snapshot::configure(&sandbox, &recipe).await?;
        if let Some(kind) = configured.manifest.unknown_kind() {
            return Err(LoadError::UnknownKind(printable(kind)));
        }
        let network = match anatomy.uses().http {
            true => Some(Arc::new(network(&recipe.destinations)?)),
            false => None,
        };
        let size = configured.component.len();
        let pre = compile(&sandbox, configured.component, recipe.grants).await?;
        Ok(Self {
            instances: Instances::new(
                pre,
                Arc::clone(&recipe.name),
                recipe.limits.clone(),
                recipe.isolation,
                configured.start.config_at_start(&recipe.config),
            ),
            name: recipe.name,
            keyed: recipe.keyed,
            uses: anatomy.uses(),
            anatomy,
            manifest: configured.manifest,
            start: configured.start,
            size,
            configured_in: configured.took,
            limits: recipe.limits,
            latencies: Histogram::new(),
            network,
            sandbox,
        })
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What it says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What it uses of all that can be granted.
    pub fn uses(&self) -> Grants {
        self.uses
    }

    /// Where it has exchanges recorded, if it does.
    pub fn journal(&self) -> Option<&Arc<Journal>> {
        self.sandbox.journal().filter(|_| self.uses.journal)
    }

    /// What its component is.
    pub fn anatomy(&self) -> &Anatomy {
        &self.anatomy
    }

    /// How its instances come into being.
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// Bytes of what its instances are made of: the snapshot, or the component itself.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The time that `configure` took; absent if an earlier start of the gateway did it.
    pub fn configured_in(&self) -> Option<Duration> {
        self.configured_in
    }

    /// What its checks of messages took since this build was loaded; nothing if there was none.
    pub fn latency(&self) -> Option<Latency> {
        self.latencies.latency()
    }

    /// Judges one message.
    ///
    /// The instance that does it has seen no other session's messages, nor
    /// does it see any afterwards.
    pub async fn check(
        self: &Arc<Self>,
        envelope: &Envelope,
        view: MessageView,
    ) -> Result<Verdict, Fault> {
        let check = self.check_here_or_aside(envelope, view);
        self.latencies.during(check).await
    }

    /// Judges a message on the thread that its size asks for.
    async fn check_here_or_aside(
        self: &Arc<Self>,
        envelope: &Envelope,
        view: MessageView,
    ) -> Result<Verdict, Fault> {
        let own = self.own(&envelope.session);
        if view.texts.joined().len() < LARGE {
            return self.judge(envelope, view, own).await;
        }
        // Outside the guest's deadline: it is not to blame for the queue.
        let turn = match self.network {
            None => self.sandbox.turn_aside().await,
            // It waits more than it executes, and others must not wait for that.
            Some(_) => None,
        };
        let (guardrail, envelope) = (Arc::clone(self), envelope.clone());
        aside(async move {
            // Even if nobody waits any more, until the thread is free again.
            let _turn = turn;
            guardrail.judge(&envelope, view, own).await
        })
        .await
        .unwrap_or_else(|panic| Err(Fault::Trap(panic.to_string())))
    }

    /// Judges a message on this thread, whatever its size: nobody waits for the verdict.
    pub async fn check_beside(
        &self,
        envelope: &Envelope,
        view: MessageView,
    ) -> Result<Verdict, Fault> {
        let own = self.own(&envelope.session).map(Own::beside);
        self.latencies.during(self.judge(envelope, view, own)).await
    }

    /// Judges a message that nobody sent. What the guardrail keeps is thrown away, and
    /// its keys are worth nothing.
    pub async fn rehearse(&self, envelope: &Envelope, view: MessageView) -> Result<Verdict, Fault> {
        self.judge(envelope, view, Some(Own::rehearsal())).await
    }

    /// What it has of its own, if it can use any of that.
    fn own(&self, session: &Arc<str>) -> Option<Own> {
        if self.uses == Grants::default() {
            return None;
        }
        Some(Own::new(
            Arc::clone(&self.name),
            Arc::clone(&self.keyed),
            Arc::clone(session),
            self.sandbox.states().clone(),
            self.sandbox.secret().filter(|_| self.uses.keys),
            self.network.clone(),
        ))
    }

    /// Judges one message on this thread.
    async fn judge(
        &self,
        envelope: &Envelope,
        view: MessageView,
        own: Option<Own>,
    ) -> Result<Verdict, Fault> {
        let wall = self.limits.wall;
        tokio::time::timeout(wall, self.call(envelope, view, own))
            .await
            .map_err(|_| LimitExceeded::Wall(wall.as_millis()))?
    }

    /// Forgets the instances that served a session.
    pub fn forget(&self, session: &str) {
        self.instances.forget(session);
    }

    async fn call(
        &self,
        envelope: &Envelope,
        view: MessageView,
        own: Option<Own>,
    ) -> Result<Verdict, Fault> {
        let session = &*envelope.session;
        let mut instance = self.instances.take(&self.sandbox, session).await?;
        let verdict = self.ask(&mut instance, envelope, view, own).await?;
        // Only after a verdict that holds: one that failed is not asked again.
        self.instances.give_back(session, instance);
        Ok(verdict)
    }

    /// Asks one instance. After a fault it must be dropped.
    async fn ask(
        &self,
        instance: &mut Instance,
        envelope: &Envelope,
        view: MessageView,
        own: Option<Own>,
    ) -> Result<Verdict, Fault> {
        let texts = Arc::clone(&view.texts);
        let raw = instance
            .check(&self.sandbox, envelope, view, own)
            .await
            .map_err(|error| Fault::from_call(&error, &self.limits))?
            .map_err(|reason| match instance.missed_the_network() {
                true => Fault::Offline(printable(&reason)),
                false => Fault::Guest(printable(&reason)),
            })?;
        Ok(Verdict::accept(raw, &texts, self.limits.output)?)
    }
}

impl Fault {
    /// Classifies what wasmtime reports.
    fn from_call(error: &wasmtime::Error, limits: &Limits) -> Self {
        if let Some(limit) = error.downcast_ref::<LimitExceeded>() {
            return Self::Limit(*limit);
        }
        if error.is::<PoolConcurrencyLimitError>() {
            return Self::Busy;
        }
        if let Some(missing @ Unavailable::Kept(_)) = error.downcast_ref() {
            return Self::Kept(missing.to_string());
        }
        let root = error.root_cause().to_string();
        if root.contains("too much data is being copied") {
            return Self::Output(limits.output);
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::UnreachableCodeReached) => {
                Self::Trap("a panic or an abort; with --log debug the log has its words".into())
            }
            Some(trap) => Self::Trap(trap.to_string()),
            None => Self::Trap(printable(&root)),
        }
    }
}

fn network(destinations: &Destinations) -> Result<Network, LoadError> {
    Network::new(destinations).map_err(|error| LoadError::Network(error.to_string()))
}

/// Compiles what `configure` left, off the threads that carry messages.
async fn compile(
    sandbox: &Arc<Sandbox>,
    component: Arc<[u8]>,
    grants: Grants,
) -> Result<GuardrailComponentPre<crate::sandbox::Confined>, LoadError> {
    let sandbox = Arc::clone(sandbox);
    let compiled = tokio::task::spawn_blocking(move || {
        let component = Component::from_binary(sandbox.engine(), &component)?;
        GuardrailComponentPre::new(sandbox.linker(grants)?.instantiate_pre(&component)?)
    });
    match compiled.await {
        Ok(compiled) => compiled.map_err(LoadError::Compile),
        Err(panic) => Err(LoadError::Compile(wasmtime::format_err!("{panic}"))),
    }
}

/// Words of a guest, cut to a length and a shape that a log line and a refusal
/// can take.
pub(crate) fn printable(text: &str) -> String {
    const LONGEST: usize = 1_000;
    let mut cut: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST)
        .collect();
    if cut.len() < text.len() && text.chars().nth(LONGEST).is_some() {
        cut.push('…');
    }
    cut
}

/// The CPU budget for an instance's own start: unpacking its memory, running
/// what its language runs first.
const START_BUDGET: Duration = Duration::from_secs(5);
