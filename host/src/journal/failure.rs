//! Why a journal cannot be used.

use std::io;
use std::path::{Path, PathBuf};

use super::store::VERSION;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is none.
    #[error("there is no audit database {0}")]
    Missing(PathBuf),
    /// The file cannot be made or looked at.
    #[error("cannot use {path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It is a database, but none of ours.
    #[error(
        "{0} is a database of another program, such as the Python gateway; it stays as it is: name another file"
    )]
    Foreign(PathBuf),
    /// A later gateway made it.
    #[error("{path} has the schema of a later version ({found}; this one knows {VERSION})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i32,
    },
    /// It was made with another secret.
    #[error(
        "the chain of {0} was begun with the secret of another installation (\"keys/installation\" in the state folder), so this one can neither go on with it nor verify it"
    )]
    OtherKey(PathBuf),
    /// The manifest of its archives was changed.
    #[error("{0} is not what a gateway wrote for this database")]
    Manifest(PathBuf),
    /// An archive was changed.
    #[error("{0} is not the archive that the manifest names")]
    OtherArchive(PathBuf),
    /// Where its chain begins was changed.
    #[error("where the chain of {0} begins was changed")]
    Anchor(PathBuf),
    /// SQLite says no: the disk is full, the file is locked or damaged.
    #[error("{path}: {cause}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        cause: rusqlite::Error,
    },
}

impl JournalError {
    /// Whether others have the database to themselves for now.
    pub(super) fn is_locked(&self) -> bool {
        match self {
            Self::Sqlite { cause, .. } => {
                cause.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
            }
            _ => false,
        }
    }
}

/// What SQLite says about a file.
pub(super) fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> JournalError + use<> {
    let path = path.to_owned();
    move |cause| JournalError::Sqlite {
        path: path.clone(),
        cause,
    }
}

/// What the system says about a file.
pub(super) fn file(path: &Path) -> impl Fn(io::Error) -> JournalError + use<> {
    let path = path.to_owned();
    move |cause| JournalError::File {
        path: path.clone(),
        cause,
    }
}

/// What SQLite would say if it were asked for such a file.
pub(super) fn not_unicode(path: &Path) -> JournalError {
    let cause = io::Error::new(io::ErrorKind::InvalidInput, "its name is not Unicode");
    file(path)(cause)
}
