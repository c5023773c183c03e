//! A guardrail on messages that were sent before, or by nobody: what it keeps is kept
//! apart and ends with the rehearsal, its keys are worth nothing, and it sends nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Envelope, Fault, Guardrail, Instance, LimitExceeded, Verdict};
use crate::capability::message::MessageView;
use crate::capability::own::Own;
use crate::config::{Grants, Isolation};

/// A guardrail as one session would have it.
pub struct Rehearsal {
    guardrail: Arc<Guardrail>,
    /// Absent where the guardrail has no use for it.
    own: Option<Own>,
    /// Absent before the first message, and after a fault.
    instance: Option<Instance>,
}

/// What came of one message.
#[derive(Debug)]
pub struct Rehearsed {
    /// The verdict, or why there is none.
    pub outcome: Result<Verdict, Fault>,
    /// What that took, the start of an instance not counted.
    pub took: Duration,
}

impl Rehearsal {
    /// A session in which nothing has been kept yet.
    pub fn of(guardrail: &Arc<Guardrail>) -> Self {
        Self {
            own: (guardrail.uses != Grants::default()).then(Own::rehearsal),
            guardrail: Arc::clone(guardrail),
            instance: None,
        }
    }

    /// The guardrail.
    pub fn guardrail(&self) -> &Arc<Guardrail> {
        &self.guardrail
    }

    /// Has it judge a message on this thread.
    pub async fn judge(&mut self, envelope: &Envelope, view: MessageView) -> Rehearsed {
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => match self
                .guardrail
                .instances
                .instantiate(&self.guardrail.sandbox)
                .await
            {
                Ok(instance) => instance,
                Err(fault) => {
                    return Rehearsed {
                        outcome: Err(fault),
                        took: Duration::ZERO,
                    };
                }
            },
        };
        let wall = self.guardrail.limits.wall;
        let begun = Instant::now();
        let asked = self
            .guardrail
            .ask(&mut instance, envelope, view, self.own.clone());
        let outcome = tokio::time::timeout(wall, asked)
            .await
            .unwrap_or_else(|_| Err(LimitExceeded::Wall(wall.as_millis()).into()));
        let took = begun.elapsed();
        if outcome.is_ok() && self.guardrail.instances.isolation() == Isolation::Session {
            self.instance = Some(instance);
        }
        Rehearsed { outcome, took }
    }
}
