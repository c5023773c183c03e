//! Where a server comes from: the package that its command fetches, an address, or
//! a program of this machine. Two configurations of one server have one provenance,
//! whatever folders and keys they hand to it.

mod command;

use std::fmt;

use sha2::{Digest, Sha256};

use crate::config::{Program, Server, Transport};

/// Where packages are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Registry {
    /// `npx`, `bunx`, `pnpm dlx` and the like.
    Npm,
    /// `uvx`, `pipx run`.
    PyPi,
    /// `docker run`, `podman run`.
    Images,
    /// Servers that Smithery's own program fetches.
    Smithery,
}

/// A package that is fetched when the server starts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Package {
    /// Where from.
    pub registry: Registry,
    /// What it is called there.
    pub name: String,
    /// The version, if the command names one; `latest` and ranges are none.
    pub version: Option<String>,
}

/// Where a server comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provenance {
    /// A package that is fetched.
    Package(Package),
    /// A shell line that fetches something from the network and runs it.
    Fetched,
    /// It runs elsewhere, at this address without its query.
    Remote(String),
    /// A program that is there already.
    Local,
}

impl Provenance {
    /// The provenance of a server.
    pub fn of(server: &Server) -> Self {
        match &server.transport {
            Transport::Http(remote) => Self::Remote(remote.shown()),
            Transport::Stdio(program) => command::provenance(&program.command, &program.args),
        }
    }

    /// The package, if it is one.
    pub fn package(&self) -> Option<&Package> {
        match self {
            Self::Package(package) => Some(package),
            Self::Fetched | Self::Remote(_) | Self::Local => None,
        }
    }
}

/// What a server is known by when a person has approved of something about it: the
/// package or the address, else the command as a digest, since arguments may hold
/// secrets. The version is no part of it.
pub fn identity(server: &Server) -> String {
    match (Provenance::of(server), &server.transport) {
        (Provenance::Package(package), _) => format!("{}:{}", package.registry, package.name),
        (Provenance::Remote(address), _) => address,
        (_, Transport::Stdio(program)) => format!("program:{}", digest(program)),
        (_, Transport::Http(remote)) => remote.shown(),
    }
}

fn digest(program: &Program) -> String {
    let mut hash = Sha256::new();
    for word in std::iter::once(&program.command).chain(&program.args) {
        hash.update(word);
        hash.update([0]);
    }
    let bytes = hash.finalize();
    bytes
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Npm => "npm",
            Self::PyPi => "pypi",
            Self::Images => "image",
            Self::Smithery => "smithery",
        })
    }
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.registry, self.name)?;
        match &self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}
