//! What a guardrail wants a person to approve: the person is asked through the client if
//! it can ask, else by a code that they approve in a terminal. Once they have, the
//! request passes the guardrails anew, with their word.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::Session;
use super::asked::Asking;
use super::call::{Asker, Call};
use super::failure::Failure;
use super::requests::Reply;
use super::rounds::token;
use crate::approval::{ApprovalError, Approvals, Wanted, digest_of};
use crate::gate::{Refusal, Word};
use crate::guardrail::Envelope;
use crate::message::{Message, quote, string};
use crate::protocol::{Era, Hello};
use crate::upstream::Ready;

/// How often guardrails may ask about one request: more than there are in a chain.
const MOST: usize = 16;

/// How long a modern client may take to come back with a person's word.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// How many of its requests may wait for that.
const PARKED: usize = 64;

/// What the state of such a request begins with, which tells it from that of a server.
const MARK: &str = "mcp-gateway.approval.";

/// How many characters of the arguments a person is shown.
const SHOWN: usize = 600;

/// Requests of a modern client about which a person is asked, by the state that it sends
/// back.
#[derive(Debug, Default)]
pub(super) struct Questions(Mutex<HashMap<String, Question>>);

/// Such a request.
#[derive(Debug)]
struct Question {
    request: Message,
    server: Arc<str>,
    digest: String,
    /// What is to be answered unless they approve.
    refusal: Refusal,
    /// The guardrails that they have approved of already.
    approved: Vec<Arc<str>>,
    since: Instant,
}

/// What is to be done once a person has been asked.
enum Then {
    /// They approve.
    Again,
    /// They do not.
    Refuse(Word),
    /// The client comes back with what they say.
    Reply(Reply),
}

impl Session {
    /// Has a server answer, after a person has approved of the request if a guardrail
    /// wants that.
    pub(super) async fn ask_server(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        request: Message,
        subject: Option<Arc<str>>,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        let request = self.resumed(ready, request, asking)?;
        for _ in 0..MOST {
            let asked = self.ask_unless_stopped(ready, request.clone(), subject.clone(), asking);
            let refusal = match asked.await {
                Err(Failure::Refused(refusal)) if refusal.question().is_some() => refusal,
                answered => return answered,
            };
            let then = self.put(ready, &request, &refusal, asking).await?;
            let guardrail = &refusal.block().guardrail;
            match then {
                Then::Again => {
                    tracing::info!(
                        guardrail = &**guardrail,
                        server = &*ready.run.server,
                        subject = subject.as_deref(),
                        "a person approved"
                    );
                    asking.approve(guardrail);
                }
                Then::Refuse(word) => return Err(refusal.after(word).into()),
                Then::Reply(reply) => return Ok(reply),
            }
        }
        Err(Failure::Protocol {
            code: rmcp::model::ErrorCode::INTERNAL_ERROR.0.into(),
            message: format!("guardrails asked a person more than {MOST} times"),
            data: None,
        })
    }

    /// Puts a guardrail's question to a person.
    async fn put(
        &self,
        ready: &Ready,
        request: &Message,
        refusal: &Refusal,
        asking: &mut Asking,
    ) -> Result<Then, Failure> {
        let arguments = self.shown(refusal.envelope(), request).await;
        // Of several clients behind a session each may be able to do something else.
        let says_itself = Hello::of(request).map(|client| client.can_ask());
        let can_ask =
            says_itself.unwrap_or_else(|| self.client().is_some_and(|client| client.can_ask()));
        let form = || form(refusal, arguments.as_deref());
        match (can_ask, self.client_era()) {
            (true, Era::Legacy) => {
                let question = Message::request("0", "elicitation/create", Some(&form()));
                let call = Call::to_client(&ready.run.server, question);
                // It shows what the guardrail asks about, which must not be asked about in
                // turn. Unless the person approves, the request ends here.
                asking.approve(&refusal.block().guardrail);
                let asker = Asker {
                    asking,
                    outbox: &ready.run.outbox,
                };
                let answer = self.converse(call, Some(asker)).await;
                asking.release();
                match answer {
                    Ok(answer) => Ok(match word(answer.message().value("/action")) {
                        Ok(()) => Then::Again,
                        Err(word) => Then::Refuse(word),
                    }),
                    Err(Failure::Cancelled) => Err(Failure::Cancelled),
                    Err(_) => Ok(Then::Refuse(Word::Unanswered)),
                }
            }
            (true, Era::Modern) => {
                let state = format!("{MARK}{}", token()?);
                let result = format!(
                    r#"{{"resultType":"input_required","inputRequests":{{"approval":{{"method":"elicitation/create","params":{}}}}},"requestState":{}}}"#,
                    form(),
                    quote(&state),
                );
                let guardrail = &refusal.block().guardrail;
                let server = &ready.run.server;
                self.questions.park(
                    state,
                    Question {
                        digest: digest_of(guardrail, server, request),
                        request: request.clone(),
                        server: Arc::clone(server),
                        approved: asking.approved().to_vec(),
                        refusal: refusal.clone(),
                        since: Instant::now(),
                    },
                );
                Ok(Then::Reply(Reply::Own(result)))
            }
            (false, _) => Ok(elsewhere(ready, request, refusal, arguments).await),
        }
    }

