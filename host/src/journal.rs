//! The journal: a record of every exchange in an SQLite database, which several
//! gateways write at a time, and in which nothing can be changed unnoticed.
//!
//! `schema.sql` says what is in it. [`Store`] adds to it, [`Database`] reads it.

mod chain;
mod checkpoint;
mod record;
mod store;
mod verify;

pub use chain::{BEGINNING, ChainKey, Hash, Keys, hex};
pub use checkpoint::Checkpoint;
pub use record::{COLUMNS, Content, Finding, Form, Kind, Outcome, Record};
pub use store::{Database, Durability, Head, JournalError, SCHEMA, Store, VERSION};
pub use verify::{Tampered, Verified, verify, verify_rows};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
