//! What the keys mean, and which there are.

mod chosen;
mod gateway;
mod grant;
mod guardrail;
mod journal;
mod mcp_json;
mod methods;
mod remote;
mod server;
mod swap;
mod timeouts;

use std::path::Path;

pub(super) use chosen::chosen;
pub(super) use mcp_json::mcp_json;

use super::bundled::Bundled;
use super::error::Problem;
use super::field::Field;
use super::report::{Label, Reading};
use super::section::Section;
use super::tree::parse;
use super::{Config, Journal};

/// What a `gateway.toml` says. Paths in it are relative to its folder.
pub(super) fn gateway_toml(
    reading: Reading<'_>,
    text: &str,
    folder: &Path,
    bundled: &Bundled,
) -> Config {
    let mut config = Config::default();
    let Some(mut root) = root(reading, text) else {
        return config;
    };
    if let Some(section) = root
        .take("gateway")
        .and_then(|field| field.labelled("[gateway]"))
    {
        config.gateway = gateway::gateway(section);
    }
    if let Some(section) = root
        .take("journal")
        .and_then(|field| field.labelled("[journal]"))
    {
        config.journal = journal::journal(section, folder);
    }
    let mut swap = root.take("swap").and_then(|field| field.labelled("[swap]"));
    let proof = swap.as_mut().and_then(|it| swap::proof(it, "default"));
    let servers = root.take("servers").and_then(Field::section);
    let servers =
        servers.map(|section| server::servers(section, server::Dialect::GatewayToml(folder)));
    let servers = servers.unwrap_or_default();
    if let Some(list) = root.take("guardrails").and_then(Field::items) {
        let surroundings = guardrail::Surroundings {
            folder,
            bundled,
            servers: &servers.declared,
            proof: proof.unwrap_or_default(),
        };
        config.guardrails = guardrail::guardrails(list, &surroundings);
    }
    if let Some(section) = swap {
        config.swap = swap::swap(section, folder, &config.guardrails);
    }
    config.servers = servers.started;
    root.finish();
    config
}

/// What a `gateway.toml` says in `[journal]`, whatever else it says.
pub(super) fn journal_only(reading: Reading<'_>, text: &str, folder: &Path) -> Journal {
    let section = root(reading, text).and_then(|mut root| root.take("journal"));
    let section = section.and_then(|field| field.labelled("[journal]"));
    section.map_or_else(Journal::default, |section| {
        journal::journal(section, folder)
    })
}

/// The whole file as a section, or its faults of syntax.
fn root<'a>(reading: Reading<'a>, text: &str) -> Option<Section<'a>> {
    match parse(text, reading.syntax) {
        Ok(node) => {
            let field = Field {
                reading,
                label: Label::of("the file"),
                at: node.at,
                value: node.value,
            };
            field.section()
        }
        Err(faults) => {
            for fault in faults {
                let problem = Problem::Syntax {
                    syntax: reading.syntax.name(),
                    message: fault.message,
                };
                reading.error(fault.at, problem);
            }
            None
        }
    }
}
