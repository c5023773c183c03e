//! The secret of this installation: a file that only this person can read, made
//! when it is first needed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::sandbox::{CacheDir, CacheError, state_folder};

/// Bytes of the secret, and of each key.
const LENGTH: usize = 32;

/// What keys are derived for, so that another use of the secret has others.
const USE: &str = "mcp-gateway guardrail key 1";

/// The same for what seals the audit database.
const JOURNAL: &str = "mcp-gateway journal key 1";

/// The same for what guardrails keep for all sessions.
const KEPT: &str = "mcp-gateway kept state key 1";

/// What all keys are derived from. Nothing gives it away.
pub(crate) struct Secret(Zeroizing<[u8; LENGTH]>);

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// No environment variable says where this person keeps such things.
    #[error("neither MCP_GATEWAY_STATE_DIR nor a home folder is set")]
    Nowhere,
    /// The folder is not to be trusted.
    #[error(transparent)]
    Folder(#[from] CacheError),
    /// The file cannot be read or made.
    #[error("cannot use {path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Others may know it.
    #[error(
        "{0} is not a file that only you can read, as a secret has to be; run `chmod 600` on it, or \
         remove it for a new one, with which nothing fits any more that was made with the old one"
    )]
    NotPrivate(PathBuf),
    /// It is damaged.
    #[error(
        "{path} is {found} bytes long, and not {LENGTH}; restore it, or remove it for a new one, with \
         which nothing fits any more that was made with the old one"
    )]
    Length {
        /// The file.
        path: PathBuf,
        /// Its length.
        found: u64,
    },
    /// HKDF would give that much of any secret.
    #[error("no key can be derived from the secret: {0}")]
    Derive(hkdf::InvalidLength),
    /// The system has no random numbers.
    #[error("the system gives no random bytes for a new secret: {0}")]
    Random(getrandom::Error),
}

impl Secret {
    /// The secret of this installation; made if there is none.
    pub(crate) fn open() -> Result<Self, SecretError> {
        let folder = state_folder().ok_or(SecretError::Nowhere)?;
        Self::within(&CacheDir::at(folder.join("keys"))?)
    }

    /// One that everybody knows.
    pub(crate) fn fixed() -> Self {
        Self(Zeroizing::new([0; LENGTH]))
    }

    fn within(folder: &CacheDir) -> Result<Self, SecretError> {
        let path = folder.path().join("installation");
        if let Some(secret) = Self::read(&path)? {
            return Ok(secret);
        }
        make(folder.path(), &path)?;
        // Of several gateways that made one, the first has won.
        let gone = || SecretError::File {
            path: path.clone(),
            cause: io::ErrorKind::NotFound.into(),
        };
        Self::read(&path)?.ok_or_else(gone)
    }

    fn read(path: &Path) -> Result<Option<Self>, SecretError> {
        let failed = |cause| SecretError::File {
            path: path.to_owned(),
            cause,
        };
        // Not followed: what a link leads to is in nobody's care.
        let found = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            found => found.map_err(failed)?,
        };
        if !is_private(&found) {
            return Err(SecretError::NotPrivate(path.to_owned()));
        }
        let bytes = Zeroizing::new(fs::read(path).map_err(failed)?);
        let secret =
            <[u8; LENGTH]>::try_from(bytes.as_slice()).map_err(|_| SecretError::Length {
                path: path.to_owned(),
                found: found.len(),
            })?;
        Ok(Some(Self(Zeroizing::new(secret))))
    }

    /// A key of a guardrail's own, for a session or for all.
    pub(super) fn derive(
        &self,
        guardrail: &str,
        session: Option<&str>,
        purpose: &str,
    ) -> Result<Zeroizing<[u8; LENGTH]>, hkdf::InvalidLength> {
        let scope = if session.is_some() {
            "session"
        } else {
            "global"
        };
        self.expand(&[USE, guardrail, scope, session.unwrap_or_default(), purpose])
    }

    /// What the keys of journals come from. No guardrail has it, whatever its name.
    pub(super) fn journal(&self) -> Result<Zeroizing<[u8; LENGTH]>, hkdf::InvalidLength> {
        self.expand(&[JOURNAL])
    }

    /// What seals all that guardrails keep for all sessions. No guardrail has it either.
    pub(in crate::capability) fn kept(
        &self,
    ) -> Result<Zeroizing<[u8; LENGTH]>, hkdf::InvalidLength> {
        self.expand(&[KEPT])
    }

    fn expand(&self, parts: &[&str]) -> Result<Zeroizing<[u8; LENGTH]>, hkdf::InvalidLength> {
        let mut info = Vec::new();
        // With their lengths, so that no two ways to divide a text are the same.
        for part in parts {
            info.extend((part.len() as u64).to_le_bytes());
            info.extend(part.as_bytes());
        }
        let mut key = Zeroizing::new([0; LENGTH]);
        Hkdf::<Sha256>::new(None, self.0.as_slice()).expand(&info, key.as_mut_slice())?;
        Ok(key)
    }
}

