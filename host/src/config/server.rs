//! A server behind the gateway.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName};

use super::{ConfigError, ServerName, Timeouts};
use crate::keyring::Item;

/// A server to start or to connect to. Two that are equal need no restart on a
/// reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name, unique among the servers.
    pub name: ServerName,
    /// How it is reached.
    pub transport: Transport,
    /// The era of MCP that it speaks.
    pub protocol: Protocol,
    /// How long it may take until it answers the first request.
    pub init_timeout: Duration,
    /// How long an answer may take, in place of what the gateway says.
    pub timeout: Option<Duration>,
    /// How long the answers of its tools may take.
    pub tool_timeouts: Timeouts,
    /// What its entry refers to and cannot be had. While there is any, something else stands
    /// in its place, so the server must not be started.
    pub unresolved: Vec<ConfigError>,
    /// What it gets from the keyring when it is started: see [`Server::filled`].
    pub secrets: Vec<Item>,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// It is a program that the gateway starts, on its standard streams.
    Stdio(Program),
    /// It runs elsewhere, and is reached over HTTP.
    Http(Box<Remote>),
}

/// A program that the gateway starts.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Program {
    /// The program, looked up in `PATH` unless it is a path.
    pub command: String,
    /// What the program is started with.
    pub args: Vec<String>,
    /// Variables added to the environment that the gateway passes on.
    pub env: BTreeMap<String, String>,
    /// Where it runs; without it, where the gateway runs.
    pub cwd: Option<PathBuf>,
}

/// A server that is reached over HTTP.
#[derive(Clone, PartialEq, Eq)]
pub struct Remote {
    /// Its address, without user name and password.
    pub url: Url,
    /// Whether a secret is a part of the address, of which only the host is shown then.
    pub is_secret: bool,
    /// What is added to every request, credentials among it.
    pub headers: HeaderMap,
    /// Which of MCP's transports it speaks.
    pub flavor: Flavor,
    /// What its authorization server knows the gateway by.
    pub oauth: OAuth,
    /// The argument by which `mcp-gateway login` finds it, with its value as one
    /// pastes it into a shell.
    pub found_by: String,
}

/// What a person agreed on with an authorization server beforehand. Most need
/// nothing of it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct OAuth {
    /// The gateway's id there, where gateways cannot register themselves.
    pub client_id: Option<String>,
    /// The secret that goes with it.
    pub client_secret: Option<String>,
    /// What to ask for, in place of what the server names.
    pub scopes: Vec<String>,
}

/// Which of MCP's transports over HTTP a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavor {
    /// Streamable HTTP, or HTTP+SSE if it turns out not to know that.
    #[default]
    Auto,
    /// Streamable HTTP, of 2025-03-26 and later.
    StreamableHttp,
    /// HTTP+SSE, of 2024-11-05.
    Sse,
}

/// The era of MCP that a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocol {
    /// It shows in how the server answers.
    #[default]
    Auto,
    /// Revisions up to 2025-11-25, which `initialize` opens.
    Legacy,
    /// From 2026-07-28 on.
    Modern,
}

impl Server {
    /// A minute: `npx` and `uvx` download a package on the first start.
    pub const INIT_TIMEOUT: Duration = Duration::from_secs(60);

    /// A server that is reached so, everything else by default.
    pub fn new(name: ServerName, transport: Transport) -> Self {
        Self {
            name,
            transport,
            protocol: Protocol::default(),
            init_timeout: Self::INIT_TIMEOUT,
            timeout: None,
            tool_timeouts: Timeouts::default(),
            unresolved: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// Why it must not be started, in words that can follow its name.
    pub fn unresolved(&self) -> Option<String> {
        if self.unresolved.is_empty() {
            return None;
        }
        let causes = self.unresolved.iter().map(ConfigError::to_string);
        let causes: Vec<String> = causes.collect();
        Some(format!(
            "its configuration cannot be filled in: {}",
            causes.join("; ")
        ))
    }

    /// The words for why something that its entry refers to cannot stand there.
    pub fn unfilled(why: &str) -> String {
        format!("its configuration cannot be filled in: {why}")
    }

    /// A server as a command line starts it, everything else by default.
    pub fn of_command(name: ServerName, command: String, args: Vec<String>) -> Self {
        let program = Program {
            command,
            args,
            ..Program::default()
        };
        Self::new(name, Transport::Stdio(program))
    }
}

impl Remote {
    /// Whether the configuration says what to log in with.
    pub fn has_credentials(&self) -> bool {
        self.headers.contains_key(AUTHORIZATION)
    }

    /// Whether it is on this machine.
    pub fn is_local(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let address = address.parse::<IpAddr>();
        host == "localhost"
            || host.ends_with(".localhost")
            || address.is_ok_and(|address| address.is_loopback())
    }

    /// The address as it may be shown: a query may hold a key.
    pub fn shown(&self) -> String {
        self.as_shown(&self.url)
    }

    /// Another address of this server, as it may be shown.
    pub fn as_shown(&self, url: &Url) -> String {
        let origin = url.origin().ascii_serialization();
        match self.is_secret {
            true => origin + "/…",
            false => origin + url.path(),
        }
    }
}

/// Arguments and variables carry secrets, so they are left out.
impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Program")
            .field("command", &self.command)
            .field("args", &format_args!("[{} hidden]", self.args.len()))
            .field("env", &self.env.keys())
            .field("cwd", &self.cwd)
            .finish()
    }
}

/// So do the address's query and the headers' values.
impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the keys' own iterator, which shows the values as well.
        let headers: Vec<_> = self.headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("Remote")
            .field("url", &self.shown())
            .field("headers", &headers)
            .field("flavor", &self.flavor)
            .field("oauth", &self.oauth)
            .finish()
    }
}

/// The secret is left out.
impl fmt::Debug for OAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuth")
            .field("client_id", &self.client_id)
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let program = Program {
            command: "npx".into(),
            args: vec!["postgres://u:hunter2@h".into()],
            env: [("TOKEN".into(), "hunter2".into())].into(),
            cwd: None,
        };
        let shown = format!("{program:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("TOKEN"), "{shown}");

        let mut remote = Remote {
            url: "https://host/mcp?key=hunter2".parse().unwrap(),
            is_secret: false,
            headers: HeaderMap::new(),
            flavor: Flavor::Auto,
            oauth: OAuth::default(),
            found_by: String::new(),
        };
        let hidden = Remote {
            url: "https://host/hunter2/mcp".parse().unwrap(),
            is_secret: true,
            ..remote.clone()
        };
        assert_eq!(hidden.shown(), "https://host/…");
        let header = "Bearer hunter2".parse().unwrap();
        remote.headers.insert(AUTHORIZATION, header);
        let server = Server::new("web".parse().unwrap(), Transport::Http(remote.into()));
        let shown = format!("{server:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("authorization"), "{shown}");
        assert!(shown.contains("https://host/mcp"), "{shown}");
    }
}
