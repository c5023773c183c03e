//! The database file: opened, made if it is missing, and added to.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, TransactionBehavior, params_from_iter};

use super::chain::{BEGINNING, ChainKey, Hash, Keys};
use super::record::{COLUMNS, Record};
use crate::config::Durability;

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
}

/// A journal's database, to be added to.
pub struct Store {
    connection: Connection,
    key: ChainKey,
    path: PathBuf,
    /// Which file that is, should another be put in its place.
    file: Option<FileId>,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// There is none.
    #[error("there is no audit database {0}")]
    Missing(PathBuf),
    /// The file cannot be made or looked at.
    #[error("cannot use {path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// It is a database, but none of ours.
    #[error(
        "{0} is a database of another program, such as the Python gateway; it stays as it is: name another file"
    )]
    Foreign(PathBuf),
    /// A later gateway made it.
    #[error("{path} has the schema of a later version ({found}; this one knows {VERSION})")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i32,
    },
    /// It was made with another secret.
    #[error(
        "the chain of {0} was begun with the secret of another installation (\"keys/installation\" in the state folder), so this one can neither go on with it nor verify it"
    )]
    OtherKey(PathBuf),
    /// Where its chain begins was changed.
    #[error("where the chain of {0} begins was changed")]
    Anchor(PathBuf),
    /// SQLite says no: the disk is full, the file is locked or damaged.
    #[error("{path}: {cause}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        cause: rusqlite::Error,
    },
}

/// The place in the chain after which something comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The record's number; 0 before the first.
    pub seq: i64,
    /// Its hash.
    pub hash: Hash,
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
            return Err(JournalError::Foreign(path.to_owned()));
        }
        let id = meta(&connection, "id").map_err(&failed)?;
        Ok(Self { connection, id })
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

    /// Whether it was made with this key.
    pub fn is_of(&self, key: &ChainKey) -> rusqlite::Result<bool> {
        Ok(meta(&self.connection, "key_check")? == key.check())
    }
}

impl Store {
    /// Opens a database to add to it, making it if there is none.
    pub fn open(path: &Path, keys: &Keys, durability: Durability) -> Result<Self, JournalError> {
        make_file(path).map_err(|cause| JournalError::File {
            path: path.to_owned(),
            cause,
        })?;
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
            key,
            path: path.to_owned(),
            file: FileId::of(path),
        })
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

fn anchor(connection: &Connection, key: &ChainKey) -> rusqlite::Result<Option<Head>> {
    let number = "SELECT value FROM meta WHERE key = 'anchor_seq'";
    let seq = connection.query_row(number, [], |row| row.get(0))?;
    let hash = Hash::try_from(meta(connection, "anchor_hash")?).unwrap_or(BEGINNING);
    let is_right = meta(connection, "anchor_mac")? == key.anchor(seq, &hash);
    Ok(is_right.then_some(Head { seq, hash }))
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
    let key = keys.chain(&id);
    let made = || -> rusqlite::Result<()> {
        transaction.execute_batch(SCHEMA)?;
        let mut insert = transaction.prepare("INSERT INTO meta VALUES (?, ?)")?;
        insert.execute(("anchor_seq", 0))?;
        for (name, value) in [
            ("id", id.as_slice()),
            ("key_check", &key.check()),
            ("anchor_hash", &BEGINNING),
            ("anchor_mac", &key.anchor(0, &BEGINNING)),
        ] {
            insert.execute((name, value))?;
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
        transaction.pragma_update(None, "application_id", APPLICATION)
    };
    made().map_err(&failed)?;
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

/// Makes an empty file for this person alone; SQLite gives the files beside it the
/// same permissions.
fn make_file(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn meta(connection: &Connection, key: &str) -> rusqlite::Result<Vec<u8>> {
    let mut select = connection.prepare_cached("SELECT value FROM meta WHERE key = ?")?;
    select.query_row([key], |row| row.get(0))
}

fn sqlite(path: &Path) -> impl Fn(rusqlite::Error) -> JournalError + use<> {
    let path = path.to_owned();
    move |cause| JournalError::Sqlite {
        path: path.clone(),
        cause,
    }
}

/// Which file a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let found = fs::metadata(path).ok()?;
        Some(Self(found.dev(), found.ino()))
    }

    /// Elsewhere an open file cannot be replaced.
    #[cfg(not(unix))]
    fn of(_: &Path) -> Option<Self> {
        None
    }
}
