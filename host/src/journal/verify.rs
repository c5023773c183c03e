//! Whether a journal is as it was written.

use std::iter::Peekable;

use rusqlite::types::Value;
use rusqlite::{Connection, Row};

use super::archive::{Archives, Manifest};
use super::chain::{ChainKey, Hash, Keys};
use super::checkpoint::Checkpoint;
use super::failure::JournalError;
use super::record::COLUMNS;
use super::store::{Database, Head};

/// A journal that is as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// How many records it has.
    pub records: u64,
    /// The record after which it begins.
    pub anchor: Head,
    /// Its last record.
    pub head: Head,
    /// How many archives are a part of it.
    pub archives: usize,
}

/// The first thing in a journal that is not as it was written.
#[derive(Debug, thiserror::Error)]
pub enum Tampered {
    /// It is another installation's, or its id was changed.
    #[error(
        "its chain was not begun with the secret of this installation, so nobody can tell here"
    )]
    OtherKey,
    /// Where it begins was changed.
    #[error("where its chain begins was changed")]
    Anchor,
    /// The manifest of its archives was changed.
    #[error("the manifest of its archives is not what a gateway wrote")]
    Manifest,
    /// An archive is another one.
    #[error("the archive {0} does not hold what belongs there")]
    Archive(String),
    /// Records are neither in it nor in an archive.
    #[error("{} to an archive that is not there", moved(*.first, *.last))]
    NotArchived {
        /// The first of them.
        first: i64,
        /// The last.
        last: i64,
    },
    /// An archive cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// There is a hole.
    #[error("{}", removed(*.first, *.last))]
    Removed {
        /// The first record that is not there.
        first: i64,
        /// The last of those.
        last: i64,
    },
    /// Something is not what was written.
    #[error(
        "record {0} is not what was written: it or a finding of it was changed, or it is another record"
    )]
    Changed(i64),
    /// There are findings of no record.
    #[error("there are findings of record {0}, which is not there")]
    Orphan(i64),
    /// A checkpoint is not of this installation, or was changed.
    #[error("the checkpoint of record {0} is not signed by this installation")]
    Signature(i64),
    /// A checkpoint is of another database.
    #[error("the checkpoint of record {0} is of another database")]
    OtherDatabase(i64),
    /// What a checkpoint says is not there any more.
    #[error(
        "records were removed at the end: a checkpoint has seen record {0}, and the last is {1}"
    )]
    Truncated(i64, i64),
    /// Something else stands where a checkpoint saw a record.
    #[error("record {0} is another one than the checkpoint has seen")]
    Rewritten(i64),
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

fn removed(first: i64, last: i64) -> String {
    match first == last {
        true => format!("record {first} was removed"),
        false => format!("records {first} to {last} were removed"),
    }
}

fn moved(first: i64, last: i64) -> String {
    match first == last {
        true => format!("record {first} was moved"),
        false => format!("records {first} to {last} were moved"),
    }
}

/// Goes through a whole journal: its archives, and what is in it now.
pub fn verify(
    database: &Database,
    keys: &Keys,
    checkpoints: &[Checkpoint],
) -> Result<Verified, Tampered> {
    let key = keys.chain(database.id());
    // All that follows sees one moment, whatever gateways write meanwhile. What leaves
    // the journal after it is in an archive already, and seen in both.
    let snapshot = database.connection().unchecked_transaction()?;
    if !database.is_of(&key)? {
        return Err(Tampered::OtherKey);
    }
    let begin = database.anchor(&key)?.ok_or(Tampered::Anchor)?;
    let archives = Archives::of(database.path());
    let manifest = archives.manifest()?;
    let manifest = manifest.unwrap_or_else(|| Manifest::new(database.id()));
    let first = manifest.before();
    let mut due = due(checkpoints, database, keys, first)?;
    let mut right = |head: &Head| {
        if head.seq == begin.seq && head.hash != begin.hash {
            return Err(Tampered::Anchor);
        }
        while let Some(checkpoint) = due.next_if(|it| it.seq == head.seq) {
            if checkpoint.hash != head.hash {
                return Err(Tampered::Rewritten(head.seq));
            }
        }
        Ok(())
    };
    let archived = verify_archives(&archives, &manifest, (database, &key), &mut right)?;
    if begin.seq > archived.seq {
        return Err(Tampered::NotArchived {
            first: archived.seq + 1,
            last: begin.seq,
        });
    }
    if begin.seq == archived.seq && begin.hash != archived.hash {
        return Err(Tampered::Anchor);
    }
    let head = verify_rows(&snapshot, &key, begin, &mut right)?.head;
    if head.seq < archived.seq {
        return Err(Tampered::Truncated(archived.seq, head.seq));
    }
    match due.next() {
        Some(checkpoint) => Err(Tampered::Truncated(checkpoint.seq, head.seq)),
        None => Ok(Verified {
            records: count(first, head),
            anchor: first,
            head,
            archives: manifest.archives.len(),
        }),
    }
}

