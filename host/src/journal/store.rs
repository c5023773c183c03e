//! The database: opened, made if it is missing, and added to.

mod file;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params_from_iter};
use tempfile::TempPath;

use super::chain::{BEGINNING, ChainKey, Hash, Keys};
use super::failure::{self, JournalError, sqlite};
use super::record::{COLUMNS, Record};
use crate::config::Durability;
pub(crate) use file::{FileId, make as make_file};

/// What SQLite files of this project say that they are.
const APPLICATION: i32 = 0x4d43_5047;

/// The version of the schema.
pub const VERSION: i32 = 1;

/// The tables, indexes and views, with what they mean.
pub const SCHEMA: &str = include_str!("schema.sql");

/// How long other writers may take. Each holds the lock for milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// A journal's database, to be read.
pub struct Database {
    connection: Connection,
    id: Vec<u8>,
    path: PathBuf,
    /// Deletes the file, where an open one cannot be deleted.
    _unpacked: Option<TempPath>,
}

/// A journal's database, to be added to.
pub struct Store {
    connection: Connection,
    id: Vec<u8>,
    key: ChainKey,
    path: PathBuf,
    /// Which file that is, should another be put in its place.
    file: Option<FileId>,
}

/// The place in the chain after which something comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The record's number; 0 before the first.
    pub seq: i64,
    /// Its hash.
    pub hash: Hash,
}

impl Head {
    /// Before the first record of all.
    pub const BEFORE_ALL: Self = Self {
        seq: 0,
        hash: BEGINNING,
    };
}

impl Database {
    /// Opens a database to read it, also while gateways write.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        if !path.exists() {
            return Err(JournalError::Missing(path.to_owned()));
        }
        let failed = sqlite(path);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
        connection.busy_timeout(PATIENCE).map_err(&failed)?;
        if !is_ours(&connection, path)? {
            // Some gateway may be about to make it.
            return Err(JournalError::Missing(path.to_owned()));
        }
        let id = meta(&connection, "id").map_err(&failed)?;
        Ok(Self {
            connection,
            id,
            path: path.to_owned(),
            _unpacked: None,
        })
    }

    /// Opens one that is only there to be read now, and goes by another name.
    pub(super) fn temporary(unpacked: TempPath, path: &Path) -> Result<Self, JournalError> {
        let mut database = Self::open(&unpacked)?;
        path.clone_into(&mut database.path);
        // Where that is possible the file goes at once, so that a process that is killed
        // leaves none behind.
        database._unpacked = (!cfg!(unix)).then_some(unpacked);
        Ok(database)
    }

    /// What it is called.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What tells it from all others.
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// After which record its chain begins, if the key says that this is so.
    pub fn anchor(&self, key: &ChainKey) -> rusqlite::Result<Option<Head>> {
        anchor(&self.connection, key)
    }

    /// After which record the next one comes, if the key says that this is so.
    pub fn head(&self, key: &ChainKey) -> rusqlite::Result<Option<Head>> {
        head(&self.connection, key)
    }

    /// The number of the record after which it begins, whether or not that is proven.
    pub fn begins_after(&self) -> rusqlite::Result<i64> {
        begins_after(&self.connection)
    }

    /// Whether it was made with this key.
    pub fn is_of(&self, key: &ChainKey) -> rusqlite::Result<bool> {
        Ok(meta(&self.connection, "key_check")? == key.check())
    }
}

