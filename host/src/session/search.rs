//! A request that nobody can tell whose it is, and what comes of the answer to
//! one that went to a server.

use std::sync::Arc;

use rmcp::model::ErrorCode;

use super::Session;
use super::asked::Asking;
use super::failure::Failure;
use super::lists::list_request;
use super::requests::Reply;
use crate::catalog::{List, Route, Sequel};
use crate::message::{Kind, Message};
use crate::upstream::Upstream;

impl Session {
    /// Where a request goes that has a name which only a list explains.
    pub(super) async fn look_up(
        self: &Arc<Self>,
        list: &'static List,
        request: &Message,
        asking: &mut Asking,
    ) -> Result<Route, Failure> {
        if let Some(client) = self.client() {
            let asked = list_request(list, &client);
            tokio::select! {
                // If it cannot be had, its names are not known, and that is all.
                _ = self.merged(list, &asked) => {}
                _ = asking.cancelled() => return Err(Failure::Cancelled),
            }
        }
        Ok(self.catalog.route_at_last(request)?)
    }

    /// Asks servers one after the other until one does not answer with an error,
    /// and says which. If none does, the likeliest one's error counts.
    pub(super) async fn search(
        self: &Arc<Self>,
        upstreams: Vec<Arc<Upstream>>,
        request: &Message,
        subject: Option<Arc<str>>,
        asking: &mut Asking,
    ) -> Result<(Arc<Upstream>, Reply), Failure> {
        let mut first = None;
        for upstream in upstreams {
            // One that starts slowly may not have it.
            let patience = self.list_patience();
            let settled = tokio::select! {
                settled = upstream.settled(patience) => settled,
                _ = asking.cancelled() => return Err(Failure::Cancelled),
            };
            if let Err(unavailable) = settled {
                first.get_or_insert(Err(unavailable.into()));
                continue;
            }
            let reply = self.ask(&upstream, request, subject.clone(), asking).await;
            match reply {
                Ok(reply) if !reply.is_error() => {
                    if let Some(uri) = &subject {
                        self.catalog.found(upstream.name(), uri);
                    }
                    return Ok((upstream, reply));
                }
                // What a guardrail refuses is not to be had elsewhere.
                Err(failure @ (Failure::Cancelled | Failure::Refused(_))) => return Err(failure),
                failed => drop(first.get_or_insert(failed.map(|reply| (upstream, reply)))),
            }
        }
        first.unwrap_or_else(|| {
            Err(Failure::Protocol {
                code: ErrorCode::INVALID_PARAMS.0.into(),
                message: "no server can be asked".into(),
                data: None,
            })
        })
    }

    /// Takes from an answer what it means for later, and returns it as the
    /// client understands it.
    pub(super) fn conclude(
        &self,
        upstream: &Upstream,
        sequel: &Sequel,
        request: &Message,
        reply: Reply,
    ) -> Reply {
        match reply {
            Reply::Cleared(answer)
                if *sequel != Sequel::Nothing && answer.message().kind() != Kind::Error =>
            {
                self.replay.agreed(upstream.name(), sequel, request);
                Reply::Cleared(self.catalog.conclude(upstream.name(), sequel, answer))
            }
            reply => reply,
        }
    }
}

impl Reply {
    fn is_error(&self) -> bool {
        matches!(self, Self::Cleared(answer) if answer.message().kind() == Kind::Error)
    }
}
