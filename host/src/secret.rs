//! `secret`: keeps a person's secrets in the system's keyring, and removes them.

use std::io::{self, IsTerminal, Read as _, Write as _};

use zeroize::Zeroizing;

use crate::cli;
use crate::keyring::{self, Item, KeyringError};

/// The longest secret: whoever has a longer one means another.
const LONGEST: u64 = 64 << 10;

/// Why a secret is not kept, or not removed.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The keyring does not do it.
    #[error("{item}: {cause}")]
    Keyring {
        /// The secret.
        item: Item,
        /// Why not.
        cause: KeyringError,
    },
    /// There is nothing to keep.
    #[error("there is no secret: nothing was typed, or standard input is empty")]
    Empty,
    /// What was given is hardly a secret.
    #[error("it has more than 64 KiB, which no secret has")]
    TooLong,
    /// Neither a variable nor a header can hold it.
    #[error("it has a NUL, which neither a variable nor a header can have")]
    Nul,
    /// It cannot be read, or nothing can be said.
    #[error(transparent)]
    Screen(#[from] io::Error),
}

/// Carries a command out.
///
/// # Errors
/// When there is no secret, when the keyring does not keep or remove it, or when the screen
/// is gone.
pub fn secret(command: cli::Secret) -> Result<(), SecretError> {
    let (item, done) = match command {
        cli::Secret::Set(item) => {
            let secret = read(&item)?;
            let kept = keyring::set(&item, secret);
            let how = format!("kept; write ${{keyring:{item}}} where it belongs");
            (item, kept.map(|()| how))
        }
        cli::Secret::Delete(item) => {
            let removed = keyring::delete(&item);
            (item, removed.map(|()| "removed".to_owned()))
        }
    };
    match done {
        Ok(how) => Ok(writeln!(io::stdout(), "{item}: {how}")?),
        Err(cause) => Err(SecretError::Keyring { item, cause }),
    }
}

/// What a person types, or what another program says.
fn read(item: &Item) -> Result<keyring::Secret, SecretError> {
    let mut text = match io::stdin().is_terminal() {
        true => Zeroizing::new(rpassword::prompt_password(format!("{item} (not shown): "))?),
        false => {
            // At once as long as it can become, since what it outgrows is not wiped.
            let room = usize::try_from(LONGEST).unwrap_or_default() + 2;
            let mut text = Zeroizing::new(String::with_capacity(room));
            io::stdin().take(LONGEST + 1).read_to_string(&mut text)?;
            text
        }
    };
    if text.len() as u64 > LONGEST {
        return Err(SecretError::TooLong);
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    match () {
        () if text.is_empty() => Err(SecretError::Empty),
        () if text.contains('\0') => Err(SecretError::Nul),
        () => Ok(text),
    }
}
