//! The client's own `mcp.json`, in which the gateway is one entry.

use super::root;
use super::server::{Dialect, servers};
use crate::config::Server;
use crate::config::error::Problem;
use crate::config::field::Field;
use crate::config::report::Reading;
use crate::config::tree::Value;

/// The servers that are nested in the gateway's own entry. Everything around
/// them belongs to the client and is not looked at.
pub(in crate::config) fn mcp_json(reading: Reading<'_>, text: &str) -> Vec<Server> {
    let Some(mut root) = root(reading, text) else {
        return Vec::new();
    };
    let at = root.at();
    let entries = root.take("mcpServers").and_then(Field::section);
    let mut entries: Vec<_> = entries
        .map(|section| section.into_fields())
        .unwrap_or_default()
        .into_iter()
        .filter(|(_, field)| holds_servers(&field.value))
        .collect();
    match (entries.pop(), entries.as_slice()) {
        (None, _) => reading.error(at, Problem::NoEntry),
        (Some((_, field)), []) => return of_entry(field),
        (Some((last, _)), others) => {
            let others = others.iter().map(|(name, _)| name.clone());
            let names = others.chain([last]).collect();
            reading.error(at, Problem::SeveralEntries(names));
        }
    }
    Vec::new()
}

fn of_entry(field: Field<'_>) -> Vec<Server> {
    let section = field.section();
    let nested = section.and_then(|mut section| section.take("servers"));
    nested
        .and_then(Field::section)
        .map(|section| servers(section, Dialect::McpJson).started)
        .unwrap_or_default()
}

fn holds_servers(value: &Value) -> bool {
    let Value::Table(entries) = value else {
        return false;
    };
    let mut entries = entries.iter();
    entries.any(|entry| entry.key == "servers" && matches!(entry.node.value, Value::Table(_)))
}
