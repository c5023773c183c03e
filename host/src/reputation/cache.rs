//! What was found out, kept for a day: registries need not be asked at each start.

use std::io::Write as _;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::date::now;
use super::facts::Facts;
use crate::sandbox::{CacheDir, state_folder};

/// Seconds for which it is not asked for again.
const FRESH: u64 = 24 * 3600;

/// Where it is kept; nowhere if there is no place.
pub(super) struct Cache(Option<PathBuf>);

#[derive(Serialize, Deserialize)]
struct Entry {
    key: String,
    at: u64,
    facts: Facts,
}

impl Cache {
    pub(super) fn open() -> Self {
        let folder = state_folder().map(|folder| folder.join("reputation"));
        let folder = folder.and_then(|folder| CacheDir::at(folder).ok());
        Self(folder.map(|folder| folder.path().to_owned()))
    }

    /// What was found out within a day.
    pub(super) fn fresh(&self, key: &str) -> Option<Facts> {
        let entry = self.entry(key)?;
        let age = now().checked_sub(entry.at)?;
        (age < FRESH).then_some(entry.facts)
    }

    /// What was found out at any time.
    pub(super) fn any(&self, key: &str) -> Option<Facts> {
        self.entry(key).map(|entry| entry.facts)
    }

    /// Keeps it; one that cannot be kept is asked for again.
    pub(super) fn keep(&self, key: &str, facts: &Facts) {
        let Some(path) = self.path(key) else { return };
        let entry = Entry {
            key: key.to_owned(),
            at: now(),
            facts: facts.clone(),
        };
        let written = || {
            let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(&path))?;
            file.write_all(&serde_json::to_vec(&entry)?)?;
            file.persist(&path)?;
            std::io::Result::Ok(())
        };
        if let Err(error) = written() {
            tracing::debug!("what is known of {key} cannot be kept: {error}");
        }
    }

    fn entry(&self, key: &str) -> Option<Entry> {
        let text = std::fs::read(self.path(key)?).ok()?;
        let entry: Entry = serde_json::from_slice(&text).ok()?;
        (entry.key == key).then_some(entry)
    }

    fn path(&self, key: &str) -> Option<PathBuf> {
        let digest = Sha256::digest(key);
        let name = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
        Some(
            self.0
                .as_ref()?
                .join(format!("{}.json", name.collect::<String>())),
        )
    }
}
