//! What a component is, read from its bytes before any of it runs: the
//! contract that it speaks, and what it imports, which is all it can ever do.

use sha2::{Digest, Sha256};
use wasmparser::{KnownCustom, Parser, Payload, ProducersSectionReader, Validator, WasmFeatures};
use wasmtime::Engine;

use super::printable;
use crate::capability::contract::{GUARDRAIL, PACKAGE, VERSIONS};
use crate::config::{Capability, Grants};
use crate::sandbox::is_inert_wasi;

/// A component's outward shape.
#[derive(Debug, Clone)]
pub struct Anatomy {
    /// `sha256:` and the digest of the file.
    pub digest: String,
    /// The file's size in bytes.
    pub size: usize,
    /// The version of the contract that it exports, such as `0.1.0`.
    pub contract: String,
    /// Every interface that it imports.
    pub imports: Vec<Import>,
    /// Every interface that it exports, by name.
    pub exports: Vec<String>,
    /// What made it, as far as it says so: languages and tools.
    pub producers: Vec<Producer>,
}

/// Something that had a part in making a component. Nobody vouches for it but the
/// component itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Producer {
    /// Its part: `language`, `processed-by`, `sdk`.
    pub part: String,
    /// Its name, such as `Rust`.
    pub name: String,
    /// Its version; may be empty.
    pub version: String,
}

/// One imported interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// As the component names it, such as `wasi:cli/stderr@0.2.6`.
    pub name: String,
    /// What it enables the component to do.
    pub class: ImportClass,
}

/// What an import enables a component to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportClass {
    /// Part of the contract and granted to every guardrail.
    Granted,
    /// Part of the contract, and for the configuration to grant.
    Grantable(Capability),
    /// Part of the WASI base, and without effect: no files, no environment, no
    /// network.
    Inert,
    /// Never granted: the component is refused.
    Refused,
}

/// Why a component is no guardrail for this gateway.
#[derive(Debug, thiserror::Error)]
pub enum AnatomyError {
    /// Native code, which would run outside the sandbox.
    #[error("it is precompiled; give the .wasm that it was made from")]
    Precompiled,
    /// A WebAssembly module.
    #[error(
        "it is a core WebAssembly module, not a component; build it for wasm32-wasip2 or run `wasm-tools component new`"
    )]
    CoreModule,
    /// Something else, or part of a file.
    #[error("it is not a complete WebAssembly component: {0}")]
    Malformed(String),
    /// A component for something else.
    #[error("it does not export {GUARDRAIL}, so it is not a guardrail")]
    NotAGuardrail,
    /// Made for another gateway.
    #[error(
        "it speaks version {0} of the guardrail contract; this gateway knows {known}",
        known = VERSIONS.join(", ")
    )]
    UnknownContract(String),
    /// It wants what cannot be granted.
    #[error("it imports {}, which no guardrail is granted", .0.join(" and "))]
    NotGrantable(Vec<String>),
    /// It wants what nobody granted.
    #[error(
        "it imports {}, which it is not granted; to allow that, write `grant = {{ {} }}` into its entry \
         of gateway.toml",
        joined(.0, Capability::name, " and "),
        joined(.0, Capability::grant, ", ")
    )]
    NotGranted(Vec<Capability>),
}

impl Anatomy {
    /// Reads a component's shape.
    pub fn of(bytes: &[u8]) -> Result<Self, AnatomyError> {
        if Engine::detect_precompiled(bytes).is_some() {
            return Err(AnatomyError::Precompiled);
        }
        // The preamble tells a module from a component by its layer field.
        if bytes.starts_with(b"\0asm\x01\0\0\0") {
            return Err(AnatomyError::CoreModule);
        }
        let malformed = |error: wasmparser::BinaryReaderError| {
            AnatomyError::Malformed(error.message().to_owned())
        };
        // To the end, so that a file cut short is found here.
        Validator::new_with_features(WasmFeatures::default())
            .validate_all(bytes)
            .map_err(malformed)?;

        let mut imports = Vec::new();
        let mut exports = Vec::new();
        let mut producers = Vec::new();
        let mut contract = None;
        // A component's own sections stand at depth 0; those of the components
        // and modules in it are nested.
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(malformed)? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    for import in section {
                        let name = import.map_err(malformed)?.name.name.to_owned();
                        let class = classify(&name);
                        imports.push(Import { name, class });
                    }
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    for export in section {
                        let name = export.map_err(malformed)?.name.name;
                        let version = name
                            .strip_prefix(GUARDRAIL)
                            .and_then(|rest| rest.strip_prefix('@'));
                        contract = contract.or(version.map(str::to_owned));
                        exports.push(name.to_owned());
                    }
                }
                // Of all modules in it.
                Payload::CustomSection(section) => {
                    if let KnownCustom::Producers(fields) = section.as_known() {
                        add_producers(&mut producers, fields);
                    }
                }
                _ => {}
            }
        }
        let contract = contract.ok_or(AnatomyError::NotAGuardrail)?;
        if !VERSIONS.contains(&contract.as_str()) {
            return Err(AnatomyError::UnknownContract(contract));
        }
        Ok(Self {
            digest: digest(bytes),
            size: bytes.len(),
            contract,
            imports,
            exports,
            producers,
        })
    }

    /// Passes only a component that imports nothing but what is granted to it.
    pub fn require_grants(&self, grants: Grants) -> Result<(), AnatomyError> {
        let refused: Vec<String> = self
            .imports
            .iter()
            .filter(|import| import.class == ImportClass::Refused)
            .map(|import| import.name.clone())
            .collect();
        if !refused.is_empty() {
            return Err(AnatomyError::NotGrantable(refused));
        }
        let missing: Vec<Capability> = self
            .uses()
            .iter()
            .filter(|capability| !grants.include(*capability))
            .collect();
        if !missing.is_empty() {
            return Err(AnatomyError::NotGranted(missing));
        }
        Ok(())
    }

    /// What it uses of all that can be granted.
    pub fn uses(&self) -> Grants {
        let uses = |capability| {
            let mut imports = self.imports.iter();
            imports.any(|import| import.class == ImportClass::Grantable(capability))
        };
        Grants {
            state: uses(Capability::State),
            keys: uses(Capability::Keys),
            http: uses(Capability::Http),
            journal: uses(Capability::Journal),
        }
    }
}

