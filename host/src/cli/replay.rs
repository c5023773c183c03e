//! `replay`: a captured session goes through the chain of a configuration.

use std::path::PathBuf;

use clap::Args;

use super::{GatewayArgs, Output, Task, UsageError};
use crate::config::ConfigSource;

/// What to show.
#[derive(Debug, Clone, PartialEq)]
pub struct Replay {
    /// The messages.
    pub capture: PathBuf,
    /// Where the guardrails are configured.
    pub source: ConfigSource,
    /// For whom.
    pub output: Output,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ReplayArgs {
    /// A file that a gateway wrote with --capture
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    gateway: GatewayArgs,
    /// Answer in JSON, for scripts: a line for each message
    #[arg(long)]
    json: bool,
}

impl ReplayArgs {
    pub(super) fn task(self, bundled: &[&str]) -> Result<Task, UsageError> {
        Ok(Task::Replay(Replay {
            capture: self.file,
            source: self.gateway.source(bundled)?,
            output: Output::of(self.json),
        }))
    }
}
