//! One request to Lasso, and what comes of it.

use std::thread::sleep;
use std::time::Duration;

use mcp_gateway_sdk::http::{HttpError, Request, Response};
use mcp_gateway_sdk::{Message, Scope, State};

use crate::answer::{self, Outcome};
use crate::body::body;
use crate::config::Settings;
use crate::kept::{self, Key};
use crate::piece::Batch;
use crate::{breaker, ident};

/// How long it is waited before another attempt, and how much longer at most.
const WAIT: u64 = 50;
const JITTER: u64 = 100;

/// Why there is no outcome.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The key is not accepted. That must show whatever else may pass.
    Key(String),
    /// Something that may pass if the person wants so.
    Other(String),
}

/// What an attempt failed of.
enum Failure {
    Network(HttpError),
    /// A status of the server's, and for how many seconds it wants to be left alone.
    Status(u16, Option<u64>),
}

/// Asks Lasso about a batch, or remembers what it said.
pub(crate) fn ask(
    settings: &Settings,
    message: &Message<'_>,
    batch: &Batch<'_>,
) -> Result<Outcome, Trouble> {
    let state = message.state(Scope::Global);
    let known = settings.cache.map(|time| (Key::of(settings, batch), time));
    if let Some((key, _)) = &known
        && let Some(outcome) = kept::find(&state, key)
    {
        return Ok(outcome);
    }
    if let Some(why) = breaker::paused(&state) {
        let words = format!("Lasso is not asked at the moment, since {why}");
        return Err(Trouble::Other(words));
    }
    let answer = answered(settings, message, batch, &state)?;
    let outcome = answer::outcome(&answer.body, batch, settings.masking);
    let outcome = outcome.map_err(Trouble::Other)?;
    if let Some((key, time)) = &known {
        kept::keep(&state, key, &outcome, *time);
    }
    Ok(outcome)
}

/// Lasso's answer. To judge changes nothing there, so that one more attempt is safe where the
/// other side is likely to be back at once.
fn answered(
    settings: &Settings,
    message: &Message<'_>,
    batch: &Batch<'_>,
    state: &State<'_>,
) -> Result<Response, Trouble> {
    let extended = batch.sent.extended;
    let session = match (&settings.ids.conversation, extended) {
        (Some(conversation), _) => Some(conversation.clone()),
        (None, true) => Some(ident::of_session(message)),
        (None, false) => None,
    };
    let body = body(
        batch,
        &settings.ids,
        session.as_deref().filter(|_| extended),
    )
    .map_err(|_| Trouble::Other("what is to be judged cannot be written down".to_owned()))?;
    let mut request = Request::post(&settings.url, &body)
        .header("content-type", "application/json")
        .patience(settings.timeout);
    if let Some(session) = &session {
        request = request.header("lasso-conversation-id", session);
    }
    if let Some(user) = settings
        .ids
        .user
        .as_deref()
        .filter(|user| extended && user.is_ascii())
    {
        request = request.header("lasso-user-id", user);
    }
    let answer = attempt(&request).or_else(|failure| match failure.is_passing() {
        true => {
            sleep(Duration::from_millis(WAIT + jitter(&body)));
            attempt(&request)
        }
        false => Err(failure),
    });
    match answer {
        Ok(answer) => {
            breaker::succeeded(state);
            Ok(answer)
        }
        Err(failure) => {
            failure.note(state);
            Err(failure.into())
        }
    }
}

fn attempt(request: &Request<'_>) -> Result<Response, Failure> {
    let answer = request.send().map_err(Failure::Network)?;
    if answer.status == 200 {
        return Ok(answer);
    }
    let wait = answer.header("retry-after");
    // A date is not read, but is a wish all the same.
    let wait = wait.map(|wait| wait.trim().parse().unwrap_or(30));
    Err(Failure::Status(answer.status, wait))
}

/// Different for different callers, so that they do not come back together.
fn jitter(body: &[u8]) -> u64 {
    let sum: u64 = body
        .iter()
        .rev()
        .take(512)
        .map(|byte| u64::from(*byte))
        .sum();
    sum % JITTER
}

impl Failure {
    /// Whether another attempt may be better at once.
    fn is_passing(&self) -> bool {
        match self {
            Self::Network(error) => {
                matches!(error, HttpError::Unreachable(_) | HttpError::Broken(_))
            }
            Self::Status(status, wait) => {
                matches!(status, 502..=504) && wait.is_none_or(|wait| wait == 0)
            }
        }
    }

    /// What follows for the next messages.
    fn note(&self, state: &State<'_>) {
        match self {
            // It did not leave: no fault of Lasso's.
            Self::Network(HttpError::Refused(_) | HttpError::TooLarge(_)) => {}
            Self::Network(_) => breaker::failed(state),
            Self::Status(429 | 503, Some(seconds)) if *seconds > 0 => {
                breaker::pause(state, *seconds);
            }
            Self::Status(500.., _) => breaker::failed(state),
            Self::Status(..) => {}
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        let words = match failure {
            Failure::Status(status @ (401 | 403), _) => {
                return Self::Key(format!(
                    "Lasso does not accept the key ({status}); check LASSO_API_KEY in the \
                     gateway's environment"
                ));
            }
            Failure::Network(error) => format!("Lasso cannot be asked: {error}"),
            Failure::Status(429, _) => "Lasso is asked too often (429)".to_owned(),
            Failure::Status(status @ (400 | 413 | 422), _) => {
                format!("Lasso does not accept what it is asked ({status})")
            }
            Failure::Status(status @ 300..=399, _) => {
                format!("Lasso is elsewhere ({status}); check api_base")
            }
            Failure::Status(404, _) => {
                "there is no Lasso at this address (404); check api_base".to_owned()
            }
            Failure::Status(status, _) => format!("Lasso cannot answer ({status})"),
        };
        Self::Other(words)
    }
}