/// `sha256:` and the digest of some bytes, as container images and lock files
/// write it.
pub fn digest(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// What a section says that is there for people only: what cannot be read is left out.
fn add_producers(producers: &mut Vec<Producer>, fields: ProducersSectionReader<'_>) {
    for field in fields.into_iter().filter_map(Result::ok) {
        for value in field.values.into_iter().filter_map(Result::ok) {
            let producer = Producer {
                part: printable(field.name),
                name: printable(value.name),
                version: printable(value.version),
            };
            if !producers.contains(&producer) {
                producers.push(producer);
            }
        }
    }
}

fn joined(
    capabilities: &[Capability],
    name: fn(Capability) -> &'static str,
    between: &str,
) -> String {
    let names = capabilities.iter().map(|capability| name(*capability));
    names.collect::<Vec<_>>().join(between)
}

fn classify(import: &str) -> ImportClass {
    let contract = import
        .strip_prefix(PACKAGE)
        .and_then(|rest| rest.split_once('@'));
    match contract {
        Some(("types" | "message" | "log", _)) => ImportClass::Granted,
        Some(("state", _)) => ImportClass::Grantable(Capability::State),
        Some(("keys", _)) => ImportClass::Grantable(Capability::Keys),
        Some(("journal", _)) => ImportClass::Grantable(Capability::Journal),
        Some(_) => ImportClass::Refused,
        None if is_inert_wasi(import) => ImportClass::Inert,
        None if is_wasi_http(import) => ImportClass::Grantable(Capability::Http),
        None => ImportClass::Refused,
    }
}

/// Whether an import is what sends requests over HTTP.
fn is_wasi_http(import: &str) -> bool {
    import
        .strip_prefix("wasi:http/")
        .and_then(|rest| rest.split_once('@'))
        .is_some_and(|(interface, version)| {
            matches!(interface, "outgoing-handler" | "types") && version.starts_with("0.2.")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_told_apart_by_what_they_enable() {
        for (import, class) in [
            ("mcp-gateway:guardrail/log@0.1.0", ImportClass::Granted),
            ("mcp-gateway:guardrail/message@0.1.0", ImportClass::Granted),
            (
                "mcp-gateway:guardrail/state@0.1.0",
                ImportClass::Grantable(Capability::State),
            ),
            (
                "mcp-gateway:guardrail/keys@0.1.0",
                ImportClass::Grantable(Capability::Keys),
            ),
            (
                "mcp-gateway:guardrail/journal@0.1.0",
                ImportClass::Grantable(Capability::Journal),
            ),
            ("mcp-gateway:guardrail/clock@0.1.0", ImportClass::Refused),
            ("wasi:cli/stderr@0.2.6", ImportClass::Inert),
            ("wasi:filesystem/types@0.2.9", ImportClass::Inert),
            ("wasi:clocks/wall-clock@0.2.12", ImportClass::Inert),
            ("wasi:cli/stderr@0.3.0", ImportClass::Refused),
            ("wasi:climate/stderr@0.2.0", ImportClass::Refused),
            (
                "wasi:http/outgoing-handler@0.2.4",
                ImportClass::Grantable(Capability::Http),
            ),
            (
                "wasi:http/types@0.2.10",
                ImportClass::Grantable(Capability::Http),
            ),
            ("wasi:http/incoming-handler@0.2.4", ImportClass::Refused),
            ("wasi:http/types@0.3.0", ImportClass::Refused),
            ("wasi:sockets/tcp@0.2.6", ImportClass::Refused),
            ("env", ImportClass::Refused),
        ] {
            assert_eq!(classify(import), class, "{import}");
        }
    }
}
