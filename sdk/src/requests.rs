//! What becomes of what a guardrail finds on its way to a server.

use std::ops::Range;

use serde::Deserialize;

use crate::{Direction, Rule, Text, VerdictBuilder};

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

/// What is done with what is found in a message, or at a place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// Nothing is looked for.
    Skip,
    /// It is reported, and stays.
    Mark,
    /// It is masked.
    Mask,
    /// It is reported, and the message is refused.
    Refuse,
}

impl Requests {
    /// What is done with what is found in a message that travels this way.
    pub fn treatment(self, direction: Direction) -> Treatment {
        match (direction, self) {
            (Direction::ToClient, _) | (Direction::ToServer, Self::Mask) => Treatment::Mask,
            (Direction::ToServer, Self::Off) => Treatment::Skip,
            (Direction::ToServer, Self::Warn) => Treatment::Mark,
            (Direction::ToServer, Self::Block) => Treatment::Refuse,
        }
    }
}

impl VerdictBuilder {
    /// Treats a finding: `instead` takes its place where it is masked, and `refusal` is the reason where the message is
    /// refused, to which the rule is added.
    pub fn treat(
        &mut self,
        treatment: Treatment,
        (text, range): (&Text<'_>, Range<usize>),
        rule: impl Into<Rule>,
        instead: impl Into<String>,
        refusal: &str,
    ) {
        let rule = rule.into();
        match treatment {
            Treatment::Skip => {}
            Treatment::Mask => self.mask(text, range, rule, instead),
            Treatment::Mark => self.mark(text, range, rule),
            Treatment::Refuse => {
                self.block(format!("{refusal} ({})", rule.id()));
                self.mark(text, range, rule);
            }
        }
    }
}
