//! The `journal` capability: what guardrails have kept in the record of an exchange.
//!
//! A [`Trail`] gathers what becomes known of one exchange while it goes on: what the
//! guardrails found, how long they took, and what a guardrail that journals wants to
//! be kept. Whoever holds the exchange makes the record of it in the end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use wasmtime::component::Resource;

use super::contract::v0_1::mcp_gateway::guardrail::journal::{Content, Form as Wanted, Host};
use super::message::MessageView;
use crate::journal::{Finding, Form, Journal};
use crate::message::{self, Message};
use crate::sandbox::Confined;

/// Findings of one exchange that are recorded one by one; the rest is counted.
const MOST_FINDINGS: usize = 200;

/// What is known of an exchange for its record.
pub struct Trail {
    journal: Arc<Journal>,
    noted: Mutex<Noted>,
    request_judged: Notify,
}

/// What has been noted so far.
#[derive(Default)]
pub struct Noted {
    /// Whether a guardrail journals the exchange at all.
    pub is_wanted: bool,
    /// Its number, once the guardrails have let the request pass.
    pub exchange: Option<u64>,
    /// What is kept of the request.
    pub request: Option<Keep>,
    /// What is kept of the answer.
    pub answer: Option<Keep>,
    /// What guardrails found and decided.
    pub findings: Vec<Finding>,
    /// What they took.
    pub guardrail_time: Duration,
    /// What the answering side took; absent while there is no answer.
    pub server_time: Option<Duration>,
    /// The answer as it came in.
    pub answered: Option<Message>,
    /// Whether something that a guardrail would have hidden in the answer was not.
    pub is_bare: bool,
}

/// What is kept of a message.
#[derive(Debug, Clone)]
pub struct Keep {
    /// The JSON Pointer of the value that is kept.
    pub pointer: String,
    /// In what form.
    pub form: Form,
    /// The most bytes of it.
    pub limit: usize,
    /// The message as the guardrails left it.
    pub message: Message,
}

impl Trail {
    /// Begins one, for a record in this journal.
    pub fn new(journal: Arc<Journal>) -> Self {
        Self {
            journal,
            noted: Mutex::default(),
            request_judged: Notify::new(),
        }
    }

    /// Where the record is written.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    /// What has been noted, to be added to.
    pub fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the guardrails are through with a message, and how long they took.
    pub fn judged(&self, is_request: bool, took: Duration) {
        self.noted().guardrail_time += took;
        if is_request {
            self.request_judged.notify_one();
        }
    }

    /// Waits until the guardrails are through with the request.
    pub async fn request_judged(&self) {
        self.request_judged.notified().await;
    }
}

impl Noted {
    /// Notes what a guardrail found, as far as there is room; beyond that by its rule only.
    pub fn find(&mut self, finding: Finding) {
        if self.findings.len() < MOST_FINDINGS {
            self.findings.push(finding);
            return;
        }
        let elsewhere = Finding {
            place: String::new(),
            ..finding
        };
        let mut known = self.findings.iter_mut().rev();
        match known.find(|known| known.is_like(&elsewhere)) {
            Some(known) => known.count += elsewhere.count,
            None => self.findings.push(elsewhere),
        }
    }
}

impl Host for Confined {
    fn keep(
        &mut self,
        view: Resource<MessageView>,
        content: Option<Content>,
    ) -> wasmtime::Result<Result<(), String>> {
        self.spend_host_call()?;
        let view = self.table.get(&view)?;
        let Some(trail) = &view.trail else {
            return Ok(Ok(()));
        };
        if let Err(unrecorded) = trail.journal.is_writable() {
            return Ok(Err(unrecorded.to_string()));
        }
        let keep = content.map(|content| Keep {
            pointer: content.pointer,
            form: content.form.into(),
            limit: content.limit as usize,
            message: view.message.clone(),
        });
        let mut noted = trail.noted();
        match view.message.kind() {
            message::Kind::Request => noted.request = keep,
            message::Kind::Response | message::Kind::Error => noted.answer = keep,
            // What belongs to an exchange on the way is not in its record.
            message::Kind::Notification => {}
        }
        Ok(Ok(()))
    }
}

impl From<Wanted> for Form {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::Full => Self::Full,
            Wanted::Masked => Self::Masked,
            Wanted::Hash => Self::Hash,
        }
    }
}

/// Its content is for the journal only.
impl std::fmt::Debug for Trail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trail").finish_non_exhaustive()
    }
}
