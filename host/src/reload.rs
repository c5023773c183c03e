//! From the configuration to a chain, at the start and whenever a file changes.
//!
//! A change goes live whole or not at all: a new build is checked, compiled,
//! run through its own examples and, in its chain, through the gateway's
//! canary. Whatever fails leaves the old one serving and says why in the log.

mod build;
mod canary;
mod watch;

pub use build::{BuildError, Refused, build};

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::chain::Chain;
use crate::config::{Config, ConfigSource, Source};
use crate::sandbox::Sandbox;
use crate::session::Session;
use watch::Files;

/// Between a first event and the reading of the file: editors and copies come
/// in several writes.
const SETTLE: Duration = Duration::from_millis(15);

/// Keeps a chain and a session as the files say.
pub struct Reloader {
    /// Where the configuration comes from.
    pub source: ConfigSource,
    /// The configuration that is in force.
    pub config: Config,
    /// Where guardrails run.
    pub sandbox: Arc<Sandbox>,
    /// The chain that is in force.
    pub chain: Arc<ArcSwap<Chain>>,
    /// The session whose servers follow the configuration.
    pub session: Arc<Session>,
}

impl Reloader {
    /// Watches the files for ever.
    pub async fn run(mut self) {
        let mut files = Files::watch(self.paths());
        // What was refused is not tried again until it changes.
        let mut refused = Refused::default();
        loop {
            files.changed(SETTLE).await;
            if self.reload_config().await {
                files.set(self.paths());
            }
            self.reload_guardrails(&mut refused).await;
        }
    }

    /// Reads the configuration again. Whether it changed.
    async fn reload_config(&mut self) -> bool {
        if self.config.source.is_none() {
            return false;
        }
        let config = match self.source.load() {
            Ok(config) if config == self.config => return false,
            Ok(config) => config,
            Err(errors) => {
                tracing::error!(
                    "the configuration stays as it was, because it has errors:\n{errors}"
                );
                return false;
            }
        };
        match build(&self.sandbox, &config, &self.chain.load(), None).await {
            Ok(chain) => {
                self.chain.store(Arc::new(chain));
                self.session.set_servers(&config.servers).await;
                if config.gateway != self.config.gateway {
                    tracing::warn!("what [gateway] says takes effect at the next start");
                }
                self.config = config;
                tracing::info!(
                    servers = self.config.servers.len(),
                    guardrails = self.config.guardrails.len(),
                    "the configuration was reloaded"
                );
                true
            }
            Err(error) => {
                tracing::error!("the configuration stays as it was: {error}");
                false
            }
        }
    }

    /// Loads those guardrails again whose files have changed.
    async fn reload_guardrails(&self, refused: &mut Refused) {
        let old = self.chain.load_full();
        match build(&self.sandbox, &self.config, &old, Some(refused)).await {
            Ok(chain) if chain.is_made_of_the_same(&old) => {}
            Ok(chain) => self.chain.store(Arc::new(chain)),
            Err(error) => tracing::error!("the guardrails stay as they were: {error}"),
        }
    }

    fn paths(&self) -> Vec<PathBuf> {
        let components =
            self.config
                .guardrails
                .iter()
                .filter_map(|guardrail| match &guardrail.component {
                    Source::File(path) => Some(path.clone()),
                    Source::Bundled(_) => None,
                });
        components.chain(self.config.source.clone()).collect()
    }
}
