//! Batches, which MCP had in 2025-03-26: several messages in one array. Their
//! messages are relayed like any others; the answers go back together.

use std::sync::Arc;

use rmcp::model::ErrorCode;
use tokio::sync::mpsc;

use super::Session;
use super::exchanges::Side;
use super::salvage;
use crate::gate::Admitted;
use crate::message::{self, Message};

impl Session {
    /// Takes a batch: the answers to its requests become one batch, once all
    /// are there, without those that were cancelled.
    pub(super) async fn relay_batch(self: &Arc<Self>, from: &Side, bytes: &[u8]) {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        let elements = message::elements(text).unwrap_or_default();
        let messages: Vec<_> = elements
            .iter()
            .map(|element| Message::parse((*element).to_owned().into()))
            .collect();
        // What a server logs on its standard output may look like an array, and
        // no server should get errors for that.
        if matches!(from, Side::Server(_)) && !messages.iter().any(Result::is_ok) {
            tracing::warn!(from = %from, length = bytes.len(), "dropped a batch without a message");
            return;
        }
        if messages.is_empty() {
            let error = invalid("null", "the batch is empty");
            let _ = self.outbox(from).send(Admitted::own(error)).await;
            return;
        }
        let (answers, answered) = mpsc::channel(elements.len());
        tokio::spawn(Arc::clone(self).collect(from.clone(), answered));
        for (element, message) in elements.into_iter().zip(messages) {
            match message {
                Ok(message) => self.relay_message(from, message, Some(&answers)).await,
                Err(error) => {
                    let bytes = element.as_bytes();
                    tracing::warn!(from = %from, length = bytes.len(), "not a message in a batch: {error}");
                    let id = salvage::id(bytes, bytes).unwrap_or_else(|| "null".into());
                    let answers_one = !salvage::has_method(bytes, bytes)
                        && self.unusable_answer(from, &error, &id).await;
                    if !answers_one {
                        let error = Admitted::own(invalid(&id, &error.to_string()));
                        let _ = answers.send(error).await;
                    }
                }
            }
        }
    }

    /// Waits until every request of a batch is answered or cancelled, and sends
    /// the answers: together if they fit into a message, else one by one.
    async fn collect(self: Arc<Self>, to: Side, mut answered: mpsc::Receiver<Admitted>) {
        let outbox = self.outbox(&to);
        let mut answers = Vec::new();
        let mut length = 0;
        while let Some(answer) = answered.recv().await {
            length += answer.len() + 1;
            answers.push(answer);
            if length >= self.settings.max_message {
                for answer in answers.drain(..) {
                    // Whoever asked may be gone by now.
                    let _ = outbox.send(answer).await;
                }
            }
        }
        if !answers.is_empty() {
            let _ = outbox.send(Admitted::together(&answers)).await;
        }
    }
}

fn invalid(id: &str, why: &str) -> Message {
    let text = format!("Invalid Request: {why}");
    Message::error(id, ErrorCode::INVALID_REQUEST.0.into(), &text, None)
}
