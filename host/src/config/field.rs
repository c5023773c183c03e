//! A value of a file, and reading it as what it should be.
//!
//! Nothing here stops at an error: what is wrong is reported and comes back as
//! `None`, and the reader goes on with the next.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Hint;
use super::error::Problem;
use super::expand::expand;
use super::home::expand_home;
use super::quantity::{parse_duration, parse_size, show_duration, show_size};
use super::report::{Label, Reading};
use super::section::Section;
use super::tree::{Node, Position, Value};

/// A value and its place.
pub(super) struct Field<'a> {
    pub(super) reading: Reading<'a>,
    pub(super) label: Label,
    pub(super) at: Position,
    pub(super) value: Value,
}

/// Who is to blame for a value that is no good, once it is filled in.
pub(super) struct Blame<'a> {
    reading: Reading<'a>,
    at: Position,
    refers: bool,
}

impl Blame<'_> {
    /// What is wrong whatever the value is.
    pub(super) fn for_entry(&self, problem: Problem) {
        self.reading.error(self.at, problem);
    }

    /// What is wrong with the value. If that came from elsewhere it counts as not there, and
    /// what stands in for it comes back.
    pub(super) fn for_value(&self, problem: Problem) -> Option<String> {
        if self.refers {
            return self.reading.unresolved(self.at, problem);
        }
        self.for_entry(problem);
        None
    }
}

