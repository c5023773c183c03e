//! Configures a guardrail once and keeps the memory that this leaves behind.
//!
//! Building tables and automata takes milliseconds, instantiating a snapshot
//! that holds them takes microseconds. Snapshots are kept in the cache by what
//! they were made of. A component that cannot be snapshotted is configured
//! anew for each of its instances.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmtime::Store;
use wasmtime_wizer::{WasmtimeWizerComponent, Wizer};

use super::{Fault, LoadError, Manifest, Recipe, START_BUDGET, compile, digest, printable};
use crate::capability::contract::v0_1::{GuardrailComponent, GuardrailComponentPre};
use crate::sandbox::{Confined, LimitExceeded, Sandbox, aside};

/// The exact version of the tools that make snapshots: what one of them cannot
/// do, the next may.
const WASMTIME: &str = "48.0.8";

/// Snapshots beyond this number are removed from the cache, oldest first.
const KEPT: usize = 64;

/// How a guardrail's instances come into being.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Start {
    /// From a snapshot of the configured guardrail.
    Snapshot,
    /// By configuring each of them, which makes a first message slow.
    Configure {
        /// Why there is no snapshot.
        because: String,
    },
}

/// A configured guardrail.
#[derive(Serialize, Deserialize)]
pub(super) struct Configured {
    pub(super) manifest: Manifest,
    pub(super) start: Start,
    /// What its instances are made of: the snapshot, or the component itself.
    #[serde(skip)]
    pub(super) component: Arc<[u8]>,
    /// How long it took to configure, if that was done just now.
    #[serde(skip)]
    pub(super) took: Option<Duration>,
}

/// The first line of a kept snapshot.
#[derive(Serialize, Deserialize)]
struct Head<C> {
    /// Of the component that follows.
    digest: String,
    configured: C,
}

impl Start {
    /// What an instance must be configured with before it is used.
    pub(super) fn config_at_start(&self, config: &str) -> Option<String> {
        match self {
            Self::Snapshot => None,
            Self::Configure { .. } => Some(config.to_owned()),
        }
    }
}

/// Configures a guardrail, or finds what an earlier start of the gateway left.
pub(super) async fn configure(
    sandbox: &Arc<Sandbox>,
    recipe: &Recipe,
) -> Result<Configured, LoadError> {
    let kept = sandbox
        .cache()
        .map(|cache| cache.path().join("snapshots").join(key(recipe)));
    if let Some(found) = kept.as_deref().and_then(read) {
        return Ok(found);
    }

    // Wizer panics on what it does not expect.
    let drafted = aside(draft(Arc::clone(sandbox), recipe.clone()))
        .await
        .unwrap_or_else(|panic| Err(Setback::NoSnapshot(panic.to_string())));
    let configured = match drafted {
        Ok(configured) => configured,
        Err(Setback::Refused(error)) => return Err(error),
        Err(Setback::NoSnapshot(because)) => {
            let (manifest, took) = manifest(sandbox, recipe).await?;
            Configured {
                manifest,
                start: Start::Configure {
                    because: printable(&because),
                },
                component: Arc::clone(&recipe.bytes),
                took: Some(took),
            }
        }
    };
    if let Some(path) = kept
        && let Err(error) = write(&path, &configured)
    {
        tracing::warn!(path = %path.display(), %error, "cannot keep a snapshot");
    }
    Ok(configured)
}

/// What can come in a snapshot's way.
enum Setback {
    /// The guardrail itself is at fault.
    Refused(LoadError),
    /// The component can do its work, but not from a snapshot.
    NoSnapshot(String),
}

/// Runs an instrumented copy of the component, configures it, and takes the
/// snapshot.
async fn draft(sandbox: Arc<Sandbox>, recipe: Recipe) -> Result<Configured, Setback> {
    let no_snapshot = |error: wasmtime::Error| Setback::NoSnapshot(format!("{error:#}"));
    let wizer = {
        let mut wizer = Wizer::new();
        wizer.keep_init_func(true);
        wizer
    };
    let (context, instrumented) = wizer
        .instrument_component(&recipe.bytes)
        .map_err(no_snapshot)?;
    let pre = compile(&sandbox, instrumented.into(), recipe.grants)
        .await
        .map_err(|error| Setback::NoSnapshot(error.to_string()))?;

    let mut store = sandbox.store(&recipe.name, &recipe.limits);
    let (instance, manifest, took) = run(&sandbox, &mut store, &pre, &recipe)
        .await
        .map_err(Setback::Refused)?;
    // A handle is a number in the guest's memory, but its meaning is in the
    // host's: restored from a snapshot it would mean nothing.
    if !store.data().table.is_empty() {
        return Err(Setback::NoSnapshot(
            "its configure function keeps WASI handles open".into(),
        ));
    }
    store.set_hostcall_fuel(usize::MAX);
    let running = sandbox.arm(&mut store, Duration::from_secs(60));
    let mut state = WasmtimeWizerComponent {
        store: &mut store,
        instance,
    };
    let snapshot = wizer
        .snapshot_component(&context, &mut state)
        .await
        .map_err(no_snapshot)?;
    drop(running);
    Ok(Configured {
        manifest,
        start: Start::Snapshot,
        component: snapshot.into(),
        took: Some(took),
    })
}

