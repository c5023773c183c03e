//! What a name stands for: the value that code, data, tables and prose give it.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memrchr};

use crate::Class;

/// How far a value may stand behind its name in prose.
const SENTENCE: usize = 60;

/// How much of a name is read to either side of a word in it.
const NAME: usize = 48;

/// How long a value may be.
const VALUE: usize = 4096;

/// How long the header of a table may be to either side of a name.
const HEADER: usize = 2048;

/// Columns of one text that are read downwards.
const COLUMNS: usize = 16;

/// What a name is made of.
const WORD: Class = Class::ranges("AZaz09__--..");

/// Rows of a table that are read below a header.
const ROWS: usize = 50_000;

/// Finds the values of the names of one text. Whoever asks for one name after the other, from the left to the right, has
/// the text read once, not once a name.
#[derive(Debug)]
pub struct Values<'t> {
    text: &'t str,
    /// For values without a quote and for those in each kind of quote: what was read of the text last, and whether a
    /// value ends where that ends.
    read: [(Range<usize>, bool); 5],
    /// The line that was looked at last.
    line: Range<usize>,
    /// The columns that were read, with their heads and where they end.
    columns: Vec<(Column, Range<usize>, usize)>,
}

/// The whole name around a word of it: `api_key` of `MY_API_KEY_2`, with the letters, digits, `_`, `-` and `.`.
pub fn name(text: &str, word: Range<usize>) -> Range<usize> {
    let part = |byte: &&u8| WORD.contains(**byte);
    let before = text.as_bytes().get(..word.start).unwrap_or_default();
    let after = text.as_bytes().get(word.end..).unwrap_or_default();
    let left = before.iter().rev().take(NAME).take_while(part).count();
    let mut right = after.iter().take(NAME).take_while(part).count();
    // A full stop at the end is the sentence's.
    while right > 0
        && after
            .get(right - 1)
            .is_some_and(|byte| b".-".contains(byte))
    {
        right -= 1;
    }
    word.start - left..word.end + right
}

impl<'t> Values<'t> {
    /// The values of the names of this text.
    pub fn of(text: &'t str) -> Self {
        Self {
            text,
            read: Default::default(),
            line: 0..0,
            columns: Vec::new(),
        }
    }

    /// The value behind a name that ends at `end`: the place where it starts, and where it ends if nobody knows better.
    ///
    /// Understands `name = value`, `"name": "value"`, `name => value`, `<name>value</name>`, `| name | value |`,
    /// `name=value&…`, `key="name" value="value"`, `name: name` above `value: value`, `name (…) is value`; quotes and
    /// escapes of any depth; `--name value`; and a scheme such as `Bearer` before the value.
    pub fn behind(&mut self, end: usize) -> Option<Range<usize>> {
        let mut rest = Cursor {
            text: self.text.as_bytes(),
            at: end,
        };
        rest.skip(b"\"'`\\])* ", 6);
        if rest.operator() || rest.wide_operator() || rest.declared() {
            rest.annotation();
        } else if !rest.paired() {
            rest.at = end;
            if rest.prose().is_none() {
                rest.at = end;
                rest.beside()?;
            }
        }
        let quote = rest.opening();
        rest.scheme();
        self.value(rest.at, quote)
    }

    /// The value before a name that starts at `start`: `Use VALUE as the name`.
    pub fn before(&self, start: usize) -> Option<Range<usize>> {
        let said = self.text.get(..start)?;
        let said = ["as the ", "as ", "for the ", "for "]
            .iter()
            .find_map(|word| said.strip_suffix(word))?;
        let said = said.strip_suffix(' ')?.trim_end_matches(['"', '\'', '`']);
        let value = said.rsplit([' ', '\n', '\t', '"', '\'', '`']).next()?;
        (!value.is_empty()).then(|| said.len() - value.len()..said.len())
    }

