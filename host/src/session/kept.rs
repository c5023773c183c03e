//! What servers answered last time, in the place of servers that are still
//! starting; and what follows once they are there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Session;
use super::lists::list_request;
use crate::catalog::{Fingerprint, Key, LISTS, List, Listing, Page, Size, Store};
use crate::chain::Circumstances;
use crate::config::{Gateway, Pinning};
use crate::gate::{self, Cleared};
use crate::guardrail::{Direction, Envelope};
use crate::message::{Kind, Message, string};
use crate::protocol::Era;
use crate::upstream::{Ready, State, Upstream};

/// How long after a change the client may take to ask for a list itself. Some
/// never do; then the gateway asks, so that the next session does not begin
/// with an old list.
const LATE: Duration = Duration::from_secs(2);

/// What a server says when it is opened, in the client's era.
const OPENING: &str = "opening";

/// What is kept, and what the client has had of it.
pub(super) struct Kept {
    store: Option<Arc<Store>>,
    /// By server and method.
    answers: Mutex<HashMap<(Arc<str>, &'static str), Answer>>,
    /// The pages of a wrapped server that the client has asked for, by method.
    walks: Mutex<HashMap<&'static str, Vec<Page>>>,
}

/// What the client knows of a server's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// What the server has.
    Fresh(Fingerprint),
    /// What it had last time, or before it said that this changed.
    Old(Fingerprint),
    /// Nothing, although it asked.
    LeftOut,
}

impl Kept {
    /// What is kept, if it is to be.
    pub(super) fn open(settings: &Gateway) -> Self {
        let store = settings.catalog_cache.then(Store::open);
        let store = store.and_then(|store| {
            store
                .inspect_err(|error| tracing::warn!("no catalog of a slow server is kept: {error}"))
                .ok()?
        });
        Self {
            store: store.map(Arc::new),
            answers: Mutex::default(),
            walks: Mutex::default(),
        }
    }

    /// Forgets what the client has had of a server, or of all, since it is
    /// another one now.
    pub(super) fn forget(&self, server: Option<&Arc<str>>) {
        self.answers()
            .retain(|(of, _), _| server.is_some_and(|server| of != server));
    }

    /// Adds a page to those that the client has walked through one after the other;
    /// returns all of them after the last.
    fn walked(
        &self,
        list: &'static List,
        cursor: Option<&str>,
        page: Page,
        longest: Size,
    ) -> Option<Vec<Page>> {
        let mut walks = self.walks.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pages = walks.remove(list.method).unwrap_or_default();
        let expected = pages.last().and_then(Page::next_cursor).and_then(string);
        match cursor {
            None => pages.clear(),
            Some(cursor) if expected.is_some() && expected == string(cursor) => {}
            Some(_) => return None,
        }
        let last = page.next_cursor().is_none();
        pages.push(page);
        let size = pages
            .iter()
            .map(Page::size)
            .fold(Size::default(), Size::and);
        if last {
            return Some(pages);
        }
        if !size.exceeds(longest) {
            walks.insert(list.method, pages);
        }
        None
    }

    fn note(&self, server: &Arc<str>, method: &'static str, answer: Answer) -> Option<Answer> {
        self.answers().insert((Arc::clone(server), method), answer)
    }

    fn noted(&self, server: &Arc<str>, method: &'static str) -> Option<Answer> {
        self.answers().get(&(Arc::clone(server), method)).copied()
    }

