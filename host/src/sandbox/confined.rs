//! What the host holds for one instance: its inert WASI context, its limits,
//! and what it has left of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::ResourceLimiter;
use wasmtime_wasi::{ResourceTable, WasiCtx, WasiCtxView, WasiView};

use super::CORE_INSTANCES;
use super::output::{LogBudget, Output};
use super::waiting::Waited;
use crate::capability::http::Http;
use crate::capability::log::Line;
use crate::capability::own::{Own, Unavailable};
use crate::config::Limits;

/// The data of a guardrail instance's store.
pub struct Confined {
    wasi: WasiCtx,
    /// Handles that the guest holds.
    pub(crate) table: ResourceTable,
    /// Only while it checks a message, and uses a capability that needs this.
    own: Option<Own>,
    /// What it sends.
    pub(crate) http: Http,
    waited: Waited,
    log: Arc<Mutex<LogBudget>>,
    limits: Limits,
    granted: Duration,
    ticks: u32,
    host_calls: u32,
    memory: u64,
}

/// The limit that a guest ran into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LimitExceeded {
    /// It executed for too long.
    #[error("it used more CPU time than its limit of {0} ms")]
    Cpu(u128),
    /// It was not done in time, waiting included.
    #[error("it took longer than its limit of {0} ms")]
    Wall(u128),
    /// It wanted too much memory.
    #[error("it wanted more memory than its limit of {0} bytes")]
    Memory(u64),
    /// It wanted a table with too many elements.
    #[error("it wanted a table of more than {0} elements")]
    Table(usize),
    /// It wrote too much to the log, or to standard output or error.
    #[error("it logged more than its limit of {lines} lines and {bytes} bytes a message")]
    Log {
        /// Lines a message.
        lines: u32,
        /// Bytes a message.
        bytes: u32,
    },
    /// It called the host too often.
    #[error("it called the host more often than its limit of {0} times a message")]
    HostCalls(u32),
}

/// Elements that a table may grow to: far more than any toolchain lays out.
const TABLE_ELEMENTS: usize = 100_000;

/// Random bytes that a guest may have at a time: they are made in the host, so
/// neither its memory limit nor its CPU budget is billed for them.
const RANDOM: u64 = 64 << 10;

impl Confined {
    pub(super) fn new(name: &str, limits: &Limits) -> Self {
        let log = Arc::new(Mutex::new(LogBudget::new(name, limits)));
        let wasi = WasiCtx::builder()
            .max_random_size(RANDOM)
            .stdout(Output(Arc::clone(&log)))
            .stderr(Output(Arc::clone(&log)))
            .build();
        Self {
            wasi,
            table: ResourceTable::new(),
            own: None,
            http: Http::new(limits),
            waited: Waited::default(),
            log,
            limits: limits.clone(),
            granted: Duration::ZERO,
            ticks: 0,
            host_calls: limits.host_calls,
            memory: 0,
        }
    }

    /// Gives back what one message may use, before the next is checked on behalf of
    /// whom this says.
    pub(crate) fn renew(&mut self, own: Option<Own>) {
        self.http.renew(own.as_ref());
        self.own = own;
        self.host_calls = self.limits.host_calls;
        self.log().renew();
    }

    /// What the guardrail has of its own.
    pub(crate) fn own(&self) -> Result<&Own, Unavailable> {
        self.own.as_ref().ok_or(Unavailable::Configuring)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The bytes of memory that the guest has grown to.
    pub(crate) fn memory(&self) -> u64 {
        self.memory
    }

    /// Takes one host call off what the guest may make.
    pub(crate) fn spend_host_call(&mut self) -> Result<(), LimitExceeded> {
        self.host_calls = self
            .host_calls
            .checked_sub(1)
            .ok_or(LimitExceeded::HostCalls(self.limits.host_calls))?;
        Ok(())
    }

    /// Writes a line to the gateway's log in the guardrail's name.
    pub(crate) fn write_log(&mut self, line: Line<'_>) -> Result<(), LimitExceeded> {
        self.log().line(line)
    }

    /// Grants a CPU budget, which is so many ticks.
    pub(super) fn grant(&mut self, cpu: Duration, ticks: u32) {
        self.granted = cpu;
        self.ticks = ticks;
    }

    /// Where the time is noted in which the guest waits, so that it is not billed.
    pub(crate) fn waited(&self) -> Waited {
        self.waited.clone()
    }

    /// Takes one tick off the CPU budget. The last one is the guest's to use:
    /// the first tick may come right after the start.
    pub(super) fn spend_tick(&mut self) -> Result<(), LimitExceeded> {
        if self.waited.take_tick() {
            return Ok(());
        }
        self.ticks = self
            .ticks
            .checked_sub(1)
            .ok_or(LimitExceeded::Cpu(self.granted.as_millis()))?;
        Ok(())
    }

    fn log(&self) -> std::sync::MutexGuard<'_, LogBudget> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WasiView for Confined {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// Failing a growth makes most guests abort with an unexplained trap, so the
/// limits trap with their own words instead.
impl ResourceLimiter for Confined {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let total = self.memory + (desired.saturating_sub(current) as u64);
        if total > self.limits.memory {
            return Err(LimitExceeded::Memory(self.limits.memory).into());
        }
        self.memory = total;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > TABLE_ELEMENTS {
            return Err(LimitExceeded::Table(TABLE_ELEMENTS).into());
        }
        Ok(true)
    }

    fn instances(&self) -> usize {
        CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        32
    }

    fn memories(&self) -> usize {
        4
    }
}
