//! One MCP server behind the gateway: the connection to it, and what is known
//! of it.

mod connection;
mod http;
mod process;
pub mod reaper;

pub use crate::oauth::LogIn;
pub use connection::{Connection, Ended, Incoming, Link, Next, Received, Undelivered, connect};
pub use process::{StartError, program};

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::config::{Server, Transport};
use crate::gate::Cleared;
use crate::keyring;
use crate::protocol::{Bridge, Era, Hello, Severity, meta};
use crate::wire::{Outbox, Room};

/// A server, through all the processes or sessions that it may have while the
/// gateway restarts it.
#[derive(Debug)]
pub struct Upstream {
    /// As the configuration has it.
    pub server: Server,
    name: Arc<str>,
    state: watch::Sender<State>,
    /// Somebody wants to use it while it is down.
    wanted: Notify,
}

/// How long a request waits for a remote server that is down and is tried again for it.
const AGAIN: Duration = Duration::from_secs(5);

/// Where a server is in its life.
#[derive(Debug, Clone)]
pub enum State {
    /// It is starting, or has not said yet what it is.
    Starting,
    /// It has said what it is, and takes requests.
    Ready(Arc<Ready>),
    /// It cannot be used, for a reason that can follow its name.
    Down(Arc<str>),
}

/// A server that has said what it is: in its answer to `initialize`, or to
/// `server/discover`.
#[derive(Debug)]
pub struct Ready {
    /// The process that has.
    pub run: Arc<Run>,
    /// What it is, in the words of the client's era, as the guardrails left it.
    pub introduction: Cleared,
    /// The client that it was opened for.
    pub client: Arc<Hello>,
    /// What lies between that client and the server.
    pub bridge: Bridge,
    /// Whether the client's `notifications/initialized` has been passed on.
    pub announced: watch::Receiver<bool>,
}

/// One process of a server, or one session with it. What belongs to one never
/// reaches the next.
#[derive(Debug)]
pub struct Run {
    /// The server's name.
    pub server: Arc<str>,
    /// Where messages for it are left.
    pub outbox: Outbox,
    /// Of which era it is, once that is known.
    era: OnceLock<Era>,
    /// The log level that it was told last, as a JSON text.
    log_from: tokio::sync::Mutex<Option<Severity>>,
    /// Room for what it sent and nobody has taken yet.
    pub room: Room,
    /// Why it can't answer any more, once it can't.
    gone: watch::Sender<Option<Arc<str>>>,
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

/// Why a server cannot be started as its entry says, in words that can follow its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfilled {
    /// What its entry refers to in the keyring is not to be had.
    #[error("{0}")]
    Lacking(String),
    /// It does not fit where it is to stand.
    #[error("{0}")]
    Unfit(String),
}

/// A server as it is to be started: with what its entry refers to in the keyring.
///
/// # Errors
/// When that cannot be had, or does not fit.
pub async fn filled(server: &Server) -> Result<Cow<'_, Server>, Unfilled> {
    if server.secrets.is_empty() {
        return Ok(Cow::Borrowed(server));
    }
    let found = keyring::look_up(&server.secrets).await;
    let found = found.map_err(|error| Unfilled::Lacking(Server::unfilled(&error.to_string())))?;
    let filled = server.filled(&found);
    let filled = filled.map_err(|error| Unfilled::Unfit(Server::unfilled(&error.to_string())))?;
    Ok(Cow::Owned(filled))
}

impl Upstream {
    /// A server that has not been started yet.
    pub fn new(server: Server) -> Arc<Self> {
        let state = match server.unresolved() {
            // Before anybody waits for it.
            Some(reason) => State::Down(reason.into()),
            None => State::Starting,
        };
        Arc::new(Self {
            name: Arc::from(server.name.as_str()),
            server,
            state: watch::Sender::new(state),
            wanted: Notify::new(),
        })
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// What a person is logged in to it with, if that is how one logs in to it.
    pub fn log_in(&self) -> Option<LogIn> {
        match &self.server.transport {
            Transport::Http(remote) if !remote.has_credentials() => LogIn::of(remote),
            _ => None,
        }
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
            State::Starting | State::Down(_) => None,
        }
    }

    /// Waits until it can be used, or until that is known not to be so.
    pub async fn settled(&self, patience: Duration) -> Result<Arc<Ready>, Unavailable> {
        // Most requests find it ready, and need no timer.
        if let State::Ready(ready) = &*self.state.borrow() {
            return Ok(Arc::clone(ready));
        }
        let mut state = self.state.subscribe();
        let settled = state.wait_for(|state| !matches!(state, State::Starting));
        let settled = tokio::time::timeout(patience, settled).await;
        let reason = match settled {
            Ok(Ok(state)) => match &*state {
                State::Ready(ready) => return Ok(Arc::clone(ready)),
                State::Down(reason) => Arc::clone(reason),
                State::Starting => "it is starting".into(),
            },
            Ok(Err(_)) => "the gateway is ending".into(),
            Err(_) => "it is still starting".into(),
        };
        Err(self.unavailable(reason))
    }

