//! The clock that CPU budgets are counted by: a thread that moves the engine's
//! epoch on while any guest runs, and sleeps while none does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// Ticks without a running guest after which the thread goes to sleep: long
/// enough that a busy gateway need not wake it for each message.
const IDLE_TICKS: u32 = 100;

/// The ticking thread. It ends, and is joined, when this is dropped.
pub(super) struct Ticker {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    running: AtomicUsize,
    asleep: AtomicBool,
    ended: AtomicBool,
}

/// Keeps the clock ticking as long as it lives.
pub(crate) struct Running<'a>(&'a State);

impl Ticker {
    pub(super) fn start(engine: &Engine, tick: Duration) -> Self {
        let state = Arc::new(State::default());
        let engine = engine.weak();
        let thread = thread::Builder::new().name("ticker".into()).spawn({
            let state = Arc::clone(&state);
            move || {
                let mut idle = 0;
                while !state.ended.load(SeqCst) {
                    if state.running.load(SeqCst) > 0 {
                        idle = 0;
                    } else if idle < IDLE_TICKS {
                        idle += 1;
                    } else {
                        state.asleep.store(true, SeqCst);
                        // A guest that started in between has either seen the
                        // flag, and unparks, or is seen here.
                        while state.running.load(SeqCst) == 0 && !state.ended.load(SeqCst) {
                            thread::park();
                        }
                        state.asleep.store(false, SeqCst);
                        idle = 0;
                    }
                    thread::sleep(tick);
                    let Some(engine) = engine.upgrade() else {
                        break;
                    };
                    engine.increment_epoch();
                }
            }
        });
        // Without the thread no limit on CPU would hold.
        let thread = match thread {
            Ok(thread) => Some(thread),
            Err(error) => {
                tracing::error!(%error, "cannot start the thread that limits guardrails' CPU");
                std::process::abort();
            }
        };
        Self { state, thread }
    }

    /// Sees to it that the clock ticks until the guard is dropped.
    pub(super) fn run(&self) -> Running<'_> {
        self.state.running.fetch_add(1, SeqCst);
        if self.state.asleep.load(SeqCst) {
            self.wake();
        }
        Running(&self.state)
    }

    fn wake(&self) {
        if let Some(thread) = self.thread.as_ref().map(JoinHandle::thread) {
            Thread::unpark(thread);
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.state.ended.store(true, SeqCst);
        self.wake();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the thread itself.
            let _ = thread.join();
        }
    }
}
