//! The requests that wait for their answer.
//!
//! Ids are the gateway's own on each side, so that two servers' never meet:
//! an exchange is numbered, and its number is the request's id on its next hop.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use crate::message::{Message, string};

/// Messages of one exchange that may wait for the guardrails.
const LANE: usize = 256;

/// Who is at an end of an exchange.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Client,
    Server(Arc<str>),
}

/// What happens to an exchange that waits for its answer.
#[derive(Debug)]
pub(super) enum Event {
    /// A progress notification of it.
    Progress(Message),
    /// Its result or error, and how many of the same sender's notifications
    /// came before it.
    Answer(Message, u64),
    /// Whoever should answer is gone.
    Gone(Arc<str>),
}

/// All open exchanges of a session.
#[derive(Debug, Default)]
pub(super) struct Exchanges(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    last: u64,
    open: HashMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Who is to answer.
    target: Side,
    progress_token: Option<Box<str>>,
    lane: mpsc::Sender<Event>,
}

/// An exchange, open until this is dropped.
#[derive(Debug)]
pub(super) struct Open<'a> {
    exchanges: &'a Exchanges,
    pub(super) number: u64,
    pub(super) events: mpsc::Receiver<Event>,
}

impl Exchanges {
    /// Opens an exchange for a request.
    pub(super) fn open(&self, target: Side, request: &Message) -> Open<'_> {
        let (lane, events) = mpsc::channel(LANE);
        let mut table = self.table();
        table.last += 1;
        let number = table.last;
        let entry = Entry {
            target,
            progress_token: request.value("/_meta/progressToken").map(Box::from),
            lane,
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
        let table = self.table();
        let entry = table.open.get(&number)?;
        (entry.target == *from).then(|| entry.lane.clone())
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

    /// The lanes of all exchanges that wait for a peer which is gone.
    pub(super) fn waiting_for(&self, target: &Side) -> Vec<mpsc::Sender<Event>> {
        let table = self.table();
        let open = table.open.values();
        open.filter(|entry| entry.target == *target)
            .map(|entry| entry.lane.clone())
            .collect()
    }

    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.exchanges.table().open.remove(&self.number);
    }
}
