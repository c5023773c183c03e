//! A modern client and a legacy server: what the server asks the client while it
//! works on a request becomes an answer that asks for input, and what the client
//! sends with its next attempt becomes the answer to the server.
//!
//! Meanwhile the server's request stays open: its conversation goes on in a task
//! of its own, which a later attempt finds by the state that it was told to send
//! back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rmcp::model::ErrorCode;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::Session;
use super::asked::{Asked, Asking};
use super::converse::Asker;
use super::exchanges::Side;
use super::failure::Failure;
use super::purpose::{Attempt, Attempts, Purpose};
use super::requests::Reply;
use crate::chain::Circumstances;
use crate::gate::{self, Cleared};
use crate::guardrail::{Direction, Envelope};
use crate::message::{self, Message, quote, string};
use crate::protocol::Severity;
use crate::upstream::{Ready, Run, Unavailable};

/// How long a client may take to come back with what it was asked for. A person
/// may have to look for it.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// Requests that may wait for a client to come back.
const PARKED: usize = 256;

/// How long a question waits to be one that can only be for one request.
const DOUBT: Duration = Duration::from_secs(30);

/// How long a server may take to ask for more before the client is told: one
/// answer can carry several questions.
const TOGETHER: Duration = Duration::from_millis(5);

/// Requests that a server may have answered in rounds.
const IN_ROUNDS: [&str; 3] = ["tools/call", "prompts/get", "resources/read"];

/// What a server may ask a client for, and what the client must be able to do.
const INPUTS: [(&str, &str); 3] = [
    ("elicitation/create", "elicitation"),
    ("sampling/createMessage", "sampling"),
    ("roots/list", "roots"),
];

/// The requests of a modern client that legacy servers work on.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    table: Mutex<Table>,
    /// A server works on fewer requests.
    ended: Notify,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    /// Where each server's questions go, the latest request last.
    working: Vec<(u64, Arc<Run>, mpsc::Sender<Question>)>,
    /// Those whose client has been asked, by the state that it sends back.
    parked: HashMap<String, Parked>,
}

/// A request whose client has been asked.
#[derive(Debug)]
struct Parked {
    round: Round,
    /// Ends it once the client has taken too long.
    _expiry: Expiry,
}

/// What happens to a request that is parked for too long, and does not once it is
/// not parked any more.
#[derive(Debug)]
struct Expiry(AbortHandle);

impl Drop for Expiry {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Which request a server's question is for.
enum Meant {
    /// This one; where its questions go.
    One(mpsc::Sender<Question>),
    /// One of several.
    Unclear,
    /// None at all.
    Nobody,
}

/// What a server asks the client for.
#[derive(Debug)]
struct Question {
    request: Message,
    /// Where the JSON text of the answer goes.
    answer: oneshot::Sender<String>,
}

/// One request that a server works on.
#[derive(Debug)]
struct Round {
    number: u64,
    /// What it is, so that nothing else can take its place.
    about: (Arc<str>, String, Option<Arc<str>>),
    questions: mpsc::Receiver<Question>,
    /// Those that the client has been asked, by name.
    asked: Vec<(String, Question)>,
    outcome: oneshot::Receiver<Result<Cleared, Failure>>,
    /// The client's attempts at it.
    attempts: Attempts,
    /// Cancels what the server does when nobody waits for it any more.
    _cancel: Cancel,
}

#[derive(Debug)]
struct Cancel {
    asked: Asked,
    id: String,
}

impl Drop for Cancel {
    fn drop(&mut self) {
        let params = format!(r#"{{"requestId":{}}}"#, self.id);
        let notification = Message::notification("notifications/cancelled", Some(&params));
        // If it has been answered, there is nothing to cancel.
        self.asked.cancel(&Side::Client, &self.id, notification);
    }
}

impl Rounds {
    fn table(&self) -> std::sync::MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which request a server's question is for: the one that it began last. Where
    /// one client must not get what is another's, it has to be the only one.
    fn meant(&self, run: &Arc<Run>, is_shared: bool) -> Meant {
        let table = self.table();
        let working = table.working.iter().rev();
        let mut theirs = working.filter(|(_, theirs, _)| Arc::ptr_eq(theirs, run));
        match (theirs.next(), theirs.next()) {
            (None, _) => Meant::Nobody,
            (Some(_), Some(_)) if is_shared => Meant::Unclear,
            (Some((_, _, questions)), _) => Meant::One(questions.clone()),
        }
    }

