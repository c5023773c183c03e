//! The journal: a record of every exchange in an SQLite database, which several
//! gateways write at a time, and in which nothing can be changed unnoticed.
//!
//! `schema.sql` says what is in it. [`Journal`] is handed records and writes them,
//! through a [`Store`]; [`Database`] reads them.

mod archive;
mod chain;
mod checkpoint;
mod events;
mod failure;
mod gather;
mod keeper;
mod record;
mod rotation;
mod store;
mod verify;
mod writer;

pub use crate::config::{Durability, Period, Rotate as Policy};
pub use archive::{Archive, Archives, Deleted, Manifest};
pub use chain::{BEGINNING, ChainKey, Hash, Keys, hex};
pub use checkpoint::Checkpoint;
pub use events::Events;
pub use failure::JournalError;
pub use gather::gather;
pub use keeper::{Keeper, Kept, keep};
pub use record::{COLUMNS, Content, Finding, Form, Kind, Outcome, Record};
pub use rotation::{GoOn, Rotation, RotationError, Which};
pub use store::{Database, Head, SCHEMA, Store, VERSION};
pub(crate) use store::{FileId, make_file};
pub use verify::{Tampered, Verified, verify, verify_rows};
pub use writer::{Journal, Pending, Settings, Unrecorded};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
