//! Where the journal is, and how sure it is.

use std::path::PathBuf;

/// The journal of this gateway, for guardrails that have exchanges recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Journal {
    /// Its database, as an absolute path. By default the file that `XETRACK_DB_PATH`
    /// names, or `audit.db` in the state folder.
    pub file: Option<PathBuf>,
    /// When records are committed.
    pub durability: Durability,
}

/// How sure it is that what was recorded stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// Each record is on the disk before its answer goes on.
    Strict,
    /// Records are committed together, within moments. Those of the last moments are
    /// lost if the machine loses its power; if the gateway is killed, only those that
    /// were not committed yet.
    #[default]
    Batch,
}
