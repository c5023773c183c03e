//! Where the journal is, and how sure it is.

use std::path::PathBuf;
use std::time::Duration;

/// The journal of this gateway, for guardrails that have exchanges recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Journal {
    /// Its database, as an absolute path. By default the file that `XETRACK_DB_PATH`
    /// names, or `audit.db` in the state folder.
    pub file: Option<PathBuf>,
    /// When records are committed.
    pub durability: Durability,
    /// How it is kept small.
    pub rotate: Rotate,
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

/// When records are moved into an archive, and for how long archives are kept. What is
/// not said never happens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotate {
    /// At the end of each of these.
    pub every: Option<Period>,
    /// When the database takes more than so many bytes.
    pub bytes: Option<u64>,
    /// When its first record is older than this.
    pub age: Option<Duration>,
    /// An archive is deleted when its last record is older than this.
    pub keep: Option<Duration>,
}

/// A time in the calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// From midnight to midnight.
    Day,
    /// From the first to the last day.
    Month,
}
