//! The requests that wait for their answer.
//!
//! Ids are the gateway's own on each side, so that two servers' never meet:
//! an exchange is numbered, and its number is the request's id on its next hop.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::futures::Notified;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::listeners::Listener;
use super::notes::Before;
use super::purpose::Purpose;
use crate::message::{Message, string};
use crate::upstream::{Run, Undelivered};
use crate::wire::Taken;

/// Messages of one exchange that may wait for the guardrails.
const LANE: usize = 256;

/// How long somebody may still say something for an exchange that they were told
/// is over.
const WIND_DOWN: Duration = Duration::from_secs(10);

/// Who is at an end of an exchange.
#[derive(Debug, Clone)]
pub(super) enum Side {
    Client,
    Server(Arc<Run>),
}

/// What happens to an exchange that waits for its answer.
#[derive(Debug)]
pub(super) enum Event {
    /// A progress notification of it.
    Progress(Message, Taken),
    /// Its result or error.
    Answer(Answer),
    /// Its answer came, but is none.
    Unusable(String),
    /// No answer will come.
    Undelivered(Undelivered),
}

/// The answer that an exchange waited for.
#[derive(Debug)]
pub(super) struct Answer {
    /// The result or error.
    pub(super) message: Message,
    /// What of the same sender must be through before.
    pub(super) before: Option<Before>,
    /// The room that it takes.
    pub(super) room: Taken,
}

impl Side {
    /// Waits until nobody is there any more. The client's end is noticed
    /// elsewhere, and ends the session.
    pub(super) async fn gone(&self) -> Arc<str> {
        match self {
            Self::Client => std::future::pending().await,
            Self::Server(run) => run.gone().await,
        }
    }
}

/// A server that was started again is another one.
impl PartialEq for Side {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Client, Self::Client) => true,
            (Self::Server(one), Self::Server(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Side {}

impl Hash for Side {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Client => 0.hash(state),
            Self::Server(run) => Arc::as_ptr(run).addr().hash(state),
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client => f.write_str("client"),
            Self::Server(run) => f.write_str(&run.server),
        }
    }
}

/// All open exchanges of a session.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    table: Mutex<Table>,
    settled: Notify,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    open: BTreeMap<u64, Entry>,
    /// Those that were given up, by their number: who may still say something for
    /// them, and how long that is to be expected.
    given_up: HashMap<u64, (Side, Instant)>,
}

#[derive(Debug)]
struct Entry {
    /// Who is to answer.
    target: Side,
    /// For what it is; nobody asked for one of the gateway's own.
    purpose: Option<Purpose>,
    progress_token: Option<Box<str>>,
    lane: mpsc::Sender<Event>,
    /// Who listens to what comes until the answer.
    listener: Option<Arc<Listener>>,
}

/// An exchange, open until this is dropped.
#[derive(Debug)]
pub(super) struct Open<'a> {
    exchanges: &'a Exchanges,
    pub(super) number: u64,
    pub(super) events: mpsc::Receiver<Event>,
}

impl Exchanges {
    /// How many there were so far, and how many are open.
    pub(super) fn counts(&self) -> (u64, usize) {
        let table = self.table();
        (table.last, table.open.len())
    }

