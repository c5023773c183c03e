//! `install` puts the gateway before the servers of a person's clients, `uninstall`
//! takes it away again, `import` makes a configuration of a client's file.
//!
//! A change is made whole in memory first (`plan`, `undo`), shown, and only then
//! written (`apply`): the gateway's file, a copy of the client's file, a record of
//! both states of it, and the client's file last. The record is what `uninstall`
//! goes by: what nobody has changed since gets its former bytes back, in what
//! somebody has changed only our change is undone.

mod apply;
mod config;
mod import;
mod plan;
mod record;
mod screen;
mod undo;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::clients::{CLIENTS, Client, DocumentError, Os, Stays};
use crate::sandbox::CacheError;
use apply::apply;
use screen::Screen;

pub use import::{Import, import};

/// What to put the gateway before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Install {
    /// Where.
    pub targets: Targets,
    /// The guardrails, by name or as absolute paths.
    pub guardrails: Vec<String>,
    /// How.
    pub way: Way,
    /// Whether to write.
    pub consent: Consent,
}

/// What to take the gateway away from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uninstall {
    /// Where.
    pub targets: Targets,
    /// Whether to write.
    pub consent: Consent,
}

/// Clients, or one file of one client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets {
    /// The clients; all if there are none.
    pub clients: Vec<&'static Client>,
    /// The file, in place of those that the client usually has.
    pub file: Option<PathBuf>,
}

/// How servers come behind the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// One gateway for all of them, which has them in a file of its own.
    Move {
        /// Also those that the client may have logged in to.
        logins: bool,
    },
    /// A gateway for each, in its place.
    Wrap,
}

/// Whether to write what was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// The person is asked.
    Ask,
    /// The person has said so.
    Given,
    /// Only to be shown.
    DryRun,
}

/// Why the gateway cannot be put somewhere, or taken away.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// No environment variable says where home is.
    #[error("the home folder is not set (HOME, or USERPROFILE on Windows)")]
    NoHome,
    /// A file cannot be used.
    #[error("cannot use {path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// A folder is not to be trusted.
    #[error(transparent)]
    Folder(#[from] CacheError),
    /// The client's file cannot be changed.
    #[error("{path}: {cause}")]
    Document {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: DocumentError,
    },
    /// The gateway's own file has errors.
    #[error("{path} can't be used:\n{cause}")]
    Config {
        /// The file.
        path: PathBuf,
        /// Its errors.
        cause: String,
    },
    /// A server of another program has the name.
    #[error("{0} has a server named \"gateway\" that is not the gateway; rename it")]
    NameTaken(PathBuf),
    /// The client starts named servers only.
    #[error("{0}: \"mcp.allowed\" names the servers to start; add \"gateway\" to it first")]
    NotAllowed(PathBuf),
    /// The record is damaged.
    #[error("{path} is damaged: {cause}; restore the client's file from its copy beside it")]
    Record {
        /// The record.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// What was changed since cannot be told from our change.
    #[error(
        "{file} was changed since in the same places, so our change can't be undone alone; as it \
         was before it is in {copy}"
    )]
    Changed {
        /// The client's file.
        file: PathBuf,
        /// The copy of before.
        copy: PathBuf,
    },
    /// Somebody else wrote the file in the meantime.
    #[error("{0} was changed while this ran; nothing is written, run the command once more")]
    Meanwhile(PathBuf),
    /// Nobody can be asked.
    #[error("nothing is written without a yes; run it with --yes, or with --dry-run to look only")]
    NobodyToAsk,
    /// The file is of no client that is known.
    #[error("{0} holds no servers in a form that is known; say whose it is with --client")]
    Unknown(PathBuf),
}

/// What is to become of one file.
enum Outcome {
    /// It changes.
    Change(Box<Change>),
    /// It stays, and what is in it.
    Same(Vec<(String, Stays)>),
}

/// A change that is to be written.
struct Change {
    client: &'static Client,
    file: PathBuf,
    before: String,
    after: String,
    /// The gateway's own file: before, and after.
    config: Option<(PathBuf, Option<String>, Option<String>)>,
    record: record::Record,
    /// Copies that nobody needs any more.
    copies: Vec<PathBuf>,
    /// The copy that is made of the file as it was.
    copy: Option<PathBuf>,
    /// What a person should know.
    notes: Vec<String>,
}

/// Puts the gateway before the servers of clients.
///
/// # Errors
/// When nobody can be asked, or the screen is gone. What is wrong with one client is
/// said, holds up no other, and makes the exit code a failure.
pub fn install(request: &Install) -> Result<ExitCode, InstallError> {
    let files = request.targets.files()?;
    carry_out(&files, request.consent, |client, file| {
        plan::install(request, client, file)
    })
}

/// Takes the gateway away again.
///
/// # Errors
/// As with [`install`].
pub fn uninstall(request: &Uninstall) -> Result<ExitCode, InstallError> {
    let mut files = request.targets.files()?;
    if request.targets.file.is_none() {
        // Also those that were named when it was installed.
        for (name, file) in record::Record::files()? {
            let chosen = request.targets.clients().find(|client| client.name == name);
            if let Some(client) = chosen
                && !files.contains(&(client, file.clone()))
            {
                files.push((client, file));
            }
        }
    }
    carry_out(&files, request.consent, undo::uninstall)
}

fn carry_out(
    files: &[(&'static Client, PathBuf)],
    consent: Consent,
    plan: impl Fn(&'static Client, PathBuf) -> Result<Option<Outcome>, InstallError>,
) -> Result<ExitCode, InstallError> {
    let screen = Screen::new();
    let mut changes = Vec::new();
    let mut code = ExitCode::SUCCESS;
    let mut found = false;
    for (client, file) in files {
        match plan(client, file.clone()) {
            Ok(None) => continue,
            Ok(Some(Outcome::Same(stays))) => screen.same(client, file, &stays),
            Ok(Some(Outcome::Change(change))) => {
                screen.change(&change);
                changes.push(change);
            }
            Err(error) => {
                screen.failed(client, &error);
                code = ExitCode::FAILURE;
            }
        }
        found = true;
    }
    if !found {
        screen.nothing(files);
        return Ok(ExitCode::FAILURE);
    }
    if changes.is_empty() || consent == Consent::DryRun {
        return Ok(code);
    }
    if consent == Consent::Ask && !screen.agreed()? {
        return Ok(code);
    }
    for change in &changes {
        match apply(change) {
            Ok(()) => screen.done(change),
            Err(error) => {
                screen.failed(change.client, &error);
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

impl Targets {
    fn clients(&self) -> impl Iterator<Item = &'static Client> {
        let all = CLIENTS.iter().filter(|_| self.clients.is_empty());
        all.chain(self.clients.iter().copied())
    }

    /// The files, whether they exist or not.
    fn files(&self) -> Result<Vec<(&'static Client, PathBuf)>, InstallError> {
        let files: Vec<_> = self
            .clients()
            .flat_map(|client| {
                let files = match &self.file {
                    Some(file) => vec![std::path::absolute(file).unwrap_or_else(|_| file.clone())],
                    None => client.files(Os::HERE, &environment),
                };
                files.into_iter().map(move |file| (client, file))
            })
            .collect();
        match files.is_empty() {
            true => Err(InstallError::NoHome),
            false => Ok(files),
        }
    }
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn unusable(path: &std::path::Path) -> impl FnOnce(io::Error) -> InstallError {
    let path = path.to_owned();
    move |cause| InstallError::File { path, cause }
}
