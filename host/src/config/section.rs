//! A table of a file: taking the keys that are known, reporting the rest.

use std::collections::BTreeSet;

use super::Hint;
use super::error::Problem;
use super::field::Field;
use super::report::{Label, Reading};
use super::tree::{Entry, Position, Value};

/// A table, of which some keys have been taken.
pub(super) struct Section<'a> {
    reading: Reading<'a>,
    label: Label,
    at: Position,
    entries: Vec<Entry>,
    known: Vec<&'static str>,
}

impl<'a> Section<'a> {
    /// The table that stands there.
    pub(super) fn new(
        reading: Reading<'a>,
        label: Label,
        at: Position,
        entries: Vec<Entry>,
    ) -> Self {
        Self {
            reading,
            label,
            at,
            entries,
            known: Vec::new(),
        }
    }

    pub(super) fn reading(&self) -> Reading<'a> {
        self.reading
    }

    pub(super) fn label(&self) -> &Label {
        &self.label
    }

    pub(super) fn at(&self) -> Position {
        self.at
    }

    pub(super) fn error(&self, problem: Problem) {
        self.reading.error(self.at, problem);
    }

    /// A warning, which begins with what the section is.
    pub(super) fn warn(&self, warning: &str) {
        let warning = format!("{} {warning}", self.label);
        self.reading.warn(self.at, &warning);
    }

    /// Whether a key stands there. Null is as good as nothing.
    pub(super) fn has(&self, key: &str) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| entry.key == key && entry.node.value != Value::Null)
    }

    /// Allows a key without recommending it.
    pub(super) fn accept(&mut self, key: &str) -> Option<Value> {
        let mut found = self.entries.extract_if(.., |entry| entry.key == key);
        found.next().map(|entry| entry.node.value)
    }

    /// What stands under a key. Null is as good as nothing. A key that stands
    /// twice is reported: not every program agrees which of the two counts.
    pub(super) fn take(&mut self, key: &'static str) -> Option<Field<'a>> {
        self.known.push(key);
        let mut found = self.entries.extract_if(.., |entry| entry.key == key);
        let node = found.next()?.node;
        if let Some(second) = found.next() {
            report_duplicate(self.reading, &self.label, &second);
        }
        drop(found);
        (node.value != Value::Null).then(|| Field {
            reading: self.reading,
            label: self.label.key(key),
            at: node.at,
            value: node.value,
        })
    }

    /// Like `take`, for a key that must be there.
    pub(super) fn require(&mut self, key: &'static str, remedy: &'static str) -> Option<Field<'a>> {
        let field = self.take(key);
        if field.is_none() {
            let inside = self.label.to_string();
            self.error(Problem::Missing {
                inside,
                key,
                remedy,
            });
        }
        field
    }

    /// A table under a key. Without one, an empty table.
    pub(super) fn subsection(&mut self, key: &'static str) -> Section<'a> {
        self.take(key)
            .and_then(Field::section)
            .unwrap_or_else(|| Section::new(self.reading, self.label.key(key), self.at, Vec::new()))
    }

    /// Every value with its key, for a table whose keys are free.
    pub(super) fn into_fields(self) -> Vec<(String, Field<'a>)> {
        let mut seen = BTreeSet::new();
        for entry in self.entries.iter().filter(|entry| !seen.insert(&entry.key)) {
            report_duplicate(self.reading, &self.label, entry);
        }
        let field = |entry: Entry| {
            let field = Field {
                reading: self.reading,
                label: self.label.key(&entry.key),
                at: entry.at,
                value: entry.node.value,
            };
            (entry.key, field)
        };
        self.entries.into_iter().map(field).collect()
    }

    /// Reports every key that was not asked for.
    pub(super) fn finish(self) {
        let entries = self.entries.iter();
        for entry in entries.filter(|entry| entry.node.value != Value::Null) {
            let problem = Problem::UnknownKey {
                key: entry.key.clone(),
                inside: self.label.to_string(),
                hint: Hint::to(&entry.key, self.known.iter().copied()),
            };
            self.reading.error(entry.at, problem);
        }
    }
}

fn report_duplicate(reading: Reading<'_>, inside: &Label, entry: &Entry) {
    let problem = Problem::Duplicate {
        key: entry.key.clone(),
        inside: inside.to_string(),
    };
    reading.error(entry.at, problem);
}
