//! What is made with keys: identifiers, hashes, ciphertexts.

use aes_siv::aead::KeyInit;
use aes_siv::siv::Aes256Siv;
use hmac::{Hmac, Mac};
use mcp_gateway_sdk::{Message, Scope};
use sha2::Sha256;

/// The purposes that keys are derived for. Another version has other keys.
const AUTHENTICATE: &str = "pseudonym 1";
const ENCRYPT: [&str; 2] = ["pseudonym encrypt 1 a", "pseudonym encrypt 1 b"];

/// A key to make identifiers with: nobody without it can tell of which value one is.
pub(crate) struct Authenticator(Vec<u8>);

impl Authenticator {
    pub(crate) fn of(message: &Message<'_>, scope: Scope) -> Self {
        Self(message.key(scope, AUTHENTICATE))
    }

    /// 32 bytes that are as good as random, and always the same for the same parts.
    pub(crate) fn code(&self, parts: &[&str]) -> Result<[u8; 32], String> {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(&self.0).map_err(|e| e.to_string())?;
        for part in parts {
            // With its length, so that no two lists of parts are the same.
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        Ok(mac.finalize().into_bytes().into())
    }
}

/// Encrypts values, always the same way (AES-SIV, RFC 5297), for this installation.
pub(crate) struct Cipher(Aes256Siv);

impl Cipher {
    pub(crate) fn of(message: &Message<'_>) -> Result<Self, String> {
        let key = ENCRYPT
            .map(|purpose| message.key(Scope::Global, purpose))
            .concat();
        let key: [u8; 64] = key
            .try_into()
            .map_err(|_| "the gateway's keys have another length")?;
        Ok(Self(Aes256Siv::new(&key.into())))
    }

    pub(crate) fn encrypt(&mut self, label: &str, value: &[u8]) -> Result<Vec<u8>, String> {
        self.0
            .encrypt([label.as_bytes()], value)
            .map_err(|error| error.to_string())
    }

    /// The value; `None` for what was not encrypted with this key and label.
    pub(crate) fn decrypt(&mut self, label: &str, ciphertext: &[u8]) -> Option<Vec<u8>> {
        self.0.decrypt([label.as_bytes()], ciphertext).ok()
    }
}
