//! What an author implements.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Manifest, Message, Verdict};

/// A guardrail: what it is configured with, what it says about itself, and what it thinks of a message.
///
/// [`export!`](crate::export!) makes a component of a type that implements this.
pub trait Guardrail: Sized + 'static {
    /// The configuration. Deny unknown fields, so that a misspelt key is an error; [`NoConfig`] stands for none.
    type Config: DeserializeOwned;

    /// Makes the guardrail of its configuration.
    ///
    /// The gateway snapshots the memory that this leaves behind: build tables and automata here.
    /// No import can be called meanwhile, neither the log nor a clock.
    ///
    /// # Errors
    /// A configuration that can't be used: name the key at fault and the remedy.
    fn configure(config: Self::Config) -> Result<Self, String>;

    /// Says what the guardrail is, which messages it wants, and gives examples that hold under this configuration.
    fn manifest(&self) -> Manifest;

    /// Judges one message.
    ///
    /// # Errors
    /// The guardrail could not do its work. The gateway then blocks, unless the person chose otherwise.
    fn check(&self, message: &Message<'_>) -> Result<Verdict, String>;
}

/// The configuration of a guardrail that has none: every key is an error.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}
