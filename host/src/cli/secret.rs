//! `secret`: what is kept in the system's keyring.

use clap::Subcommand;

use super::Task;
use crate::keyring::Item;

/// What to do with a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// Keep what is typed, or what comes on standard input.
    Set(Item),
    /// Remove it.
    Delete(Item),
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum SecretArgs {
    /// Keep a secret, in the place of what was kept under that name
    ///
    /// It is typed in the terminal, which does not show it, or read from standard input,
    /// without the end of its last line. It is never an argument, which others on this
    /// machine could see.
    Set {
        /// What it is kept under, such as github/token
        #[arg(value_name = "SERVICE/NAME")]
        item: Item,
    },
    /// Remove a secret
    Delete {
        /// What it is kept under
        #[arg(value_name = "SERVICE/NAME")]
        item: Item,
    },
}

impl SecretArgs {
    pub(super) fn task(self) -> Task {
        Task::Secret(match self {
            Self::Set { item } => Secret::Set(item),
            Self::Delete { item } => Secret::Delete(item),
        })
    }
}
