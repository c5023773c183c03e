//! The servers, started by a gateway as a client has it.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::finding;
use super::report::{Report, SeenServer};
use crate::cli::Doctor;
use crate::client::Client;
use crate::config::{Config, Naming, Server, Transport};
use crate::status::status_of;
use crate::upstream;

/// Lines of a server's standard error that are shown.
const LAST_WORDS: usize = 5;

/// How long after the slowest server is given up.
const GRACE: Duration = Duration::from_secs(5);

pub(super) async fn look(request: &Doctor, config: &Config, report: &mut Report) {
    if config.servers.is_empty() {
        return;
    }
    let mut client = match Client::start(&request.args).await {
        Ok(client) => client,
        Err(error) => {
            report.findings.push(finding::gateway(format!("{error:#}")));
            return;
        }
    };
    let mut seen: Vec<Seen> = config.servers.iter().map(Seen::new).collect();
    let longest = config
        .servers
        .iter()
        .map(|server| server.init_timeout)
        .max();
    let deadline = Instant::now() + longest.unwrap_or_default() + GRACE;
    while seen.iter().any(Seen::is_open) {
        match timeout_at(deadline, client.event()).await {
            Ok(Some(event)) => note(&mut seen, &event),
            Ok(None) | Err(_) => break,
        }
    }
    match client.tools().await {
        Ok(tools) => count(&mut seen, config, &tools),
        Err(error) => report.findings.push(finding::gateway(format!("{error:#}"))),
    }
    if let Some(process) = client.process() {
        let status = status_of(process).await.unwrap_or_default();
        let servers = status
            .pointer("/sessions/0/servers")
            .and_then(Value::as_array);
        for told in servers.into_iter().flatten() {
            let name = told.get("name").and_then(Value::as_str).unwrap_or_default();
            let version = told.get("version").and_then(Value::as_str);
            let seen = seen.iter_mut().find(|seen| seen.server.name == name);
            if let Some(seen) = seen {
                seen.server.version = version.map(str::to_owned);
            }
        }
    }
    // It has told all that it can tell.
    let _ = client.end().await;
    for seen in seen {
        let name = seen.server.name.clone();
        match &seen.down {
            Some(reason) => {
                let finding = finding::server(&name, &seen.command, reason);
                report.findings.push(finding);
            }
            None if seen.server.milliseconds.is_none() => {
                let finding = finding::server(&name, &seen.command, "it has not said what it is");
                report.findings.push(finding);
            }
            None if seen.server.tools == Some(0) => report.findings.push(finding::no_tools(&name)),
            None => {}
        }
        report.servers.push(seen.server);
    }
}

/// A server that is watched.
struct Seen {
    server: SeenServer,
    command: String,
    down: Option<String>,
}

impl Seen {
    fn new(server: &Server) -> Self {
        let (at, command) = match &server.transport {
            Transport::Stdio(program) => {
                let found = upstream::program(program).ok();
                let found = found.map(|path| path.display().to_string());
                (
                    found.unwrap_or_else(|| program.command.clone()),
                    program.command.clone(),
                )
            }
            Transport::Http(remote) => (remote.shown(), String::new()),
        };
        Self {
            server: SeenServer {
                name: server.name.to_string(),
                at,
                ..SeenServer::default()
            },
            command,
            down: None,
        }
    }

    fn is_open(&self) -> bool {
        self.down.is_none() && self.server.milliseconds.is_none()
    }
}

/// What a line of the gateway's log tells.
fn note(seen: &mut [Seen], event: &Value) {
    let text = |key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default();
    let name = text("server");
    let Some(seen) = seen.iter_mut().find(|seen| seen.server.name == name) else {
        return;
    };
    let message = text("message");
    if text("target") == "server" {
        let words = &mut seen.server.last_words;
        if words.len() == LAST_WORDS {
            words.remove(0);
        }
        words.push(message.to_owned());
    } else if message == "server is ready" {
        seen.server.milliseconds = event.get("milliseconds").and_then(Value::as_u64);
        seen.server.era = Some(text("era").to_owned());
    } else if let Some(reason) = message.strip_prefix("server is down: ") {
        let reason = reason
            .rsplit_once("; starting it again in ")
            .map_or(reason, |(it, _)| it);
        seen.down.get_or_insert_with(|| reason.to_owned());
    }
}

/// Whose the tools are: their names tell.
fn count(seen: &mut [Seen], config: &Config, tools: &[String]) {
    match (config.gateway.naming, &mut *seen) {
        (Naming::Bare, [only]) => only.server.tools = Some(tools.len()),
        (Naming::Bare, _) => {}
        (Naming::Prefixed, _) => count_by_prefix(seen, tools),
    }
}

fn count_by_prefix(seen: &mut [Seen], tools: &[String]) {
    let ready = seen
        .iter_mut()
        .filter(|seen| seen.server.milliseconds.is_some());
    ready.for_each(|seen| seen.server.tools = Some(0));
    for tool in tools {
        let of = seen.iter_mut().filter(|seen| {
            let rest = tool.strip_prefix(&plain(&seen.server.name));
            rest.is_some_and(|rest| rest.starts_with('_'))
        });
        if let Some(seen) = of.max_by_key(|seen| seen.server.name.len()) {
            seen.server.tools = seen.server.tools.map(|tools| tools + 1);
        }
    }
}

/// A name as it begins those of tools.
fn plain(name: &str) -> String {
    let letter = |c: char| {
        if c.is_ascii_alphanumeric() || "_-".contains(c) {
            c
        } else {
            '_'
        }
    };
    name.chars().map(letter).collect()
}
