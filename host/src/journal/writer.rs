//! The one thread that writes: records are handed to it, and it commits those that
//! have come together.
//!
//! What cannot be written stays in line and is tried again. The line is bounded; what
//! finds no place in it is lost, which is said once writing goes on: by a record of
//! the gap.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot};

use super::chain::Keys;
use super::events::Events;
use super::failure::JournalError;
use super::keeper::Keeper;
use super::record::{Kind, Outcome, Record};
use super::store::Store;
use crate::config::{Durability, Rotate as Policy};

/// How long records wait for others, so that they are committed together.
const TOGETHER: Duration = Duration::from_millis(50);

/// So many do not wait any longer.
const GROUP: usize = 256;

/// Between two attempts to write what could not be written.
const AGAIN: Duration = Duration::from_millis(500);

/// After a group others get their turn: SQLite does not see to that, and who is never
/// let in has more and more to write.
const TURN: Duration = Duration::from_millis(2);

/// For how long others may have the database to themselves until that counts as a fault:
/// a slow disk can take many seconds to move a large write-ahead log.
const LOCKED: Duration = Duration::from_secs(30);

/// How long a call waits for room in the line before it is refused.
const PATIENCE: Duration = Duration::from_secs(10);

/// Records that may be in line, and their bytes.
const MOST: usize = 10_000;
const MOST_BYTES: usize = 64 << 20;

/// A database and how it is written.
#[derive(Clone)]
pub struct Settings {
    /// The file.
    pub path: PathBuf,
    /// The installation's keys.
    pub keys: Keys,
    /// When records are committed.
    pub durability: Durability,
    /// How it is kept small.
    pub rotate: Policy,
    /// Where what is committed is logged besides.
    pub events: Option<Events>,
}

/// A journal that is written. When this is dropped, all that is in line is written.
pub struct Journal {
    line: Arc<Line>,
    keys: Keys,
    durability: Durability,
    thread: Mutex<Option<JoinHandle<()>>>,
    keeper: Mutex<Option<Keeper>>,
}

/// Why something is not in the journal (yet).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrecorded {
    /// The last attempt failed.
    #[error("the journal cannot be written: {0}")]
    Failing(Arc<str>),
    /// Too much is in line.
    #[error("more than the journal can write is waiting to be written")]
    Full,
    /// The gateway ends.
    #[error("the journal is closed")]
    Closed,
}

/// A record that was handed over.
pub struct Pending {
    committed: Option<oneshot::Receiver<Result<(), Unrecorded>>>,
}

impl Pending {
    /// With [`Durability::Strict`] waits until it is committed, or cannot be for now; it
    /// then stays in line. Else there is nothing to wait for.
    pub async fn recorded(self) -> Result<(), Unrecorded> {
        match self.committed {
            Some(committed) => committed.await.unwrap_or(Err(Unrecorded::Closed)),
            None => Ok(()),
        }
    }
}

#[derive(Default)]
struct Line {
    state: Mutex<State>,
    changed: Condvar,
    /// Told when there is room again.
    freed: Notify,
}

#[derive(Default)]
struct State {
    records: Vec<Record>,
    waiting: Vec<oneshot::Sender<Result<(), Unrecorded>>>,
    /// Of what is in line, and of what is being written.
    count: usize,
    bytes: usize,
    gap: Option<Gap>,
    failing: Option<Arc<str>>,
    is_closed: bool,
}

/// Records that were lost.
#[derive(Debug, Clone, Copy)]
struct Gap {
    lost: u64,
    since: i64,
}

impl Journal {
    /// Opens a journal.
    ///
    /// # Errors
    /// When its file can never become a journal of this installation. If only SQLite
    /// cannot use it for now, the thread that writes it tries again.
    pub fn open(settings: Settings) -> Result<Self, JournalError> {
        let Settings {
            path,
            keys,
            durability,
            rotate,
            events: _,
        } = &settings;
        match Store::open(path, keys, *durability) {
            Ok(_) | Err(JournalError::Sqlite { .. }) => {}
            Err(error) => return Err(error),
        }
        let (path, keys, rotate) = (path.clone(), keys.clone(), rotate.clone());
        let failed = |cause| JournalError::File {
            path: path.clone(),
            cause,
        };
        let journal = Self::start(settings).map_err(failed)?;
        if rotate != Policy::default() {
            let keeper = Keeper::start(path.clone(), keys, rotate).map_err(failed)?;
            *journal.keeper() = Some(keeper);
        }
        Ok(journal)
    }

