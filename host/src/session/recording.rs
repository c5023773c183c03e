//! The record of an exchange: begun with its request, written when it ends, however it
//! does.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::Session;
use super::asked::Asking;
use super::exchanges::Side;
use super::failure::Failure;
use crate::capability::journal::{Keep, Trail};
use crate::chain::{Chain, Link};
use crate::gate::{Cleared, Refusal};
use crate::guardrail::{Direction, Envelope, Kind};
use crate::journal::{Content, Form, Journal, Outcome, Record, Unrecorded};
use crate::message::{self, Message, string};

/// What is known of an exchange, until its record is written.
pub(super) struct Recording<'a> {
    session: &'a Session,
    chain: &'a Chain,
    link: &'a Link,
    trail: Arc<Trail>,
    envelope: Envelope,
    request: &'a Message,
    time: SystemTime,
    begun: Instant,
    /// The request as it may be written down, if anybody can tell; absent until somebody
    /// was asked.
    masked: Option<Option<Message>>,
    is_written: bool,
}

/// How an exchange ended, for its record.
struct End<'a> {
    outcome: Outcome,
    /// Why it did not end well, and the guardrail whose doing that is.
    reason: Option<String>,
    blocked_by: Option<Arc<str>>,
    /// The answer as it goes on.
    answer: Option<&'a Message>,
}

impl<'a> Recording<'a> {
    /// Begins a record if the chain has any written.
    pub(super) fn begin(
        session: &'a Session,
        chain: &'a Chain,
        request: &'a Message,
        envelope: Envelope,
    ) -> Option<Self> {
        let link = chain.journaling()?;
        let journal = link.guardrail().journal()?;
        Some(Self {
            session,
            chain,
            link,
            trail: Arc::new(Trail::new(Arc::clone(journal))),
            envelope,
            request,
            time: SystemTime::now(),
            begun: Instant::now(),
            masked: None,
            is_written: false,
        })
    }

    /// Where what becomes of the exchange is noted.
    pub(super) fn trail(&self) -> &Arc<Trail> {
        &self.trail
    }

    /// Carries the exchange out. While its answer is waited for, the request is made
    /// ready to be written down.
    pub(super) async fn alongside<T>(&mut self, exchange: impl Future<Output = T>) -> T {
        let mut exchange = std::pin::pin!(exchange);
        let trail = Arc::clone(&self.trail);
        tokio::select! {
            biased;
            ended = &mut exchange => return ended,
            () = trail.request_judged() => {}
        }
        let masked = tokio::select! {
            biased;
            ended = &mut exchange => return ended,
            masked = self.masked_request() => masked,
        };
        self.masked = Some(masked);
        exchange.await
    }

    /// Writes the record. Where it has to be there before the answer goes on, and is
    /// not, a refusal takes the answer's place.
    pub(super) async fn end(mut self, ended: Result<Cleared, Failure>) -> Result<Cleared, Failure> {
        if !self.trail.noted().is_wanted {
            self.is_written = true;
            return ended;
        }
        let unrecorded = self.write(&End::of(&ended)).await;
        match unrecorded.map_or(Ok(()), |why| self.link.unrecorded(&why)) {
            Ok(()) => ended,
            Err(block) => Err(Refusal::of_answer(&self.envelope, block).into()),
        }
    }

    async fn write(&mut self, end: &End<'_>) -> Option<Unrecorded> {
        if self.masked.is_none() {
            self.masked = Some(self.masked_request().await);
        }
        let answer = self.masked_answer(end).await;
        self.is_written = true;
        match self.hand_over(end, answer.as_ref()) {
            Ok(pending) => pending.recorded().await.err(),
            Err(unrecorded) => Some(unrecorded),
        }
    }

    /// The request with everything covered that guardrails hide.
    async fn masked_request(&self) -> Option<Message> {
        let is_needed = {
            let noted = self.trail.noted();
            let form = noted.request.as_ref().map(|keep| keep.form);
            matches!(form, Some(Form::Masked | Form::Full)) || self.has_uri()
        };
        if !is_needed {
            return None;
        }
        self.masked(self.request.clone()).await
    }

