//! One exchange from its request to its answer, the same in both directions.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Session;
use super::asked::Asking;
use super::call::{Asker, Call, cancelled};
use super::clock::{self, Clock};
use super::exchanges::{Answer, Event, Open, Side};
use super::failure::{Failure, UNAVAILABLE};
use super::purpose::Purpose;
use super::recording::Recording;
use crate::capability::journal::Trail;
use crate::chain::{Chain, Circumstances};
use crate::config::{Patience, show_duration};
use crate::gate::{self, Admitted, Cleared};
use crate::guardrail::{Direction, Envelope};
use crate::message::{Message, quote, string};
use crate::upstream::{Unavailable, Undelivered};
use crate::wire::Outbox;

impl Session {
    /// Sends a request and waits for its answer; both pass the guardrails, and
    /// so does its progress, which goes to whoever asked.
    ///
    /// One exchange sees one chain: a call that began before a guardrail was
    /// swapped ends under the old one.
    pub(super) async fn attempt(
        &self,
        call: &Call,
        asker: &mut Option<Asker<'_>>,
    ) -> Result<Cleared, Failure> {
        let chain = self.chain.load_full();
        let envelope = self.envelope(call);
        let recording = Recording::begin(self, &chain, &call.request, envelope.clone());
        let Some(mut recording) = recording else {
            return self.exchange(&chain, call, envelope, asker, None).await;
        };
        if let Some(asker) = asker.as_mut() {
            asker.asking.record();
        }
        let trail = Arc::clone(recording.trail());
        trail.journal().room().await;
        let exchange = self.exchange(&chain, call, envelope, asker, Some(&trail));
        let ended = recording.alongside(exchange).await;
        recording.end(ended).await
    }

    /// What guardrails know about a request.
    fn envelope(&self, call: &Call) -> Envelope {
        Envelope {
            session: Arc::clone(&self.id),
            exchange: None,
            server: Arc::clone(&call.server),
            method: call.known_as().into(),
            kind: call.request.kind().into(),
            direction: call.direction(),
            subject: call.subject.clone(),
        }
    }

    /// The exchange itself. What becomes of it is noted on its trail, if it has one.
    async fn exchange(
        &self,
        chain: &Chain,
        call: &Call,
        envelope: Envelope,
        asker: &mut Option<Asker<'_>>,
        trail: Option<&Arc<Trail>>,
    ) -> Result<Cleared, Failure> {
        let asking = asker.as_ref().map(|asker| &*asker.asking);
        let purpose = asking.map(Asking::purpose).cloned();
        let about = match asking {
            Some(asking) if call.target == Side::Client => {
                let theirs = self
                    .exchanges
                    .likely_purpose(asking.from(), self.is_shared, |_| true);
                theirs.and_then(|purpose| purpose.id())
            }
            _ => None,
        };
        let open = self
            .exchanges
            .open(call.target.clone(), purpose, call.listener.clone());
        let conversation = Conversation {
            session: self,
            chain,
            request: Envelope {
                exchange: Some(open.number),
                ..envelope
            },
            trail,
            call,
            about,
            progress_token: call.request.value("/_meta/progressToken"),
        };

        let first = Circumstances {
            approved: asker
                .as_ref()
                .map_or_else(Vec::new, |asker| asker.asking.approved().to_vec()),
            ..conversation.circumstances(None, Duration::ZERO)
        };
        let admission = gate::admit(chain, &conversation.request, call.request.clone(), &first);
        let mut request = tokio::select! {
            admitted = admission => admitted?,
            _ = cancelled(asker) => return Err(Failure::Cancelled),
        };
        self.check_length(request.message().line().len())?;
        if let Some(trail) = trail {
            trail.noted().exchange = Some(open.number);
        }
        let sent = request.message().clone();
        let number = open.number.to_string();
        conversation.expect_progress(&open, &mut request, &number);
        let patience = asker.is_some().then(|| self.patience(call)).flatten();
        let bed = std::pin::pin!(clock::bed(patience));
        let exchange = Exchange {
            open,
            clock: Clock::new(patience, bed),
        };
        let admitted = request.with_id(&number).about(conversation.about.clone());
        conversation.run(exchange, admitted, sent, asker).await
    }
}

/// What guardrails have changed was changed for this client. A cache that others
/// share must not serve it to them, and must not serve theirs to this one.
fn kept_private(cleared: Cleared, original: &Message) -> Cleared {
    let is_changed = !std::ptr::eq(cleared.message().line(), original.line());
    if !is_changed || cleared.message().value("/cacheScope") != Some("\"public\"") {
        return cleared;
    }
    let private = cleared.clone().renamed(&["cacheScope"], "\"private\"");
    private.unwrap_or(cleared)
}

/// Where an exchange's progress goes.
struct Progress<'a> {
    outbox: &'a Outbox,
    /// For what it is made.
    purpose: Purpose,
}

/// An exchange and the time that it has.
struct Exchange<'a> {
    open: Open<'a>,
    clock: Clock<'a>,
}

