//! The `keys` capability: keys that are derived from a secret of this installation.

mod secret;

pub(crate) use secret::Secret;
pub use secret::SecretError;

use super::contract::v0_1::mcp_gateway::guardrail::keys::Host;
use super::contract::v0_1::mcp_gateway::guardrail::types::Scope;
use super::own::Unavailable;
use crate::sandbox::Confined;

impl Host for Confined {
    fn derive(&mut self, scope: Scope, purpose: String) -> wasmtime::Result<Vec<u8>> {
        self.spend_host_call()?;
        let own = self.own()?;
        let secret = own.secret.as_ref().ok_or(Unavailable::NoSecret)?;
        let session = match scope {
            Scope::Session => Some(&*own.session),
            Scope::Global => None,
        };
        let key = secret.derive(&own.guardrail, session, &purpose);
        let key = key.map_err(|error| wasmtime::format_err!("{error}"))?;
        Ok(key.to_vec())
    }
}
