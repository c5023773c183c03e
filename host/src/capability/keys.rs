//! The `keys` capability: keys that are derived from a secret of this installation.

mod secret;

pub(crate) use secret::Secret;
pub use secret::SecretError;

use super::contract::v0_1::mcp_gateway::guardrail::keys::Host;
use super::contract::v0_1::mcp_gateway::guardrail::types::Scope;
use super::own::Unavailable;
use crate::journal;
use crate::sandbox::Confined;

/// The keys of this installation's journals. They come from its secret, which is made
/// if there is none.
pub fn journal_keys() -> Result<journal::Keys, SecretError> {
    let key = Secret::open()?.journal().map_err(SecretError::Derive)?;
    Ok(journal::Keys::new(*key))
}

impl Host for Confined {
    fn derive(&mut self, scope: Scope, purpose: String) -> wasmtime::Result<Vec<u8>> {
        self.spend_host_call()?;
        let own = self.own()?;
        let secret = own.secret.as_ref().ok_or(Unavailable::NoSecret)?;
        let session = match scope {
            Scope::Session => Some(&*own.session),
            Scope::Global => None,
        };
        let key = secret.derive(&own.keyed, session, &purpose);
        let key = key.map_err(|error| wasmtime::format_err!("{error}"))?;
        Ok(key.to_vec())
    }
}
