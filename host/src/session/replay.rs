//! What a client has told servers for the whole session, so that a server that
//! starts late or again is told, too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::timeout;

use super::Session;
use crate::catalog::Sequel;
use crate::message::{Kind, Message, string};
use crate::protocol::{Bridge, Era, Severity};
use crate::upstream::Ready;

/// Subscriptions that are remembered; more than anybody has.
const SUBSCRIPTIONS: usize = 4096;

/// What is told again.
#[derive(Debug, Default)]
pub(super) struct Replay(Mutex<Subscriptions>);

/// The subscriptions that hold, by server and its own URI.
type Subscriptions = HashMap<(Arc<str>, String), Message>;

impl Replay {
    /// Notes that a server has agreed to a request.
    pub(super) fn agreed(&self, server: &Arc<str>, sequel: &Sequel, request: &Message) {
        if !matches!(sequel, Sequel::Subscribed | Sequel::Unsubscribed) {
            return;
        }
        let Some(uri) = request.value("/uri").and_then(string) else {
            return;
        };
        let key = (Arc::clone(server), uri.into_owned());
        let mut subscriptions = self.subscriptions();
        if *sequel == Sequel::Unsubscribed {
            subscriptions.remove(&key);
        } else if subscriptions.len() < SUBSCRIPTIONS {
            subscriptions.insert(key, request.clone());
        }
    }

    /// What a server has agreed to.
    fn of(&self, server: &Arc<str>) -> Vec<Message> {
        let subscriptions = self.subscriptions();
        let theirs = subscriptions.iter().filter(|((of, _), _)| of == server);
        theirs.map(|(_, request)| request.clone()).collect()
    }

    fn subscriptions(&self) -> std::sync::MutexGuard<'_, Subscriptions> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Tells a server that is ready what the client has told servers before.
    /// Nobody waits for its answers.
    pub(super) async fn replay(&self, ready: &Arc<Ready>) {
        // Modern servers are told with every request, and by whoever listens.
        if ready.client.era != Era::Legacy || ready.bridge != Bridge::None {
            return;
        }
        let limit = self.settings.ready_timeout;
        let server = &*ready.run.server;
        let level = self.log_level();
        let wanted = level.as_deref().and_then(Severity::of);
        if timeout(limit, self.wish_for_log(ready, wanted))
            .await
            .is_err()
        {
            tracing::warn!(server, "the log level was not told again: no answer");
        }
        for request in self.replay.of(&ready.run.server) {
            let Ok(call) = self.to_server(ready, request, None) else {
                continue;
            };
            let why = match timeout(limit, self.converse(call, None)).await {
                Ok(Ok(answer)) if answer.message().kind() != Kind::Error => continue,
                Ok(Ok(_)) => "it answered with an error".to_owned(),
                Ok(Err(failure)) => failure.kind(),
                Err(_) => "no answer".to_owned(),
            };
            tracing::warn!(server, "a subscription was not made again: {why}");
        }
    }
}
