//! What can go wrong while the record is read, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::journal::JournalError;

/// Why an `audit` command failed.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Nothing says where the database is.
    #[error("no audit database is known: name it with --db FILE")]
    Nowhere,
    /// There is no such file.
    #[error(
        "there is no audit database at {0}; a gateway that runs the guardrail \"audit\" \
         makes one, and another one is named with --db FILE"
    )]
    Missing(PathBuf),
    /// The database cannot be used.
    #[error(transparent)]
    Journal(JournalError),
    /// The database says no.
    #[error("cannot read {path}: {cause}")]
    Database {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        cause: rusqlite::Error,
    },
    /// A statement of the person is no good.
    #[error("the statement cannot be run: {0}")]
    Statement(rusqlite::Error),
    /// A statement of the person would change something.
    #[error("only a statement that changes nothing is run here")]
    NotReadOnly,
    /// No such record.
    #[error("there is no record {0}; the numbers stand in the first column of `audit query`")]
    NoRecord(i64),
    /// A file cannot be used.
    #[error("cannot use {path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The answer cannot be written.
    #[error("cannot write the answer: {0}")]
    Output(#[from] io::Error),
}

impl AuditError {
    /// What the system says about a file.
    pub(super) fn file(path: &Path) -> impl Fn(io::Error) -> Self {
        move |cause| Self::File {
            path: path.to_owned(),
            cause,
        }
    }

    /// Whether only nobody reads the answer any more, as after `| head`.
    pub(super) fn is_hang_up(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<JournalError> for AuditError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Missing(path) => Self::Missing(path),
            other => Self::Journal(other),
        }
    }
}
