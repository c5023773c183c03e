//! `audit verify` and `audit checkpoint`: whether the record is as it was written, and
//! what shows later that its end was not cut off.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::failure::AuditError;
use super::plain;
use super::when::When;
use crate::journal::{self, Checkpoint, Database, Keys, Tampered, Verified, hex};
use crate::plural::counted;

/// Says whether the record is as it was written.
pub(super) fn verify(
    path: &Path,
    keys: &Keys,
    checkpoints: &[PathBuf],
    is_json: bool,
    out: &mut dyn Write,
) -> Result<(), AuditError> {
    let database = Database::open(path)?;
    let mut seen = Vec::new();
    for file in checkpoints {
        seen.extend(read(file)?);
    }
    let found = journal::verify(&database, keys, &seen);
    if is_json {
        let text = plain::json(&object(&found).to_string()).into_owned();
        writeln!(out, "{text}")?;
    }
    match found {
        Ok(_) if is_json => Ok(()),
        Ok(verified) => Ok(writeln!(out, "{}", told(&verified, seen.len()))?),
        Err(cause) => Err(AuditError::Unproven {
            path: path.to_owned(),
            cause,
        }),
    }
}

/// Signs the last record of the database.
pub(super) fn checkpoint(path: &Path, keys: &Keys, out: &mut dyn Write) -> Result<(), AuditError> {
    let database = Database::open(path)?;
    let key = keys.chain(database.id());
    let unproven = |cause| AuditError::Unproven {
        path: path.to_owned(),
        cause,
    };
    let head = database
        .head(&key)
        .map_err(|cause| unproven(cause.into()))?;
    let head = head.ok_or_else(|| unproven(Tampered::Anchor))?;
    let signed = Checkpoint::new(database.id(), &head, When::now().0, keys);
    let signed = signed.ok_or(AuditError::Signing)?;
    writeln!(out, "{}", json!(signed))?;
    Ok(())
}

/// The checkpoints in a file, one a line.
fn read(path: &Path) -> Result<Vec<Checkpoint>, AuditError> {
    let text = fs::read_to_string(path).map_err(AuditError::file(path))?;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let checkpoints = lines.map(|line| {
        serde_json::from_str(line).map_err(|cause| AuditError::Checkpoint {
            path: path.to_owned(),
            cause,
        })
    });
    let checkpoints: Vec<_> = checkpoints.collect::<Result<_, _>>()?;
    match checkpoints.is_empty() {
        true => Err(AuditError::NoCheckpoint(path.to_owned())),
        false => Ok(checkpoints),
    }
}

fn told(verified: &Verified, checkpoints: usize) -> String {
    let Verified {
        records,
        anchor,
        head,
        archives,
    } = verified;
    let range = match records {
        0 => format!("no records after number {}", anchor.seq),
        1 => format!("1 record, number {}", head.seq),
        _ => format!("{records} records, {} to {}", anchor.seq + 1, head.seq),
    };
    let archives = match archives {
        0 => String::new(),
        count => format!(", with {}", counted(count, "archive")),
    };
    let checkpoints = match checkpoints {
        0 => String::new(),
        1 => ", as a checkpoint has seen them".to_owned(),
        count => format!(", as {count} checkpoints have seen them"),
    };
    format!("nobody changed anything: {range}{archives}{checkpoints}")
}

fn object(found: &Result<Verified, Tampered>) -> serde_json::Value {
    match found {
        Ok(verified) => json!({
            "intact": true,
            "records": verified.records,
            "first": verified.anchor.seq + 1,
            "last": verified.head.seq,
            "hash": hex(&verified.head.hash),
            "archives": verified.archives,
        }),
        Err(tampered) => json!({ "intact": false, "reason": tampered.to_string() }),
    }
}
