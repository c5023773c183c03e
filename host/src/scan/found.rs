//! The servers in clients' files, and in the gateway's own.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::bundled;
use crate::cli::Look;
use crate::clients::{CLIENTS, Client, Document, Os, Reached, Stays, Syntax, take};
use crate::config::{ConfigSource, Form, Server, Transport};
use crate::message::quote;

/// A server in a file.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Whose the file is.
    pub(super) client: &'static str,
    /// The file.
    pub(super) file: PathBuf,
    /// The server.
    pub(super) server: Server,
    /// Its entry as it is written.
    pub(super) raw: Value,
    /// Its table in a `gateway.toml`.
    pub(super) text: String,
}

/// A server that cannot be looked at, or a file, and why.
#[derive(Debug, Clone)]
pub(super) struct Skipped {
    pub(super) file: PathBuf,
    pub(super) name: Option<String>,
    pub(super) why: String,
}

/// How deep gateways are looked for behind gateways.
const DEEPEST: usize = 3;

/// What was found so far.
#[derive(Default)]
struct Search {
    found: Vec<Found>,
    skipped: Vec<Skipped>,
    files: HashSet<PathBuf>,
}

/// The servers that were asked for.
pub(super) fn servers(look: &Look) -> anyhow::Result<(Vec<Found>, Vec<Skipped>)> {
    let mut search = Search::default();
    match &look.file {
        Some(file) => {
            let path = std::path::absolute(file)?;
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let before = search.found.len() + search.skipped.len();
            search.file(look.clients.first().copied(), &path, &text);
            if search.found.len() + search.skipped.len() == before {
                bail!(
                    "{} holds no servers in a form that is known",
                    path.display()
                );
            }
        }
        None => {
            let clients = CLIENTS.iter();
            let wanted = |client: &Client| {
                look.clients.is_empty() || look.clients.iter().any(|it| it.name == client.name)
            };
            for client in clients.filter(|client| wanted(client)) {
                for path in client.files(Os::HERE, &|name| std::env::var(name).ok()) {
                    if let Ok(text) = std::fs::read_to_string(&path) {
                        search.client(client, &path, &text, DEEPEST);
                    }
                }
            }
        }
    }
    Ok((search.found, search.skipped))
}

impl Search {
    /// A file that was named: a client's, or the gateway's own.
    fn file(&mut self, client: Option<&'static Client>, path: &Path, text: &str) {
        let ending = path.extension().and_then(|ending| ending.to_str());
        if client.is_none()
            && ending == Some("toml")
            && toml::from_str::<Value>(text).is_ok_and(|it| it.get("servers").is_some())
        {
            return self.gateway(Form::GatewayToml(path.to_owned()), path, text);
        }
        let syntax = match ending {
            Some("toml") => Syntax::Toml,
            Some("yaml" | "yml") => Syntax::Yaml,
            _ => Syntax::Json,
        };
        let has_servers = |client: &&'static Client| {
            let document = Document::read(client, text);
            client.syntax == syntax && document.is_ok_and(|it| !it.servers().is_empty())
        };
        if let Some(owner) = client.or_else(|| CLIENTS.iter().find(has_servers)) {
            let before = self.found.len();
            self.client(owner, path, text, DEEPEST);
            if client.is_none() {
                // Many write the same, so whose it is has been guessed.
                let found = self.found.iter_mut().skip(before);
                found.for_each(|found| found.client = "file");
            }
        }
    }

    fn client(&mut self, client: &'static Client, path: &Path, text: &str, depth: usize) {
        let document = match Document::read(client, text) {
            Ok(document) => document,
            Err(error) => return self.skip(path, None, error.to_string()),
        };
        for (name, entry) in document.servers() {
            match take(client, &entry, true) {
                Ok(taken) => self.add(client.title, path, &name, &taken.reached, entry),
                Err(Stays::Ours) if depth > 0 => self.behind(path, &name, &entry, text),
                Err(Stays::Off | Stays::BuiltIn | Stays::Ours) => {}
                Err(why) => self.skip(path, Some(name), why.to_string()),
            }
        }
    }

    /// The servers behind a gateway that is there already.
    fn behind(&mut self, path: &Path, name: &str, entry: &Value, text: &str) {
        let words = entry.get("args").and_then(Value::as_array);
        let words: Vec<&str> = words
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let option = |name: &str| {
            words
                .iter()
                .enumerate()
                .find_map(|(index, word)| match word.strip_prefix(name)? {
                    "" => words.get(index + 1).copied(),
                    rest => rest.strip_prefix('='),
                })
        };
        let home = |file: &str| match file.strip_prefix("~/").zip(std::env::home_dir()) {
            Some((rest, home)) => home.join(rest),
            None => PathBuf::from(file),
        };
        if let Some(file) = option("--config").map(home) {
            match std::fs::read_to_string(&file) {
                Ok(text) => self.gateway(Form::GatewayToml(file.clone()), &file, &text),
                Err(error) => self.skip(&file, Some(name.to_owned()), error.to_string()),
            }
        } else if let Some(file) = option("--mcp-json-path").map(home) {
            let form = Form::McpJson {
                file: file.clone(),
                guardrails: Vec::new(),
            };
            let text = std::fs::read_to_string(&file).unwrap_or_else(|_| text.to_owned());
            self.gateway(form, &file, &text);
        } else if let Some(at) = words.iter().position(|word| *word == "--")
            && let Some((command, args)) = words.get(at + 1..).and_then(<[_]>::split_first)
        {
            let env = entry.get("env").and_then(Value::as_object);
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let env = env.into_iter().flatten();
            let reached = Reached::Program {
                command: (*command).to_owned(),
                args: args.iter().map(|&word| word.to_owned()).collect(),
                env: env
                    .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
                    .collect(),
                cwd: None,
            };
            self.add("mcp-gateway", path, name, &reached, entry.clone());
        }
    }

    /// The servers of a configuration of the gateway's own.
    fn gateway(&mut self, form: Form, path: &Path, text: &str) {
        if !self.files.insert(path.to_owned()) {
            return;
        }
        let raw: Value = match form {
            Form::GatewayToml(_) => toml::from_str(text).unwrap_or_default(),
            _ => serde_json::from_str(text).unwrap_or_default(),
        };
        let nested = raw.get("mcpServers").and_then(Value::as_object);
        let nested = nested.and_then(|entries| entries.values().find_map(|it| it.get("servers")));
        let raw = raw.get("servers").or(nested).cloned().unwrap_or_default();
        let source = ConfigSource::new(form, &bundled::names()).assuming_secrets();
        match source.load_with(&set) {
            Ok(config) => {
                for server in config.servers {
                    if let Some(why) = server.unresolved() {
                        self.skip(path, Some(server.name.to_string()), why);
                        continue;
                    }
                    let raw = raw.get(server.name.as_str()).cloned().unwrap_or_default();
                    let text = table(server.name.as_str(), &reached(&server));
                    self.found.push(Found {
                        client: "mcp-gateway",
                        file: path.to_owned(),
                        server,
                        raw,
                        text,
                    });
                }
            }
            Err(errors) => self.skip(path, None, errors.to_string()),
        }
    }

    fn add(
        &mut self,
        client: &'static str,
        path: &Path,
        name: &str,
        reached: &Reached,
        raw: Value,
    ) {
        let text = table(name, reached);
        match load(&text) {
            Ok(server) => self.found.push(Found {
                client,
                file: path.to_owned(),
                server,
                raw,
                text,
            }),
            Err(why) => self.skip(path, Some(name.to_owned()), why),
        }
    }

    fn skip(&mut self, path: &Path, name: Option<String>, why: String) {
        self.skipped.push(Skipped {
            file: path.to_owned(),
            name,
            why,
        });
    }
}