    /// The answer as it may be written down. What guardrails let pass to the client is that already; in what they let
    /// pass to a server are values that were put back, and others that a person meant to hand over.
    async fn masked_answer(&self, end: &End<'_>) -> Option<Message> {
        let came = {
            let noted = self.trail.noted();
            let is_bare = noted.is_bare || self.envelope.direction == Direction::ToClient;
            if let Some(answer) = end.answer.filter(|_| !is_bare) {
                return Some(answer.clone());
            }
            noted.answer.as_ref()?;
            noted.answered.clone()?
        };
        self.masked(came).await
    }

    async fn masked(&self, message: Message) -> Option<Message> {
        self.chain.mask(&self.envelope, message).await
    }

    /// Whether the subject is a URI, which may hold anything.
    fn has_uri(&self) -> bool {
        let subject = self.envelope.subject.as_deref();
        subject.is_some_and(|subject| subject.contains(':'))
    }

    /// The request as it may be written down, if that is known.
    fn shown(&self) -> Option<&Message> {
        self.masked.as_ref()?.as_ref()
    }

    fn subject(&self) -> Option<Arc<str>> {
        let subject = self.envelope.subject.clone()?;
        if !self.has_uri() {
            return Some(subject);
        }
        let masked = self.shown()?;
        let uri = ["/uri", "/name"]
            .into_iter()
            .find_map(|at| masked.value(at));
        uri.and_then(string).map(|uri| uri.into())
    }

    fn hand_over(
        &self,
        end: &End<'_>,
        masked_answer: Option<&Message>,
    ) -> Result<crate::journal::Pending, Unrecorded> {
        let noted = std::mem::take(&mut *self.trail.noted());
        let journal = self.trail.journal();
        let passed = noted.request.as_ref().map(|keep| &keep.message);
        let passed = passed.filter(|_| noted.exchange.is_some());
        let (client, client_version) = self.client();
        journal.write(Record {
            time: self.time.duration_since(UNIX_EPOCH).map_or(0, |since| {
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }),
            kind: crate::journal::Kind::Call,
            session: Arc::clone(&self.session.id),
            exchange: noted.exchange,
            client,
            client_version,
            server: Some(Arc::clone(&self.envelope.server)).filter(|server| !server.is_empty()),
            method: Arc::clone(&self.envelope.method),
            subject: self.subject(),
            direction: self.envelope.direction.as_str(),
            arguments: content(
                journal,
                noted.request.as_ref(),
                &Forms {
                    came: Some(self.request),
                    passed,
                    masked: self.shown(),
                },
            ),
            result: content(
                journal,
                noted.answer.as_ref(),
                &Forms {
                    came: noted.answered.as_ref(),
                    passed: end.answer,
                    masked: masked_answer,
                },
            ),
            outcome: end.outcome,
            blocked_by: end.blocked_by.clone(),
            reason: end.reason.clone(),
            duration: micros(self.begun.elapsed()),
            server_time: noted.server_time.map_or(0, micros),
            guardrail_time: micros(noted.guardrail_time),
            request_bytes: self.request.line().len(),
            result_bytes: noted.answered.as_ref().map_or(0, |it| it.line().len()),
            findings: noted.findings,
        })
    }

    /// What the client says it is, and of which version.
    fn client(&self) -> (Option<Arc<str>>, Option<Arc<str>>) {
        let client = self.session.client();
        let info = client.as_ref().and_then(|hello| hello.info());
        let member = |name| {
            let text = message::unique_member(info?, name).ok()??;
            string(text).map(|text| text.into())
        };
        (member("name"), member("version"))
    }
}

/// Whoever held the exchange has dropped it: the session ends.
impl Drop for Recording<'_> {
    fn drop(&mut self) {
        if self.is_written || !self.trail.noted().is_wanted {
            return;
        }
        let end = End {
            outcome: Outcome::Cancelled,
            reason: Some("the session ended".into()),
            blocked_by: None,
            answer: None,
        };
        if let Err(unrecorded) = self.hand_over(&end, None) {
            tracing::error!("an exchange was not recorded: {unrecorded}");
        }
    }
}

