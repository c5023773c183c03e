//! The instances of one guardrail.
//!
//! **No instance ever serves two sessions**: what a guardrail remembers of one
//! person's messages cannot appear in another's. Within a session instances are
//! kept warm, each used by one message at a time, and dropped after any fault,
//! after many uses, and when they have grown.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::Store;

use super::{Envelope, Fault, START_BUDGET, printable, types};
use crate::capability::contract::v0_1::{GuardrailComponent, GuardrailComponentPre};
use crate::capability::message::MessageView;
use crate::capability::own::Own;
use crate::config::{Isolation, Limits};
use crate::sandbox::{Confined, Sandbox, measured};

/// Idle instances that a session keeps.
const WARM: usize = 4;

/// Messages after which an instance is replaced, so that what it leaks stays
/// bounded.
const USES: u32 = 10_000;

/// Bytes that an instance may grow beyond its start and still be kept: a large
/// message must not cost its memory for ever.
const GROWTH: u64 = 8 << 20;

/// Between two looks whether an instance has come free.
const BUSY: Duration = Duration::from_millis(5);

/// All instances of one guardrail.
pub(super) struct Instances {
    pre: GuardrailComponentPre<Confined>,
    name: Arc<str>,
    limits: Limits,
    isolation: Isolation,
    config_at_start: Option<String>,
    warm: Mutex<HashMap<String, Vec<Instance>>>,
}

/// One instance, in a store of its own.
pub(super) struct Instance {
    store: Store<Confined>,
    guardrail: GuardrailComponent,
    limits: Limits,
    memory_at_start: u64,
    uses: u32,
}

impl Instances {
    pub(super) fn new(
        pre: GuardrailComponentPre<Confined>,
        name: Arc<str>,
        limits: Limits,
        isolation: Isolation,
        config_at_start: Option<String>,
    ) -> Self {
        Self {
            pre,
            name,
            limits,
            isolation,
            config_at_start,
            warm: Mutex::default(),
        }
    }

    /// A warm instance of the session, or a new one. While there are as many
    /// as there can be, waits for one to be given back, for half of the time
    /// that the whole check may take.
    pub(super) async fn take(&self, sandbox: &Sandbox, session: &str) -> Result<Instance, Fault> {
        let patience = Instant::now() + self.limits.wall / 2;
        loop {
            let warm = self.warm().get_mut(session).and_then(Vec::pop);
            let taken = match warm {
                Some(instance) => Ok(instance),
                None => self.instantiate(sandbox).await,
            };
            match taken {
                Err(Fault::Busy) if Instant::now() < patience => {
                    tokio::time::sleep(BUSY).await;
                }
                taken => return taken,
            }
        }
    }

    /// Takes an instance back that did its work without a fault.
    pub(super) fn give_back(&self, session: &str, instance: Instance) {
        let grown = instance.store.data().memory() - instance.memory_at_start;
        if self.isolation == Isolation::Message || instance.uses >= USES || grown > GROWTH {
            return;
        }
        let mut warm = self.warm();
        let kept = match warm.get_mut(session) {
            Some(kept) => kept,
            None => warm.entry(session.to_owned()).or_default(),
        };
        if kept.len() < WARM {
            kept.push(instance);
        }
    }

    /// How long an instance lives.
    pub(super) fn isolation(&self) -> Isolation {
        self.isolation
    }

    /// Drops what a session kept warm.
    pub(super) fn forget(&self, session: &str) {
        self.warm().remove(session);
    }

    pub(super) async fn instantiate(&self, sandbox: &Sandbox) -> Result<Instance, Fault> {
        let fault = |error: wasmtime::Error| Fault::from_call(&error, &self.limits);
        let mut store = sandbox.store(&self.name, &self.limits);
        let running = sandbox.arm(&mut store, START_BUDGET);
        let guardrail = self
            .pre
            .instantiate_async(&mut store)
            .await
            .map_err(fault)?;
        drop(running);
        if let Some(config) = &self.config_at_start {
            let _running = sandbox.arm(&mut store, self.limits.configure);
            guardrail
                .mcp_gateway_guardrail_guardrail()
                .call_configure(&mut store, config)
                .await
                .map_err(fault)?
                .map_err(|refusal| Fault::Guest(printable(&refusal)))?;
        }
        let memory_at_start = store.data().memory();
        Ok(Instance {
            store,
            guardrail,
            limits: self.limits.clone(),
            memory_at_start,
            uses: 0,
        })
    }

    fn warm(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<Instance>>> {
        self.warm.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Instance {
    /// The bytes of memory that it has grown to.
    pub(super) fn memory(&self) -> u64 {
        self.store.data().memory()
    }

    /// Whether it would have sent something over the network, had anybody sent the
    /// message.
    pub(super) fn missed_the_network(&self) -> bool {
        self.store.data().http.missed_the_network()
    }

    /// Has the guest judge one message. After an error the instance is dead
    /// and must be dropped.
    pub(super) async fn check(
        &mut self,
        sandbox: &Sandbox,
        envelope: &Envelope,
        view: MessageView,
        own: Option<Own>,
    ) -> wasmtime::Result<Result<types::Verdict, String>> {
        self.uses += 1;
        let waits = own.as_ref().is_some_and(|own| own.network.is_some());
        let waited = self.store.data().waited();
        self.store.data_mut().renew(own);
        let envelope = types::Envelope {
            session: &envelope.session,
            exchange: envelope.exchange,
            server: &envelope.server,
            method: &envelope.method,
            kind: envelope.kind.as_str(),
            direction: envelope.direction.into(),
            subject: envelope.subject.as_deref(),
        };
        let joined = Arc::clone(&view.texts);
        let texts = types::Texts {
            joined: joined.joined(),
            ends: joined.ends(),
        };
        let view = self.store.data_mut().table.push(view)?;
        let lent = wasmtime::component::Resource::new_borrow(view.rep());
        let running = sandbox.arm(&mut self.store, self.limits.cpu_for(texts.joined.len()));
        let guardrail = self.guardrail.mcp_gateway_guardrail_guardrail();
        let call = guardrail.call_check(&mut self.store, envelope, texts, lent);
        let verdict = match waits {
            true => measured(waited, call).await,
            false => call.await,
        };
        drop(running);
        self.store.data_mut().http.settle();
        // Already gone if the guest trapped; then the table goes with it.
        let _ = self.store.data_mut().table.delete(view);
        verdict
    }
}
