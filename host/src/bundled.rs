//! The guardrails that are inside the binary.

/// A component inside the binary.
#[derive(Debug, Clone, Copy)]
pub struct Bundled {
    /// The name under which it is used.
    pub name: &'static str,
    /// The component.
    pub bytes: &'static [u8],
}

/// What `use` and `-p` can name.
pub const GUARDRAILS: &[Bundled] = &[
    Bundled {
        name: "audit",
        bytes: include_bytes!(concat!(env!("OUT_DIR"), "/audit.wasm")),
    },
    Bundled {
        name: "basic",
        bytes: include_bytes!(concat!(env!("OUT_DIR"), "/basic.wasm")),
    },
    Bundled {
        name: "lasso",
        bytes: include_bytes!(concat!(env!("OUT_DIR"), "/lasso.wasm")),
    },
    Bundled {
        name: "pii",
        bytes: include_bytes!(concat!(env!("OUT_DIR"), "/pii.wasm")),
    },
    Bundled {
        name: "injection",
        bytes: include_bytes!(concat!(env!("OUT_DIR"), "/injection.wasm")),
    },
    Bundled {
        name: "trifecta",
        bytes: include_bytes!(concat!(env!("OUT_DIR"), "/trifecta.wasm")),
    },
];

/// The two examples between which the demo swaps.
pub(crate) const CODENAME: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/codename.wasm"));
pub(crate) const EMAIL: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/email.wasm"));

/// The names of the bundled guardrails.
pub fn names() -> Vec<&'static str> {
    GUARDRAILS.iter().map(|bundled| bundled.name).collect()
}

/// The component of a bundled guardrail.
pub fn component(name: &str) -> Option<&'static [u8]> {
    let mut bundled = GUARDRAILS.iter();
    Some(bundled.find(|bundled| bundled.name == name)?.bytes)
}
