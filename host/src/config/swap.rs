//! What a new build of a guardrail has to show before it takes the place of the one
//! that serves.

use std::path::PathBuf;

use super::GuardrailName;

/// How builds are held against each other, and what of the messages is kept for that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    /// Recent messages that are kept in memory for [`Proof::Replay`].
    pub messages: usize,
    /// Bytes that they may take together.
    pub bytes: usize,
    /// How many times the time of the build that serves a new one may take.
    pub cost: u32,
    /// The file that messages are written into as the guardrails leave them, if they are;
    /// an absolute path.
    pub capture: Option<PathBuf>,
    /// Guardrails that are not asked then what to hide, so that builds of them can be
    /// compared on what was written.
    pub bare: Vec<GuardrailName>,
}

/// What a new build has to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Proof {
    /// That it does what its own examples say, and can judge a harmless message.
    Examples,
    /// The same, and that it is no weaker on the gateway's canary texts and on the examples
    /// of the build that serves. No messages need be kept for that, so it is what holds
    /// unless something is said.
    #[default]
    Canary,
    /// The same, and that it is no weaker on recent messages.
    Replay,
}

impl Default for Swap {
    fn default() -> Self {
        Self {
            messages: 256,
            bytes: 4 << 20,
            cost: 4,
            capture: None,
            bare: Vec::new(),
        }
    }
}
