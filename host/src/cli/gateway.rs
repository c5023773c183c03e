//! The gateway itself: by a client's file or one of its own, or before a single server.

use std::path::PathBuf;

use clap::Args;

use super::UsageError;
use crate::config::{ConfigSource, Form, GuardrailArg, Server, ServerName, Transport};

#[derive(Debug, Clone, Args)]
pub(super) struct GatewayArgs {
    /// The client's mcp.json; the servers are those nested in the gateway's own entry
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub(super) mcp_json_path: Option<PathBuf>,
    /// The gateway's own configuration, which names servers and guardrails
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[command(flatten)]
    pub(super) guardrails: GuardrailArgs,
    /// Formerly `--plugin`, for guardrails; without a name, all of them
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "all", hide = true)]
    pub(super) enable_guardrails: Vec<String>,
    /// Formerly `--plugin`, for the record of all calls
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "all", hide = true)]
    pub(super) enable_tracing: Vec<String>,
    /// Start no server whose package has little reputation before you have let it
    #[arg(long)]
    pub(super) scan: bool,
    /// Write messages into this file as the guardrails leave them, for `replay` and
    /// `plugin diff`
    #[arg(long, value_name = "FILE")]
    pub(super) capture: Option<PathBuf>,
    /// Leave alone what guardrails keep for all sessions: a program of this project tries
    /// the gateway, and no client uses it
    #[arg(long, hide = true)]
    pub(super) trial: bool,
}

#[derive(Debug, Clone, Args)]
pub(super) struct GuardrailArgs {
    /// A guardrail to run, by name or as a path to a .wasm file; may be repeated
    #[arg(short = 'p', long = "plugin", value_name = "NAME")]
    pub(super) plugins: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub(super) struct WrapArgs {
    #[command(flatten)]
    guardrails: GuardrailArgs,
    /// What to call the server; by default after the program
    #[arg(long)]
    name: Option<String>,
    /// A variable of the gateway's environment that the server gets, too; may be
    /// repeated
    #[arg(long, value_name = "NAME")]
    env: Vec<String>,
    /// The program that starts the server, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl GatewayArgs {
    pub(super) fn source(self, bundled: &[&str]) -> Result<ConfigSource, UsageError> {
        let (scan, capture, trial) = (self.scan, self.capture.clone(), self.trial);
        let source = ConfigSource::new(self.form()?, bundled);
        Ok(source.scanning(scan).capturing(capture).trying(trial))
    }

    fn form(self) -> Result<Form, UsageError> {
        match (&self.mcp_json_path, &self.config) {
            (Some(file), _) => Ok(Form::McpJson {
                file: file.clone(),
                guardrails: self.guardrails(),
            }),
            (None, Some(file)) => match self.first_guardrail() {
                Some(argument) => Err(UsageError::GuardrailBesideFile(argument)),
                None => Ok(Form::GatewayToml(file.clone())),
            },
            (None, None) => Err(UsageError::NoConfig),
        }
    }

    /// In the order in which the Python gateway put them.
    fn guardrails(self) -> Vec<GuardrailArg> {
        let former = |all: GuardrailArg| {
            move |name: String| match name.as_str() {
                "all" => all.clone(),
                _ => GuardrailArg::Named(name),
            }
        };
        let audit = GuardrailArg::Named("audit".to_owned());
        let guardrails = self.enable_guardrails.into_iter();
        let tracing = self.enable_tracing.into_iter();
        self.guardrails
            .named()
            .chain(guardrails.map(former(GuardrailArg::AllBundled)))
            .chain(tracing.map(former(audit)))
            .collect()
    }

    fn first_guardrail(&self) -> Option<&'static str> {
        let given = [
            (!self.guardrails.plugins.is_empty(), "--plugin"),
            (!self.enable_guardrails.is_empty(), "--enable-guardrails"),
            (!self.enable_tracing.is_empty(), "--enable-tracing"),
        ];
        first(given)
    }

    pub(super) fn first_given(&self) -> Option<&'static str> {
        let given = [
            (self.mcp_json_path.is_some(), "--mcp-json-path"),
            (self.config.is_some(), "--config"),
            (self.scan, "--scan"),
            (self.capture.is_some(), "--capture"),
            (self.trial, "--trial"),
        ];
        first(given).or_else(|| self.first_guardrail())
    }
}

impl GuardrailArgs {
    fn named(self) -> impl Iterator<Item = GuardrailArg> {
        self.plugins.into_iter().map(GuardrailArg::Named)
    }
}

impl WrapArgs {
    pub(super) fn form(self) -> Result<Form, UsageError> {
        let mut words = self.command.into_iter();
        let command = words.next().unwrap_or_default();
        let name = self.name.unwrap_or_else(|| stem(&command));
        let name = match name.parse::<ServerName>() {
            Ok(parsed) => parsed,
            Err(cause) => return Err(UsageError::Name { name, cause }),
        };
        let env = self.env.into_iter();
        let env = env.filter_map(|name| Some((name.clone(), std::env::var(name).ok()?)));
        let mut server = Server::of_command(name, command, words.collect());
        if let Transport::Stdio(program) = &mut server.transport {
            program.env = env.collect();
        }
        Ok(Form::Wrap {
            server,
            guardrails: self.guardrails.named().collect(),
        })
    }
}

fn first<const N: usize>(given: [(bool, &'static str); N]) -> Option<&'static str> {
    given
        .into_iter()
        .find_map(|(given, argument)| given.then_some(argument))
}

/// The program's name without its folder and its ending.
fn stem(command: &str) -> String {
    std::path::Path::new(command)
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
