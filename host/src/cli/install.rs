//! `install`, `uninstall` and `import`: the gateway and a person's clients.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::gateway::GuardrailArgs;
use super::{Task, UsageError};
use crate::clients::{CLIENTS, Client};
use crate::install::{Consent, Import, Install, Targets, Uninstall, Way};

#[derive(Debug, Clone, Args)]
pub(super) struct InstallArgs {
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    guardrails: GuardrailArgs,
    /// Put a gateway before each server, in its place, rather than one before all
    #[arg(long)]
    wrap: bool,
    /// Move servers over HTTP, too, that the client may have logged in to itself
    #[arg(long, conflicts_with = "wrap")]
    logins: bool,
    #[command(flatten)]
    consent: ConsentArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct UninstallArgs {
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    consent: ConsentArgs,
}

#[derive(Debug, Clone, Args)]
pub(super) struct ImportArgs {
    /// The client's file
    file: PathBuf,
    /// Whose it is, if that does not show
    #[arg(long, value_name = "NAME", value_parser = names(&[]))]
    client: Option<String>,
    #[command(flatten)]
    guardrails: GuardrailArgs,
}

#[derive(Debug, Clone, Args)]
struct TargetArgs {
    /// The client; may be repeated
    #[arg(long, value_name = "NAME", required = true, value_parser = names(&["all"]))]
    client: Vec<String>,
    /// A file of that client in another place, such as one in a project
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
struct ConsentArgs {
    /// Show what would change, and write nothing
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Write without asking
    #[arg(short, long)]
    yes: bool,
}

fn names(more: &[&'static str]) -> PossibleValuesParser {
    let names = CLIENTS.iter().map(|client| client.name);
    PossibleValuesParser::new(names.chain(more.iter().copied()))
}

impl InstallArgs {
    pub(super) fn task(self) -> Result<Task, UsageError> {
        Ok(Task::Install(Install {
            targets: self.targets.targets()?,
            guardrails: self.guardrails.absolute(),
            way: match self.wrap {
                true => Way::Wrap,
                false => Way::Move {
                    logins: self.logins,
                },
            },
            consent: self.consent.consent(),
        }))
    }
}

impl UninstallArgs {
    pub(super) fn task(self) -> Result<Task, UsageError> {
        Ok(Task::Uninstall(Uninstall {
            targets: self.targets.targets()?,
            consent: self.consent.consent(),
        }))
    }
}

impl ImportArgs {
    pub(super) fn task(self) -> Task {
        Task::Import(Import {
            file: self.file,
            client: self.client.and_then(|name| Client::named(&name)),
            guardrails: self.guardrails.absolute(),
        })
    }
}

impl TargetArgs {
    fn targets(self) -> Result<Targets, UsageError> {
        let all = self.client.iter().any(|name| name == "all");
        let named = self.client.iter().filter_map(|name| Client::named(name));
        let clients: Vec<_> = named.filter(|_| !all).collect();
        if self.file.is_some() && clients.len() != 1 {
            return Err(UsageError::FileOfSeveral);
        }
        Ok(Targets {
            clients,
            file: self.file,
        })
    }
}

impl ConsentArgs {
    fn consent(&self) -> Consent {
        match (self.dry_run, self.yes) {
            (true, _) => Consent::DryRun,
            (_, true) => Consent::Given,
            _ => Consent::Ask,
        }
    }
}

impl GuardrailArgs {
    /// For a file in another folder. Without any, the one that masks secrets: a
    /// gateway that checks nothing is no use.
    fn absolute(self) -> Vec<String> {
        if self.plugins.is_empty() {
            return vec!["basic".to_owned()];
        }
        let absolute = |name: String| {
            let path = PathBuf::from(&name);
            match name.contains(['/', '\\']) || path.extension().is_some() {
                true => std::path::absolute(&path)
                    .map_or(name, |path| path.to_string_lossy().into_owned()),
                false => name,
            }
        };
        self.plugins.into_iter().map(absolute).collect()
    }
}
