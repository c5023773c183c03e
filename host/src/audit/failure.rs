//! What can go wrong while the record is read, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use super::forward::ForwardError;
use crate::config::ConfigErrors;
use crate::journal::{JournalError, RotationError, Tampered};
use crate::sandbox::SecretError;

/// Why an `audit` command failed.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// Nothing says where the database is.
    #[error(
        "no audit database is known: name it with --db FILE, or with --config FILE the gateway.toml that does"
    )]
    Nowhere,
    /// The configuration that would say so cannot be read.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// There is no such file.
    #[error(
        "there is no audit database at {0}; a gateway that runs the guardrail \"audit\" \
         makes one; --db FILE names another one, --config FILE the gateway.toml that does"
    )]
    Missing(PathBuf),
    /// The database cannot be used.
    #[error(transparent)]
    Journal(JournalError),
    /// Records stay where they are.
    #[error(transparent)]
    Rotation(RotationError),
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
    /// It is not as it was written, or nobody can tell.
    #[error("{path} is not proven: {cause}")]
    Unproven {
        /// The file.
        path: PathBuf,
        /// The first thing that is not as it was written.
        cause: Tampered,
    },
    /// A checkpoint is none.
    #[error("{path} holds what is no checkpoint: {cause}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
    /// A file of checkpoints is empty.
    #[error("{0} holds no checkpoint")]
    NoCheckpoint(PathBuf),
    /// The library cannot sign.
    #[error("a checkpoint cannot be signed on this machine")]
    Signing,
    /// The installation's secret, which proves records, cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
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
    /// Records do not arrive where they are sent to.
    #[error(transparent)]
    Forward(#[from] ForwardError),
    /// A file that is no text, for a terminal.
    #[error("Parquet is nothing for a terminal: name a new file with -o FILE")]
    Binary,
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

impl From<RotationError> for AuditError {
    fn from(error: RotationError) -> Self {
        match error {
            RotationError::Journal(error) => error.into(),
            other => Self::Rotation(other),
        }
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
