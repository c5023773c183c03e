//! Who wants to be told of changes.
//!
//! A modern client says so with `subscriptions/listen`, a request that stays open
//! while it listens; each notification then carries that request's id. A legacy
//! client is told of every changed list, and subscribes to single resources.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

use super::Session;
use super::exchanges::Side;
use super::filter::{Filter, UPDATED};
use crate::catalog::LISTS;
use crate::gate::Admitted;
use crate::message::Message;
use crate::protocol::{Era, meta, with_meta, without_meta};
use crate::upstream::Run;

pub(super) const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// The listening requests of a modern client.
#[derive(Debug, Default)]
pub(super) struct Listeners(Mutex<Vec<Arc<Listener>>>);

/// One request that listens.
#[derive(Debug)]
pub(super) struct Listener {
    /// Its id as the client wrote it; `None` if the gateway listens for a legacy
    /// client, which knows no such ids.
    pub(super) id: Option<Box<str>>,
    pub(super) wants: Filter,
    /// Where servers' words of what they will tell go.
    pub(super) honoured: mpsc::Sender<(Arc<str>, Filter)>,
    /// Whether it has been told what it will be told.
    pub(super) is_told: AtomicBool,
}

impl Listeners {
    pub(super) fn all(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Listener>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Tells a modern client of lists that the gateway knows to have changed.
    pub(super) async fn tell_listeners(&self, changed: &str) {
        let notification = Message::notification(changed, None);
        for addressed in self.to_each_listener(&notification) {
            let about = self.listening(&addressed);
            let _ = self
                .client
                .send(Admitted::own(addressed).about(about))
                .await;
        }
    }

    /// The listening request of a modern client that a notification is for.
    pub(super) fn listening(&self, notification: &Message) -> Option<Arc<str>> {
        if self.client_era() == Era::Legacy {
            return None;
        }
        let id = notification.value(&format!("/_meta/{}", meta::SUBSCRIPTION_ID));
        id.map(Into::into)
    }

    fn to_each_listener(&self, notification: &Message) -> Vec<Message> {
        let listeners = self.listeners.all();
        let wanting = listeners
            .iter()
            .filter(|l| l.is_told.load(Ordering::Relaxed) && l.wants.wants(notification));
        wanting
            .filter_map(|listener| listener.address(notification))
            .collect()
    }

    /// A server's notification as the client is to get it: once, more than once
    /// or not at all.
    pub(super) fn addressed(&self, run: &Arc<Run>, notification: Message) -> Vec<Message> {
        match (self.client_era(), run.era()) {
            (Era::Legacy, Era::Legacy) => vec![notification],
            (Era::Legacy, Era::Modern) => match notification.method() {
                Some(ACKNOWLEDGED) => {
                    self.note_acknowledged(run, &notification);
                    Vec::new()
                }
                _ => without_meta(&notification, &[meta::SUBSCRIPTION_ID])
                    .into_iter()
                    .collect(),
            },
            (Era::Modern, Era::Modern) => self.relabelled(run, notification),
            (Era::Modern, Era::Legacy) => match notification.method().unwrap_or_default() {
                // What belongs to no request is sent to those who listen, and the
                // rest of it is unknown to the era.
                "notifications/elicitation/complete" => Vec::new(),
                UPDATED => self.to_each_listener(&notification),
                changed if LISTS.iter().any(|list| list.changed == Some(changed)) => {
                    self.to_each_listener(&notification)
                }
                _ => vec![notification],
            },
        }
    }

    /// The id by which a modern server knows a listener becomes the client's.
    fn relabelled(&self, run: &Arc<Run>, notification: Message) -> Vec<Message> {
        let id = notification.value(&format!("/_meta/{}", meta::SUBSCRIPTION_ID));
        let Some(id) = id else {
            return vec![notification];
        };
        if notification.method() == Some(ACKNOWLEDGED) {
            // The gateway acknowledges for all servers at once.
            self.note_acknowledged(run, &notification);
            return Vec::new();
        }
        let side = Side::Server(Arc::clone(run));
        let listener = self.exchanges.listener(&side, id);
        let told = listener.filter(|listener| listener.is_told.load(Ordering::Relaxed));
        told.and_then(|listener| listener.address(&notification))
            .into_iter()
            .collect()
    }

    /// Hands what a server will tell to who listens.
    fn note_acknowledged(&self, run: &Arc<Run>, acknowledged: &Message) {
        let id = acknowledged.value(&format!("/_meta/{}", meta::SUBSCRIPTION_ID));
        let side = Side::Server(Arc::clone(run));
        let Some(listener) = id.and_then(|id| self.exchanges.listener(&side, id)) else {
            return;
        };
        let mut told = Filter::of(acknowledged);
        let called = |uri: &String| self.catalog.called(&run.server, uri);
        told.uris = told.uris.iter().map(called).collect();
        let _ = listener.honoured.try_send((Arc::clone(&run.server), told));
    }
}

impl Listener {
    /// A notification with the id by which the client knows who listens.
    pub(super) fn address(&self, notification: &Message) -> Option<Message> {
        let id = self.id.as_deref()?;
        with_meta(notification, &[(meta::SUBSCRIPTION_ID, id)]).ok()
    }
}
