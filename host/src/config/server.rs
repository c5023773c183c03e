//! A server behind the gateway.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::{ServerName, Timeouts};

/// A server to start. Two that are equal need no restart on a reload.
#[derive(Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name, unique among the servers.
    pub name: ServerName,
    /// The program, looked up in `PATH` unless it is a path.
    pub command: String,
    /// What the program is started with.
    pub args: Vec<String>,
    /// Variables added to the environment that the gateway passes on.
    pub env: BTreeMap<String, String>,
    /// Where it runs; without it, where the gateway runs.
    pub cwd: Option<PathBuf>,
    /// How long it may take until it answers the first request.
    pub init_timeout: Duration,
    /// The era of MCP that it speaks.
    pub protocol: Protocol,
    /// How long an answer may take, in place of what the gateway says.
    pub timeout: Option<Duration>,
    /// How long the answers of its tools may take.
    pub tool_timeouts: Timeouts,
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

    /// A server as a command line starts it, everything else by default.
    pub fn of_command(name: ServerName, command: String, args: Vec<String>) -> Self {
        Self {
            name,
            command,
            args,
            env: BTreeMap::new(),
            cwd: None,
            init_timeout: Self::INIT_TIMEOUT,
            protocol: Protocol::default(),
            timeout: None,
            tool_timeouts: Timeouts::default(),
        }
    }
}

/// Arguments and variables carry secrets, so they are left out.
impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.name)
            .field("command", &self.command)
            .field("args", &format_args!("[{} hidden]", self.args.len()))
            .field("env", &self.env.keys())
            .field("cwd", &self.cwd)
            .field("init_timeout", &self.init_timeout)
            .field("protocol", &self.protocol)
            .field("timeout", &self.timeout)
            .field("tool_timeouts", &self.tool_timeouts)
            .finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show_in_debug_output() {
        let mut server = Server::of_command(
            "db".parse().unwrap(),
            "npx".into(),
            vec!["postgres://u:hunter2@h".into()],
        );
        server.env.insert("TOKEN".into(), "hunter2".into());
        let shown = format!("{server:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("TOKEN"), "{shown}");
    }
}