    /// The cells below a name that heads a column, if it does: of CSV, tab-separated text, or a Markdown table.
    ///
    /// What stands in a column of this name already has been told, if the head comes again within it.
    pub fn below(&mut self, name: Range<usize>) -> Vec<Range<usize>> {
        let mut cells = Vec::new();
        let Some(column) = self.column(name.clone()) else {
            return cells;
        };
        let is_told = |(known, head, end): &(Column, Range<usize>, usize)| {
            (known.delimiter, known.number) == (column.delimiter, column.number)
                && column.start <= *end
                && self.text.get(head.clone()) == self.text.get(name.clone())
        };
        if self.columns.iter().any(is_told) || self.columns.len() == COLUMNS {
            return cells;
        }
        let mut at = column.start;
        for _ in 0..ROWS {
            let rest = self.text.as_bytes().get(at..).unwrap_or_default();
            let end = memchr(b'\n', rest).unwrap_or(rest.len());
            let row = rest.get(..end).unwrap_or_default();
            let Some(cell) = column.cell(row) else { break };
            if !cell.is_empty() {
                cells.push(at + cell.start..at + cell.end);
            }
            at += end + 1;
        }
        self.columns.push((column, name, at));
        cells
    }

    /// The column that a name heads.
    fn column(&mut self, name: Range<usize>) -> Option<Column> {
        if !stands_alone(self.text, &name) {
            return None;
        }
        let bytes = self.text.as_bytes();
        if !self.line.contains(&name.start) {
            let start = memrchr(b'\n', bytes.get(..name.start)?);
            let end = memchr(b'\n', bytes.get(name.end..)?);
            self.line =
                start.map_or(0, |start| start + 1)..end.map_or(bytes.len(), |end| name.end + end);
        }
        // The last line heads nothing.
        if self.line.len() > 2 * HEADER || self.line.end == bytes.len() {
            return None;
        }
        Column::headed(self.text, &self.line, &name)
    }

    /// A value that starts at `at`, in this kind of quote.
    fn value(&mut self, at: usize, quote: Option<u8>) -> Option<Range<usize>> {
        let (kind, stops) = match quote {
            None => (0, BARE),
            Some(b'"') => (1, QUOTED),
            Some(b'\'') => (2, SINGLE),
            Some(b'`') => (3, BACKTICK),
            Some(_) => (4, ESCAPED),
        };
        let bytes = self.text.as_bytes();
        let (read, is_end) = self.read.get_mut(kind)?;
        if !(read.start..=read.end).contains(&at) {
            (*read, *is_end) = (at..at, false);
        }
        let farthest = bytes.len().min(at + VALUE);
        if !*is_end && read.end < farthest {
            let more = bytes.get(read.end..farthest)?;
            let stop = more.iter().position(|byte| stops.contains(*byte));
            *is_end = stop.is_some();
            read.end = stop.map_or(farthest, |stop| read.end + stop);
        }
        let mut end = read.end;
        while end > at
            && bytes
                .get(end - 1)
                .is_some_and(|byte| b".\\!?".contains(byte))
        {
            end -= 1;
        }
        // Chinese sentences have signs of their own, and no blanks behind them.
        let value = self.text.get(at..end).unwrap_or_default();
        if quote.is_none()
            && let Some(sign) = value.find(WIDE)
        {
            end = at + sign;
        }
        (end > at).then_some(at..end)
    }
}

/// The signs of Chinese that end a value.
const WIDE: [char; 6] = ['，', '。', '；', '、', '）', '」'];

/// What ends a value: without a quote, and in each kind.
const BARE: Class = Class::ranges("  \t\t\n\n\u{c}\u{c}\r\r\"\"''``<<>>,,;;&&||))}}]]\\\\");
const QUOTED: Class = Class::ranges("\"\"\r\r\n\n");
const SINGLE: Class = Class::ranges("''\"\"\r\r\n\n");
const BACKTICK: Class = Class::ranges("``\"\"\r\r\n\n");
const ESCAPED: Class = Class::ranges("\\\\\"\"\r\r\n\n");

/// What no sentence goes on beyond.
const APART: Class = Class::ranges("..\n\n;;<<>>{{}}(())==,,");