    /// The request that a modern client comes back to with a person's word, or the
    /// request as it is if there is no such thing.
    fn resumed(
        &self,
        ready: &Ready,
        request: Message,
        asking: &mut Asking,
    ) -> Result<Message, Failure> {
        let state = request.value("/requestState").and_then(string);
        let Some(state) = state.filter(|state| state.starts_with(MARK)) else {
            return Ok(request);
        };
        let question = self.questions.unpark(&state).filter(|question| {
            let server = &ready.run.server;
            question.server == *server
                && question.digest == digest_of(question.guardrail(), server, &request)
        });
        let Some(question) = question else {
            return Err(Failure::Protocol {
                code: rmcp::model::ErrorCode::INVALID_PARAMS.0.into(),
                message: "Invalid params: \"requestState\" is not known, or no longer, or of another call; send the request without it".into(),
                data: None,
            });
        };
        match word(request.value("/inputResponses/approval/action")) {
            Ok(()) => {
                let approved = question.approved.iter();
                let approved = approved.chain([question.guardrail()]);
                approved.for_each(|guardrail| asking.approve(guardrail));
                Ok(question.request)
            }
            Err(word) => Err(question.refusal.after(word).into()),
        }
    }

    /// What a request is about, as guardrails leave it, for a person to look at.
    async fn shown(&self, envelope: &Envelope, request: &Message) -> Option<String> {
        let chain = self.chain.load_full();
        let masked = chain.mask(envelope, request.clone()).await?;
        let arguments = masked.value("/arguments")?;
        let mut shown: String = arguments.chars().take(SHOWN).collect();
        if shown.len() < arguments.len() {
            shown.push('…');
        }
        Some(shown)
    }
}

/// What a person is asked with: a form without fields, which they accept or decline.
fn form(refusal: &Refusal, arguments: Option<&str>) -> String {
    let envelope = refusal.envelope();
    let what = envelope.subject.as_deref().unwrap_or(&envelope.method);
    let mut text = format!(
        "Guardrail {:?} asks: {}\n\n{what:?} of server {:?}",
        refusal.block().guardrail,
        refusal.question().unwrap_or_default(),
        envelope.server
    );
    if let Some(arguments) = arguments {
        text.push_str(&format!(", with {arguments}"));
    }
    format!(
        r#"{{"message":{},"requestedSchema":{{"type":"object","properties":{{}}}}}}"#,
        quote(&text)
    )
}

/// Whether a person approves, by what they did with a form, a JSON text.
fn word(action: Option<&str>) -> Result<(), Word> {
    match action {
        Some(r#""accept""#) => Ok(()),
        Some(r#""decline""#) => Err(Word::Declined),
        _ => Err(Word::Unanswered),
    }
}

/// Looks whether a person has approved in a terminal; if not, has the call wait for that.
async fn elsewhere(
    ready: &Ready,
    request: &Message,
    refusal: &Refusal,
    arguments: Option<String>,
) -> Then {
    let envelope = refusal.envelope();
    let guardrail = &refusal.block().guardrail;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let wanted = Wanted {
        digest: digest_of(guardrail, &ready.run.server, request),
        guardrail: guardrail.to_string(),
        question: refusal.question().unwrap_or_default().to_owned(),
        server: envelope.server.to_string(),
        method: envelope.method.to_string(),
        subject: envelope.subject.as_deref().map(str::to_owned),
        arguments,
        asked: now.unwrap_or_default().as_secs(),
        approved: None,
    };
    let code = wanted.code().to_owned();
    let looked = tokio::task::spawn_blocking(move || {
        let approvals = Approvals::open()?;
        if approvals.redeem(&wanted.digest)? {
            return Ok(true);
        }
        approvals.ask(&wanted)?;
        Ok::<_, ApprovalError>(false)
    });
    match looked.await {
        Ok(Ok(true)) => Then::Again,
        Ok(Ok(false)) => Then::Refuse(Word::Elsewhere(code)),
        Ok(Err(error)) => {
            tracing::error!("a person cannot be asked: {error}");
            Then::Refuse(Word::Unanswered)
        }
        Err(error) => {
            tracing::error!("a person cannot be asked: {error}");
            Then::Refuse(Word::Unanswered)
        }
    }
}

impl Question {
    fn guardrail(&self) -> &Arc<str> {
        &self.refusal.block().guardrail
    }
}

impl Questions {
    /// Keeps a request until the client comes back, but not for ever, and not so many
    /// that there is no room for others.
    fn park(&self, state: String, question: Question) {
        let mut table = self.table();
        table.retain(|_, question| question.since.elapsed() < PATIENCE);
        if table.len() >= PARKED {
            let oldest = table.iter().min_by_key(|(_, question)| question.since);
            if let Some(state) = oldest.map(|(state, _)| state.clone()) {
                table.remove(&state);
            }
        }
        table.insert(state, question);
    }

    fn unpark(&self, state: &str) -> Option<Question> {
        let question = self.table().remove(state);
        question.filter(|question| question.since.elapsed() < PATIENCE)
    }

    fn table(&self) -> MutexGuard<'_, HashMap<String, Question>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
