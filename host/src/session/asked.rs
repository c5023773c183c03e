//! The requests of either side that have no answer yet, from the moment they
//! come in: a person may change their mind on the very next line.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, mpsc};

use super::exchanges::Side;
use super::purpose::Purpose;
use crate::gate::Admitted;
use crate::message::{Message, quote};
use crate::protocol::Severity;
use crate::wire::{Outbox, Taken};

/// All unanswered requests of a session.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked(Arc<Mutex<HashMap<Side, Waiting>>>);

/// What one side waits for.
#[derive(Debug, Default)]
struct Waiting {
    /// How to cancel each request, by the id that the side gave it.
    requests: HashMap<Arc<str>, Arc<Cancel>>,
    /// How many there are. Two may have one id, though they should not.
    count: usize,
    /// How many bytes they have.
    bytes: usize,
}

/// Where a request's cancellation is handed to it.
#[derive(Debug, Default)]
struct Cancel {
    notification: Mutex<Option<Message>>,
    handed: Notify,
}

/// How much one side may wait for at a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    /// In requests.
    pub(super) count: usize,
    /// In bytes of all of them. A request that is alone may have more.
    pub(super) bytes: usize,
}

/// One side waits for too much already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum TooMany {
    #[error(
        "too many requests are waiting for their answer; the limit is {0} (\"max_in_flight\" in [gateway])"
    )]
    Requests(usize),
    #[error(
        "the requests that are waiting for their answer are too large together; the limit is {0} bytes (four times \"max_message\" in [gateway])"
    )]
    Bytes(usize),
}

/// A request that waits for its answer, until this is dropped.
#[derive(Debug)]
pub(super) struct Asking {
    asked: Asked,
    from: Side,
    id: Arc<str>,
    bytes: usize,
    cancel: Arc<Cancel>,
    /// For what it is worked on.
    purpose: Purpose,
    /// Where the answer goes if the request was part of a batch.
    batch: Option<mpsc::Sender<Admitted>>,
    /// The room that the answer takes until it is left for whoever asked.
    answer: Option<Taken>,
    /// Whether it has an exchange with a record of its own.
    is_recorded: bool,
    /// The guardrails whose questions about it a person has approved.
    approved: Vec<Arc<str>>,
}

impl Cancel {
    /// Hands it over, unless there is one already.
    fn hand(&self, notification: Message) -> bool {
        let mut handed = self.slot();
        if handed.is_some() {
            return false;
        }
        *handed = Some(notification);
        self.handed.notify_one();
        true
    }

