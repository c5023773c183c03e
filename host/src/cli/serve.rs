//! `serve`: the gateway over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{GatewayArgs, Task, UsageError};
use crate::config::parse_duration;
use crate::front::http::{Options, TokenSource};

#[derive(Debug, Clone, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    gateway: GatewayArgs,
    /// Where to listen; the system chooses the port if it is 0
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8808", value_parser = place)]
    listen: SocketAddr,
    /// The file that holds the bearer token which clients must have; by default
    /// what MCP_GATEWAY_TOKEN holds, if anything
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A name by which clients may call the gateway besides localhost; may be
    /// repeated
    #[arg(long, value_name = "HOST")]
    allow_host: Vec<String>,
    /// A web page that may use the gateway besides those of localhost, such as
    /// https://app.example; may be repeated
    #[arg(long, value_name = "ORIGIN")]
    allow_origin: Vec<String>,
    /// The most sessions at a time
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    max_sessions: usize,
    /// How long a session may be unused before it ends
    #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = duration)]
    session_idle: Duration,
}

impl ServeArgs {
    pub(super) fn task(self, bundled: &[&str]) -> Result<Task, UsageError> {
        Ok(Task::Serve {
            source: self.gateway.source(bundled)?,
            options: Options {
                listen: self.listen,
                hosts: self.allow_host,
                origins: self.allow_origin,
                max_sessions: self.max_sessions,
                idle: self.session_idle,
                token: match self.token_file {
                    Some(file) => TokenSource::File(file),
                    None => TokenSource::Environment,
                },
            },
        })
    }
}

/// Where to listen. Of names only one is sure to be this machine.
fn place(text: &str) -> Result<SocketAddr, &'static str> {
    let address = match text.strip_prefix("localhost:") {
        Some(port) => port
            .parse()
            .ok()
            .map(|port: u16| ([127, 0, 0, 1], port).into()),
        None => text.parse().ok(),
    };
    address.ok_or("not an address and a port, such as 127.0.0.1:8808 or [::1]:8808")
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    parse_duration(text)
        .filter(|duration| !duration.is_zero())
        .ok_or("not a duration such as 90s, 30m or 2h")
}
