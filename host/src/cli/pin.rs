//! `pin`: a person's word on what servers have defined anew.

use clap::{Args, Subcommand};

use super::{Output, Task};

/// What to do with what waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pin {
    /// Show what was approved, and what waits.
    List(Output),
    /// Show what waits, and ask about each.
    Review {
        /// Of this server only.
        server: Option<String>,
        /// For whom.
        output: Output,
    },
    /// Approve.
    Approve {
        /// The server.
        server: String,
        /// What of it, as `pin review` names it; all that waits if there is none.
        names: Vec<String>,
    },
    /// Trust the next list of a server as its first.
    Forget {
        /// The server.
        server: String,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum PinArgs {
    /// Show the servers that are known, and what waits
    List(ListArgs),
    /// Show what has changed since you approved, and ask about each
    ///
    /// Without a terminal it only shows. Exit code: 0 nothing waits, 1 something does.
    Review(ReviewArgs),
    /// Approve of tools, prompts or instructions as they are now
    Approve {
        /// The server, by its name in the configuration
        server: String,
        /// Tools by their names, `prompt:NAME`, `template:NAME`, `instructions`; without
        /// any, all that waits
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Forget what was approved of a server: its next list is trusted as a first one
    Forget {
        /// The server, by its name in the configuration
        server: String,
    },
}

#[derive(Debug, Clone, Args)]
pub(super) struct ListArgs {
    /// Answer in JSON, for scripts
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ReviewArgs {
    /// The server, by its name in the configuration; without it, all
    server: Option<String>,
    /// Answer in JSON, for scripts; nobody is asked
    #[arg(long)]
    json: bool,
}

impl PinArgs {
    pub(super) fn task(self) -> Task {
        Task::Pin(match self {
            Self::List(args) => Pin::List(Output::of(args.json)),
            Self::Review(args) => Pin::Review {
                server: args.server,
                output: Output::of(args.json),
            },
            Self::Approve { server, names } => Pin::Approve { server, names },
            Self::Forget { server } => Pin::Forget { server },
        })
    }
}
