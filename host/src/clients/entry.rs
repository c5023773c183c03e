//! What stands in a client's file for a server, and whether the gateway can take
//! its place.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Client, Shape};

/// How a server is reached, in the words of `gateway.toml`.
#[derive(Debug, Clone, PartialEq)]
pub enum Reached {
    /// The gateway starts it.
    Program {
        /// What to start.
        command: String,
        /// The arguments.
        args: Vec<String>,
        /// Its variables.
        env: Vec<(String, String)>,
        /// Where it runs.
        cwd: Option<String>,
    },
    /// It runs elsewhere.
    Remote {
        /// Its address.
        url: String,
        /// What is sent with each request.
        headers: Vec<(String, String)>,
        /// The transport, if the client names it.
        transport: Option<&'static str>,
    },
}

/// A server that the gateway can take.
#[derive(Debug, Clone, PartialEq)]
pub struct Taken {
    /// How it is reached.
    pub reached: Reached,
    /// The variables of the client's environment that this uses.
    pub variables: BTreeSet<String>,
    /// What the client was told about it that ends with its entry.
    pub lost: Vec<&'static str>,
}

/// A server whose entry becomes one that starts it behind the gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrapped {
    /// The program and its arguments, as the client has them.
    pub command: Vec<String>,
    /// The variables that are meant for it.
    pub variables: BTreeSet<String>,
}

/// Why a server stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stays {
    /// Nobody uses it.
    #[error("it is switched off")]
    Off,
    /// It is part of the client.
    #[error("it is built into the client")]
    BuiltIn,
    /// The gateway is already there.
    #[error("it is the gateway's")]
    Ours,
    /// Only the client knows a value.
    #[error("it uses {0}, which only the client can fill in")]
    Variable(String),
    /// The client does something for it that the gateway does not.
    #[error("its \"{0}\" is for the client to act upon, and the gateway does not")]
    Key(String),
    /// More tools would be there than before.
    #[error(
        "its \"{0}\" hides tools, which the gateway does not do; with --wrap it stays in force"
    )]
    HidesTools(String),
    /// The client may have logged in.
    #[error(
        "it is reached over HTTP without credentials in the file, so the client may have logged \
         in itself; --logins moves it, too, and `mcp-gateway login` logs in"
    )]
    Login,
    /// A command that only a file's folder gives a meaning to.
    #[error("its command is a relative path; write the whole path")]
    Relative,
    /// There is no command to put the gateway before.
    #[error("it is reached over HTTP; without --wrap it can be moved")]
    Remote,
    /// A form that is not known.
    #[error("its entry has another form than is known: {0}")]
    Form(String),
    /// The gateway would not take it.
    #[error("the gateway would refuse it: {0}")]
    Refused(String),
    /// There is one of that name.
    #[error("the gateway's file has a server of that name already")]
    NameTaken,
}

/// Keys that say how a server is reached, or nothing that matters here.
const KNOWN: &[&str] = &[
    "type",
    "transport",
    "command",
    "cmd",
    "args",
    "env",
    "envs",
    "environment",
    "cwd",
    "url",
    "uri",
    "serverUrl",
    "httpUrl",
    "headers",
    "http_headers",
    "env_http_headers",
    "bearer_token_env_var",
    "env_vars",
    "env_keys",
    "enabled",
    "disabled",
    "name",
    "description",
    "display_name",
    "icon",
    "iconPath",
    "gallery",
    "version",
    "source",
    "bundled",
    "timeout",
    "startup_timeout_sec",
    "startup_timeout_ms",
    "tool_timeout_sec",
    "required",
];

/// Keys that are for the person's ease: without them the client asks once more.
const EASE: &[&str] = &["autoApprove", "alwaysAllow", "trust"];

/// Keys that hide tools of a server.
const HIDING: &[&str] = &[
    "disabledTools",
    "enabledTools",
    "excludeTools",
    "includeTools",
    "enabled_tools",
    "disabled_tools",
    "available_tools",
];

