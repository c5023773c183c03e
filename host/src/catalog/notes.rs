//! Which server a client's notification is for, and what a server's speaks of.

use std::sync::Arc;

use super::{Catalog, LISTS};
use crate::message::{Message, quote, string};
use crate::upstream::Upstream;

impl Catalog {
    /// The servers that a client's notification is for; none if nobody can tell.
    pub fn audience(&self, notification: &Message) -> Vec<Arc<Upstream>> {
        let upstreams = self.upstreams();
        match notification.method() {
            _ if upstreams.len() == 1 => upstreams.to_vec(),
            Some("notifications/roots/list_changed") => upstreams.to_vec(),
            Some("notifications/tasks/status") => self
                .asker_of_task(notification)
                .and_then(|server| self.upstream(&server))
                .into_iter()
                .collect(),
            _ => Vec::new(),
        }
    }

    /// A server's notification with the client's names in it.
    pub fn note_as_called(&self, server: &Arc<str>, notification: Message) -> Message {
        if !self.several() {
            return notification;
        }
        match notification.method() {
            Some("notifications/resources/updated") => {
                let uri = notification.value("/uri").and_then(string);
                let called = uri.map(|uri| self.called(server, &uri));
                let renamed = called.and_then(|uri| {
                    notification
                        .with_payload_member(&["uri"], &quote(&uri))
                        .ok()
                });
                renamed.unwrap_or(notification)
            }
            Some("notifications/tasks/status" | "notifications/tasks") => {
                self.learn_task(server, &notification);
                notification
            }
            _ => notification,
        }
    }

    /// Whether a notification says that a list has changed.
    pub fn is_change(&self, notification: &Message) -> bool {
        let method = notification.method();
        LISTS.iter().any(|list| list.changed == method)
    }
}
