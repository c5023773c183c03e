//! What the end-to-end tests are written in: a [`Server`] behind a [`Gateway`]
//! that a [`Client`] talks to.
//!
//! Nothing of the host is linked. The tests know what any user knows: the
//! binary, the component files, the configuration, the protocol on the wire and
//! the log.
//!
//! Nothing sleeps for a fixed time either: a test waits for a message, for an
//! event of the log, or polls a condition until a deadline that is far beyond
//! what a busy machine needs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod client;
mod differences;
mod gateway;
mod http;
mod log;
mod paths;
mod processes;
pub mod real;
mod server;
mod serving;
mod terminal;
pub mod web;

pub use client::{Client, Received};
pub use differences::differences;
pub use gateway::{Gateway, Setup};
pub use http::{Event as ServerSentEvent, Request, Response};
pub use log::{Event, Log};
pub use paths::{built, gateway_binary, guest, peer, peers, program_beside, repository};
#[cfg(target_os = "linux")]
pub use processes::cpu_time;
pub use processes::{Signal, alive, descendants, resident, signal};
pub use server::{RELEASED, Server};
pub use serving::{HttpClient, Serving, initialize};
pub use terminal::in_a_terminal;

use std::time::{Duration, Instant};

/// Beyond what anything takes, on a machine that does other things as well.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Polls a condition until it holds.
///
/// # Panics
/// When it does not hold in time; `what` says what was waited for.
pub fn eventually(what: &str, holds: impl FnMut() -> bool) {
    within(PATIENCE, what, holds);
}

/// Polls a condition until it holds, which must not take longer than this.
///
/// # Panics
/// When it does.
pub fn within(patience: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !holds() {
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A text as JSON and TOML both write it.
pub fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
