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
    // Before the file: a record that says too much does no harm, as its steps are
    // compared with what is there.
    let taking_away = change.copy.is_none();
    if !taking_away {
        put_config(change)?;
        if let Some(copy) = &change.copy {
            fs::copy(&change.file, copy).map_err(unusable(copy))?;
        }
        change.record.keep()?;
    }
    write(&change.file, &change.after)?;
    if taking_away {
        change.record.keep()?;
        put_config(change)?;
        for copy in &change.copies {
            // It may be gone already.
            let _ = fs::remove_file(copy);
        }
    }
    Ok(())
}

/// Brings the gateway's own file to what it is to be.
fn put_config(change: &Change) -> Result<(), InstallError> {
    let Some((path, before, after)) = &change.config else {
        return Ok(());
    };
    let Some(text) = after else {
        return fs::remove_file(path).map_err(unusable(path));
    };
    if let Some(folder) = path.parent() {
        // What servers need to log in with stands in it.
        CacheDir::at(folder.to_owned())?;
    }
    if before.is_some() {
        no_wider(path, &change.file)?;
    }
    write(path, text)
}

/// Who can't read the client's file can't read the gateway's either, which gets the
/// same secrets.
#[cfg(unix)]
fn no_wider(path: &Path, client: &Path) -> Result<(), InstallError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| {
        let known = fs::metadata(path).map_err(unusable(path))?;
        Ok::<_, InstallError>(known.permissions().mode() & 0o777)
    };
    let (now, at_most) = (mode(path)?, mode(client)? | 0o700);
    if now & !at_most != 0 {
        let narrow = fs::Permissions::from_mode(now & at_most);
        fs::set_permissions(path, narrow).map_err(unusable(path))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn no_wider(_: &Path, _: &Path) -> Result<(), InstallError> {
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
