//! Makes a chain of a configuration, taking over from the old chain whatever
//! has not changed.

use std::collections::HashMap;
use std::sync::Arc;

use crate::chain::{Chain, Link, Memory, Recent};
use crate::config::{Capability, Config, Guardrail as Spec, Mode, Proof, Swap};
use crate::distribution::{DistributionError, Policy, fetch, lock_file};
use crate::guardrail::{Fault, Guardrail, LoadError, Recipe, digest};
use crate::journal::{Kind, Record};
use crate::sandbox::{Sandbox, SecretError, UnusableJournal, aside};
use crate::swap::{self, Outcome, Outcomes, Report};

/// The builds that did not pass, by guardrail: none is tried again until it
/// changes, or something else is asked of it.
#[derive(Debug, Default)]
pub struct Refused {
    known: HashMap<Arc<str>, Tried>,
    outcomes: Arc<Outcomes>,
}

/// A build, and what it had to show.
#[derive(Debug, PartialEq, Eq)]
struct Tried {
    fingerprint: String,
    proof: Proof,
}

impl Refused {
    /// None yet. What becomes of builds is told here.
    pub fn telling(outcomes: Arc<Outcomes>) -> Self {
        Self {
            known: HashMap::new(),
            outcomes,
        }
    }
}

/// Why there is no new chain.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A component is not to be had, or is not what it has to be.
    #[error("guardrail \"{name}\": {cause}")]
    Fetch {
        /// The guardrail.
        name: Arc<str>,
        /// Why not.
        cause: Box<DistributionError>,
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
    /// It protects less than the build that serves, or costs much more.
    #[error(
        "guardrail \"{name}\": the new build is worse than the one that serves: {}; \
         swap = \"examples\" in its entry lets it in all the same\n{}",
        report.summary(),
        report.table()
    )]
    Worse {
        /// The guardrail.
        name: Arc<str>,
        /// What differs.
        report: Box<Report>,
    },
}

impl BuildError {
    /// In one line, for the record and for `status`.
    fn reason(&self) -> String {
        let text = self.to_string();
        text.lines().next().unwrap_or_default().to_owned()
    }

    fn report(&self) -> Option<Report> {
        match self {
            Self::Worse { report, .. } => Some((**report).clone()),
            _ => None,
        }
    }
}

/// Makes the chain that a configuration describes.
///
/// With `refused`, a component that changed and does not pass leaves its old
/// build in place, which is logged once for each bad build; without, it is an
/// error.
pub async fn build(
    sandbox: &Arc<Sandbox>,
    config: &Config,
    old: &Arc<Chain>,
    mut refused: Option<&mut Refused>,
) -> Result<Chain, BuildError> {
    let mut links = Vec::new();
    for spec in &config.guardrails {
        if spec.mode == Mode::Off {
            continue;
        }
        let predecessor = predecessor(old, spec);
        let renewed = renew(sandbox, spec, config, old, refused.as_deref_mut()).await;
        let guardrail = match (renewed, predecessor, refused.as_deref()) {
            (Ok(guardrail), _, _) => guardrail,
            (Err(error), Some(link), Some(refused)) => {
                tracing::error!("the old build goes on serving: {error}");
                keep(old, link, &error, refused);
                Arc::clone(link.guardrail())
            }
            (Err(error), _, _) => return Err(error),
        };
        links.push(Link::new(guardrail, spec.clone()));
    }
    Ok(Chain::new(links).remembering(memory(config, old)))
}

/// What messages are kept in, if any guardrail wants its builds tried on them.
fn memory(config: &Config, old: &Chain) -> Memory {
    let wanted = config.guardrails.iter();
    let mut wanted = wanted.filter(|spec| spec.mode != Mode::Off);
    let told = old.memory().as_ref().and_then(|recent| recent.told());
    let is_captured = config.swap.capture.is_some() || told.is_some();
    if !is_captured && !wanted.any(|spec| spec.proof == Proof::Replay) {
        return None;
    }
    let Swap {
        messages, bytes, ..
    } = config.swap;
    let kept = old.memory().as_ref();
    let kept = kept.filter(|recent| recent.has_room_for(messages, bytes));
    if let Some(kept) = kept {
        return Some(Arc::clone(kept));
    }
    let recent = Recent::new(messages, bytes);
    if let Some(told) = told {
        recent.tell(told.clone());
    }
    Some(Arc::new(recent))
}

