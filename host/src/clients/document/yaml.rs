//! YAML in block style. What changes are whole lines of entries, and values of
//! their keys; all other lines stay.

mod render;
mod tree;

use std::ops::Range;

use serde_json::Value;

use super::DocumentError;
use render::{block, inline};
use tree::{Kind, Node};

/// A YAML file.
#[derive(Debug)]
pub(super) struct Yaml {
    text: String,
    place: &'static [&'static str],
}

/// An entry: a key and what it stands for, or an item of a list with its name in it.
struct Entry {
    name: String,
    node: Node,
    /// Where it begins: its key, or what follows the dash.
    start: usize,
    listed: bool,
}

impl Yaml {
    pub(super) fn read(text: &str, place: &'static [&'static str]) -> Result<Self, DocumentError> {
        let yaml = Self {
            text: text.to_owned(),
            place,
        };
        yaml.entries()?;
        Ok(yaml)
    }

    pub(super) fn servers(&self) -> Vec<(String, Value)> {
        let entries = self.entries().unwrap_or_default().into_iter();
        entries
            .map(|entry| (entry.name, entry.node.json()))
            .collect()
    }

    pub(super) fn exchange(
        &mut self,
        out: &[String],
        into: &[(String, Value)],
    ) -> Result<(), DocumentError> {
        let entries = self.entries()?;
        let gone: Vec<_> = entries
            .iter()
            .filter(|entry| out.contains(&entry.name))
            .collect();
        let Some(first) = gone.first() else {
            return Ok(());
        };
        let lines = gone
            .iter()
            .map(|entry| self.lines(entry))
            .collect::<Result<Vec<_>, _>>()?;
        let indent = self.indent(first);
        let new: String = into
            .iter()
            .map(|(name, value)| match first.listed {
                true => block(&format!("{indent}- "), &format!("{indent}  "), value),
                false => format!(
                    "{indent}{}:\n{}",
                    inline(&Value::String(name.clone())),
                    block(&format!("{indent}  "), &format!("{indent}  "), value)
                ),
            })
            .collect();
        for (index, range) in lines.into_iter().enumerate().rev() {
            let ends = self
                .text
                .get(range.clone())
                .is_some_and(|text| text.ends_with('\n'));
            let new = match (index, ends) {
                (0, true) => new.as_str(),
                (0, false) => new.trim_end_matches('\n'),
                _ => "",
            };
            self.text.replace_range(range, new);
        }
        Ok(())
    }

    pub(super) fn set(
        &mut self,
        name: &str,
        values: &[(&str, Value)],
    ) -> Result<(), DocumentError> {
        for (key, value) in values {
            let entries = self.entries()?;
            let Some(entry) = entries.into_iter().find(|entry| entry.name == name) else {
                continue;
            };
            let Kind::Table(pairs) = &entry.node.kind else {
                continue;
            };
            match pairs.iter().find(|(known, _)| known.text() == Some(*key)) {
                Some((known, old)) => {
                    let colon = self.text.get(known.end..).and_then(|rest| rest.find(':'));
                    let after = known.end + colon.unwrap_or_default() + 1;
                    let range = after..old.end.max(after);
                    self.text
                        .replace_range(range, &format!(" {}", inline(value)));
                }
                None => {
                    let indent = pairs.first().map_or(0, |(first, _)| first.column);
                    let line = format!("\n{}{key}: {}", " ".repeat(indent), inline(value));
                    self.text.insert_str(entry.node.end, &line);
                }
            }
        }
        self.entries().map(drop)
    }

    pub(super) fn text(&self) -> String {
        self.text.clone()
    }

    fn entries(&self) -> Result<Vec<Entry>, DocumentError> {
        let Some(mut node) = tree::parse(&self.text)? else {
            return Ok(Vec::new());
        };
        for key in self.place {
            match node.take(key) {
                Some(value) => node = value,
                None => return Ok(Vec::new()),
            }
        }
        let refused = |what: &str| {
            let keys = self.place.join(".");
            Err(DocumentError::Style(format!("\"{keys}\" {what}")))
        };
        if node.is_empty() {
            return Ok(Vec::new());
        }
        if node.flow {
            return refused("is written in braces or brackets");
        }
        if node.has_alias() {
            return refused("uses aliases");
        }
        match node.kind {
            Kind::Table(pairs) => Ok(pairs
                .into_iter()
                .map(|(key, node)| Entry {
                    name: key.text().unwrap_or_default().to_owned(),
                    start: key.start,
                    node,
                    listed: false,
                })
                .collect()),
            Kind::List(items) => Ok(items
                .into_iter()
                .map(|node| Entry {
                    name: node
                        .field("name")
                        .and_then(Node::text)
                        .unwrap_or_default()
                        .to_owned(),
                    start: node.start,
                    node,
                    listed: true,
                })
                .collect()),
            _ => refused("is neither a table nor a list"),
        }
    }

    /// The lines of an entry, up to and with the end of the last one.
    fn lines(&self, entry: &Entry) -> Result<Range<usize>, DocumentError> {
        let start = self.line_start(entry.start);
        let before = self.text.get(start..entry.start).unwrap_or_default().trim();
        if before != if entry.listed { "-" } else { "" } {
            let what = format!("the entry \"{}\" begins in another line", entry.name);
            return Err(DocumentError::Style(what));
        }
        let end = entry.node.end.max(entry.start);
        let rest = self.text.get(end..).unwrap_or_default();
        let end = rest.find('\n').map_or(self.text.len(), |at| end + at + 1);
        Ok(start..end)
    }

    fn indent(&self, entry: &Entry) -> String {
        let start = self.line_start(entry.start);
        let line = self.text.get(start..entry.start).unwrap_or_default();
        line.chars().take_while(|c| *c == ' ').collect()
    }

    fn line_start(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        before.rfind('\n').map_or(0, |at| at + 1)
    }
}
