#![doc = include_str!("../README.md")]

use guest_contract_nine::bindings::exports::mcp_gateway::guardrail::guardrail::Guest;

/// What the component exports.
#[derive(Debug)]
pub struct WrongVersion;

impl Guest for WrongVersion {
    fn configure(config: String) -> Result<String, String> {
        Ok(config)
    }

    fn check(text: String) -> Result<String, String> {
        Ok(text)
    }
}

#[cfg(target_family = "wasm")]
guest_contract_nine::bindings::export_guardrail!(
    WrongVersion with_types_in guest_contract_nine::bindings
);
