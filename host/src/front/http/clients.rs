//! The clients that are served: a session each, and its life from the first
//! request to the last.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::streams::{Sent, Streams};
use crate::protocol::Mirrored;
use crate::session::{Session, Sessions};
use crate::wire::{Queue, queue};

/// All clients.
pub(super) struct Clients {
    sessions: Arc<Sessions>,
    most: usize,
    idle: Duration,
    /// Held while a session opens, so that nobody opens the same twice.
    table: tokio::sync::Mutex<Table>,
    tasks: Mutex<JoinSet<()>>,
}

#[derive(Default)]
struct Table {
    served: HashMap<Key, Arc<Served>>,
    closed: bool,
}

/// By what a request finds its session.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// The id that the client got when it opened its session, which nobody
    /// else knows.
    Session(Box<str>),
    /// What is the same in all requests of one client: a digest of it.
    Identity([u8; 32]),
}

/// A session, and the streams that its messages leave on.
pub(super) struct Served {
    pub(super) session: Arc<Session>,
    pub(super) streams: Streams,
    /// The parameters of tools that its client repeats in headers.
    pub(super) mirrored: Mirrored,
    end: watch::Sender<Option<End>>,
}

/// Why a session ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Client,
    Gateway,
}

/// Why a client is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotServed {
    #[error(
        "{0} sessions are open, which is the most that this gateway serves (--max-sessions); try again later"
    )]
    TooMany(usize),
    #[error("the gateway is ending")]
    Ending,
}

impl Clients {
    pub(super) fn new(sessions: Arc<Sessions>, most: usize, idle: Duration) -> Arc<Self> {
        Arc::new(Self {
            sessions,
            most,
            idle,
            table: tokio::sync::Mutex::default(),
            tasks: Mutex::default(),
        })
    }

    /// The longest message, in bytes.
    pub(super) fn max_message(&self) -> usize {
        self.sessions.max_message()
    }

    /// The session of a key that is in use.
    pub(super) async fn find(&self, key: &Key) -> Option<Arc<Served>> {
        let served = self.table.lock().await.served.get(key).cloned()?;
        served.streams.touch();
        Some(served)
    }

    /// The session of a key, which is opened if there is none.
    pub(super) async fn find_or_open(self: &Arc<Self>, key: Key) -> Result<Arc<Served>, NotServed> {
        let mut table = self.table.lock().await;
        if table.closed {
            return Err(NotServed::Ending);
        }
        if let Some(served) = table.served.get(&key) {
            served.streams.touch();
            return Ok(Arc::clone(served));
        }
        if table.served.len() >= self.most {
            return Err(NotServed::TooMany(self.most));
        }
        let (sent, is_shared) = match key {
            Key::Session(_) => (Sent::Kept, false),
            Key::Identity(_) => (Sent::Forgotten, true),
        };
        let (outbox, queue) = queue();
        let served = Arc::new(Served {
            session: self.sessions.open(outbox, is_shared).await,
            streams: Streams::new(sent),
            mirrored: Mirrored::default(),
            end: watch::Sender::default(),
        });
        table.served.insert(key.clone(), Arc::clone(&served));
        drop(table);
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(Arc::clone(self).serve(key, Arc::clone(&served), queue));
        Ok(served)
    }

    /// Ends the session of a key, and waits until nobody can find it any more.
    /// Whether there was one.
    pub(super) async fn end(&self, key: &Key) -> bool {
        let served = self.table.lock().await.served.remove(key);
        served
            .inspect(|served| served.finish(End::Client))
            .is_some()
    }

    /// Ends all sessions, and waits for the end of all their servers.
    pub(super) async fn end_all(&self) {
        let mut table = self.table.lock().await;
        table.closed = true;
        for served in table.served.values() {
            served.finish(End::Gateway);
        }
        drop(table);
        let tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.join_all().await;
    }

    /// Hands a session's messages to its streams until it ends, and ends it.
    async fn serve(self: Arc<Self>, key: Key, served: Arc<Served>, mut queue: Queue) {
        let deliver = async {
            while let Some(message) = queue.next().await {
                served.streams.deliver(message).await;
            }
        };
        let life = async {
            let mut end = served.end.subscribe();
            let end = tokio::select! {
                end = end.wait_for(Option::is_some) => end.map_or(None, |end| *end),
                () = self.idle(&key, &served) => None,
            };
            match end {
                Some(End::Gateway) => served.session.drain().await,
                Some(End::Client) => tracing::info!("the client has ended its session"),
                None => tracing::info!("a session ends: nobody has used it for {:?}", self.idle),
            }
            served.streams.end();
            served.session.close().await;
        };
        // Messages are taken to the last, so that nobody waits for room.
        tokio::select! {
            () = life => {}
            () = async { deliver.await; std::future::pending().await } => {}
        }
    }

    /// Waits until nobody has used a session for long, and takes it out of the
    /// table.
    async fn idle(&self, key: &Key, served: &Served) {
        loop {
            let quiet = served
                .streams
                .quiet_since()
                .map_or(Duration::ZERO, |it| it.elapsed());
            if let Some(left) = self.idle.checked_sub(quiet).filter(|left| !left.is_zero()) {
                tokio::time::sleep(left).await;
                continue;
            }
            let mut table = self.table.lock().await;
            let still = served
                .streams
                .quiet_since()
                .map_or(Duration::ZERO, |it| it.elapsed());
            if still >= self.idle {
                table.served.remove(key);
                return;
            }
        }
    }
}

impl Served {
    fn finish(&self, why: End) {
        self.end.send_replace(Some(why));
    }
}