    fn answers(&self) -> std::sync::MutexGuard<'_, HashMap<(Arc<str>, &'static str), Answer>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// What servers answer to `initialize`, or answered last time if they are
    /// still starting. Those that never did are waited for.
    pub(super) async fn openings(
        &self,
        upstreams: &[Arc<Upstream>],
        patience: Duration,
    ) -> Vec<(Arc<str>, Cleared)> {
        let Some(client) = self.client() else {
            return Vec::new();
        };
        let request = match client.era {
            Era::Legacy => client.initialize(),
            Era::Modern => client.discover(),
        };
        let mut kept = HashMap::new();
        let mut waiting = Vec::new();
        for upstream in upstreams {
            match self.kept(upstream, OPENING, &request).await.as_deref() {
                Some([opening]) => drop(kept.insert(Arc::clone(upstream.name()), opening.clone())),
                _ => waiting.push(Arc::clone(upstream)),
            }
        }
        self.settled(&waiting, patience).await;
        let opening = |upstream: &Arc<Upstream>| {
            let name = upstream.name();
            let ready = upstream.ready().map(|ready| ready.introduction.clone());
            let opening = ready.or_else(|| {
                let opening = kept.remove(name)?;
                let results = opening.message().payload();
                self.kept
                    .note(name, OPENING, Answer::Old(Fingerprint::of(results)));
                Some(opening)
            });
            Some((Arc::clone(name), opening?))
        };
        upstreams.iter().filter_map(opening).collect()
    }

    /// What a server that is still starting has listed last time.
    pub(super) async fn kept_listing(
        &self,
        upstream: &Upstream,
        list: &'static List,
        request: &Message,
    ) -> Option<Listing<Page>> {
        let results = self.kept(upstream, list.method, request).await?;
        // Whoever became ready meanwhile is asked.
        if !matches!(upstream.state(), State::Starting) {
            return None;
        }
        let server = Arc::clone(upstream.name());
        let texts = results.iter().filter_map(|it| it.message().payload());
        self.kept
            .note(&server, list.method, Answer::Old(Fingerprint::of(texts)));
        let pages = results.into_iter().map(|it| Page::new(list, it));
        Some(Listing::of_all(server, pages.collect()))
    }

    /// Notes that a list was answered without a server.
    pub(super) fn left_out(&self, server: &Arc<str>, list: &'static List) {
        self.kept.note(server, list.method, Answer::LeftOut);
    }

    /// Keeps a list, if it is whole, and if it is one that lasts.
    pub(super) fn keep_listing(
        &self,
        upstream: &Upstream,
        list: &'static List,
        listing: &Listing<Page>,
    ) {
        if listing.is_whole() && list.changed.is_some() {
            let pages = listing.pages.iter();
            let results = pages.filter_map(|(_, page)| page.result().payload());
            self.keep(upstream, list.method, results.collect());
        }
    }

    /// Keeps a list that a wrapped server has answered, once the client has walked
    /// through all of its pages.
    pub(super) fn keep_page(
        &self,
        upstream: &Upstream,
        list: &'static List,
        request: &Message,
        answer: &Cleared,
    ) {
        if answer.message().kind() == Kind::Error {
            return;
        }
        let cursor = request.value("/cursor").filter(|cursor| *cursor != "null");
        let page = Page::new(list, answer.clone());
        if let Some(pages) = self.kept.walked(list, cursor, page, self.longest_page()) {
            let listing = Listing::of_all(Arc::clone(upstream.name()), pages);
            self.keep_listing(upstream, list, &listing);
        }
    }

    /// What follows when a server is ready after the client was welcomed: it may
    /// have asked for lists before.
    pub(super) async fn joined(&self, upstream: &Upstream, ready: &Ready) {
        let server = upstream.name();
        let welcomed = self.kept.noted(server, OPENING);
        let mut changed = Vec::new();
        for list in LISTS {
            let has_changed = match self.kept.noted(server, list.method) {
                _ if !ready.offers(list.capability) => false,
                Some(Answer::Old(had) | Answer::Fresh(had)) => {
                    self.has(upstream, ready, list).await != Some(had)
                }
                // Whoever knows what it can do will ask for it.
                None => !matches!(welcomed, Some(Answer::Old(_))),
                Some(Answer::LeftOut) => true,
            };
            if has_changed {
                changed.push(list.method);
            }
        }
        self.lists_changed(|list| changed.contains(&list.method))
            .await;
    }

    /// Keeps what a server has answered to `initialize`.
    pub(super) fn keep_opening(&self, upstream: &Upstream, ready: &Ready) {
        let opening = ready.introduction.message().payload();
        self.keep(upstream, OPENING, opening.into_iter().collect());
    }

    /// Sees to it that a list which has changed is not kept as it was, even if
    /// the client does not ask for it.
    pub(super) fn outdated(self: &Arc<Self>, server: &Arc<str>, method: &str) {
        for list in LISTS {
            let Some(Answer::Fresh(had)) = self.kept.noted(server, list.method) else {
                continue;
            };
            if list.changed != Some(method) || self.kept.store.is_none() {
                continue;
            }
            self.kept.note(server, list.method, Answer::Old(had));
            let (session, server) = (Arc::downgrade(self), Arc::clone(server));
            tokio::spawn(async move {
                tokio::time::sleep(LATE).await;
                let Some(session) = session.upgrade() else {
                    return;
                };
                let old = session.kept.noted(&server, list.method) == Some(Answer::Old(had));
                if let (true, Some(upstream)) = (old, session.catalog.upstream(&server))
                    && let Some(ready) = upstream.ready()
                {
                    // That it has changed, the client knows.
                    session.has(&upstream, &ready, list).await;
                }
            });
        }
    }

    /// Asks a server for a list by itself, and keeps it.
    async fn has(
        &self,
        upstream: &Upstream,
        ready: &Ready,
        list: &'static List,
    ) -> Option<Fingerprint> {
        let request = list_request(list, &ready.client);
        match self.listing(list, upstream, ready, request, None).await {
            Ok(listing) if !listing.is_whole() => return None,
            Ok(_) => {}
            Err(failure) => {
                let (server, why) = (&**upstream.name(), failure.kind());
                tracing::warn!(server, method = list.method, "not listed: {why}");
            }
        }
        match self.kept.noted(upstream.name(), list.method) {
            Some(Answer::Fresh(has)) => Some(has),
            _ => None,
        }
    }

    /// A starting server's results from last time, as the guardrails of today
    /// leave them.
    async fn kept(
        &self,
        upstream: &Upstream,
        what: &'static str,
        request: &Message,
    ) -> Option<Vec<Cleared>> {
        let store = self.kept.store.clone()?;
        if !matches!(upstream.state(), State::Starting) {
            return None;
        }
        let key = self.key(upstream)?;
        let load = move || store.load(&key, what);
        let results = tokio::task::spawn_blocking(load).await.ok()??;
        let chain = self.chain.load_full();
        let envelope = Envelope {
            session: Arc::clone(&self.id),
            exchange: None,
            server: Arc::clone(upstream.name()),
            method: request.method().unwrap_or_default().into(),
            kind: Kind::Response.into(),
            direction: Direction::ToClient,
            subject: None,
        };
        let circumstances = Circumstances {
            request: Some(request.clone()),
            ..Circumstances::default()
        };
        let mut cleared = Vec::with_capacity(results.len());
        for result in results {
            let message = Message::result("0", &result);
            let admitted = gate::admit(&chain, &envelope, message, &circumstances).await;
            // It is waited for instead, and then judged again.
            cleared.push(admitted.ok()?);
        }
        Some(cleared)
    }

    /// Keeps results, if they are others than those that are kept.
    fn keep(&self, upstream: &Upstream, method: &'static str, results: Vec<&str>) {
        let fingerprint = Fingerprint::of(results.iter().copied());
        let fresh = Answer::Fresh(fingerprint);
        let had = self.kept.note(upstream.name(), method, fresh);
        if matches!(had, Some(Answer::Fresh(had) | Answer::Old(had)) if had == fingerprint) {
            return;
        }
        if let (Some(store), Some(key)) = (self.kept.store.clone(), self.key(upstream)) {
            let results: Vec<String> = results.into_iter().map(str::to_owned).collect();
            tokio::task::spawn_blocking(move || {
                if let Err(error) = store.save(&key, method, &results) {
                    tracing::debug!(method, "a catalog cannot be kept: {error}");
                }
            });
        }
    }

    fn key(&self, upstream: &Upstream) -> Option<Key> {
        let mut client = self.client()?.fingerprint();
        // What was kept while nothing was hidden may show what has to be.
        if self.settings.pinning == Pinning::Hide {
            client.push_str(" pinned whole");
        }
        Some(Key::of(&upstream.server, &client))
    }
}
