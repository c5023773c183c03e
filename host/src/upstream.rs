//! One MCP server behind the gateway: its process, and what is known of it.

mod process;
pub mod reaper;

pub use process::{Connection, Process, StartError, start};

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::config::Server;
use crate::gate::Cleared;
use crate::wire::Outbox;

/// A server, through all the processes that it may run in while the gateway
/// restarts it.
#[derive(Debug)]
pub struct Upstream {
    /// As the configuration has it.
    pub server: Server,
    name: Arc<str>,
    state: watch::Sender<State>,
}

/// Where a server is in its life.
#[derive(Debug, Clone)]
pub enum State {
    /// Its process is starting, or has not answered `initialize` yet. Messages
    /// for it are left here once the process runs.
    Starting(Option<Outbox>),
    /// It has answered `initialize`.
    Ready(Arc<Ready>),
    /// It cannot be used, for a reason that can follow its name.
    Down(Arc<str>),
}

/// A server that has answered `initialize`.
#[derive(Debug)]
pub struct Ready {
    /// Where messages for it are left.
    pub outbox: Outbox,
    /// Its answer to `initialize`, as the guardrails left it.
    pub initialize: Cleared,
    /// Whether the client's `notifications/initialized` has been passed on.
    pub announced: watch::Sender<bool>,
}

/// A server cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[error("server {server:?} is not available: {reason}")]
pub struct Unavailable {
    /// Its name.
    pub server: Arc<str>,
    /// What is the matter with it.
    pub reason: Arc<str>,
}

impl Upstream {
    /// A server that has not been started yet.
    pub fn new(server: Server) -> Arc<Self> {
        Arc::new(Self {
            name: Arc::from(server.name.as_str()),
            server,
            state: watch::Sender::new(State::Starting(None)),
        })
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Moves it on.
    pub fn set_state(&self, state: State) {
        self.state.send_replace(state);
    }

    /// The server, if it can be used now.
    pub fn ready(&self) -> Option<Arc<Ready>> {
        match &*self.state.borrow() {
            State::Ready(ready) => Some(Arc::clone(ready)),
            State::Starting(_) | State::Down(_) => None,
        }
    }

    /// Where messages for it are left, if it has a process.
    pub fn outbox(&self) -> Option<Outbox> {
        match &*self.state.borrow() {
            State::Starting(outbox) => outbox.clone(),
            State::Ready(ready) => Some(ready.outbox.clone()),
            State::Down(_) => None,
        }
    }

    /// Waits until it can be used, or until that is known not to be so.
    pub async fn settled(&self, patience: Duration) -> Result<Arc<Ready>, Unavailable> {
        let mut state = self.state.subscribe();
        let settled = state.wait_for(|state| !matches!(state, State::Starting(_)));
        let settled = tokio::time::timeout(patience, settled).await;
        let reason = match settled {
            Ok(Ok(state)) => match &*state {
                State::Ready(ready) => return Ok(Arc::clone(ready)),
                State::Down(reason) => Arc::clone(reason),
                State::Starting(_) => "it is starting".into(),
            },
            Ok(Err(_)) => "the gateway is ending".into(),
            Err(_) => "it is still starting".into(),
        };
        Err(self.unavailable(reason))
    }

    /// Says that it cannot be used.
    pub fn unavailable(&self, reason: Arc<str>) -> Unavailable {
        Unavailable {
            server: Arc::clone(&self.name),
            reason,
        }
    }
}

impl Ready {
    /// Whether its answer to `initialize` offers a capability, such as `tools`.
    pub fn offers(&self, capability: &str) -> bool {
        let pointer = format!("/capabilities/{capability}");
        self.initialize.message().value(&pointer).is_some()
    }
}
