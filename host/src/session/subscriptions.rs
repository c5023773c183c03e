//! Has servers tell of changes: each kind of server in its own way, for as long
//! as somebody listens.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rmcp::model::ErrorCode;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout};

use super::Session;
use super::asked::Asking;
use super::failure::Failure;
use super::filter::Filter;
use super::listeners::{ACKNOWLEDGED, Listener};
use super::requests::Reply;
use crate::catalog::Route;
use crate::chain::Circumstances;
use crate::gate::{self, Admitted};
use crate::guardrail::{Direction, Envelope};
use crate::message::{self, Message, quote, string};
use crate::protocol::Bridge;
use crate::upstream::{Ready, Upstream};

const LISTEN: &str = "subscriptions/listen";

/// How long to wait with the next try when a server has ended a subscription.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a subscription that takes another's place may take to be acknowledged.
const TAKING_OVER: Duration = Duration::from_secs(2);

/// Resources that a client may listen to at a time, or be subscribed to at modern
/// servers.
const SUBSCRIPTIONS: usize = 4096;

/// The resources of modern servers that a legacy client has subscribed to, each
/// with its server.
pub(super) type Subscribed = BTreeSet<(Arc<str>, String)>;

/// Whether a server does as it is asked, or asking again would change nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heeds {
    Yes,
    No,
}

/// What listens for a legacy client.
struct Kept {
    listener: Arc<Listener>,
    /// What the server says that it will tell.
    words: mpsc::Receiver<(Arc<str>, Filter)>,
    task: AbortHandle,
}

impl Session {
    /// Keeps telling a modern client of changes until it does not want to know
    /// any more.
    pub(super) async fn listen(
        self: &Arc<Self>,
        request: &Message,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        let wants = Filter::of(request);
        if wants.uris.len() > SUBSCRIPTIONS {
            return Err(invalid(format!(
                "Invalid params: more than {SUBSCRIPTIONS} resources to listen to"
            )));
        }
        let upstreams = self.catalog.upstreams();
        let (honoured, words) = mpsc::channel(16);
        let listener = Arc::new(Listener {
            id: request.id().map(Into::into),
            wants,
            honoured,
            is_told: AtomicBool::new(false),
        });
        // Known from now on, so that nobody else's end ends what it is about to get.
        self.listeners.all().push(Arc::clone(&listener));
        let mut following = JoinSet::new();
        for upstream in upstreams.iter() {
            following.spawn(Arc::clone(self).follow(
                Arc::clone(upstream),
                Arc::clone(&listener),
                request.clone(),
            ));
        }
        tokio::select! {
            _ = asking.cancelled() => {}
            () = self.keep_told(&listener, words, upstreams.len(), asking.id()) => {}
        }
        listener.is_told.store(false, Ordering::Relaxed);
        self.listeners
            .all()
            .retain(|other| !Arc::ptr_eq(other, &listener));
        self.stop_listening(&listener);
        following.abort_all();
        self.unsubscribe(&listener).await;
        Err(Failure::Cancelled)
    }

