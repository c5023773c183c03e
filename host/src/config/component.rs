//! Components that come from elsewhere: what they are called there, and who is trusted
//! to make them.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How a reference to a registry begins.
pub(super) const SCHEME: &str = "oci://";

/// How a key is written.
const ED25519: &str = "ed25519:";

/// A component in a registry of the Open Container Initiative:
/// `oci://registry/repository:tag`, or `…@sha256:…` with the digest of its manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(Box<oci_client::Reference>);

/// A text is no reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a component in a registry is named as in oci://ghcr.io/acme/rule:1.0.0")]
pub struct NoReference;

/// An Ed25519 key (RFC 8032) that signs components, as `ed25519:` and base64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey([u8; 32]);

/// A text is no such key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a key is \"ed25519:\" and 32 bytes in base64, as `mcp-gateway plugin keygen` prints it")]
pub struct NoKey;

impl Reference {
    /// As registries know it.
    pub fn image(&self) -> &oci_client::Reference {
        &self.0
    }
}

impl FromStr for Reference {
    type Err = NoReference;

    fn from_str(text: &str) -> Result<Self, NoReference> {
        let rest = text.strip_prefix(SCHEME).ok_or(NoReference)?;
        // Docker's rule, by which a name without a registry is one of Docker Hub, would
        // take a mistyped path for an image.
        let (registry, _) = rest.split_once('/').ok_or(NoReference)?;
        if !registry.contains(['.', ':']) && registry != "localhost" {
            return Err(NoReference);
        }
        let image = rest.parse().map_err(|_| NoReference)?;
        Ok(Self(Box::new(image)))
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.0.whole())
    }
}

impl TrustedKey {
    /// A key of these bytes.
    pub fn of(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for TrustedKey {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let encoded = text.strip_prefix(ED25519).ok_or(NoKey)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| NoKey)?;
        bytes.try_into().map(Self).map_err(|_| NoKey)
    }
}

impl fmt::Display for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ED25519}{}", STANDARD.encode(self.0))
    }
}

/// Whether a text is the digest of a component, as `plugin inspect` shows it.
pub(super) fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    digits.len() == 64
        && digits
            .bytes()
            .all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_its_registry() {
        for text in [
            "oci://ghcr.io/acme/rule:1.0.0",
            "oci://localhost:5000/rule:latest",
            "oci://localhost/a/rule:x",
            &format!("oci://ghcr.io/acme/rule@sha256:{}", "0".repeat(64)),
        ] {
            assert_eq!(text.parse::<Reference>().unwrap().to_string(), *text);
        }
        for text in [
            "ghcr.io/a/b:1",
            "oci://rule",
            "oci://acme/rule:1",
            "oci://",
            "oci://a.b/",
        ] {
            assert_eq!(text.parse::<Reference>(), Err(NoReference), "{text}");
        }
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let key = TrustedKey::of([7; 32]);
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        for text in ["ed25519:AAAA", "rsa:AAAA", "ed25519:?", ""] {
            assert_eq!(text.parse::<TrustedKey>(), Err(NoKey), "{text}");
        }
    }
}
