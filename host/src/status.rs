//! `status`: what runs, and how it is.
//!
//! Every gateway has a socket in a folder of which only this person has the key. Who
//! connects gets what is to be said at that moment, as JSON. What guardrails did is read
//! from the log's events ([`News`]), and each notes what its checks took; the rest is asked
//! for when somebody asks.

mod news;
mod show;
#[cfg(unix)]
mod socket;

use std::cmp::Reverse;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use serde_json::{Value, json};

pub use news::{News, Reader};
pub use show::{Show, ShowError, show, status_of};
#[cfg(unix)]
pub use socket::{Listening, listen};

use crate::chain::{Chain, Link};
use crate::config::Capability;
use crate::guardrail::Latency;
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
            "slowest": slowest(chain.links()),
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
            "mode": mode(link),
            "healthy": link.is_healthy(),
            "granted": granted.collect::<Vec<_>>(),
            "swap": self.outcomes.of(guardrail.name()),
            "did": self.news.tally(guardrail.name()),
        })
    }
}

/// What the guardrails' checks took, the slowest first. One that was not asked has no place.
fn slowest(links: &[Link]) -> Vec<Value> {
    let timed = links
        .iter()
        .filter_map(|link| Some((link, link.guardrail().latency()?)));
    let mut timed: Vec<(&Link, Latency)> = timed.collect();
    timed.sort_by_key(|(_, latency)| Reverse((latency.median, latency.longest)));
    let slowest = timed.iter().map(|(link, latency)| {
        json!({
            "guardrail": link.guardrail().name(),
            "mode": mode(link),
            "checks": latency.checks,
            "medianMicroseconds": microseconds(latency.median),
            "p99Microseconds": microseconds(latency.p99),
            "longestMicroseconds": microseconds(latency.longest),
            "totalMicroseconds": microseconds(latency.total),
        })
    });
    slowest.collect()
}

fn mode(link: &Link) -> String {
    format!("{:?}", link.spec().mode).to_lowercase()
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
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
