//! What was done to a client's file, so that it can be undone.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{InstallError, unusable};
use crate::clients::Client;
use crate::sandbox::{CacheDir, state_folder};

/// All that was done to one file, the latest last. Kept where only this person can
/// read it: it holds what the file holds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) client: String,
    pub(super) file: PathBuf,
    pub(super) steps: Vec<Step>,
}

/// One change.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Step {
    /// When.
    pub(super) at: String,
    /// The copy beside the file.
    pub(super) copy: PathBuf,
    /// The servers.
    pub(super) names: Vec<String>,
    pub(super) way: Moved,
    /// The file before, and after.
    pub(super) before: String,
    pub(super) after: String,
    /// The gateway's own file, and what was written into it.
    pub(super) config: Option<(PathBuf, String)>,
    /// What was in that file before, if it was there.
    #[serde(default)]
    pub(super) config_before: Option<String>,
}

/// What was done with the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Moved {
    Moved,
    Wrapped,
}

impl Record {
    pub(super) fn new(client: &Client, file: &Path) -> Self {
        Self {
            client: client.name.to_owned(),
            file: file.to_owned(),
            steps: Vec::new(),
        }
    }

    /// The record of a file, if there is one.
    pub(super) fn read(file: &Path) -> Result<Option<Self>, InstallError> {
        let path = path(file)?;
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(&path)(error)),
        };
        let read: Result<Self, _> = serde_json::from_slice(&text);
        read.map(Some).map_err(|cause| InstallError::Record {
            path,
            cause: cause.to_string(),
        })
    }

    /// The files of all records.
    pub(super) fn files() -> Result<Vec<(String, PathBuf)>, InstallError> {
        let folder = folder()?;
        let entries = std::fs::read_dir(folder.path()).map_err(unusable(folder.path()))?;
        let texts = entries.filter_map(|entry| std::fs::read(entry.ok()?.path()).ok());
        let records = texts.filter_map(|text| serde_json::from_slice::<Self>(&text).ok());
        Ok(records.map(|record| (record.client, record.file)).collect())
    }

    /// Keeps the record, or removes it once there is nothing left to undo.
    pub(super) fn keep(&self) -> Result<(), InstallError> {
        let path = path(&self.file)?;
        if self.steps.is_empty() {
            return match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(unusable(&path)(error))
                }
                _ => Ok(()),
            };
        }
        let written = || {
            // Such files are made with mode 0600.
            let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(&path))?;
            serde_json::to_writer(&mut file, self)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        written().map_err(unusable(&path))
    }
}

fn folder() -> Result<CacheDir, InstallError> {
    let folder = state_folder().ok_or(InstallError::NoHome)?;
    Ok(CacheDir::at(folder.join("installs"))?)
}

fn path(file: &Path) -> Result<PathBuf, InstallError> {
    let folder = folder()?;
    let digest = Sha256::digest(file.to_string_lossy().as_bytes());
    let name: String = digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(folder.path().join(format!("{name}.json")))
}

/// Now, in UTC, as a part of a file's name.
pub(super) fn stamp() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    stamp_of(now.as_secs())
}

fn stamp_of(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Counted from 1 March of the year 0, a leap day is the last of its year.
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_the_date_and_time() {
        for (seconds, stamp) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (1_709_164_800, "20240229T000000Z"),
            (1_795_650_000, "20261125T234000Z"),
        ] {
            assert_eq!(stamp_of(seconds), stamp);
        }
    }
}
