//! Keeps a journal small: moves records into archives when that is due, and deletes
//! archives that are old enough.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use time::{Date, Month, OffsetDateTime};

use super::archive::Archive;
use super::chain::Keys;
use super::failure::sqlite;
use super::record::now;
use super::rotation::{GoOn, Rotation, RotationError, Which};
use super::store::Database;
use crate::config::{Period, Rotate as Policy};

/// How often it is looked whether something is due.
const PACE: Duration = Duration::from_secs(60);

/// What was done to a journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Archives that were made.
    pub made: Vec<Archive>,
    /// Archives that were deleted.
    pub deleted: Vec<Archive>,
}

/// Does to a journal what is due.
///
/// # Errors
/// When the journal cannot be rotated. That another process is about it is none.
pub fn keep(
    path: &Path,
    keys: &Keys,
    policy: &Policy,
    now: i64,
    go_on: GoOn<'_>,
) -> Result<Kept, RotationError> {
    let mut kept = Kept::default();
    if !path.exists() || (policy.due(path, now)?.is_none() && policy.keep.is_none()) {
        return Ok(kept);
    }
    let mut rotation = match Rotation::begin(path, keys) {
        Err(RotationError::Busy(_)) => return Ok(kept),
        begun => begun?,
    };
    while let Some(which) = policy.due(path, now)? {
        match rotation.rotate(which, go_on)? {
            Some(archive) => kept.made.push(archive),
            None => break,
        }
    }
    if let Some(keep) = policy.keep {
        kept.deleted = rotation.delete_before(now.saturating_sub(millis(keep)), now)?;
    }
    Ok(kept)
}

impl Policy {
    /// What is to be moved now.
    fn due(&self, path: &Path, now: i64) -> Result<Option<Which>, RotationError> {
        let database = Database::open(path)?;
        let due = self.due_in(database.connection(), now);
        Ok(due.map_err(sqlite(path))?)
    }

    fn due_in(&self, connection: &Connection, now: i64) -> rusqlite::Result<Option<Which>> {
        let first = "SELECT min(seq), time FROM records";
        let first: Option<i64> = connection.query_row(first, [], |row| row.get(1))?;
        let Some(first) = first else { return Ok(None) };
        if let Some(end) = self.every.and_then(|period| period.end(first))
            && now >= end
        {
            return Ok(Some(Which::Before(end)));
        }
        let is_old = self
            .age
            .is_some_and(|age| now.saturating_sub(first) > millis(age));
        let is_large = match self.bytes {
            Some(most) => used(connection)? > most,
            None => false,
        };
        Ok((is_old || is_large).then_some(Which::All))
    }
}

impl Period {
    /// When the period ends that a time is in. Nothing at the end of all times.
    fn end(self, time: i64) -> Option<i64> {
        let at = OffsetDateTime::from_unix_timestamp(time.div_euclid(1_000)).ok()?;
        let next = match (self, at.month()) {
            (Self::Day, _) => at.date().next_day()?,
            (Self::Month, Month::December) => {
                Date::from_calendar_date(at.year() + 1, Month::January, 1).ok()?
            }
            (Self::Month, month) => Date::from_calendar_date(at.year(), month.next(), 1).ok()?,
        };
        Some(next.midnight().assume_utc().unix_timestamp() * 1_000)
    }
}

/// How many bytes of the file hold something.
fn used(connection: &Connection) -> rusqlite::Result<u64> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pragma("page_count")? - pragma("freelist_count")?;
    let bytes = pages.saturating_mul(pragma("page_size")?);
    Ok(u64::try_from(bytes).unwrap_or_default())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A thread that does to a journal what is due, as long as this is there.
pub struct Keeper {
    closing: Arc<Closing>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Closing {
    is_closed: Mutex<bool>,
    changed: Condvar,
}

impl Keeper {
    /// Begins. Of several gateways that do so with one journal, one at a time is about it.
    pub fn start(path: PathBuf, keys: Keys, policy: Policy) -> std::io::Result<Self> {
        let closing = Arc::new(Closing::default());
        let closed = Arc::clone(&closing);
        let thread = std::thread::Builder::new().name("journal-keeper".into());
        let thread = thread.spawn(move || {
            let mut last_error = None;
            loop {
                report(
                    keep(&path, &keys, &policy, now(), &|| !closed.is_closed()),
                    &mut last_error,
                );
                if closed.wait() {
                    return;
                }
            }
        })?;
        Ok(Self {
            closing,
            thread: Some(thread),
        })
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        *self.closing.lock() = true;
        self.closing.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic has been reported already.
            let _ = thread.join();
        }
    }
}

impl Closing {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.is_closed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        *self.lock()
    }

    /// Waits until it is time to look again, or until the end. Whether it is the end.
    fn wait(&self) -> bool {
        let is_open = |is_closed: &mut bool| !*is_closed;
        let waited = self.changed.wait_timeout_while(self.lock(), PACE, is_open);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Says what was done; what went wrong, once for each reason.
fn report(kept: Result<Kept, RotationError>, last_error: &mut Option<String>) {
    match kept {
        Ok(kept) => {
            for it in kept.made {
                tracing::info!(
                    archive = it.file,
                    first = it.first,
                    last = it.last,
                    bytes = it.bytes,
                    "records of the journal are in an archive now"
                );
            }
            for it in kept.deleted {
                tracing::info!(
                    archive = it.file,
                    first = it.first,
                    last = it.last,
                    "an archive of the journal was old enough to be deleted"
                );
            }
            *last_error = None;
        }
        Err(RotationError::Stopped) => {}
        Err(error) => {
            let error = error.to_string();
            if last_error.as_ref() != Some(&error) {
                tracing::error!("the journal cannot be rotated: {error}");
            }
            *last_error = Some(error);
        }
    }
}
