//! That lists have changed: what the client was told to expect, and how many
//! changes become one notification.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Session;
use super::exchanges::Side;
use crate::catalog::{LISTS, List};
use crate::gate::Admitted;
use crate::message::Message;
use crate::protocol::{Era, meta};
use crate::upstream::Run;

/// For so long after a notification of a change, further ones of its kind and
/// server wait to become one: clients ask for the whole list each time.
const WINDOW: Duration = Duration::from_millis(100);

/// What is known of changes.
#[derive(Default)]
pub(super) struct Changes {
    /// The result that opened the session, as the client got it.
    welcome: Mutex<Option<Message>>,
    windows: Mutex<HashMap<Kind, Window>>,
}

/// Notifications of which one stands for all: of one process of a server, of one
/// method, for one who listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    side: Side,
    method: Box<str>,
    listener: Option<Box<str>>,
}

/// The time after a notification.
struct Window {
    until: Instant,
    /// The last one since, which follows at the end.
    folded: Option<Message>,
}

/// What becomes of a notification of a change.
enum Turn {
    Now,
    At(Instant),
    /// One that waits already stands for it, too.
    Never,
}

impl Changes {
    /// Notes what the client is told when the session opens.
    pub(super) fn told(&self, welcome: &str) {
        *self.welcome() = Some(Message::result("0", welcome));
    }

    /// Whether the client was told that something is there.
    pub(super) fn offered(&self, capability: &str) -> bool {
        self.has(capability, |_| true)
    }

    /// Whether the client was told that it will be notified of changes.
    fn promised(&self, capability: &str) -> bool {
        self.has(&format!("{capability}/listChanged"), |it| it == "true")
    }

    fn has(&self, capability: &str, holds: impl Fn(&str) -> bool) -> bool {
        let welcome = self.welcome();
        let capability = format!("/capabilities/{capability}");
        let capability = welcome.as_ref().and_then(|it| it.value(&capability));
        capability.is_some_and(holds)
    }

    fn turn(&self, key: &Kind, notification: &Message) -> Turn {
        let now = Instant::now();
        let mut windows = self.windows();
        windows.retain(|_, window| window.until > now || window.folded.is_some());
        let window = windows.entry(key.clone()).or_insert(Window {
            until: now,
            folded: None,
        });
        if window.until <= now && window.folded.is_none() {
            window.until = now + WINDOW;
            return Turn::Now;
        }
        match window.folded.replace(notification.clone()) {
            None => Turn::At(window.until),
            Some(_) => Turn::Never,
        }
    }

    /// The notification that stands for all that were folded.
    fn folded(&self, key: &Kind) -> Option<Message> {
        let mut windows = self.windows();
        let window = windows.get_mut(key)?;
        window.until = Instant::now() + WINDOW;
        window.folded.take()
    }

    fn welcome(&self) -> std::sync::MutexGuard<'_, Option<Message>> {
        self.welcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn windows(&self) -> std::sync::MutexGuard<'_, HashMap<Kind, Window>> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Tells the client that lists have changed, those that `which` says yes to,
    /// if it expects to be told.
    pub(super) async fn lists_changed(&self, which: impl Fn(&List) -> bool) {
        let legacy = self.client_era() == Era::Legacy;
        if legacy && self.handshake.borrow().initialized.is_none() {
            return;
        }
        let mut told = None;
        for list in LISTS.into_iter().filter(|list| which(list)) {
            // One notification speaks of resources and templates.
            let Some(changed) = list.changed.filter(|changed| told != Some(*changed)) else {
                continue;
            };
            told = Some(changed);
            if !legacy {
                self.tell_listeners(changed).await;
            } else if self.changes.promised(list.capability) {
                let notification = Message::notification(changed, None);
                let _ = self.client.send(Admitted::own(notification)).await;
            }
        }
    }

    /// Passes on that a list of a server has changed: the first time at once,
    /// and what follows closely as one.
    pub(super) async fn pass_change(self: &Arc<Self>, run: &Arc<Run>, notification: Message) {
        let method = notification.method().unwrap_or_default();
        let listener = notification.value(&format!("/_meta/{}", meta::SUBSCRIPTION_ID));
        let key = Kind {
            side: Side::Server(Arc::clone(run)),
            method: method.into(),
            listener: listener.map(Into::into),
        };
        match self.changes.turn(&key, &notification) {
            Turn::Now => {
                self.outdated(&run.server, method);
                self.deliver(run, notification).await;
            }
            Turn::Never => {}
            Turn::At(end) => {
                let (session, run) = (Arc::downgrade(self), Arc::clone(run));
                // Beside the lane, so that no answer waits for it.
                tokio::spawn(async move {
                    tokio::time::sleep_until(end).await;
                    if let Some(session) = session.upgrade()
                        && let Some(notification) = session.changes.folded(&key)
                    {
                        session.deliver(&run, notification).await;
                    }
                });
            }
        }
    }
}
