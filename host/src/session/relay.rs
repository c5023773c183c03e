//! Where every message comes in, and finds what it belongs to.

use std::sync::Arc;

use bytes::Bytes;
use rmcp::model::ErrorCode;
use tokio::sync::mpsc;

use super::Session;
use super::exchanges::{Answer, Event, Side};
use super::failure::UNAVAILABLE;
use super::limits::too_long;
use super::salvage;
use crate::gate::Admitted;
use crate::message::{Kind, Message, ParseError};
use crate::upstream::Received;
use crate::wire::Line;

/// The message after a byte order mark, which some write before all that they write.
fn after_mark(line: &Bytes) -> Option<Message> {
    let message = line.strip_prefix(b"\xef\xbb\xbf")?;
    Message::parse(line.slice_ref(message)).ok()
}

impl Session {
    /// Takes a line of the client.
    pub async fn relay_client(self: &Arc<Self>, line: Line) {
        self.relay(&Side::Client, line).await;
    }

    /// Takes what came in from a server.
    pub(super) async fn receive(self: &Arc<Self>, from: &Side, received: Received) {
        match received {
            Received::Message(message) => self.relay_message(from, message, None).await,
            Received::Line(line) => self.relay(from, line).await,
            Received::Undelivered(undelivered) => {
                if let Some(lane) = self.exchanges.answered(from, &undelivered.id) {
                    let _ = lane.send(Event::Undelivered(undelivered)).await;
                }
            }
        }
    }

    /// Takes a line of either side.
    pub(super) async fn relay(self: &Arc<Self>, from: &Side, line: Line) {
        match line {
            Line::Whole(bytes) => match Message::parse(bytes.clone()) {
                Ok(message) => self.relay_message(from, message, None).await,
                Err(ParseError::Batch) => self.relay_batch(from, &bytes).await,
                Err(error) => match after_mark(&bytes) {
                    Some(message) => self.relay_message(from, message, None).await,
                    None => self.reject(from, &error, &bytes, &bytes, bytes.len()).await,
                },
            },
            Line::TooLong { head, tail, length } => {
                let error = too_long(self.settings.max_message);
                self.reject(from, &error, &head, &tail, length).await;
            }
        }
    }

    /// Takes a message; the answer to a request of a batch goes to whoever
    /// collects them.
    pub(super) async fn relay_message(
        self: &Arc<Self>,
        from: &Side,
        message: Message,
        batch: Option<&mpsc::Sender<Admitted>>,
    ) {
        match message.kind() {
            Kind::Request => self.relay_request(from, message, batch).await,
            Kind::Response | Kind::Error => {
                let id = message.id().unwrap_or_default();
                match self.exchanges.answered(from, id) {
                    Some(lane) => {
                        let answer = Answer {
                            before: self.notes.before_now(from),
                            room: self.room(from).take(message.line().len()).await,
                            message,
                        };
                        // A full lane holds up only its own sender.
                        let _ = lane.send(Event::Answer(answer)).await;
                    }
                    None => {
                        tracing::debug!(from = %from, "dropped an answer that nobody waits for")
                    }
                }
            }
            Kind::Notification => self.relay_notification(from, message).await,
        }
    }

    async fn relay_request(
        self: &Arc<Self>,
        from: &Side,
        request: Message,
        batch: Option<&mpsc::Sender<Admitted>>,
    ) {
        if *from == Side::Client {
            self.greet(&request);
        }
        let id = request.id().unwrap_or_default();
        let (length, most) = (request.line().len(), self.most_asked());
        let asking = match self.asked.enter(from, id, length, most) {
            Ok(asking) => asking,
            Err(too_many) => {
                tracing::warn!(from = %from, "refused a request: {too_many}");
                let refusal = Message::error(id, UNAVAILABLE, &too_many.to_string(), None);
                let refusal = Admitted::own(refusal).about(Some(id.into()));
                // Whoever asked may be gone by now.
                match batch {
                    Some(batch) => drop(batch.send(refusal).await),
                    None => drop(self.outbox(from).send(refusal).await),
                }
                return;
            }
        };
        let asking = match batch {
            Some(batch) => asking.in_batch(batch.clone()),
            None => asking,
        };
        let (session, from) = (Arc::clone(self), from.clone());
        // Boxed: what is spawned is moved several times, and this is large.
        let answering = Box::pin(async move { session.answer(&from, request, asking).await });
        tokio::spawn(answering);
    }

    async fn relay_notification(self: &Arc<Self>, from: &Side, notification: Message) {
        match notification.method() {
            Some("notifications/cancelled") => {
                let id = notification.value("/requestId").map(str::to_owned);
                let cancelled = id.is_some_and(|id| self.asked.cancel(from, &id, notification));
                if !cancelled {
                    tracing::debug!(from = %from, "dropped the cancellation of a request that is not open");
                }
            }
            Some("notifications/initialized") if *from == Side::Client => {
                // Here and now, so that the client's next request finds it said.
                // Each server gets it once it has answered `initialize` itself.
                self.handshake
                    .send_modify(|handshake| handshake.initialized = Some(notification));
            }
            Some("notifications/progress") => {
                let token = notification.value("/progressToken").unwrap_or_default();
                let lane = self.exchanges.progressed(from, token);
                let room = self.room(from).take(notification.line().len()).await;
                match lane {
                    Some(lane) => drop(lane.send(Event::Progress(notification, room)).await),
                    None => self.take_note(from, notification, room).await,
                }
            }
            _ => {
                let room = self.room(from).take(notification.line().len()).await;
                self.take_note(from, notification, room).await;
            }
        }
    }

    /// Reports what is no message. Whoever waits for it learns that it will not
    /// come.
    async fn reject(
        self: &Arc<Self>,
        from: &Side,
        error: &(dyn std::fmt::Display + Sync),
        head: &[u8],
        tail: &[u8],
        length: usize,
    ) {
        tracing::warn!(from = %from, length, "dropped a line that is no message: {error}");
        // A log line may quote a message; only what begins like one may be one.
        let id = salvage::id(head, tail).filter(|_| head.trim_ascii_start().starts_with(b"{"));
        let Some(id) = id else { return };
        if salvage::has_method(head, tail) {
            let text = format!("Invalid Request: {error}");
            let answer = Message::error(&id, ErrorCode::INVALID_REQUEST.0.into(), &text, None);
            // Whoever sent it may be gone by now.
            let answer = Admitted::own(answer).about(Some(id.into()));
            let _ = self.outbox(from).send(answer).await;
        } else {
            self.unusable_answer(from, error, &id).await;
        }
    }

    /// Tells whoever waits for the answer with this id that it is none. Whether
    /// somebody does.
    pub(super) async fn unusable_answer(
        &self,
        from: &Side,
        error: &(dyn std::fmt::Display + Sync),
        id: &str,
    ) -> bool {
        let Some(lane) = self.exchanges.answered(from, id) else {
            return false;
        };
        let unusable = format!("its answer is unusable: {error}");
        lane.send(Event::Unusable(unusable)).await.is_ok()
    }
}
