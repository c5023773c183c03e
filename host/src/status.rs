//! `status`: what runs, and how it is.
//!
//! Every gateway has a socket in a folder of which only this person has the key. Who
//! connects gets what is to be said at that moment, as JSON. Nothing is counted for it
//! that is not counted anyway: what guardrails did is read from the log's events
//! ([`News`]), the rest when somebody asks.

mod news;
mod show;
#[cfg(unix)]
mod socket;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use serde_json::{Value, json};

pub use news::{News, Reader};
pub use show::{Show, ShowError, show, status_of};
#[cfg(unix)]
pub use socket::{Listening, listen};

use crate::chain::{Chain, Link};
use crate::config::Capability;
use crate::sandbox::state_folder;
use crate::session::Sessions;
use crate::swap::Outcomes;

/// A gateway that runs.
pub struct Running {
    /// Its configuration, if that is a file.
    pub source: Option<PathBuf>,
    /// The chain that is in force.
    pub chain: Arc<ArcSwap<Chain>>,
    /// The sessions.
    pub sessions: Arc<Sessions>,
    /// What became of new builds of guardrails.
    pub outcomes: Arc<Outcomes>,
    /// What has happened.
    pub news: Arc<News>,
    /// Since when it runs.
    pub since: SystemTime,
}

impl Running {
    async fn status(&self) -> Value {
        let chain = self.chain.load_full();
        let guardrails: Vec<Value> = chain
            .links()
            .iter()
            .map(|link| self.guardrail(link))
            .collect();
        json!({
            "process": std::process::id(),
            "version": env!("CARGO_PKG_VERSION"),
            "config": self.source,
            "since": seconds(self.since),
            "sessions": self.sessions.seen().await,
            "guardrails": guardrails,
            "news": self.news.last(),
        })
    }

    fn guardrail(&self, link: &Link) -> Value {
        let guardrail = link.guardrail();
        let uses = guardrail.uses();
        let granted = uses.iter().map(Capability::name);
        json!({
            "name": guardrail.name(),
            "version": guardrail.manifest().version,
            "digest": guardrail.anatomy().digest,
            "mode": format!("{:?}", link.spec().mode).to_lowercase(),
            "healthy": link.is_healthy(),
            "granted": granted.collect::<Vec<_>>(),
            "swap": self.outcomes.of(guardrail.name()),
            "did": self.news.tally(guardrail.name()),
        })
    }
}

/// Where the sockets are; `None` if no variable says where this person keeps such
/// things.
fn folder() -> Option<PathBuf> {
    Some(state_folder()?.join("gateways"))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
