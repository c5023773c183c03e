//! The requests of a modern client that legacy servers work on, and which of them
//! a server's question is for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::super::asked::Asked;
use super::super::exchanges::{Exchanges, Side};
use super::super::failure::Failure;
use super::super::purpose::{Attempts, Purpose};
use crate::gate::Cleared;
use crate::message::{Message, quote};
use crate::upstream::Run;

/// How long the question of a client that does not come back may keep it unclear
/// for whom another question is.
const GIVES_WAY: Duration = Duration::from_secs(2 * 60);

/// The requests of a modern client that legacy servers work on.
#[derive(Debug, Default)]
pub(super) struct Table {
    last: u64,
    /// Where each server's questions go, the latest request last.
    working: Vec<(u64, Arc<Run>, mpsc::Sender<Question>)>,
    /// Those whose client has been asked, by the state that it sends back.
    parked: HashMap<String, Parked>,
    /// Questions of which it is unclear for whom they are, the latest last.
    unclear: Vec<(u64, Arc<Run>)>,
}

/// All of them, and how each is cancelled: under numbers of their own, since the
/// client's request that one is for has an answer when it is asked.
#[derive(Debug)]
pub(in super::super) struct Rounds {
    table: Mutex<Table>,
    pub(super) asked: Asked,
    gives_way: Duration,
}

impl Default for Rounds {
    fn default() -> Self {
        Self {
            table: Mutex::default(),
            asked: Asked::default(),
            gives_way: GIVES_WAY,
        }
    }
}

/// A request whose client has been asked.
#[derive(Debug)]
pub(super) struct Parked {
    pub(super) round: Round,
    since: Instant,
    /// Ends it once the client has taken too long.
    _expiry: Expiry,
}

/// What happens to a request that is parked for too long, and does not once it is
/// not parked any more.
#[derive(Debug)]
struct Expiry(AbortHandle);

impl Drop for Expiry {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a server asks the client for.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) request: Message,
    /// Where the JSON text of the answer goes.
    pub(super) answer: oneshot::Sender<String>,
}

/// One request that a server works on.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) number: u64,
    pub(super) run: Arc<Run>,
    /// What it is, so that nothing else can take its place.
    pub(super) about: (Arc<str>, String, Option<Arc<str>>),
    pub(super) questions: mpsc::Receiver<Question>,
    /// Those that the client has been asked, by name.
    pub(super) asked: Vec<(String, Question)>,
    pub(super) outcome: oneshot::Receiver<Result<Cleared, Failure>>,
    /// The client's attempts at it.
    pub(super) attempts: Attempts,
    /// The guardrails whose questions about it a person has approved.
    pub(super) approved: Vec<Arc<str>>,
    /// Cancels what the server does when nobody waits for it any more.
    pub(super) _cancel: Cancel,
}

#[derive(Debug)]
pub(super) struct Cancel {
    pub(super) asked: Asked,
    pub(super) id: String,
}

impl Drop for Cancel {
    fn drop(&mut self) {
        let params = format!(r#"{{"requestId":{}}}"#, self.id);
        let notification = Message::notification("notifications/cancelled", Some(&params));
        // If it has been answered, there is nothing to cancel.
        self.asked.cancel(&Side::Client, &self.id, notification);
    }
}

/// Why a question is put to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unasked {
    #[error("a client of this revision can be asked only while it waits for an answer")]
    Nobody,
    #[error("it could be for several clients, and will not become clear for which")]
    Several,
}

/// A question of which it is unclear for whom it is, until this is dropped.
struct Unclear<'a> {
    rounds: &'a Rounds,
    number: u64,
}

impl Drop for Unclear<'_> {
    fn drop(&mut self) {
        let mut table = self.rounds.table();
        table.unclear.retain(|(number, _)| *number != self.number);
    }
}

impl Rounds {
    /// Enters a request that a server is to work on; its number.
    pub(super) fn begin(&self, run: &Arc<Run>, questions: mpsc::Sender<Question>) -> u64 {
        let mut table = self.table();
        table.last += 1;
        let number = table.last;
        table.working.push((number, Arc::clone(run), questions));
        number
    }

