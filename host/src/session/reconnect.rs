//! What becomes of a request whose connection turned out to be over: a remote
//! server may forget a session at any time.

use std::sync::Arc;
use std::time::Duration;

use super::Session;
use super::call::{Asker, Call, cancelled};
use super::exchanges::Side;
use super::failure::Failure;
use crate::gate::Cleared;
use crate::upstream::Unavailable;

/// How long the end of a connection may take to be noticed everywhere.
const NOTICE: Duration = Duration::from_secs(5);

impl Session {
    /// Sends a request and waits for its answer. One that its server has not
    /// taken, since the connection was over, is sent once more, on the next.
    pub(super) async fn converse(
        &self,
        mut call: Call,
        mut asker: Option<Asker<'_>>,
    ) -> Result<Cleared, Failure> {
        let unavailable = match self.attempt(&call, &mut asker).await {
            Err(Failure::Undelivered(unavailable)) => unavailable,
            settled => return settled,
        };
        call.target = tokio::select! {
            target = self.reconnected(&call.target, unavailable) => target?,
            _ = cancelled(&mut asker) => return Err(Failure::Cancelled),
        };
        self.attempt(&call, &mut asker).await
    }

    /// The same server on its next connection, once it can be used. Without a
    /// next one the request fails for the reason that it failed for.
    async fn reconnected(&self, over: &Side, unavailable: Unavailable) -> Result<Side, Failure> {
        if tokio::time::timeout(NOTICE, over.gone()).await.is_err() {
            return Err(unavailable.into());
        }
        let upstreams = self.catalog.upstreams();
        let upstream = upstreams.iter().find(|it| *it.name() == unavailable.server);
        let Some(upstream) = upstream else {
            return Err(unavailable.into());
        };
        let ready = upstream.settled(upstream.server.init_timeout).await?;
        self.after_announcement(&ready).await;
        Ok(Side::Server(Arc::clone(&ready.run)))
    }
}
