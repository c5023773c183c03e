//! What was found so far, and in which file.

use std::cell::RefCell;
use std::fmt;
use std::path::Path;

use super::error::{ConfigError, Place, Problem};
use super::expand::Env;
use super::tree::{Position, Syntax};

/// What was found wrong or remarkable so far.
#[derive(Default)]
pub(super) struct Report {
    errors: RefCell<Vec<ConfigError>>,
    warnings: RefCell<Vec<String>>,
}

/// A file that is being read.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) report: &'a Report,
    /// As it was named, for messages.
    pub(super) file: &'a Path,
    pub(super) syntax: Syntax,
    pub(super) env: Env<'a>,
}

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

    /// The warnings if there was no error, else the errors in order.
    pub(super) fn finish(self) -> Result<Vec<String>, Vec<ConfigError>> {
        let mut errors = self.errors.into_inner();
        if errors.is_empty() {
            return Ok(self.warnings.into_inner());
        }
        errors.sort_by(|a, b| a.place.cmp(&b.place));
        Err(errors)
    }
}

impl Reading<'_> {
    pub(super) fn error(&self, at: Position, problem: Problem) {
        self.report.error(self.place(at), problem);
    }

    pub(super) fn warn(&self, at: Position, warning: &str) {
        self.report.warn(format!("{}: {warning}", self.place(at)));
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
