//! Tells time that a guest waits from time that it executes.
//!
//! Ticks are of the clock on the wall. One that passes while a guest waits is noticed
//! when it goes on, and would be billed as if it had executed then.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use super::TICK;

/// How long a guest has waited and was not yet spared a tick for, up to what two ticks
/// take: however long that was, no more than one tick is noticed afterwards. The other
/// is for who waits for a short time again and again, nearly all of its time.
#[derive(Clone, Default)]
pub(crate) struct Waited(Arc<AtomicU64>);

impl Waited {
    /// Whether a tick has passed while the guest waited. True once for each.
    pub(super) fn take_tick(&self) -> bool {
        let taken = self.0.load(Relaxed).checked_sub(tick());
        if let Some(left) = taken {
            self.0.store(left, Relaxed);
        }
        taken.is_some()
    }

    /// Notes that the guest has waited since then.
    pub(crate) fn add(&self, since: Instant) {
        let waited = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let sum = self.0.load(Relaxed).saturating_add(waited);
        self.0.store(sum.min(2 * tick()), Relaxed);
    }
}

/// Runs a call of a guest, and measures the times in which it waits.
pub(crate) async fn measured<C: Future>(waited: Waited, call: C) -> C::Output {
    let mut call = pin!(call);
    let mut since: Option<Instant> = None;
    std::future::poll_fn(|context| {
        if let Some(since) = since.take() {
            waited.add(since);
        }
        let polled = call.as_mut().poll(context);
        if polled.is_pending() {
            since = Some(Instant::now());
        }
        polled
    })
    .await
}

fn tick() -> u64 {
    u64::try_from(TICK.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn few_ticks_are_spared_however_long_a_guest_waits() {
        let waited = Waited::default();
        waited.add(Instant::now() - 50 * TICK);
        let spared = (0..50).filter(|_| waited.take_tick());
        assert_eq!(spared.count(), 2);
    }

    #[tokio::test]
    async fn who_does_not_wait_is_spared_nothing() {
        let waited = Waited::default();
        measured(waited.clone(), async {
            std::thread::sleep(2 * TICK);
        })
        .await;
        assert!(!waited.take_tick());
        measured(
            waited.clone(),
            tokio::time::sleep(Duration::from_millis(25)),
        )
        .await;
        assert!(waited.take_tick());
    }
}
