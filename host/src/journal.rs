//! The journal: a record of every exchange in an SQLite database, which several
//! gateways write at a time, and in which nothing can be changed unnoticed.
//!
//! `schema.sql` says what is in it. [`Journal`] is handed records and writes them,
//! through a [`Store`]; [`Database`] reads them.

mod chain;
mod checkpoint;
mod record;
mod store;
mod verify;
mod writer;

pub use chain::{BEGINNING, ChainKey, Hash, Keys, hex};
pub use checkpoint::Checkpoint;
pub use record::{COLUMNS, Content, Finding, Form, Kind, Outcome, Record};
pub use crate::config::Durability;
pub use store::{Database, Head, JournalError, SCHEMA, Store, VERSION};
pub use verify::{Tampered, Verified, verify, verify_rows};
pub use writer::{Journal, Pending, Settings, Unrecorded};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