/// Makes a secret, unless another gateway does so first: it appears whole, and
/// never in place of another.
fn make(folder: &Path, path: &Path) -> Result<(), SecretError> {
    let failed = |cause| SecretError::File {
        path: path.to_owned(),
        cause,
    };
    let mut secret = Zeroizing::new([0; LENGTH]);
    getrandom::fill(secret.as_mut_slice()).map_err(SecretError::Random)?;
    let written = || {
        // Such files are made with mode 0600.
        let mut draft = tempfile::NamedTempFile::new_in(folder)?;
        draft.write_all(secret.as_slice())?;
        draft.as_file().sync_all()?;
        match draft.persist_noclobber(path) {
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            persisted => persisted?,
        };
        // The entry of the folder, too, has to outlast a loss of power.
        if cfg!(unix) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    };
    written().map_err(failed)
}

#[cfg(unix)]
fn is_private(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.is_file()
        && found.uid() == rustix::process::geteuid().as_raw()
        && found.mode() & 0o077 == 0
}

/// On Windows the folder lies in the person's profile.
#[cfg(not(unix))]
fn is_private(found: &fs::Metadata) -> bool {
    found.is_file()
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashSet;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder() -> (tempfile::TempDir, CacheDir) {
        let parent = tempfile::tempdir().unwrap();
        let folder = CacheDir::at(parent.path().join("keys")).unwrap();
        (parent, folder)
    }

    fn key(secret: &Secret) -> Vec<u8> {
        secret.derive("g", None, "p").unwrap().to_vec()
    }

    #[test]
    fn a_secret_is_made_once_and_for_this_person_alone() {
        let (_parent, folder) = folder();
        let first = Secret::within(&folder).unwrap();
        let file = folder.path().join("installation");
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read(&file).unwrap().len(), LENGTH);
        assert_eq!(key(&first), key(&Secret::within(&folder).unwrap()));
        assert_ne!(key(&first), key(&Secret::fixed()));
    }

    #[test]
    fn gateways_that_start_at_once_agree_on_one() {
        let (_parent, folder) = folder();
        let keys: HashSet<Vec<u8>> = std::thread::scope(|scope| {
            let open = || key(&Secret::within(&folder).unwrap());
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(keys.len(), 1);
        let left = fs::read_dir(folder.path()).unwrap();
        assert_eq!(left.count(), 1, "no draft is left");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let (_parent, folder) = folder();
        Secret::within(&folder).unwrap();
        let file = folder.path().join("installation");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let error = Secret::within(&folder).err().unwrap().to_string();
        assert!(error.contains("run `chmod 600` on it"), "{error}");
    }

    #[test]
    fn a_file_of_another_length_is_refused() {
        let (_parent, folder) = folder();
        Secret::within(&folder).unwrap();
        for wrong in [0, 31, 33] {
            fs::write(folder.path().join("installation"), vec![7; wrong]).unwrap();
            let error = Secret::within(&folder).err().unwrap().to_string();
            let words = format!("is {wrong} bytes long, and not 32");
            assert!(error.contains(&words), "{error}");
        }
    }

    #[test]
    fn a_link_is_refused() {
        let (_parent, folder) = folder();
        let elsewhere = folder.path().join("elsewhere");
        fs::write(&elsewhere, [0; LENGTH]).unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder.path().join("installation")).unwrap();
        assert!(matches!(
            Secret::within(&folder),
            Err(SecretError::NotPrivate(_))
        ));
    }

    /// So that a guardrail's own tests, which the SDK runs without a gateway, expect
    /// what its examples get here.
    #[test]
    fn the_keys_of_rehearsals_are_those_that_the_sdk_makes() {
        let key = Secret::fixed()
            .derive("guardrail", Some("session"), "p")
            .unwrap();
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "36d89cd89a1ebd7d2526ebfa928ab40b7009082d46fcfbe818eeb9ad27b9910c"
        );
    }

    #[test]
    fn keys_differ_by_all_that_they_are_separated_by() {
        let secret = Secret(Zeroizing::new([7; LENGTH]));
        let keys: HashSet<Vec<u8>> = [
            ("g", None, "p"),
            ("h", None, "p"),
            ("g", None, "q"),
            ("g", Some("1"), "p"),
            ("g", Some("2"), "p"),
            ("g", Some(""), "p"),
            ("g", None, ""),
            ("gp", None, ""),
            ("", None, "gp"),
        ]
        .map(|(guardrail, session, purpose)| {
            secret.derive(guardrail, session, purpose).unwrap().to_vec()
        })
        .into();
        assert_eq!(keys.len(), 9);
        assert!(!keys.contains(&secret.journal().unwrap().to_vec()));
        assert!(!keys.contains(&secret.kept().unwrap().to_vec()));
        assert_ne!(*secret.kept().unwrap(), *secret.journal().unwrap());
        assert!(!keys.contains(&vec![7; LENGTH]), "never the secret itself");
    }
}
