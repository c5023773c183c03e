//! What a guardrail has of its own besides its memory, and on whose behalf it is
//! called: what `state` and `keys` are separated by, and what `http` reaches.

use std::sync::Arc;

use super::http::Network;
use super::keys::Secret;
use super::state::{Lease, States};

/// What a guardrail has of its own while it checks one message.
#[derive(Clone)]
pub(crate) struct Own {
    pub(crate) guardrail: Arc<str>,
    /// The guardrail whose keys it has.
    pub(crate) keyed: Arc<str>,
    pub(crate) session: Arc<str>,
    pub(crate) states: States,
    /// Absent where it has no use for keys.
    pub(crate) secret: Option<Arc<Secret>>,
    /// Absent where nobody sent the message.
    pub(crate) network: Option<Arc<Network>>,
    pub(crate) reach: Reach,
    /// Only for a rehearsal, whose session is nobody's.
    _lease: Option<Arc<Lease>>,
}

/// How far what it does with all that it has of its own can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Everywhere, and later.
    Everything,
    /// In this process only: what it keeps for all is kept in memory.
    Process,
}

/// It used a capability where there is none of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unavailable {
    /// What `configure` leaves serves every session.
    #[error("it used `state` or `keys` while it was configured, on behalf of no session")]
    Configuring,
    /// Nobody waits for the verdict any more.
    #[error("the session has ended meanwhile")]
    SessionEnded,
    /// The gateway would have opened its secret before.
    #[error("this gateway has no secret to derive keys from")]
    NoSecret,
    /// The file is locked, damaged, or on a disk that is full.
    #[error("what it keeps for all sessions cannot be used: {0}; the gateway's log says more")]
    Kept(String),
}

impl Own {
    pub(crate) fn new(
        guardrail: Arc<str>,
        keyed: Arc<str>,
        session: Arc<str>,
        states: States,
        secret: Option<Arc<Secret>>,
        network: Option<Arc<Network>>,
    ) -> Self {
        Self {
            guardrail,
            keyed,
            session,
            states,
            secret,
            network,
            reach: Reach::Everything,
            _lease: None,
        }
    }

    /// The same for a guardrail that is asked beside the chain, without any effect.
    pub(crate) fn beside(self) -> Self {
        Self {
            reach: Reach::Process,
            ..self
        }
    }

    /// For a message that nobody sent: with nothing kept, and keys that are worth
    /// nothing, but the same everywhere.
    pub(crate) fn rehearsal() -> Self {
        let guardrail: Arc<str> = "guardrail".into();
        let session = "session".into();
        let states = States::default();
        let lease = states.open(&session);
        Self {
            _lease: Some(Arc::new(lease)),
            ..Self::new(
                Arc::clone(&guardrail),
                guardrail,
                session,
                states,
                Some(Arc::new(Secret::fixed())),
                None,
            )
        }
    }
}
