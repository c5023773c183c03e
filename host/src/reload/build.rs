//! Makes a chain of a configuration, taking over from the old chain whatever
//! has not changed.

use std::collections::HashMap;
use std::sync::Arc;

use super::canary;
use crate::chain::{Chain, Link};
use crate::config::{Capability, Config, Guardrail as Spec, Mode};
use crate::distribution::{DistributionError, Policy, fetch, lock_file};
use crate::guardrail::{Fault, Guardrail, LoadError, Recipe, digest};
use crate::journal::{Kind, Record};
use crate::sandbox::{Sandbox, SecretError, UnusableJournal, aside};

/// The builds that did not pass, by guardrail: none is tried again until it
/// changes.
#[derive(Debug, Default)]
pub struct Refused(HashMap<Arc<str>, String>);

/// Why there is no new chain.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A component is not to be had, or is not what it has to be.
    #[error("guardrail \"{name}\": {cause}")]
    Fetch {
        /// The guardrail.
        name: Arc<str>,
        /// Why not.
        cause: DistributionError,
    },
    /// A component does not become a guardrail.
    #[error("guardrail \"{name}\" ({origin}): {cause}")]
    Load {
        /// The guardrail.
        name: Arc<str>,
        /// Where it comes from.
        origin: String,
        /// What is wrong with it.
        cause: Box<LoadError>,
    },
    /// There is no secret to derive its keys from.
    #[error("guardrail \"{name}\" needs keys, and there is no secret to derive them from: {cause}")]
    Secret {
        /// The guardrail.
        name: Arc<str>,
        /// Why not.
        cause: SecretError,
    },
    /// There is no journal for what it has recorded.
    #[error("guardrail \"{name}\" has exchanges recorded: {cause}")]
    Journal {
        /// The guardrail.
        name: Arc<str>,
        /// Why not.
        cause: UnusableJournal,
    },
    /// It fails where it must not.
    #[error("guardrail \"{name}\" fails on a harmless message: {reason}")]
    Canary {
        /// The guardrail.
        name: Arc<str>,
        /// What happens.
        reason: Fault,
    },
}

/// Makes the chain that a configuration describes.
///
/// With `refused`, a component that changed and does not pass leaves its old
/// build in place, which is logged once for each bad build; without, it is an
/// error.
pub async fn build(
    sandbox: &Arc<Sandbox>,
    config: &Config,
    old: &Chain,
    mut refused: Option<&mut Refused>,
) -> Result<Chain, BuildError> {
    let mut links = Vec::new();
    for spec in &config.guardrails {
        if spec.mode == Mode::Off {
            continue;
        }
        let predecessor = predecessor(old, spec);
        let guardrail = match (
            renew(sandbox, spec, config, predecessor, refused.as_deref_mut()).await,
            predecessor,
        ) {
            (Ok(guardrail), _) => guardrail,
            (Err(error), Some(link)) if refused.is_some() => {
                tracing::error!("the old build goes on serving: {error}");
                Arc::clone(link.guardrail())
            }
            (Err(error), _) => return Err(error),
        };
        links.push(Link::new(guardrail, spec.clone()));
    }
    Ok(Chain::new(links))
}

/// Logs which guardrails a chain has that the one before had not. To be called
/// once it is in force, so that who waits for the line sees the new build serve.
pub(super) fn announce(chain: &Chain, old: &Chain) {
    for link in chain.links() {
        let guardrail = link.guardrail();
        let mut before = old.links().iter();
        if before.any(|old| Arc::ptr_eq(old.guardrail(), guardrail)) {
            continue;
        }
        tracing::info!(
            guardrail = &**guardrail.name(),
            version = guardrail.manifest().version,
            digest = guardrail.anatomy().digest,
            uses = uses(guardrail),
            "{}",
            match predecessor(old, link.spec()) {
                Some(_) => "guardrail swapped",
                None => "guardrail loaded",
            }
        );
        record(chain, guardrail, predecessor(old, link.spec()));
    }
}

