//! The `state` capability: what guardrails keep in the gateway.
//!
//! It is held here and not in instances, so that neither the end of one nor a swap
//! of the guardrail loses anything. What is kept for a session lives in memory as long
//! as its [`Lease`], which the session holds; a check that comes late finds nothing, and
//! leaves nothing behind. What is kept for all is in a file ([`shared`]), unless nobody
//! said whose that is: then it ends with this process, as what is tried does.

mod shared;
mod store;
mod table;

pub use shared::{SharedError, look_at_shared};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use zeroize::Zeroizing;

use super::contract::v0_1::mcp_gateway::guardrail::state::{Host, StateError};
use super::contract::v0_1::mcp_gateway::guardrail::types::Scope;
use super::own::{Reach, Unavailable};
use crate::config::Limits;
use crate::sandbox::Confined;
use shared::{Broken, Shared};
use store::Store;
use table::{Refusal, Table, Timed};

/// All that guardrails keep. Clones are of the same.
#[derive(Clone, Default)]
pub struct States(Arc<Held>);

#[derive(Default)]
struct Held {
    memory: Mutex<Stores>,
    /// What is kept for all, if that outlasts this process.
    shared: OnceLock<Arc<Shared>>,
}

/// The stores of guardrails, by their names.
type Tables = HashMap<Arc<str>, Table>;

#[derive(Default)]
struct Stores {
    global: Tables,
    sessions: HashMap<Arc<str>, Tables>,
}

/// A session for which guardrails can keep something. When this is dropped, what
/// they kept is, too.
pub struct Lease {
    states: States,
    session: Arc<str>,
}

impl States {
    /// Lets guardrails keep something for a session from now on.
    pub fn open(&self, session: &Arc<str>) -> Lease {
        self.stores()
            .sessions
            .entry(Arc::clone(session))
            .or_default();
        Lease {
            states: self.clone(),
            session: Arc::clone(session),
        }
    }

    /// Has what is kept for all outlast this process, from before the first message on. It
    /// belongs to the configuration that this text tells from others.
    pub fn share(&self, configuration: String) {
        let _ = self.0.shared.set(Arc::new(Shared::of(configuration)));
    }

    /// Does something with a guardrail's store in memory while nobody else uses it.
    fn with<T>(
        &self,
        guardrail: &Arc<str>,
        session: Option<&str>,
        work: impl FnOnce(&mut Table) -> T,
    ) -> Result<T, Unavailable> {
        let mut stores = self.stores();
        let tables = match session {
            None => &mut stores.global,
            Some(session) => stores
                .sessions
                .get_mut(session)
                .ok_or(Unavailable::SessionEnded)?,
        };
        let table = match tables.get_mut(guardrail) {
            Some(table) => table,
            None => tables.entry(Arc::clone(guardrail)).or_default(),
        };
        Ok(work(table))
    }

    fn stores(&self) -> MutexGuard<'_, Stores> {
        let memory = &self.0.memory;
        memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    /// Drops what was kept. Whoever still works for the session keeps nothing more.
    pub fn end(&self) {
        let ended = self.states.stores().sessions.remove(&self.session);
        // Only now, since others wait for the lock: every value is overwritten.
        drop(ended);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.end();
    }
}

impl Host for Confined {
    async fn get(&mut self, scope: Scope, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        self.on_store(scope, |store, _| store.get(&key)).await
    }

    async fn set(
        &mut self,
        scope: Scope,
        key: String,
        value: Vec<u8>,
        ttl: Option<u32>,
    ) -> wasmtime::Result<Result<(), StateError>> {
        let value = Zeroizing::new(value);
        let set = self
            .on_store(scope, |store, limits| store.set(&key, &value, ttl, limits))
            .await?;
        Ok(set.map_err(StateError::from))
    }

    async fn delete(&mut self, scope: Scope, key: String) -> wasmtime::Result<bool> {
        self.on_store(scope, |store, _| store.delete(&key)).await
    }

    async fn increment(
        &mut self,
        scope: Scope,
        key: String,
        by: i64,
        ttl: Option<u32>,
    ) -> wasmtime::Result<Result<i64, StateError>> {
        let sum = self
            .on_store(scope, |store, limits| {
                store.increment(&key, by, ttl, limits)
            })
            .await?;
        Ok(sum.map_err(StateError::from))
    }

