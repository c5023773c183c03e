//! `plugin diff`: whether a build protects less than another, on the gateway's own texts,
//! on the other's examples and on captured messages.

use std::sync::Arc;

use anyhow::anyhow;

use super::component::{Component, config, rehearsal};
use super::say;
use crate::cli::{DiffArgs, Output};
use crate::config::{Limits, Only};
use crate::guardrail::Guardrail;
use crate::run::cache;
use crate::sandbox::Sandbox;
use crate::swap::{Trial, read};

/// Compares two builds. Says whether the new one is no worse.
///
/// # Errors
/// When they cannot be compared.
pub(super) async fn diff(args: &DiffArgs) -> anyhow::Result<bool> {
    let config = config(args.config.as_deref())?;
    let inputs = args.capture.as_deref().map(read).transpose()?;
    let sandbox = rehearsal(cache())?;
    let old = load(&sandbox, Component::open(&args.old)?, &config).await?;
    let new = load(&sandbox, Component::open(&args.new)?, &config).await?;
    let only = Only::default();
    let trial = Trial::new(&old, &new, &only, Limits::default().output, args.cost);
    let mut report = trial.report();
    trial.on_canaries(&mut report).await;
    trial.on_examples(&mut report).await;
    let inputs = inputs.unwrap_or_default();
    trial.on_messages(&[], &inputs, &mut report).await;
    say(&match args.output() {
        Output::Text => format!("{}{}\n", report.table(), report.summary()),
        Output::Json => format!("{:#}\n", report.json()),
    })?;
    Ok(!report.is_worse())
}

async fn load(
    sandbox: &Arc<Sandbox>,
    component: Component,
    config: &str,
) -> anyhow::Result<Arc<Guardrail>> {
    let loaded = component.load(sandbox, config).await;
    loaded.map_err(|error| anyhow!("{}: {error}", component.origin))
}