    /// Opens an exchange for a request.
    pub(super) fn open(
        &self,
        target: Side,
        purpose: Option<Purpose>,
        listener: Option<Arc<Listener>>,
    ) -> Open<'_> {
        let (lane, events) = mpsc::channel(LANE);
        let mut table = self.table();
        table.last += 1;
        let number = table.last;
        let entry = Entry {
            target,
            purpose,
            progress_token: None,
            lane,
            listener,
        };
        table.open.insert(number, entry);
        Open {
            exchanges: self,
            number,
            events,
        }
    }

    /// The lane of the exchange that an answer belongs to, if it comes from
    /// whom it should.
    pub(super) fn answered(&self, from: &Side, id: &str) -> Option<mpsc::Sender<Event>> {
        // Some servers send a number back as a string.
        let number = string(id).map_or_else(|| id.parse().ok(), |id| id.parse().ok())?;
        let mut table = self.table();
        if let Some(entry) = table.open.get(&number) {
            return (entry.target == *from).then(|| entry.lane.clone());
        }
        if table.given_up.get(&number).is_some_and(|it| it.0 == *from) {
            table.given_up.remove(&number);
            drop(table);
            self.has_settled();
        }
        None
    }

    /// The lane of the exchange that a progress notification belongs to.
    pub(super) fn progressed(&self, from: &Side, token: &str) -> Option<mpsc::Sender<Event>> {
        let table = self.table();
        let mut open = table.open.values();
        let entry = open.find(|entry| {
            entry.target == *from && entry.progress_token.as_deref() == Some(token)
        })?;
        Some(entry.lane.clone())
    }

    /// Who listens to the notifications of an exchange, by its number as a
    /// server wrote that.
    pub(super) fn listener(&self, from: &Side, number: &str) -> Option<Arc<Listener>> {
        let number = string(number).map_or_else(|| number.parse().ok(), |id| id.parse().ok())?;
        let table = self.table();
        let entry = table.open.get(&number)?;
        let listener = entry.listener.as_ref();
        listener.filter(|_| entry.target == *from).cloned()
    }

    /// The open exchanges that somebody listens to.
    pub(super) fn of_listener(&self, listener: &Arc<Listener>) -> Vec<(Side, u64)> {
        let table = self.table();
        let open = table.open.iter().filter(|(_, entry)| {
            let theirs = entry.listener.as_ref();
            theirs.is_some_and(|theirs| Arc::ptr_eq(theirs, listener))
        });
        open.map(|(number, entry)| (entry.target.clone(), *number))
            .collect()
    }

    /// What somebody who is to answer says something for, most likely: the latest
    /// that fits. Where one client must not get what is another's, only if they
    /// work on nothing else, and are done with what was given up.
    pub(super) fn likely_purpose(
        &self,
        target: &Side,
        is_shared: bool,
        fits: impl Fn(&Purpose) -> bool,
    ) -> Option<Purpose> {
        if is_shared && self.doubt(target).is_some() {
            return None;
        }
        let table = self.table();
        let latest_first = table.open.values().rev();
        let theirs = latest_first.filter(|entry| entry.target == *target);
        let mut purposes = theirs.filter_map(|entry| entry.purpose.as_ref());
        if is_shared && purposes.clone().nth(1).is_some() {
            return None;
        }
        purposes.find(|purpose| fits(purpose)).cloned()
    }

    /// Until when somebody may say something for an exchange that was given up.
    pub(super) fn doubt(&self, target: &Side) -> Option<Instant> {
        let mut table = self.table();
        let now = Instant::now();
        table.given_up.retain(|_, (_, until)| *until > now);
        let theirs = table.given_up.values().filter(|it| it.0 == *target);
        theirs.map(|(_, until)| *until).max()
    }

    /// Waits for an exchange to end, from now on.
    pub(super) fn settled(&self) -> Notified<'_> {
        self.settled.notified()
    }

    /// Says that one has ended.
    pub(super) fn has_settled(&self) {
        self.settled.notify_waiters();
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open<'_> {
    /// Makes notifications with this progress token belong to the exchange.
    pub(super) fn expect_progress(&self, token: &str) {
        if let Some(entry) = self.exchanges.table().open.get_mut(&self.number) {
            entry.progress_token = Some(token.into());
        }
    }

    /// Notes that whoever is to answer was told that nobody waits any more. They
    /// may not have heard of it yet.
    pub(super) fn give_up(&self) {
        let mut table = self.exchanges.table();
        if let Some(entry) = table.open.get(&self.number) {
            let now = Instant::now();
            let given_up = (entry.target.clone(), now + WIND_DOWN);
            table.given_up.retain(|_, (_, until)| *until > now);
            table.given_up.insert(self.number, given_up);
        }
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.exchanges.table().open.remove(&self.number);
        self.exchanges.has_settled();
    }
}
