//! Configures a guardrail once and keeps the memory that this leaves behind.
//!
//! Building tables and automata takes milliseconds, instantiating a snapshot
//! that holds them takes microseconds. Snapshots are kept in the cache by what
//! they were made of. A component that cannot be snapshotted is configured
//! anew for each of its instances.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wasmtime::Store;
use wasmtime_wizer::{WasmtimeWizerComponent, Wizer};

use super::{Fault, LoadError, Manifest, Recipe, START_BUDGET, compile, printable};
use crate::capability::contract::v0_1::{GuardrailComponent, GuardrailComponentPre};
use crate::config::Limits;
use crate::sandbox::{Confined, Sandbox, aside};

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
        Err(Setback::NoSnapshot(because)) => Configured {
            manifest: manifest(sandbox, recipe).await?,
            start: Start::Configure {
                because: printable(&because),
            },
            component: Arc::clone(&recipe.bytes),
        },
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
    let pre = compile(&sandbox, instrumented.into())
        .await
        .map_err(|error| Setback::NoSnapshot(error.to_string()))?;

    let mut store = sandbox.store(&recipe.name, &recipe.limits);
    let (instance, manifest) = run(&sandbox, &mut store, &pre, &recipe)
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
    })
}

/// What a component that cannot be snapshotted says about itself.
async fn manifest(sandbox: &Arc<Sandbox>, recipe: &Recipe) -> Result<Manifest, LoadError> {
    let pre = compile(sandbox, Arc::clone(&recipe.bytes)).await?;
    let mut store = sandbox.store(&recipe.name, &recipe.limits);
    let (_, manifest) = run(sandbox, &mut store, &pre, recipe).await?;
    Ok(manifest)
}

/// Instantiates a component and configures it.
async fn run(
    sandbox: &Sandbox,
    store: &mut Store<Confined>,
    pre: &GuardrailComponentPre<Confined>,
    recipe: &Recipe,
) -> Result<(wasmtime::component::Instance, Manifest), LoadError> {
    let limits = &recipe.limits;
    let fault = |error: wasmtime::Error| {
        let limits = Limits {
            cpu: limits.configure,
            ..limits.clone()
        };
        LoadError::ConfigureFault(Fault::from_call(&error, &limits))
    };
    let running = sandbox.arm(store, START_BUDGET);
    let instance = pre
        .instance_pre()
        .instantiate_async(&mut *store)
        .await
        .map_err(fault)?;
    let guardrail = GuardrailComponent::new(&mut *store, &instance).map_err(LoadError::Compile)?;
    drop(running);

    let running = sandbox.arm(store, limits.configure);
    let manifest = guardrail
        .mcp_gateway_guardrail_guardrail()
        .call_configure(&mut *store, &recipe.config)
        .await
        .map_err(fault)?
        .map_err(|refusal| LoadError::Configuration(printable(&refusal)))?;
    drop(running);
    Ok((instance, manifest.into()))
}

/// Names a snapshot by everything that it depends on.
fn key(recipe: &Recipe) -> String {
    let mut hash = Sha256::new();
    for part in [
        concat!("mcp-gateway ", env!("CARGO_PKG_VERSION"), " wasmtime 48").as_bytes(),
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

/// Reads a kept snapshot: a line of JSON, then the component.
fn read(path: &Path) -> Option<Configured> {
    let bytes = fs::read(path).ok()?;
    let end = memchr::memchr(b'\n', &bytes)?;
    let (head, component) = bytes.split_at_checked(end + 1)?;
    let mut configured: Configured = serde_json::from_slice(head).ok()?;
    configured.component = component.into();
    Some(configured)
}

/// Keeps a snapshot. Another gateway may read or write it at the same time, so
/// it appears by a rename, whole.
fn write(path: &Path, configured: &Configured) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    prune(folder)?;
    let mut bytes = serde_json::to_vec(configured)?;
    bytes.push(b'\n');
    bytes.extend_from_slice(&configured.component);
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    fs::write(&draft, bytes)?;
    fs::rename(&draft, path)
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
