//! A change is written: whole files only, the client's last.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::{Change, InstallError, unusable};
use crate::sandbox::CacheDir;

/// Writes a change.
pub(super) fn apply(change: &Change) -> Result<(), InstallError> {
    let now = fs::read_to_string(&change.file).map_err(unusable(&change.file))?;
    if now != change.before {
        return Err(InstallError::Meanwhile(change.file.clone()));
    }
    if let Some((path, _, Some(text))) = &change.config {
        if let Some(folder) = path.parent() {
            // What servers need to log in with stands in it.
            CacheDir::at(folder.to_owned())?;
        }
        write(path, text)?;
    }
    if let Some(copy) = &change.copy {
        fs::copy(&change.file, copy).map_err(unusable(copy))?;
    }
    // Before the file: a record that says too much does no harm, as its steps are
    // compared with what is there.
    let taking_away = change.copy.is_none();
    if !taking_away {
        change.record.keep()?;
    }
    write(&change.file, &change.after)?;
    if taking_away {
        change.record.keep()?;
        if let Some((path, _, None)) = &change.config {
            fs::remove_file(path).map_err(unusable(path))?;
        }
        for copy in &change.copies {
            // It may be gone already.
            let _ = fs::remove_file(copy);
        }
    }
    Ok(())
}

/// Puts a text in the place of a file. A link stays one, and who may read the file
/// stays as it was; a new file is for this person only.
fn write(path: &Path, text: &str) -> Result<(), InstallError> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let written = || {
        let folder = path.parent().unwrap_or(path);
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        if let Ok(known) = fs::metadata(path) {
            file.as_file().set_permissions(known.permissions())?;
        }
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(unusable(path))
}
