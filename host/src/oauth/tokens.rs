//! Where tokens are kept: a file for each server, which only this person can read.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use std::{fs, io};

use async_trait::async_trait;
use rmcp::transport::auth::{
    AuthError, CredentialRefreshGuard, CredentialStore, StoredCredentials,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use crate::config::Remote;
use crate::sandbox::{CacheDir, CacheError, state_folder};

/// The tokens for one server: what its address names is the only thing that they
/// are sent to.
#[derive(Debug, Clone)]
pub struct Tokens {
    path: PathBuf,
    resource: String,
}

/// What a person is logged in to a server with at a moment.
#[derive(Debug)]
pub struct LogIn {
    tokens: Tokens,
    written: Option<SystemTime>,
}

/// How often one looks whether a person has logged in.
const LOOK: Duration = Duration::from_millis(250);

impl LogIn {
    /// What it is now; `None` if there is no place for tokens.
    pub fn of(remote: &Remote) -> Option<Self> {
        let tokens = Tokens::of(&remote.url).ok()?;
        let written = tokens.written();
        Some(Self { tokens, written })
    }

    /// Waits until it is another.
    pub async fn changed(&self) {
        while self.tokens.written() == self.written {
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Why tokens cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
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

/// What is in the file.
#[derive(Serialize, Deserialize)]
struct Kept {
    resource: String,
    credentials: StoredCredentials,
}

impl Tokens {
    /// The tokens for the server at this address.
    pub fn of(url: &Url) -> Result<Self, TokenError> {
        let folder = CacheDir::at(state_folder().ok_or(TokenError::Nowhere)?.join("logins"))?;
        let mut resource = url.clone();
        resource.set_fragment(None);
        let resource = resource.to_string();
        let name: String = Sha256::digest(&resource)
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Ok(Self {
            path: folder.path().join(format!("{name}.json")),
            resource,
        })
    }

    /// What is kept; `None` if nobody has logged in, or if what is there is
    /// damaged.
    pub fn read(&self) -> Result<Option<StoredCredentials>, TokenError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(self.failed(cause)),
        };
        let kept: Option<Kept> = serde_json::from_slice(&text).ok();
        Ok(kept
            .filter(|kept| kept.resource == self.resource)
            .map(|kept| kept.credentials))
    }

    /// When they were written last.
    fn written(&self) -> Option<SystemTime> {
        fs::metadata(&self.path).ok()?.modified().ok()
    }

    /// Keeps tokens in place of what was there.
    fn write(&self, credentials: StoredCredentials) -> Result<(), TokenError> {
        let kept = Kept {
            resource: self.resource.clone(),
            credentials,
        };
        let written = || {
            let folder = self.path.parent().unwrap_or(&self.path);
            // Such files are made with mode 0600.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer(&mut file, &kept)?;
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            Ok(())
        };
        written().map_err(|cause| self.failed(cause))
    }

    /// Removes what is kept. Whether there was anything.
    pub fn remove(&self) -> Result<bool, TokenError> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(cause) => Err(self.failed(cause)),
        }
    }

    fn failed(&self, cause: io::Error) -> TokenError {
        TokenError::File {
            path: self.path.clone(),
            cause,
        }
    }
}

#[async_trait]
impl CredentialStore for Tokens {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        self.read().map_err(store_error)
    }

    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        self.write(credentials).map_err(store_error)
    }

    async fn clear(&self) -> Result<(), AuthError> {
        self.remove().map(drop).map_err(store_error)
    }

    /// Several gateways use one account: a refresh token is good for one of them.
    async fn acquire_refresh_guard(&self) -> Result<Option<CredentialRefreshGuard>, AuthError> {
        let path = self.path.with_extension("lock");
        let locked = tokio::task::spawn_blocking(move || {
            let file = File::create(path)?;
            file.lock()?;
            io::Result::Ok(file)
        });
        let locked = locked.await.map_err(io::Error::other).flatten();
        let file = locked.map_err(|error| store_error(self.failed(error)))?;
        Ok(Some(CredentialRefreshGuard::new(file)))
    }
}

fn store_error(error: TokenError) -> AuthError {
    AuthError::CredentialStoreError(error.to_string())
}
