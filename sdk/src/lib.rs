#![doc = include_str!("../README.md")]

mod by_place;
mod config;
mod export;
mod guardrail;
mod manifest;
mod message;
mod places;
mod requests;
mod state;
mod verdict;

pub mod http;
pub mod log;
pub mod testing;

/// The bindings made from the WIT files as they are, without this crate's care for their rules.
///
/// A guardrail has no need of them. They are for tests that break the contract on purpose.
#[allow(
    missing_docs,
    reason = "the WIT files document what they name, but not the modules around it"
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit/0.1.0",
        world: "guardrail-component",
        pub_export_macro: true,
        export_macro_name: "export_guardrail",
        default_bindings_module: "mcp_gateway_sdk::bindings",
        runtime_path: "wit_bindgen::rt",
    });
}

pub use bindings::mcp_gateway::guardrail::journal::{Content, Form};
pub use bindings::mcp_gateway::guardrail::message::{EarlierFinding, Place, Role};
pub use bindings::mcp_gateway::guardrail::types::{
    Decision, Direction, Expectation, Finding, PatchOp, PatchValue, Scope, Span,
};
pub use by_place::{ByPlace, Here, Where, fits};
pub use guardrail::{Guardrail, NoConfig};
pub use manifest::{Example, Interest, Manifest};
pub use message::{Message, Text, Texts};
pub use places::Places;
pub use requests::{Requests, Treatment};
pub use state::{State, StateError};
pub use verdict::{Rule, Verdict, VerdictBuilder};

#[doc(hidden)]
pub mod __private {
    pub use crate::export::Slot;
}
