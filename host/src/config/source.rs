//! Where a configuration comes from, and how it is read, now and again.

use std::io;
use std::path::{Path, PathBuf};

use super::bundled::Bundled;
use super::error::{ConfigErrors, Place, Problem};
use super::expand::Env;
use super::home::expand_home;
use super::report::{Reading, Report, Wanted};
use super::tree::Syntax;
use super::{Config, Gateway, Journal, Naming, Server, Transport, read, service};

/// Where a configuration comes from. It can be read as often as the file
/// changes.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfigSource {
    form: Form,
    bundled: Bundled,
    /// Whether servers are looked at before they are started, whatever the file says.
    scan: bool,
    secrets: Wanted,
    /// Where messages are written down, whatever the file says.
    capture: Option<PathBuf>,
    /// Whether what guardrails keep for all sessions ends with this gateway.
    is_trial: bool,
}

/// The ways to tell the gateway what to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// The gateway's own file, which holds everything.
    GatewayToml(PathBuf),
    /// The client's file for the servers, the command line for the guardrails.
    McpJson {
        /// The file that the client was configured with.
        file: PathBuf,
        /// The guardrails, in their order.
        guardrails: Vec<GuardrailArg>,
    },
    /// A command line for everything.
    Wrap {
        /// The one server.
        server: Server,
        /// The guardrails, in their order.
        guardrails: Vec<GuardrailArg>,
    },
}

/// A guardrail as the command line asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardrailArg {
    /// A name, an alias, or the path of a component.
    Named(String),
    /// All that are part of the build.
    AllBundled,
}

impl ConfigSource {
    /// A source, for a build with these bundled guardrails.
    pub fn new(form: Form, bundled: &[&str]) -> Self {
        Self {
            form,
            bundled: Bundled::of(bundled),
            scan: false,
            secrets: Wanted::default(),
            capture: None,
            is_trial: false,
        }
    }

    /// The same, for a gateway that is only tried: what guardrails keep for all sessions
    /// ends with it, and nothing is there that others kept.
    #[must_use]
    pub fn trying(self, is_trial: bool) -> Self {
        Self { is_trial, ..self }
    }

    /// Whether that is so.
    pub fn is_trial(&self) -> bool {
        self.is_trial
    }

    /// The same, with messages written into this file, if there is one.
    #[must_use]
    pub fn capturing(self, capture: Option<PathBuf>) -> Self {
        Self { capture, ..self }
    }

    /// The same, with servers looked at before they are started.
    #[must_use]
    pub fn scanning(self, scan: bool) -> Self {
        Self { scan, ..self }
    }

    /// The same, where nothing will run with secrets that are not there.
    #[must_use]
    pub fn assuming_secrets(self) -> Self {
        Self {
            secrets: Wanted::Assumed,
            ..self
        }
    }

    /// Reads the configuration. All errors are reported at once.
    pub fn load(&self) -> Result<Config, ConfigErrors> {
        self.load_with(&|name| std::env::var(name).ok())
    }

    /// Reads the configuration with another environment than the process has.
    pub fn load_with(&self, env: Env<'_>) -> Result<Config, ConfigErrors> {
        let report = Report::default();
        let mut config = match &self.form {
            Form::GatewayToml(file) => self.gateway_toml(file, &report, env),
            Form::McpJson { file, guardrails } => Config {
                guardrails: read::chosen(guardrails, &self.bundled, &report, env),
                ..self.mcp_json(file, &report, env)
            },
            Form::Wrap { server, guardrails } => Config {
                // With one server there is nothing to tell apart.
                gateway: Gateway {
                    naming: Naming::Bare,
                    ..Gateway::default()
                },
                servers: vec![server.clone()],
                guardrails: read::chosen(guardrails, &self.bundled, &report, env),
                ..Config::default()
            },
        };
        (config.warnings, config.secrets) = report.finish().map_err(ConfigErrors)?;
        config.gateway.scan |= self.scan;
        if let Some(file) = &self.capture {
            let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            config.swap.capture = Some(file);
        }
        warn_of_nothing(&mut config);
        config.warnings.extend(service::order(&config.guardrails));
        Ok(config)
    }

