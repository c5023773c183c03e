//! The command line: as typed ([`Cli`]), and as used ([`Task`]).
//!
//! Without a sub-command the gateway runs on stdio, since that is what clients
//! start. The arguments of the Python gateway keep their meaning, shortened
//! ones included; what this version can't do is refused, not ignored.

mod account;
mod approve;
mod audit;
mod authoring;
mod doctor;
mod gateway;
mod install;
mod pages;
mod pin;
mod plugin;
mod replay;
mod scan;
mod secret;
mod serve;
mod status;

pub use approve::Approve;
pub use doctor::Doctor;
pub use pages::{Shell, completions, man};
pub use pin::Pin;
pub use scan::{FailOn, Format, Look, Scan};
pub use secret::Secret;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::audit::{Action, Forward, Whereabouts};
use crate::config::{ConfigSource, InvalidName};
use crate::front::http::Options;
use crate::install::{Import, Install, Uninstall};
use crate::oauth::Login;
use crate::status::Show;
use account::{LoginArgs, LogoutArgs};
use approve::ApproveArgs;
use audit::AuditArgs;
use doctor::DoctorArgs;
use gateway::{GatewayArgs, WrapArgs};
use install::{ImportArgs, InstallArgs, UninstallArgs};
use pin::PinArgs;
use replay::ReplayArgs;
use scan::ScanArgs;
use secret::SecretArgs;
use serve::ServeArgs;
use status::StatusArgs;

pub use authoring::{BuildArgs, Language, NewArgs};
pub use plugin::{
    BenchArgs, DiffArgs, FuzzArgs, InspectArgs, Offsets, PluginTask, PushArgs, ScoreArgs, SignArgs,
    TestArgs, UpdateArgs, Way,
};
pub use replay::Replay;

/// A guardrail gateway for the Model Context Protocol
///
/// It stands between an MCP client and its servers and passes every message,
/// both ways, through guardrails: sandboxed components that mask secrets, block
/// attacks and keep a record. Clients start it in place of their servers.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "mcp-gateway",
    version,
    infer_long_args = true,
    subcommand_help_heading = "Commands (none: run the gateway on stdio)",
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    gateway: GatewayArgs,
    #[command(flatten)]
    log: LogArgs,
}

/// What the program is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// Run the gateway on stdio, with the configuration from here.
    Gateway(ConfigSource),
    /// Serve many clients over HTTP.
    Serve {
        /// Where the configuration comes from.
        source: ConfigSource,
        /// How clients are served.
        options: Options,
    },
    /// Read the record of all calls.
    Audit {
        /// Where it is.
        database: Whereabouts,
        /// What to do.
        action: Action,
    },
    /// Send the record of all calls elsewhere.
    Forward(Forward),
    /// Log in to a server over HTTP.
    Login(Login),
    /// Forget the log-in to a server.
    Logout {
        /// Where the server is configured.
        source: ConfigSource,
        /// Its name there.
        server: String,
    },
    /// Show what guardrails do, in front of a real server.
    Demo,
    /// Answer what the author of a guardrail asks about a component.
    Plugin(PluginTask),
    /// Show what would become of captured messages.
    Replay(Replay),
    /// Put the gateway before the servers of clients.
    Install(Install),
    /// Take it away again.
    Uninstall(Uninstall),
    /// Make a configuration of a client's file.
    Import(Import),
    /// Show how the gateways are that run.
    Status(Show),
    /// Look after everything that can be wrong.
    Doctor(Doctor),
    /// Take a person's word on tools that were defined anew.
    Pin(Pin),
    /// Keep a secret in the keyring, or remove it.
    Secret(Secret),
    /// Take a person's word on a single call.
    Approve(Approve),
    /// Say what servers are before they are trusted.
    Scan(Scan),
    /// Write what completes the command line in a shell.
    Completions(Shell),
    /// Write the manual page.
    Man,
    /// End the children that a gateway left behind. It starts this itself.
    Reap,
}

/// For whom an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For a person.
    Text,
    /// For a program.
    Json,
}

/// Why a command line can't be carried out, and what to type instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsageError {
    /// Neither file nor sub-command.
    #[error(
        "no servers to guard: name the client's file or the gateway's own, for example\n  \
         mcp-gateway --mcp-json-path ~/.cursor/mcp.json -p basic\n  \
         mcp-gateway --config gateway.toml\n\
         or guard one server: mcp-gateway wrap -p basic -- npx some-server"
    )]
    NoConfig,
    /// Guardrails both in the file and on the command line.
    #[error(
        "{0} can't be used with --config; name the guardrail in that file: \
         [[guardrails]] with use = \"NAME\""
    )]
    GuardrailBesideFile(&'static str),
    /// An argument for the gateway before another command.
    #[error("{0} means nothing to this command; leave it out, or write it after the command")]
    BesideCommand(&'static str),
    /// A file for several clients.
    #[error("--file is the file of one client; name that one with --client")]
    FileOfSeveral,
    /// A name for the wrapped server that can't be one.
    #[error("the server's name \"{name}\" can't be used: {cause}; choose one with --name")]
    Name {
        /// What was given, or taken from the command.
        name: String,
        /// What is wrong with it.
        cause: InvalidName,
    },
}

/// The log, which goes to stderr.
#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Log (on stderr)")]
pub struct LogArgs {
    /// The least severe messages to log
    #[arg(long = "log", value_name = "LEVEL", env = "LOGLEVEL", global = true)]
    #[arg(
        value_enum,
        ignore_case = true,
        default_value = "info",
        hide_env_values = true
    )]
    pub level: LogLevel,
    /// How to write them
    #[arg(long = "log-format", value_name = "FORMAT", global = true)]
    #[arg(value_enum, ignore_case = true, default_value = "text")]
    pub format: LogFormat,
}

