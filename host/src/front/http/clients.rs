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

/// A session that nobody has used for so long may be one that its client has left without
/// a word, as many do. It makes way for another when there are too many. So does one whose
/// client does nothing but listen, after as long as ends a session that nobody uses.
const LEFT: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 300_000 });

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
    Another,
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
        if table.served.len() >= self.most && !table.end_one_that_is_left(self.idle) {
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
                Some(End::Another) => {
                    tracing::info!("a session that nobody uses makes way for another");
                }
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

impl Table {
    /// Ends the session that nobody has used for longest, if that may have been left;
    /// rather one that nobody listens to.
    fn end_one_that_is_left(&mut self, idle: Duration) -> bool {
        let left_for = |served: &Served| match served.streams.quiet_since() {
            Some(quiet) => Some((true, quiet.elapsed())).filter(|(_, it)| *it >= LEFT),
            None => {
                let unused = served.streams.unused_since()?.elapsed();
                (unused >= idle).then_some((false, unused))
            }
        };
        let left = self.served.iter();
        let left = left.filter_map(|(key, it)| Some((left_for(it)?, key)));
        let key = left
            .max_by_key(|(left, _)| *left)
            .map(|(_, key)| key.clone());
        let served = key.and_then(|key| self.served.remove(&key));
        served
            .inspect(|served| served.finish(End::Another))
            .is_some()
    }
}

impl Served {
    fn finish(&self, why: End) {
        self.end.send_replace(Some(why));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::capability::state::States;
    use crate::config::Gateway;

    #[tokio::test]
    async fn a_session_that_was_left_makes_way_and_one_that_is_listened_to_does_not() {
        let sessions = Sessions::new(
            Arc::default(),
            States::default(),
            Gateway::default(),
            Vec::new(),
        );
        let clients = Clients::new(Arc::new(sessions), 1, Duration::from_secs(1800));
        let key = |id: &str| Key::Session(id.into());
        clients.find_or_open(key("left")).await.unwrap();
        let another = loop {
            match clients.find_or_open(key("another")).await {
                Ok(served) => break served,
                Err(error) => assert_eq!(error, NotServed::TooMany(1)),
            }
            tokio::task::yield_now().await;
        };
        assert!(clients.find(&key("left")).await.is_none());
        let _listening = another.streams.standing().unwrap();
        tokio::time::sleep(LEFT).await;
        let third = clients.find_or_open(key("third")).await;
        assert_eq!(third.err(), Some(NotServed::TooMany(1)));
    }

    #[tokio::test]
    async fn who_only_listens_for_long_makes_way_and_who_waits_for_an_answer_does_not() {
        let sessions = Sessions::new(
            Arc::default(),
            States::default(),
            Gateway::default(),
            Vec::new(),
        );
        let clients = Clients::new(Arc::new(sessions), 1, LEFT);
        let key = |id: &str| Key::Session(id.into());
        let ghost = clients.find_or_open(key("ghost")).await.unwrap();
        let _listening = ghost.streams.standing().unwrap();
        tokio::time::sleep(LEFT).await;
        let waiting = clients.find_or_open(key("waiting")).await.unwrap();
        let _answer = waiting.streams.open(&["1".into()]).unwrap();
        assert!(clients.find(&key("ghost")).await.is_none());
        tokio::time::sleep(LEFT).await;
        let third = clients.find_or_open(key("third")).await;
        assert_eq!(third.err(), Some(NotServed::TooMany(1)));
    }
}