    async fn compare_and_swap(
        &mut self,
        scope: Scope,
        key: String,
        expected: Option<Vec<u8>>,
        value: Vec<u8>,
        ttl: Option<u32>,
    ) -> wasmtime::Result<Result<bool, StateError>> {
        let (value, expected) = (Zeroizing::new(value), expected.map(Zeroizing::new));
        let expected = expected.as_ref().map(|expected| expected.as_slice());
        let swapped = self
            .on_store(scope, |store, limits| {
                store.compare_and_swap(&key, expected, &value, ttl, limits)
            })
            .await?;
        Ok(swapped.map_err(StateError::from))
    }
}

impl Confined {
    async fn on_store<T>(
        &mut self,
        scope: Scope,
        mut work: impl FnMut(&mut dyn Store, &Limits) -> Result<T, Broken>,
    ) -> wasmtime::Result<T> {
        self.spend_host_call()?;
        let (own, limits) = (self.own()?, self.limits());
        let shared = match (scope, own.reach) {
            (Scope::Global, Reach::Everything) => own.states.0.shared.get(),
            _ => None,
        };
        if let Some(shared) = shared {
            let (shared, guardrail) = (Arc::clone(shared), Arc::clone(&own.guardrail));
            let (limits, waited) = (limits.clone(), self.waited());
            // Less than the whole check may take, since its time goes on meanwhile.
            let patience = limits.wall / 2;
            let begun = Instant::now();
            let done = shared
                .with(&guardrail, patience, |entries| work(entries, &limits))
                .await;
            waited.add(begun);
            return done.map_err(|error| unusable(&guardrail, &error));
        }
        let session = match scope {
            Scope::Session => Some(&*own.session),
            Scope::Global => None,
        };
        let now = Instant::now();
        let work = |table: &mut Table| work(&mut Timed { table, now }, limits);
        let done = own.states.with(&own.guardrail, session, work)?;
        done.map_err(|cause| unusable(&own.guardrail, &SharedError { path: None, cause }))
    }
}

/// What the guest traps with, once a person can read why.
fn unusable(guardrail: &str, error: &SharedError) -> wasmtime::Error {
    tracing::error!(
        guardrail,
        "what guardrails keep for all sessions cannot be used: {error}"
    );
    Unavailable::Kept(error.cause.reason()).into()
}

impl From<Refusal> for StateError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Full => Self::Full,
            Refusal::TooLarge => Self::TooLarge,
            Refusal::NotANumber => Self::NotANumber,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn put(states: &States, guardrail: &str, session: Option<&str>) -> Result<bool, Unavailable> {
        let (limits, now) = (Limits::default(), Instant::now());
        states.with(&guardrail.into(), session, |table| {
            let set = table.set("k", b"v".to_vec(), None, &limits, now);
            set.is_ok()
        })
    }

    fn has(states: &States, guardrail: &str, session: Option<&str>) -> Result<bool, Unavailable> {
        states.with(&guardrail.into(), session, |table| {
            table.get("k", Instant::now()).is_some()
        })
    }

    #[test]
    fn guardrails_and_sessions_do_not_see_each_other() {
        let states = States::default();
        let leases = ["one", "two"].map(|session| states.open(&session.into()));
        assert_eq!(put(&states, "a", Some("one")), Ok(true));
        for (guardrail, session, seen) in [
            ("a", Some("one"), true),
            ("a", Some("two"), false),
            ("b", Some("one"), false),
            ("a", None, false),
        ] {
            assert_eq!(
                has(&states, guardrail, session),
                Ok(seen),
                "{guardrail} {session:?}"
            );
        }
        drop(leases);
    }

    #[test]
    fn what_was_kept_for_a_session_ends_with_it() {
        let states = States::default();
        let lease = states.open(&"one".into());
        assert_eq!(put(&states, "a", Some("one")), Ok(true));
        assert_eq!(put(&states, "a", None), Ok(true));
        drop(lease);
        assert_eq!(
            put(&states, "a", Some("one")),
            Err(Unavailable::SessionEnded)
        );
        assert!(states.stores().sessions.is_empty());
        assert_eq!(has(&states, "a", None), Ok(true));
    }

    #[test]
    fn nothing_is_counted_twice_or_not_at_all() {
        const THREADS: i64 = 4;
        const EACH: i64 = 2_000;
        let states = States::default();
        let add = |by| {
            let (limits, now) = (Limits::default(), Instant::now());
            let sum = states.with(&"a".into(), None, |table| {
                table.increment("n", by, None, &limits, now)
            });
            sum.unwrap().unwrap()
        };
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (0..EACH).map(|_| add(1)).max());
            }
        });
        assert_eq!(add(0), THREADS * EACH);
    }
}
