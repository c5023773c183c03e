//! `plugin inspect`: what a component is, what it wants, and what it is able to
//! do, told from the component itself.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value, json};

use super::component::{Component, rehearsal};
use super::say;
use crate::cli::Output;
use crate::config::Capability;
use crate::guardrail::{Anatomy, ImportClass, LoadError, Manifest, Start};
use crate::run::cache;

/// What the configuration grants or does not, unless it is part of the gateway.
const GRANTABLE: [ImportClass; 2] = [
    ImportClass::Grantable(Capability::State),
    ImportClass::Grantable(Capability::Keys),
];

/// What is known of a component.
struct Report {
    origin: String,
    /// Whether it is part of the gateway, which grants it what it uses.
    bundled: bool,
    anatomy: Anatomy,
    /// What it said when it was configured, or why it cannot be used.
    loaded: Result<Loaded, String>,
}

struct Loaded {
    manifest: Manifest,
    start: Start,
}

/// Reports on a component: a file, or the name of a bundled guardrail.
///
/// # Errors
/// When there is no such file, or it is no component of a guardrail. One that
/// this gateway would refuse is reported on, and the exit code says so.
pub(super) async fn inspect(file: &Path, output: Output) -> anyhow::Result<ExitCode> {
    let report = report(file).await?;
    let text = match output {
        Output::Text => report.text(),
        Output::Json => format!("{:#}\n", report.json()),
    };
    say(&text)?;
    Ok(match report.loaded {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

async fn report(file: &Path) -> anyhow::Result<Report> {
    let component = Component::open(file)?;
    let anatomy = Anatomy::of(&component.bytes).with_context(|| component.origin.clone())?;
    let sandbox = rehearsal(cache())?;
    let loaded = match component.load(&sandbox, "{}").await {
        Ok(guardrail) => Ok(Loaded {
            manifest: guardrail.manifest().clone(),
            start: guardrail.start().clone(),
        }),
        Err(error @ LoadError::Configuration(_)) => {
            Err(format!("{error} (it was given an empty configuration)"))
        }
        Err(error) => Err(error.to_string()),
    };
    Ok(Report {
        bundled: component.bundled,
        origin: component.origin,
        anatomy,
        loaded,
    })
}

impl Report {
    fn text(&self) -> String {
        let mut lines = Vec::new();
        let mut line = |label: &str, text: &str| lines.push(format!("{label:<12}{text}"));
        if let Ok(loaded) = &self.loaded {
            let manifest = &loaded.manifest;
            line(
                "guardrail",
                &format!("{} {}", manifest.name, manifest.version),
            );
            line("", &manifest.description);
        }
        line("component", &self.origin);
        line("size", &format!("{} bytes", self.anatomy.size));
        line("digest", &self.anatomy.digest);
        line(
            "contract",
            &format!("mcp-gateway:guardrail {}", self.anatomy.contract),
        );
        match &self.loaded {
            Ok(loaded) => {
                line("wants", &wants(&loaded.manifest));
                line("starts", &starts(&loaded.start));
                line(
                    "examples",
                    &format!("{} pass", loaded.manifest.examples.len()),
                );
            }
            Err(reason) => line("REFUSED", reason),
        }
        line(
            "can",
            "look at the messages it wants, write to the gateway's log",
        );
        for capability in self.anatomy.uses().iter() {
            let (enables, name) = (enables(capability), capability.name());
            match self.bundled {
                true => line(
                    "may",
                    &format!("{enables}, unless grant = {{ {name} = false }}"),
                ),
                false => line(
                    "if granted",
                    &format!("{enables}, by grant = {{ {name} = true }}"),
                ),
            }
        }
        line(
            "cannot",
            "read files, reach the network, see the environment",
        );
        for (label, names) in [
            ("granted", self.granted()),
            ("to grant", self.to_grant()),
            ("inert", self.imports(&[ImportClass::Inert])),
            ("not granted", self.imports(&[ImportClass::Refused])),
        ] {
            if !names.is_empty() {
                line(label, &names.join("\n            "));
            }
        }
        if let Some(schema) = self.schema() {
            line(
                "config",
                &format!("{schema:#}").replace('\n', "\n            "),
            );
        }
        lines.join("\n") + "\n"
    }

    fn json(&self) -> Value {
        let loaded = self.loaded.as_ref();
        json!({
            "component": self.origin,
            "size": self.anatomy.size,
            "digest": self.anatomy.digest,
            "contract": self.anatomy.contract,
            "imports": {
                "granted": self.granted(),
                "toGrant": self.to_grant(),
                "inert": self.imports(&[ImportClass::Inert]),
                "refused": self.imports(&[ImportClass::Refused]),
            },
            "refused": loaded.err(),
            "manifest": loaded.ok().map(|loaded| &loaded.manifest),
            "configSchema": self.schema(),
            "snapshot": loaded.ok().map(|loaded| loaded.start == Start::Snapshot),
        })
    }

    fn granted(&self) -> Vec<&str> {
        let mut granted = self.imports(&[ImportClass::Granted]);
        if self.bundled {
            granted.extend(self.imports(&GRANTABLE));
        }
        granted
    }

    fn to_grant(&self) -> Vec<&str> {
        match self.bundled {
            true => Vec::new(),
            false => self.imports(&GRANTABLE),
        }
    }

    fn imports(&self, classes: &[ImportClass]) -> Vec<&str> {
        let imports = self.anatomy.imports.iter();
        imports
            .filter(|import| classes.contains(&import.class))
            .map(|import| import.name.as_str())
            .collect()
    }

    fn schema(&self) -> Option<Value> {
        let schema = self.loaded.as_ref().ok()?.manifest.config_schema.as_ref()?;
        serde_json::from_str(schema).ok()
    }
}

fn wants(manifest: &Manifest) -> String {
    if manifest.wants.is_empty() {
        return "every message".into();
    }
    let part = |names: Vec<&str>, all: &str| match names.is_empty() {
        true => all.to_owned(),
        false => names.join(" or "),
    };
    let interests = manifest.wants.iter().map(|interest| {
        let methods = interest.methods.iter().map(String::as_str).collect();
        let kinds = interest.kinds.iter().map(String::as_str).collect();
        let directions = interest.directions.iter().map(|d| d.as_str()).collect();
        format!(
            "{}, {}, {}",
            part(methods, "any method"),
            part(kinds, "any kind"),
            part(directions, "both ways"),
        )
    });
    interests.collect::<Vec<_>>().join("; ")
}

/// What a grant enables a guardrail to do.
fn enables(capability: Capability) -> &'static str {
    match capability {
        Capability::State => "keep values in the gateway's memory",
        Capability::Keys => "derive keys from this installation's secret",
    }
}

fn starts(start: &Start) -> String {
    match start {
        Start::Snapshot => "from a snapshot of its configured memory".into(),
        Start::Configure { because } => {
            format!("by configuring each instance, which is slower: {because}")
        }
    }
}