/// The server of an entry, if the gateway can take it. `logins` says whether to
/// take one that the client may have logged in to.
pub fn take(client: &Client, entry: &Value, logins: bool) -> Result<Taken, Stays> {
    let entry = usable(client, entry)?;
    let mut lost = Vec::new();
    for (key, value) in entry {
        if let Some(key) = EASE.iter().find(|ease| *ease == key) {
            lost.push(*key);
        } else if HIDING.contains(&key.as_str()) {
            if !is_empty(value) {
                return Err(Stays::HidesTools(key.clone()));
            }
        } else if !KNOWN.contains(&key.as_str()) && !is_empty(value) {
            return Err(Stays::Key(key.clone()));
        }
    }
    if entry.get("env_keys").is_some_and(|keys| !is_empty(keys)) {
        return Err(Stays::Key("env_keys".to_owned()));
    }
    let mut reading = Reading {
        client,
        entry,
        variables: BTreeSet::new(),
    };
    let reached = match reading.address()? {
        Some(url) => reading.remote(url, logins)?,
        None => reading.program()?,
    };
    Ok(Taken {
        reached,
        variables: reading.variables,
        lost,
    })
}

/// The command of an entry, if the gateway can be written before it.
pub fn wrap(client: &Client, entry: &Value) -> Result<Wrapped, Stays> {
    let entry = usable(client, entry)?;
    if entry.get("envFile").is_some_and(|file| !is_empty(file)) {
        return Err(Stays::Key("envFile".to_owned()));
    }
    if ["url", "uri", "serverUrl", "httpUrl"]
        .iter()
        .any(|key| entry.contains_key(*key))
    {
        return Err(Stays::Remote);
    }
    let command = words(entry, client.shape)?;
    let mut variables: BTreeSet<String> = ["env", "envs", "environment"]
        .iter()
        .filter_map(|key| entry.get(*key)?.as_object())
        .flat_map(Map::keys)
        .cloned()
        .collect();
    for key in ["env_vars", "env_keys"] {
        variables.extend(texts(entry, key)?);
    }
    Ok(Wrapped { command, variables })
}

/// Whether an entry starts the gateway.
pub fn is_gateway(entry: &Value) -> bool {
    let command = ["command", "cmd"].iter().find_map(|key| entry.get(*key));
    let program = match command {
        Some(Value::Array(words)) => words.first().and_then(Value::as_str),
        Some(command) => command.as_str(),
        None => None,
    };
    let name = program.and_then(|program| program.rsplit(['/', '\\']).next());
    matches!(name, Some("mcp-gateway" | "mcp-gateway.exe"))
}

fn usable<'a>(client: &Client, entry: &'a Value) -> Result<&'a Map<String, Value>, Stays> {
    if is_gateway(entry) {
        return Err(Stays::Ours);
    }
    let object = entry
        .as_object()
        .ok_or_else(|| Stays::Form("no object".to_owned()))?;
    if client.shape == Shape::Goose {
        match object.get("type").and_then(Value::as_str) {
            Some("stdio" | "sse" | "streamable_http") => {}
            _ => return Err(Stays::BuiltIn),
        }
    }
    let is = |key: &str, state: bool| object.get(key) == Some(&Value::Bool(state));
    if is("disabled", true) || is("enabled", false) {
        return Err(Stays::Off);
    }
    Ok(object)
}

/// The program and its arguments.
fn words(entry: &Map<String, Value>, shape: Shape) -> Result<Vec<String>, Stays> {
    let key = match shape {
        Shape::Goose => "cmd",
        _ => "command",
    };
    let words = match entry.get(key) {
        Some(Value::String(command)) if shape != Shape::OpenCode => {
            let args = texts(entry, "args")?;
            std::iter::once(command.clone()).chain(args).collect()
        }
        Some(Value::Array(_)) if shape == Shape::OpenCode => texts(entry, key)?,
        _ => return Err(Stays::Form(format!("no \"{key}\""))),
    };
    match words.first() {
        Some(command) if !command.trim().is_empty() => Ok(words),
        _ => Err(Stays::Form(format!("an empty \"{key}\""))),
    }
}

/// The texts in a list.
fn texts(entry: &Map<String, Value>, key: &str) -> Result<Vec<String>, Stays> {
    let form = || Stays::Form(format!("\"{key}\" is no list of strings"));
    match entry.get(key) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| scalar(item).ok_or_else(form))
            .collect(),
        Some(_) => Err(form()),
    }
}

/// YAML takes `8080` for a number, where a client takes a text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(state) => Some(state.to_string()),
        _ => None,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        Value::String(text) => text.is_empty(),
        Value::Bool(state) => !state,
        Value::Number(_) => false,
    }
}

