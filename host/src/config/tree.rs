//! One tree for both syntaxes, in which everything knows its line and column.

mod json;
mod toml;

use std::ops::Range;

use serde_json::Number;

/// The syntax that a file is written in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Syntax {
    /// TOML.
    Toml,
    /// JSON, with the comments and trailing commas that editors allow.
    Json,
}

/// A place in a file, as editors count it: from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) value: Value,
}

/// A value of either syntax.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Boolean(bool),
    Number(Number),
    Date(String),
    Text(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// A key with its place, and its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) at: Position,
    pub(super) key: String,
    pub(super) node: Node,
}

/// A fault of syntax.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: Position,
    pub(super) message: String,
}

/// The tree of a text, or every fault of syntax that the parser found.
pub(super) fn parse(text: &str, syntax: Syntax) -> Result<Node, Vec<Fault>> {
    let lines = Lines::of(text);
    match syntax {
        Syntax::Toml => toml::parse(&lines),
        Syntax::Json => json::parse(&lines).map_err(|fault| vec![fault]),
    }
}

impl Syntax {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Toml => "TOML",
            Self::Json => "JSON",
        }
    }

    /// What it calls a table, with its article.
    pub(super) fn table(self) -> &'static str {
        match self {
            Self::Toml => "a table",
            Self::Json => "an object",
        }
    }

    /// What it calls a list, with its article.
    pub(super) fn list(self) -> &'static str {
        match self {
            Self::Toml => "a list",
            Self::Json => "an array",
        }
    }
}

impl Value {
    /// What a person calls such a value, with its article.
    pub(super) fn kind(&self, syntax: Syntax) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Date(_) => "a date",
            Self::Text(_) => "a string",
            Self::List(_) => syntax.list(),
            Self::Table(_) => syntax.table(),
        }
    }
}

/// A text, and where its lines begin.
struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(after_breaks).collect(),
        }
    }

    fn position(&self, offset: usize) -> Position {
        let line = self.starts.partition_point(|&start| start <= offset);
        let start = line
            .checked_sub(1)
            .and_then(|index| self.starts.get(index))
            .copied()
            .unwrap_or(0);
        let before = self.text.get(start..offset).unwrap_or("");
        Position {
            line,
            column: before.chars().count() + 1,
        }
    }

    fn begin_of(&self, span: Range<usize>) -> Position {
        self.position(span.start)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let lines = Lines::of("a\nüö = x");
        let place = lines.position(lines.text.find('x').unwrap());
        assert_eq!((place.line, place.column), (2, 6));
    }

    #[test]
    fn both_syntaxes_make_the_same_tree() {
        let toml = parse("a = 1\nb = [true, \"x\"]", Syntax::Toml).unwrap();
        let json = parse("{\"a\": 1, // one\n\"b\": [true, \"x\",],}", Syntax::Json).unwrap();
        let flat = |node: &Node| match &node.value {
            Value::Table(entries) => entries
                .iter()
                .map(|entry| {
                    (
                        entry.key.clone(),
                        entry.at.line,
                        entry.node.value.kind(Syntax::Toml),
                    )
                })
                .collect::<Vec<_>>(),
            _ => Vec::new(),
        };
        let expected = [
            ("a".to_owned(), 1, "a number"),
            ("b".to_owned(), 2, "a list"),
        ];
        assert_eq!(flat(&toml), expected);
        assert_eq!(flat(&json), expected);
    }

    #[test]
    fn tables_keep_the_order_of_the_file() {
        let tree = parse("[z]\n[a]\n[m]", Syntax::Toml).unwrap();
        let Value::Table(entries) = tree.value else {
            panic!("not a table")
        };
        let keys: Vec<_> = entries.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["z", "a", "m"]);
    }
}
