//! `doctor`: what is wrong with a configuration and all that it names.

use clap::Args;

use super::{GatewayArgs, Output, Task, UsageError};
use crate::config::ConfigSource;

#[derive(Debug, Clone, Args)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    gateway: GatewayArgs,
    /// Answer in JSON, for scripts
    #[arg(long)]
    json: bool,
}

/// What to look after.
#[derive(Debug, Clone, PartialEq)]
pub struct Doctor {
    /// The configuration.
    pub source: ConfigSource,
    /// The arguments with which a client starts a gateway that has it.
    pub args: Vec<String>,
    /// For whom the answer is.
    pub output: Output,
}

impl DoctorArgs {
    pub(super) fn task(self, bundled: &[&str]) -> Result<Task, UsageError> {
        let mut args = Vec::new();
        let mut add = |name: &str, value: &str| args.push(format!("{name}={value}"));
        if let Some(file) = &self.gateway.mcp_json_path {
            add("--mcp-json-path", &file.to_string_lossy());
        }
        if let Some(file) = &self.gateway.config {
            add("--config", &file.to_string_lossy());
        }
        for (name, values) in [
            ("--plugin", &self.gateway.guardrails.plugins),
            ("--enable-guardrails", &self.gateway.enable_guardrails),
            ("--enable-tracing", &self.gateway.enable_tracing),
        ] {
            values.iter().for_each(|value| add(name, value));
        }
        if self.gateway.scan {
            args.push("--scan".to_owned());
        }
        let output = match self.json {
            true => Output::Json,
            false => Output::Text,
        };
        Ok(Task::Doctor(Doctor {
            source: self.gateway.source(bundled)?,
            args,
            output,
        }))
    }
}
