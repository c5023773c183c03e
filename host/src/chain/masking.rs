//! What guardrails leave of a message that is about to be written down, in a journal or a
//! capture.

use super::{Chain, Circumstances, Link, Passage};
use crate::config::GuardrailName;
use crate::guardrail::{Decision, Direction, Envelope, Kind};
use crate::message::Message;

impl Chain {
    /// What the guardrails leave of a message that is about to be written down, or shown to
    /// a person who is asked about it, whatever else they think of it. `None` if one of them cannot tell, so that it must not be.
    pub async fn mask(&self, envelope: &Envelope, message: Message) -> Option<Message> {
        self.mask_but(&[], envelope, message).await
    }

    /// The same without these guardrails.
    pub async fn mask_but(
        &self,
        bare: &[GuardrailName],
        envelope: &Envelope,
        message: Message,
    ) -> Option<Message> {
        let envelope = &envelope.for_record();
        let mut passage = Passage::of(message);
        for link in self.of(envelope).filter(|link| link.hides(bare)) {
            link.mask(envelope, &mut passage).await.ok()?;
        }
        Some(passage.message)
    }

    /// Whether every guardrail that looks at such a message can be asked for the record
    /// what it hides in it, these not counted.
    pub fn can_mask(&self, envelope: &Envelope, bare: &[GuardrailName]) -> bool {
        let Envelope { server, method, .. } = envelope;
        let mut asked = self.of(envelope).filter(|link| link.hides(bare));
        asked.all(|link| link.applies(server, method, Kind::Record, Direction::ToClient))
    }
}

/// It is not known what of a message may be written down.
struct Unmasked;

impl Link {
    /// Whether it is asked what to hide where these are not.
    pub(super) fn hides(&self, bare: &[GuardrailName]) -> bool {
        !self.journals() && self.shadow.is_none() && !bare.contains(&self.spec.name)
    }

    /// Has the guardrail hide what it would hide.
    async fn mask(&self, envelope: &Envelope, passage: &mut Passage) -> Result<(), Unmasked> {
        let failed = |fault: &dyn std::fmt::Display| {
            self.failed(envelope, fault);
            Unmasked
        };
        let view = passage.view(&Circumstances::default());
        let view = view.map_err(|why| failed(&why))?;
        let verdict = self.guardrail.check(envelope, view.clone()).await;
        let verdict = verdict.map_err(|fault| failed(&fault))?;
        // A person who is asked is to see what it is about.
        let refuses = matches!(verdict.decision, Decision::Block(_));
        if refuses && verdict.edits().is_empty() {
            return Err(Unmasked);
        }
        let changed = self.changed(&view, &verdict);
        passage.change(changed.map_err(|fault| failed(&fault))?);
        Ok(())
    }
}
