//! The lock file: what references stood for when they were first used. It belongs beside
//! the configuration, in version control.

use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::DistributionError;
use crate::config::Reference;

const HEAD: &str = "\
# Written by mcp-gateway: what the references of the configuration stand for.\n\
# `mcp-gateway plugin update` takes what they stand for now.\n\n";

/// A lock file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    #[serde(default)]
    component: Vec<Locked>,
}

/// What a reference stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// The reference.
    pub reference: String,
    /// The digest of its manifest in the registry.
    pub manifest: String,
    /// The digest of the component.
    pub digest: String,
}

impl Lock {
    /// What a reference stands for, if the file says.
    pub(super) fn of(
        path: &Path,
        reference: &Reference,
    ) -> Result<Option<Locked>, DistributionError> {
        let reference = reference.to_string();
        let lock = Self::read(path)?;
        let mut components = lock.component.into_iter();
        Ok(components.find(|locked| locked.reference == reference))
    }

    /// Has the file say what a reference stands for.
    pub(super) fn note(path: &Path, locked: &Locked) -> Result<(), DistributionError> {
        let mut lock = Self::read(path)?;
        lock.component
            .retain(|known| known.reference != locked.reference);
        lock.component.push(locked.clone());
        lock.component
            .sort_by(|one, other| one.reference.cmp(&other.reference));
        let written = || {
            let text = toml::to_string(&lock).map_err(io::Error::other)?;
            let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
            let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
            file.write_all(format!("{HEAD}{text}").as_bytes())?;
            file.persist(path)?;
            Ok(())
        };
        written().map_err(|cause| DistributionError::Write {
            path: path.to_owned(),
            cause,
        })
    }

    fn read(path: &Path) -> Result<Self, DistributionError> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            read => read.map_err(|cause| DistributionError::Read {
                path: path.to_owned(),
                cause,
            })?,
        };
        toml::from_str(&text).map_err(|cause| DistributionError::Lock {
            path: path.to_owned(),
            cause,
        })
    }
}
