//! Where guardrails run: one wasmtime engine for the process, and everything
//! that confines what runs on it.
//!
//! Each instance lives in a [`Store`] of its own, because in wasmtime a trap
//! ends the whole store: a guardrail that fails can take nothing down but
//! itself. Limits are enforced here, by the engine's epochs (CPU), by the
//! store's limiter (memory) and by [`Confined`] (what the guest says).

mod cache;
mod confined;
mod output;
mod ticker;
mod waiting;

pub use cache::{CacheDir, CacheError, journal_file, state_folder};
pub use confined::{Confined, LimitExceeded};

pub(crate) use waiting::measured;

pub use crate::capability::keys::{SecretError, journal_keys};
pub use crate::capability::state::{SharedError, look_at_shared};

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::task::JoinError;
use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Cache, CacheConfig, Config, Enabled, Engine, InstanceAllocationStrategy, Store};
use wasmtime::{PoolingAllocationConfig, UpdateDeadline};
use wasmtime_wasi::WasiView;

use crate::capability::contract::v0_1::mcp_gateway::guardrail as contract;
use crate::capability::keys::Secret;
use crate::capability::state::States;
use crate::config::{self, Grants, Limits};
use crate::journal::{Events, Journal, JournalError, Settings};
use ticker::Ticker;

/// How often a running guest is stopped to look at its CPU budget. Also the
/// grain of that budget.
const TICK: Duration = Duration::from_millis(10);

/// How many instances may exist at a time. Each needs address space (not
/// memory), and warm ones count.
const INSTANCES: u32 = 256;

/// Core instances that one component may have. componentize-py makes some 40, a library of
/// Python's each.
const CORE_INSTANCES: u32 = 64;

/// The engine, and what every guardrail on it shares.
///
/// Dropping it ends the thread that ticks.
pub struct Sandbox {
    engine: Engine,
    linker: Linker<Confined>,
    ticker: Ticker,
    cache: Option<CacheDir>,
    turns: Arc<Semaphore>,
    states: States,
    secret: OnceLock<Arc<Secret>>,
    journal: OnceLock<Arc<Journal>>,
}

/// Why no guardrail can run at all.
#[derive(Debug, thiserror::Error)]
#[error("cannot set up the WebAssembly engine: {0:#}")]
pub struct SandboxError(wasmtime::Error);

