//! Moves records out of a journal into an archive, while gateways go on writing, and
//! deletes archives that are old enough.
//!
//! Records leave the journal only once their archive is on the disk, was read again,
//! and stands in the manifest. Whatever stops this in between leaves each record in one
//! of the two, or in both for a while, which readers know (`Database::begins_after`);
//! the next rotation goes on from there.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::archive::{Archive, Archives, Deleted, Manifest, pack, unpack};
use super::chain::Keys;
use super::failure::{JournalError, file, sqlite};
use super::gather::attach;
use super::store::{Database, Head, Store, anchor, begins_after, found, set_anchor};
use super::verify::{Tampered, verify_rows};
use crate::config::Durability;

/// So many records are copied, or leave the journal, at a time.
const STEP: i64 = 2_000;

/// So many pages are given back at a time.
const PAGES: i64 = 2_000;

/// Up to where records are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// All that there are at this moment.
    All,
    /// Those before the first one of this time or later: milliseconds since 1970 in UTC.
    Before(i64),
}

/// Why records stay where they are.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// The journal, the manifest or an archive cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal is not as it was written. What is in it stays there.
    #[error("{path} stays as it is, since it is not proven: {cause}")]
    Tampered {
        /// The file.
        path: PathBuf,
        /// The first thing that is not as it was written.
        cause: Tampered,
    },
    /// Another process does the same.
    #[error("{0} is being rotated by another process")]
    Busy(PathBuf),
    /// Whoever asked for it does not want it any more.
    #[error("the rotation was stopped; the next one goes on from there")]
    Stopped,
}

/// Why a copy is not proven.
enum Unproven {
    Tampered(Tampered),
    Stopped,
}

impl From<Tampered> for Unproven {
    fn from(cause: Tampered) -> Self {
        Self::Tampered(cause)
    }
}

impl From<rusqlite::Error> for Unproven {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Tampered(cause.into())
    }
}

/// Asked between steps whether to go on.
pub type GoOn<'a> = &'a dyn Fn() -> bool;

/// A journal and its archives, which no other process moves records between.
pub struct Rotation {
    store: Store,
    path: PathBuf,
    archives: Archives,
    manifest: Manifest,
    _lock: File,
}

