//! Runs the gateway for one client on standard input and output, from its first
//! message to the end of its last server; or, in `serve`, for many over HTTP.

mod files;
mod serve;
mod signals;

pub use serve::{ServeError, serve};

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;

use crate::config::{Config, ConfigErrors, ConfigSource, Transport};
use crate::front;
use crate::reload::{BuildError, Reloader, build};
use crate::sandbox::{CacheDir, Sandbox, SandboxError};
use crate::session::Sessions;
use crate::status::{self, News};
use crate::swap::{Capture, Unwritable};
use crate::wire::{Lines, outbox};
use signals::signalled;

/// How long the end of all servers may take, together with what comes before
/// and after it less than the 5 s after which a client may lose patience.
const CLOSE: Duration = Duration::from_millis(3500);

/// How long the client may take to read what was left for it.
const LAST_WRITE: Duration = Duration::from_millis(200);

/// Why the gateway does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration has errors.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// No guardrail could run.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A guardrail does not load.
    #[error(transparent)]
    Guardrails(#[from] BuildError),
    /// What is to be captured has nowhere to go.
    #[error(transparent)]
    Capture(#[from] Unwritable),
}

/// Serves the client on standard input and output until it leaves or a signal
/// ends the gateway.
///
/// # Errors
/// When the configuration or a guardrail of it is no good. Nothing has been
/// started then: no message passes a gateway that lacks a guardrail.
pub async fn run(source: ConfigSource, news: Arc<News>) -> Result<(), RunError> {
    let reloader = prepare(source).await?;
    let capture = capture(&reloader)?;
    let (sessions, sandbox) = (
        Arc::clone(&reloader.sessions),
        Arc::clone(&reloader.sandbox),
    );
    let _told = tell(&reloader, news);

    let (reader, writer) = front::stdio();
    let (client, write) = outbox(writer);
    let mut writing = tokio::spawn(write);
    let session = sessions.open(client, false).await;
    let mut lines = Lines::new(reader, sessions.max_message());
    let reloading = tokio::spawn(reloader.run());

    let relay = async {
        loop {
            match lines.next().await {
                Ok(Some(line)) => session.relay_client(line).await,
                Ok(None) => return "the client closed its end",
                Err(_) => return "the client cannot be read from",
            }
        }
    };
    tokio::select! {
        why = relay => {
            tracing::info!("ending: {why}");
            session.drain().await;
        }
        _ = &mut writing => tracing::info!("ending: the client does not read any more"),
        why = signalled() => tracing::info!("ending: {why}"),
    }
    reloading.abort();
    if let Some(capture) = capture {
        // While guardrails still know the session.
        let _ = tokio::time::timeout(LAST_WRITE, capture.end()).await;
    }
    tokio::select! {
        // Whatever is left after that is ended by the reaper.
        _ = tokio::time::timeout(CLOSE, session.close()) => {}
        why = signalled() => tracing::warn!("ending at once: {why}"),
    }
    // What was left for the client is written before the last outbox goes.
    drop(session);
    if !writing.is_finished() {
        let _ = tokio::time::timeout(LAST_WRITE, writing).await;
    }
    sandbox.close_journal().await;
    Ok(())
}

/// Everything that a client needs to be served.
async fn prepare(source: ConfigSource) -> Result<Reloader, RunError> {
    files::make_room();
    let config = source.load()?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let sandbox = Arc::new(Sandbox::new(cache())?);
    if !source.is_trial() {
        sandbox.states().share(identity(&config));
    }
    let chain = build(&sandbox, &config, &Arc::default(), None).await?;
    let chain = Arc::new(ArcSwap::from_pointee(chain));
    let sessions = Sessions::new(
        Arc::clone(&chain),
        sandbox.states().clone(),
        config.gateway.clone(),
        config.servers.clone(),
    );
    Ok(Reloader {
        source,
        config,
        sandbox,
        chain,
        sessions: Arc::new(sessions),
        outcomes: Arc::default(),
    })
}

/// What tells a configuration from others, in which other guardrails have the same names:
/// its file; else the command line of the one server, and the folder in which that means
/// what it does.
fn identity(config: &Config) -> String {
    if let Some(file) = &config.source {
        // By whatever way it is named, it is the same file.
        let file = file.canonicalize().unwrap_or_else(|_| file.clone());
        return format!("file {}", file.display());
    }
    let here = std::env::current_dir().unwrap_or_default();
    let programs = config.servers.iter().map(|server| match &server.transport {
        Transport::Stdio(program) => format!("{:?} {:?}", program.command, program.args),
        Transport::Http(remote) => remote.url.to_string(),
    });
    let programs: Vec<String> = programs.collect();
    format!("command {:?} {}", here, programs.join(" "))
}

/// Has messages written down, if that is configured.
fn capture(reloader: &Reloader) -> Result<Option<Capture>, Unwritable> {
    let settings = &reloader.config.swap;
    let Some(file) = &settings.capture else {
        return Ok(None);
    };
    let chain = Arc::clone(&reloader.chain);
    Capture::begin(file, chain, settings.bare.clone()).map(Some)
}

/// Says how the gateway is to whoever asks, as long as what is returned is kept.
fn tell(reloader: &Reloader, news: Arc<News>) -> impl Sized + use<> {
    let running = status::Running {
        source: reloader.config.source.clone(),
        chain: Arc::clone(&reloader.chain),
        sessions: Arc::clone(&reloader.sessions),
        outcomes: Arc::clone(&reloader.outcomes),
        news,
        since: SystemTime::now(),
    };
    #[cfg(unix)]
    return status::listen(running);
    #[cfg(not(unix))]
    return running;
}

/// The cache, or none with a word of why: the gateway works without.
pub(crate) fn cache() -> Option<CacheDir> {
    CacheDir::open()
        .inspect_err(|error| {
            tracing::warn!("guardrails are compiled anew at every start: {error}");
        })
        .ok()
}
