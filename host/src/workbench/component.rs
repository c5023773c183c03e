//! The component that a question is about, and how it is loaded for it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};

use crate::bundled;
use crate::config::{Destinations, Grants, Isolation, Limits};
use crate::guardrail::{Guardrail, LoadError, Recipe};
use crate::sandbox::{CacheDir, Sandbox};

/// A component, named on the command line.
pub(super) struct Component {
    /// What a person knows it by.
    pub(super) origin: String,
    /// Whether it is part of the gateway.
    pub(super) bundled: bool,
    /// What the guardrail is called here.
    pub(super) name: Arc<str>,
    pub(super) bytes: Arc<[u8]>,
}

impl Component {
    /// A file, or what is bundled under a name.
    pub(super) fn open(file: &Path) -> anyhow::Result<Self> {
        let name = file.to_string_lossy();
        let component = bundled::component(&name);
        let bundled = component.is_some();
        let (origin, bytes) = match component {
            Some(bytes) => (format!("{name} (bundled)"), bytes.to_vec()),
            None => {
                let bytes = std::fs::read(file).with_context(|| {
                    format!(
                        "cannot read {name}, and no bundled guardrail has that name (bundled: {})",
                        bundled::names().join(", ")
                    )
                })?;
                (name.to_string(), bytes)
            }
        };
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        Ok(Self {
            origin,
            bundled,
            name: stem.into(),
            bytes: bytes.into(),
        })
    }

    /// How it is loaded: with whatever it wants to use, since what it does with that
    /// here is a rehearsal.
    pub(super) fn recipe(&self, config: &str, limits: Limits) -> Recipe {
        Recipe {
            name: Arc::clone(&self.name),
            keyed: Arc::clone(&self.name),
            bytes: Arc::clone(&self.bytes),
            config: config.to_owned(),
            limits,
            isolation: Isolation::default(),
            grants: Grants::ALL,
            destinations: Destinations::default(),
        }
    }

    /// Loads it with this configuration and the limits that are used by default.
    pub(super) async fn load(
        &self,
        sandbox: &Arc<Sandbox>,
        config: &str,
    ) -> Result<Arc<Guardrail>, LoadError> {
        let recipe = self.recipe(config, Limits::default());
        let guardrail = Guardrail::load(Arc::clone(sandbox), recipe).await?;
        Ok(Arc::new(guardrail))
    }
}

/// Where guardrails run that are tried: whatever they keep ends with this process, and
/// their keys are worth nothing.
pub(super) fn rehearsal(cache: Option<CacheDir>) -> anyhow::Result<Arc<Sandbox>> {
    let sandbox = Sandbox::new(cache)?;
    sandbox.use_known_secret();
    Ok(Arc::new(sandbox))
}

/// The JSON text of a configuration that is given as JSON, as TOML, or by the name of a
/// file of either.
pub(super) fn config(given: Option<&str>) -> anyhow::Result<String> {
    Ok(object(given.unwrap_or("{}"))?.to_string())
}

/// The same as a value.
pub(super) fn object(given: &str) -> anyhow::Result<serde_json::Value> {
    let given = given.trim();
    let extension = Path::new(given).extension().and_then(|it| it.to_str());
    let file = !given.starts_with('{')
        && !given.contains(['\n', '='])
        && matches!(extension, Some("json" | "toml"));
    let (text, json) = if file {
        let text =
            std::fs::read_to_string(given).with_context(|| format!("cannot read {given}"))?;
        (text, extension == Some("json"))
    } else {
        (given.to_owned(), given.starts_with('{'))
    };
    let value: serde_json::Value = if json {
        serde_json::from_str(&text).with_context(|| format!("not JSON: {given}"))?
    } else {
        toml::from_str(&text).with_context(|| {
            format!("neither JSON, nor TOML, nor the name of a .json or .toml file: {given}")
        })?
    };
    if !value.is_object() {
        bail!("not an object: {given}");
    }
    Ok(value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_json_toml_or_a_file_of_either() {
        assert_eq!(config(None).unwrap(), "{}");
        assert_eq!(config(Some(r#" {"a": 1}"#)).unwrap(), r#"{"a":1}"#);
        assert_eq!(
            config(Some("a = 1\nb.c = ['x.json']")).unwrap(),
            r#"{"a":1,"b":{"c":["x.json"]}}"#
        );
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("c.toml", "a = 0.5"), ("c.json", r#"{"a": 0.5}"#)] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            assert_eq!(config(path.to_str()).unwrap(), r#"{"a":0.5}"#);
        }
        assert!(config(Some("nowhere.toml")).is_err());
        assert!(config(Some("{")).is_err());
        assert!(config(Some("a")).is_err());
    }
}