/// An entry that is being translated.
struct Reading<'a> {
    client: &'a Client,
    entry: &'a Map<String, Value>,
    variables: BTreeSet<String>,
}

impl Reading<'_> {
    fn text(&mut self, text: &str) -> Result<String, Stays> {
        self.client.variables.translate(text, &mut self.variables)
    }

    fn address(&mut self) -> Result<Option<String>, Stays> {
        let keys = ["url", "uri", "serverUrl", "httpUrl"];
        let mut urls = keys.iter().filter_map(|key| self.entry.get(*key)?.as_str());
        match (urls.next(), urls.next()) {
            (None, _) => Ok(None),
            (Some(url), None) if !self.entry.contains_key("command") => self.text(url).map(Some),
            _ => Err(Stays::Form("several ways to reach it".to_owned())),
        }
    }

    fn program(&mut self) -> Result<Reached, Stays> {
        let mut words = words(self.entry, self.client.shape)?.into_iter();
        let command = self.text(&words.next().unwrap_or_default())?;
        if command.contains(['/', '\\']) && is_relative(&command) {
            return Err(Stays::Relative);
        }
        let args = words
            .map(|word| self.text(&word))
            .collect::<Result<_, _>>()?;
        let mut env = Vec::new();
        for key in ["env", "envs", "environment"] {
            env.extend(self.pairs(key)?);
        }
        for name in texts(self.entry, "env_vars")? {
            env.push((name.clone(), self.variable(name)));
        }
        let cwd = self.entry.get("cwd").and_then(Value::as_str);
        let cwd = cwd.map(|cwd| self.text(cwd)).transpose()?;
        if cwd.as_deref().is_some_and(is_relative) {
            return Err(Stays::Relative);
        }
        Ok(Reached::Program {
            command,
            args,
            env,
            cwd,
        })
    }

    fn remote(&mut self, url: String, logins: bool) -> Result<Reached, Stays> {
        let mut headers = self.pairs("headers")?;
        headers.extend(self.pairs("http_headers")?);
        for (header, variable) in self.pairs("env_http_headers")? {
            let value = self.variable(variable);
            headers.push((header, value));
        }
        if let Some(name) = self
            .entry
            .get("bearer_token_env_var")
            .and_then(Value::as_str)
        {
            let value = self.variable(name.to_owned());
            headers.push(("Authorization".to_owned(), format!("Bearer {value}")));
        }
        if headers.is_empty() && !url.contains('?') && !is_here(&url) && !logins {
            return Err(Stays::Login);
        }
        let named = ["type", "transport"]
            .iter()
            .find_map(|key| self.entry.get(*key)?.as_str());
        let transport = match named {
            Some("sse") => Some("sse"),
            Some("streamableHttp" | "streamable-http" | "streamable_http") => {
                Some("streamable-http")
            }
            Some("stdio" | "ws") => return Err(Stays::Form("its transport".to_owned())),
            _ => None,
        };
        Ok(Reached::Remote {
            url,
            headers,
            transport,
        })
    }

    /// A variable of the environment that the client names only.
    fn variable(&mut self, name: String) -> String {
        let value = format!("${{{name}}}");
        self.variables.insert(name);
        value
    }

    fn pairs(&mut self, key: &str) -> Result<Vec<(String, String)>, Stays> {
        let form = || Stays::Form(format!("\"{key}\" is no table of strings"));
        let pairs = match self.entry.get(key) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Object(pairs)) => pairs,
            Some(_) => return Err(form()),
        };
        pairs
            .iter()
            .map(|(name, value)| {
                let value = scalar(value).ok_or_else(form)?;
                Ok((name.clone(), self.text(&value)?))
            })
            .collect()
    }
}

/// Whether a path means something else in another folder. Windows' absolute paths
/// are absolute wherever this runs: the file may come from there.
fn is_relative(path: &str) -> bool {
    let drive = path
        .get(1..3)
        .is_some_and(|rest| rest == ":\\" || rest == ":/");
    !(path.starts_with(['/', '\\', '~', '$']) || drive)
}

fn is_here(url: &str) -> bool {
    ["http://localhost", "http://127.0.0.1", "http://[::1]"]
        .iter()
        .any(|here| url.starts_with(here))
}

#[cfg(test)]
mod tests;
