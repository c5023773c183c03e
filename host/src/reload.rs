//! From the configuration to a chain, at the start and whenever a file changes.
//!
//! A change goes live whole or not at all: a new build is checked, compiled,
//! run through its own examples, and held against the one that serves. Whatever
//! fails leaves the old one serving and says why in the log.

mod build;
mod watch;

use build::announce;
pub use build::{BuildError, Refused, build, policy, recipe};

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::chain::Chain;
use crate::config::{Config, ConfigSource, Source};
use crate::distribution::{lock_file, signature_file};
use crate::sandbox::Sandbox;
use crate::session::Sessions;
use crate::swap::Outcomes;
pub(crate) use watch::Files;

/// Between a first event and the reading of the file: editors and copies come
/// in several writes.
const SETTLE: Duration = Duration::from_millis(15);

/// Keeps a chain and all sessions as the files say.
pub struct Reloader {
    /// Where the configuration comes from.
    pub source: ConfigSource,
    /// The configuration that is in force.
    pub config: Config,
    /// Where guardrails run.
    pub sandbox: Arc<Sandbox>,
    /// The chain that is in force.
    pub chain: Arc<ArcSwap<Chain>>,
    /// The sessions whose servers follow the configuration.
    pub sessions: Arc<Sessions>,
    /// What became of new builds.
    pub outcomes: Arc<Outcomes>,
}

impl Reloader {
    /// Watches the files for ever.
    pub async fn run(mut self) {
        announce(&self.chain.load(), &Chain::default());
        let mut files = Files::watch(paths(&self.config).collect());
        // What was refused is not tried again until it changes.
        let mut refused = Refused::telling(Arc::clone(&self.outcomes));
        loop {
            // At once, since the files were read before they were watched.
            self.reload_config(&mut files, &mut refused).await;
            self.reload_guardrails(&mut refused).await;
            files.changed(SETTLE).await;
        }
    }

    /// Reads the configuration again, and has all its files watched. A guardrail
    /// that it leaves as it was keeps serving with its old build, should its file
    /// be broken by now. A configuration that is refused, since a component that
    /// it names is missing or bad, is tried again when that changes.
    async fn reload_config(&mut self, files: &mut Files, refused: &mut Refused) {
        if self.config.source.is_none() {
            return;
        }
        let source = self.source.clone();
        // A guardrail's secret may be in a keyring that does not answer.
        let loaded = tokio::task::spawn_blocking(move || source.load()).await;
        let loaded = match loaded {
            Ok(loaded) => loaded,
            Err(panic) => {
                tracing::error!("the configuration stays as it was: {panic}");
                return;
            }
        };
        let config = match loaded {
            Ok(config) if config == self.config => {
                files.set(paths(&config).collect());
                return;
            }
            Ok(config) => config,
            Err(errors) => {
                tracing::error!(
                    "the configuration stays as it was, because it has errors:\n{errors}"
                );
                return;
            }
        };
        // Before they are read, so that no change falls in between.
        files.set(paths(&self.config).chain(paths(&config)).collect());
        let old = self.chain.load_full();
        match build(&self.sandbox, &config, &old, Some(refused)).await {
            Ok(chain) => {
                self.replace(chain, &old);
                self.sessions.set_servers(&config.servers).await;
                if config.gateway != self.config.gateway {
                    tracing::warn!("what [gateway] says takes effect at the next start");
                }
                if config.journal != self.config.journal {
                    tracing::warn!("what [journal] says takes effect at the next start");
                }
                if config.swap.capture != self.config.swap.capture
                    || config.swap.bare != self.config.swap.bare
                {
                    tracing::warn!("what [swap] says of a capture takes effect at the next start");
                }
                files.set(paths(&config).collect());
                self.config = config;
                tracing::info!(
                    servers = self.config.servers.len(),
                    guardrails = self.config.guardrails.len(),
                    "the configuration was reloaded"
                );
            }
            Err(error) => tracing::error!("the configuration stays as it was: {error}"),
        }
    }

    /// Loads those guardrails again whose files have changed.
    async fn reload_guardrails(&self, refused: &mut Refused) {
        let old = self.chain.load_full();
        match build(&self.sandbox, &self.config, &old, Some(refused)).await {
            Ok(chain) if chain.is_made_of_the_same(&old) => {}
            Ok(chain) => self.replace(chain, &old),
            Err(error) => tracing::error!("the guardrails stay as they were: {error}"),
        }
    }

    fn replace(&self, chain: Chain, old: &Chain) {
        let chain = Arc::new(chain);
        self.chain.store(Arc::clone(&chain));
        announce(&chain, old);
    }
}

/// The files that a configuration consists of.
fn paths(config: &Config) -> impl Iterator<Item = PathBuf> {
    let is_signed = !config.gateway.trusted_keys.is_empty();
    let guardrails = config.guardrails.iter();
    let components = guardrails.flat_map(move |guardrail| match &guardrail.component {
        Source::File(path) => {
            let signature = is_signed.then(|| signature_file(path));
            [Some(path.clone()), signature]
        }
        Source::Registry(_) => [lock_file(config.source.as_deref()), None],
        Source::Bundled(_) => [None, None],
    });
    let secrets = config.secrets.iter().cloned();
    components
        .flatten()
        .chain(config.source.clone())
        .chain(secrets)
}
