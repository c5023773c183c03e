//! A legacy client and a modern server: what the server wants to know before it
//! answers, the client is asked for as if by a legacy server.

use std::sync::Arc;
use std::time::Duration;

use rmcp::model::ErrorCode;

use super::Session;
use super::asked::Asking;
use super::call::{Asker, Call};
use super::failure::Failure;
use super::requests::Reply;
use crate::message::{self, Kind, Message, PatchOp, quote, string};
use crate::upstream::Ready;

/// How often a server may ask on behalf of one request: as often as the official
/// clients let it.
const ROUNDS: usize = 10;

/// How long to wait with the next attempt when the server has not asked for
/// anything.
const PAUSE: Duration = Duration::from_millis(100);

impl Session {
    /// Has a modern server answer a legacy client.
    pub(super) async fn ask_modern(
        self: &Arc<Self>,
        ready: &Arc<Ready>,
        request: Message,
        subject: Option<Arc<str>>,
        asking: &mut Asking,
    ) -> Result<Reply, Failure> {
        let subscribed = self.subscribe_at(ready, &request, subject.as_ref()).await?;
        if let Some(reply) = subscribed {
            return Ok(reply);
        }
        let mut attempt = request.clone();
        for _ in 0..ROUNDS {
            let call = self.to_server(ready, attempt, subject.clone())?;
            let asker = Asker {
                asking,
                outbox: &self.client,
            };
            let question = match self.converse(call, Some(asker)).await {
                Ok(cleared) => return Ok(Reply::Cleared(cleared)),
                Err(Failure::InputRequired(question)) => question,
                Err(failure) => return Err(failure),
            };
            asking.release();
            let responses = self.ask_client(ready, &question, asking).await?;
            attempt = retry(&request, responses, question.value("/requestState"))?;
        }
        Err(Failure::Protocol {
            code: ErrorCode::INTERNAL_ERROR.0.into(),
            message: format!("the server asked for input more than {ROUNDS} times"),
            data: None,
        })
    }

    /// Asks the client for everything that a server wants to know; returns the
    /// answers as a JSON object.
    async fn ask_client(
        &self,
        ready: &Ready,
        question: &Message,
        asking: &mut Asking,
    ) -> Result<Option<String>, Failure> {
        let Some(inputs) = question.value("/inputRequests") else {
            tokio::select! {
                () = tokio::time::sleep(PAUSE) => return Ok(None),
                _ = asking.cancelled() => return Err(Failure::Cancelled),
            }
        };
        let mut responses = Vec::new();
        for input in message::members(inputs).map_err(malformed)?.iter() {
            let request = message::members(input.value).map_err(malformed)?;
            let method = request.unique("method").map_err(malformed)?;
            let method = method.and_then(string).unwrap_or_default();
            let params = request.unique("params").map_err(malformed)?;
            let call = Call::to_client(&ready.run.server, Message::request("0", &method, params));
            let asker = Asker {
                asking,
                outbox: &ready.run.outbox,
            };
            let answer = self.converse(call, Some(asker)).await?;
            asking.release();
            let answer = answer.message();
            if answer.kind() == Kind::Error {
                return Err(Failure::of_error(answer));
            }
            let result = answer.payload().unwrap_or("{}");
            responses.push(format!("{}:{result}", quote(&input.key)));
        }
        Ok(Some(format!("{{{}}}", responses.join(","))))
    }
}

fn malformed(_: message::json::JsonError) -> Failure {
    Failure::Protocol {
        code: ErrorCode::INTERNAL_ERROR.0.into(),
        message: "the server asked for input in a way that cannot be read".into(),
        data: None,
    }
}

/// The request once more, with what was asked for and what the server wants back
/// as it was.
fn retry(
    request: &Message,
    responses: Option<String>,
    state: Option<&str>,
) -> Result<Message, Failure> {
    let mut ops = Vec::new();
    ops.extend(responses.map(|value| PatchOp::Add {
        path: "/inputResponses".into(),
        value,
    }));
    ops.extend(state.map(|state| PatchOp::Add {
        path: "/requestState".into(),
        value: state.to_owned(),
    }));
    Ok(request.patch(&ops)?)
}
