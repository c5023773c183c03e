//! `login` and `logout`: a person's account at a server over HTTP.

use clap::Args;

use super::{GatewayArgs, Task, UsageError};
use crate::oauth::Login;

#[derive(Debug, Clone, Args)]
pub(super) struct LoginArgs {
    /// The server, by its name in the configuration
    server: String,
    #[command(flatten)]
    gateway: GatewayArgs,
    /// What to ask for besides what the server names; may be repeated
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Only print the page's address
    #[arg(long)]
    no_browser: bool,
    /// The port of this machine that the browser comes back to; any if it is 0
    #[arg(long, default_value_t = 0)]
    port: u16,
}

#[derive(Debug, Clone, Args)]
pub(super) struct LogoutArgs {
    /// The server, by its name in the configuration
    server: String,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl LoginArgs {
    pub(super) fn task(self, bundled: &[&str]) -> Result<Task, UsageError> {
        Ok(Task::Login(Login {
            source: self.gateway.source(bundled)?,
            server: self.server,
            browser: !self.no_browser,
            port: self.port,
            scopes: self
                .scope
                .iter()
                .flat_map(|scopes| scopes.split_whitespace())
                .map(str::to_owned)
                .collect(),
        }))
    }
}

impl LogoutArgs {
    pub(super) fn task(self, bundled: &[&str]) -> Result<Task, UsageError> {
        Ok(Task::Logout {
            source: self.gateway.source(bundled)?,
            server: self.server,
        })
    }
}
