//! What the sessions of one gateway have in common, and the servers that each
//! of them has as the configuration says.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use tokio::sync::Mutex;

use super::{Opening, Session};
use crate::capability::state::States;
use crate::chain::Chain;
use crate::config::{Gateway, Server};
use crate::upstream::reaper::Reaper;
use crate::wire::Outbox;

/// All sessions of a gateway. Each has servers of its own, and instances of
/// guardrails of its own.
pub struct Sessions {
    chain: Arc<ArcSwap<Chain>>,
    states: States,
    settings: Gateway,
    reaper: Option<Reaper>,
    /// What the ids of sessions begin with: no two gateways have the same.
    prefix: String,
    opened: AtomicU64,
    /// Held while sessions open and servers change, so that neither misses the
    /// other.
    current: Mutex<Current>,
}

struct Current {
    servers: Vec<Server>,
    open: Vec<Weak<Session>>,
}

impl Sessions {
    /// None yet.
    pub fn new(
        chain: Arc<ArcSwap<Chain>>,
        states: States,
        settings: Gateway,
        servers: Vec<Server>,
    ) -> Self {
        Self {
            chain,
            states,
            settings,
            reaper: Reaper::start(),
            prefix: prefix(),
            opened: AtomicU64::new(0),
            current: Mutex::new(Current {
                servers,
                open: Vec::new(),
            }),
        }
    }

    /// Opens a session for a client whose messages are left in this outbox, or for
    /// several that nobody can tell apart.
    pub async fn open(&self, client: Outbox, is_shared: bool) -> Arc<Session> {
        let mut current = self.current.lock().await;
        let number = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        let id: Arc<str> = format!("{}-{number}", self.prefix).into();
        let opening = Opening {
            state: self.states.open(&id),
            id,
            chain: Arc::clone(&self.chain),
            settings: self.settings.clone(),
            client,
            is_shared,
            reaper: self.reaper.clone(),
        };
        let session = Session::open(opening, &current.servers).await;
        current.open.retain(|session| session.strong_count() > 0);
        current.open.push(Arc::downgrade(&session));
        session
    }

    /// Has every session, and every later one, use these servers.
    pub async fn set_servers(&self, servers: &[Server]) {
        let mut current = self.current.lock().await;
        current.servers = servers.to_vec();
        let open: Vec<_> = current.open.iter().filter_map(Weak::upgrade).collect();
        // A session that opens meanwhile has these servers already.
        drop(current);
        join_all(open.iter().map(|session| session.set_servers(servers))).await;
    }

    /// Those that are open.
    pub(super) async fn all_open(&self) -> Vec<Arc<Session>> {
        let current = self.current.lock().await;
        current.open.iter().filter_map(Weak::upgrade).collect()
    }

    /// The longest message that either side may send, in bytes.
    pub fn max_message(&self) -> usize {
        self.settings.max_message
    }
}

fn prefix() -> String {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{:x}-{:x}", since_epoch.as_micros(), std::process::id())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::wire::queue;

    #[tokio::test]
    async fn a_session_that_has_ended_starts_no_servers() {
        let sessions = Sessions::new(
            Arc::default(),
            States::default(),
            Gateway::default(),
            Vec::new(),
        );
        let (outbox, _queue) = queue();
        let session = sessions.open(outbox, false).await;
        let server = Server::of_command("s".parse().unwrap(), "x".into(), Vec::new());
        session.close().await;
        sessions.set_servers(&[server]).await;
        assert!(session.catalog.upstreams().is_empty());
    }
}
