//! One instance on its own, for who wants to know what it costs and what it can take.

use super::{Envelope, Fault, Guardrail, Instance, LimitExceeded, Verdict};
use crate::capability::message::MessageView;
use crate::capability::own::Own;
use crate::config::Grants;

/// An instance that serves no session. What it keeps is thrown away after each message,
/// and its keys are worth nothing.
pub struct Trial<'a> {
    guardrail: &'a Guardrail,
    instance: Instance,
}

impl Guardrail {
    /// Makes a fresh instance.
    pub async fn trial(&self) -> Result<Trial<'_>, Fault> {
        Ok(Trial {
            guardrail: self,
            instance: self.instances.instantiate(&self.sandbox).await?,
        })
    }
}

impl Trial<'_> {
    /// Judges one message, on this thread. After a fault the instance is dead.
    pub async fn check(
        &mut self,
        envelope: &Envelope,
        view: MessageView,
    ) -> Result<Verdict, Fault> {
        let guardrail = self.guardrail;
        let wall = guardrail.limits.wall;
        // Whoever has no use for it does not pay for it, as in a session.
        let own = (guardrail.uses != Grants::default()).then(Own::rehearsal);
        let asked = guardrail.ask(&mut self.instance, envelope, view, own);
        tokio::time::timeout(wall, asked)
            .await
            .map_err(|_| LimitExceeded::Wall(wall.as_millis()))?
    }

    /// The bytes of memory that it has grown to.
    pub fn memory(&self) -> u64 {
        self.instance.memory()
    }
}