impl Store {
    /// Opens a database to add to it, making it if there is none.
    pub fn open(path: &Path, keys: &Keys, durability: Durability) -> Result<Self, JournalError> {
        make_file(path).map_err(failure::file(path))?;
        let failed = sqlite(path);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(&failed)?;
        connection.busy_timeout(PATIENCE).map_err(&failed)?;
        if !is_ours(&connection, path)? {
            make(&mut connection, path, keys)?;
        }
        let synchronous = match durability {
            Durability::Strict => "FULL",
            Durability::Batch => "NORMAL",
        };
        let set = connection.pragma_update(None, "synchronous", synchronous);
        set.map_err(&failed)?;
        let id = meta(&connection, "id").map_err(&failed)?;
        let key = keys.chain(&id);
        if meta(&connection, "key_check").map_err(&failed)? != key.check() {
            return Err(JournalError::OtherKey(path.to_owned()));
        }
        Ok(Self {
            connection,
            id,
            key,
            path: path.to_owned(),
            file: FileId::of(path),
        })
    }

    /// What tells this database from all others.
    pub(super) fn id(&self) -> &[u8] {
        &self.id
    }

    pub(super) fn key(&self) -> &ChainKey {
        &self.key
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection, to change what is there, and the key.
    pub(super) fn parts(&mut self) -> (&mut Connection, &ChainKey) {
        (&mut self.connection, &self.key)
    }

    /// Whether the path still leads to the file that is open.
    pub fn is_in_place(&self) -> bool {
        self.file == FileId::of(&self.path)
    }

    /// Adds records, all or none. Gives the number of the last.
    pub fn append(&mut self, records: &[Record]) -> Result<i64, JournalError> {
        let failed = sqlite(&self.path);
        // Whoever reads the head here writes the next record: no other process comes
        // in between.
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(&failed)?;
        let Some(mut head) = head(&transaction, &self.key).map_err(&failed)? else {
            return Err(JournalError::Anchor(self.path.clone()));
        };
        for record in records {
            head = add(&transaction, &self.key, &head, record).map_err(&failed)?;
        }
        transaction.commit().map_err(&failed)?;
        Ok(head.seq)
    }
}

fn add(
    connection: &Connection,
    key: &ChainKey,
    head: &Head,
    record: &Record,
) -> rusqlite::Result<Head> {
    let seq = head.seq + 1;
    let columns = record.values();
    let findings: Vec<Vec<Value>> = (1..)
        .zip(&record.findings)
        .map(|(number, finding)| {
            let number = std::iter::once(Value::Integer(number));
            number.chain(finding.values()).collect()
        })
        .collect();
    let hash = key.hash(&head.hash, seq, &columns, &findings);
    let row = std::iter::once(Value::Integer(seq))
        .chain(columns)
        .chain(std::iter::once(Value::Blob(hash.to_vec())));
    connection
        .prepare_cached(insert_record())?
        .execute(params_from_iter(row))?;
    if !findings.is_empty() {
        let mut insert = connection
            .prepare_cached("INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
        for finding in findings {
            let row = std::iter::once(Value::Integer(seq)).chain(finding);
            insert.execute(params_from_iter(row))?;
        }
    }
    Ok(Head { seq, hash })
}

fn insert_record() -> &'static str {
    static INSERT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    INSERT.get_or_init(|| {
        let places = vec!["?"; COLUMNS.len() + 2].join(", ");
        let columns = COLUMNS.join(", ");
        format!("INSERT INTO records (seq, {columns}, hash) VALUES ({places})")
    })
}

/// After which record the next one comes. `None` if there is none and where the chain
/// begins was changed.
fn head(connection: &Connection, key: &ChainKey) -> rusqlite::Result<Option<Head>> {
    let mut last =
        connection.prepare_cached("SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1")?;
    let mut rows = last.query([])?;
    match rows.next()? {
        Some(row) => Ok(Some(Head {
            seq: row.get(0)?,
            hash: row.get(1)?,
        })),
        None => anchor(connection, key),
    }
}

pub(super) fn anchor(connection: &Connection, key: &ChainKey) -> rusqlite::Result<Option<Head>> {
    let seq = begins_after(connection)?;
    let hash = Hash::try_from(meta(connection, "anchor_hash")?).unwrap_or(BEGINNING);
    let is_right = meta(connection, "anchor_mac")? == key.anchor(seq, &hash);
    Ok(is_right.then_some(Head { seq, hash }))
}

/// The number of the record after which a journal begins, whether or not that is proven.
pub(super) fn begins_after(connection: &Connection) -> rusqlite::Result<i64> {
    let number = "SELECT value FROM meta WHERE key = 'anchor_seq'";
    connection.query_row(number, [], |row| row.get(0))
}

/// Says after which record a journal begins.
pub(super) fn set_anchor(
    connection: &Connection,
    key: &ChainKey,
    anchor: &Head,
) -> rusqlite::Result<()> {
    let mut set = connection.prepare_cached("REPLACE INTO meta VALUES (?, ?)")?;
    set.execute(("anchor_seq", anchor.seq))?;
    set.execute(("anchor_hash", anchor.hash.as_slice()))?;
    set.execute((
        "anchor_mac",
        key.anchor(anchor.seq, &anchor.hash).as_slice(),
    ))?;
    Ok(())
}

/// Makes the tables of a journal that begins after a record.
pub(super) fn found(
    connection: &Connection,
    id: &[u8],
    key: &ChainKey,
    anchor: &Head,
) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)?;
    let mut insert = connection.prepare("INSERT INTO meta VALUES (?, ?)")?;
    insert.execute(("id", id))?;
    insert.execute(("key_check", key.check().as_slice()))?;
    set_anchor(connection, key, anchor)?;
    mark(connection)
}

