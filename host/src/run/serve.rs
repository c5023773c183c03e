//! Runs the gateway for many clients over HTTP, until a signal ends it.

use std::sync::Arc;

use super::{CLOSE, LAST_WRITE, RunError, capture, prepare, signalled, tell};
use crate::config::ConfigSource;
use crate::front::http::{self, ListenError, Options, PATH};
use crate::status::News;

/// Why no clients are served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The gateway does not run at all.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The address cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// Serves clients over HTTP until a signal ends the gateway.
///
/// # Errors
/// When the configuration, a guardrail of it, the token or the address is no
/// good. No client has been served then.
pub async fn serve(
    source: ConfigSource,
    options: Options,
    news: Arc<News>,
) -> Result<(), ServeError> {
    let reloader = prepare(source).await?;
    for server in &reloader.config.servers {
        if let Some(reason) = server.unresolved() {
            // Before the first client finds out.
            tracing::warn!(server = server.name.as_str(), "not started: {reason}");
        }
    }
    let capture = capture(&reloader).map_err(RunError::from)?;
    let _told = tell(&reloader, news);
    let sandbox = Arc::clone(&reloader.sandbox);
    let mut listening = http::listen(options, Arc::clone(&reloader.sessions)).await?;
    tracing::info!("serving at http://{}{PATH}", listening.address());
    let reloading = tokio::spawn(reloader.run());
    tokio::select! {
        () = listening.serve() => {}
        why = signalled() => tracing::info!("ending: {why}"),
    }
    reloading.abort();
    if let Some(capture) = capture {
        // While guardrails still know the sessions.
        let _ = tokio::time::timeout(LAST_WRITE, capture.end()).await;
    }
    tokio::select! {
        // Whatever is left after that is ended by the reaper.
        _ = tokio::time::timeout(CLOSE, listening.end()) => {}
        why = signalled() => tracing::warn!("ending at once: {why}"),
    }
    sandbox.close_journal().await;
    Ok(())
}
