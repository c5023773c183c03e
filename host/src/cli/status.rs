//! `status`: the gateways that run.

use clap::Args;

use super::Task;
use crate::status::Show;

#[derive(Debug, Clone, Args)]
pub(super) struct StatusArgs {
    /// Answer in JSON, for scripts
    #[arg(long)]
    json: bool,
    /// Look again every second
    #[arg(long)]
    watch: bool,
}

impl StatusArgs {
    pub(super) fn task(&self) -> Task {
        Task::Status(Show {
            json: self.json,
            watch: self.watch,
        })
    }
}