/// Why exchanges cannot be recorded.
#[derive(Debug, thiserror::Error)]
pub enum UnusableJournal {
    /// There is no secret to seal records with.
    #[error("there is no secret to seal the journal with: {0}")]
    Secret(#[from] SecretError),
    /// Its file is none of this installation's.
    #[error("the journal cannot be used: {0}")]
    File(#[from] JournalError),
}

impl Sandbox {
    /// Sets up the engine. Compiled guardrails are kept in `cache`, if there is
    /// one.
    pub fn new(cache: Option<CacheDir>) -> Result<Self, SandboxError> {
        let engine = engine(cache.as_ref()).map_err(SandboxError)?;
        let linker = linker(&engine).map_err(SandboxError)?;
        let ticker = Ticker::start(&engine, TICK);
        Ok(Self {
            engine,
            linker,
            ticker,
            cache,
            turns: Arc::new(Semaphore::new(processors())),
            states: States::default(),
            secret: OnceLock::new(),
            journal: OnceLock::new(),
        })
    }

    /// The engine that components are compiled for.
    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Everything that a guardrail can import: what every guardrail is granted (the
    /// contract's own imports and the inert WASI base), and its own grants. An import
    /// that is not in it is refused when a component is loaded.
    pub(crate) fn linker(&self, grants: Grants) -> wasmtime::Result<Linker<Confined>> {
        let mut linker = self.linker.clone();
        if grants.state {
            contract::state::add_to_linker::<_, HasSelf<_>>(&mut linker, |confined| confined)?;
        }
        if grants.keys {
            contract::keys::add_to_linker::<_, HasSelf<_>>(&mut linker, |confined| confined)?;
        }
        if grants.journal {
            contract::journal::add_to_linker::<_, HasSelf<_>>(&mut linker, |confined| confined)?;
        }
        if grants.http {
            wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        }
        Ok(linker)
    }

    /// What guardrails keep.
    pub fn states(&self) -> &States {
        &self.states
    }

    /// Opens the secret that keys are derived from, before a guardrail goes live that
    /// derives some.
    pub fn open_secret(&self) -> Result<(), SecretError> {
        if self.secret.get().is_none() {
            let secret = Secret::open()?;
            // Whoever was first has opened the same.
            let _ = self.secret.set(Arc::new(secret));
        }
        Ok(())
    }

    /// Has keys derived from a secret that is known to all, for guardrails that are
    /// tried on messages which nobody sent.
    pub fn use_known_secret(&self) {
        let _ = self.secret.set(Arc::new(Secret::fixed()));
    }

    /// The secret, once it was opened.
    pub(crate) fn secret(&self) -> Option<Arc<Secret>> {
        self.secret.get().cloned()
    }

    /// Opens the journal, before a guardrail goes live that has exchanges recorded. The
    /// first that is opened stays.
    ///
    /// # Errors
    /// When there is no secret to seal it with, or when its file is no journal of this
    /// installation. One that cannot be written for now is no error: see
    /// [`Journal::is_writable`].
    pub fn open_journal(&self, settings: &config::Journal) -> Result<(), UnusableJournal> {
        if self.journal.get().is_none() {
            let settings = Settings {
                path: journal_file(settings.file.as_deref()).ok_or(SecretError::Nowhere)?,
                keys: journal_keys()?,
                durability: settings.durability,
                rotate: settings.rotate.clone(),
                events: Events::from_env(),
            };
            let journal = Arc::new(Journal::open(settings)?);
            // Whoever was first has opened the same.
            let _ = self.journal.set(journal);
        }
        Ok(())
    }

    /// Writes what the journal was handed, if there is one, and ends it.
    pub async fn close_journal(&self) {
        if let Some(journal) = self.journal.get().cloned() {
            let closed = tokio::task::spawn_blocking(move || journal.close());
            if let Err(panic) = closed.await {
                tracing::error!("the journal was not closed: {panic}");
            }
        }
    }

    /// The journal, once it was opened.
    pub fn journal(&self) -> Option<&Arc<Journal>> {
        self.journal.get()
    }

    pub(crate) fn cache(&self) -> Option<&CacheDir> {
        self.cache.as_ref()
    }

    /// A store for one instance, with its limits in place. The guest may use
    /// no CPU until [`arm`](Self::arm) grants it some.
    pub(crate) fn store(&self, name: &str, limits: &Limits) -> Store<Confined> {
        let mut store = Store::new(&self.engine, Confined::new(name, limits));
        store.limiter(|confined| confined);
        store.set_hostcall_fuel(limits.output);
        store.set_max_component_handles(1_000);
        store.epoch_deadline_callback(|mut store| {
            store.data_mut().spend_tick()?;
            // Others get their turn, and a wall deadline around the call can
            // take effect.
            Ok(UpdateDeadline::Yield(1))
        });
        store
    }

    /// Waits until a guest can be run [`aside`] with a processor to itself; it
    /// has that until the permit is dropped.
    pub(crate) async fn turn_aside(&self) -> Option<OwnedSemaphorePermit> {
        // Nobody closes the semaphore.
        Arc::clone(&self.turns).acquire_owned().await.ok()
    }

    /// Grants the store's guest a CPU budget, right before it is called, and
    /// keeps the clock ticking until the guard is dropped.
    ///
    /// The budget is counted in ticks that pass while the guest executes. Time
    /// that it waits for the host or for other tasks is not billed. But ticks
    /// are of the clock on the wall: each time that the system gives the
    /// thread's processor to another may cost the guest one. So no more guests
    /// are put on threads of their own than there are processors: see
    /// [`turn_aside`](Self::turn_aside).
    pub(crate) fn arm(&self, store: &mut Store<Confined>, cpu: Duration) -> ticker::Running<'_> {
        let running = self.ticker.run();
        let ticks = cpu.as_millis().div_ceil(TICK.as_millis());
        store
            .data_mut()
            .grant(cpu, u32::try_from(ticks).unwrap_or(u32::MAX));
        store.set_epoch_deadline(1);
        running
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn engine(cache: Option<&CacheDir>) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        // WASI 0.3's concurrency would cost every call a microsecond, and no
        // toolchain makes guests that need it.
        .concurrency_support(false)
        .max_wasm_stack(512 << 10)
        .async_stack_size(1 << 20);
    if let Some(cache) = cache {
        let mut compiled = CacheConfig::new();
        compiled.with_directory(cache.path().join("compiled"));
        config.cache(Some(Cache::new(compiled)?));
    }

    config.allocation_strategy(pool());
    Engine::new(&config).or_else(|error| {
        tracing::warn!(
            error = format!("{error:#}"),
            "not enough address space for a pool of instances; each guardrail call will take longer"
        );
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Engine::new(&config)
    })
}

fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        // A component holds several core instances and tables: its own, and
        // those of the adapters that its toolchain put in.
        .total_core_instances(INSTANCES * 16)
        .max_core_instances_per_component(CORE_INSTANCES)
        .total_memories(INSTANCES)
        .max_memories_per_component(4)
        .total_tables(INSTANCES * 4)
        .max_tables_per_component(32)
        .table_elements(100_000)
        .total_stacks(INSTANCES)
        .max_memory_size(usize::try_from(Limits::MAX_MEMORY).unwrap_or(usize::MAX))
        .linear_memory_keep_resident(2 << 20)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// Links what every guardrail gets. `wasi:sockets` is not there, nor is `wasi:http`,
/// which has to be granted: a component that wants the network is refused by name.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<Confined>> {
    use wasmtime_wasi::cli::{WasiCli, WasiCliView};
    use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
    use wasmtime_wasi::p2::bindings::{cli, filesystem, random};
    use wasmtime_wasi::random::WasiRandom;

    let mut linker = Linker::new(engine);
    let l = &mut linker;
    contract::types::add_to_linker::<_, HasSelf<_>>(l, |confined| confined)?;
    contract::log::add_to_linker::<_, HasSelf<_>>(l, |confined| confined)?;
    contract::message::add_to_linker::<_, HasSelf<_>>(l, |confined| confined)?;

    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(l)?;
    cli::exit::add_to_linker::<Confined, WasiCli>(l, Confined::cli)?;
    cli::environment::add_to_linker::<Confined, WasiCli>(l, Confined::cli)?;
    cli::terminal_input::add_to_linker::<Confined, WasiCli>(l, Confined::cli)?;
    cli::terminal_output::add_to_linker::<Confined, WasiCli>(l, Confined::cli)?;
    cli::terminal_stdin::add_to_linker::<Confined, WasiCli>(l, Confined::cli)?;
    cli::terminal_stdout::add_to_linker::<Confined, WasiCli>(l, Confined::cli)?;
    cli::terminal_stderr::add_to_linker::<Confined, WasiCli>(l, Confined::cli)?;
    filesystem::types::add_to_linker::<Confined, WasiFilesystem>(l, Confined::filesystem)?;
    filesystem::preopens::add_to_linker::<Confined, WasiFilesystem>(l, Confined::filesystem)?;
    random::insecure::add_to_linker::<Confined, WasiRandom>(l, |c| c.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<Confined, WasiRandom>(l, |c| c.ctx().ctx.random())?;
    Ok(linker)
}

/// Does long work on another thread than the one that relays messages. A panic
/// of the work becomes an error; work that nobody waits for any more ends where
/// it next gives way, which a guest does at every tick.
pub(crate) async fn aside<W>(work: W) -> Result<W::Output, JoinError>
where
    W: Future + Send + 'static,
    W::Output: Send,
{
    let runtime = tokio::runtime::Handle::current();
    let (mut done, output) = oneshot::channel();
    let thread = tokio::task::spawn_blocking(move || {
        runtime.block_on(async move {
            tokio::select! {
                biased;
                () = done.closed() => {}
                // Whoever waited may have left at this very moment.
                output = work => drop(done.send(output)),
            }
        });
    });
    match output.await {
        Ok(output) => Ok(output),
        Err(_) => match thread.await {
            Err(panic) => Err(panic),
            // The work is given up only when this is.
            Ok(()) => std::future::pending().await,
        },
    }
}

/// Whether an import that the contract does not define belongs to the inert
/// WASI base.
pub(crate) fn is_inert_wasi(import: &str) -> bool {
    ["cli", "clocks", "filesystem", "io", "random"]
        .iter()
        .any(|package| {
            import
                .strip_prefix("wasi:")
                .and_then(|rest| rest.strip_prefix(package))
                .is_some_and(|rest| rest.starts_with('/'))
        })
        && import.contains("@0.2.")
}