    /// Acknowledges what servers will tell once so many of them have said so, and
    /// goes on for ever.
    async fn keep_told(
        &self,
        listener: &Listener,
        mut words: mpsc::Receiver<(Arc<str>, Filter)>,
        servers: usize,
        about: Arc<str>,
    ) {
        let mut will_tell = Filter::default();
        let deadline = Instant::now() + self.settings.ready_timeout;
        let mut heard = BTreeSet::new();
        while heard.len() < servers {
            tokio::select! {
                Some((server, filter)) = words.recv() => {
                    heard.insert(server);
                    will_tell.unite(filter);
                }
                () = tokio::time::sleep_until(deadline) => break,
            }
        }
        if servers != 1 || heard.is_empty() {
            // Servers come and go, of which the gateway tells itself.
            let wants = &listener.wants;
            will_tell.tools = wants.tools;
            will_tell.prompts = wants.prompts;
            will_tell.resources = wants.resources;
        }
        // No guardrail has seen what servers wrote: only the client's own words are
        // said back.
        will_tell.keep(&listener.wants);
        let params = format!(r#"{{"notifications":{}}}"#, will_tell.to_json());
        let acknowledged = Message::notification(ACKNOWLEDGED, Some(&params));
        if let Some(acknowledged) = listener.address(&acknowledged) {
            // A client that does not read any more ends the session elsewhere.
            let acknowledged = Admitted::own(acknowledged).about(Some(about));
            let _ = self.client.send(acknowledged).await;
        }
        listener.is_told.store(true, Ordering::Relaxed);
        // Later words of servers that were started again change nothing.
        while words.recv().await.is_some() {}
        std::future::pending().await
    }

    /// Has one server tell of changes, through all its restarts.
    async fn follow(
        self: Arc<Self>,
        upstream: Arc<Upstream>,
        listener: Arc<Listener>,
        request: Message,
    ) {
        let name = Arc::clone(upstream.name());
        let nothing = || (Arc::clone(&name), Filter::default());
        let patience = self.settings.ready_timeout;
        if upstream.settled(patience).await.is_err() {
            // Nobody has to wait for what a server says that is down.
            let _ = listener.honoured.send(nothing()).await;
        }
        while let Some(ready) = upstream.usable().await {
            let filter = Filter {
                uris: self.uris_of(&upstream, &listener.wants.uris),
                ..listener.wants.clone()
            };
            match ready.bridge {
                Bridge::ToLegacy => {
                    let filter = self.subscribe(&ready, filter).await;
                    let _ = listener.honoured.send((Arc::clone(&name), filter)).await;
                    ready.run.gone().await;
                }
                Bridge::None | Bridge::ToModern if filter.is_empty() => {
                    let _ = listener.honoured.send((Arc::clone(&name), filter)).await;
                    ready.run.gone().await;
                }
                Bridge::None | Bridge::ToModern => {
                    let own = |uri: &String| self.own_uri(&upstream, uri);
                    let filter = Filter {
                        uris: filter.uris.iter().filter_map(own).collect(),
                        ..filter
                    };
                    let narrowed = match filter == listener.wants {
                        true => Ok(request.clone()),
                        false => request.with_payload_member(&["notifications"], &filter.to_json()),
                    };
                    let request = narrowed.unwrap_or_else(|_| request.clone());
                    let heeds = self.listen_at(&ready, &listener, request).await;
                    // A server that does not tell of anything need not be waited for.
                    let _ = listener.honoured.send(nothing()).await;
                    if heeds == Heeds::No {
                        ready.run.gone().await;
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Listens to a modern server until it ends that.
    async fn listen_at(
        &self,
        ready: &Arc<Ready>,
        listener: &Arc<Listener>,
        request: Message,
    ) -> Heeds {
        let ended = match self.to_server(ready, request, None) {
            Ok(mut call) => {
                call.listener = Some(Arc::clone(listener));
                self.converse(call, None).await
            }
            Err(failure) => Err(failure),
        };
        match ended {
            Ok(answer) if answer.message().kind() == message::Kind::Response => Heeds::Yes,
            Ok(_) | Err(Failure::Refused(_) | Failure::Protocol { .. }) => {
                tracing::debug!(server = &*ready.run.server, "it does not tell of changes");
                Heeds::No
            }
            Err(_) => Heeds::Yes,
        }
    }

    /// Ends what servers do for a listener.
    fn stop_listening(&self, listener: &Arc<Listener>) {
        for (side, number) in self.exchanges.of_listener(listener) {
            let params = format!(r#"{{"requestId":{number}}}"#);
            let cancelled = Message::notification("notifications/cancelled", Some(&params));
            // A server that does not read is not waited for.
            let _ = self.outbox(&side).try_send(Admitted::own(cancelled));
        }
    }

    /// Subscribes to resources at a legacy server; returns what it will tell of.
    async fn subscribe(&self, ready: &Arc<Ready>, mut filter: Filter) -> Filter {
        filter.tools &= ready.offers("tools");
        filter.prompts &= ready.offers("prompts");
        filter.resources &= ready.offers("resources");
        let mut uris = BTreeSet::new();
        for uri in filter.uris {
            if self
                .about_resource(ready, "resources/subscribe", &uri)
                .await
            {
                uris.insert(uri);
            }
        }
        Filter { uris, ..filter }
    }

    /// Ends the subscriptions that nobody else has.
    async fn unsubscribe(&self, listener: &Listener) {
        for upstream in self.catalog.upstreams().iter() {
            let Some(ready) = upstream.ready() else {
                continue;
            };
            if ready.bridge != Bridge::ToLegacy {
                continue;
            }
            for uri in self.uris_of(upstream, &listener.wants.uris) {
                let wanted = self
                    .listeners
                    .all()
                    .iter()
                    .any(|l| l.wants.uris.contains(&uri));
                if !wanted {
                    self.about_resource(&ready, "resources/unsubscribe", &uri)
                        .await;
                }
            }
        }
    }

    /// Whether a legacy server does something about a resource.
    async fn about_resource(&self, ready: &Arc<Ready>, method: &str, uri: &str) -> bool {
        let params = format!(r#"{{"uri":{}}}"#, quote(uri));
        let request = Message::request("0", method, Some(&params));
        let (request, subject) = match self.catalog.route(&request) {
            Ok(
                Route::One {
                    request, subject, ..
                }
                | Route::Search {
                    request, subject, ..
                },
            ) => (request, subject),
            _ => return false,
        };
        let Ok(call) = self.to_server(ready, request, subject) else {
            return false;
        };
        let limit = self.settings.ready_timeout;
        let answer = tokio::time::timeout(limit, self.converse(call, None)).await;
        matches!(answer, Ok(Ok(answer)) if answer.message().kind() == message::Kind::Response)
    }

    /// Those of some resources that are a server's, as the client calls them.
    fn uris_of(&self, upstream: &Arc<Upstream>, uris: &BTreeSet<String>) -> BTreeSet<String> {
        let is_theirs = |uri: &&String| self.own_uri(upstream, uri).is_some();
        uris.iter().filter(is_theirs).cloned().collect()
    }

    /// What a server calls a resource, if it is that server's.
    fn own_uri(&self, upstream: &Arc<Upstream>, uri: &str) -> Option<String> {
        let params = format!(r#"{{"uri":{}}}"#, quote(uri));
        let request = Message::request("0", "resources/subscribe", Some(&params));
        let (owner, request) = match self.catalog.route(&request).ok()? {
            Route::One {
                upstream, request, ..
            } => (upstream, request),
            // Nobody knows, so the likeliest is asked.
            Route::Search {
                upstreams, request, ..
            } => (upstreams.into_iter().next()?, request),
            _ => return None,
        };
        let own = request.value("/uri").and_then(string)?;
        Arc::ptr_eq(&owner, upstream).then(|| own.into_owned())
    }

    /// Heeds a legacy client's subscription to a resource of a modern server, if
    /// the guardrails let it; `None` if the request is something else.
    pub(super) async fn subscribe_at(
        &self,
        ready: &Ready,
        request: &Message,
        subject: Option<&Arc<str>>,
    ) -> Result<Option<Reply>, Failure> {
        let subscribes = match request.method() {
            Some("resources/subscribe") => true,
            Some("resources/unsubscribe") => false,
            _ => return Ok(None),
        };
        let chain = self.chain.load_full();
        let envelope = Envelope {
            subject: subject.cloned(),
            ..self.note_envelope(&ready.run.server, request, Direction::ToServer)
        };
        let first = Circumstances::default();
        let cleared = gate::admit(&chain, &envelope, request.clone(), &first).await?;
        let uri = cleared.message().value("/uri").and_then(string);
        let uri = uri.ok_or_else(|| invalid("Invalid params: uri is missing".into()))?;
        let entry = (Arc::clone(&ready.run.server), uri.into_owned());
        let mut is_full = false;
        self.subscribed.send_if_modified(|subscribed| {
            is_full =
                subscribes && subscribed.len() >= SUBSCRIPTIONS && !subscribed.contains(&entry);
            match subscribes {
                true => !is_full && subscribed.insert(entry),
                false => subscribed.remove(&entry),
            }
        });
        if is_full {
            return Err(invalid(format!(
                "{SUBSCRIPTIONS} resources are subscribed to, which is the most; unsubscribe from some first"
            )));
        }
        Ok(Some(Reply::Own("{}".into())))
    }

    /// Listens to a modern server for a legacy client, for as long as both are
    /// there.
    pub(super) async fn listen_for_legacy(self: &Arc<Self>, ready: &Arc<Ready>) {
        let mut subscribed = self.subscribed.subscribe();
        let mut tasks = JoinSet::new();
        // A server that does not know a resource may refuse all that is asked with
        // it, so lists are not asked for with resources.
        let lists = Filter {
            tools: ready.tells_of("tools"),
            prompts: ready.tells_of("prompts"),
            resources: ready.tells_of("resources"),
            ..Filter::default()
        };
        let _lists = self.keep_listening(&mut tasks, ready, lists);
        let mut listening: Option<Kept> = None;
        loop {
            let resources = Filter {
                uris: subscribed
                    .borrow_and_update()
                    .iter()
                    .filter(|(server, _)| *server == ready.run.server)
                    .map(|(_, uri)| uri.clone())
                    .collect(),
                ..Filter::default()
            };
            let before = listening.take();
            listening = self.keep_listening(&mut tasks, ready, resources);
            if let Some(before) = before {
                // Nothing is missed: the next one listens before this one ends.
                if let Some(kept) = &mut listening {
                    let _ = timeout(TAKING_OVER, kept.words.recv()).await;
                }
                self.stop_listening(&before.listener);
                before.task.abort();
            }
            while tasks.try_join_next().is_some() {}
            if subscribed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Listens to a modern server, and once more whenever it ends that.
    fn keep_listening(
        self: &Arc<Self>,
        tasks: &mut JoinSet<()>,
        ready: &Arc<Ready>,
        wants: Filter,
    ) -> Option<Kept> {
        if wants.is_empty() {
            return None;
        }
        let (honoured, words) = mpsc::channel(1);
        let listener = Arc::new(Listener {
            id: None,
            wants: wants.clone(),
            honoured,
            is_told: AtomicBool::new(true),
        });
        let listening = Arc::clone(self).listen_on(Arc::clone(ready), Arc::clone(&listener), wants);
        let task = tasks.spawn(listening);
        Some(Kept {
            listener,
            words,
            task,
        })
    }

    /// The same for a part of what is wanted. One resource that a server does not
    /// know costs no other: what is refused is asked for in halves.
    fn listen_on(
        self: Arc<Self>,
        ready: Arc<Ready>,
        listener: Arc<Listener>,
        wants: Filter,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            let params = format!(r#"{{"notifications":{}}}"#, wants.to_json());
            let request = Message::request("0", LISTEN, Some(&params));
            while self.listen_at(&ready, &listener, request.clone()).await == Heeds::Yes {
                tokio::time::sleep(PAUSE).await;
            }
            if let Some((one, other)) = wants.halves() {
                let one =
                    Arc::clone(&self).listen_on(Arc::clone(&ready), Arc::clone(&listener), one);
                let other = self.listen_on(ready, listener, other);
                tokio::join!(one, other);
            } else {
                // Asking again would change nothing.
                ready.run.gone().await;
            }
        })
    }
}

fn invalid(message: String) -> Failure {
    Failure::Protocol {
        code: ErrorCode::INVALID_PARAMS.0.into(),
        message,
        data: None,
    }
}
