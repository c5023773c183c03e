//! The private folder where compiled guardrails and snapshots are kept.
//!
//! Whoever can write there decides what runs in this process, so the folder
//! must be the person's own: it is made with mode 0700, and not used if it
//! belongs to somebody else or if others can write to it.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use crate::journal::{Database, JournalError};

/// A folder that only this person can write to.
#[derive(Debug, Clone)]
pub struct CacheDir(PathBuf);

/// Why a folder is not used as a cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// No environment variable says where this person keeps such things.
    #[error("neither MCP_GATEWAY_CACHE_DIR nor a home folder is set")]
    Nowhere,
    /// It cannot be made or looked at.
    #[error("cannot use {path}: {cause}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It is open to others.
    #[error(
        "{0} belongs to somebody else or can be written to by others; run `chmod 700` on it or remove it"
    )]
    NotPrivate(PathBuf),
}

impl CacheDir {
    /// Opens the folder that the environment points to, making it if it does
    /// not exist: `MCP_GATEWAY_CACHE_DIR`, else `mcp-gateway` in the person's
    /// cache folder.
    pub fn open() -> Result<Self, CacheError> {
        Self::at(default_path().ok_or(CacheError::Nowhere)?)
    }

    /// Opens a certain folder, making it if it does not exist.
    pub fn at(path: PathBuf) -> Result<Self, CacheError> {
        make_private(&path).map_err(|cause| CacheError::Io {
            path: path.clone(),
            cause,
        })?;
        match is_private(&path) {
            Ok(true) => Ok(Self(path)),
            Ok(false) => Err(CacheError::NotPrivate(path)),
            Err(cause) => Err(CacheError::Io { path, cause }),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What its files are called.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.0)?;
        let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    }

    /// What is in a file; `None` if there is no such file.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.0.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read.map(Some),
        }
    }

    /// Writes a file, whole, which only this person can read.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        // Such files are made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
        file.write_all(content)?;
        file.as_file().sync_all()?;
        file.persist(self.0.join(name))?;
        Ok(())
    }

    /// Removes a file, if it is there.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.0.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    /// Keeps others who ask for it from going on as long as what is returned is kept.
    pub(crate) fn lock(&self) -> io::Result<File> {
        let file = File::create(self.0.join("lock"))?;
        file.lock()?;
        Ok(file)
    }
}

fn default_path() -> Option<PathBuf> {
    if let Some(path) = variable("MCP_GATEWAY_CACHE_DIR") {
        return Some(path);
    }
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Caches"))
    } else {
        variable("XDG_CACHE_HOME").or_else(|| variable("HOME").map(|home| home.join(".cache")))
    };
    base.map(|base| base.join("mcp-gateway"))
}

/// Where this person keeps what must outlast the cache: `MCP_GATEWAY_STATE_DIR`, else
/// `mcp-gateway` in the person's folder for such things.
pub fn state_folder() -> Option<PathBuf> {
    if let Some(path) = variable("MCP_GATEWAY_STATE_DIR") {
        return Some(path);
    }
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        variable("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        variable("XDG_STATE_HOME")
            .or_else(|| variable("HOME").map(|home| home.join(".local/state")))
    };
    base.map(|base| base.join("mcp-gateway"))
}

/// The journal's file: the one that is configured, the one that `XETRACK_DB_PATH` names
/// as for the Python gateway, or `audit.db` in the state folder. Where what the variable
/// names is the Python gateway's own database, it is the file beside that.
pub fn journal_file(configured: Option<&Path>) -> Option<PathBuf> {
    if let Some(file) = configured {
        return Some(file.to_owned());
    }
    match variable("XETRACK_DB_PATH") {
        Some(file) if matches!(Database::open(&file), Err(JournalError::Foreign(_))) => {
            let mut beside = file.into_os_string();
            beside.push(".audit.db");
            Some(beside.into())
        }
        Some(file) => Some(file),
        None => Some(state_folder()?.join("audit.db")),
    }
}

/// A path that the environment names.
fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

#[cfg(unix)]
fn is_private(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    // Not followed: a link would let its owner swap the folder later.
    let found = fs::symlink_metadata(path)?;
    Ok(found.is_dir()
        && found.uid() == rustix::process::geteuid().as_raw()
        && found.mode() & 0o022 == 0)
}

/// On Windows the folder lies in the person's profile, which others cannot
/// write to.
#[cfg(not(unix))]
fn make_private(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(not(unix))]
fn is_private(path: &Path) -> io::Result<bool> {
    Ok(path.is_dir())
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_new_folder_is_made_private() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("cache");
        CacheDir::at(path.clone()).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_not_used() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("cache");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(CacheDir::at(path), Err(CacheError::NotPrivate(_))));
    }

    #[test]
    fn a_link_is_not_used() {
        let parent = tempfile::tempdir().unwrap();
        let real = parent.path().join("real");
        fs::create_dir(&real).unwrap();
        let link = parent.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(matches!(CacheDir::at(link), Err(CacheError::NotPrivate(_))));
    }
}
