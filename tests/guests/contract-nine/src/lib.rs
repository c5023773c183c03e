#![doc = include_str!("../README.md")]

/// What the WIT file declares.
#[allow(
    missing_docs,
    reason = "nobody reads a contract that is there to be refused"
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "guardrail-component",
        pub_export_macro: true,
        export_macro_name: "export_guardrail",
        default_bindings_module: "guest_contract_nine::bindings",
    });
}
