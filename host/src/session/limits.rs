//! What a message and an exchange may take, and what is said of those that take
//! more.

use std::sync::Arc;

use super::Session;
use super::asked::Most;
use super::call::Call;
use super::failure::Failure;
use crate::config::Patience;
use crate::gate::Cleared;

impl Session {
    /// How long whoever asked has to wait for an answer. Whether a subscription
    /// lasts is not the gateway's to say.
    pub(super) fn patience(&self, call: &Call) -> Option<Patience> {
        let method = call.request.method().unwrap_or_default();
        if method == "subscriptions/listen" {
            return None;
        }
        let tool = call.subject.as_deref().filter(|_| method == "tools/call");
        let upstreams = self.catalog.upstreams();
        let upstream = upstreams.iter().find(|it| *it.name() == call.server);
        let server = upstream.map(|upstream| &upstream.server);
        Some(Patience::with(&self.settings, server, method, tool))
    }

    /// How many requests of one side may wait for their answer at a time.
    pub(super) fn most_asked(&self) -> Most {
        Most {
            count: self.settings.max_in_flight,
            bytes: self.settings.max_message.saturating_mul(4),
        }
    }

    /// Refuses a message that became longer than one may be: guardrails edit
    /// them, and several servers' lists become one.
    pub(super) fn check_length(&self, length: usize) -> Result<(), Failure> {
        let longest = self.settings.max_message;
        if length <= longest {
            Ok(())
        } else {
            Err(Failure::TooLong { longest })
        }
    }

    /// Whether a notification is as short as it must be, now that the guardrails
    /// have seen it. Nobody waits for one, so it is dropped if not.
    pub(super) fn may_pass(&self, notification: &Cleared, server: &Arc<str>) -> bool {
        let length = notification.message().line().len();
        let fits = self.check_length(length).is_ok();
        if !fits {
            let longest = self.settings.max_message;
            tracing::warn!(server = &**server, length, "dropped: {}", too_long(longest));
        }
        fits
    }
}

/// What is said of a message that is too long.
pub(super) fn too_long(longest: usize) -> String {
    format!(
        "message is longer than the limit of {longest} bytes (\"max_message\" in [gateway] of the gateway's configuration)"
    )
}