/// Records which guardrail came into force, where anything is recorded: who reads of calls
/// later knows what they had passed.
fn record(chain: &Chain, guardrail: &Guardrail, before: Option<&Link>) {
    let Some(journal) = chain.journaling().and_then(|it| it.guardrail().journal()) else {
        return;
    };
    let before = before.map(|link| link.guardrail().anatomy().digest.as_str());
    let said = serde_json::json!({
        "version": guardrail.manifest().version,
        "digest": guardrail.anatomy().digest,
        "before": before,
    });
    let method = match before {
        Some(_) => "guardrail/swapped",
        None => "guardrail/loaded",
    };
    let record = Record {
        subject: Some(Arc::clone(guardrail.name())),
        ..Record::alone(Kind::Guardrail, method, said.to_string())
    };
    if let Err(unrecorded) = journal.write(record) {
        tracing::error!("that a guardrail came into force was not recorded: {unrecorded}");
    }
}

/// What a guardrail uses of all that can be granted, for the log; nothing where that is
/// nothing.
fn uses(guardrail: &Guardrail) -> Option<String> {
    let names: Vec<&str> = guardrail.uses().iter().map(Capability::name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// The guardrail that a configuration describes, in a chain.
fn predecessor<'a>(chain: &'a Chain, spec: &Spec) -> Option<&'a Link> {
    let mut links = chain.links().iter();
    links.find(|link| same_guardrail(link.spec(), spec))
}

/// The guardrail as its component now is: the old one if that has not changed.
async fn renew(
    sandbox: &Arc<Sandbox>,
    spec: &Spec,
    config: &Config,
    predecessor: Option<&Link>,
    mut refused: Option<&mut Refused>,
) -> Result<Arc<Guardrail>, BuildError> {
    let name: Arc<str> = Arc::from(spec.name.as_str());
    let read = aside({
        let (component, policy) = (spec.component.clone(), policy(spec, config));
        async move {
            let bytes = fetch(&component, &policy).await?;
            Ok((digest(&bytes), bytes))
        }
    })
    .await
    .unwrap_or_else(|panic| Err(DistributionError::Panicked(panic.to_string())));
    let fingerprint = match &read {
        Ok((digest, _)) => digest.clone(),
        Err(error) => error.to_string(),
    };
    if let Some(link) = predecessor {
        let known = link.guardrail().anatomy().digest == fingerprint;
        let bad = refused
            .as_ref()
            .is_some_and(|refused| refused.0.get(&name) == Some(&fingerprint));
        if known || bad {
            return Ok(Arc::clone(link.guardrail()));
        }
    }
    if let Some(refused) = &mut refused {
        // Until it is known better.
        refused.0.insert(Arc::clone(&name), fingerprint);
    }
    let (_, bytes) = read.map_err(|cause| BuildError::Fetch {
        name: Arc::clone(&name),
        cause,
    })?;
    let recipe = Recipe {
        name: Arc::clone(&name),
        bytes: bytes.into(),
        config: spec.config.clone(),
        limits: spec.limits.clone(),
        isolation: spec.isolation,
        grants: spec.grants,
        destinations: spec.destinations.clone(),
    };
    let guardrail = aside(Guardrail::load(Arc::clone(sandbox), recipe))
        .await
        .unwrap_or_else(|panic| Err(LoadError::Panicked(panic.to_string())))
        .map_err(|cause| BuildError::Load {
            name: Arc::clone(&name),
            origin: spec.component.to_string(),
            cause: Box::new(cause),
        })?;
    if guardrail.uses().keys {
        sandbox.open_secret().map_err(|cause| BuildError::Secret {
            name: Arc::clone(&name),
            cause,
        })?;
    }
    if guardrail.uses().journal {
        let opened = sandbox.open_journal(&config.journal);
        opened.map_err(|cause| BuildError::Journal {
            name: Arc::clone(&name),
            cause,
        })?;
    }
    let guardrail = Arc::new(guardrail);
    canary::sing(&guardrail, spec)
        .await
        .map_err(|reason| BuildError::Canary {
            name: Arc::clone(&name),
            reason,
        })?;
    if let Some(refused) = refused {
        refused.0.remove(&name);
    }
    Ok(guardrail)
}

/// What the component of a guardrail has to be.
fn policy(spec: &Spec, config: &Config) -> Policy {
    Policy {
        digest: spec.digest.clone(),
        trusted: config.gateway.trusted_keys.clone(),
        lock: lock_file(config.source.as_deref()),
    }
}

/// Whether two configurations describe the same guardrail, whatever its place
/// in the chain does with its verdicts.
fn same_guardrail(one: &Spec, other: &Spec) -> bool {
    one.name == other.name
        && one.component == other.component
        && one.digest == other.digest
        && one.config == other.config
        && one.limits == other.limits
        && one.isolation == other.isolation
        && one.grants == other.grants
        && one.destinations == other.destinations
}
