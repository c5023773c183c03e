//! Whole files, and what becomes of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod gateway_toml;
mod grants;
mod mcp_json;
mod others;
mod reference;
mod remote;
#[cfg(unix)]
mod secrets;
mod services;

use std::path::Path;

use super::*;

const BUNDLED: [&str; 2] = ["basic", "audit"];

fn env(name: &str) -> Option<String> {
    match name {
        "HOME" => Some("/home/ann".to_owned()),
        "TOKEN" => Some("hunter2".to_owned()),
        _ => None,
    }
}

/// Reads a file with this content. In what comes back the file's folder is
/// written as `/etc/gateway`, and left out of messages.
fn load(form: impl FnOnce(PathBuf) -> Form, text: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config");
    std::fs::write(&file, text).unwrap();
    let loaded = ConfigSource::new(form(file), &BUNDLED).load_with(&env);
    let here = |text: String| text.replace(&format!("{}/", folder.path().display()), "");
    let moved = |path: &Path| match path.strip_prefix(folder.path()) {
        Ok(rest) => Path::new("/etc/gateway").join(rest),
        Err(_) => path.to_owned(),
    };
    let mut config = loaded.map_err(|errors| here(errors.to_string()))?;
    config.source = config.source.map(|path| moved(&path));
    config.warnings = config.warnings.into_iter().map(here).collect();
    for server in &mut config.servers {
        if let Transport::Stdio(program) = &mut server.transport {
            program.cwd = program.cwd.as_deref().map(moved);
            program.command = moved(Path::new(&program.command)).display().to_string();
        }
    }
    for guardrail in &mut config.guardrails {
        if let Source::File(path) = &mut guardrail.component {
            *path = moved(path);
        }
    }
    Ok(config)
}

/// A server that the gateway starts.
fn started(name: &str, program: Program) -> Server {
    Server::new(name.parse().unwrap(), Transport::Stdio(program))
}

fn names(config: &Config) -> Vec<&str> {
    config
        .servers
        .iter()
        .map(|server| server.name.as_str())
        .collect()
}
