//! `plugin inspect`: what a component is, what it wants, and what it is able to
//! do, told from the component itself.

mod entry;

use anyhow::Context;
use serde_json::{Value, json};

use super::component::{Component, rehearsal};
use super::say;
use crate::cli::{InspectArgs, Output};
use crate::config::Capability;
use crate::guardrail::{Anatomy, ImportClass, LoadError, Manifest, Producer, Start};
use crate::run::cache;
use entry::{Entry, entries};

/// What the configuration grants or does not, unless it is part of the gateway.
const GRANTABLE: [ImportClass; 3] = [
    ImportClass::Grantable(Capability::State),
    ImportClass::Grantable(Capability::Keys),
    ImportClass::Grantable(Capability::Http),
];

/// What is known of a component.
struct Report {
    origin: String,
    /// Whether it is part of the gateway, which grants it what it uses.
    bundled: bool,
    anatomy: Anatomy,
    /// What it said when it was configured, or why it cannot be used.
    loaded: Result<Loaded, String>,
    /// Its entries in the configuration of a gateway, if one was named.
    entries: Option<Vec<Entry>>,
}

struct Loaded {
    manifest: Manifest,
    start: Start,
    /// Bytes of what instances are made of, and of the memory of a fresh one.
    size: usize,
    memory: u64,
}

/// Reports on a component: a file, or the name of a bundled guardrail. Says whether this
/// gateway would take it, and, if a configuration was named, with what that grants.
///
/// # Errors
/// When there is no such file, or it is no component of a guardrail.
pub(super) async fn inspect(args: &InspectArgs) -> anyhow::Result<bool> {
    let report = report(args).await?;
    say(&match args.output() {
        _ if args.wit => wit(&report.anatomy),
        Output::Text => report.text(),
        Output::Json => format!("{:#}\n", report.json()),
    })?;
    let granted = report.entries.iter().flatten().all(Entry::is_granted);
    Ok(report.loaded.is_ok() && granted)
}

async fn report(args: &InspectArgs) -> anyhow::Result<Report> {
    let component = Component::open(&args.file)?;
    let anatomy = Anatomy::of(&component.bytes).with_context(|| component.origin.clone())?;
    let entries = match &args.config {
        None => None,
        Some(file) => Some(entries(file, &args.file, &anatomy)?),
    };
    let configured = entries.iter().flatten().next();
    let config = configured.map_or("{}", |entry| &entry.config);
    let loaded = match load(&component, config).await {
        Err(error @ LoadError::Configuration(_)) if configured.is_none() => {
            Err(format!("{error} (it was given an empty configuration)"))
        }
        loaded => loaded.map_err(|error| error.to_string()),
    };
    Ok(Report {
        bundled: component.bundled,
        origin: component.origin,
        anatomy,
        loaded,
        entries,
    })
}

async fn load(component: &Component, config: &str) -> Result<Loaded, LoadError> {
    let sandbox = rehearsal(cache()).map_err(|error| LoadError::Panicked(error.to_string()))?;
    let guardrail = component.load(&sandbox, config).await?;
    // It has just judged its examples, or could have.
    let memory = guardrail.trial().await.map(|trial| trial.memory());
    Ok(Loaded {
        manifest: guardrail.manifest().clone(),
        start: guardrail.start().clone(),
        size: guardrail.size(),
        memory: memory.unwrap_or_default(),
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
                line("starts", &starts(loaded));
                line(
                    "examples",
                    &format!("{} pass", loaded.manifest.examples.len()),
                );
            }
            Err(reason) => line("REFUSED", reason),
        }
        if let Some(made) = self.made() {
            line("made by", &made);
        }
        line("can", &self.can());
        for capability in self.anatomy.uses().iter() {
            let (enables, grant) = (enables(capability), capability.grant());
            match self.bundled {
                true => line(
                    "may",
                    &format!("{enables}, unless grant = {{ {} }}", capability.denial()),
                ),
                false => line(
                    "if granted",
                    &format!("{enables}, by grant = {{ {grant} }}"),
                ),
            }
        }
        line("cannot", &self.cannot());
        for entry in self.entries.iter().flatten() {
            line("configured", &entry.line());
        }
        if self.entries.as_ref().is_some_and(Vec::is_empty) {
            line("configured", "no: the configuration does not name it");
        }
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
            "instanceBytes": loaded.ok().map(|loaded| loaded.size),
            "memory": loaded.ok().map(|loaded| loaded.memory),
            "producers": self.anatomy.producers.iter().map(|producer| {
                json!({
                    "part": producer.part,
                    "name": producer.name,
                    "version": producer.version,
                })
            }).collect::<Vec<_>>(),
            "can": self.can(),
            "cannot": self.cannot(),
            "configured": self.entries.as_ref().map(|entries| {
                entries.iter().map(Entry::json).collect::<Vec<_>>()
            }),
        })
    }

    /// What needs no grant.
    fn can(&self) -> String {
        let mut can = "look at the messages it wants, write to the gateway's log".to_owned();
        let inert = self.imports(&[ImportClass::Inert]);
        if inert
            .iter()
            .any(|import| import.starts_with("wasi:clocks/"))
        {
            can.push_str(", tell the time");
        }
        can
    }

    fn cannot(&self) -> String {
        let uses = self.anatomy.uses();
        let network = match uses.http {
            true => "open sockets",
            false => "reach the network",
        };
        let mut cannot = format!("read files, {network}, see the environment");
        for capability in [Capability::State, Capability::Keys] {
            if !uses.include(capability) {
                cannot.push_str(", ");
                cannot.push_str(enables(capability));
            }
        }
        cannot
    }

    /// Languages first, then tools.
    fn made(&self) -> Option<String> {
        let producers = &self.anatomy.producers;
        let (languages, tools): (Vec<_>, Vec<_>) = producers
            .iter()
            .partition(|producer| producer.part == "language");
        let made: Vec<String> = languages
            .into_iter()
            .chain(tools)
            .map(|Producer { name, version, .. }| {
                // Commits and addresses are in the JSON.
                let version = version.split(" (").next().unwrap_or_default();
                format!("{name} {version}").trim().to_owned()
            })
            .collect();
        (!made.is_empty()).then(|| made.join(", "))
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
        Capability::State => "keep values in the gateway",
        Capability::Keys => "derive keys from this installation's secret",
        Capability::Http => "send HTTP requests to granted destinations",
        Capability::Journal => "say what the audit database keeps of messages",
    }
}

fn starts(loaded: &Loaded) -> String {
    let memory = format!("{} kB of memory", loaded.memory / 1_000);
    match &loaded.start {
        Start::Snapshot => format!(
            "from a snapshot of its configured memory, {} bytes; {memory}",
            loaded.size
        ),
        Start::Configure { because } => {
            format!("by configuring each instance, which is slower: {because}; {memory}")
        }
    }
}

/// Its world in WIT. What the interfaces hold is in the packages that they name.
fn wit(anatomy: &Anatomy) -> String {
    let mut text = "package root:component;\n\nworld root {\n".to_owned();
    for import in &anatomy.imports {
        text.push_str(&format!("  import {};\n", import.name));
    }
    for export in &anatomy.exports {
        text.push_str(&format!("  export {export};\n"));
    }
    text + "}\n"
}