/// Tells that an old build stays.
fn keep(chain: &Chain, link: &Link, error: &BuildError, refused: &Refused) {
    let name = link.guardrail().name();
    let outcome = Outcome::now(Some(error.reason()), error.report());
    refused.outcomes.note(name, outcome);
    let said = serde_json::json!({
        "digest": refused.known.get(name).map(|tried| &tried.fingerprint),
        "before": link.guardrail().anatomy().digest,
        "reason": error.reason(),
    });
    record(chain, name, "guardrail/refused", &said);
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
        let before = predecessor(old, link.spec());
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
        record(chain, guardrail.name(), method, &said);
    }
}

/// Records what became of a guardrail's build, where anything is recorded: who reads of
/// calls later knows what they had passed.
fn record(chain: &Chain, guardrail: &Arc<str>, method: &str, said: &serde_json::Value) {
    let Some(journal) = chain.journaling().and_then(|it| it.guardrail().journal()) else {
        return;
    };
    let record = Record {
        subject: Some(Arc::clone(guardrail)),
        ..Record::alone(Kind::Guardrail, method, said.to_string())
    };
    if let Err(unrecorded) = journal.write(record) {
        tracing::error!("what became of a guardrail's build was not recorded: {unrecorded}");
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
    old: &Arc<Chain>,
    mut refused: Option<&mut Refused>,
) -> Result<Arc<Guardrail>, BuildError> {
    let name: Arc<str> = Arc::from(spec.name.as_str());
    let predecessor = predecessor(old, spec);
    let read = aside({
        let (component, policy) = (spec.component.clone(), policy(spec, config));
        async move {
            let bytes = fetch(&component, &policy).await?;
            Ok((digest(&bytes), bytes))
        }
    })
    .await
    .unwrap_or_else(|panic| Err(DistributionError::Panicked(panic.to_string())));
    let tried = Tried {
        fingerprint: match &read {
            Ok((digest, _)) => digest.clone(),
            Err(error) => error.to_string(),
        },
        proof: spec.proof,
    };
    if let Some(link) = predecessor {
        let known = link.guardrail().anatomy().digest == tried.fingerprint;
        let bad = refused
            .as_ref()
            .is_some_and(|refused| refused.known.get(&name) == Some(&tried));
        if known || bad {
            return Ok(Arc::clone(link.guardrail()));
        }
    }
    if let Some(refused) = &mut refused {
        // Until it is known better.
        refused.known.insert(Arc::clone(&name), tried);
    }
    let (_, bytes) = read.map_err(|cause| BuildError::Fetch {
        name: Arc::clone(&name),
        cause: Box::new(cause),
    })?;
    let recipe = recipe(spec, bytes);
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
    swap::sing(&guardrail, spec)
        .await
        .map_err(|reason| BuildError::Canary {
            name: Arc::clone(&name),
            reason,
        })?;
    let Some(refused) = refused else {
        return Ok(guardrail);
    };
    // What has no effect may do what it likes.
    if predecessor.is_some() && spec.mode != Mode::Shadow {
        let compared = swap::compare(old, spec, &config.swap, &guardrail).await;
        let report = compared.map_err(|panic| BuildError::Load {
            name: Arc::clone(&name),
            origin: spec.component.to_string(),
            cause: Box::new(LoadError::Panicked(panic.to_string())),
        })?;
        if let Some(report) = report.as_ref().filter(|report| report.is_worse()) {
            let report = Box::new(report.clone());
            return Err(BuildError::Worse { name, report });
        }
        if let Some(report) = report.as_ref().filter(|report| report.is_different()) {
            tracing::info!(
                guardrail = &*name,
                "the new build judges differently\n{}",
                report.table()
            );
        }
        refused.outcomes.note(&name, Outcome::now(None, report));
    }
    refused.known.remove(&name);
    Ok(guardrail)
}

/// What a guardrail is made of, by its entry in the configuration.
pub fn recipe(spec: &Spec, bytes: Vec<u8>) -> Recipe {
    Recipe {
        name: spec.name.as_str().into(),
        keyed: spec.beside.as_ref().unwrap_or(&spec.name).as_str().into(),
        bytes: bytes.into(),
        config: spec.config.clone(),
        limits: spec.limits.clone(),
        isolation: spec.isolation,
        grants: spec.grants,
        destinations: spec.destinations.clone(),
    }
}

/// What the component of a guardrail has to be.
pub fn policy(spec: &Spec, config: &Config) -> Policy {
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
        && one.beside == other.beside
        && one.component == other.component
        && one.digest == other.digest
        && one.config == other.config
        && one.limits == other.limits
        && one.isolation == other.isolation
        && one.grants == other.grants
        && one.destinations == other.destinations
}