    /// The server works on it no more.
    pub(super) fn end(&self, number: u64) {
        self.table().working.retain(|(it, ..)| *it != number);
    }

    /// Keeps a request for its client to come back to it, one of so many; the one
    /// that has waited longest gives way. Whether one did.
    pub(super) fn park(
        &self,
        state: String,
        round: Round,
        expiry: AbortHandle,
        most: usize,
    ) -> bool {
        let parked = Parked {
            round,
            since: Instant::now(),
            _expiry: Expiry(expiry),
        };
        let mut table = self.table();
        let full = table.parked.len() >= most;
        let oldest = table.parked.iter().min_by_key(|(_, it)| it.since);
        let oldest = oldest.map(|(state, _)| state.clone()).filter(|_| full);
        let oldest = oldest.and_then(|oldest| table.parked.remove(&oldest));
        table.parked.insert(state, parked);
        drop(table);
        oldest.is_some()
    }

    /// The request that is kept under a state, if it is about this.
    pub(super) fn unpark(
        &self,
        state: &str,
        about: &(Arc<str>, String, Option<Arc<str>>),
    ) -> Option<Round> {
        let mut table = self.table();
        let fits = table.parked.get(state)?.round.about == *about;
        let parked = fits.then(|| table.parked.remove(state)).flatten();
        drop(table);
        Some(parked?.round)
    }

    /// Drops a request that nobody came back to.
    pub(super) fn expire(&self, state: &str) {
        let expired = self.table().parked.remove(state);
        // Only now, since its end takes the lock.
        drop(expired);
    }

    /// Where a server's question goes: to the request that it began last.
    ///
    /// Where one client must not get what is another's (`shared`), it has to be all
    /// that the server works on, and the question waits until it is. The request
    /// that it is for cannot end before it is answered, but all others can.
    pub(super) async fn meant(
        &self,
        run: &Arc<Run>,
        shared: Option<&Exchanges>,
    ) -> Result<mpsc::Sender<Question>, Unasked> {
        let Some(exchanges) = shared else {
            return self.working(run).1.ok_or(Unasked::Nobody);
        };
        let server = Side::Server(Arc::clone(run));
        let mut unclear = None;
        loop {
            let settled = exchanges.settled();
            let (count, latest) = self.working(run);
            let latest = latest.ok_or(Unasked::Nobody)?;
            let is_round = |purpose: &Purpose| matches!(purpose, Purpose::Rounds(_));
            let only = exchanges.likely_purpose(&server, true, is_round);
            if only.is_some() && count == 1 {
                return Ok(latest);
            }
            let doubt = exchanges.doubt(&server);
            let unclear = unclear.get_or_insert_with(|| self.unclear(run));
            if doubt.is_none() && self.is_hopeless(unclear, run, count) {
                return Err(Unasked::Several);
            }
            let next = self.give_way(run);
            tokio::select! {
                () = settled => {}
                () = until(doubt) => {}
                () = until(next) => {}
            }
        }
    }

    /// How many requests a server works on, and where questions for the latest go.
    fn working(&self, run: &Arc<Run>) -> (usize, Option<mpsc::Sender<Question>>) {
        let table = self.table();
        let theirs = table.working.iter();
        let theirs = theirs.filter(|(_, theirs, _)| Arc::ptr_eq(theirs, run));
        let latest = theirs.clone().next_back();
        (
            theirs.count(),
            latest.map(|(.., questions)| questions.clone()),
        )
    }