/// Says that it is a database of this project.
pub(super) fn mark(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "user_version", VERSION)?;
    connection.pragma_update(None, "application_id", APPLICATION)
}

/// Whether it is a journal that this version knows; not if it is still empty.
fn is_ours(connection: &Connection, path: &Path) -> Result<bool, JournalError> {
    let failed = sqlite(path);
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    // In this order: another gateway may make the tables in between.
    let is_empty = is_empty(connection).map_err(&failed)?;
    match pragma("application_id").map_err(&failed)? {
        APPLICATION => {}
        0 if is_empty => return Ok(false),
        _ => return Err(JournalError::Foreign(path.to_owned())),
    }
    let found = pragma("user_version").map_err(&failed)?;
    if found > VERSION {
        let path = path.to_owned();
        return Err(JournalError::Newer { path, found });
    }
    Ok(true)
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    let tables = "SELECT count(*) FROM sqlite_schema";
    connection.query_row(tables, [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

/// Makes the tables, unless another gateway does so at the same moment.
fn make(connection: &mut Connection, path: &Path, keys: &Keys) -> Result<(), JournalError> {
    let failed = sqlite(path);
    // So that the file can shrink when records have left it; only a new one can be told.
    let shrinks = connection.pragma_update(None, "auto_vacuum", "INCREMENTAL");
    shrinks.map_err(&failed)?;
    use_wal(connection).map_err(&failed)?;
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| JournalError::File {
        path: path.to_owned(),
        cause: io::Error::other(error.to_string()),
    })?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(&failed)?;
    if is_ours(&transaction, path)? {
        return Ok(());
    }
    found(&transaction, &id, &keys.chain(&id), &Head::BEFORE_ALL).map_err(&failed)?;
    transaction.commit().map_err(&failed)
}

/// Readers and the writer do not wait for each other then. The file stays so.
fn use_wal(connection: &Connection) -> rusqlite::Result<()> {
    let begun = std::time::Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            // Of several gateways that do this at a time SQLite refuses some at once.
            Err(error) if is_busy(&error) && begun.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(10));
            }
            done => return done,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseBusy, DatabaseLocked};
    matches!(
        error.sqlite_error_code(),
        Some(DatabaseBusy | DatabaseLocked)
    )
}

fn meta(connection: &Connection, key: &str) -> rusqlite::Result<Vec<u8>> {
    let mut select = connection.prepare_cached("SELECT value FROM meta WHERE key = ?")?;
    select.query_row([key], |row| row.get(0))
}
