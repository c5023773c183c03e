//! One client and its servers: every message of either side comes in through
//! `Session::relay`, and every one leaves admitted by the gate.
//!
//! Exchanges run beside each other, so a slow check holds up nobody else's
//! call. Within an exchange messages keep their order, and so do one sender's
//! notifications; an answer never overtakes what its sender sent before it.

mod approval;
mod asked;
mod batch;
mod call;
mod changes;
mod clock;
mod converse;
mod exchanges;
mod failure;
mod filter;
mod inputs;
mod kept;
mod limits;
mod listeners;
mod lists;
mod metadata;
mod modern;
mod notes;
mod pinned;
mod purpose;
mod reconnect;
mod recording;
mod relay;
mod replay;
mod requests;
mod rounds;
mod salvage;
mod search;
mod seen;
mod sessions;
mod subscriptions;
mod supervise;
mod translation;
mod vetted;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::capability::state::Lease;
use crate::catalog::Catalog;
use crate::chain::Chain;
use crate::config::{Gateway, Server};
use crate::message::Message;
use crate::protocol::{Era, Hello};
use crate::upstream::reaper::Reaper;
use crate::upstream::{State, Upstream};
use crate::wire::{Outbox, Room};
use approval::Questions;
use asked::Asked;
use changes::Changes;
use exchanges::{Exchanges, Side};
use kept::Kept;
use listeners::Listeners;
use notes::Notes;
use pinned::Pinned;
use replay::Replay;
use rounds::Rounds;
pub use seen::{SeenServer, SeenSession};
pub use sessions::Sessions;
use subscriptions::Subscribed;

/// How long answers may take that are outstanding when the client leaves.
const DRAIN: Duration = Duration::from_millis(1000);

/// One client's connection.
pub struct Session {
    id: Arc<str>,
    chain: Arc<ArcSwap<Chain>>,
    /// What guardrails keep for it.
    state: Lease,
    catalog: Catalog,
    settings: Gateway,
    client: Outbox,
    /// Whether several clients may be behind it, of which none must get what is
    /// another's.
    is_shared: bool,
    /// Room for what the client sent and nobody has taken yet.
    client_room: Room,
    notes: Notes,
    exchanges: Exchanges,
    asked: Asked,
    changes: Changes,
    replay: Replay,
    kept: Kept,
    pinned: Pinned,
    rounds: Rounds,
    questions: Questions,
    listeners: Listeners,
    /// What a legacy client wants to be told of the resources of modern servers.
    subscribed: watch::Sender<Subscribed>,
    /// The least severe log messages that a legacy client wants, as it wrote that.
    log_level: std::sync::Mutex<Option<Arc<str>>>,
    handshake: watch::Sender<Handshake>,
    /// The tasks that look after the servers, and how to stop each.
    servers: tokio::sync::Mutex<Supervised>,
    reaper: Option<Reaper>,
}

#[derive(Default)]
struct Supervised {
    /// Whether the session has ended: a reload that comes late starts nothing.
    closed: bool,
    tasks: JoinSet<()>,
    stops: Vec<(Arc<Upstream>, watch::Sender<bool>)>,
}

/// How far the client has come in opening the session.
#[derive(Debug, Clone, Default)]
struct Handshake {
    /// What it says about itself, and when it first did.
    hello: Option<(Arc<Hello>, Instant)>,
    /// Whether its `initialize` has been answered.
    welcomed: bool,
    /// Its `notifications/initialized`.
    initialized: Option<Message>,
}

/// What a session is made with.
pub struct Opening {
    /// Its id; two sessions never share one.
    pub id: Arc<str>,
    /// The guardrails, as they are from time to time.
    pub chain: Arc<ArcSwap<Chain>>,
    /// What guardrails keep for it.
    pub state: Lease,
    /// Gateway-wide settings.
    pub settings: Gateway,
    /// Where messages for the client are left.
    pub client: Outbox,
    /// Whether several clients that nobody can tell apart may use the session.
    pub is_shared: bool,
    /// What ends the servers if the gateway is killed.
    pub reaper: Option<Reaper>,
}

impl Session {
    /// Opens a session. Its servers start at once, before the client says its
    /// first word, so that they are ready when it asks.
    pub async fn open(opening: Opening, servers: &[Server]) -> Arc<Self> {
        let session = Arc::new(Self {
            catalog: Catalog::new(opening.settings.naming, Vec::new()),
            kept: Kept::open(&opening.settings),
            pinned: Pinned::open(opening.settings.pinning),
            id: opening.id,
            chain: opening.chain,
            state: opening.state,
            settings: opening.settings,
            client: opening.client,
            is_shared: opening.is_shared,
            client_room: Room::new(),
            notes: Notes::new(),
            exchanges: Exchanges::default(),
            asked: Asked::default(),
            changes: Changes::default(),
            replay: Replay::default(),
            rounds: Rounds::default(),
            questions: Questions::default(),
            listeners: Listeners::default(),
            subscribed: watch::Sender::default(),
            log_level: std::sync::Mutex::default(),
            handshake: watch::Sender::default(),
            servers: tokio::sync::Mutex::default(),
            reaper: opening.reaper,
        });
        session.set_servers(servers).await;
        session
    }

