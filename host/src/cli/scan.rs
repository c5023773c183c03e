//! `scan`: what the servers of a person's clients are, before they are trusted.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand, ValueEnum};

use super::{Task, UsageError};
use crate::clients::{CLIENTS, Client};
use crate::reputation::Network;

/// What to scan, and what to say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// Look at servers.
    Look(Look),
    /// Let a server start although little is known of it, or not any more.
    Allow {
        /// Its name in the configuration.
        server: String,
        /// Whether it may.
        allowed: bool,
    },
}

/// Where to look, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The clients; all if there are none.
    pub clients: Vec<&'static Client>,
    /// A file in place of those that clients usually have.
    pub file: Option<PathBuf>,
    /// Whether the servers are started, to see their tools.
    pub start: bool,
    /// Whether registries are asked.
    pub network: Network,
    /// How it is written.
    pub format: Format,
    /// From which level on the exit code says so.
    pub fail_on: FailOn,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a person.
    Text,
    /// JSON of our own.
    Json,
    /// SARIF 2.1.0, which code hosting services show.
    Sarif,
}

/// What makes the exit code a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// An error.
    Error,
    /// A warning or an error.
    Warning,
    /// Nothing.
    Never,
}

#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct ScanArgs {
    #[command(subcommand)]
    command: Option<ScanCommand>,
    /// A client's file, or a gateway.toml; without it, the files of your clients
    file: Option<PathBuf>,
    /// The client; may be repeated
    #[arg(long, value_name = "CLIENT", value_parser = clients())]
    client: Vec<String>,
    /// Start no server: look at what the files say only
    #[arg(long = "static")]
    is_static: bool,
    /// Ask no registry: what is not known from before stays unknown
    #[arg(long)]
    offline: bool,
    /// Answer in JSON, for scripts
    #[arg(long, conflicts_with = "sarif")]
    json: bool,
    /// Answer in SARIF 2.1.0, for code hosting services
    #[arg(long)]
    sarif: bool,
    /// What makes the exit code 1
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    fail_on: FailOn,
}

#[derive(Debug, Clone, Subcommand)]
enum ScanCommand {
    /// Let a server start although little is known of its package
    Allow {
        /// The server, by its name in the configuration
        server: String,
    },
    /// Take that back
    Disallow {
        /// The server, by its name in the configuration
        server: String,
    },
}

fn clients() -> PossibleValuesParser {
    let names = CLIENTS.iter().map(|client| client.name);
    PossibleValuesParser::new(names.chain(["all"]))
}

impl ScanArgs {
    pub(super) fn task(self) -> Result<Task, UsageError> {
        let task = match self.command {
            Some(ScanCommand::Allow { server }) => Scan::Allow {
                server,
                allowed: true,
            },
            Some(ScanCommand::Disallow { server }) => Scan::Allow {
                server,
                allowed: false,
            },
            None => {
                let all = self.client.iter().any(|name| name == "all");
                let named = self.client.iter().filter_map(|name| Client::named(name));
                let clients: Vec<_> = named.filter(|_| !all).collect();
                if self.file.is_some() && clients.len() > 1 {
                    return Err(UsageError::FileOfSeveral);
                }
                Scan::Look(Look {
                    clients,
                    file: self.file,
                    start: !self.is_static,
                    network: if self.offline {
                        Network::Off
                    } else {
                        Network::On
                    },
                    format: match (self.json, self.sarif) {
                        (_, true) => Format::Sarif,
                        (true, false) => Format::Json,
                        (false, false) => Format::Text,
                    },
                    fail_on: self.fail_on,
                })
            }
        };
        Ok(Task::Scan(task))
    }
}
