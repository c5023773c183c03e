//! Where records are kept: a file for each server, which only this person can read.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
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
    #[error("{path} is damaged: {cause}; remove it to approve of the server anew")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: serde_json::Error,
    },
}

/// All records of this person.
#[derive(Debug, Clone)]
pub struct Pins(CacheDir);

impl Pins {
    /// Those in the folder for such things, which is made if it is not there.
    ///
    /// # Errors
    /// When there is no such folder, or others can write to it.
    pub fn open() -> Result<Self, PinError> {
        let state = state_folder().ok_or(PinError::Nowhere)?;
        Ok(Self(CacheDir::at(state.join("pins"))?))
    }

    /// The record of a server; `None` if it has not listed anything yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of(&self, server: &Server) -> Result<Option<Record>, PinError> {
        self.read(&file_name(server.name.as_str(), &identity(server)))
    }

    /// When the record of a server was written last.
    pub fn written(&self, server: &Server) -> Option<SystemTime> {
        let file = file_name(server.name.as_str(), &identity(server));
        let metadata = fs::metadata(self.0.path().join(file));
        metadata.ok()?.modified().ok()
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
        let file = file_name(name, &identity);
        let _locked = self.lock()?;
        let now = now();
        let record = self.read(&file)?;
        let mut record = record.unwrap_or_else(|| Record::new(name, &identity));
        let (result, changed) = change(&mut record, now);
        if changed {
            self.write(&file, &record)?;
        }
        Ok(result)
    }

    /// All records, by the names of their servers.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn all(&self) -> Result<Vec<Record>, PinError> {
        let names = self.0.names().map_err(self.failed(""))?;
        let mut records = Vec::new();
        for name in names.iter().filter(|name| name.ends_with(".json")) {
            records.extend(self.read(name)?);
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
        let file = file_name(&record.server, &record.identity);
        let _locked = self.lock()?;
        let Some(mut record) = self.read(&file)? else {
            return Ok(None);
        };
        let result = change(&mut record, now());
        self.write(&file, &record)?;
        Ok(Some(result))
    }

    /// Removes a record: the next list of its server is a first one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(&self, record: &Record) -> Result<(), PinError> {
        let file = file_name(&record.server, &record.identity);
        let _locked = self.lock()?;
        self.0.remove(&file).map_err(self.failed(&file))
    }

    /// Keeps other gateways from writing as long as what is returned is kept.
    fn lock(&self) -> Result<File, PinError> {
        self.0.lock().map_err(self.failed("lock"))
    }

    fn read(&self, file: &str) -> Result<Option<Record>, PinError> {
        let Some(text) = self.0.read(file).map_err(self.failed(file))? else {
            return Ok(None);
        };
        let record = serde_json::from_slice(&text).map_err(|cause| PinError::Damaged {
            path: self.0.path().join(file),
            cause,
        })?;
        Ok(Some(record))
    }

    fn write(&self, file: &str, record: &Record) -> Result<(), PinError> {
        let text = serde_json::to_vec(record).map_err(io::Error::from);
        let written = text.and_then(|text| self.0.write(file, &text));
        written.map_err(self.failed(file))
    }

    fn failed(&self, file: &str) -> impl FnOnce(io::Error) -> PinError {
        let path = self.0.path().join(file);
        |cause| PinError::File { path, cause }
    }
}

/// Where the record of a server is.
fn file_name(server: &str, identity: &str) -> String {
    let digest = Sha256::digest(format!("{server}\0{identity}"));
    let name = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
    format!("{}.json", name.collect::<String>())
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}
