//! Servers of which little is known are not started before a person has said so.

use std::time::Duration;

use tokio::sync::watch;

use super::Session;
use crate::config::Server;
use crate::provenance::Provenance;
use crate::reputation::{self, Network, Reputation, Sources, Standing, Standings};
use crate::upstream::{State, Upstream};

/// How long it may take to find out what is known.
const PATIENCE: Duration = Duration::from_secs(8);

/// How often one looks whether a person lets a server start.
const LOOK: Duration = Duration::from_millis(500);

impl Session {
    /// Waits until a server may start. `false` if it is not wanted any more before
    /// that.
    pub(super) async fn may_start(
        &self,
        upstream: &Upstream,
        stopped: &mut watch::Receiver<bool>,
    ) -> bool {
        if !self.settings.scan {
            return true;
        }
        let server = &upstream.server;
        let refusal = tokio::select! {
            refusal = refusal(server) => refusal,
            _ = stopped.wait_for(|stopped| *stopped) => return false,
        };
        let Some(reason) = refusal else {
            return true;
        };
        tracing::warn!(server = &**upstream.name(), "not started: {reason}");
        upstream.set_state(State::Down(reason.into()));
        tokio::select! {
            () = allowed(server) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return false,
        }
        upstream.set_state(State::Starting);
        true
    }
}

/// Why a server is not to be started; words that can follow its name.
async fn refusal(server: &Server) -> Option<String> {
    let provenance = Provenance::of(server);
    let package = provenance.package()?;
    let sources = Sources::new(Network::On);
    let asked = tokio::time::timeout(PATIENCE, reputation::of(package, &sources));
    let found = asked.await;
    let found = found.unwrap_or_else(|_| Reputation::Unknown("nobody answered in time".to_owned()));
    let (score, because) = match found {
        Reputation::Unknown(why) => {
            tracing::info!(
                server = server.name.as_str(),
                "nothing is known of {package}: {why}"
            );
            return None;
        }
        Reputation::Scored { .. } if !found.is_risky() => return None,
        Reputation::Scored { score, because } => (score, because),
    };
    let standings = Standings::open();
    let noted = standings.and_then(|standings| standings.found(server, score, &because));
    let how = match noted {
        Ok(Standing { allowed: true, .. }) => return None,
        Ok(_) => format!(
            "a person who knows it can let it start with `mcp-gateway scan allow {}`",
            server.name
        ),
        Err(error) => format!("and no person's word can be kept: {error}"),
    };
    Some(format!(
        "its package {package} has a reputation of {score} of 100 ({}); {how}",
        because.join(", ")
    ))
}

/// Waits until a person lets a server start.
async fn allowed(server: &Server) {
    let Ok(standings) = Standings::open() else {
        return std::future::pending().await;
    };
    let mut seen = None;
    loop {
        let written = standings.written(server);
        if written != seen {
            seen = written;
            if standings
                .of(server)
                .is_some_and(|standing| standing.allowed)
            {
                return;
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}
