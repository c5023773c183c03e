//! Secrets that the configuration only refers to, in files: `${file:PATH}`.
//!
//! No error quotes what is in such a file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::Unresolved;
use super::expand::Env;
use super::home::expand_home;

/// The largest file that can be a secret. Whoever names a larger one means another.
const LARGEST: u64 = 64 << 10;

/// Where a file is that somebody wrote a reference to.
pub(super) fn place(wrote: &str, folder: &Path, env: Env<'_>) -> Result<PathBuf, Unresolved> {
    if wrote.trim().is_empty() {
        return Err(Unresolved::NoPath);
    }
    let path = expand_home(wrote, env).ok_or_else(|| Unresolved::File {
        path: wrote.into(),
        cause: FileFault::NoHome,
    })?;
    Ok(folder.join(path))
}

/// What is in a file, without the line's end that editors leave there.
pub(super) fn read(path: &Path) -> Result<String, Unresolved> {
    contents(path).map_err(|cause| Unresolved::File {
        path: path.to_owned(),
        cause,
    })
}

/// Why a file cannot be the value of a reference.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileFault {
    /// The path begins with `~`, and nobody knows what that is.
    #[error("its path starts with \"~\", but HOME is not set; write the whole path")]
    NoHome,
    /// The system refuses to open it.
    #[error("{0}; write the secret into that file, for you alone to read")]
    Unreadable(String),
    /// A folder, a pipe or a device.
    #[error("it is no regular file")]
    NoFile,
    /// People may read or change it whom it does not concern.
    #[error(
        "its permissions are {mode:03o}, so others can {}; run: chmod 600 {}",
        if mode & 0o022 == 0 { "read it" } else { "change it" },
        .path
    )]
    Open {
        /// Its permissions.
        mode: u32,
        /// How a shell calls it.
        path: String,
    },
    /// It holds nothing.
    #[error("it is empty")]
    Empty,
    /// It holds what is hardly a secret.
    #[error("it has more than 64 KiB, which no secret has")]
    TooLarge,
    /// It holds what neither a variable nor a header can.
    #[error("it is no text")]
    NoText,
}

fn contents(path: &Path) -> Result<String, FileFault> {
    let unreadable = |error: io::Error| FileFault::Unreadable(error.to_string());
    // Before it is opened, since opening a pipe waits for whoever writes to it.
    let known = fs::metadata(path).map_err(unreadable)?;
    if !known.is_file() {
        return Err(FileFault::NoFile);
    }
    closed(path, &known)?;
    if known.len() > LARGEST {
        return Err(FileFault::TooLarge);
    }
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(FileFault::NoText),
        Err(error) => return Err(unreadable(error)),
    };
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    match text {
        "" => Err(FileFault::Empty),
        text if text.contains('\0') => Err(FileFault::NoText),
        text => Ok(text.to_owned()),
    }
}

/// Whether nobody else can read or change it. The group may read: containers are handed
/// secrets that way.
#[cfg(unix)]
fn closed(path: &Path, known: &fs::Metadata) -> Result<(), FileFault> {
    use std::os::unix::fs::PermissionsExt;
    let mode = known.permissions().mode() & 0o777;
    if mode & 0o027 == 0 {
        return Ok(());
    }
    Err(FileFault::Open {
        mode,
        path: super::shell_word(&path.to_string_lossy()),
    })
}

/// There, what others can read is not told by permissions of this kind.
#[cfg(not(unix))]
fn closed(_: &Path, _: &fs::Metadata) -> Result<(), FileFault> {
    Ok(())
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn check(content: &[u8], mode: u32, expected: Result<&str, &str>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, content).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let here = format!("{}/", folder.path().display());
        let found = contents(&file).map_err(|fault| fault.to_string().replace(&here, ""));
        let expected = expected.map(str::to_owned).map_err(str::to_owned);
        assert_eq!(found, expected, "{mode:o}");
    }

    #[test]
    fn a_secret_is_what_stands_in_the_file_but_for_the_end_of_its_line() {
        check(b"hunter2", 0o600, Ok("hunter2"));
        check(b"hunter2\n", 0o400, Ok("hunter2"));
        check(b"hunter2\r\n", 0o600, Ok("hunter2"));
        check(b" two\nlines \n\n", 0o640, Ok(" two\nlines \n"));
    }

    #[test]
    fn a_file_that_others_can_read_or_change_is_no_secret() {
        let read = "its permissions are 644, so others can read it; run: chmod 600 key";
        check(b"hunter2", 0o644, Err(read));
        let write = "its permissions are 620, so others can change it; run: chmod 600 key";
        check(b"hunter2", 0o620, Err(write));
    }

    #[test]
    fn what_cannot_be_a_secret_is_told_apart() {
        check(b"", 0o600, Err("it is empty"));
        check(b"\n", 0o600, Err("it is empty"));
        check(b"a\0b", 0o600, Err("it is no text"));
        check(b"\xff\xfe", 0o600, Err("it is no text"));
        let large = "it has more than 64 KiB, which no secret has";
        check(&vec![b'x'; 70_000], 0o600, Err(large));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(contents(folder.path()), Err(FileFault::NoFile));
        let missing = contents(&folder.path().join("missing")).unwrap_err();
        assert!(missing.to_string().starts_with("No such file"), "{missing}");
    }
}
