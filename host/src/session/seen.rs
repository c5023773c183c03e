//! What can be seen of sessions from outside: names, states and counts.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::{Session, Sessions};
use crate::protocol::server_info;
use crate::upstream::{Ready, State, Upstream};

/// A session, as it is at a moment.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SeenSession {
    /// Its id.
    pub id: Arc<str>,
    /// What the client says it is; nothing before it has.
    pub client: Option<Value>,
    /// Requests so far, of either side.
    pub requests: u64,
    /// Those that wait for their answer.
    pub in_flight: usize,
    /// The servers.
    pub servers: Vec<SeenServer>,
}

/// A server of a session.
#[derive(Debug, Serialize)]
pub struct SeenServer {
    /// Its name.
    pub name: Arc<str>,
    /// `starting`, `ready` or `down`.
    pub state: &'static str,
    /// Why it is down.
    pub reason: Option<Arc<str>>,
    /// Its version, in its own words, as the guardrails left them.
    pub version: Option<String>,
}

impl Sessions {
    /// The sessions that are open.
    pub async fn seen(&self) -> Vec<SeenSession> {
        let open = self.all_open().await;
        open.iter().map(|session| session.seen()).collect()
    }
}

impl Session {
    fn seen(&self) -> SeenSession {
        let hello = self.handshake.borrow().hello.clone();
        let info = hello.and_then(|(hello, _)| serde_json::from_str(hello.info()?).ok());
        let (requests, in_flight) = self.exchanges.counts();
        SeenSession {
            id: Arc::clone(&self.id),
            client: info,
            requests,
            in_flight,
            servers: self.catalog.upstreams().iter().map(seen).collect(),
        }
    }
}

fn seen(upstream: &Arc<Upstream>) -> SeenServer {
    let (state, reason, version) = match upstream.state() {
        State::Starting => ("starting", None, None),
        State::Ready(ready) => ("ready", None, version(&ready)),
        State::Down(reason) => ("down", Some(reason), None),
    };
    SeenServer {
        name: Arc::clone(upstream.name()),
        state,
        reason,
        version,
    }
}

fn version(ready: &Ready) -> Option<String> {
    let info = server_info(ready.introduction.message())?;
    let info: Value = serde_json::from_str(info).ok()?;
    info.get("version")?.as_str().map(str::to_owned)
}