impl Session {
    /// Records a request of the client's that nobody was asked to answer.
    pub(super) async fn record_unasked(
        &self,
        request: &Message,
        asking: &Asking,
        failure: &Failure,
    ) {
        let chain = self.chain.load_full();
        let named = |at: &str| request.value(at).and_then(string).map(|it| it.into());
        let server = match failure {
            Failure::Unavailable(unavailable) | Failure::Undelivered(unavailable) => {
                Arc::clone(&unavailable.server)
            }
            _ => "".into(),
        };
        let envelope = Envelope {
            session: Arc::clone(&self.id),
            exchange: None,
            server,
            method: request.method().unwrap_or_default().into(),
            kind: Kind::Request,
            direction: Direction::ToServer,
            subject: named("/name").or_else(|| named("/uri")),
        };
        if *asking.from() != Side::Client || asking.is_recorded() {
            return;
        }
        let Some(mut recording) = Recording::begin(self, &chain, request, envelope) else {
            return;
        };
        let trail = Arc::clone(recording.trail());
        chain.journal(&recording.envelope, request, &trail).await;
        if !trail.noted().is_wanted {
            return;
        }
        if let Some(unrecorded) = recording.write(&End::of_failure(failure)).await {
            tracing::error!("a request was not recorded: {unrecorded}");
        }
    }
}

impl<'a> End<'a> {
    fn of(ended: &'a Result<Cleared, Failure>) -> Self {
        match ended {
            Ok(cleared) => {
                let answer = cleared.message();
                let outcome = match answer.kind() {
                    message::Kind::Error => Outcome::ProtocolError,
                    _ if answer.value("/isError") == Some("true") => Outcome::ToolError,
                    _ => Outcome::Ok,
                };
                Self {
                    outcome,
                    reason: None,
                    blocked_by: None,
                    answer: Some(answer),
                }
            }
            Err(failure) => Self::of_failure(failure),
        }
    }

    fn of_failure(failure: &Failure) -> Self {
        let outcome = match failure {
            Failure::Refused(_) | Failure::Unapproved { .. } => Outcome::Blocked,
            Failure::Protocol { .. } => Outcome::ProtocolError,
            Failure::Late { .. } => Outcome::TimedOut,
            Failure::Cancelled => Outcome::Cancelled,
            Failure::InputRequired(_) => Outcome::Ok,
            Failure::Unavailable(_)
            | Failure::Undelivered(_)
            | Failure::TooLong { .. }
            | Failure::TooMany(_) => Outcome::Unavailable,
        };
        let block = match failure {
            Failure::Refused(refusal) => Some(refusal.block()),
            _ => None,
        };
        Self {
            outcome,
            reason: Some(block.map_or_else(|| failure.kind(), |block| block.reason.clone())),
            blocked_by: block.map(|block| Arc::clone(&block.guardrail)),
            answer: None,
        }
    }
}

/// A message in the forms in which something of it can be kept.
struct Forms<'a> {
    /// As it came in.
    came: Option<&'a Message>,
    /// As it went on, if it did.
    passed: Option<&'a Message>,
    /// As it may be written down.
    masked: Option<&'a Message>,
}

/// What is kept of a message, in the form that was asked for; nothing where there is no
/// message that may be kept in that.
fn content(journal: &Journal, keep: Option<&Keep>, forms: &Forms<'_>) -> Content {
    let Some(keep) = keep else {
        return Content::default();
    };
    let (message, form) = match keep.form {
        Form::Hash => (forms.passed.or(forms.came), Form::Hash),
        // What was refused is not shown as it was.
        Form::Full if forms.passed.is_some() => (forms.passed, Form::Full),
        Form::Full | Form::Masked => (forms.masked, Form::Masked),
        Form::None => (None, Form::None),
    };
    let Some(text) = message.and_then(|message| message.value(&keep.pointer)) else {
        return Content::default();
    };
    if form == Form::Hash {
        let text = Some(journal.hash(text));
        return Content {
            text,
            form,
            is_cut: false,
        };
    }
    let kept = text
        .get(..text.floor_char_boundary(keep.limit))
        .unwrap_or(text);
    Content {
        text: Some(kept.to_owned()),
        form,
        is_cut: kept.len() < text.len(),
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
