//! Where every message comes in, and finds what it belongs to.

use std::sync::Arc;

use rmcp::model::ErrorCode;

use super::Session;
use super::exchanges::{Event, Side};
use super::salvage;
use crate::gate::Admitted;
use crate::message::{self, Kind, Message, ParseError};
use crate::wire::Line;

impl Session {
    /// Takes a line of the client.
    pub async fn relay_client(self: &Arc<Self>, line: Line) {
        self.relay(&Side::Client, line).await;
    }

    /// Takes a line of either side.
    pub(super) async fn relay(self: &Arc<Self>, from: &Side, line: Line) {
        match line {
            Line::Whole(bytes) => match Message::parse(bytes.clone()) {
                Ok(message) => self.relay_message(from, message).await,
                Err(ParseError::Batch) => self.relay_batch(from, &bytes).await,
                Err(error) => self.reject(from, &error, &bytes, &bytes, bytes.len()).await,
            },
            Line::TooLong { head, tail, length } => {
                let error = format!(
                    "message is longer than the limit of {} bytes",
                    self.settings.max_message
                );
                self.reject(from, &error, &head, &tail, length).await;
            }
        }
    }

    async fn relay_message(self: &Arc<Self>, from: &Side, message: Message) {
        match message.kind() {
            Kind::Request => {
                if *from == Side::Client {
                    self.greet(&message);
                }
                let session = Arc::clone(self);
                let asking = self.asked.enter(from, message.id().unwrap_or_default());
                let from = from.clone();
                tokio::spawn(async move { session.answer(&from, message, asking).await });
            }
            Kind::Response | Kind::Error => {
                let id = message.id().unwrap_or_default();
                match self.exchanges.answered(from, id) {
                    Some(lane) => {
                        let before = self.notes.before_now(from);
                        // A full lane holds up only its own sender.
                        let _ = lane.send(Event::Answer(message, before)).await;
                    }
                    None => {
                        tracing::debug!(from = %from, "dropped an answer that nobody waits for")
                    }
                }
            }
            Kind::Notification => self.relay_notification(from, message).await,
        }
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
                match self.exchanges.progressed(from, token) {
                    Some(lane) => {
                        let _ = lane.send(Event::Progress(notification)).await;
                    }
                    None => self.take_note(from, notification).await,
                }
            }
            _ => self.take_note(from, notification).await,
        }
    }

    /// A batch, which MCP had in 2025-03-26: its messages are relayed one by
    /// one, and so answered.
    async fn relay_batch(self: &Arc<Self>, from: &Side, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        for element in message::elements(text).unwrap_or_default() {
            match Message::parse(element.to_owned().into()) {
                Ok(message) => self.relay_message(from, message).await,
                Err(error) => {
                    let bytes = element.as_bytes();
                    self.reject(from, &error, bytes, bytes, bytes.len()).await;
                }
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
        } else if let Some(lane) = self.exchanges.answered(from, &id) {
            let unusable = format!("its answer is unusable: {error}");
            let _ = lane.send(Event::Unusable(unusable)).await;
        }
    }
}
