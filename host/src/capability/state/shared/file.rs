//! The file: opened, and made if it is missing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::seal::{FileKey, Seal};
use super::{Broken, Entries};
use crate::capability::keys::{Secret, SecretError};
use crate::journal::{FileId, make_file};
use crate::sandbox::CacheDir;

/// What the file says that it is.
const APPLICATION: i32 = 0x4d43_5053;

/// The version of its schema.
pub(super) const VERSION: i32 = 1;

const SCHEMA: &str = include_str!("schema.sql");

/// The longest that the log of changes may stay after they are all in the file.
const LOG: i64 = 1 << 20;

/// An open file.
pub(super) struct Open {
    connection: Connection,
    path: PathBuf,
    /// Which file that is, should another be put in its place.
    file: Option<FileId>,
    key: FileKey,
    /// By the guardrails' names, in the one configuration of this gateway.
    owners: HashMap<String, Owner>,
    /// Until when other gateways are waited for.
    deadline: Arc<Mutex<Instant>>,
}

/// A guardrail that has used the file.
struct Owner {
    seal: Seal,
    store: i64,
}

/// Where the file is.
pub(super) fn within(folder: &Path) -> PathBuf {
    folder.join("guardrails").join("global.db")
}

impl Open {
    pub(super) fn new(
        folder: &Path,
        secret: fn() -> Result<Secret, SecretError>,
        deadline: Instant,
    ) -> Result<Self, Broken> {
        let path = within(folder);
        if let Some(folder) = path.parent() {
            CacheDir::at(folder.to_owned())?;
        }
        make_file(&path).map_err(Broken::File)?;
        let file = FileId::of(&path);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&path, flags)?;
        let deadline = Arc::new(Mutex::new(deadline));
        wait(&mut connection, Arc::clone(&deadline))?;
        let secret = secret()?;
        if !is_ours(&connection)? {
            make(&mut connection, &secret, &deadline)?;
        }
        // A loss of power may take the last changes, but leaves the file whole.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "journal_size_limit", LOG)?;
        let key = FileKey::new(&secret, meta(&connection, "id")?).map_err(|_| Broken::Derive)?;
        if meta(&connection, "key_check")? != key.check() {
            return Err(Broken::OtherSecret);
        }
        Ok(Self {
            connection,
            path,
            file,
            key,
            owners: HashMap::new(),
            deadline,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the path still leads to the file that is open.
    pub(super) fn is_in_place(&self) -> bool {
        self.file == FileId::of(&self.path)
    }

    pub(super) fn wait_until(&self, deadline: Instant) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
    }

    /// What belongs to a guardrail.
    pub(super) fn entries(
        &mut self,
        configuration: &str,
        guardrail: &str,
        now: i64,
    ) -> Result<Entries<'_>, Broken> {
        if !self.owners.contains_key(guardrail) {
            let seal = self.key.seal(configuration, guardrail);
            let seal = seal.map_err(|_| Broken::Derive)?;
            let store = store(&self.connection, &seal)?;
            let owner = Owner { seal, store };
            self.owners.insert(guardrail.to_owned(), owner);
        }
        let owner = self.owners.get(guardrail).ok_or(Broken::Derive)?;
        Ok(Entries {
            connection: &mut self.connection,
            seal: &owner.seal,
            store: owner.store,
            now,
        })
    }

    /// Drops what has expired, also of guardrails that nobody uses any more.
    pub(super) fn sweep(&mut self, now: i64) -> rusqlite::Result<()> {
        let expired = "SELECT EXISTS (SELECT 1 FROM entries WHERE until <= ?)";
        let is_any: bool = self
            .connection
            .query_row(expired, [now], |row| row.get(0))?;
        if !is_any {
            return Ok(());
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("DELETE FROM entries WHERE until <= ?", [now])?;
        transaction.execute(
            "UPDATE stores SET (entries, bytes) = (
               SELECT count(*), coalesce(sum(size), 0) FROM entries WHERE store = stores.id
             )",
            [],
        )?;
        transaction.commit()
    }

    /// Reads all of it.
    pub(super) fn is_whole(&self) -> Result<(), Broken> {
        let found: String = self
            .connection
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        match found.as_str() {
            "ok" => Ok(()),
            _ => Err(Broken::Changed),
        }
    }
}

/// Waits for other gateways, shortly at first: their changes take no time.
fn wait(connection: &mut Connection, deadline: Arc<Mutex<Instant>>) -> rusqlite::Result<()> {
    connection.busy_handler(Some(move |count: i32| {
        let deadline = *deadline.lock().unwrap_or_else(PoisonError::into_inner);
        let is_left = Instant::now() < deadline;
        if is_left {
            pause(count);
        }
        is_left
    }))
}

fn pause(count: i32) {
    let doubled = u32::try_from(count).unwrap_or_default().min(6);
    std::thread::sleep(Duration::from_micros(50 << doubled));
}

/// Whether it is a file that this version knows; not if it is still empty.
fn is_ours(connection: &Connection) -> Result<bool, Broken> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    // In this order: another gateway may make the tables in between.
    let tables = "SELECT count(*) FROM sqlite_schema";
    let is_empty = connection.query_row(tables, [], |row| Ok(row.get::<_, i64>(0)? == 0))?;
    match pragma("application_id")? {
        APPLICATION => {}
        0 if is_empty => return Ok(false),
        _ => return Err(Broken::Foreign),
    }
    match pragma("user_version")? {
        found if found > VERSION => Err(Broken::Newer(found)),
        _ => Ok(true),
    }
}

/// Makes the tables, unless another gateway does so at the same moment.
fn make(
    connection: &mut Connection,
    secret: &Secret,
    deadline: &Mutex<Instant>,
) -> Result<(), Broken> {
    use_log(connection, deadline)?;
    let mut id = [0; 16];
    getrandom::fill(&mut id)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if is_ours(&transaction)? {
        return Ok(());
    }
    let key = FileKey::new(secret, id.to_vec()).map_err(|_| Broken::Derive)?;
    transaction.execute_batch(SCHEMA)?;
    let insert = "INSERT INTO meta VALUES (?, ?)";
    transaction.execute(insert, ("id", id))?;
    transaction.execute(insert, ("key_check", key.check()))?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.commit()?;
    Ok(())
}

/// Readers and the writer do not wait for each other then. The file stays so.
fn use_log(connection: &Connection, deadline: &Mutex<Instant>) -> Result<(), Broken> {
    let deadline = *deadline.lock().unwrap_or_else(PoisonError::into_inner);
    for count in 0.. {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) => {
                let error = Broken::from(error);
                // Of several gateways that do this at a time SQLite refuses some at once.
                if !error.is_busy() || Instant::now() >= deadline {
                    return Err(error);
                }
                pause(count);
            }
            Ok(()) => break,
        }
    }
    Ok(())
}

/// The row of a guardrail, which is made when it first uses the file.
fn store(connection: &Connection, seal: &Seal) -> rusqlite::Result<i64> {
    let owner = seal.owner();
    connection.execute("INSERT OR IGNORE INTO stores (owner) VALUES (?)", [owner])?;
    let id = "SELECT id FROM stores WHERE owner = ?";
    connection.query_row(id, [owner], |row| row.get(0))
}

fn meta(connection: &Connection, key: &str) -> rusqlite::Result<Vec<u8>> {
    let value = "SELECT value FROM meta WHERE key = ?";
    connection.query_row(value, [key], |row| row.get(0))
}
