//! What is known of a package.

use serde::{Deserialize, Serialize};

/// What a registry and the code's host say of a package. What is absent is not known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Whether the registry has it at all.
    pub exists: bool,
    /// When it was first published, in seconds since 1970.
    pub created: Option<u64>,
    /// How many versions there are.
    pub versions: Option<u64>,
    /// When the version that would start was published.
    pub published: Option<u64>,
    /// Downloads, or calls, within a month.
    pub downloads: Option<u64>,
    /// How many people can publish it.
    pub maintainers: Option<u64>,
    /// Its licence.
    pub licence: Option<String>,
    /// Whether the registry vouches for who publishes it.
    pub verified: bool,
    /// What the registry says against the version that would start.
    pub warnings: Vec<String>,
    /// Why nobody should start it at all: it was taken down, or has advisories.
    pub objections: Vec<String>,
    /// Whether installing it runs programs of its own.
    pub installs_by_script: bool,
    /// Where its code is, if it says so, as `owner/name` at GitHub.
    pub repository: Option<String>,
    /// What the code's host says.
    pub code: Option<Repository>,
    /// Whether the code's host says that there is no such repository.
    pub repository_is_missing: bool,
    /// Whether everything was answered that was asked.
    pub is_complete: bool,
}

/// What GitHub says of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Repository {
    /// How many people like it.
    pub stars: u64,
    /// How many have copies of their own.
    pub forks: u64,
    /// Its licence.
    pub licence: Option<String>,
    /// When it was made, in seconds since 1970.
    pub created: Option<u64>,
    /// Whether nobody works on it any more.
    pub archived: bool,
    /// Whose it is.
    pub owner: Option<Owner>,
}

/// What GitHub says of a person or an organisation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Owner {
    /// How many people follow them.
    pub followers: u64,
    /// How many public repositories they have.
    pub repositories: u64,
    /// Since when, in seconds since 1970.
    pub created: Option<u64>,
    /// Whether GitHub has verified who they are.
    pub verified: bool,
}
