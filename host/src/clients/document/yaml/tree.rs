//! A YAML text as a tree whose nodes know where they stand.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Number, Value};

use super::DocumentError;

/// A node, and the bytes from its beginning to the end of its last word.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) column: usize,
    /// Whether it is a table or a list in braces or brackets.
    pub(super) flow: bool,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A text; plain if nothing says that it is one.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Table(Vec<(Node, Node)>),
    Alias,
}

/// The first document of a text; `None` if there is none.
pub(super) fn parse(text: &str) -> Result<Option<Node>, DocumentError> {
    let mut offsets: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    offsets.push(text.len());
    let mut reading = Reading {
        events: Parser::new_from_str(text),
        offsets,
        text,
    };
    loop {
        match reading.next()? {
            Some((Event::DocumentStart(_), _)) => return reading.node().map(Some),
            Some(_) => {}
            None => return Ok(None),
        }
    }
}

struct Reading<'t> {
    events: Parser<'t, saphyr_parser::StrInput<'t>>,
    /// Where each character begins.
    offsets: Vec<usize>,
    text: &'t str,
}

impl<'t> Reading<'t> {
    fn next(&mut self) -> Result<Option<(Event<'t>, Span)>, DocumentError> {
        let event = self.events.next().transpose();
        event.map_err(|error| DocumentError::Syntax(error.to_string()))
    }

    fn node(&mut self) -> Result<Node, DocumentError> {
        let Some((event, span)) = self.next()? else {
            return Err(DocumentError::Syntax("it ends too early".to_owned()));
        };
        self.node_of(event, span)
    }

    fn node_of(&mut self, event: Event<'t>, span: Span) -> Result<Node, DocumentError> {
        let start = self.byte(span.start.index());
        let mut node = Node {
            start,
            end: start,
            column: span.start.col(),
            flow: self
                .text
                .get(start..)
                .is_some_and(|rest| rest.starts_with(['{', '['])),
            kind: Kind::Alias,
        };
        match event {
            Event::Scalar(text, style, _, _) => {
                node.end = self.word_end(start, self.byte(span.end.index()));
                node.flow = false;
                node.kind = Kind::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                };
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                let end = loop {
                    match self.next()? {
                        Some((Event::SequenceEnd, span)) => break span,
                        Some((event, span)) => items.push(self.node_of(event, span)?),
                        None => return Err(DocumentError::Syntax("a list has no end".to_owned())),
                    }
                };
                let last = items.last().map(|item: &Node| item.end);
                node.end = self.container_end(&node, last, end);
                node.kind = Kind::List(items);
            }
            Event::MappingStart(..) => {
                let mut pairs = Vec::new();
                let end = loop {
                    match self.next()? {
                        Some((Event::MappingEnd, span)) => break span,
                        Some((event, span)) => {
                            let key = self.node_of(event, span)?;
                            let mut value = self.node()?;
                            // Where nothing is written, its place is that of what follows.
                            if value.start == value.end || value.is_null() {
                                value.start = value.start.min(key.end + 1);
                                value.end = value.end.min(key.end + 1).max(value.start);
                            }
                            pairs.push((key, value));
                        }
                        None => return Err(DocumentError::Syntax("a table has no end".to_owned())),
                    }
                };
                if let Some((key, _)) = pairs.first() {
                    node.column = if node.flow { node.column } else { key.column };
                }
                let last = pairs.last().map(|(key, value)| key.end.max(value.end));
                node.end = self.container_end(&node, last, end);
                node.kind = Kind::Table(pairs);
            }
            _ => node.end = self.byte(span.end.index()),
        }
        Ok(node)
    }

    fn byte(&self, character: usize) -> usize {
        self.offsets
            .get(character)
            .copied()
            .unwrap_or(self.text.len())
    }

    /// A block ends where its last word does: its own end is where the next begins.
    fn container_end(&self, node: &Node, last: Option<usize>, end: Span) -> usize {
        match last {
            Some(last) if !node.flow => last,
            _ => self.byte(end.end.index()).max(node.start),
        }
    }

    fn word_end(&self, start: usize, end: usize) -> usize {
        let text = self.text.get(start..end).unwrap_or_default();
        start + text.trim_end().len()
    }
}

impl Node {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    pub(super) fn field(&self, key: &str) -> Option<&Self> {
        let Kind::Table(pairs) = &self.kind else {
            return None;
        };
        let mut pairs = pairs.iter();
        pairs
            .find(|(known, _)| known.text() == Some(key))
            .map(|(_, value)| value)
    }

    pub(super) fn take(self, key: &str) -> Option<Self> {
        let Kind::Table(pairs) = self.kind else {
            return None;
        };
        let mut pairs = pairs.into_iter();
        pairs
            .find(|(known, _)| known.text() == Some(key))
            .map(|(_, value)| value)
    }

    /// Whether it holds nothing.
    pub(super) fn is_empty(&self) -> bool {
        match &self.kind {
            Kind::List(items) => items.is_empty(),
            Kind::Table(pairs) => pairs.is_empty(),
            Kind::Scalar { .. } => self.is_null(),
            Kind::Alias => false,
        }
    }

    pub(super) fn has_alias(&self) -> bool {
        match &self.kind {
            Kind::Alias => true,
            Kind::Scalar { .. } => false,
            Kind::List(items) => items.iter().any(Self::has_alias),
            Kind::Table(pairs) => pairs
                .iter()
                .any(|(key, value)| key.text() == Some("<<") || value.has_alias()),
        }
    }

    fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }

    pub(super) fn json(&self) -> Value {
        match &self.kind {
            Kind::Alias => Value::Null,
            Kind::List(items) => items.iter().map(Self::json).collect(),
            Kind::Table(pairs) => Value::Object(
                pairs
                    .iter()
                    .map(|(key, value)| (key.text().unwrap_or_default().to_owned(), value.json()))
                    .collect::<Map<_, _>>(),
            ),
            Kind::Scalar { text, plain: false } => Value::String(text.clone()),
            Kind::Scalar { text, .. } => plain(text),
        }
    }
}

/// What a word without quotes is.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" => return Value::Null,
        "true" | "True" => return Value::Bool(true),
        "false" | "False" => return Value::Bool(false),
        _ => {}
    }
    let number = text.parse::<i64>().ok().map(Number::from);
    let number = number.or_else(|| {
        let digits = text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        Number::from_f64(text.parse().ok().filter(|_| digits)?)
    });
    number.map_or_else(|| Value::String(text.to_owned()), Value::Number)
}
