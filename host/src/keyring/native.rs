//! The keyrings of macOS (the login keychain) and Windows (the credential manager).

use std::sync::Arc;

use keyring_core::{CredentialStore, Entry, Error};

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
#[cfg(windows)]
use windows_native_keyring_store::Store;

use super::{Asking, Item, KeyringError, Secret};

/// The system asks a person whenever it wants to.
pub(super) const LOOKS_QUIETLY: bool = false;

pub(super) fn get(item: &Item, _: Asking) -> Result<Secret, KeyringError> {
    let secret = entry(item).and_then(|entry| entry.get_password());
    secret.map(Secret::new).map_err(|error| fault(item, error))
}

pub(super) fn set(item: &Item, secret: &Secret) -> Result<(), KeyringError> {
    let kept = entry(item).and_then(|entry| entry.set_password(secret));
    kept.map_err(|error| fault(item, error))
}

pub(super) fn delete(item: &Item) -> Result<(), KeyringError> {
    let removed = entry(item).and_then(|entry| entry.delete_credential());
    removed.map_err(|error| fault(item, error))
}

fn entry(item: &Item) -> Result<Entry, Error> {
    let store: Arc<CredentialStore> = Store::new()?;
    Entry::new_in_store(&store, &item.service, &item.name)
}

/// What went wrong. What is no text is not quoted: the error holds it.
fn fault(item: &Item, error: Error) -> KeyringError {
    match error {
        Error::NoEntry => KeyringError::Unknown(item.clone()),
        Error::NoStorageAccess(_) => KeyringError::Locked,
        Error::BadEncoding(_) | Error::BadDataFormat(..) => KeyringError::NoText(item.clone()),
        error => KeyringError::Failed(error.to_string()),
    }
}