/// A variable of the environment; one that is not set counts as empty, since nothing
/// is started with it.
fn set(name: &str) -> Option<String> {
    Some(std::env::var(name).unwrap_or_else(|_| "unset".to_owned()))
}

/// The server in a table, as the gateway would have it.
fn load(text: &str) -> Result<Server, String> {
    let file = tempfile::NamedTempFile::new().and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        Ok(file)
    });
    let file = file.map_err(|error| error.to_string())?;
    let source = ConfigSource::new(Form::GatewayToml(file.path().to_owned()), &[]);
    let config = source.load_with(&set).map_err(|errors| {
        let errors = errors.0.iter().map(|error| error.problem.to_string());
        errors.collect::<Vec<_>>().join("; ")
    })?;
    let server = config.servers.into_iter().next();
    server.ok_or_else(|| "it is switched off".to_owned())
}

/// How a server is reached, with nothing left to be filled in.
fn reached(server: &Server) -> Reached {
    let literal = |text: &str| text.replace("${", "$${");
    match &server.transport {
        Transport::Stdio(program) => Reached::Program {
            command: literal(&program.command),
            args: program.args.iter().map(|arg| literal(arg)).collect(),
            env: program
                .env
                .iter()
                .map(|(name, it)| (name.clone(), literal(it)))
                .collect(),
            cwd: program
                .cwd
                .as_ref()
                .map(|cwd| literal(&cwd.to_string_lossy())),
        },
        Transport::Http(remote) => Reached::Remote {
            url: literal(remote.url.as_str()),
            headers: remote
                .headers
                .iter()
                .filter_map(|(name, value)| Some((name.to_string(), literal(value.to_str().ok()?))))
                .collect(),
            transport: None,
        },
    }
}

/// A server's table in a `gateway.toml`. A JSON string is a TOML string, too.
fn table(name: &str, reached: &Reached) -> String {
    let pairs = |pairs: &[(String, String)]| {
        let pairs = pairs
            .iter()
            .map(|(name, value)| format!("{} = {}", quote(name), quote(value)));
        format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
    };
    let mut text = format!("[servers.{}]\n", quote(name));
    match reached {
        Reached::Program {
            command,
            args,
            env,
            cwd,
        } => {
            let args: Vec<_> = args.iter().map(|arg| quote(arg)).collect();
            text.push_str(&format!(
                "command = {}\nargs = [{}]\n",
                quote(command),
                args.join(", ")
            ));
            if !env.is_empty() {
                text.push_str(&format!("env = {}\n", pairs(env)));
            }
            if let Some(cwd) = cwd {
                text.push_str(&format!("cwd = {}\n", quote(cwd)));
            }
        }
        Reached::Remote {
            url,
            headers,
            transport,
        } => {
            text.push_str(&format!("url = {}\n", quote(url)));
            if !headers.is_empty() {
                text.push_str(&format!("headers = {}\n", pairs(headers)));
            }
            if let Some(transport) = transport {
                text.push_str(&format!("transport = {}\n", quote(transport)));
            }
        }
    }
    text
}