    /// Where a server's question goes, once that is clear; `None` for nowhere.
    async fn clear(&self, run: &Arc<Run>, is_shared: bool) -> Option<mpsc::Sender<Question>> {
        loop {
            let ended = self.ended.notified();
            match self.meant(run, is_shared) {
                Meant::One(questions) => return Some(questions),
                Meant::Nobody => return None,
                // The one that it is for cannot end before the question is answered,
                // but all others can.
                Meant::Unclear => ended.await,
            }
        }
    }
}

impl Session {
    /// Has a legacy server answer a modern client.
    pub(super) async fn ask_legacy(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        request: Message,
        subject: Option<Arc<str>>,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        tokio::select! {
            () = self.wish_for_log(ready, asking.log()) => {}
            _ = asking.cancelled() => return Err(Failure::Cancelled),
        }
        let method = request.method().unwrap_or_default();
        let can_be_asked = INPUTS.iter().any(|(_, needs)| ready.client.can(needs));
        if !IN_ROUNDS.contains(&method) || !can_be_asked {
            let call = self.to_server(ready, request, subject)?;
            let asker = Asker {
                asking,
                outbox: &self.client,
            };
            return Ok(Reply::Cleared(self.converse(call, Some(asker)).await?));
        }
        let attempt = Attempt {
            id: asking.id(),
            progress_token: request.value("/_meta/progressToken").map(Into::into),
            log: asking.log(),
        };
        let round = match request.value("/requestState").and_then(string) {
            Some(state) => {
                let round = self.resume(ready, &request, &subject, &state)?;
                round.attempts.set(Some(attempt));
                self.hand_over(round, ready, &request, &subject).await?
            }
            None => self.begin(ready, &request, subject, attempt)?,
        };
        self.turn(round, ready, asking).await
    }

    /// Has a server begin with a request.
    fn begin(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        request: &Message,
        subject: Option<Arc<str>>,
        attempt: Attempt,
    ) -> Result<Round, Failure> {
        let call = self.to_server(ready, request.clone(), subject.clone())?;
        let (ask, questions) = mpsc::channel(16);
        let (done, outcome) = oneshot::channel();
        let number = {
            let mut table = self.rounds.table();
            table.last += 1;
            table.last
        };
        let id = quote(&format!("round {number}"));
        let (length, most) = (request.line().len(), self.most_asked());
        let attempts = Attempts::default();
        attempts.set(Some(attempt));
        let asking = self.asked.enter(&Side::Client, &id, length, most)?;
        let mut asking = asking.for_purpose(Purpose::Rounds(attempts.clone()));
        let working = (number, Arc::clone(&ready.run), ask);
        self.rounds.table().working.push(working);
        let session = Arc::clone(self);
        tokio::spawn(async move {
            let asker = Asker {
                asking: &mut asking,
                outbox: &session.client,
            };
            let outcome = session.converse(call, Some(asker)).await;
            let mut table = session.rounds.table();
            table.working.retain(|(theirs, ..)| *theirs != number);
            drop(table);
            session.rounds.ended.notify_waiters();
            // Whoever asked may be gone by now.
            let _ = done.send(outcome);
        });
        Ok(Round {
            number,
            about: about(ready, request, subject),
            questions,
            asked: Vec::new(),
            outcome,
            attempts,
            _cancel: Cancel {
                asked: self.asked.clone(),
                id,
            },
        })
    }