    /// The same without a look at the file.
    pub(super) fn start(settings: Settings) -> std::io::Result<Self> {
        let (line, keys) = (Arc::new(Line::default()), settings.keys.clone());
        let durability = settings.durability;
        let mut writer = Writer {
            line: Arc::clone(&line),
            settings,
            store: None,
            locked: None,
        };
        let thread = std::thread::Builder::new().name("journal".into());
        Ok(Self {
            line,
            keys,
            durability,
            thread: Mutex::new(Some(thread.spawn(move || writer.run())?)),
            keeper: Mutex::default(),
        })
    }

    /// Whether what is handed over now is going to be in the journal, as far as one can
    /// know. A call that must not go unrecorded asks first.
    pub fn is_writable(&self) -> Result<(), Unrecorded> {
        self.line.state().is_writable()
    }

    /// The hash that is recorded in place of a content.
    pub fn hash(&self, text: &str) -> String {
        self.keys.content(text)
    }

    /// Writes all that is in line, and takes no more.
    pub fn close(&self) {
        *self.keeper() = None;
        self.line.state().is_closed = true;
        self.line.changed.notify_one();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // A panic has been reported already.
            let _ = thread.join();
        }
    }

    fn keeper(&self) -> MutexGuard<'_, Option<Keeper>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while so much is in line that there may soon be no room, though not for ever:
    /// whoever asks more than can be written is slowed down, and only then refused.
    pub async fn room(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let mut freed = std::pin::pin!(self.line.freed.notified());
            freed.as_mut().enable();
            if !self.line.state().is_tight() {
                return;
            }
            if tokio::time::timeout_at(deadline.into(), freed)
                .await
                .is_err()
            {
                return;
            }
        }
    }

    /// Hands a record over.
    pub fn write(&self, record: Record) -> Result<Pending, Unrecorded> {
        let mut state = self.line.state();
        if state.is_closed {
            return Err(Unrecorded::Closed);
        }
        if state.is_full() {
            let gap = state.gap.get_or_insert(Gap {
                lost: 0,
                since: record.time,
            });
            gap.lost += 1;
            return Err(Unrecorded::Full);
        }
        state.count += 1;
        state.bytes += record.size();
        state.records.push(record);
        let committed = (self.durability == Durability::Strict).then(|| {
            let (committed, pending) = oneshot::channel();
            state.waiting.push(committed);
            pending
        });
        // The thread looks for the first of a group and for the last.
        let is_due = state.records.len() == 1 || state.records.len() >= GROUP;
        drop(state);
        if is_due {
            self.line.changed.notify_one();
        }
        Ok(Pending { committed })
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.close();
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>, time: Duration) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout(state, time);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl State {
    fn is_full(&self) -> bool {
        self.count >= MOST || self.bytes >= MOST_BYTES
    }

    /// Whether there may soon be no room, although all is well.
    fn is_tight(&self) -> bool {
        let is_half = self.count >= MOST / 2 || self.bytes >= MOST_BYTES / 2;
        is_half && self.failing.is_none() && !self.is_closed
    }

    fn is_writable(&self) -> Result<(), Unrecorded> {
        match &self.failing {
            _ if self.is_closed => Err(Unrecorded::Closed),
            Some(why) => Err(Unrecorded::Failing(Arc::clone(why))),
            None if self.is_full() => Err(Unrecorded::Full),
            None => Ok(()),
        }
    }
}

/// What is written together.
#[derive(Default)]
struct Group {
    records: Vec<Record>,
    /// Who waits for any of these.
    waiting: Vec<oneshot::Sender<Result<(), Unrecorded>>>,
}

struct Writer {
    line: Arc<Line>,
    settings: Settings,
    store: Option<Store>,
    /// Since when others have the database to themselves.
    locked: Option<Instant>,
}

impl Writer {
    fn run(&mut self) {
        // So that a file that is no good shows before the first call.
        if let Err(error) = self.open() {
            self.report(&error);
        }
        let mut group = Group::default();
        loop {
            let is_last = self.gather(&mut group);
            if let Err(error) = self.commit(&mut group, is_last) {
                self.report(&error);
                if is_last {
                    tracing::error!(
                        records = group.records.len(),
                        "the gateway ends, and these records are in no journal"
                    );
                } else {
                    self.pause();
                }
            }
            if is_last {
                return;
            }
            if self.settings.durability == Durability::Batch {
                std::thread::sleep(TURN);
            }
        }
    }