/// Checkpoints of records that have to be there, in their order.
fn due<'a>(
    checkpoints: &'a [Checkpoint],
    database: &Database,
    keys: &Keys,
    first: Head,
) -> Result<Peekable<impl Iterator<Item = &'a Checkpoint>>, Tampered> {
    for checkpoint in checkpoints {
        checkpoint.check(database.id(), keys)?;
    }
    let mut sorted: Vec<_> = checkpoints.iter().filter(|it| it.seq > first.seq).collect();
    sorted.sort_by_key(|checkpoint| checkpoint.seq);
    Ok(sorted.into_iter().peekable())
}

/// Goes through the archives. Gives the last record that is in one, or was.
fn verify_archives(
    archives: &Archives,
    manifest: &Manifest,
    (database, key): (&Database, &ChainKey),
    mut right: impl FnMut(&Head) -> Result<(), Tampered>,
) -> Result<Head, Tampered> {
    let is_written = manifest.is_of(database.id(), key);
    let is_there = !manifest.archives.is_empty() || manifest.deleted.is_some();
    if is_there && !is_written {
        return Err(Tampered::Manifest);
    }
    let mut last = manifest.before();
    for archive in &manifest.archives {
        let part = archives.open(archive)?;
        let is_next = part.id() == database.id() && part.anchor(key)? == Some(last);
        if !is_next {
            return Err(Tampered::Archive(archive.file.clone()));
        }
        last = verify_rows(part.connection(), key, last, &mut right)?.head;
        if (last.seq, last.hash) != (archive.last, archive.hash) {
            return Err(Tampered::Archive(archive.file.clone()));
        }
    }
    Ok(last)
}

/// Goes through the tables `records` and `findings`, which begin after a certain
/// record, and shows each as it is found to be right. Whoever sees them may end it.
pub fn verify_rows<E: From<Tampered> + From<rusqlite::Error>>(
    connection: &Connection,
    key: &ChainKey,
    anchor: Head,
    mut right: impl FnMut(&Head) -> Result<(), E>,
) -> Result<Verified, E> {
    let columns = COLUMNS.join(", ");
    let records = format!("SELECT seq, {columns}, hash FROM records ORDER BY seq");
    let mut records = connection.prepare(&records)?;
    let mut findings = connection.prepare("SELECT * FROM findings ORDER BY seq, number")?;
    let (mut records, mut findings) = (records.query([])?, findings.query([])?);
    let mut head = anchor;
    let mut pending = next_finding(findings.next()?)?;
    while let Some(row) = records.next()? {
        let seq: i64 = row.get(0)?;
        if seq != head.seq + 1 {
            let tampered = match seq > head.seq {
                true => Tampered::Removed {
                    first: head.seq + 1,
                    last: seq - 1,
                },
                false => Tampered::Changed(seq),
            };
            return Err(tampered.into());
        }
        let values = values(row, 1..=COLUMNS.len())?;
        let mut found = Vec::new();
        while let Some((of, finding)) = pending.take_if(|(of, _)| *of <= seq) {
            if of < seq {
                return Err(Tampered::Orphan(of).into());
            }
            found.push(finding);
            pending = next_finding(findings.next()?)?;
        }
        let written: Value = row.get(COLUMNS.len() + 1)?;
        let hash: Hash = key.hash(&head.hash, seq, &values, &found);
        if written != Value::Blob(hash.to_vec()) {
            return Err(Tampered::Changed(seq).into());
        }
        head = Head { seq, hash };
        right(&head)?;
    }
    if let Some((of, _)) = pending {
        return Err(Tampered::Orphan(of).into());
    }
    Ok(Verified {
        records: count(anchor, head),
        anchor,
        head,
        archives: 0,
    })
}

fn count(after: Head, last: Head) -> u64 {
    u64::try_from(last.seq - after.seq).unwrap_or_default()
}

/// The record that it is of, and the values that are chained.
fn next_finding(row: Option<&Row<'_>>) -> rusqlite::Result<Option<(i64, Vec<Value>)>> {
    let Some(row) = row else { return Ok(None) };
    Ok(Some((row.get(0)?, values(row, 1..=9)?)))
}

fn values(row: &Row<'_>, columns: std::ops::RangeInclusive<usize>) -> rusqlite::Result<Vec<Value>> {
    columns.map(|index| row.get(index)).collect()
}