    /// Waits until a server has answered or asks for something.
    async fn turn(
        self: &Arc<Self>,
        mut round: Round,
        ready: &Arc<Ready>,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        // What the client has left open it is asked once more.
        if round.asked.is_empty() {
            tokio::select! {
                biased;
                outcome = &mut round.outcome => {
                    let gone = || Failure::Unavailable(Unavailable {
                        server: Arc::clone(&ready.run.server),
                        reason: "the exchange was closed".into(),
                    });
                    return outcome.unwrap_or_else(|_| Err(gone())).map(Reply::Cleared);
                }
                Some(question) = round.questions.recv() => round.take(question),
                // The round is dropped, which tells the server.
                _ = asking.cancelled() => return Err(Failure::Cancelled),
            }
            while let Ok(Some(question)) =
                tokio::time::timeout(TOGETHER, round.questions.recv()).await
            {
                round.take(question);
            }
        }
        let state = format!("{}.{}", round.number, token()?);
        let result = round.input_required(&state);
        let envelope = Envelope {
            kind: result.kind().into(),
            direction: Direction::ToClient,
            ..self.envelope_of(&round)
        };
        let chain = self.chain.load_full();
        let circumstances = Circumstances::default();
        let cleared = gate::admit(&chain, &envelope, result, &circumstances).await?;
        self.park(state, round);
        Ok(Reply::Cleared(cleared))
    }

    /// Keeps a request open until the client comes back, but not for ever, and
    /// not so many that there is no room for others.
    fn park(self: &Arc<Self>, state: String, round: Round) {
        round.attempts.set(None);
        let (session, theirs) = (Arc::downgrade(self), state.clone());
        let expiry = tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            if let Some(session) = session.upgrade() {
                let expired = session.rounds.table().parked.remove(&theirs);
                drop(expired);
            }
        });
        let parked = Parked {
            round,
            _expiry: Expiry(expiry.abort_handle()),
        };
        let most = PARKED.min(self.settings.max_in_flight.div_ceil(2));
        let mut table = self.rounds.table();
        let full = table.parked.len() >= most;
        let oldest = table.parked.iter().min_by_key(|(_, it)| it.round.number);
        let oldest = oldest.map(|(state, _)| state.clone());
        let oldest = oldest
            .filter(|_| full)
            .and_then(|it| table.parked.remove(&it));
        table.parked.insert(state, parked);
        drop(table);
        if oldest.is_some() {
            tracing::warn!("too many requests wait for their client: the oldest is cancelled");
        }
    }

    /// The request that a client comes back to.
    fn resume(
        &self,
        ready: &Ready,
        request: &Message,
        subject: &Option<Arc<str>>,
        state: &str,
    ) -> Result<Round, Failure> {
        let mut table = self.rounds.table();
        let expected = about(ready, request, subject.clone());
        let fits = table
            .parked
            .get(state)
            .is_some_and(|parked| parked.round.about == expected);
        let parked = fits.then(|| table.parked.remove(state)).flatten();
        drop(table);
        parked.map(|parked| parked.round).ok_or_else(|| Failure::Protocol {
            code: ErrorCode::INVALID_PARAMS.0.into(),
            message: "Invalid params: \"requestState\" is not known, or no longer; send the request without it".into(),
            data: None,
        })
    }

    /// Hands the client's answers to the server.
    async fn hand_over(
        &self,
        mut round: Round,
        ready: &Ready,
        request: &Message,
        subject: &Option<Arc<str>>,
    ) -> Result<Round, Failure> {
        let envelope = Envelope {
            kind: request.kind().into(),
            direction: Direction::ToServer,
            server: Arc::clone(&ready.run.server),
            subject: subject.clone(),
            ..self.envelope_of(&round)
        };
        let chain = self.chain.load_full();
        let circumstances = Circumstances::default();
        let cleared = gate::admit(&chain, &envelope, request.clone(), &circumstances).await?;
        let responses = cleared.message().value("/inputResponses").unwrap_or("{}");
        let responses = message::members(responses).unwrap_or_default();
        for (name, question) in std::mem::take(&mut round.asked) {
            match responses.unique(&name) {
                Ok(Some(answer)) => {
                    // A server that is gone does not wait for it.
                    let _ = question.answer.send(answer.to_owned());
                }
                _ => round.asked.push((name, question)),
            }
        }
        Ok(round)
    }

