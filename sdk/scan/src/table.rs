//! Tables within a text, and what their columns are called: CSV, tab-separated values, tables of markdown.

use std::cell::Cell;
use std::ops::Range;

use memchr::{memchr, memchr_iter};

/// How long the name of a column is at most.
const NAME: usize = 48;

/// The tables of a text.
#[derive(Debug)]
pub struct Tables<'a> {
    text: &'a str,
    /// Ordered by where they stand.
    tables: Vec<Table>,
    /// What was asked for last, so that the cells of a row are counted once.
    last: Cell<Place>,
}

#[derive(Debug)]
struct Table {
    /// Its rows, without the line of names.
    rows: Range<usize>,
    delimiter: u8,
    names: Vec<Range<usize>>,
}

/// Where reading a row has come to.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Where the row ends.
    end: usize,
    at: usize,
    /// Where the cell begins, and its number.
    cell: usize,
    column: usize,
    quoted: bool,
}

impl<'a> Tables<'a> {
    /// Looks for tables: a line of names, and under it lines with as many cells.
    pub fn of(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut tables: Vec<Table> = Vec::new();
        let mut open: Option<Table> = None;
        let mut above: Range<usize> = 0..0;
        let ends = memchr_iter(b'\n', bytes).chain([bytes.len()]);
        let mut start = 0;
        for end in ends {
            let line = start..end;
            start = end + 1;
            let row = bytes.get(line.clone()).unwrap_or_default();
            if is_rule(row) {
                continue;
            }
            if let Some(table) = &mut open {
                if count(row, table.delimiter) + 1 >= table.names.len() {
                    table.rows.end = end;
                    above = line;
                    continue;
                }
                tables.extend(open.take());
            }
            open = Table::headed(text, above.clone(), row).map(|table| Table {
                rows: line.start..end,
                ..table
            });
            above = line;
        }
        tables.extend(open);
        Self {
            text,
            tables,
            last: Cell::default(),
        }
    }

    /// The name of the column that a place is in, and where its cell begins.
    pub fn column(&self, at: usize) -> Option<(&'a str, usize)> {
        let number = self.tables.partition_point(|table| table.rows.end <= at);
        let table = self
            .tables
            .get(number)
            .filter(|table| table.rows.start <= at)?;
        let bytes = self.text.as_bytes();
        let mut place = self.last.get();
        if !(place.at <= at && at < place.end) {
            let row = bytes.get(table.rows.start..at)?;
            let start = memchr::memrchr(b'\n', row)
                .map_or(table.rows.start, |it| table.rows.start + it + 1);
            let end = memchr(b'\n', bytes.get(at..)?).map_or(bytes.len(), |it| at + it);
            place = Place {
                end: end.max(at + 1),
                at: start,
                cell: start,
                column: 0,
                quoted: false,
            };
        }
        for byte in bytes.get(place.at..at)? {
            place.at += 1;
            match *byte {
                b'"' if table.delimiter != b'|' => place.quoted = !place.quoted,
                byte if byte == table.delimiter && !place.quoted => {
                    place.column += 1;
                    place.cell = place.at;
                }
                _ => {}
            }
        }
        self.last.set(place);
        let name = table.names.get(place.column)?.clone();
        Some((self.text.get(name)?, place.cell)).filter(|(name, _)| !name.is_empty())
    }

    /// Goes through the cells of the columns of which the name says something.
    pub fn each_cell<T: Copy>(
        &self,
        told: impl Fn(&'a str) -> Option<T>,
        mut see: impl FnMut(T, Range<usize>),
    ) {
        let bytes = self.text.as_bytes();
        for table in &self.tables {
            let names = table.names.iter();
            let columns: Vec<Option<T>> = names
                .map(|name| told(self.text.get(name.clone())?))
                .collect();
            if columns.iter().all(Option::is_none) {
                continue;
            }
            let (mut column, mut cell, mut quoted) = (0, table.rows.start, false);
            let rows = bytes.get(table.rows.clone()).unwrap_or_default();
            for (at, byte) in rows.iter().chain(b"\n").enumerate() {
                let at = table.rows.start + at;
                let is_end = *byte == b'\n';
                if is_end || *byte == table.delimiter && !quoted {
                    if let Some(told) = columns.get(column).copied().flatten() {
                        see(told, cell..at);
                    }
                    (column, cell) = (if is_end { 0 } else { column + 1 }, at + 1);
                    quoted &= !is_end;
                } else if *byte == b'"' && table.delimiter != b'|' {
                    quoted = !quoted;
                }
            }
        }
    }
}

/// Whether a line is only drawn: `---+---`, `|---|---|`.
fn is_rule(row: &[u8]) -> bool {
    row.contains(&b'-') && row.iter().all(|byte| b"-+| :=\r".contains(byte))
}

impl Table {
    /// The table that a line of names begins, if the row under it has as many cells.
    fn headed(text: &str, line: Range<usize>, row: &[u8]) -> Option<Self> {
        let header = text.get(line.clone())?;
        let delimiter = [b'|', b'\t', b',', b';']
            .into_iter()
            .find(|delimiter| memchr(*delimiter, header.as_bytes()).is_some())?;
        if count(row, delimiter) < count(header.as_bytes(), delimiter) {
            return None;
        }
        let mut names = Vec::new();
        for cell in header.split(char::from(delimiter)) {
            let name = cell.trim_matches([' ', '"', '\'', '*', '`', '\r']);
            let start = line.start + (name.as_ptr() as usize - header.as_ptr() as usize);
            let plain = |c: char| c.is_alphanumeric() || " _-./()#?".contains(c);
            let letter = name.is_empty()
                || name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '#');
            let sentence = name.contains(". ") || name.split(' ').count() > 4;
            if name.len() > NAME || sentence || !letter || !name.chars().all(plain) {
                return None;
            }
            names.push(start..start + name.len());
        }
        let some = names.iter().any(|name| !name.is_empty());
        some.then_some(Self {
            rows: 0..0,
            delimiter,
            names,
        })
    }
}

fn count(row: &[u8], delimiter: u8) -> usize {
    memchr_iter(delimiter, row).count()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn column<'a>(text: &'a str, value: &str) -> Option<&'a str> {
        let tables = Tables::of(text);
        tables
            .column(text.find(value).unwrap())
            .map(|(name, _)| name)
    }

    #[test]
    fn a_cell_is_called_what_its_column_is() {
        for (text, value, expected) in [
            ("id,ssn\n1,two", "two", Some("ssn")),
            ("id,full name,x\n1,\"a, b\",two\n", "two", Some("x")),
            ("id\tssn\n1\ttwo\n2\tthree", "three", Some("ssn")),
            (
                "Some text.\n\n| id | **ssn** |\n|---|---|\n| 1 | two |\n\nand",
                "two",
                Some("ssn"),
            ),
            ("a;b\r\n1;two\r\n", "two", Some("b")),
            ("Well, hello there. It is\nfine, two", "two", None),
            ("id,ssn\n1,x\n\ntwo", "two", None),
            ("no table, two", "two", None),
            (r#"{"a": 1, "b": "two"}"#, "two", None),
        ] {
            assert_eq!(column(text, value), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn places_may_be_asked_for_in_any_order(text in "([a,|\t\"é]|\n|a,b\n){0,40}", places in prop::collection::vec(0usize..60, 0..20)) {
            let tables = Tables::of(&text);
            for at in places {
                let fresh = Tables::of(&text);
                prop_assert_eq!(tables.column(at), fresh.column(at));
            }
        }
    }
}