/// An exchange, as both sides see it.
struct Conversation<'a> {
    session: &'a Session,
    chain: &'a Chain,
    call: &'a Call,
    request: Envelope,
    trail: Option<&'a Arc<Trail>>,
    /// The client's own request that a server's belongs to, as far as one can
    /// know.
    about: Option<Arc<str>>,
    /// By which whoever asked knows its progress.
    progress_token: Option<&'a str>,
}

impl Conversation<'_> {
    /// What guardrails are told about a message besides itself.
    fn circumstances(&self, request: Option<&Message>, elapsed: Duration) -> Circumstances {
        Circumstances {
            request: request.cloned(),
            elapsed: u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            trail: self.trail.cloned(),
            approved: Vec::new(),
        }
    }

    /// Sees to it that progress finds back. Servers number their tokens alike,
    /// so towards the client each gets the exchange's number in its place; the
    /// client's own are told apart by the client.
    fn expect_progress(&self, open: &Open<'_>, request: &mut Cleared, number: &str) {
        let Some(token) = self.progress_token else {
            return;
        };
        if self.call.target == Side::Client
            && let Ok(renamed) = request.clone().renamed(&["_meta", "progressToken"], number)
        {
            open.expect_progress(number);
            *request = renamed;
        } else {
            open.expect_progress(token);
        }
    }

    /// Sends the request, waits for its answer and has that judged.
    async fn run(
        &self,
        mut exchange: Exchange<'_>,
        admitted: Admitted,
        request: Message,
        asker: &mut Option<Asker<'_>>,
    ) -> Result<Cleared, Failure> {
        let (begun, number) = (Instant::now(), exchange.open.number);
        let progress = asker.as_ref().map(|asker| Progress {
            outbox: asker.outbox,
            purpose: asker.asking.purpose().clone(),
        });
        let mut is_sent = false;
        let answered = async {
            self.send(&mut exchange, admitted).await?;
            is_sent = true;
            self.answered(&mut exchange, &request, progress.as_ref())
                .await
        };
        let answer = tokio::select! {
            biased;
            answer = answered => answer,
            notification = cancelled(asker) => {
                if is_sent {
                    self.leave(&exchange.open);
                    self.pass_cancellation(number, notification).await;
                }
                return Err(Failure::Cancelled);
            }
        };
        let answer = answer.inspect_err(|failure| {
            if let Failure::Late { limit, .. } = failure {
                self.leave(&exchange.open);
                self.give_up(number, *limit);
            }
        })?;
        if let Some(asker) = asker {
            asker.asking.keep(answer.room);
        }
        let judged = async {
            let elapsed = begun.elapsed();
            let cleared = self.admit_answer(&request, answer.message, elapsed).await;
            if let Some(before) = answer.before {
                before.passed().await;
            }
            cleared
        };
        tokio::select! {
            biased;
            cleared = judged => cleared,
            // The answering side is done with it. What judges its answer ends.
            _ = cancelled(asker) => Err(Failure::Cancelled),
        }
    }

    /// Takes it that the answering side goes on for a while, where that matters: in
    /// a session of several clients, for all but what only listens.
    fn leave(&self, open: &Open<'_>) {
        if self.session.is_shared && self.call.listener.is_none() {
            open.give_up();
        }
    }

    /// Leaves the request for whoever is to answer it.
    async fn send(&self, exchange: &mut Exchange<'_>, request: Admitted) -> Result<(), Failure> {
        let outbox = self.session.outbox(&self.call.target);
        tokio::select! {
            biased;
            sent = outbox.send(request) => {
                sent.map_err(|_| self.undelivered("its connection is closed".into()))
            }
            reason = self.call.target.gone() => Err(self.gone(reason)),
            patience = exchange.clock.struck() => Err(self.late(patience)),
        }
    }

    /// Waits for the answer, and passes progress on until it comes.
    async fn answered(
        &self,
        exchange: &mut Exchange<'_>,
        request: &Message,
        progress: Option<&Progress<'_>>,
    ) -> Result<Answer, Failure> {
        loop {
            let event = tokio::select! {
                biased;
                event = exchange.open.events.recv() => event,
                reason = self.call.target.gone() => return Err(self.gone(reason)),
                patience = exchange.clock.struck() => return Err(self.late(patience)),
            };
            match event {
                Some(Event::Progress(notification, _room)) => {
                    self.pass_progress(request, notification, progress).await;
                    exchange.clock.restart();
                }
                Some(Event::Answer(answer)) => return Ok(answer),
                Some(Event::Unusable(reason)) => return Err(self.gone(reason.into())),
                Some(Event::Undelivered(undelivered)) => {
                    return Err(self.admit_failure(request, undelivered).await);
                }
                None => return Err(self.gone("the exchange was closed".into())),
            }
        }
    }

    async fn admit_answer(
        &self,
        request: &Message,
        answer: Message,
        elapsed: Duration,
    ) -> Result<Cleared, Failure> {
        let method = self.call.request.method().unwrap_or_default();
        let answer = match &self.call.target {
            Side::Server(run) => self.session.compared(run, request, answer).await?,
            Side::Client => answer,
        };
        let answer = self.call.translation.apply(method, answer)?;
        let envelope = Envelope {
            kind: answer.kind().into(),
            ..self.backwards()
        };
        if let Some(trail) = self.trail {
            let mut noted = trail.noted();
            noted.server_time = Some(elapsed);
            noted.answered = Some(answer.clone());
        }
        let circumstances = self.circumstances(Some(request), elapsed);
        let original = answer.clone();
        let cleared = gate::admit(self.chain, &envelope, answer, &circumstances).await?;
        Ok(kept_private(cleared, &original))
    }

    /// Why there is no answer may quote the server, so it passes the guardrails
    /// as an error that the server answers with.
    async fn admit_failure(&self, request: &Message, undelivered: Undelivered) -> Failure {
        if undelivered.again {
            return self.undelivered(undelivered.reason.into());
        }
        let error = Message::error(&undelivered.id, UNAVAILABLE, &undelivered.reason, None);
        match self.admit_answer(request, error, Duration::ZERO).await {
            Ok(cleared) => {
                let reason = cleared.message().value("/message").and_then(string);
                self.gone(reason.unwrap_or_default().into())
            }
            Err(failure) => failure,
        }
    }

    /// A progress notification that is refused is dropped: its exchange goes on
    /// without it.
    async fn pass_progress(
        &self,
        request: &Message,
        notification: Message,
        progress: Option<&Progress<'_>>,
    ) {
        let Some(progress) = progress else { return };
        let envelope = Envelope {
            method: notification.method().unwrap_or_default().into(),
            kind: notification.kind().into(),
            ..self.backwards()
        };
        let circumstances = self.circumstances(Some(request), Duration::ZERO);
        let admitted = gate::admit(self.chain, &envelope, notification, &circumstances).await;
        let Ok(cleared) = admitted else { return };
        let known = match (self.progress_token, &progress.purpose) {
            (Some(token), _) if self.call.target == Side::Client => {
                cleared.renamed(&["progressToken"], token).ok()
            }
            // Each attempt has its own token, if any.
            (_, Purpose::Rounds(attempts)) => attempts
                .progress_token()
                .and_then(|token| cleared.renamed(&["progressToken"], &token).ok()),
            _ => Some(cleared),
        };
        if let Some(cleared) = known.filter(|it| self.session.may_pass(it, &self.call.server)) {
            // Whoever does not read any more is noticed by its own reader.
            let about = progress.purpose.id();
            let _ = progress.outbox.send(cleared.as_is().about(about)).await;
        }
    }

    /// Tells the answering side, by the id that it knows the request by.
    async fn pass_cancellation(&self, number: u64, notification: Message) {
        let envelope = Envelope {
            method: notification.method().unwrap_or_default().into(),
            kind: notification.kind().into(),
            ..self.request.clone()
        };
        let admitted = gate::admit(
            self.chain,
            &envelope,
            notification,
            &Circumstances::default(),
        )
        .await;
        // A guardrail may keep its reason back, but not the fact.
        let cleared = match admitted {
            Ok(cleared) => cleared.renamed(&["requestId"], &number.to_string()).ok(),
            Err(_) => None,
        };
        let admitted = match cleared {
            Some(cleared) => cleared.as_is(),
            None => Admitted::own(Message::notification(
                "notifications/cancelled",
                Some(&format!(r#"{{"requestId":{number}}}"#)),
            )),
        };
        let outbox = self.session.outbox(&self.call.target);
        let _ = outbox.send(admitted.about(self.about.clone())).await;
    }

    /// Tells the answering side that nobody waits any more.
    fn give_up(&self, number: u64, limit: Duration) {
        let reason = quote(&format!("no answer within {}", show_duration(limit)));
        let params = format!(r#"{{"requestId":{number},"reason":{reason}}}"#);
        let notification = Message::notification("notifications/cancelled", Some(&params));
        let outbox = self.session.outbox(&self.call.target);
        // One that does not even read will not stop either.
        let notification = Admitted::own(notification).about(self.about.clone());
        let _ = outbox.try_send(notification);
    }

    fn late(&self, patience: Patience) -> Failure {
        let server = &self.call.server;
        let who = match self.call.target {
            Side::Server(_) => format!("server {server:?} did not answer"),
            Side::Client => format!("the client did not answer server {server:?}"),
        };
        let limit = show_duration(patience.limit);
        let key = patience.key.in_file(server);
        Failure::Late {
            limit: patience.limit,
            text: format!(
                "{who} within {limit}, and is told to stop; to allow more time, a person can set {key} of the gateway's configuration"
            ),
        }
    }

    /// The envelope of what comes back.
    fn backwards(&self) -> Envelope {
        Envelope {
            direction: match self.request.direction {
                Direction::ToServer => Direction::ToClient,
                Direction::ToClient => Direction::ToServer,
            },
            ..self.request.clone()
        }
    }

    fn gone(&self, reason: Arc<str>) -> Failure {
        Failure::Unavailable(self.unavailable(reason))
    }

    fn undelivered(&self, reason: Arc<str>) -> Failure {
        Failure::Undelivered(self.unavailable(reason))
    }

    fn unavailable(&self, reason: Arc<str>) -> Unavailable {
        Unavailable {
            server: Arc::clone(&self.call.server),
            reason,
        }
    }
}