    /// Has the client answer a server's request as part of its own request's
    /// answer.
    pub(super) async fn ask_in_a_round(
        &self,
        run: &Arc<Run>,
        request: &Message,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        let method = request.method().unwrap_or_default();
        if method == "ping" {
            return Ok(Reply::Own("{}".into()));
        }
        let refuse = |message: String| Failure::Protocol {
            code: ErrorCode::METHOD_NOT_FOUND.0.into(),
            message,
            data: None,
        };
        let needs = INPUTS.iter().find(|(input, _)| *input == method);
        let able = self.client().zip(needs);
        if !able.is_some_and(|(client, (_, needs))| client.can(needs)) {
            return Err(refuse(format!("Method not found: {method}")));
        }
        let asked = async {
            let clear = timeout(DOUBT, self.rounds.clear(run, self.is_shared)).await;
            let clear = clear.map_err(|_| {
                refuse(format!(
                    "requests of several clients are worked on, and it did not become clear within {DOUBT:?} which one this is for"
                ))
            })?;
            let questions = clear.ok_or_else(|| {
                refuse(
                    "a client of this revision can be asked only while it waits for an answer"
                        .into(),
                )
            })?;
            let (answer, answered) = oneshot::channel();
            let question = Question {
                request: request.clone(),
                answer,
            };
            let gone = || refuse("the client does not wait any more".into());
            questions.send(question).await.map_err(|_| gone())?;
            Ok(Reply::Own(answered.await.map_err(|_| gone())?))
        };
        tokio::select! {
            reply = asked => reply,
            _ = asking.cancelled() => Err(Failure::Cancelled),
        }
    }

    fn envelope_of(&self, round: &Round) -> Envelope {
        let (server, method, subject) = &round.about;
        Envelope {
            session: Arc::clone(&self.id),
            exchange: None,
            server: Arc::clone(server),
            method: method.as_str().into(),
            kind: crate::guardrail::Kind::Request,
            direction: Direction::ToServer,
            subject: subject.clone(),
        }
    }

    /// A legacy server logs for a session, not for a request: it is told what the
    /// client wants before the first request that wants it.
    pub(super) async fn wish_for_log(&self, ready: &Arc<Ready>, wanted: Option<Severity>) {
        let Some(wanted) = wanted.filter(|_| ready.offers("logging")) else {
            return;
        };
        if !ready.run.wants_log_from(wanted) {
            return;
        }
        let params = format!(r#"{{"level":{}}}"#, wanted.level());
        let request = Message::request("0", "logging/setLevel", Some(&params));
        let Ok(call) = self.to_server(ready, request, None) else {
            return;
        };
        let told = timeout(self.settings.ready_timeout, self.converse(call, None));
        let why = match told.await {
            Ok(Ok(_)) => return,
            Ok(Err(failure)) => failure.kind(),
            Err(_) => "it did not answer in time".into(),
        };
        tracing::debug!(server = &*ready.run.server, "no log level: {why}");
    }
}

impl Round {
    fn take(&mut self, question: Question) {
        let name = format!("input-{}", self.asked.len() + 1);
        self.asked.push((name, question));
    }

    /// The answer that asks the client.
    fn input_required(&self, state: &str) -> Message {
        let inputs: Vec<String> = self
            .asked
            .iter()
            .map(|(name, question)| {
                let method = quote(question.request.method().unwrap_or_default());
                let params = question.request.payload().unwrap_or("{}");
                format!(r#"{}:{{"method":{method},"params":{params}}}"#, quote(name))
            })
            .collect();
        let result = format!(
            r#"{{"resultType":"input_required","inputRequests":{{{}}},"requestState":{}}}"#,
            inputs.join(","),
            quote(state),
        );
        Message::result("0", &result)
    }
}

fn about(
    ready: &Ready,
    request: &Message,
    subject: Option<Arc<str>>,
) -> (Arc<str>, String, Option<Arc<str>>) {
    let method = request.method().unwrap_or_default().to_owned();
    (Arc::clone(&ready.run.server), method, subject)
}

/// Something that nobody can guess.
fn token() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect()),
        Err(error) => Err(Failure::Protocol {
            code: ErrorCode::INTERNAL_ERROR.0.into(),
            message: format!("the gateway's system has no randomness: {error}"),
            data: None,
        }),
    }
}