    fn gateway_toml(&self, file: &Path, report: &Report, env: Env<'_>) -> Config {
        let Some(opened) = open(file, report, env) else {
            return Config::default();
        };
        let mut config = read::gateway_toml(
            opened.reading(Syntax::Toml, report, env, self.secrets),
            &opened.text,
            opened.folder(),
            &self.bundled,
        );
        name_source(&mut config.servers, "--config", &opened.path);
        config.source = Some(opened.path);
        config
    }

    fn mcp_json(&self, file: &Path, report: &Report, env: Env<'_>) -> Config {
        let Some(opened) = open(file, report, env) else {
            return Config::default();
        };
        let reading = opened.reading(Syntax::Json, report, env, self.secrets);
        let mut servers = read::mcp_json(reading, &opened.text);
        name_source(&mut servers, "--mcp-json-path", &opened.path);
        Config {
            servers,
            source: Some(opened.path),
            ..Config::default()
        }
    }
}

/// What a `gateway.toml` says in `[journal]`. The rest of it may be for another environment,
/// so it is not looked at.
///
/// # Errors
/// All that is wrong with the section, or why the file cannot be read.
pub fn journal_of(file: &Path) -> Result<Journal, ConfigErrors> {
    let report = Report::default();
    let env = |name: &str| std::env::var(name).ok();
    let journal = open(file, &report, &env).map(|opened| {
        let reading = opened.reading(Syntax::Toml, &report, &env, Wanted::Needed);
        read::journal_only(reading, &opened.text, opened.folder())
    });
    report.finish().map_err(ConfigErrors)?;
    Ok(journal.unwrap_or_default())
}

/// Notes how the command line finds servers that a person can log in to.
fn name_source(servers: &mut [Server], argument: &str, file: &Path) {
    let file = file.to_string_lossy();
    for server in servers {
        if let Transport::Http(remote) = &mut server.transport {
            remote.found_by = format!("{argument} {}", shell_word(&file));
        }
    }
}

/// A word as a person can paste it into a shell.
pub fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    match word.chars().all(is_plain) && !word.is_empty() {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// A file that could be read.
struct Opened {
    named: PathBuf,
    path: PathBuf,
    text: String,
}

impl Opened {
    /// The folder that paths in it are relative to.
    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    fn reading<'a>(
        &'a self,
        syntax: Syntax,
        report: &'a Report,
        env: Env<'a>,
        secrets: Wanted,
    ) -> Reading<'a> {
        Reading {
            report,
            file: &self.named,
            syntax,
            env,
            folder: self.folder(),
            secrets,
        }
    }
}

fn open(file: &Path, report: &Report, env: Env<'_>) -> Option<Opened> {
    let named = match file.to_str().map(|text| (text, expand_home(text, env))) {
        None => file.to_owned(),
        Some((_, Some(path))) => PathBuf::from(path),
        Some((text, None)) => {
            let what = format!("\"{text}\"");
            report.error(Place::CommandLine, Problem::NoHome { what });
            return None;
        }
    };
    match read_text(&named) {
        Ok((path, text)) => Some(Opened { named, path, text }),
        Err(error) => {
            // A relative path that isn't found is usually relative to another
            // folder than the person thought.
            let place = Place::File(std::path::absolute(&named).unwrap_or(named));
            report.error(place, Problem::Unreadable(error.to_string()));
            None
        }
    }
}

fn read_text(file: &Path) -> io::Result<(PathBuf, String)> {
    let path = std::path::absolute(file)?;
    let text = std::fs::read_to_string(&path)?;
    let text = text
        .strip_prefix('\u{feff}')
        .map(str::to_owned)
        .unwrap_or(text);
    Ok((path, text))
}

/// An empty chain or an empty catalog is allowed, but seldom meant.
fn warn_of_nothing(config: &mut Config) {
    if config.servers.is_empty() {
        config.warnings.push("no servers to start".to_owned());
    }
    if config.guardrails.is_empty() {
        let warning = "no guardrails are configured; every message passes unchecked";
        config.warnings.push(warning.to_owned());
    }
}
