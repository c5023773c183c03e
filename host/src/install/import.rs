//! A configuration of the gateway's own, made of a client's file.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use super::{InstallError, config, environment, unusable};
use crate::clients::{CLIENTS, Client, Document, Os, Stays, Syntax, take};

/// What to make a configuration of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The client's file.
    pub file: PathBuf,
    /// Whose it is; found out if it is not said.
    pub client: Option<&'static Client>,
    /// The guardrails.
    pub guardrails: Vec<String>,
}

/// Writes a `gateway.toml` with the servers of a client's file on standard output;
/// which of them it can't have, and why, on standard error.
///
/// # Errors
/// When the file cannot be read, or is of no client that is known.
pub fn import(request: &Import) -> Result<ExitCode, InstallError> {
    let path = std::path::absolute(&request.file).map_err(unusable(&request.file))?;
    let text = std::fs::read_to_string(&path).map_err(unusable(&path))?;
    let client = match request.client {
        Some(client) => client,
        None => owner(&path, &text).ok_or_else(|| InstallError::Unknown(path.clone()))?,
    };
    let document = Document::read(client, &text).map_err(|cause| InstallError::Document {
        path: path.clone(),
        cause,
    })?;
    let mut config = config::Config::open(None, &path, &request.guardrails, client.title, false)?;
    let mut code = ExitCode::SUCCESS;
    for (name, (client, entry)) in servers(client, &document) {
        let added = take(client, &entry, true).and_then(|taken| config.add(&name, &taken.reached));
        match added {
            Ok(()) | Err(Stays::Ours | Stays::BuiltIn | Stays::Off) => {}
            Err(why) => {
                // If nobody reads it, the exit code remains.
                let _ = writeln!(std::io::stderr(), "mcp-gateway: {name} is left out: {why}");
                code = ExitCode::FAILURE;
            }
        }
    }
    let text = config.text()?;
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(unusable(Path::new("standard output")))?;
    Ok(code)
}

/// The servers of a file, each with the client in whose words it is written. Those that stand
/// in the gateway's own entry, where `--mcp-json-path` finds them, name variables as those of
/// Claude Code do.
fn servers(
    client: &'static Client,
    document: &Document,
) -> Vec<(String, (&'static Client, Value))> {
    let own = CLIENTS.iter().find(|it| it.name == "claude-code");
    let own = own.unwrap_or(client);
    let mut all = Vec::new();
    for (name, mut entry) in document.servers() {
        let Some(Value::Object(nested)) = entry.get_mut("servers").map(Value::take) else {
            all.push((name, (client, entry)));
            continue;
        };
        // If nobody reads it, the file says so, too.
        let _ = writeln!(
            std::io::stderr(),
            "mcp-gateway: the servers of {name} are taken over, its \"args\" and \"env\" are not; \
             -p names guardrails"
        );
        for (name, mut entry) in nested {
            // What the scanner of the Python gateway wrote there, unless it left the server out.
            if let Some(entry) = entry.as_object_mut()
                && entry.get("blocked").is_some_and(|mark| mark != "blocked")
            {
                entry.remove("blocked");
            }
            all.push((name, (own, entry)));
        }
    }
    all
}

/// Whose a file is: by its place, or else by what is in it.
fn owner(path: &Path, text: &str) -> Option<&'static Client> {
    let usual = |client: &&Client| {
        let files = client.files(Os::HERE, &environment);
        files.iter().any(|file| file == path)
    };
    if let Some(client) = CLIENTS.iter().find(usual) {
        return Some(client);
    }
    let syntax = match path.extension().and_then(|ending| ending.to_str()) {
        Some("toml") => Syntax::Toml,
        Some("yaml" | "yml") => Syntax::Yaml,
        _ => Syntax::Json,
    };
    let has_servers = |client: &&'static Client| {
        let document = Document::read(client, text);
        client.syntax == syntax && document.is_ok_and(|document| !document.servers().is_empty())
    };
    let fitting: Vec<&'static Client> = CLIENTS.iter().filter(has_servers).collect();
    // Many write `mcpServers`; they differ in how they name variables.
    let name = match text.contains("${env:") {
        true => "cursor",
        false => "claude-code",
    };
    let named = fitting.iter().find(|client| client.name == name);
    named.or(fitting.first()).copied()
}