    /// Waits for records, and for others that come at the same time, and adds them to
    /// what could not be written before. Whether they are the last.
    fn gather(&self, group: &mut Group) -> bool {
        let mut state = self.line.state();
        while group.records.is_empty() && state.records.is_empty() && !state.is_closed {
            // A journal that failed is looked at again although nobody calls.
            if state.failing.is_some() {
                break;
            }
            state = self.line.wait(state, Duration::from_secs(3600));
        }
        if self.settings.durability == Durability::Batch && group.records.is_empty() {
            let begun = Instant::now();
            while state.records.len() < GROUP && !state.is_closed && state.failing.is_none() {
                let Some(left) = TOGETHER.checked_sub(begun.elapsed()) else {
                    break;
                };
                state = self.line.wait(state, left);
            }
        }
        group.records.append(&mut state.records);
        group.waiting.append(&mut state.waiting);
        state.is_closed
    }

    /// Writes all of them and what is known of a gap, or nothing.
    fn commit(&mut self, group: &mut Group, is_last: bool) -> Result<(), JournalError> {
        let (gap, failing) = {
            let state = self.line.state();
            (state.gap, state.failing.clone())
        };
        if group.records.is_empty() && gap.is_none() && failing.is_none() {
            return Ok(());
        }
        let records = &mut group.records;
        records.extend(gap.map(|gap| gap.record(failing.as_deref())));
        let written = self.open().and_then(|store| store.append(records));
        if gap.is_some() && written.is_err() {
            records.pop();
        }
        match &written {
            Err(error) if error.is_locked() && !is_last => {
                let since = self.locked.get_or_insert_with(Instant::now);
                if since.elapsed() < LOCKED {
                    // All stays in line, and is tried again at once.
                    return Ok(());
                }
            }
            _ => self.locked = None,
        }
        if written.is_ok()
            && let Some(events) = &self.settings.events
            && let Err(error) = events.log(records)
        {
            tracing::error!("what is recorded is not in XETRACK_LOGS_PATH: {error}");
        }
        let mut state = self.line.state();
        let answer = match &written {
            Ok(_) => {
                state.count = state.records.len();
                state.bytes = state.records.iter().map(Record::size).sum();
                // More may have been lost meanwhile.
                if let (Some(told), Some(gap)) = (gap, &mut state.gap) {
                    gap.lost -= told.lost;
                    state.gap = Some(*gap).filter(|gap| gap.lost > 0);
                }
                if state.failing.take().is_some() {
                    tracing::info!("the journal can be written again");
                }
                records.clear();
                Ok(())
            }
            Err(error) => Err(Unrecorded::Failing(error.to_string().into())),
        };
        drop(state);
        self.line.freed.notify_waiters();
        for waiting in group.waiting.drain(..) {
            // Whoever waited may be gone by now.
            let _ = waiting.send(answer.clone());
        }
        written.map(drop)
    }

    /// The database, opened anew if another file stands in its place.
    fn open(&mut self) -> Result<&mut Store, JournalError> {
        let store = match self.store.take().filter(Store::is_in_place) {
            Some(store) => store,
            None => {
                let Settings {
                    path,
                    keys,
                    durability,
                    ..
                } = &self.settings;
                Store::open(path, keys, *durability)?
            }
        };
        Ok(self.store.insert(store))
    }

    /// Says that it cannot be written, once for each reason.
    fn report(&mut self, error: &JournalError) {
        // What is wrong with a file may be gone when it is opened anew.
        self.store = None;
        let why: Arc<str> = error.to_string().into();
        let mut state = self.line.state();
        if state.failing.as_ref() != Some(&why) {
            tracing::error!("the journal cannot be written: {why}");
        }
        state.failing = Some(why);
    }

    fn pause(&self) {
        let begun = Instant::now();
        let mut state = self.line.state();
        while let Some(left) = AGAIN.checked_sub(begun.elapsed())
            && !state.is_closed
        {
            state = self.line.wait(state, left);
        }
    }
}

impl Gap {
    fn record(self, why: Option<&str>) -> Record {
        let Self { lost, since } = self;
        let why = why.unwrap_or("more came than could be written");
        let said = format!(r#"{{"lost":{lost},"since":{since}}}"#);
        Record {
            outcome: Outcome::Lost,
            reason: Some(format!("{lost} records were lost: {why}")),
            ..Record::alone(Kind::Gap, "", said)
        }
    }
}
