//! A modern client and a legacy server: what the server asks the client while it
//! works on a request becomes an answer that asks for input, and what the client
//! sends with its next attempt becomes the answer to the server.
//!
//! Meanwhile the server's request stays open: its conversation goes on in a task
//! of its own, which a later attempt finds by the state that it was told to send
//! back.

mod table;

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::ErrorCode;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::Session;
use super::asked::{Asking, Most};
use super::call::Asker;
use super::exchanges::Side;
use super::failure::Failure;
use super::purpose::{Attempt, Attempts, Purpose};
use super::requests::Reply;
use crate::chain::Circumstances;
use crate::gate;
use crate::guardrail::{Direction, Envelope};
use crate::message::{self, Message, quote, string};
use crate::protocol::Severity;
use crate::upstream::{Ready, Run, Unavailable};
pub(super) use table::Rounds;
use table::{Cancel, Question, Round, Unasked};

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
        let turn = async {
            let round = match request.value("/requestState").and_then(string) {
                Some(state) => {
                    let round = self.resume(ready, &request, &subject, &state)?;
                    round.attempts.set(Some(attempt));
                    self.hand_over(round, ready, &request, &subject).await?
                }
                None => self.begin(ready, &request, subject, attempt, asking)?,
            };
            self.turn(round, ready).await
        };
        tokio::select! {
            biased;
            reply = turn => reply,
            // The round is dropped, which tells the server.
            _ = asking.cancelled() => Err(Failure::Cancelled),
        }
    }

    /// Has a server begin with a request.
    fn begin(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        request: &Message,
        subject: Option<Arc<str>>,
        attempt: Attempt,
        first: &Asking,
    ) -> Result<Round, Failure> {
        let call = self.to_server(ready, request.clone(), subject.clone())?;
        let (ask, questions) = mpsc::channel(16);
        let (done, outcome) = oneshot::channel();
        let number = self.rounds.begin(&ready.run, ask);
        let id = quote(&format!("round {number}"));
        let attempts = Attempts::default();
        attempts.set(Some(attempt));
        // The client's request that it is for is counted already, and parked ones
        // are, too.
        let most = Most {
            count: usize::MAX,
            ..self.most_asked()
        };
        let length = request.line().len();
        let asking = self.rounds.asked.enter(&Side::Client, &id, length, most);
        let asking = asking.inspect_err(|_| self.rounds.end(number))?;
        let asking = asking.for_purpose(Purpose::Rounds(attempts.clone()));
        let mut asking = asking.approved_as(first);
        let session = Arc::clone(self);
        tokio::spawn(async move {
            let asker = Asker {
                asking: &mut asking,
                outbox: &session.client,
            };
            let outcome = session.converse(call, Some(asker)).await;
            session.rounds.end(number);
            session.exchanges.has_settled();
            // Whoever asked may be gone by now.
            let _ = done.send(outcome);
        });
        Ok(Round {
            number,
            run: Arc::clone(&ready.run),
            about: about(ready, request, subject),
            questions,
            asked: Vec::new(),
            outcome,
            attempts,
            approved: first.approved().to_vec(),
            _cancel: Cancel {
                asked: self.rounds.asked.clone(),
                id,
            },
        })
    }

    /// Waits until a server has answered or asks for something.
    async fn turn(
        self: &Arc<Self>,
        mut round: Round,
        ready: &Arc<Ready>,
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
                session.rounds.expire(&theirs);
            }
        });
        let most = PARKED.min(self.settings.max_in_flight.div_ceil(2));
        if self.rounds.park(state, round, expiry.abort_handle(), most) {
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
        let expected = about(ready, request, subject.clone());
        let round = self.rounds.unpark(state, &expected);
        round.ok_or_else(|| Failure::Protocol {
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
        let circumstances = Circumstances {
            approved: round.approved.clone(),
            ..Circumstances::default()
        };
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
            let shared = self.is_shared.then_some(&self.exchanges);
            let meant = timeout(DOUBT, self.rounds.meant(run, shared)).await;
            let questions = meant.unwrap_or(Err(Unasked::Several));
            let questions = questions.map_err(|why| refuse(why.to_string()))?;
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
        // Held until the server knows: no request overtakes that, and whoever gives
        // up leaves it to the next.
        let mut told = ready.run.told_log_from().await;
        if told.is_some_and(|told| told <= wanted) {
            return;
        }
        let params = format!(r#"{{"level":{}}}"#, wanted.level());
        let request = Message::request("0", "logging/setLevel", Some(&params));
        let Ok(call) = self.to_server(ready, request, None) else {
            return;
        };
        let telling = timeout(self.settings.ready_timeout, self.converse(call, None));
        let answer = telling.await;
        *told = Some(wanted);
        let why = match answer {
            Ok(Ok(_)) => return,
            Ok(Err(failure)) => failure.kind(),
            Err(_) => "it did not answer in time".into(),
        };
        tracing::debug!(server = &*ready.run.server, "no log level: {why}");
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
pub(super) fn token() -> Result<String, Failure> {
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
