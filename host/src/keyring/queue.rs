//! What the keyring is asked for, one thing after the other, on a thread that is left alone
//! while it hangs.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::KeyringError;

type Job = Box<dyn FnOnce() + Send>;

/// Where jobs are left for the thread; nothing before the first.
static JOBS: Mutex<Option<Sender<Job>>> = Mutex::new(None);

/// Does something when all that came before is done, and waits for it. What is not begun by
/// the time that nobody waits for it any more is not done.
pub(super) fn done<T: Send + 'static>(
    patience: Duration,
    job: impl FnOnce() -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    let (told, outcome) = sync_channel(1);
    let waiting = Arc::new(());
    let wanted = Arc::downgrade(&waiting);
    let job = Box::new(move || {
        if wanted.strong_count() == 0 {
            return;
        }
        let panicked = |_| Err(KeyringError::Failed("it panicked".to_owned()));
        let outcome = catch_unwind(AssertUnwindSafe(job)).unwrap_or_else(panicked);
        // Whoever wanted it may have given up meanwhile.
        let _ = told.send(outcome);
    });
    leave(job).map_err(|error| KeyringError::Failed(error.to_string()))?;
    let outcome = outcome.recv_timeout(patience);
    drop(waiting);
    outcome.unwrap_or(Err(KeyringError::TimedOut(patience)))
}

/// Leaves a job for the thread, which is started for the first.
fn leave(job: Job) -> io::Result<()> {
    let mut jobs = JOBS.lock().unwrap_or_else(PoisonError::into_inner);
    let thread = match jobs.take() {
        Some(thread) => thread,
        None => {
            let (thread, left) = channel::<Job>();
            std::thread::Builder::new()
                .name("keyring".to_owned())
                .spawn(move || left.into_iter().for_each(|job| job()))?;
            thread
        }
    };
    // It takes them as long as this end is kept.
    let _ = jobs.insert(thread).send(job);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn what_waits_behind_one_that_hangs_is_given_up_and_never_done() {
        let (begun, begins) = channel();
        let (go_on, hangs) = channel::<()>();
        let first = std::thread::spawn(move || {
            done(LONG, move || {
                begun.send(std::thread::current().id()).unwrap();
                hangs.recv().unwrap();
                Ok(1)
            })
        });
        let thread = begins.recv().unwrap();
        let is_done = Arc::new(AtomicBool::new(false));
        for _ in 0..3 {
            let is_done = Arc::clone(&is_done);
            let late = done(SHORT, move || {
                is_done.store(true, Ordering::Relaxed);
                Ok(())
            });
            assert_eq!(late, Err(KeyringError::TimedOut(SHORT)));
        }
        go_on.send(()).unwrap();
        assert_eq!(first.join().unwrap(), Ok(1));
        // One thread does all of it.
        let same = done(LONG, || Ok(std::thread::current().id()));
        assert_eq!(same, Ok(thread));
        assert!(!is_done.load(Ordering::Relaxed));

        let panicked = done(LONG, || -> Result<(), _> { panic!("of the test") });
        let words = KeyringError::Failed("it panicked".to_owned());
        assert_eq!(panicked, Err(words));
        assert_eq!(done(LONG, || Ok(2)), Ok(2));
    }
}
