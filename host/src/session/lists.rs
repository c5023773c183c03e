//! Lists, which every server is asked for, what every server is told, and that
//! a list has changed.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::ErrorCode;
use tokio::task::JoinSet;

use super::Session;
use super::converse::Failure;
use super::requests::Reply;
use crate::catalog::{self, LISTS, List, Page};
use crate::gate::Admitted;
use crate::message::Message;
use crate::protocol::{Bridge, Era};
use crate::upstream::{Ready, Unavailable};

/// Pages that a list may have: a server that never stops must not keep the
/// gateway busy for ever.
const PAGES: usize = 1000;

impl Session {
    /// One list of every server's.
    pub(super) async fn gather(
        self: &Arc<Self>,
        list: &'static List,
        request: &Message,
    ) -> Result<Reply, Failure> {
        let upstreams = self.catalog.upstreams();
        let since = self.handshake.borrow().hello.as_ref().map(|it| it.1);
        let waited = since.map_or(Duration::ZERO, |since| since.elapsed());
        let patience = self.settings.ready_timeout.saturating_sub(waited);
        let able = self.settled(&upstreams, patience).await;
        // One that never answers must not keep the others' from the client.
        let limit = self.settings.ready_timeout;
        let mut tasks = JoinSet::new();
        for (index, (server, ready)) in able.into_iter().enumerate() {
            if !ready.offers(list.capability) {
                continue;
            }
            let (session, request) = (Arc::clone(self), request.clone());
            tasks.spawn(async move {
                let pages = session.pages(&server, &ready, request);
                let pages = tokio::time::timeout(limit, pages).await;
                let late = || unavailable(&server, "it did not list in time");
                (
                    index,
                    Arc::clone(&server),
                    pages.unwrap_or_else(|_| Err(late())),
                )
            });
        }
        let mut answers = Vec::new();
        while let Some(answer) = tasks.join_next().await {
            answers.extend(answer.ok());
        }
        // In the order of the configuration, whoever was first to answer.
        answers.sort_by_key(|(index, ..)| *index);

        let asked = answers.len();
        let mut pages = Vec::new();
        let mut failures = Vec::new();
        for (_, server, answer) in answers {
            match answer {
                Ok(answer) => pages.extend(answer),
                Err(failure) => {
                    let why = failure.answer("0", list.method, Era::Legacy);
                    tracing::warn!(
                        server = &*server,
                        method = list.method,
                        "left out of the list: {}",
                        why.as_ref()
                            .and_then(|e| e.value("/message"))
                            .unwrap_or("cancelled"),
                    );
                    failures.push(failure);
                }
            }
        }
        // If nobody could answer, the client learns why.
        match failures.pop() {
            Some(failure) if failures.len() + 1 == asked => Err(failure),
            _ => Ok(Reply::Own(self.catalog.merge(list, &pages))),
        }
    }

    /// All pages of one server's list. What the client asked for goes to the
    /// server, but for the cursor.
    async fn pages(
        &self,
        server: &Arc<str>,
        ready: &Ready,
        request: Message,
    ) -> Result<Vec<Page>, Failure> {
        self.after_announcement(ready).await;
        let mut seen = HashSet::new();
        let mut pages: Vec<Page> = Vec::new();
        let mut next = catalog::without_cursor(&request);
        while pages.len() < PAGES {
            let call = self.to_server(ready, next, None)?;
            let result = self.converse(call, None).await?;
            if result.message().kind() == crate::message::Kind::Error {
                return Err(Failure::of_error(result.message()));
            }
            let page = Page {
                server: Arc::clone(server),
                result,
            };
            let cursor = page.next_cursor().map(str::to_owned);
            pages.push(page);
            match cursor {
                // A cursor that comes again would go round for ever.
                Some(cursor) if seen.insert(cursor.clone()) => {
                    next = catalog::with_cursor(&request, &cursor);
                }
                _ => break,
            }
        }
        Ok(pages)
    }

    /// Tells every server that has a capability; the first answer counts.
    pub(super) async fn tell_everyone(
        self: &Arc<Self>,
        capability: &str,
        request: &Message,
    ) -> Result<Reply, Failure> {
        // One that never answers must not keep the others' from the client.
        let limit = self.settings.ready_timeout;
        let mut heeded = false;
        let mut tasks = JoinSet::new();
        for upstream in self.catalog.upstreams().iter() {
            let Some(ready) = upstream.ready().filter(|ready| ready.offers(capability)) else {
                continue;
            };
            if ready.bridge == Bridge::ToModern {
                // It is told with every request.
                heeded = true;
                continue;
            }
            let (session, request) = (Arc::clone(self), request.clone());
            tasks.spawn(async move {
                session.after_announcement(&ready).await;
                let call = session.to_server(&ready, request, None)?;
                let answer = tokio::time::timeout(limit, session.converse(call, None)).await;
                let late = || unavailable(&ready.run.server, "it did not answer in time");
                answer.unwrap_or_else(|_| Err(late()))
            });
        }
        let mut answers = Vec::new();
        while let Some(answer) = tasks.join_next().await {
            answers.extend(answer.ok());
        }
        let count = answers.len();
        let mut failed = None;
        for answer in answers {
            match answer {
                Ok(cleared) => return Ok(Reply::Cleared(cleared)),
                Err(failure) => failed = Some(failure),
            }
        }
        match failed {
            Some(failure) => Err(failure),
            None if count == 0 && !heeded => Err(Failure::Protocol {
                code: ErrorCode::METHOD_NOT_FOUND.0.into(),
                message: format!("no server offers {capability}"),
                data: None,
            }),
            None => Ok(Reply::Own("{}".into())),
        }
    }

    /// Tells the client that lists have changed: those that `offered` says yes
    /// to.
    pub(super) async fn lists_changed(&self, offered: impl Fn(&str) -> bool) {
        if self.client_era() == Era::Modern {
            return self.tell_listeners(offered).await;
        }
        if self.handshake.borrow().initialized.is_none() {
            return;
        }
        for list in LISTS {
            if offered(list.capability) {
                let notification = Message::notification(list.changed, None);
                let _ = self.client.send(Admitted::own(notification)).await;
            }
        }
    }
}

fn unavailable(server: &Arc<str>, reason: &str) -> Failure {
    Failure::Unavailable(Unavailable {
        server: Arc::clone(server),
        reason: reason.into(),
    })
}
