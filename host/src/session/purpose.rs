//! For which of a peer's requests something is done, so that what belongs to it
//! finds its way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::protocol::Severity;

/// For what a request is worked on.
#[derive(Debug, Clone)]
pub(super) enum Purpose {
    /// A request of the peer's, until that is answered.
    Request {
        /// Its id, as the peer wrote it.
        id: Arc<str>,
        /// The least severe log messages that it wants.
        log: Option<Severity>,
    },
    /// What a modern client comes back to: the attempt that it makes at the
    /// moment, if it makes one.
    Rounds(Attempts),
}

/// The attempts of a modern client at one request.
#[derive(Debug, Clone, Default)]
pub(super) struct Attempts(Arc<Mutex<Option<Attempt>>>);

/// One of them.
#[derive(Debug)]
pub(super) struct Attempt {
    /// Its id, as the client wrote it.
    pub(super) id: Arc<str>,
    /// By which it knows its progress.
    pub(super) progress_token: Option<Box<str>>,
    /// The least severe log messages that it wants.
    pub(super) log: Option<Severity>,
}

impl Purpose {
    /// The id of the request that it is for now, as the peer wrote it.
    pub(super) fn id(&self) -> Option<Arc<str>> {
        match self {
            Self::Request { id, .. } => Some(Arc::clone(id)),
            Self::Rounds(attempts) => attempts.now().as_ref().map(|now| Arc::clone(&now.id)),
        }
    }

    /// Whether it wants a log message of this severity.
    pub(super) fn wants(&self, severity: Option<Severity>) -> bool {
        let least = match self {
            Self::Request { log, .. } => *log,
            Self::Rounds(attempts) => attempts.now().as_ref().and_then(|now| now.log),
        };
        // One of no known level is for whoever wants any.
        least.is_some_and(|least| severity.is_none_or(|severity| severity >= least))
    }
}

impl Attempts {
    /// An attempt has begun, or nobody makes one for now.
    pub(super) fn set(&self, attempt: Option<Attempt>) {
        *self.now() = attempt;
    }

    /// By what the client knows the progress of its attempt.
    pub(super) fn progress_token(&self) -> Option<Box<str>> {
        self.now().as_ref()?.progress_token.clone()
    }

    fn now(&self) -> MutexGuard<'_, Option<Attempt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_is_for_the_attempt_that_is_made_now() {
        let attempts = Attempts::default();
        let purpose = Purpose::Rounds(attempts.clone());
        let info = Severity::of("\"info\"");
        for id in ["1", "2"] {
            attempts.set(Some(Attempt {
                id: id.into(),
                progress_token: None,
                log: info,
            }));
            assert_eq!(purpose.id().as_deref(), Some(id));
            assert!(purpose.wants(info) && !purpose.wants(Severity::of("\"debug\"")));
        }
        attempts.set(None);
        assert_eq!(purpose.id(), None);
        assert!(!purpose.wants(info));
    }
}
