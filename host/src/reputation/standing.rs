//! Which servers may start although little is known of them, or something against
//! them: a person's word, kept in a file for each.

use std::path::PathBuf;
use std::time::SystemTime;
use std::{fs, io};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::date::now;
use crate::config::Server;
use crate::provenance::identity;
use crate::sandbox::{CacheDir, CacheError, state_folder};

/// A server that was found risky.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// Its name in the configuration.
    pub server: String,
    /// Where it comes from.
    pub identity: String,
    /// How little it was worth, of 100.
    pub score: u8,
    /// Why.
    pub because: Vec<String>,
    /// When, in seconds since 1970.
    pub since: u64,
    /// Whether a person lets it start all the same.
    pub allowed: bool,
}

/// Why standings cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum StandingError {
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
}

/// The servers that were found risky.
#[derive(Debug, Clone)]
pub struct Standings(PathBuf);

impl Standings {
    /// Those in the folder for such things, which is made if it is not there.
    ///
    /// # Errors
    /// When there is no such folder, or others can write to it.
    pub fn open() -> Result<Self, StandingError> {
        let folder = state_folder().ok_or(StandingError::Nowhere)?;
        Ok(Self(
            CacheDir::at(folder.join("standings"))?.path().to_owned(),
        ))
    }

    /// What is known of a server.
    pub fn of(&self, server: &Server) -> Option<Standing> {
        read(&self.path(server.name.as_str(), &identity(server)))
    }

    /// When that was written last.
    pub fn written(&self, server: &Server) -> Option<SystemTime> {
        let path = self.path(server.name.as_str(), &identity(server));
        fs::metadata(path).ok()?.modified().ok()
    }

    /// Notes that a server was found risky; a person's word stays. What is noted is
    /// returned.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn found(
        &self,
        server: &Server,
        score: u8,
        because: &[String],
    ) -> Result<Standing, StandingError> {
        if let Some(known) = self.of(server) {
            return Ok(known);
        }
        let standing = Standing {
            server: server.name.to_string(),
            identity: identity(server),
            score,
            because: because.to_vec(),
            since: now(),
            allowed: false,
        };
        self.write(&standing)?;
        Ok(standing)
    }

    /// All of them.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn all(&self) -> Result<Vec<Standing>, StandingError> {
        let entries = fs::read_dir(&self.0).map_err(|cause| StandingError::File {
            path: self.0.clone(),
            cause,
        })?;
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut all: Vec<_> = paths.filter_map(|path| read(&path)).collect();
        all.sort_by(|one, other| {
            (&one.server, &one.identity).cmp(&(&other.server, &other.identity))
        });
        Ok(all)
    }

    /// Takes a person's word. Returns the servers that it is about.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn allow(&self, name: &str, allowed: bool) -> Result<Vec<Standing>, StandingError> {
        let mut named: Vec<_> = self
            .all()?
            .into_iter()
            .filter(|it| it.server == name)
            .collect();
        for standing in &mut named {
            standing.allowed = allowed;
            self.write(standing)?;
        }
        Ok(named)
    }

    fn write(&self, standing: &Standing) -> Result<(), StandingError> {
        let path = self.path(&standing.server, &standing.identity);
        let written = || {
            // Such files are made with mode 0600.
            let mut file = tempfile::NamedTempFile::new_in(&self.0)?;
            serde_json::to_writer(&mut file, standing)?;
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        written().map_err(|cause| StandingError::File {
            path: path.clone(),
            cause,
        })
    }

    fn path(&self, server: &str, identity: &str) -> PathBuf {
        let digest = Sha256::digest(format!("{server}\0{identity}"));
        let name = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
        self.0.join(format!("{}.json", name.collect::<String>()))
    }
}

/// A damaged file is none: the server is found risky once more.
fn read(path: &std::path::Path) -> Option<Standing> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