    fn unclear(&self, run: &Arc<Run>) -> Unclear<'_> {
        let mut table = self.table();
        table.last += 1;
        let number = table.last;
        table.unclear.push((number, Arc::clone(run)));
        Unclear {
            rounds: self,
            number,
        }
    }

    /// Whether all requests that a server works on wait for a question of theirs
    /// to become clear, so that none would ever; the latest question gives up.
    fn is_hopeless(&self, question: &Unclear<'_>, run: &Arc<Run>, working: usize) -> bool {
        let table = self.table();
        let theirs = table.unclear.iter();
        let theirs = theirs.filter(|(_, theirs)| Arc::ptr_eq(theirs, run));
        let latest = theirs.clone().next_back();
        let is_latest = latest.is_some_and(|(number, _)| *number == question.number);
        is_latest && working > 1 && theirs.count() >= working
    }

    /// Ends what has waited for its client so long that others need not wait for it,
    /// and says when the next has.
    fn give_way(&self, run: &Arc<Run>) -> Option<Instant> {
        let now = Instant::now();
        let mut table = self.table();
        let theirs = |parked: &Parked| Arc::ptr_eq(&parked.round.run, run);
        let until = |parked: &Parked| parked.since + self.gives_way;
        let late = table
            .parked
            .extract_if(|_, it| theirs(it) && until(it) <= now);
        let late: Vec<Parked> = late.map(|(_, parked)| parked).collect();
        let left = table.parked.values().filter(|it| theirs(it));
        let next = left.map(until).min();
        drop(table);
        // Only now, since the end of a round takes the lock.
        drop(late);
        next
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

impl Round {
    pub(super) fn take(&mut self, question: Question) {
        let name = format!("input-{}", self.asked.len() + 1);
        self.asked.push((name, question));
    }

    /// The answer that asks the client.
    pub(super) fn input_required(&self, state: &str) -> Message {
        let inputs: Vec<String> = self
            .asked
            .iter()
            .map(|(name, question)| {
                let method = quote(question.request.method().unwrap_or_default());
                let params = question.request.payload().unwrap_or("{}");
                format!(r#"{}:{{"method":{method},"params":{params}}}"#, quote(name))
            })
            .collect();
        let result = format!(
            r#"{{"resultType":"input_required","inputRequests":{{{}}},"requestState":{}}}"#,
            inputs.join(","),
            quote(state),
        );
        Message::result("0", &result)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A request that a server works on: its exchange, and the end of it that the
    /// server's work is at.
    struct Work {
        round: Round,
        questions: mpsc::Sender<Question>,
        outcome: oneshot::Sender<Result<Cleared, Failure>>,
    }

    fn work(rounds: &Rounds, run: &Arc<Run>, attempts: &Attempts) -> Work {
        let (questions, receiver) = mpsc::channel(1);
        let (outcome, awaited) = oneshot::channel();
        let number = rounds.begin(run, questions.clone());
        let round = Round {
            number,
            run: Arc::clone(run),
            about: ("s".into(), "tools/call".to_owned(), None),
            questions: receiver,
            asked: Vec::new(),
            outcome: awaited,
            attempts: attempts.clone(),
            approved: Vec::new(),
            _cancel: Cancel {
                asked: rounds.asked.clone(),
                id: number.to_string(),
            },
        };
        Work {
            round,
            questions,
            outcome,
        }
    }

    #[tokio::test]
    async fn who_does_not_come_back_gives_way_to_who_waits_although_nothing_else_happens() {
        let rounds = Rounds {
            gives_way: Duration::from_millis(50),
            ..Rounds::default()
        };
        let exchanges = Exchanges::default();
        let run = Run::new("s".into(), crate::wire::outbox(tokio::io::sink()).0);
        let attempts = Attempts::default();
        let open = || {
            let purpose = Purpose::Rounds(attempts.clone());
            exchanges.open(Side::Server(Arc::clone(&run)), Some(purpose), None)
        };
        let (first, second) = (open(), open());
        let gone = work(&rounds, &run, &attempts);
        let stays = work(&rounds, &run, &attempts);
        let never = tokio::spawn(std::future::pending::<()>());
        let number = gone.round.number;
        rounds.park("state".to_owned(), gone.round, never.abort_handle(), 8);

        let mut outcome = gone.outcome;
        let ends = async {
            outcome.closed().await;
            rounds.end(number);
            drop(first);
        };
        let (meant, ()) = tokio::join!(rounds.meant(&run, Some(&exchanges)), ends);
        assert!(meant.unwrap().same_channel(&stays.questions));
        drop(second);
    }
}