impl<'a> Field<'a> {
    /// For what is found out only after the value has been taken.
    pub(super) fn blame(&self) -> Blame<'a> {
        let refers =
            matches!(&self.value, Value::Text(text) if text.replace("$${", "").contains("${"));
        Blame {
            reading: self.reading,
            at: self.at,
            refers,
        }
    }

    pub(super) fn error(&self, problem: Problem) {
        self.reading.error(self.at, problem);
    }

    /// What messages call it.
    pub(super) fn what(&self) -> String {
        self.label.to_string()
    }

    fn wrong_type<T>(&self, expected: &'static str) -> Option<T> {
        self.error(Problem::WrongType {
            what: self.what(),
            expected,
            found: self.value.kind(self.reading.syntax),
        });
        None
    }

    /// A table.
    pub(super) fn section(self) -> Option<Section<'a>> {
        let Value::Table(entries) = self.value else {
            return self.wrong_type(self.reading.syntax.table());
        };
        Some(Section::new(self.reading, self.label, self.at, entries))
    }

    /// A table that messages call by another name.
    pub(super) fn labelled(self, label: &str) -> Option<Section<'a>> {
        let label = Label::of(label);
        Field { label, ..self }.section()
    }

    /// A string as it is written.
    pub(super) fn text(self) -> Option<String> {
        match self.value {
            Value::Text(text) => Some(text),
            _ => self.wrong_type("a string"),
        }
    }

    /// Whether a secret will stand in it that is kept elsewhere.
    pub(super) fn refers_to_secret(&self) -> bool {
        let Value::Text(text) = &self.value else {
            return false;
        };
        let text = text.replace("$${", "");
        text.contains("${file:") || text.contains("${keyring:")
    }

    /// Whether that secret is in the keyring.
    fn refers_to_keyring(&self) -> bool {
        matches!(&self.value, Value::Text(text) if text.replace("$${", "").contains("${keyring:"))
    }

    /// A string with its variables replaced.
    pub(super) fn expanded(self) -> Option<String> {
        let Value::Text(text) = &self.value else {
            return self.wrong_type("a string");
        };
        let causes = match expand(text, self.reading.env, &|kept| self.reading.secret(kept)) {
            Ok(text) => return Some(text),
            Err(causes) => causes,
        };
        let mut stands_in = None;
        for cause in causes {
            let (what, is_mistake) = (self.what(), cause.is_mistake());
            let problem = Problem::Variable { what, cause };
            match is_mistake {
                true => self.error(problem),
                false => stands_in = self.reading.unresolved(self.at, problem),
            }
        }
        stands_in
    }

    /// A path with its variables and `~` replaced.
    pub(super) fn path(self) -> Option<String> {
        let (reading, at, what) = (self.reading, self.at, self.what());
        if self.refers_to_keyring() {
            self.error(Problem::PathInKeyring { what });
            return None;
        }
        let text = self.expanded()?;
        expand_home(&text, reading.env).or_else(|| reading.unresolved(at, Problem::NoHome { what }))
    }

    /// The items of a list.
    pub(super) fn items(self) -> Option<Vec<Field<'a>>> {
        let Value::List(nodes) = self.value else {
            return self.wrong_type(self.reading.syntax.list());
        };
        let item = |(index, node): (usize, Node)| Field {
            reading: self.reading,
            label: self.label.item(index),
            at: node.at,
            value: node.value,
        };
        Some(nodes.into_iter().enumerate().map(item).collect())
    }

    /// `true` or `false`.
    pub(super) fn boolean(self) -> Option<bool> {
        match self.value {
            Value::Boolean(value) => Some(value),
            _ => self.wrong_type("true or false"),
        }
    }

    /// One of these words.
    pub(super) fn choice<T: Copy>(self, choices: &[(&'static str, T)]) -> Option<T> {
        let Value::Text(found) = &self.value else {
            return self.wrong_type("a string");
        };
        if let Some((_, value)) = choices.iter().find(|(word, _)| word == found) {
            return Some(*value);
        }
        self.error(Problem::NoSuchChoice {
            what: self.what(),
            found: found.clone(),
            hint: Hint::to(found, choices.iter().map(|(word, _)| *word)),
        });
        None
    }

    /// A size in bytes.
    pub(super) fn size(self, range: RangeInclusive<u64>) -> Option<u64> {
        let expected = "a size such as \"64MiB\", \"16KiB\", \"1MB\" or a number of bytes";
        let size = match &self.value {
            Value::Number(number) => match number.as_u64() {
                Some(size) => size,
                None => return self.no_quantity(number.to_string(), expected),
            },
            Value::Text(text) => match parse_size(text) {
                Some(size) => size,
                None => return self.no_quantity(format!("\"{text}\""), expected),
            },
            _ => return self.wrong_type("a size"),
        };
        self.within(size, range, |size| show_size(*size))
    }

    /// A duration.
    pub(super) fn duration(self, range: RangeInclusive<Duration>) -> Option<Duration> {
        let expected = "a duration such as \"100ms\", \"10s\" or \"2m\"";
        let duration = match &self.value {
            Value::Number(number) => return self.no_quantity(number.to_string(), expected),
            Value::Text(text) => match parse_duration(text) {
                Some(duration) => duration,
                None => return self.no_quantity(format!("\"{text}\""), expected),
            },
            _ => return self.wrong_type("a duration"),
        };
        self.within(duration, range, |duration| show_duration(*duration))
    }

    /// A number of things.
    pub(super) fn count(self, range: RangeInclusive<u32>) -> Option<u32> {
        let Value::Number(number) = &self.value else {
            return self.wrong_type("a number");
        };
        match number.as_u64() {
            Some(count) => {
                let count = u32::try_from(count).unwrap_or(u32::MAX);
                self.within(count, range, u32::to_string)
            }
            None => self.no_quantity(number.to_string(), "a whole number"),
        }
    }

    fn no_quantity<T>(&self, found: String, expected: &'static str) -> Option<T> {
        let what = self.what();
        self.error(Problem::NoQuantity {
            what,
            found,
            expected,
        });
        None
    }

    fn within<T: PartialOrd>(
        &self,
        value: T,
        range: RangeInclusive<T>,
        show: impl Fn(&T) -> String,
    ) -> Option<T> {
        if range.contains(&value) {
            return Some(value);
        }
        self.error(Problem::OutOfRange {
            what: self.what(),
            found: show(&value),
            least: show(range.start()),
            most: show(range.end()),
        });
        None
    }
}
