//! The requests of either side that have no answer yet, from the moment they
//! come in: a person may change their mind on the very next line.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::exchanges::Side;
use crate::message::{Message, quote};

/// All unanswered requests of a session.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked(Arc<Mutex<HashMap<Key, mpsc::Sender<Message>>>>);

/// Who asked, and the id that they gave the request.
type Key = (Side, Arc<str>);

/// A request that waits for its answer, until this is dropped.
#[derive(Debug)]
pub(super) struct Asking {
    asked: Asked,
    key: Key,
    cancel: mpsc::Sender<Message>,
    cancelled: mpsc::Receiver<Message>,
}

impl Asked {
    /// Enters a request.
    pub(super) fn enter(&self, from: &Side, id: &str) -> Asking {
        let key = (from.clone(), Arc::from(id));
        let (cancel, cancelled) = mpsc::channel(1);
        self.table().insert(key.clone(), cancel.clone());
        Asking {
            asked: self.clone(),
            key,
            cancel,
            cancelled,
        }
    }

    /// Hands a cancellation to the request that it is for. Whether there is one.
    pub(super) fn cancel(&self, from: &Side, id: &str, notification: Message) -> bool {
        let table = self.table();
        let request = table.get(&(from.clone(), Arc::from(id)));
        request.is_some_and(|cancel| cancel.try_send(notification).is_ok())
    }

    /// Whether a side waits for an answer.
    pub(super) fn any_from(&self, side: &Side) -> bool {
        self.table().keys().any(|(from, _)| from == side)
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<Key, mpsc::Sender<Message>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Asking {
    /// Who asked.
    pub(super) fn from(&self) -> &Side {
        &self.key.0
    }

    /// The id that they gave the request, as it is written.
    pub(super) fn id(&self) -> Arc<str> {
        Arc::clone(&self.key.1)
    }

    /// Waits for the request to be cancelled, for ever if it is not. Whoever is
    /// gone has cancelled everything.
    pub(super) async fn cancelled(&mut self) -> Message {
        let (from, id) = &self.key;
        let notification = tokio::select! {
            notification = self.cancelled.recv() => notification,
            reason = from.gone() => {
                let params = format!(r#"{{"requestId":{id},"reason":{}}}"#, quote(&reason));
                Some(Message::notification("notifications/cancelled", Some(&params)))
            }
        };
        match notification {
            Some(notification) => notification,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut table = self.asked.table();
        // Another request of the same id may have taken its place.
        let entered = table.get(&self.key);
        if entered.is_some_and(|cancel| cancel.same_channel(&self.cancel)) {
            table.remove(&self.key);
        }
    }
}
