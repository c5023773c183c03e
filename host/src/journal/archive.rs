//! What was moved out of a journal: databases like the journal itself, each compressed
//! into a file, and the manifest that says which there are.
//!
//! The chain goes on from one into the next and from the last into the journal, so
//! that none can be changed or left out unnoticed.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};

use super::chain::{BEGINNING, ChainKey, Hash, hex};
use super::checkpoint::digits;
use super::failure::{JournalError, file};
use super::rotation::GoOn;
use super::store::{Database, Head};

/// The version of the manifest.
const VERSION: u32 = 1;

/// What the names of files begin with that are not whole yet.
const BEGUN: &str = ".begun-";

/// How hard zstd tries. More takes several times as long for a few percent.
const LEVEL: i32 = 3;

/// How much is packed or unpacked before somebody may stop it.
const STEP: u64 = 4 << 20;

/// How much is read at a time.
const CHUNK: usize = 256 << 10;

/// The folder beside a journal that its archives are in.
#[derive(Debug, Clone)]
pub struct Archives(PathBuf);

/// Which archives there are, the earliest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    version: u32,
    /// The id of the database that they are of.
    #[serde(with = "digits")]
    pub database: Vec<u8>,
    /// What was deleted because it was old enough.
    pub deleted: Option<Deleted>,
    /// The archives.
    pub archives: Vec<Archive>,
    /// Proves all of this.
    #[serde(with = "digits")]
    mac: Hash,
}

/// Archives that are no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deleted {
    /// The last record that was in one.
    pub last: i64,
    /// Its hash.
    #[serde(with = "digits")]
    pub hash: Hash,
    /// When the last archive was deleted: milliseconds since 1970 in UTC.
    pub time: i64,
}

/// One archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// The name of the file.
    pub file: String,
    /// The number of its first record.
    pub first: i64,
    /// And that of its last.
    pub last: i64,
    /// The earliest time of a record: milliseconds since 1970 in UTC.
    pub since: i64,
    /// And the latest.
    pub until: i64,
    /// The hash of the last record.
    #[serde(with = "digits")]
    pub hash: Hash,
    /// How long the file is.
    pub bytes: u64,
    /// How long the database is that is in it.
    pub unpacked_bytes: u64,
    /// Of the file.
    #[serde(with = "digits")]
    pub sha256: Hash,
}

impl Archives {
    /// Those of a journal.
    pub fn of(journal: &Path) -> Self {
        let mut name = journal.file_name().unwrap_or_default().to_owned();
        name.push(".archives");
        Self(journal.with_file_name(name))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// Reads the manifest, if there is one. Whoever has the key asks
    /// [`Manifest::is_of`] whether it is what a gateway wrote.
    pub fn manifest(&self) -> Result<Option<Manifest>, JournalError> {
        let path = self.0.join("manifest.json");
        let failed = file(&path);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read.map_err(&failed)?,
        };
        let manifest = serde_json::from_slice::<Manifest>(&text);
        let manifest = manifest.map_err(|error| failed(error.into()))?;
        match manifest.version {
            VERSION => Ok(Some(manifest)),
            found => Err(failed(io::Error::other(format!(
                "version {found} of a manifest is not known here"
            )))),
        }
    }

    /// Puts a manifest in the place of what was there.
    pub(super) fn write(
        &self,
        manifest: &mut Manifest,
        key: &ChainKey,
    ) -> Result<(), JournalError> {
        manifest.mac = manifest.proof(key);
        let path = self.0.join("manifest.json");
        let written = || {
            let text = serde_json::to_vec_pretty(manifest)?;
            let mut file = self.temporary()?;
            file.write_all(&text)?;
            self.keep(file, &path)
        };
        written().map_err(file(&path))
    }

    /// A new file in the folder, which has no name of its own yet.
    pub(super) fn temporary(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix(BEGUN).tempfile_in(&self.0)
    }

    /// Removes what a process left behind that was killed: files without a name of their
    /// own, and archives that are in no manifest.
    pub(super) fn tidy(&self, manifest: &Manifest) -> io::Result<()> {
        let last = manifest.last().seq;
        for entry in fs::read_dir(&self.0)? {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else { continue };
            let is_unknown = Archive::first_of(name).is_some_and(|first| first > last);
            if name.starts_with(BEGUN) || is_unknown {
                fs::remove_file(self.0.join(name))?;
            }
        }
        Ok(())
    }

    /// Gives a file its name, and is sure that it stays.
    pub(super) fn keep(&self, file: NamedTempFile, path: &Path) -> io::Result<()> {
        file.as_file().sync_all()?;
        file.persist(path)?;
        #[cfg(unix)]
        File::open(&self.0)?.sync_all()?;
        Ok(())
    }

    /// Opens an archive.
    pub fn open(&self, archive: &Archive) -> Result<Database, JournalError> {
        Database::temporary(self.unpack(archive)?, &self.0.join(&archive.file))
    }

