//! Secrets in the system's keyring: what is kept under a service and a name, and how it is
//! looked up, kept and removed.
//!
//! A keyring that is locked asks a person, and a service may hang, so nobody waits longer
//! than a while. It is asked for one thing at a time: a person who unlocks it for one server
//! has unlocked it for all that wait, and one that hangs costs a thread and no more. A look-up
//! has a person asked once in the life of the program; after that it only sees whether the
//! keyring has been unlocked meanwhile.

mod queue;

#[cfg(target_os = "linux")]
#[path = "keyring/secret_service.rs"]
mod system;
#[cfg(any(target_os = "macos", windows))]
#[path = "keyring/native.rs"]
mod system;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
#[path = "keyring/absent.rs"]
mod system;

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use zeroize::Zeroizing;

/// A secret's value, which is wiped when nobody needs it any more.
pub type Secret = Zeroizing<String>;

/// How long a person may take to unlock the keyring.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often one looks whether the keyring has something by now, where nobody is asked.
const LOOK: Duration = Duration::from_secs(2);

/// What a secret is kept under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Item {
    service: String,
    name: String,
}

/// A text that names no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a secret in the keyring is named SERVICE/NAME, such as github/token")]
pub struct NoItem;

/// Why a secret cannot be had, kept or removed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// Nothing is kept under that name.
    #[error("the keyring has no such secret; run: mcp-gateway secret set {}", .0.word())]
    Unknown(Item),
    /// There is nobody to ask.
    #[error(
        "there is no D-Bus session at {address} to ask for the keyring ({cause}); \
         start the gateway in a session that has one, or refer to a file: ${{file:PATH}}"
    )]
    NoSession {
        /// Where it should be.
        address: String,
        /// What the system said.
        cause: String,
    },
    /// This session, or this system, has none.
    #[error(
        "this session has no keyring: no program answers for it; \
         start gnome-keyring or KWallet, or refer to a file: ${{file:PATH}}"
    )]
    NoKeyring,
    /// It is locked, and nobody has unlocked it.
    #[error("the keyring is locked; unlock it, as logging in to the desktop does")]
    Locked,
    /// It does not answer, perhaps since a person does not.
    #[error("the keyring has not answered within {0:?}; it may ask you to unlock it")]
    TimedOut(Duration),
    /// What is kept there is no text.
    #[error("what the keyring has is no text; run: mcp-gateway secret set {}", .0.word())]
    NoText(Item),
    /// The keyring's own words.
    #[error("the keyring fails: {0}")]
    Failed(String),
}

/// A secret that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("${{keyring:{item}}}: {cause}")]
pub struct Unavailable {
    /// What it is kept under.
    pub item: Item,
    /// Why not.
    pub cause: KeyringError,
}

/// Whether a person may be asked to unlock the keyring. Not all systems leave that to the
/// gateway.
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "the system asks by itself")
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    /// They are there: they have typed a command.
    Person,
    /// They are asked the first time.
    Once,
}

/// Whether a look-up has asked.
static ASKED: AtomicBool = AtomicBool::new(false);

impl Asking {
    /// Whether to ask now.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "the system asks by itself")
    )]
    fn now(self) -> bool {
        match self {
            Self::Person => true,
            Self::Once => !ASKED.swap(true, Ordering::Relaxed),
        }
    }
}

/// Looks all of them up.
///
/// # Errors
/// The first that cannot be had.
pub async fn look_up(items: &[Item]) -> Result<Vec<(Item, Secret)>, Unavailable> {
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        let wanted = item.clone();
        let looked = tokio::task::spawn_blocking(move || look_up_now(&wanted)).await;
        let looked = looked.unwrap_or_else(|panic| Err(KeyringError::Failed(panic.to_string())));
        let secret = looked.map_err(|cause| Unavailable {
            item: item.clone(),
            cause,
        })?;
        found.push((item.clone(), secret));
    }
    Ok(found)
}

/// Waits after something could not be had: until all of these can be, or, where to look means
/// that a person is asked, for a while.
pub async fn worth_a_look(items: &[Item]) {
    if !system::LOOKS_QUIETLY {
        return tokio::time::sleep(PATIENCE).await;
    }
    loop {
        tokio::time::sleep(LOOK).await;
        if look_up(items).await.is_ok() {
            return;
        }
    }
}

/// Looks one up, where there is nothing to do until then.
///
/// # Errors
/// When it cannot be had in time.
pub fn look_up_now(item: &Item) -> Result<Secret, KeyringError> {
    let item = item.clone();
    queue::done(PATIENCE, move || system::get(&item, Asking::Once))
}

/// Keeps a secret, in the place of what was kept under that name.
///
/// # Errors
/// When it cannot be kept.
pub fn set(item: &Item, secret: Secret) -> Result<(), KeyringError> {
    let item = item.clone();
    queue::done(PATIENCE, move || system::set(&item, &secret))
}

/// Removes a secret.
///
/// # Errors
/// When there is none, or it cannot be removed.
pub fn delete(item: &Item) -> Result<(), KeyringError> {
    let item = item.clone();
    queue::done(PATIENCE, move || system::delete(&item))
}

impl Item {
    /// As a person can paste it into a shell.
    fn word(&self) -> String {
        let word = self.to_string();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@".contains(c);
        match word.chars().all(is_plain) {
            true => word,
            false => format!("'{}'", word.replace('\'', r"'\''")),
        }
    }
}

impl FromStr for Item {
    type Err = NoItem;

    fn from_str(text: &str) -> Result<Self, NoItem> {
        let (service, name) = text.split_once('/').ok_or(NoItem)?;
        let is_good = |part: &str| !part.trim().is_empty() && !part.contains(char::is_control);
        match is_good(service) && is_good(name) {
            true => Ok(Self {
                service: service.to_owned(),
                name: name.to_owned(),
            }),
            false => Err(NoItem),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.service, self.name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_named_by_a_service_and_a_name() {
        let item: Item = "github/token/of mine".parse().unwrap();
        assert_eq!(item.service, "github");
        assert_eq!(item.name, "token/of mine");
        let unknown = KeyringError::Unknown(item).to_string();
        assert!(
            unknown.ends_with("secret set 'github/token/of mine'"),
            "{unknown}"
        );
        for none in ["", "github", "github/", "/token", " / ", "a/b\0"] {
            assert_eq!(none.parse::<Item>(), Err(NoItem), "{none:?}");
        }
    }
}
