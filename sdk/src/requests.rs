//! What becomes of what a guardrail finds on its way to a server.

use serde::Deserialize;

use crate::{Direction, Message, Verdict, VerdictBuilder};

/// What a guardrail that masks does with what it finds on its way to a server, where
/// a person may have meant it to go: a member of its configuration, written in small
/// letters. What comes from a server is always masked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Requests {
    /// Nothing is looked for.
    Off,
    /// It is reported, and passes.
    Warn,
    /// It is masked, as what comes from a server is.
    Mask,
    /// The message is refused.
    Block,
}

/// What is done with each finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// It is masked ([`VerdictBuilder::mask`]).
    Mask,
    /// It is reported ([`VerdictBuilder::mark`]).
    Mark,
}

impl Requests {
    /// Judges a message by what is found in it; `refusal` is the reason of a refusal,
    /// and the first rule that fired follows it.
    ///
    /// # Errors
    /// As [`VerdictBuilder::finish`].
    pub fn judge(
        self,
        message: &Message<'_>,
        refusal: &str,
        find: impl FnOnce(&mut VerdictBuilder, Treatment),
    ) -> Result<Verdict, String> {
        let mut verdict = Verdict::builder();
        match (message.direction(), self) {
            (Direction::ToServer, Self::Off) => return Ok(Verdict::pass()),
            (Direction::ToClient, _) | (Direction::ToServer, Self::Mask) => {
                find(&mut verdict, Treatment::Mask);
            }
            (Direction::ToServer, Self::Warn | Self::Block) => {
                find(&mut verdict, Treatment::Mark);
            }
        }
        if (message.direction(), self) == (Direction::ToServer, Self::Block) {
            let found = verdict.clone().finish()?;
            if let Some(finding) = found.findings().first() {
                verdict.block(format!("{refusal} ({})", finding.rule));
            }
        }
        verdict.finish()
    }
}
