//! Who vouches for a component: an Ed25519 signature (RFC 8032) of its digest.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;

use super::DistributionError;
use crate::config::TrustedKey;

/// A key that signs components.
pub struct SigningKey(Ed25519KeyPair);

/// Where the signature of a file stands: beside it.
pub fn signature_file(component: &Path) -> PathBuf {
    let mut name = component.as_os_str().to_owned();
    name.push(".sig");
    name.into()
}

/// Whether a signature is of one of these keys, and for the component of this digest.
pub(super) fn is_of(trusted: &[TrustedKey], digest: &str, signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature.trim()) else {
        return false;
    };
    trusted.iter().any(|key| {
        let key = UnparsedPublicKey::new(&ED25519, key.bytes());
        key.verify(signed(digest).as_bytes(), &signature).is_ok()
    })
}

/// What is signed: nothing that a key signs elsewhere can be taken for it.
fn signed(digest: &str) -> String {
    format!("mcp-gateway component 1\n{digest}\n")
}

impl SigningKey {
    /// A new key, which is written into a new file that only this person can read.
    ///
    /// # Errors
    /// When there is such a file, or it cannot be written.
    pub fn generate(path: &Path) -> Result<Self, DistributionError> {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
        let pkcs8 = pkcs8.map_err(|_| DistributionError::Randomness)?;
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(pkcs8.as_ref())
        );
        let written = private(path).and_then(|mut file| file.write_all(pem.as_bytes()));
        written.map_err(|cause| DistributionError::Write {
            path: path.to_owned(),
            cause,
        })?;
        Self::read(path)
    }

    /// The key in a file: PKCS #8 in PEM, as `openssl genpkey -algorithm ed25519` writes it.
    ///
    /// # Errors
    /// When it cannot be read, or is no such key.
    pub fn read(path: &Path) -> Result<Self, DistributionError> {
        let pem = std::fs::read(path).map_err(|cause| DistributionError::Read {
            path: path.to_owned(),
            cause,
        })?;
        let no_key = || DistributionError::Key(path.to_owned());
        let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).map_err(|_| no_key())?;
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der());
        Ok(Self(pair.map_err(|_| no_key())?))
    }

    /// What others trust.
    pub fn public(&self) -> TrustedKey {
        let bytes = self.0.public_key().as_ref();
        TrustedKey::of(bytes.try_into().unwrap_or_default())
    }

    /// Signs the component of a digest; in base64.
    pub fn sign(&self, digest: &str) -> String {
        STANDARD.encode(self.0.sign(signed(digest).as_bytes()))
    }
}

fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
