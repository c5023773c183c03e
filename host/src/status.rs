//! `status`: what runs, and how it is.
//!
//! Every gateway has a socket in a folder of which only this person has the key. Who
//! connects gets what is to be said at that moment, as JSON. What guardrails did is read
//! from the log's events ([`News`]), and each notes what its checks took; the rest is asked
//! for when somebody asks.

mod news;
#[cfg(unix)]
mod report;
mod show;
#[cfg(unix)]
mod socket;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;

pub use news::{News, Reader};
pub use show::{Show, ShowError, show, status_of};
#[cfg(unix)]
pub use socket::{Listening, listen};

use crate::chain::Chain;
#[cfg(unix)]
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

/// Where the sockets are; `None` if no variable says where this person keeps such
/// things.
#[cfg(unix)]
fn folder() -> Option<PathBuf> {
    Some(state_folder()?.join("gateways"))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