impl Rotation {
    /// Keeps others from rotating a journal as long as this is there.
    pub fn begin(path: &Path, keys: &Keys) -> Result<Self, RotationError> {
        if !path.exists() {
            return Err(JournalError::Missing(path.to_owned()).into());
        }
        let archives = Archives::of(path);
        let lock = lock(archives.folder()).map_err(file(archives.folder()))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(RotationError::Busy(path.to_owned())),
            Err(TryLockError::Error(error)) => return Err(file(archives.folder())(error).into()),
        }
        let store = Store::open(path, keys, Durability::Strict)?;
        let manifest = match archives.manifest()? {
            None => Manifest::new(store.id()),
            Some(manifest) if manifest.is_of(store.id(), store.key()) => manifest,
            Some(_) => {
                let path = archives.folder().join("manifest.json");
                return Err(JournalError::Manifest(path).into());
            }
        };
        // Records have left it for archives that this manifest does not know.
        let begins_after = begins_after(store.connection()).map_err(sqlite(path))?;
        if begins_after > manifest.last().seq {
            let path = archives.folder().join("manifest.json");
            return Err(JournalError::Manifest(path).into());
        }
        archives.tidy(&manifest).map_err(file(archives.folder()))?;
        Ok(Self {
            store,
            path: path.to_owned(),
            archives,
            manifest,
            _lock: lock,
        })
    }

    /// Moves records into a new archive. Gives what is known of it, or nothing if there
    /// are none to be moved.
    pub fn rotate(
        &mut self,
        which: Which,
        go_on: GoOn<'_>,
    ) -> Result<Option<Archive>, RotationError> {
        let ok = sqlite(&self.path);
        // What the last rotation did not come to.
        let archived = self.manifest.last();
        self.forget(&archived, go_on)?;
        let Some(begin) = anchor(self.store.connection(), self.store.key()).map_err(&ok)? else {
            return Err(JournalError::Anchor(self.path.clone()).into());
        };
        let last = self.last(which).map_err(&ok)?;
        let archive = match last {
            Some(last) if last > begin.seq => Some(self.archive(&begin, last, go_on)?),
            _ => None,
        };
        if let Some(archive) = &archive {
            self.manifest.archives.push(archive.clone());
            self.archives.write(&mut self.manifest, self.store.key())?;
            let archived = self.manifest.last();
            self.forget(&archived, go_on)?;
        }
        self.shrink(go_on)?;
        Ok(archive)
    }

    /// The archives all of whose records are older than this, as long as none before
    /// them stays.
    pub fn old(&self, time: i64) -> Result<&[Archive], RotationError> {
        let begins_after = begins_after(self.store.connection()).map_err(sqlite(&self.path))?;
        let archives = &self.manifest.archives;
        // What is still in the journal as well is not old.
        let is_old = |it: &&Archive| it.until < time && it.last <= begins_after;
        let count = archives.iter().take_while(is_old).count();
        Ok(archives.get(..count).unwrap_or_default())
    }

    /// Deletes these. Gives what was known of them.
    pub fn delete_before(&mut self, time: i64, now: i64) -> Result<Vec<Archive>, RotationError> {
        let count = self.old(time)?.len();
        let old: Vec<_> = self.manifest.archives.drain(..count).collect();
        let Some(last) = old.last() else {
            return Ok(old);
        };
        self.manifest.deleted = Some(Deleted {
            last: last.last,
            hash: last.hash,
            time: now,
        });
        self.archives.write(&mut self.manifest, self.store.key())?;
        for archive in &old {
            let path = self.archives.folder().join(&archive.file);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(file(&path)(error).into());
                }
                _ => {}
            }
        }
        Ok(old)
    }

    /// The number of the last record that is meant.
    fn last(&self, which: Which) -> rusqlite::Result<Option<i64>> {
        let connection = self.store.connection();
        let all = "SELECT max(seq) FROM records";
        match which {
            Which::All => connection.query_row(all, [], |row| row.get(0)),
            Which::Before(time) => {
                let first = "SELECT min(seq) FROM records WHERE time >= ?";
                let first: Option<i64> = connection.query_row(first, [time], |row| row.get(0))?;
                match first {
                    Some(first) => Ok(Some(first - 1)),
                    None => connection.query_row(all, [], |row| row.get(0)),
                }
            }
        }
    }

    /// Makes an archive of the records after one, up to another.
    fn archive(&self, begin: &Head, last: i64, go_on: GoOn<'_>) -> Result<Archive, RotationError> {
        let folder = self.archives.folder();
        let failed = file(folder);
        let copy = self.archives.temporary().map_err(&failed)?;
        self.copy(copy.path(), begin, last, go_on)?;
        let (head, [since, until]) = self.proven(copy.path(), begin, go_on)?;
        let mut from = File::open(copy.path()).map_err(&failed)?;
        let unpacked_bytes = from.metadata().map_err(&failed)?.len();
        let packed = self.archives.temporary().map_err(&failed)?;
        let done = pack(&mut from, packed.as_file(), go_on).map_err(&failed)?;
        let (sha256, bytes) = done.ok_or(RotationError::Stopped)?;
        let name = Archive::name(begin.seq + 1, last);
        let path = folder.join(&name);
        self.archives.keep(packed, &path).map_err(file(&path))?;
        let again = unpack(&path, io::sink(), go_on).map_err(file(&path))?;
        let again = again.ok_or(RotationError::Stopped)?;
        if head.seq != last || again != (sha256, unpacked_bytes) {
            return Err(JournalError::OtherArchive(path).into());
        }
        Ok(Archive {
            file: name,
            first: begin.seq + 1,
            last,
            since,
            until,
            hash: head.hash,
            bytes,
            unpacked_bytes,
            sha256,
        })
    }

    /// Copies records into a database of their own.
    fn copy(
        &self,
        to: &Path,
        begin: &Head,
        last: i64,
        go_on: GoOn<'_>,
    ) -> Result<(), RotationError> {
        let ok = sqlite(to);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let archive = Connection::open_with_flags(to, flags).map_err(&ok)?;
        // Whatever goes wrong, the file is thrown away.
        let careless = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN";
        archive.execute_batch(careless).map_err(&ok)?;
        found(&archive, self.store.id(), self.store.key(), begin).map_err(&ok)?;
        archive.execute_batch("COMMIT").map_err(&ok)?;
        attach(&archive, &self.path)?;
        archive.execute_batch("BEGIN").map_err(&ok)?;
        let mut after = begin.seq;
        while after < last {
            if !go_on() {
                return Err(RotationError::Stopped);
            }
            let next = last.min(after + STEP);
            for table in ["records", "findings"] {
                let insert = format!(
                    "INSERT INTO main.{table} SELECT * FROM part.{table} WHERE seq > ? AND seq <= ?"
                );
                let insert = archive.prepare_cached(&insert);
                let copied = insert.and_then(|mut insert| insert.execute([after, next]));
                copied.map_err(&ok)?;
            }
            after = next;
        }
        archive.execute_batch("COMMIT").map_err(&ok)?;
        Ok(())
    }

    /// The last record of a copy that is what was written, and the times of its first
    /// and last.
    fn proven(
        &self,
        copy: &Path,
        begin: &Head,
        go_on: GoOn<'_>,
    ) -> Result<(Head, [i64; 2]), RotationError> {
        let copy = Database::open(copy)?;
        let right = |head: &Head| match head.seq % STEP != 0 || go_on() {
            true => Ok(()),
            false => Err(Unproven::Stopped),
        };
        let verified = verify_rows(copy.connection(), self.store.key(), *begin, right);
        let verified = verified.map_err(|unproven| match unproven {
            Unproven::Stopped => RotationError::Stopped,
            Unproven::Tampered(cause) => RotationError::Tampered {
                path: self.path.clone(),
                cause,
            },
        })?;
        let times = "SELECT (SELECT min(time) FROM records), (SELECT max(time) FROM records)";
        let times = copy
            .connection()
            .query_row(times, [], |row| Ok([row.get(0)?, row.get(1)?]));
        Ok((verified.head, times.map_err(sqlite(&self.path))?))
    }

    /// Takes records out of the journal up to one that is in an archive. Others write
    /// meanwhile: this holds the lock for moments, and leaves it to them as long.
    fn forget(&mut self, archived: &Head, go_on: GoOn<'_>) -> Result<(), RotationError> {
        loop {
            let begun = Instant::now();
            match self.forget_some(archived) {
                Err(cause) => return Err(sqlite(&self.path)(cause).into()),
                Ok(after) if after >= archived.seq => return Ok(()),
                Ok(_) if !go_on() => return Err(RotationError::Stopped),
                Ok(_) => std::thread::sleep(begun.elapsed()),
            }
        }
    }

    /// Gives the number of the record after which the journal begins now.
    fn forget_some(&mut self, archived: &Head) -> rusqlite::Result<i64> {
        let (connection, key) = self.store.parts();
        let immediate = TransactionBehavior::Immediate;
        let transaction = connection.transaction_with_behavior(immediate)?;
        let after = begins_after(&transaction)?;
        if after >= archived.seq {
            return Ok(after);
        }
        let seq = archived.seq.min(after + STEP);
        let hash = "SELECT hash FROM records WHERE seq = ?";
        let hash = transaction.query_row(hash, [seq], |row| row.get(0))?;
        for table in ["findings", "records"] {
            let delete = format!("DELETE FROM {table} WHERE seq <= ?");
            transaction.prepare_cached(&delete)?.execute([seq])?;
        }
        set_anchor(&transaction, key, &Head { seq, hash })?;
        transaction.commit()?;
        Ok(seq)
    }

    /// Gives the room that records have left back to the system.
    fn shrink(&mut self, go_on: GoOn<'_>) -> Result<(), RotationError> {
        let ok = sqlite(&self.path);
        let connection = self.store.connection();
        let free =
            || connection.pragma_query_value(None, "freelist_count", |row| row.get::<_, i64>(0));
        let mut left = free().map_err(&ok)?;
        while left > 0 && go_on() {
            let begun = Instant::now();
            let vacuum = format!("PRAGMA incremental_vacuum({PAGES})");
            let run = || {
                let mut vacuum = connection.prepare(&vacuum)?;
                let mut rows = vacuum.query([])?;
                while rows.next()?.is_some() {}
                free()
            };
            let now = run().map_err(&ok)?;
            // A database that was made without it keeps its room for new records.
            if now >= left {
                break;
            }
            left = now;
            std::thread::sleep(begun.elapsed().min(Duration::from_millis(100)));
        }
        // Somebody who reads may hold it up; then it shrinks at another time.
        let truncate = "PRAGMA wal_checkpoint(TRUNCATE)";
        connection
            .query_row(truncate, [], |_| Ok(()))
            .map_err(&ok)?;
        Ok(())
    }
}

/// The file by which one process keeps others away, in a folder for this person alone.
fn lock(folder: &Path) -> io::Result<File> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(folder.join("lock"))
}
