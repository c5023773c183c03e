//! Where records are kept: a file for each server, which only this person can read.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::record::Record;
use crate::config::Server;
use crate::provenance::identity;
use crate::sandbox::{CacheDir, CacheError, state_folder};

/// Why records cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum PinError {
    /// No environment variable says where this person keeps such things.
    #[error("neither MCP_GATEWAY_STATE_DIR nor a home folder is set")]
    Nowhere,
    /// The folder is not to be trusted.
    #[error(transparent)]
    Folder(#[from] CacheError),
    /// A file cannot be used.
    #[error("cannot use {path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A file is no record.
    #[error("{path} is damaged: {cause}; remove it to approve of the server's tools anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
}

/// All records of this person.
#[derive(Debug, Clone)]
pub struct Pins(PathBuf);

impl Pins {
    /// Those in the folder for such things, which is made if it is not there.
    ///
    /// # Errors
    /// When there is no such folder, or others can write to it.
    pub fn open() -> Result<Self, PinError> {
        let folder = CacheDir::at(state_folder().ok_or(PinError::Nowhere)?.join("pins"))?;
        Ok(Self(folder.path().to_owned()))
    }

    /// The record of a server; `None` if it has not listed anything yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(&self, server: &Server) -> Result<Option<Record>, PinError> {
        read(&self.path(server.name.as_str(), &identity(server)))
    }

    /// When the record of a server was written last.
    pub fn written(&self, server: &Server) -> Option<SystemTime> {
        let path = self.path(server.name.as_str(), &identity(server));
        fs::metadata(path).ok()?.modified().ok()
    }

    /// Changes the record of a server, or a new one, while nobody else does; `change`
    /// is told the time, in seconds since 1970, and says whether it has changed
    /// anything.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn update<T>(
        &self,
        server: &Server,
        change: impl FnOnce(&mut Record, u64) -> (T, bool),
    ) -> Result<T, PinError> {
        let (name, identity) = (server.name.as_str(), identity(server));
        let path = self.path(name, &identity);
        let _locked = self.lock()?;
        let now = now();
        let record = read(&path)?;
        let mut record = record.unwrap_or_else(|| Record::new(name, &identity, now));
        let (result, changed) = change(&mut record, now);
        if changed {
            write(&path, &record)?;
        }
        Ok(result)
    }

    /// All records, by the names of their servers.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn all(&self) -> Result<Vec<Record>, PinError> {
        let entries = fs::read_dir(&self.0).map_err(failed(&self.0))?;
        let mut records = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed(&self.0))?.path();
            if path.extension().is_some_and(|ending| ending == "json") {
                records.extend(read(&path)?);
            }
        }
        records.sort_by(|one, other| {
            (&one.server, &one.identity).cmp(&(&other.server, &other.identity))
        });
        Ok(records)
    }

    /// Changes a record as it is by now, if it is still there.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn change<T>(
        &self,
        record: &Record,
        change: impl FnOnce(&mut Record, u64) -> T,
    ) -> Result<Option<T>, PinError> {
        let path = self.path(&record.server, &record.identity);
        let _locked = self.lock()?;
        let Some(mut record) = read(&path)? else {
            return Ok(None);
        };
        let result = change(&mut record, now());
        write(&path, &record)?;
        Ok(Some(result))
    }

    /// Removes a record: the next list of its server is a first one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(&self, record: &Record) -> Result<(), PinError> {
        let path = self.path(&record.server, &record.identity);
        let _locked = self.lock()?;
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&path)(error)),
            _ => Ok(()),
        }
    }

    fn path(&self, server: &str, identity: &str) -> PathBuf {
        let digest = Sha256::digest(format!("{server}\0{identity}"));
        let name = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
        self.0.join(format!("{}.json", name.collect::<String>()))
    }

    /// Keeps other gateways from writing as long as what is returned is kept.
    fn lock(&self) -> Result<File, PinError> {
        let path = self.0.join("lock");
        let locked = File::create(&path).and_then(|file| file.lock().map(|()| file));
        locked.map_err(failed(&path))
    }
}

fn read(path: &Path) -> Result<Option<Record>, PinError> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path)(error)),
    };
    let record = serde_json::from_slice(&text).map_err(|cause| PinError::Damaged {
        path: path.to_owned(),
        cause,
    })?;
    Ok(Some(record))
}

fn write(path: &Path, record: &Record) -> Result<(), PinError> {
    let written = || {
        // Such files are made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(path))?;
        // In one piece: a writer gets every bracket by itself.
        file.write_all(&serde_json::to_vec(record)?)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(failed(path))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> PinError {
    |cause| PinError::File {
        path: path.to_owned(),
        cause,
    }
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}
