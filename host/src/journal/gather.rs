//! A journal and its archives in one database again, for questions that are asked in SQL.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use tempfile::NamedTempFile;

use super::archive::Archives;
use super::failure::{JournalError, file, not_unicode, sqlite};
use super::store::{Database, SCHEMA, mark};

/// Copies all records of this moment into a temporary database.
pub fn gather(path: &Path) -> Result<Database, JournalError> {
    // Whether it is a journal at all.
    Database::open(path)?;
    let whole = NamedTempFile::new().map_err(file(&std::env::temp_dir()))?;
    let ok = sqlite(path);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(whole.path(), flags).map_err(&ok)?;
    let careless = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF";
    connection.execute_batch(careless).map_err(&ok)?;
    connection.execute_batch(SCHEMA).map_err(&ok)?;
    let begins_after = copy_journal(&connection, path)?;
    let archives = Archives::of(path);
    // After the look into the journal: what has left it since is there twice.
    let manifest = archives.manifest()?;
    for archive in manifest.iter().flat_map(|manifest| &manifest.archives) {
        let unpacked = archives.unpack(archive)?;
        attach(&connection, &unpacked)?;
        copy(&connection, (archive.first, begins_after)).map_err(&ok)?;
        connection.execute_batch("DETACH part").map_err(&ok)?;
    }
    drop(connection);
    Database::temporary(whole.into_temp_path(), path)
}

/// Copies what is in the journal itself. Gives the number of the record after which it
/// begins.
fn copy_journal(connection: &Connection, path: &Path) -> Result<i64, JournalError> {
    attach(connection, path)?;
    let copied = || {
        connection.execute_batch("BEGIN; INSERT INTO meta SELECT * FROM part.meta")?;
        let begins_after = "SELECT value FROM meta WHERE key = 'anchor_seq'";
        let begins_after = connection.query_row(begins_after, [], |row| row.get(0))?;
        copy(connection, (begins_after + 1, i64::MAX))?;
        mark(connection)?;
        connection.execute_batch("COMMIT; DETACH part")?;
        Ok(begins_after)
    };
    copied().map_err(sqlite(path))
}

fn copy(connection: &Connection, (first, last): (i64, i64)) -> rusqlite::Result<()> {
    for table in ["records", "findings"] {
        let insert = format!(
            "INSERT INTO main.{table} SELECT * FROM part.{table} WHERE seq BETWEEN ? AND ?"
        );
        connection.execute(&insert, [first, last])?;
    }
    Ok(())
}

/// Makes a database a part of the connection to another.
pub(super) fn attach(connection: &Connection, path: &Path) -> Result<(), JournalError> {
    let name = path.to_str().ok_or_else(|| not_unicode(path))?;
    let attached = connection.execute("ATTACH ? AS part", [name]);
    attached.map(drop).map_err(sqlite(path))
}
