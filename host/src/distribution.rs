//! `distribution`: components that come from elsewhere. From a registry a component is
//! pulled by what its reference stood for when it was first used, which a lock file says;
//! and whatever it comes from, a component that has not the digest or the signature that
//! the configuration asks for is not loaded.

mod lock;
mod registry;
mod signature;

use std::io;
use std::path::{Path, PathBuf};

use crate::config::{Reference, Source, TrustedKey};
use crate::guardrail::digest;
use crate::sandbox::{CacheDir, CacheError, state_folder};
pub use lock::{Lock, Locked};
pub use registry::push;
pub use signature::{SigningKey, signature_file};

/// What a component has to be.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Its digest, `sha256:` and 64 digits, if the configuration names one.
    pub digest: Option<String>,
    /// By whom it has to be signed: by one of these, if there are any.
    pub trusted: Vec<TrustedKey>,
    /// What references stand for.
    pub lock: Option<PathBuf>,
}

/// Why a component is not to be had, or not to be loaded.
#[derive(Debug, thiserror::Error)]
pub enum DistributionError {
    /// A file cannot be read.
    #[error("cannot read {path}: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {cause}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The lock file is none.
    #[error("{path} is no lock file: {cause}")]
    Lock {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: toml::de::Error,
    },
    /// There is nowhere to keep what was pulled.
    #[error("no environment variable says where to keep components (MCP_GATEWAY_STATE_DIR, HOME)")]
    Nowhere,
    /// The folder for it is not to be trusted.
    #[error(transparent)]
    Folder(#[from] CacheError),
    /// The registry has not given it.
    #[error("cannot pull {reference}: {cause}")]
    Pull {
        /// What was asked for.
        reference: String,
        /// What went wrong.
        cause: String,
    },
    /// The registry has not taken it.
    #[error("cannot push {reference}: {cause}")]
    Push {
        /// Where to.
        reference: String,
        /// What went wrong.
        cause: String,
    },
    /// It is another component.
    #[error(
        "{origin} is not the component that was asked for: its digest is {found}, and {by} says {expected}"
    )]
    Digest {
        /// Where it comes from.
        origin: String,
        /// What it is.
        found: String,
        /// Who says what it should be.
        by: &'static str,
        /// What it should be.
        expected: String,
    },
    /// Nobody has signed it.
    #[error(
        "{0} is not signed, and \"trusted_keys\" asks for it; `mcp-gateway plugin sign` signs a file"
    )]
    Unsigned(String),
    /// Somebody else has signed it, or something else.
    #[error("the signature of {0} is of none of the \"trusted_keys\", or of another component")]
    Signature(String),
    /// A key is none.
    #[error("{0} holds no Ed25519 key in PKCS #8 (PEM)")]
    Key(PathBuf),
    /// The gateway has a fault.
    #[error("the gateway failed: {0}")]
    Panicked(String),
    /// The library cannot make a key.
    #[error("a key cannot be made on this machine")]
    Randomness,
}

/// A component, and what was said about it where it comes from.
struct Found {
    bytes: Vec<u8>,
    signature: Option<String>,
}

/// The lock file of a configuration: beside a gateway.toml, else, since other folders are
/// not ours to write to, with the rest that is kept for this person.
pub fn lock_file(config: Option<&Path>) -> Option<PathBuf> {
    match config.filter(|path| path.extension().is_some_and(|it| it == "toml")) {
        Some(path) => Some(path.with_extension("lock")),
        None => Some(state_folder()?.join("components.lock")),
    }
}

/// Reads a component, or pulls it if it is not here yet, and checks it.
///
/// # Errors
/// When it is not to be had, or is not what it has to be.
pub async fn fetch(source: &Source, policy: &Policy) -> Result<Vec<u8>, DistributionError> {
    let found = match source {
        Source::Bundled(name) => {
            // It is a part of this program, and as trusted.
            let bytes = crate::bundled::component(name).unwrap_or_default().to_vec();
            check_digest(source, &bytes, policy)?;
            return Ok(bytes);
        }
        Source::File(path) => of_file(path, !policy.trusted.is_empty())?,
        Source::Registry(reference) => of_registry(reference, policy.lock.as_deref()).await?,
    };
    check_digest(source, &found.bytes, policy)?;
    if !policy.trusted.is_empty() {
        let unsigned = || DistributionError::Unsigned(source.to_string());
        let signed = found.signature.ok_or_else(unsigned)?;
        if !signature::is_of(&policy.trusted, &digest(&found.bytes), &signed) {
            return Err(DistributionError::Signature(source.to_string()));
        }
    }
    Ok(found.bytes)
}

/// Pulls what a reference stands for now, and has the lock file say so.
///
/// # Errors
/// When it is not to be had, or the file cannot be written.
pub async fn update(reference: &Reference, lock: &Path) -> Result<Locked, DistributionError> {
    let pulled = registry::pull(reference, None).await?;
    let locked = keep(reference, pulled)?.0;
    Lock::note(lock, &locked)?;
    Ok(locked)
}

fn of_file(path: &Path, is_signed: bool) -> Result<Found, DistributionError> {
    let read = |path: &Path| match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    };
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |cause| DistributionError::Read { path, cause }
    };
    let bytes = std::fs::read(path).map_err(failed(path))?;
    let beside = signature_file(path);
    let signature = match is_signed {
        true => read(&beside).map_err(failed(&beside))?,
        false => None,
    };
    Ok(Found {
        bytes,
        signature: signature.map(|it| String::from_utf8_lossy(&it).into_owned()),
    })
}