    /// Starts the servers that are new and ends those that are gone. A server
    /// whose configuration changed is both.
    pub async fn set_servers(self: &Arc<Self>, wanted: &[Server]) {
        let mut supervised = self.servers.lock().await;
        if supervised.closed {
            return;
        }
        // Those that have ended already.
        while supervised.tasks.try_join_next().is_some() {}
        let first = supervised.stops.is_empty();
        supervised.stops.retain(|(upstream, stop)| {
            let stays = wanted.contains(&upstream.server);
            if !stays {
                stop.send_replace(true);
            }
            stays
        });
        let mut upstreams = Vec::with_capacity(wanted.len());
        for server in wanted {
            let running = supervised
                .stops
                .iter()
                .find(|(upstream, _)| upstream.server == *server);
            let upstream = match running {
                Some((upstream, _)) => Arc::clone(upstream),
                None => {
                    let upstream = Upstream::new(server.clone());
                    self.kept.forget(Some(upstream.name()));
                    let (stop, stopped) = watch::channel(false);
                    supervised.tasks.spawn(supervise::supervise(
                        Arc::clone(self),
                        Arc::clone(&upstream),
                        stopped,
                    ));
                    supervised.stops.push((Arc::clone(&upstream), stop));
                    upstream
                }
            };
            upstreams.push(upstream);
        }
        self.catalog.set_upstreams(upstreams);
        drop(supervised);
        if !first {
            self.lists_changed(|_| true).await;
        }
    }

    /// Gives answers that are about to come a moment to do so.
    pub async fn drain(&self) {
        let drained = async {
            while self.asked.any_from(&Side::Client) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        // Whether they came or not, the client has left.
        let _ = tokio::time::timeout(DRAIN, drained).await;
    }

    /// Ends the session: every server ends, all at a time.
    pub async fn close(&self) {
        let mut supervised = self.servers.lock().await;
        supervised.closed = true;
        for (_, stop) in supervised.stops.drain(..) {
            stop.send_replace(true);
        }
        while supervised.tasks.join_next().await.is_some() {}
        self.chain.load().forget(&self.id);
        self.state.end();
    }

    /// What the client said about itself.
    fn client(&self) -> Option<Arc<Hello>> {
        let handshake = self.handshake.borrow();
        handshake.hello.as_ref().map(|(hello, _)| Arc::clone(hello))
    }

    /// Of which era the client is; legacy until it shows.
    fn client_era(&self) -> Era {
        let handshake = self.handshake.borrow();
        let hello = handshake.hello.as_ref();
        hello.map_or(Era::Legacy, |(hello, _)| hello.era)
    }

    /// Takes notice of what a request says about the client.
    ///
    /// The first that says something opens the servers. Some clients ask
    /// `server/discover` and go on with `initialize` all the same; the servers are
    /// then opened anew, since those of both eras stay with what came first.
    fn greet(&self, request: &Message) {
        let opens = request.method() == Some("initialize");
        let known = self.handshake.borrow().hello.as_ref().map(|it| it.0.era);
        if known.is_some() && !(opens && known == Some(Era::Modern)) {
            return;
        }
        let Some(hello) = Hello::of(request) else {
            return;
        };
        if known.is_some() {
            tracing::info!("the client goes on with initialize: servers are opened anew");
            let upstreams = self.catalog.upstreams();
            for upstream in upstreams.iter().filter(|it| it.ready().is_some()) {
                upstream.set_state(State::Starting);
            }
            self.kept.forget(None);
        }
        self.handshake.send_modify(|handshake| {
            *handshake = Handshake {
                hello: Some((Arc::new(hello), Instant::now())),
                ..Handshake::default()
            };
        });
    }

    /// Where messages for whoever is at a side are left.
    fn outbox<'a>(&'a self, side: &'a Side) -> &'a Outbox {
        match side {
            Side::Client => &self.client,
            Side::Server(run) => &run.outbox,
        }
    }

    /// Room for what a side sent and nobody has taken yet.
    fn room<'a>(&'a self, side: &'a Side) -> &'a Room {
        match side {
            Side::Client => &self.client_room,
            Side::Server(run) => &run.room,
        }
    }
}
