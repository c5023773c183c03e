//! `approve`: a person's word on a single call.

use clap::Args;

use super::{Output, Task};

/// What a person wants of the calls that wait for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approve {
    /// The one to approve of; without it, all are shown.
    pub code: Option<String>,
    /// For whom they are shown.
    pub output: Output,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ApproveArgs {
    /// The call, by the code that the refusal named; without it, those that wait are shown
    code: Option<String>,
    /// Show those that wait in JSON, for scripts
    #[arg(long, conflicts_with = "code")]
    json: bool,
}

impl ApproveArgs {
    pub(super) fn task(self) -> Task {
        Task::Approve(Approve {
            code: self.code,
            output: Output::of(self.json),
        })
    }
}
