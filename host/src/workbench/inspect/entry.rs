//! A component's entries in the configuration of a gateway.

use std::path::Path;

use serde_json::{Value, json};

use crate::bundled;
use crate::config::{Capability, ConfigSource, Form, Grants, Mode, Source};
use crate::guardrail::Anatomy;

/// One entry.
pub(super) struct Entry {
    name: String,
    pub(super) config: String,
    off: bool,
    grants: Grants,
    uses: Grants,
}

/// The entries of a component in a gateway.toml.
///
/// # Errors
/// When that is no good.
pub(super) fn entries(config: &Path, file: &Path, anatomy: &Anatomy) -> anyhow::Result<Vec<Entry>> {
    let source = ConfigSource::new(Form::GatewayToml(config.to_owned()), &bundled::names());
    let config = source.load()?;
    let is_it = |source: &Source| match source {
        Source::Bundled(name) => Path::new(&**name) == file,
        Source::Registry(reference) => Path::new(&reference.to_string()) == file,
        Source::File(path) => {
            bundled::component(&file.to_string_lossy()).is_none()
                && std::fs::canonicalize(path).ok() == std::fs::canonicalize(file).ok()
        }
    };
    let guardrails = config.guardrails.into_iter();
    let entries = guardrails
        .filter(|it| is_it(&it.component))
        .map(|it| Entry {
            name: it.name.as_str().to_owned(),
            config: it.config,
            off: it.mode == Mode::Off,
            grants: it.grants,
            uses: anatomy.uses(),
        });
    Ok(entries.collect())
}

impl Entry {
    /// Whether it is granted all that the component uses.
    pub(super) fn is_granted(&self) -> bool {
        self.missing().next().is_none()
    }

    fn missing(&self) -> impl Iterator<Item = Capability> {
        self.uses.iter().filter(|it| !self.grants.include(*it))
    }

    pub(super) fn line(&self) -> String {
        let mut line = format!("as {:?}", self.name);
        if self.off {
            line.push_str(", which is off");
        }
        let join = |names: Vec<&str>| names.join(", ");
        if !self.is_granted() {
            line.push_str(&format!(
                "; NOT GRANTED is what it uses: write grant = {{ {} }}",
                join(self.missing().map(Capability::grant).collect())
            ));
        } else if self.uses == Grants::default() {
            line.push_str("; it uses nothing that has to be granted");
        } else {
            let granted = join(self.uses.iter().map(Capability::name).collect());
            line.push_str(&format!("; it is granted what it uses: {granted}"));
        }
        line
    }

    pub(super) fn json(&self) -> Value {
        let names = |grants: Grants| grants.iter().map(Capability::name).collect::<Vec<_>>();
        json!({
            "name": self.name,
            "off": self.off,
            "grants": names(self.grants),
            "uses": names(self.uses),
            "missing": self.missing().map(Capability::name).collect::<Vec<_>>(),
        })
    }
}
