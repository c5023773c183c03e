//! Notifications that belong to no exchange: one lane for each sender, so that
//! they keep their order, and a count, so that an answer can wait for those
//! that were sent before it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, watch};

use super::Session;
use super::exchanges::Side;
use super::purpose::Purpose;
use crate::chain::Circumstances;
use crate::gate;
use crate::guardrail::{Direction, Envelope};
use crate::message::Message;
use crate::protocol::{Bridge, Era, Severity};
use crate::upstream::Run;
use crate::wire::Taken;

/// Notifications of one sender that may wait for the guardrails.
const LANE: usize = 1024;

/// The lanes of a session.
pub(super) struct Notes(Mutex<HashMap<Side, Lane>>);

#[derive(Clone)]
struct Lane {
    queue: mpsc::Sender<(Message, Taken)>,
    received: u64,
    passed: watch::Receiver<u64>,
}

/// The notifications that one side had sent at a certain time.
#[derive(Debug)]
pub(super) struct Before {
    count: u64,
    passed: watch::Receiver<u64>,
}

impl Before {
    /// Waits until they are through.
    pub(super) async fn passed(mut self) {
        // An error says that the lane is gone, and with it what was in it.
        let _ = self.passed.wait_for(|passed| *passed >= self.count).await;
    }
}

impl Notes {
    pub(super) fn new() -> Self {
        Self(Mutex::default())
    }

    /// What a side has sent up to now; `None` if that is nothing.
    pub(super) fn before_now(&self, from: &Side) -> Option<Before> {
        let lanes = self.lanes();
        let lane = lanes.get(from)?;
        Some(Before {
            count: lane.received,
            passed: lane.passed.clone(),
        })
    }

    /// Ends the lane of a side that is gone.
    pub(super) fn close(&self, side: &Side) {
        self.lanes().remove(side);
    }

    fn lanes(&self) -> std::sync::MutexGuard<'_, HashMap<Side, Lane>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Takes a notification; waits while too many of this sender's are not
    /// through. It takes its room until it is.
    pub(super) async fn take_note(
        self: &Arc<Self>,
        from: &Side,
        notification: Message,
        room: Taken,
    ) {
        let queue = {
            let mut lanes = self.notes.lanes();
            let lane = lanes
                .entry(from.clone())
                .or_insert_with(|| self.start_lane(from.clone()));
            lane.queue.clone()
        };
        // The lane's task ends with the session.
        let Ok(place) = queue.reserve().await else {
            return;
        };
        // Counted only now: whoever waits for a place may be dropped meanwhile, and
        // an answer would wait for ever for what is counted and never comes.
        if let Some(lane) = self.notes.lanes().get_mut(from)
            && lane.queue.same_channel(&queue)
        {
            lane.received += 1;
        }
        place.send((notification, room));
    }

    fn start_lane(self: &Arc<Self>, from: Side) -> Lane {
        let (queue, mut notes) = mpsc::channel(LANE);
        let (passed, watching) = watch::channel(0);
        tokio::spawn({
            let session = Arc::downgrade(self);
            async move {
                while let Some((notification, _room)) = notes.recv().await {
                    let Some(session) = session.upgrade() else {
                        break;
                    };
                    match &from {
                        Side::Client => session.pass_to_servers(notification).await,
                        Side::Server(run) if session.catalog.is_change(&notification) => {
                            session.pinned.outdated(run, &notification);
                            session.pass_change(run, notification).await;
                        }
                        Side::Server(run) => session.deliver(run, notification).await,
                    }
                    passed.send_modify(|passed| *passed += 1);
                }
            }
        });
        Lane {
            queue,
            received: 0,
            passed: watching,
        }
    }

    /// Passes a server's notification on to whoever it is for.
    pub(super) async fn deliver(&self, run: &Arc<Run>, notification: Message) {
        let notification = self.catalog.note_as_called(&run.server, notification);
        let from = Side::Server(Arc::clone(run));
        for addressed in self.addressed(run, notification) {
            self.pass_to_client(&from, &run.server, addressed).await;
        }
    }

    async fn pass_to_client(&self, from: &Side, server: &Arc<str>, notification: Message) {
        let envelope = self.note_envelope(server, &notification, Direction::ToClient);
        let chain = self.chain.load_full();
        let listening = self.listening(&notification);
        let likely = |fits: &dyn Fn(&Purpose) -> bool| {
            let exchanges = &self.exchanges;
            exchanges.likely_purpose(from, self.is_shared, fits)
        };
        let about = match &*envelope.method {
            _ if listening.is_some() => listening,
            // What the server says whether it is asked or not.
            "notifications/resources/updated" => None,
            method if method.ends_with("list_changed") => None,
            // One that no exchange expects is of one that is over; its client is not
            // told from the others.
            "notifications/progress" if self.is_shared => return,
            // A legacy server logs for all; a modern client's request says whether it
            // wants that.
            "notifications/message" if self.client_era() == Era::Modern && is_legacy(from) => {
                let severity = notification.value("/level").and_then(Severity::of);
                let Some(purpose) = likely(&|purpose| purpose.wants(severity)) else {
                    return;
                };
                purpose.id()
            }
            _ => likely(&|_| true).and_then(|purpose| purpose.id()),
        };
        let admitted =
            gate::admit(&chain, &envelope, notification, &Circumstances::default()).await;
        if let Ok(cleared) = admitted
            && self.may_pass(&cleared, server)
        {
            // A client that does not read any more ends the session elsewhere.
            let _ = self.client.send(cleared.as_is().about(about)).await;
        }
    }

    async fn pass_to_servers(&self, notification: Message) {
        let method = notification.method().unwrap_or_default();
        let upstreams = self.catalog.audience(&notification);
        if upstreams.is_empty() {
            tracing::debug!(method, "dropped: no server is known to want it");
            return;
        }
        let chain = self.chain.load_full();
        for upstream in upstreams.iter() {
            // Modern servers know no such notifications.
            let ready = upstream.ready();
            let Some(ready) = ready.filter(|ready| ready.bridge != Bridge::ToModern) else {
                continue;
            };
            let envelope = self.note_envelope(upstream.name(), &notification, Direction::ToServer);
            let admitted = gate::admit(
                &chain,
                &envelope,
                notification.clone(),
                &Circumstances::default(),
            )
            .await;
            if let Ok(cleared) = admitted
                && self.may_pass(&cleared, upstream.name())
                && ready.run.outbox.try_send(cleared.as_is()).is_err()
            {
                // Waiting for a server that does not read would keep the
                // notification from the others.
                tracing::warn!(server = %upstream.name(), method, "dropped: the server does not read");
            }
        }
    }

    pub(super) fn note_envelope(
        &self,
        server: &Arc<str>,
        notification: &Message,
        direction: Direction,
    ) -> Envelope {
        Envelope {
            session: Arc::clone(&self.id),
            exchange: None,
            server: Arc::clone(server),
            method: notification.method().unwrap_or_default().into(),
            kind: notification.kind().into(),
            direction,
            subject: None,
        }
    }
}

fn is_legacy(side: &Side) -> bool {
    matches!(side, Side::Server(run) if run.era() == Era::Legacy)
}