async fn of_registry(
    reference: &Reference,
    lock: Option<&Path>,
) -> Result<Found, DistributionError> {
    let locked = lock.map(|path| Lock::of(path, reference)).transpose()?;
    let locked = locked.flatten();
    if let Some(locked) = &locked
        && let Some(found) = kept(&locked.digest)?
    {
        return Ok(found);
    }
    let manifest = locked.as_ref().map(|it| it.manifest.as_str());
    let pulled = registry::pull(reference, manifest).await?;
    let (now, found) = keep(reference, pulled)?;
    match (&locked, lock) {
        (Some(locked), _) if locked.digest != now.digest => Err(DistributionError::Digest {
            origin: reference.to_string(),
            found: now.digest,
            by: "the lock file",
            expected: locked.digest.clone(),
        }),
        (None, Some(path)) => {
            Lock::note(path, &now)?;
            Ok(found)
        }
        _ => Ok(found),
    }
}

fn folder() -> Result<CacheDir, DistributionError> {
    let state = state_folder().ok_or(DistributionError::Nowhere)?;
    Ok(CacheDir::at(state.join("components"))?)
}

/// What was pulled before; `None` also if it is not what it was any more.
fn kept(of: &str) -> Result<Option<Found>, DistributionError> {
    let folder = folder()?;
    let name = file_name(of);
    let read = |name: &str| {
        folder.read(name).map_err(|cause| DistributionError::Read {
            path: folder.path().join(name),
            cause,
        })
    };
    let Some(bytes) = read(&name)?.filter(|bytes| digest(bytes) == of) else {
        return Ok(None);
    };
    let signature = read(&format!("{name}.sig"))?;
    Ok(Some(Found {
        bytes,
        signature: signature.map(|it| String::from_utf8_lossy(&it).into_owned()),
    }))
}

/// Keeps what was pulled.
fn keep(
    reference: &Reference,
    pulled: registry::Pulled,
) -> Result<(Locked, Found), DistributionError> {
    let folder = folder()?;
    let digest = digest(&pulled.bytes);
    let name = file_name(&digest);
    let write = |name: &str, content: &[u8]| {
        let written = folder.write(name, content);
        written.map_err(|cause| DistributionError::Write {
            path: folder.path().join(name),
            cause,
        })
    };
    if let Some(signature) = &pulled.signature {
        write(&format!("{name}.sig"), signature.as_bytes())?;
    }
    write(&name, &pulled.bytes)?;
    let locked = Locked {
        reference: reference.to_string(),
        manifest: pulled.manifest,
        digest,
    };
    let found = Found {
        bytes: pulled.bytes,
        signature: pulled.signature,
    };
    Ok((locked, found))
}

fn file_name(digest: &str) -> String {
    format!("{}.wasm", digest.replace(':', "-"))
}

fn check_digest(source: &Source, bytes: &[u8], policy: &Policy) -> Result<(), DistributionError> {
    let Some(expected) = &policy.digest else {
        return Ok(());
    };
    let found = digest(bytes);
    if found == *expected {
        return Ok(());
    }
    Err(DistributionError::Digest {
        origin: source.to_string(),
        found,
        by: "the configuration",
        expected: expected.clone(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn fetched(path: &Path, policy: &Policy) -> Result<Vec<u8>, String> {
        let source = Source::File(path.to_owned());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let fetched = runtime.block_on(fetch(&source, policy));
        fetched.map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_that_is_not_what_was_asked_for_is_not_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        std::fs::write(&path, b"one").unwrap();
        let policy = Policy {
            digest: Some(digest(b"one")),
            ..Policy::default()
        };
        assert_eq!(fetched(&path, &policy).unwrap(), b"one");
        std::fs::write(&path, b"two").unwrap();
        let error = fetched(&path, &policy).unwrap_err();
        assert!(
            error.contains(&digest(b"two")) && error.contains(&digest(b"one")),
            "{error}"
        );
    }

    #[test]
    fn a_file_is_loaded_only_with_the_signature_of_a_trusted_key_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.wasm");
        std::fs::write(&path, b"one").unwrap();
        let key = |name: &str| SigningKey::generate(&folder.path().join(name)).unwrap();
        let (ours, theirs) = (key("ours.pem"), key("theirs.pem"));
        let policy = Policy {
            trusted: vec![ours.public()],
            ..Policy::default()
        };
        assert!(fetched(&path, &policy).unwrap_err().contains("not signed"));
        let sign = |key: &SigningKey, bytes: &[u8]| {
            std::fs::write(signature_file(&path), key.sign(&digest(bytes))).unwrap();
        };
        for (key, bytes) in [(&theirs, b"one"), (&ours, b"two")] {
            sign(key, bytes);
            let error = fetched(&path, &policy).unwrap_err();
            assert!(error.contains("of none of the"), "{error}");
        }
        sign(&ours, b"one");
        assert_eq!(fetched(&path, &policy).unwrap(), b"one");
        // The key is read again as it was written.
        let again = SigningKey::read(&folder.path().join("ours.pem")).unwrap();
        assert_eq!(again.public(), ours.public());
        assert!(SigningKey::generate(&folder.path().join("ours.pem")).is_err());
    }
}