/// What a component that cannot be snapshotted says about itself.
async fn manifest(
    sandbox: &Arc<Sandbox>,
    recipe: &Recipe,
) -> Result<(Manifest, Duration), LoadError> {
    let pre = compile(sandbox, Arc::clone(&recipe.bytes), recipe.grants).await?;
    let mut store = sandbox.store(&recipe.name, &recipe.limits);
    let (_, manifest, took) = run(sandbox, &mut store, &pre, recipe).await?;
    Ok((manifest, took))
}

/// Instantiates a component and configures it, or gives up on it: waiting costs
/// no CPU, so that a guest could do it for ever.
async fn run(
    sandbox: &Sandbox,
    store: &mut Store<Confined>,
    pre: &GuardrailComponentPre<Confined>,
    recipe: &Recipe,
) -> Result<(wasmtime::component::Instance, Manifest, Duration), LoadError> {
    // A short limit for messages does not take from what `configure` may use.
    let wall = recipe.limits.wall.max(recipe.limits.configure);
    tokio::time::timeout(wall, start(sandbox, store, pre, recipe))
        .await
        .unwrap_or_else(|_| {
            let limit = LimitExceeded::Wall(wall.as_millis());
            Err(LoadError::ConfigureFault(limit.into()))
        })
}

async fn start(
    sandbox: &Sandbox,
    store: &mut Store<Confined>,
    pre: &GuardrailComponentPre<Confined>,
    recipe: &Recipe,
) -> Result<(wasmtime::component::Instance, Manifest, Duration), LoadError> {
    let limits = &recipe.limits;
    let fault =
        |error: wasmtime::Error| LoadError::ConfigureFault(Fault::from_call(&error, limits));
    let running = sandbox.arm(store, START_BUDGET);
    let instance = pre
        .instance_pre()
        .instantiate_async(&mut *store)
        .await
        .map_err(fault)?;
    let guardrail = GuardrailComponent::new(&mut *store, &instance).map_err(LoadError::Compile)?;
    drop(running);

    let running = sandbox.arm(store, limits.configure);
    let begun = Instant::now();
    let manifest = guardrail
        .mcp_gateway_guardrail_guardrail()
        .call_configure(&mut *store, &recipe.config)
        .await
        .map_err(fault)?
        .map_err(|refusal| LoadError::Configuration(printable(&refusal)))?;
    drop(running);
    Ok((instance, manifest.into(), begun.elapsed()))
}

/// Names a snapshot by everything that it depends on.
fn key(recipe: &Recipe) -> String {
    let mut hash = Sha256::new();
    for part in [
        concat!("mcp-gateway ", env!("CARGO_PKG_VERSION")).as_bytes(),
        WASMTIME.as_bytes(),
        &*recipe.bytes,
        recipe.config.as_bytes(),
    ] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Reads a kept snapshot: a line of JSON, then the component. One that is not
/// what was written, because a disk was full for example, counts as none.
fn read(path: &Path) -> Option<Configured> {
    let bytes = fs::read(path).ok()?;
    let end = memchr::memchr(b'\n', &bytes)?;
    let (head, component) = bytes.split_at_checked(end + 1)?;
    let head: Head<Configured> = serde_json::from_slice(head).ok()?;
    (head.digest == digest(component)).then(|| Configured {
        component: component.into(),
        ..head.configured
    })
}

/// Keeps a snapshot. Another gateway may read or write it at the same time, so
/// it appears by a rename, whole.
fn write(path: &Path, configured: &Configured) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    prune(folder)?;
    let head = Head {
        digest: digest(&configured.component),
        configured,
    };
    // Its name is random: in containers that share the folder, processes share
    // their numbers as well.
    let mut draft = tempfile::NamedTempFile::new_in(folder)?;
    serde_json::to_writer(&mut draft, &head)?;
    draft.write_all(b"\n")?;
    draft.write_all(&configured.component)?;
    draft.persist(path)?;
    Ok(())
}

fn prune(folder: &Path) -> std::io::Result<()> {
    let mut files: Vec<(std::time::SystemTime, PathBuf)> = fs::read_dir(folder)?
        .filter_map(Result::ok)
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    files.sort();
    let surplus = files.len().saturating_sub(KEPT);
    for (_, path) in files.into_iter().take(surplus) {
        // Another gateway may have removed it first.
        let _ = fs::remove_file(path);
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn configured() -> Configured {
        Configured {
            manifest: Manifest {
                name: "m".into(),
                version: "1".into(),
                description: "two\nlines".into(),
                wants: Vec::new(),
                config_schema: None,
                examples: Vec::new(),
            },
            start: Start::Snapshot,
            component: Arc::from(&b"a component"[..]),
            took: None,
        }
    }

    #[test]
    fn a_snapshot_that_was_cut_short_or_changed_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("snapshots").join("one");
        write(&path, &configured()).unwrap();
        let found = read(&path).unwrap();
        assert_eq!(&*found.component, b"a component");
        assert_eq!(found.manifest, configured().manifest);

        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert!(read(&path).is_none());
        let mut changed = whole;
        *changed.last_mut().unwrap() ^= 1;
        fs::write(&path, changed).unwrap();
        assert!(read(&path).is_none());

        write(&path, &configured()).unwrap();
        assert!(read(&path).is_some());
        let left = fs::read_dir(folder.path().join("snapshots")).unwrap();
        assert_eq!(left.count(), 1, "no draft is left");
    }

    #[test]
    fn snapshots_are_named_by_the_version_that_is_in_use() {
        let manifest = include_str!("../../../Cargo.toml");
        let line = format!("wasmtime-wizer = {{ version = \"={WASMTIME}\"");
        assert!(manifest.contains(&line), "{line}");
    }
}
