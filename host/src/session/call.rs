//! A request on its way, and whoever waits for its answer.

use std::sync::Arc;

use super::asked::Asking;
use super::exchanges::Side;
use super::listeners::Listener;
use super::translation::Translation;
use crate::guardrail::Direction;
use crate::message::Message;
use crate::wire::Outbox;

/// A request on its way to whoever answers it.
pub(super) struct Call {
    /// The request, as the answering side understands it.
    pub(super) request: Message,
    /// Who is to answer it.
    pub(super) target: Side,
    /// The server at one of the ends.
    pub(super) server: Arc<str>,
    /// What it is about.
    pub(super) subject: Option<Arc<str>>,
    /// What is done with the answer before anybody sees it.
    pub(super) translation: Translation,
    /// Whose notifications the answering side will send until it answers.
    pub(super) listener: Option<Arc<Listener>>,
}

/// Whoever asked, while they wait. For a request of the gateway's own nobody
/// does.
pub(super) struct Asker<'a> {
    /// The request as they know it.
    pub(super) asking: &'a mut Asking,
    /// Where its progress is to be left.
    pub(super) outbox: &'a Outbox,
}

/// Waits until whoever asked does not want to know any more.
pub(super) async fn cancelled(asker: &mut Option<Asker<'_>>) -> Message {
    match asker {
        Some(asker) => asker.asking.cancelled().await,
        None => std::future::pending().await,
    }
}

impl Call {
    /// A server's request to the client.
    pub(super) fn to_client(server: &Arc<str>, request: Message) -> Self {
        Self {
            request,
            target: Side::Client,
            server: Arc::clone(server),
            subject: None,
            translation: Translation::None,
            listener: None,
        }
    }

    /// The method as guardrails know it: of a server that is opened, whatever
    /// its era, they see what the client gets to see.
    pub(super) fn known_as(&self) -> &str {
        match (&self.translation, self.request.method().unwrap_or_default()) {
            (Translation::ForLegacy { .. }, "server/discover") => "initialize",
            (Translation::ForModern { .. }, "initialize") => "server/discover",
            (_, method) => method,
        }
    }

    /// Which way the request travels.
    pub(super) fn direction(&self) -> Direction {
        match self.target {
            Side::Server(_) => Direction::ToServer,
            Side::Client => Direction::ToClient,
        }
    }
}
