//! `audit rotate` and `audit prune`: records that are moved into archives by hand, and
//! archives that are deleted.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::failure::AuditError;
use super::plain;
use super::table::{self, Column};
use super::when::When;
use crate::journal::{Archive, Keys, Rotation, Which, hex};

const COLUMNS: [Column<'static>; 6] = [
    Column::words("FILE"),
    Column::number("RECORDS"),
    Column::words("FROM (UTC)"),
    Column::words("TO (UTC)"),
    Column::number("BYTES"),
    Column::number("UNPACKED"),
];

/// Moves records into an archive.
pub(super) fn rotate(
    path: &Path,
    keys: &Keys,
    before: Option<When>,
    is_json: bool,
    out: &mut dyn Write,
) -> Result<(), AuditError> {
    let which = before.map_or(Which::All, |When(time)| Which::Before(time));
    let mut rotation = Rotation::begin(path, keys)?;
    let made = rotation.rotate(which, &|| true)?;
    let made: Vec<_> = made.into_iter().collect();
    print(&made, "nothing to move", is_json, out)
}

/// Deletes archives, or shows only which would be.
pub(super) fn prune(
    path: &Path,
    keys: &Keys,
    (before, is_sure): (When, bool),
    is_json: bool,
    out: &mut dyn Write,
) -> Result<(), AuditError> {
    let mut rotation = Rotation::begin(path, keys)?;
    let old = match is_sure {
        true => rotation.delete_before(before.0, When::now().0)?,
        false => rotation.old(before.0)?.to_vec(),
    };
    print(&old, "no archive is that old", is_json, out)?;
    if !is_sure && !is_json && !old.is_empty() {
        writeln!(
            out,
            "\nnothing is deleted yet; --yes deletes these for good"
        )?;
    }
    Ok(())
}

fn print(
    archives: &[Archive],
    none: &str,
    is_json: bool,
    out: &mut dyn Write,
) -> Result<(), AuditError> {
    if is_json {
        for archive in archives {
            writeln!(out, "{}", plain::json(&object(archive).to_string()))?;
        }
        return Ok(());
    }
    if archives.is_empty() {
        return Ok(writeln!(out, "{none}")?);
    }
    let rows: Vec<_> = archives.iter().map(row).collect();
    Ok(out.write_all(table::render(&COLUMNS, &rows, table::terminal()).as_bytes())?)
}

fn row(archive: &Archive) -> Vec<String> {
    vec![
        archive.file.clone(),
        (archive.last - archive.first + 1).to_string(),
        When(archive.since).short(),
        When(archive.until).short(),
        archive.bytes.to_string(),
        archive.unpacked_bytes.to_string(),
    ]
}

fn object(archive: &Archive) -> Value {
    json!({
        "file": archive.file,
        "first": archive.first,
        "last": archive.last,
        "since": When(archive.since).to_string(),
        "until": When(archive.until).to_string(),
        "bytes": archive.bytes,
        "unpacked_bytes": archive.unpacked_bytes,
        "sha256": hex(&archive.sha256),
    })
}