    /// Unpacks an archive into a temporary file, which nobody else can read.
    pub(super) fn unpack(&self, archive: &Archive) -> Result<TempPath, JournalError> {
        let path = self.0.join(&archive.file);
        let unpacked = NamedTempFile::new().map_err(file(&std::env::temp_dir()))?;
        let found = unpack(&path, unpacked.as_file(), &|| true).map_err(file(&path))?;
        match found == Some((archive.sha256, archive.unpacked_bytes)) {
            true => Ok(unpacked.into_temp_path()),
            false => Err(JournalError::OtherArchive(path)),
        }
    }
}

impl Manifest {
    /// One without archives.
    pub(super) fn new(database: &[u8]) -> Self {
        Self {
            version: VERSION,
            database: database.to_owned(),
            deleted: None,
            archives: Vec::new(),
            mac: BEGINNING,
        }
    }

    /// Whether a gateway with this key wrote it for this database.
    pub fn is_of(&self, database: &[u8], key: &ChainKey) -> bool {
        self.database == database && self.mac == self.proof(key)
    }

    /// The record before the first one that is in an archive.
    pub fn before(&self) -> Head {
        let deleted = self.deleted.as_ref();
        deleted.map_or(Head::BEFORE_ALL, |it| Head {
            seq: it.last,
            hash: it.hash,
        })
    }

    /// The last record that is in an archive, or was.
    pub fn last(&self) -> Head {
        let last = self.archives.last();
        last.map_or_else(
            || self.before(),
            |it| Head {
                seq: it.last,
                hash: it.hash,
            },
        )
    }

    fn proof(&self, key: &ChainKey) -> Hash {
        let before = self.before();
        let time = self.deleted.as_ref().map_or(0, |it| it.time);
        let mut said = format!(
            "{} {} {} {time}\n",
            hex(&self.database),
            before.seq,
            hex(&before.hash)
        );
        for archive in &self.archives {
            said.push_str(&archive.said());
        }
        key.manifest(&said)
    }
}

impl Archive {
    /// What the file of these records is called.
    pub(super) fn name(first: i64, last: i64) -> String {
        format!("{first:012}-{last:012}.db.zst")
    }

    /// The first record in a file of this name.
    fn first_of(name: &str) -> Option<i64> {
        let (first, last) = name.strip_suffix(".db.zst")?.split_once('-')?;
        last.parse::<i64>().ok()?;
        first.parse().ok()
    }

    /// All that is said of it, on a line.
    fn said(&self) -> String {
        format!(
            "{} {} {} {} {} {} {} {} {}\n",
            self.first,
            self.last,
            self.since,
            self.until,
            hex(&self.hash),
            self.bytes,
            self.unpacked_bytes,
            hex(&self.sha256),
            self.file
        )
    }
}

/// Unpacks a file. Gives the SHA-256 of what was packed and how much came out, or nothing
/// if that was stopped.
pub(super) fn unpack(
    path: &Path,
    into: impl Write,
    go_on: GoOn<'_>,
) -> io::Result<Option<(Hash, u64)>> {
    let mut packed = Hashed::new(File::open(path)?);
    let reader = BufReader::with_capacity(CHUNK, &mut packed);
    let mut decoder = zstd::stream::read::Decoder::with_buffer(reader)?;
    let mut into = BufWriter::with_capacity(CHUNK, into);
    let length = match copy(&mut decoder, &mut into, go_on)? {
        None => return Ok(None),
        Some(length) => length,
    };
    into.flush()?;
    drop(decoder);
    Ok(Some((packed.digest(), length)))
}

/// Packs what is read from one file into another. Gives the same of it, the length being
/// that of what was packed.
pub(super) fn pack(
    from: &mut impl Read,
    to: &File,
    go_on: GoOn<'_>,
) -> io::Result<Option<(Hash, u64)>> {
    let mut hashed = Hashed::new(to);
    let mut encoder = zstd::stream::write::Encoder::new(&mut hashed, LEVEL)?;
    encoder.include_checksum(true)?;
    if copy(from, &mut encoder, go_on)?.is_none() {
        return Ok(None);
    }
    encoder.finish()?.flush()?;
    let length = hashed.length;
    Ok(Some((hashed.digest(), length)))
}

/// Copies all that can be read. Gives how much that was, or nothing if it was stopped.
fn copy(from: &mut impl Read, to: &mut impl Write, go_on: GoOn<'_>) -> io::Result<Option<u64>> {
    let mut length = 0;
    loop {
        if !go_on() {
            return Ok(None);
        }
        match io::copy(&mut from.take(STEP), to)? {
            0 => return Ok(Some(length)),
            copied => length += copied,
        }
    }
}

/// What is read or written, hashed on its way.
struct Hashed<T> {
    inner: T,
    hasher: Sha256,
    length: u64,
}

impl<T> Hashed<T> {
    fn new(inner: T) -> Self {
        Self {
            inner,
            hasher: Sha256::new(),
            length: 0,
        }
    }

    fn digest(self) -> Hash {
        self.hasher.finalize().into()
    }

    fn saw(&mut self, bytes: Option<&[u8]>) {
        let bytes = bytes.unwrap_or_default();
        self.hasher.update(bytes);
        self.length += bytes.len() as u64;
    }
}

impl<T: Read> Read for Hashed<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.saw(buffer.get(..count));
        Ok(count)
    }
}

impl<T: Write> Write for Hashed<T> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(buffer)?;
        self.saw(buffer.get(..count));
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
