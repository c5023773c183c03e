//! What was found so far, and in which file.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::path::{Path, PathBuf};

use super::Unresolved;
use super::error::{ConfigError, Place, Problem};
use super::expand::{Env, Kept};
use super::tree::{Position, Syntax};
use super::{secret, stand_in};
use crate::keyring::{self, Item};

/// What was found wrong or remarkable so far.
#[derive(Default)]
pub(super) struct Report {
    errors: RefCell<Vec<ConfigError>>,
    /// What only a part of the configuration has to do without.
    apart: RefCell<Vec<ConfigError>>,
    /// What such a part is to get from the keyring.
    items: RefCell<Vec<Item>>,
    /// Whether such a part is being read.
    is_apart: Cell<bool>,
    warnings: RefCell<Vec<String>>,
    files: RefCell<Vec<PathBuf>>,
}

/// A file that is being read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) report: &'a Report,
    /// As it was named, for messages.
    pub(super) file: &'a Path,
    pub(super) syntax: Syntax,
    pub(super) env: Env<'a>,
    /// The folder of the file, which paths in it are relative to.
    pub(super) folder: &'a Path,
    /// Whether secrets must be there.
    pub(super) secrets: Wanted,
}

/// What a part of the configuration refers to, which the rest can do without.
pub(super) struct Apart {
    /// What cannot be had.
    pub(super) unresolved: Vec<ConfigError>,
    /// What is in the keyring. It is looked up when it is needed; until then something else
    /// stands in its place.
    pub(super) secrets: Vec<Item>,
}

/// What becomes of a secret that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Wanted {
    /// It is an error, since something is to run with it.
    #[default]
    Needed,
    /// A word stands in for it.
    Assumed,
}

/// What stands in for what is not there: an address, since it may have to be one.
const ASSUMED: &str = "https://unset.invalid";

/// What messages call a value: its path inside what a person has a name for.
#[derive(Clone)]
pub(super) struct Label {
    inside: String,
    path: String,
}

impl Report {
    pub(super) fn error(&self, place: Place, problem: Problem) {
        self.errors
            .borrow_mut()
            .push(ConfigError { place, problem });
    }

    pub(super) fn warn(&self, warning: String) {
        self.warnings.borrow_mut().push(warning);
    }

    /// The warnings, and the files that were referred to, if there was no error; else the
    /// errors in order.
    pub(super) fn finish(self) -> Result<(Vec<String>, Vec<PathBuf>), Vec<ConfigError>> {
        let mut errors = self.errors.into_inner();
        if errors.is_empty() {
            return Ok((self.warnings.into_inner(), self.files.into_inner()));
        }
        // Who mends them mends the rest as well.
        errors.append(&mut self.apart.into_inner());
        errors.sort_by(|a, b| a.place.cmp(&b.place));
        Err(errors)
    }
}

impl Reading<'_> {
    pub(super) fn error(&self, at: Position, problem: Problem) {
        self.report.error(self.place(at), problem);
    }

    /// Reads what the rest can do without. References in it that cannot be filled in come
    /// back, and are no errors of the whole.
    pub(super) fn apart<T>(&self, read: impl FnOnce() -> T) -> (T, Apart) {
        let before = self.report.apart.borrow().len();
        self.report.is_apart.set(true);
        let read = read();
        self.report.is_apart.set(false);
        let unresolved = self.report.apart.borrow();
        let apart = Apart {
            unresolved: unresolved.iter().skip(before).cloned().collect(),
            secrets: self.report.items.take(),
        };
        (read, apart)
    }

    /// A reference that cannot be filled in, or not with what it stands for. What comes back
    /// stands in for it, where the rest can do without.
    pub(super) fn unresolved(&self, at: Position, problem: Problem) -> Option<String> {
        if !self.report.is_apart.get() {
            self.error(at, problem);
            return None;
        }
        let place = self.place(at);
        self.report
            .apart
            .borrow_mut()
            .push(ConfigError { place, problem });
        Some(ASSUMED.to_owned())
    }

    pub(super) fn warn(&self, at: Position, warning: &str) {
        self.report.warn(format!("{}: {warning}", self.place(at)));
    }

    /// A secret that is kept elsewhere.
    pub(super) fn secret(&self, kept: Kept<'_>) -> Result<String, Unresolved> {
        match kept {
            Kept::File(wrote) => self.secret_in_file(wrote),
            Kept::Keyring(wrote) => self.secret_in_keyring(wrote),
        }
    }

    fn secret_in_file(&self, wrote: &str) -> Result<String, Unresolved> {
        let path = secret::place(wrote, self.folder, self.env)?;
        let mut files = self.report.files.borrow_mut();
        if !files.contains(&path) {
            files.push(path.clone());
        }
        secret::read(&path).or_else(|error| match self.secrets {
            Wanted::Needed => Err(error),
            Wanted::Assumed => Ok(ASSUMED.to_owned()),
        })
    }

    fn secret_in_keyring(&self, wrote: &str) -> Result<String, Unresolved> {
        let item: Item = wrote.parse().map_err(Unresolved::NoItem)?;
        if self.secrets == Wanted::Assumed {
            return Ok(ASSUMED.to_owned());
        }
        if !self.report.is_apart.get() {
            return keyring::look_up_now(&item)
                .map(|secret| secret.to_string())
                .map_err(|cause| {
                    Unresolved::Keyring(Box::new(keyring::Unavailable { item, cause }))
                });
        }
        let stand_in = stand_in::of(&item);
        let mut items = self.report.items.borrow_mut();
        if !items.contains(&item) {
            items.push(item);
        }
        Ok(stand_in)
    }

    fn place(&self, at: Position) -> Place {
        Place::Position {
            file: self.file.to_owned(),
            line: at.line,
            column: at.column,
        }
    }
}

impl Label {
    pub(super) fn of(inside: &str) -> Self {
        Self {
            inside: inside.to_owned(),
            path: String::new(),
        }
    }

    /// The value under a key.
    pub(super) fn key(&self, key: &str) -> Self {
        let dot = if self.path.is_empty() { "" } else { "." };
        self.extended(&format!("{dot}{key}"))
    }

    /// An item of a list, counted from zero as in the paths of other tools.
    pub(super) fn item(&self, index: usize) -> Self {
        self.extended(&format!("[{index}]"))
    }

    fn extended(&self, by: &str) -> Self {
        Self {
            inside: self.inside.clone(),
            path: format!("{}{by}", self.path),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.inside);
        }
        write!(f, "\"{}\" in {}", self.path, self.inside)
    }
}
