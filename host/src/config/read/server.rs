//! A server's entry, in either file.

use std::collections::BTreeMap;
use std::path::{Path, is_separator};
use std::time::Duration;

use super::remote::{self, Reached};
use super::timeouts;
use crate::config::bundled::absolute;
use crate::config::error::Problem;
use crate::config::field::Field;
use crate::config::section::Section;
use crate::config::tree::Value;
use crate::config::{Program, Protocol, Server, ServerName, Transport};

/// Which file an entry stands in. They differ in what else it may hold, and in
/// what a relative path is relative to: the file's folder for the gateway's
/// own, and for the client's, as clients have it, where the gateway runs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Dialect<'a> {
    /// The gateway's own, in this folder.
    GatewayToml(&'a Path),
    /// The client's.
    McpJson,
}

/// The servers of a file.
#[derive(Debug, Default)]
pub(super) struct Servers {
    /// Those to start.
    pub(super) started: Vec<Server>,
    /// All, also those that are switched off.
    pub(super) declared: Vec<ServerName>,
}

/// Keys that clients write for themselves and that change nothing here.
const OF_CLIENTS: [&str; 9] = [
    "oauth",
    "timeout",
    "autoApprove",
    "alwaysAllow",
    "trust",
    "description",
    "name",
    "icon",
    "gallery",
];

/// Keys of clients that hide tools. Here they don't, which one should know.
const HIDING: [&str; 4] = [
    "disabledTools",
    "enabledTools",
    "excludeTools",
    "includeTools",
];

const PROTOCOLS: [(&str, Protocol); 3] = [
    ("auto", Protocol::Auto),
    ("legacy", Protocol::Legacy),
    ("modern", Protocol::Modern),
];

/// The servers of a table of servers.
pub(super) fn servers(section: Section<'_>, dialect: Dialect<'_>) -> Servers {
    let mut servers = Servers::default();
    for (key, field) in section.into_fields() {
        let label = match dialect {
            Dialect::GatewayToml(_) => format!("[servers.{key}]"),
            Dialect::McpJson => format!("server \"{key}\""),
        };
        let name: ServerName = match key.parse() {
            Ok(name) => name,
            Err(cause) => {
                field.error(Problem::Name { what: label, cause });
                continue;
            }
        };
        servers.declared.push(name.clone());
        let server = field
            .labelled(&label)
            .and_then(|section| server(name, section, dialect));
        servers.started.extend(server);
    }
    servers
}

fn server(name: ServerName, mut section: Section<'_>, dialect: Dialect<'_>) -> Option<Server> {
    // What is switched off need not be right: it may be off because it isn't.
    if is_off(&mut section, dialect) {
        return None;
    }
    let reached = remote::reached(&mut section, dialect)?;
    let reading = section.reading();
    let (transport, apart) = reading.apart(|| match reached {
        Reached::Started => program(&mut section, dialect).map(Transport::Stdio),
        Reached::At(address) => remote::remote(&mut section, dialect, address)
            .map(|remote| Transport::Http(Box::new(remote))),
    });
    let protocol = section
        .take("protocol")
        .and_then(|field| field.choice(&PROTOCOLS));
    let init_timeout = section
        .take("init_timeout")
        .and_then(|field| field.duration(Duration::from_millis(100)..=Duration::from_secs(3600)));
    let timeout = timeout(&mut section, dialect);
    let tool_timeouts = timeouts::by_tool(section.subsection("tool_timeouts"));
    if matches!(dialect, Dialect::McpJson) {
        take_keys_of_clients(&mut section);
    }
    section.finish();
    let server = Server::new(name, transport?);
    Some(Server {
        protocol: protocol.unwrap_or_default(),
        init_timeout: init_timeout.unwrap_or(Server::INIT_TIMEOUT),
        timeout,
        tool_timeouts,
        unresolved: apart.unresolved,
        secrets: apart.secrets,
        ..server
    })
}

/// A server that the gateway starts.
fn program(section: &mut Section<'_>, dialect: Dialect<'_>) -> Option<Program> {
    let command = command(section, dialect);
    let args = args(section);
    let env = env(section);
    let cwd = section
        .take("cwd")
        .and_then(Field::path)
        .map(|cwd| match dialect {
            Dialect::GatewayToml(folder) => absolute(folder, &cwd),
            Dialect::McpJson => cwd.into(),
        });
    Some(Program {
        command: command?,
        args,
        env,
        cwd,
    })
}

fn command(section: &mut Section<'_>, dialect: Dialect<'_>) -> Option<String> {
    let remedy = "write the program that starts the server, or a \"url\" if it runs elsewhere";
    let field = section.require("command", remedy)?;
    let (blame, what) = (field.blame(), field.what());
    let command = field.path()?;
    if command.trim().is_empty() {
        return blame.for_value(Problem::Empty { what, remedy });
    }
    match dialect {
        // What is only a word is looked up in PATH, not in the folder.
        Dialect::GatewayToml(folder) if command.contains(is_separator) => {
            let path = absolute(folder, &command).into_os_string();
            Some(path.into_string().unwrap_or(command))
        }
        _ => Some(command),
    }
}

fn args(section: &mut Section<'_>) -> Vec<String> {
    let items = section.take("args").and_then(Field::items);
    let items = items.unwrap_or_default();
    if items.iter().any(Field::refers_to_secret) {
        section.warn(
            "has a secret among its \"args\", which everybody on this machine can see in the list \
             of processes; hand it over in \"env\", if the server takes it there",
        );
    }
    items.into_iter().filter_map(Field::expanded).collect()
}

fn env(section: &mut Section<'_>) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for (variable, field) in section.subsection("env").into_fields() {
        if variable.is_empty() || variable.contains(['=', '\0']) {
            let what = field.what();
            field.error(Problem::VariableName { what });
        }
        env.extend(field.expanded().map(|value| (variable, value)));
    }
    env
}

/// In a client's file it is the client's, in a unit that differs from one client
/// to the next.
fn timeout(section: &mut Section<'_>, dialect: Dialect<'_>) -> Option<Duration> {
    match dialect {
        Dialect::GatewayToml(_) => section.take("timeout")?.duration(timeouts::RANGE),
        Dialect::McpJson => None,
    }
}

fn is_off(section: &mut Section<'_>, dialect: Dialect<'_>) -> bool {
    let enabled = section.take("enabled").and_then(Field::boolean);
    if let Dialect::GatewayToml(_) = dialect {
        return enabled == Some(false);
    }
    let disabled = section.take("disabled").and_then(Field::boolean);
    let states = [("blocked", true), ("passed", false), ("skipped", false)];
    let blocked = section
        .take("blocked")
        .and_then(|field| field.choice(&states));
    if blocked == Some(true) {
        section.warn(
            "is left out, because the scanner of the Python gateway marked it as \"blocked\"; \
             if you trust it, remove that key",
        );
    }
    enabled == Some(false) || disabled == Some(true) || blocked == Some(true)
}

fn take_keys_of_clients(section: &mut Section<'_>) {
    for key in OF_CLIENTS {
        section.accept(key);
    }
    for key in HIDING {
        if matches!(section.accept(key), Some(Value::List(tools)) if !tools.is_empty()) {
            let warning =
                format!("has \"{key}\", which has no effect here: all its tools are offered");
            section.warn(&warning);
        }
    }
}
