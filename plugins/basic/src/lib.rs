#![doc = include_str!("../README.md")]

mod anchors;
mod class;
mod scan;
mod secrets;
mod shape;

use mcp_gateway_sdk::{
    Direction, Example, Guardrail, Manifest, Message, Verdict, VerdictBuilder, export, manifest,
};
use serde::Deserialize;

use scan::Scanner;
use secrets::{SECRETS, Secret};

/// The configuration. Kept in step with `CONFIG_SCHEMA`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    requests: Requests,
    #[serde(default)]
    disable: Vec<String>,
}

const CONFIG_SCHEMA: &str = r#"{
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "requests": {
      "description": "What becomes of secrets on their way to a server.",
      "enum": ["off", "warn", "mask", "block"],
      "default": "warn"
    },
    "disable": {
      "description": "Identifiers of secrets not to look for.",
      "type": "array",
      "items": { "type": "string" },
      "default": []
    }
  }
}"#;

/// What becomes of secrets on their way to a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Requests {
    Off,
    #[default]
    Warn,
    Mask,
    Block,
}

/// The guardrail `basic`.
struct Basic {
    requests: Requests,
    scanner: Scanner,
}

impl Guardrail for Basic {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        for id in &config.disable {
            known(id)?;
        }
        let wanted = SECRETS
            .iter()
            .filter(|secret| !config.disable.iter().any(|id| id == secret.id));
        Ok(Self {
            requests: config.requests,
            scanner: Scanner::new(wanted),
        })
    }

    fn manifest(&self) -> Manifest {
        let manifest = manifest!().name("basic").config_schema(CONFIG_SCHEMA);
        self.scanner
            .secrets()
            .iter()
            .fold(manifest, |manifest, secret| {
                let masked = secret.samples.iter().map(|sample| {
                    Example::redact(
                        "tools/call",
                        [sample.concat().as_str()],
                        [secret.replacement],
                    )
                });
                let passed = secret
                    .near_misses
                    .iter()
                    .map(|near_miss| Example::pass("tools/call", [near_miss.concat().as_str()]));
                masked
                    .take(1)
                    .chain(passed.take(1))
                    .fold(manifest, Manifest::example)
            })
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        match (message.direction(), self.requests) {
            (Direction::ToClient, _) | (Direction::ToServer, Requests::Mask) => self.mask(message),
            (Direction::ToServer, Requests::Off) => Ok(Verdict::pass()),
            (Direction::ToServer, Requests::Warn) => self.report(message).finish(),
            (Direction::ToServer, Requests::Block) => self.block(message),
        }
    }
}

export!(Basic);

impl Basic {
    fn mask(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let mut verdict = Verdict::builder();
        for text in message.texts() {
            self.scanner.scan(&text, |secret, range| {
                verdict.mask(&text, range, secret.id, secret.replacement);
            });
        }
        verdict.finish()
    }

    fn report(&self, message: &Message<'_>) -> VerdictBuilder {
        let mut verdict = Verdict::builder();
        for text in message.texts() {
            self.scanner
                .scan(&text, |secret, range| verdict.mark(&text, range, secret.id));
        }
        verdict
    }

    fn block(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let mut verdict = self.report(message);
        let found = verdict.clone().finish()?;
        if let Some(finding) = found.findings().first() {
            verdict.block(format!(
                "it would hand a secret to the server ({})",
                finding.rule
            ));
        }
        verdict.finish()
    }
}

/// Whether there is a secret with this identifier; the error names the nearest that there is.
fn known(id: &str) -> Result<(), String> {
    if SECRETS.iter().any(|secret| secret.id == id) {
        return Ok(());
    }
    let distance = |secret: &&Secret| strsim::damerau_levenshtein(secret.id, id);
    let nearest = SECRETS
        .iter()
        .min_by_key(distance)
        .map_or("", |secret| secret.id);
    Err(format!(
        "disable: there is no secret {id:?}; did you mean {nearest:?}?"
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