/// How severe a message must be to be logged. Python's names mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum LogLevel {
    /// What did not work.
    #[value(aliases = ["critical", "fatal"])]
    Error,
    /// What may not be as intended.
    #[value(alias = "warning")]
    Warn,
    /// What happens.
    Info,
    /// What led to it.
    Debug,
    /// Everything.
    #[value(alias = "notset")]
    Trace,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for a person.
    Text,
    /// An object a line.
    Json,
}

#[derive(Debug, Clone, Subcommand)]
enum Command {
    /// Guard one server, whose tools keep their names
    Wrap(WrapArgs),
    /// Serve many clients over HTTP, each with servers of its own
    Serve(ServeArgs),
    /// Put the gateway before the servers of your clients
    Install(InstallArgs),
    /// Take the gateway away again, and leave their files as they were
    Uninstall(UninstallArgs),
    /// Print a gateway.toml with the servers of a client's file
    Import(ImportArgs),
    /// Show what runs, and how it is: clients, servers, guardrails, what they did
    Status(StatusArgs),
    /// Try everything once, and say what is wrong and what mends it
    ///
    /// Exit code: 0 nothing is wrong, 1 something is.
    Doctor(DoctorArgs),
    /// Read the record of all calls: find, follow, show, count, export
    Audit(AuditArgs),
    /// Say what the servers of your clients are: where they come from, what they keep
    /// in the open, what is wrong with their tools
    ///
    /// Exit code: 0 nothing is wrong, 1 something is (see --fail-on).
    Scan(ScanArgs),
    /// Approve of tools that servers have defined anew, or look at them first
    #[command(subcommand)]
    Pin(PinArgs),
    /// Approve of a single call that a guardrail asks a person about
    ///
    /// It needs a terminal: a person has to see what they approve of.
    Approve(ApproveArgs),
    /// Keep secrets in the system's keyring, which servers get by `${keyring:SERVICE/NAME}`
    #[command(subcommand)]
    Secret(SecretArgs),
    /// Log in to a server over HTTP, in a browser
    Login(LoginArgs),
    /// Forget the log-in to a server
    Logout(LogoutArgs),
    /// See guardrails at work in front of a real server (needs Node.js)
    Demo,
    /// Look at guardrail components, and try and measure them
    #[command(subcommand)]
    Plugin(PluginTask),
    /// Show message by message what would become of a captured session
    ///
    /// Nothing is sent to anybody: guardrails have no network, and what they keep is thrown
    /// away. Exit code: 0 shown, 2 not.
    Replay(ReplayArgs),
    /// Print what completes this command line in your shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
    /// End the children that a gateway left behind
    #[command(hide = true)]
    Reap,
}

impl Cli {
    /// What to do, in a build with these bundled guardrails. Files are not
    /// read yet: that is [`ConfigSource::load`]'s part.
    pub fn task(self, bundled: &[&str]) -> Result<Task, UsageError> {
        let Some(command) = self.command else {
            return Ok(Task::Gateway(self.gateway.source(bundled)?));
        };
        if let Some(argument) = self.gateway.first_given() {
            return Err(UsageError::BesideCommand(argument));
        }
        Ok(match command {
            Command::Wrap(args) => Task::Gateway(ConfigSource::new(args.form()?, bundled)),
            Command::Serve(args) => args.task(bundled)?,
            Command::Install(args) => args.task()?,
            Command::Uninstall(args) => args.task()?,
            Command::Import(args) => args.task(),
            Command::Status(args) => args.task(),
            Command::Doctor(args) => args.task(bundled)?,
            Command::Pin(args) => args.task(),
            Command::Secret(args) => args.task(),
            Command::Approve(args) => args.task(),
            Command::Scan(args) => args.task()?,
            Command::Completions { shell } => Task::Completions(shell),
            Command::Man => Task::Man,
            Command::Audit(args) => args.task(),
            Command::Login(args) => args.task(bundled)?,
            Command::Logout(args) => args.task(bundled)?,
            Command::Demo => Task::Demo,
            Command::Plugin(task) => Task::Plugin(task),
            Command::Replay(args) => args.task(bundled)?,
            Command::Reap => Task::Reap,
        })
    }

    /// How to log, which every task does.
    pub fn log(&self) -> LogArgs {
        self.log
    }
}

impl Output {
    fn of(json: bool) -> Self {
        if json { Self::Json } else { Self::Text }
    }
}

impl LogLevel {
    /// The name that `tracing` has for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

#[cfg(test)]
mod tests;