    /// Waits for it.
    async fn taken(&self) -> Message {
        loop {
            if let Some(notification) = self.slot().take() {
                return notification;
            }
            self.handed.notified().await;
        }
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Message>> {
        let slot = self.notification.lock();
        slot.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asked {
    /// Enters a request of so many bytes.
    pub(super) fn enter(
        &self,
        from: &Side,
        id: &str,
        bytes: usize,
        most: Most,
    ) -> Result<Asking, TooMany> {
        let mut table = self.table();
        if !table.contains_key(from) {
            table.insert(from.clone(), Waiting::default());
        }
        let (id, cancel) = (Arc::<str>::from(id), Arc::<Cancel>::default());
        if let Some(waiting) = table.get_mut(from) {
            if waiting.count >= most.count {
                return Err(TooMany::Requests(most.count));
            }
            if waiting.count > 0 && waiting.bytes.saturating_add(bytes) > most.bytes {
                return Err(TooMany::Bytes(most.bytes));
            }
            waiting.count += 1;
            waiting.bytes += bytes;
            waiting
                .requests
                .insert(Arc::clone(&id), Arc::clone(&cancel));
        }
        drop(table);
        Ok(Asking {
            asked: self.clone(),
            from: from.clone(),
            purpose: Purpose::Request {
                id: Arc::clone(&id),
                log: None,
            },
            id,
            bytes,
            cancel,
            batch: None,
            answer: None,
            is_recorded: false,
            approved: Vec::new(),
        })
    }

    /// Hands a cancellation to the request that it is for. Whether there is one.
    pub(super) fn cancel(&self, from: &Side, id: &str, notification: Message) -> bool {
        let table = self.table();
        let request = table.get(from).and_then(|waiting| waiting.requests.get(id));
        request.is_some_and(|cancel| cancel.hand(notification))
    }

    /// Whether a side waits for an answer.
    pub(super) fn any_from(&self, side: &Side) -> bool {
        let table = self.table();
        table.get(side).is_some_and(|waiting| waiting.count > 0)
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<Side, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asking {
    /// Who asked.
    pub(super) fn from(&self) -> &Side {
        &self.from
    }

    /// The id that they gave the request, as it is written.
    pub(super) fn id(&self) -> Arc<str> {
        Arc::clone(&self.id)
    }

    /// For what it is worked on.
    pub(super) fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    /// Has it be worked on for something else than itself.
    pub(super) fn for_purpose(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// Notes the least severe log messages that it wants.
    pub(super) fn want_log(&mut self, severity: Option<Severity>) {
        if let Purpose::Request { log, .. } = &mut self.purpose {
            *log = severity;
        }
    }

    /// The least severe log messages that it wants.
    pub(super) fn log(&self) -> Option<Severity> {
        match &self.purpose {
            Purpose::Request { log, .. } => *log,
            Purpose::Rounds(_) => None,
        }
    }

    /// Has the answer go to whoever collects those of a batch.
    pub(super) fn in_batch(mut self, batch: mpsc::Sender<Admitted>) -> Self {
        self.batch = Some(batch);
        self
    }

    /// Holds the room that the answer takes.
    pub(super) fn keep(&mut self, room: Taken) {
        self.answer = Some(room);
    }

    /// Notes that an exchange has a record of it.
    pub(super) fn record(&mut self) {
        self.is_recorded = true;
    }

    /// Whether an exchange has a record of it.
    pub(super) fn is_recorded(&self) -> bool {
        self.is_recorded
    }

    /// Notes that a person has approved of what a guardrail asked about it.
    pub(super) fn approve(&mut self, guardrail: &Arc<str>) {
        if !self.approved.contains(guardrail) {
            self.approved.push(Arc::clone(guardrail));
        }
    }

    /// The guardrails whose questions about it a person has approved.
    pub(super) fn approved(&self) -> &[Arc<str>] {
        &self.approved
    }

    /// The same with the word of the person about a request that it continues.
    pub(super) fn approved_as(mut self, other: &Self) -> Self {
        self.approved.clone_from(&other.approved);
        self
    }

    /// Gives the room of an answer back that is not the last.
    pub(super) fn release(&mut self) {
        self.answer = None;
    }

    /// Leaves the answer for whoever asked.
    pub(super) async fn answer(self, outbox: &Outbox, answer: Admitted) {
        let answer = answer.about(Some(self.id()));
        // Whoever asked may be gone by now.
        match &self.batch {
            Some(batch) => drop(batch.send(answer).await),
            None => drop(outbox.send(answer).await),
        }
    }

    /// Waits for the request to be cancelled, for ever if it is not. Whoever is
    /// gone has cancelled everything.
    pub(super) async fn cancelled(&self) -> Message {
        tokio::select! {
            notification = self.cancel.taken() => notification,
            reason = self.from.gone() => {
                let params = format!(
                    r#"{{"requestId":{},"reason":{}}}"#,
                    self.id,
                    quote(&reason),
                );
                Message::notification("notifications/cancelled", Some(&params))
            }
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut table = self.asked.table();
        let Some(waiting) = table.get_mut(&self.from) else {
            return;
        };
        waiting.count -= 1;
        waiting.bytes -= self.bytes;
        // Another request of the same id may have taken its place.
        let entered = waiting.requests.get(&self.id);
        if entered.is_some_and(|cancel| Arc::ptr_eq(cancel, &self.cancel)) {
            waiting.requests.remove(&self.id);
        }
        // A server's process goes, the client stays.
        if waiting.count == 0 && self.from != Side::Client {
            table.remove(&self.from);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_one_side_may_wait_for_is_bounded_in_number_and_in_bytes() {
        let asked = Asked::default();
        let most = Most {
            count: 3,
            bytes: 100,
        };
        let enter = |id, bytes| asked.enter(&Side::Client, id, bytes, most);
        let alone = enter("0", 1_000).unwrap();
        assert_eq!(enter("1", 1).unwrap_err(), TooMany::Bytes(100));
        drop(alone);
        assert!(!asked.any_from(&Side::Client));

        let first = enter("1", 60).unwrap();
        assert_eq!(enter("2", 41).unwrap_err(), TooMany::Bytes(100));
        // One id for two requests does not make them one.
        let others = [enter("1", 20).unwrap(), enter("2", 20).unwrap()];
        assert_eq!(enter("3", 0).unwrap_err(), TooMany::Requests(3));
        drop(first);
        assert!(enter("3", 0).is_ok());
        drop(others);
        assert!(!asked.any_from(&Side::Client));
    }
}
