//! The contract in `wit/`, as Rust: one module a version. A component is bound
//! to the version that it exports.

/// Version 0.1.x.
#[allow(
    missing_docs,
    reason = "generated from wit/0.1.0, where every item is documented"
)]
pub(crate) mod v0_1 {
    wasmtime::component::bindgen!({
        path: "../wit/0.1.0",
        world: "guardrail-component",
        // What is kept in a file may be another gateway's for a moment.
        imports: { "mcp-gateway:guardrail/state": async | trappable, default: trappable },
        exports: { default: async },
        with: { "mcp-gateway:guardrail/message.message": crate::capability::message::MessageView },
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

/// The interface that every guardrail exports, without its version.
pub(crate) const GUARDRAIL: &str = "mcp-gateway:guardrail/guardrail";

/// The package whose interfaces every guardrail may import.
pub(crate) const PACKAGE: &str = "mcp-gateway:guardrail/";

/// The version of the contract that this gateway loads, newest last.
pub(crate) const VERSIONS: &[&str] = &["0.1.0"];
