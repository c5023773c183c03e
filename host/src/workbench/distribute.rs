//! `plugin keygen`, `sign`, `push` and `update`: how components get to others, and how
//! these know that they are what was made.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};

use super::say;
use crate::bundled;
use crate::cli::{PushArgs, SignArgs, UpdateArgs};
use crate::config::{ConfigSource, Form, Source};
use crate::distribution::{self, SigningKey, lock_file, signature_file};
use crate::guardrail::{Anatomy, digest};

/// Makes a key.
pub(super) fn keygen(file: &Path) -> anyhow::Result<bool> {
    let key = SigningKey::generate(file)?;
    say(&format!(
        "{} signs components. Those who trust it write into gateway.toml:\n\n[gateway]\ntrusted_keys = [\"{}\"]\n",
        file.display(),
        key.public()
    ))?;
    Ok(true)
}

/// Signs a component.
pub(super) fn sign(args: &SignArgs) -> anyhow::Result<bool> {
    let key = SigningKey::read(&args.key)?;
    let digest = digest(&component(&args.file)?);
    let beside = signature_file(&args.file);
    fs::write(&beside, key.sign(&digest) + "\n")
        .with_context(|| format!("cannot write {}", beside.display()))?;
    say(&format!(
        "{} is signed by {}: {}\n",
        digest,
        key.public(),
        beside.display()
    ))?;
    Ok(true)
}

/// Pushes a component.
pub(super) async fn push(args: &PushArgs) -> anyhow::Result<bool> {
    let bytes = component(&args.file)?;
    let beside = signature_file(&args.file);
    let signature = match fs::read_to_string(&beside) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        read => {
            let text = read.with_context(|| format!("cannot read {}", beside.display()))?;
            Some(text.trim().to_owned())
        }
    };
    let digest = digest(&bytes);
    let is_signed = if signature.is_some() { ", signed" } else { "" };
    let manifest = distribution::push(&args.reference, bytes, signature).await?;
    say(&format!(
        "{}: component {digest}{is_signed}, manifest {manifest}\n",
        args.reference
    ))?;
    Ok(true)
}

/// Takes what references stand for now.
pub(super) async fn update(args: &UpdateArgs) -> anyhow::Result<bool> {
    let source = ConfigSource::new(Form::GatewayToml(args.config.clone()), &bundled::names());
    let config = source.load()?;
    let lock = lock_file(config.source.as_deref()).context("there is no lock file")?;
    let known = |name: &str| config.guardrails.iter().any(|it| it.name.as_str() == name);
    for name in &args.names {
        ensure!(
            known(name),
            "{} has no guardrail named {name:?}",
            args.config.display()
        );
    }
    let mut count = 0;
    for guardrail in &config.guardrails {
        let name = guardrail.name.as_str();
        let is_meant = args.names.is_empty() || args.names.iter().any(|it| it == name);
        let Source::Registry(reference) = &guardrail.component else {
            continue;
        };
        if is_meant {
            let locked = distribution::update(reference, &lock).await?;
            say(&format!("{name}: {reference} is {}\n", locked.digest))?;
            count += 1;
        }
    }
    if count == 0 {
        say("nothing comes from a registry\n")?;
    }
    Ok(true)
}

/// A file that is a component of a guardrail: nothing else is vouched for or handed on.
fn component(file: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Anatomy::of(&bytes).with_context(|| format!("{} is no guardrail", file.display()))?;
    Ok(bytes)
}
