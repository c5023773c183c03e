//! Lists, which every server is asked for, and what every server is told.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use rmcp::model::ErrorCode;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::Session;
use super::asked::Asking;
use super::failure::Failure;
use super::requests::Reply;
use crate::catalog::{self, LONGEST_PAGE, List, Listing, Page, Position, Size};
use crate::message::{Kind, Message};
use crate::protocol::{self, Bridge, Era, Hello};
use crate::upstream::{Ready, State, Unavailable, Upstream};

/// Pages of a server that are asked for at a time: one with many small ones
/// must not keep the client waiting for ever.
const PAGES: usize = 1000;

impl Session {
    /// One list of every server's.
    pub(super) async fn gather(
        self: &Arc<Self>,
        list: &'static List,
        request: &Message,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        if let Some(only) = self.wrapped(list, request).await {
            let reply = self.ask(&only, request, None, asking).await?;
            if let Reply::Cleared(answer) = &reply {
                self.keep_page(&only, list, request, answer);
            }
            return Ok(reply);
        }
        tokio::select! {
            merged = self.merged(list, request) => {
                Ok(Reply::Own(self.with_own_tool(list, merged?)))
            }
            _ = asking.cancelled() => Err(Failure::Cancelled),
        }
    }

    /// The only server, if its lists are the client's as they are: page by page,
    /// with its own cursors and its own errors.
    async fn wrapped(&self, list: &'static List, request: &Message) -> Option<Arc<Upstream>> {
        let only = self.catalog.only().filter(|_| !self.adds_to(list))?;
        if self.kept_listing(&only, list, request).await.is_some() {
            return None;
        }
        let ready = only.settled(self.list_patience()).await.ok()?;
        let as_it_is = match ready.offers(list.capability) {
            true => self.catalog.names_are_bare(),
            // A client that was told of more, since the server was not there yet,
            // gets an empty list in place of an error.
            false => !self.changes.offered(list.capability),
        };
        as_it_is.then_some(only)
    }

    /// How long lists wait for servers that are starting.
    pub(super) fn list_patience(&self) -> Duration {
        let since = self.handshake.borrow().hello.as_ref().map(|it| it.1);
        let waited = since.map_or(Duration::ZERO, |since| since.elapsed());
        self.settings.ready_timeout.saturating_sub(waited)
    }

    /// The lists of all servers in one result.
    pub(super) async fn merged(
        self: &Arc<Self>,
        list: &'static List,
        request: &Message,
    ) -> Result<String, Failure> {
        let position = self.catalog.position(list, request)?;
        let answers = self.listings(list, request, position.as_ref()).await;
        let asked = answers.len();
        if asked == 0 && !self.changes.offered(list.capability) {
            return Err(self.catalog.unknown_method(list.method).into());
        }
        let mut listings = Vec::new();
        let mut failures = Vec::new();
        for (server, answer) in answers {
            match answer {
                Ok(listing) => listings.push(listing),
                // The list goes on at this server or not at all.
                Err(failure) if position.as_ref().is_some_and(|it| it.server == server) => {
                    return Err(failure);
                }
                Err(failure) => {
                    let why = failure.answer("0", list.method, Era::Legacy);
                    let why = why.as_ref().and_then(|error| error.value("/message"));
                    tracing::warn!(
                        server = &*server,
                        method = list.method,
                        "left out of the list: {}",
                        why.unwrap_or("cancelled"),
                    );
                    failures.push(failure);
                }
            }
        }
        // If nobody could answer, the client learns why.
        match failures.pop() {
            Some(failure) if failures.len() + 1 == asked => Err(failure),
            _ => Ok(self
                .catalog
                .merge(list, listings, self.longest_page(), self.client_era())),
        }
    }