/// Whether a cell may hold the name and nothing else: what is beside it ends cells.
fn stands_alone(text: &str, name: &Range<usize>) -> bool {
    let ends = |byte: Option<&u8>| byte.is_none_or(|byte| b",|\t;\n".contains(byte));
    let before = text.as_bytes().get(..name.start).unwrap_or_default();
    let after = text.as_bytes().get(name.end..).unwrap_or_default();
    let left = before.iter().rev().take(64).find(|b| !b"\" ".contains(b));
    let right = after.iter().take(64).find(|b| !b"\" \r".contains(b));
    ends(left) && ends(right)
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
struct Column {
    delimiter: u8,
    number: usize,
    /// Where the rows start.
    start: usize,
}

impl Column {
    /// The column that a name in this line heads.
    fn headed(text: &str, line: &Range<usize>, name: &Range<usize>) -> Option<Self> {
        let header = text.get(line.clone())?;
        let delimiter = [b',', b'|', b'\t', b';']
            .into_iter()
            .find(|d| memchr(*d, header.as_bytes()).is_some())?;
        // A lone name and a comma are an item of a list in a program.
        let mut cells = header
            .split(char::from(delimiter))
            .filter(|cell| !cell.trim().is_empty());
        if delimiter != b'|' && cells.nth(1).is_none() {
            return None;
        }
        let left = text.get(line.start..name.start)?;
        // A cell holds the name and nothing else.
        let alone = left
            .trim_end_matches(['"', ' '])
            .bytes()
            .last()
            .is_none_or(|c| c == delimiter);
        let right = text
            .get(name.end..line.end)?
            .trim_start_matches(['"', ' ', '\r']);
        let alone = alone && right.bytes().next().is_none_or(|c| c == delimiter);
        alone.then(|| Self {
            delimiter,
            number: memchr_iter(delimiter, left.as_bytes()).count(),
            start: line.end + 1,
        })
    }

    /// Where the cell of a row starts and ends, without what is around it; nothing if the row is none of the table.
    fn cell(self, row: &[u8]) -> Option<Range<usize>> {
        let mut ends = memchr_iter(self.delimiter, row);
        let mut start = match self.number.checked_sub(1) {
            Some(before) => ends.nth(before)? + 1,
            None => 0,
        };
        let mut end = match ends.next() {
            None if self.number == 0 => return None,
            end => end.unwrap_or(row.len()),
        };
        let cell = row.get(start..end)?;
        start += cell.iter().take_while(|b| b"\" ".contains(b)).count();
        let cell = row.get(start..end)?;
        end -= cell
            .iter()
            .rev()
            .take_while(|b| b"\" \r".contains(b))
            .count();
        Some(start..end)
    }
}

/// Reads forward.
#[derive(Debug, Clone, Copy)]
struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self, of: &[u8], most: usize) -> usize {
        let count = self
            .rest()
            .iter()
            .take(most)
            .take_while(|byte| of.contains(byte))
            .count();
        self.at += count;
        count
    }

    /// `=`, `:`, `=>`, `:=`, `->`, `|`, `,`, and the `>` that ends a tag; not a comparison.
    fn operator(&mut self) -> bool {
        // `:=`, `::=`, `:::=`, of makefiles.
        let colons = self
            .rest()
            .iter()
            .take(3)
            .take_while(|byte| **byte == b':')
            .count();
        if colons > 0 && self.peek(colons) == Some(b'=') {
            self.at += colons + 1;
            return true;
        }
        let width = match (self.peek(0), self.peek(1)) {
            (Some(b'='), Some(b'=')) | (Some(b'!' | b'<'), _) => return false,
            (Some(b':' | b'='), Some(b'=' | b'>')) | (Some(b'-'), Some(b'>')) => 2,
            (Some(b'?' | b'.' | b'+'), Some(b'=')) => 2,
            (Some(b':'), Some(b':')) | (Some(b'|'), Some(b'|')) => 2,
            (Some(b':' | b'=' | b'|' | b',' | b'>'), _) => 1,
            _ => return false,
        };
        self.at += width;
        true
    }

    /// A colon as wide as a Chinese character, or the verb of such a sentence.
    fn wide_operator(&mut self) -> bool {
        let verb = ["\u{ff1a}", "\u{662f}", "\u{4e3a}", "\u{70ba}"].into_iter();
        let mut verb = verb.filter(|verb| self.rest().starts_with(verb.as_bytes()));
        let width = verb.next().map_or(0, str::len);
        self.at += width;
        width > 0
    }

    /// `: str = ` in a program: a type, and only then the value.
    fn annotation(&mut self) {
        let mut ahead = *self;
        ahead.skip(b" ", 2);
        let word = ahead.rest().iter().take(24);
        let width = word
            .take_while(|byte| byte.is_ascii_alphabetic() || b"&[]<>?".contains(byte))
            .count();
        ahead.at += width;
        if width > 0
            && ahead.skip(b" ", 1) == 1
            && ahead.peek(0) == Some(b'=')
            && ahead.peek(1) == Some(b' ')
        {
            ahead.at += 2;
            *self = ahead;
        }
    }

    /// `name string = `: a type stands between them.
    fn declared(&mut self) -> bool {
        let width = self
            .rest()
            .iter()
            .take(16)
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count();
        let assigned = self.rest().get(width..width + 3) == Some(b" = ");
        if width > 0 && assigned {
            self.at += width + 3;
        }
        width > 0 && assigned
    }

    /// `value: ` or `value=` after a name that is itself a value, as in `name: A` above `value: B`.
    fn paired(&mut self) -> bool {
        let mut ahead = *self;
        ahead.skip(b"\"'\\, \t\r\n", 40);
        let word = ahead.rest().get(..5).unwrap_or_default();
        if !word.eq_ignore_ascii_case(b"value") {
            return false;
        }
        ahead.at += 5;
        ahead.skip(b"\"'\\ ", 4);
        if !ahead.operator() {
            return false;
        }
        *self = ahead;
        true
    }

    /// ` … is `, within the sentence.
    fn prose(&mut self) -> Option<()> {
        let sentence = self.rest().get(..SENTENCE.min(self.rest().len()))?;
        let end = sentence.iter().position(|byte| APART.contains(*byte));
        let sentence = sentence.get(..end.unwrap_or(sentence.len()))?;
        let verb = memchr_iter(b' ', sentence).find_map(|at| {
            let here = sentence.get(at..)?;
            let verbs = [&b" is "[..], b" was ", b" to ", b" is: "];
            let verb = verbs.into_iter().find(|verb| here.starts_with(verb))?;
            Some(at + verb.len())
        })?;
        self.at += verb;
        Some(())
    }

    /// A blank between an option and its value, as in `--api-key value`, or before what can be nothing but a value: long, and
    /// of letters and digits.
    fn beside(&mut self) -> Option<()> {
        let before = self.text.get(..self.at).unwrap_or_default();
        let word = before.iter().rev().take(NAME);
        let word = word.take_while(|byte| WORD.contains(**byte)).count();
        let is_option = before.get(before.len() - word..)?.starts_with(b"-");
        let blanks = self.skip(b" ", 3);
        let quotes = self.rest().iter().take(2);
        let quotes = quotes.take_while(|byte| b"\"'".contains(byte)).count();
        let value = self.rest().get(quotes..)?.iter().take(SENTENCE);
        let value = value.take_while(|byte| !BARE.contains(**byte));
        let (mut length, mut digits, mut letters) = (0, 0, 0);
        for byte in value {
            length += 1;
            digits += usize::from(byte.is_ascii_digit());
            letters += usize::from(byte.is_ascii_alphabetic());
        }
        let is_value = length >= 16 && digits > 1 && digits + letters + 4 >= length;
        let begins = self.peek(quotes).is_some_and(|byte| byte != b'-');
        (blanks > 0 && begins && (is_option || is_value)).then_some(())
    }

    /// What stands before a value; the quote that it is in.
    fn opening(&mut self) -> Option<u8> {
        self.skip(b" \t\r\n", 24);
        // A block or a list of YAML.
        if let (Some(b'|' | b'>'), Some(b'-' | b'\r' | b'\n')) | (Some(b'-'), Some(b' ')) =
            (self.peek(0), self.peek(1))
        {
            self.skip(b"|>-", 2);
            self.skip(b" \t\r\n", 24);
        }
        let mut quote = None;
        let start = self.at;
        while let Some(byte @ (b'"' | b'\'' | b'`' | b'\\')) = self.peek(0) {
            if self.at - start == 12 {
                break;
            }
            quote = Some(byte);
            self.at += 1;
        }
        quote
    }

    fn scheme(&mut self) {
        let schemes: [&[u8]; 6] = [
            b"Bearer ",
            b"Basic ",
            b"Token ",
            b"token=",
            b"ApiKey ",
            b"Api-Token ",
        ];
        for scheme in schemes {
            let here = self.rest().get(..scheme.len()).unwrap_or_default();
            if here.eq_ignore_ascii_case(scheme) {
                self.at += scheme.len();
                self.skip(b" \"'", 2);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn value(text: &str) -> &str {
        let at = text.find("KEY").unwrap();
        let name = name(text, at..at + 3);
        let mut values = Values::of(text);
        let place = values
            .behind(name.end)
            .or_else(|| values.before(name.start));
        place.map_or("", |place| &text[place])
    }

    #[test]
    fn the_value_of_a_name_is_found_wherever_names_have_values() {
        for text in [
            "API_KEY=v4lue",
            "API_KEY = 'v4lue'",
            "export API_KEY=v4lue # x",
            r#"{"API_KEY": "v4lue", "b": 1}"#,
            r#"{\"API_KEY\": \"v4lue\"}"#,
            r#"{\\\"API_KEY\\\":\\\"v4lue\\\"}"#,
            "API_KEY: v4lue\nb: c",
            "- name: API_KEY\n  value: v4lue",
            r#"<add key="API_KEY" value="v4lue" />"#,
            "<API_KEY>v4lue</API_KEY>",
            "<API_KEY>\n  v4lue\n</API_KEY>",
            "| API_KEY | v4lue |",
            "GET /a?API_KEY=v4lue&b=c",
            "The API_KEY you asked for is v4lue. Keep it.",
            "the API_KEY is `v4lue`",
            "Use `v4lue` as the API_KEY.",
            "API_KEY: str = \"v4lue\"",
            "'API_KEY' => 'v4lue',",
            "-H 'API_KEY: Bearer v4lue'",
            "let API_KEY := \"v4lue\";",
            "var API_KEY string = \"v4lue\"",
            "$API_KEY .= 'v4lue';",
            "API_KEY :::= v4lue",
            "API_KEY: |-\n  v4lue",
            "API_KEY：v4lue，",
            "API_KEY是v4lue。",
            "API_KEY:\n  - v4lue",
            "tool --API_KEY v4lue --quiet",
            "tool --API_KEY 'v4lue'",
        ] {
            assert_eq!(value(text), "v4lue", "{text}");
        }
    }

    #[test]
    fn a_name_without_a_value_has_none() {
        for text in [
            "KEY",
            "the KEY of the door",
            "KEY == x",
            "if (KEY) {",
            "KEY. It is x",
            "KEY value of ten or more letters",
            "--KEY --next",
        ] {
            assert_eq!(value(text), "", "{text}");
        }
    }

    #[test]
    fn a_column_is_read_downwards() {
        let cells = |text: &str| {
            let at = text.find("KEY").unwrap();
            let name = name(text, at..at + 3);
            Values::of(text)
                .below(name)
                .into_iter()
                .map(|cell| text[cell].to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(cells("id,KEY\n1,a\n2,\"b\"\n"), ["a", "b"]);
        assert_eq!(
            cells("| KEY | x |\n|---|---|\n| a | 1 |\n\nend"),
            ["---", "a"]
        );
        assert_eq!(cells("id\tKEY\tz\n1\ta\t2"), ["a"]);
        assert_eq!(cells("| KEY |\n|---|\n| a |\n"), ["---", "a"]);
        assert!(cells("the KEY, of x\n1,2").is_empty());
        assert!(cells("use {\n    KEY,\n    Other8,\n};").is_empty());
        assert_eq!(cells("KEY,id\na,1\n,2\nb,3\n\nc,4"), ["a", "b"]);
        let text = "KEY,x\na,1\nKEY,x\nb,2\n";
        let mut values = Values::of(text);
        assert_eq!(values.below(0..3).len(), 3);
        assert!(values.below(10..13).is_empty(), "they are told already");
    }
}