    /// The same for somebody who needs it. A remote server that is down may be back long
    /// before its turn to be tried again, so it is tried now.
    pub async fn on_demand(&self, patience: Duration) -> Result<Arc<Ready>, Unavailable> {
        let is_remote = matches!(self.server.transport, Transport::Http(_));
        let down = match self.settled(patience).await {
            Err(down) if is_remote && self.can_be_tried() => down,
            settled => return settled,
        };
        let mut state = self.state.subscribe();
        match &*state.borrow_and_update() {
            State::Ready(ready) => return Ok(Arc::clone(ready)),
            State::Starting => {}
            State::Down(_) => self.wanted.notify_one(),
        }
        let tried = async {
            while state.changed().await.is_ok() {
                match &*state.borrow_and_update() {
                    State::Ready(ready) => return Ok(Arc::clone(ready)),
                    State::Down(reason) => return Err(self.unavailable(Arc::clone(reason))),
                    State::Starting => {}
                }
            }
            Err(self.unavailable("the gateway is ending".into()))
        };
        let tried = tokio::time::timeout(AGAIN, tried).await;
        tried.unwrap_or(Err(down))
    }

    /// Whether it is down, and not for good.
    fn can_be_tried(&self) -> bool {
        matches!(&*self.state.borrow(), State::Down(_)) && self.server.unresolved().is_none()
    }

    /// Waits until somebody wants to use it while it is down.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Waits until it can be used, through any number of restarts; `None` once it
    /// is gone for good.
    pub async fn usable(&self) -> Option<Arc<Ready>> {
        let mut state = self.state.subscribe();
        let usable = state.wait_for(|state| matches!(state, State::Ready(_)));
        match &*usable.await.ok()? {
            State::Ready(ready) => Some(Arc::clone(ready)),
            State::Starting | State::Down(_) => None,
        }
    }

    /// Says that it cannot be used.
    pub fn unavailable(&self, reason: Arc<str>) -> Unavailable {
        Unavailable {
            server: Arc::clone(&self.name),
            reason,
        }
    }
}

impl Run {
    /// A process that has just started.
    pub fn new(server: Arc<str>, outbox: Outbox) -> Arc<Self> {
        Arc::new(Self {
            server,
            outbox,
            era: OnceLock::new(),
            log_from: tokio::sync::Mutex::default(),
            room: Room::new(),
            gone: watch::Sender::new(None),
        })
    }

    /// Says of which era it is. The first word counts.
    pub fn set_era(&self, era: Era) {
        let _ = self.era.set(era);
    }

    /// Of which era it is; legacy until the opposite is known.
    pub fn era(&self) -> Era {
        self.era.get().copied().unwrap_or(Era::Legacy)
    }

    /// The least severe log messages that it was told to send. Less is never wanted
    /// again: another request may.
    pub async fn told_log_from(&self) -> tokio::sync::MutexGuard<'_, Option<Severity>> {
        self.log_from.lock().await
    }

    /// Says that it can't answer any more.
    pub fn end(&self, reason: Arc<str>) {
        self.gone.send_replace(Some(reason));
    }

    /// Waits until it can't answer any more, and says why.
    pub async fn gone(&self) -> Arc<str> {
        let mut gone = self.gone.subscribe();
        let gone = gone.wait_for(Option::is_some).await;
        let reason = gone.ok().and_then(|reason| reason.clone());
        reason.unwrap_or_else(|| "the gateway is ending".into())
    }
}

impl Ready {
    /// Whether it offers a capability, such as `tools`.
    pub fn offers(&self, capability: &str) -> bool {
        let pointer = format!("/capabilities/{capability}");
        self.introduction.message().value(&pointer).is_some()
    }

    /// Whether it tells of changes of a list, such as `tools`.
    pub fn tells_of(&self, list: &str) -> bool {
        let pointer = format!("/capabilities/{list}/listChanged");
        self.introduction.message().value(&pointer) == Some("true")
    }

    /// The JSON text of its name and version, as modern results carry it.
    pub fn server_info(&self) -> Option<&str> {
        let pointer = format!("/_meta/{}", meta::SERVER_INFO);
        self.introduction.message().value(&pointer)
    }
}