    /// What each server lists, in the order of the configuration, from a position
    /// on.
    pub(super) async fn listings(
        self: &Arc<Self>,
        list: &'static List,
        request: &Message,
        position: Option<&Position>,
    ) -> Vec<(Arc<str>, Result<Listing<Page>, Failure>)> {
        let first = position.map(|position| &position.server);
        let upstreams = self.catalog.upstreams();
        let upstreams = upstreams
            .iter()
            .skip_while(|upstream| first.is_some_and(|first| upstream.name() != first));
        let mut answers = Vec::new();
        let mut waiting = Vec::new();
        for (index, upstream) in upstreams.enumerate() {
            let from = position.filter(|it| it.server == *upstream.name());
            let from = from.and_then(|position| position.cursor.clone());
            let kept = match &from {
                None => self.kept_listing(upstream, list, request).await,
                Some(_) => None,
            };
            match kept {
                Some(listing) => answers.push((index, Arc::clone(upstream.name()), Ok(listing))),
                None => waiting.push((index, Arc::clone(upstream), from)),
            }
        }
        let starting: Vec<_> = waiting.iter().map(|(_, it, _)| Arc::clone(it)).collect();
        self.settled(&starting, self.list_patience()).await;
        let mut tasks = JoinSet::new();
        for (index, upstream, from) in waiting {
            match upstream.ready() {
                None => self.left_out(upstream.name(), list),
                Some(ready) if !ready.offers(list.capability) => {}
                Some(ready) => {
                    let (session, request) = (Arc::clone(self), request.clone());
                    tasks.spawn(async move {
                        let listing = session.listing(list, &upstream, &ready, request, from);
                        (index, Arc::clone(upstream.name()), listing.await)
                    });
                }
            }
        }
        while let Some(answer) = tasks.join_next().await {
            answers.extend(answer.ok());
        }
        // Whoever was first to answer.
        answers.sort_by_key(|(index, ..)| *index);
        let answers = answers.into_iter();
        answers
            .map(|(_, server, answer)| (server, answer))
            .collect()
    }

    /// What an answer may hold of a list. Names grow on their way to the client.
    pub(super) fn longest_page(&self) -> Size {
        Size {
            bytes: LONGEST_PAGE.bytes.min(self.settings.max_message / 2),
            ..LONGEST_PAGE
        }
    }

    /// What one server lists from a cursor on, until it is enough for an answer.
    /// What the client asked for goes to the server, but for the cursor.
    pub(super) async fn listing(
        &self,
        list: &'static List,
        upstream: &Upstream,
        ready: &Ready,
        request: Message,
        from: Option<String>,
    ) -> Result<Listing<Page>, Failure> {
        let server = &ready.run.server;
        // One that never answers must not keep the others' from the client.
        let deadline = Instant::now() + self.settings.ready_timeout;
        let late = |_| unavailable(server, "it did not list in time");
        timeout_at(deadline, self.after_announcement(ready))
            .await
            .map_err(late)?;
        let mut seen: HashSet<String> = from.iter().cloned().collect();
        let mut total = Size::default();
        let mut pages = Vec::new();
        let mut next = from;
        loop {
            let cursor = next.take();
            let asked = match &cursor {
                Some(cursor) => catalog::with_cursor(&request, cursor),
                None => catalog::without_cursor(&request),
            };
            let call = self.to_server(ready, asked, None)?;
            let result = match timeout_at(deadline, self.converse(call, None)).await {
                Ok(result) => result?,
                Err(_) if cursor.is_some() && !pages.is_empty() => {
                    next = cursor;
                    break;
                }
                Err(elapsed) => return Err(late(elapsed)),
            };
            if result.message().kind() == Kind::Error {
                return Err(Failure::of_error(result.message()));
            }
            let page = Page::new(list, result);
            total = total.and(page.size());
            next = page.next_cursor().map(str::to_owned);
            pages.push((cursor, page));
            // A cursor that comes again would go round for ever.
            next = next.filter(|cursor| seen.insert(cursor.clone()));
            if next.is_none() || total.exceeds(self.longest_page()) || pages.len() >= PAGES {
                break;
            }
        }
        let listing = Listing {
            server: Arc::clone(server),
            pages,
            more: next,
        };
        self.keep_listing(upstream, list, &listing);
        Ok(listing)
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
            let ready = match upstream.state() {
                State::Ready(ready) => ready,
                State::Starting => {
                    // It is told once it is ready.
                    heeded = true;
                    continue;
                }
                State::Down(_) => continue,
            };
            if !ready.offers(capability) {
                continue;
            }
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
}

/// A request for a list that the gateway makes itself.
pub(super) fn list_request(list: &List, client: &Hello) -> Message {
    let request = Message::request("0", list.method, Some("{}"));
    match client.era {
        Era::Legacy => request,
        Era::Modern => protocol::for_modern(&request, client, None).unwrap_or(request),
    }
}

fn unavailable(server: &Arc<str>, reason: &str) -> Failure {
    Failure::Unavailable(Unavailable {
        server: Arc::clone(server),
        reason: reason.into(),
    })
}
