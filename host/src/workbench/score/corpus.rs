//! Files of labelled texts, packed or not.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use flate2::read::MultiGzDecoder;

/// Where a text stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    file: PathBuf,
    /// Counted from 1; absent for a file that is one text.
    line: Option<usize>,
}

/// What a corpus holds.
pub(super) enum Entry {
    /// A line of JSON.
    Line(Place, String),
    /// A text in which nothing is to be found.
    Clean(Place, String),
}

#[cfg(test)]
impl Place {
    pub(super) fn of_line(file: &Path, line: usize) -> Self {
        Self {
            file: file.to_owned(),
            line: Some(line),
        }
    }
}

/// The most that a packed file may unpack to.
const LARGEST: u64 = 1 << 30;

/// All that is in these files, and in the files of these folders.
pub(super) fn entries(corpora: &[PathBuf]) -> anyhow::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for path in corpora {
        for file in files(path)? {
            read(&file, &mut entries).with_context(|| file.display().to_string())?;
        }
    }
    if entries.is_empty() {
        bail!("there is no text in it");
    }
    Ok(entries)
}

/// A file, or all files of a folder in the order of their names.
fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let failed = || format!("cannot read {}", path.display());
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut inside = Vec::new();
    for entry in std::fs::read_dir(path).with_context(failed)? {
        inside.push(entry.with_context(failed)?.path());
    }
    inside.sort();
    let mut all = Vec::new();
    for path in inside {
        all.extend(files(&path)?);
    }
    Ok(all)
}

fn read(file: &Path, entries: &mut Vec<Entry>) -> anyhow::Result<()> {
    let bytes = std::fs::read(file)?;
    let named = file.to_string_lossy();
    let (bytes, named) = match named.strip_suffix(".gz") {
        None => (bytes, &*named),
        Some(inner) => {
            let mut unpacked = Vec::new();
            let mut reader = MultiGzDecoder::new(&*bytes).take(LARGEST + 1);
            reader
                .read_to_end(&mut unpacked)
                .context("cannot be unpacked")?;
            if unpacked.len() as u64 > LARGEST {
                bail!("it unpacks to more than {LARGEST} bytes");
            }
            (unpacked, inner)
        }
    };
    let text = String::from_utf8(bytes).context("it is not UTF-8")?;
    let place = |line| Place {
        file: file.to_owned(),
        line,
    };
    if !named.ends_with(".jsonl") {
        entries.push(Entry::Clean(place(None), text));
        return Ok(());
    }
    for (number, line) in (1..).zip(text.lines()) {
        if !line.trim().is_empty() {
            entries.push(Entry::Line(place(Some(number)), line.to_owned()));
        }
    }
    Ok(())
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.file.file_name().unwrap_or(self.file.as_os_str());
        match self.line {
            Some(line) => write!(f, "{}:{line}", name.display()),
            None => name.display().fmt(f),
        }
    }
}
