//! How a value is written at a place in a text, so that it says the same there and no
//! more than that.

use std::ops::Range;

use crate::token::Brackets;

/// What a text begins with that is a statement in SQL.
const STATEMENTS: [&str; 14] = [
    "select", "insert", "update", "delete", "replace", "merge", "upsert", "with", "call", "exec",
    "explain", "begin", "declare", "alter",
];

/// So far back a word is looked for that is an address.
const WORD: usize = 4 << 10;

/// What the path of an address holds as it is besides letters and digits (RFC 3986), so that one which a server has
/// listed is asked for as it was listed; and what its query does, in which more has a meaning.
const IN_PATH: &[u8] = b"!$*+,:@";
const IN_QUERY: &[u8] = b":@";

/// A text in which values take the place of stand-ins.
pub(crate) struct Places<'t> {
    text: &'t str,
    /// The literals of a statement in SQL; none in any other text.
    literals: Vec<Range<usize>>,
    /// Those that there are where a backslash escapes what follows, as in MySQL.
    escaped: Vec<Range<usize>>,
    /// Whether only MySQL can mean the statement.
    is_mysql: bool,
}

impl<'t> Places<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let first = first_word(text);
        let is_verb = |verb: &&str| first.eq_ignore_ascii_case(verb);
        let is_statement = STATEMENTS.iter().any(is_verb);
        if !is_statement {
            return Self {
                text,
                literals: Vec::new(),
                escaped: Vec::new(),
                is_mysql: false,
            };
        }
        Self {
            text,
            literals: literals(text, false),
            escaped: literals(text, true),
            is_mysql: text.contains('`'),
        }
    }

    /// A value as it is written where a stand-in was; `None` if it could end a literal.
    pub(crate) fn written(&self, value: &str, at: usize, brackets: Brackets) -> Option<String> {
        Some(match brackets {
            Brackets::Percent { twice: false } => percent(value),
            Brackets::Percent { twice: true } => percent(&percent(value)),
            Brackets::Html => html(value),
            Brackets::Json => json(value),
            Brackets::Plain | Brackets::None => match self.in_address(at) {
                Some(plain) => percent_but(plain, value),
                None if self.is_in_literal(at) => self.literal(value)?,
                None => value.to_owned(),
            },
        })
    }

    /// A value within a literal of a statement in SQL.
    fn literal(&self, value: &str) -> Option<String> {
        let quoted = value.replace('\'', "''");
        if self.is_mysql {
            return Some(quoted.replace('\\', r"\\"));
        }
        // In most dialects a backslash is one like any other character, in some it escapes an apostrophe.
        let ends = value.ends_with('\\') || value.contains(r"\'");
        (!ends).then_some(quoted)
    }

    /// What stays as it is in the part that goes on here of an address such as `https://…`, if the word is one.
    fn in_address(&self, at: usize) -> Option<&'static [u8]> {
        let from = self.text.floor_char_boundary(at.saturating_sub(WORD));
        let before = self.text.get(from..at).unwrap_or_default();
        let ends = |c: char| c.is_whitespace() || "\"'`(<>".contains(c);
        let (_, address) = before.rsplit(ends).next()?.rsplit_once("://")?;
        Some(match address.contains('/') {
            _ if address.contains(['?', '#']) => IN_QUERY,
            true => IN_PATH,
            false => b"",
        })
    }

    /// Whether a literal of a statement in SQL goes on here: an apostrophe would end it.
    fn is_in_literal(&self, at: usize) -> bool {
        let is_in = |literals: &[Range<usize>]| {
            let next = literals.partition_point(|literal| literal.end < at);
            literals
                .get(next)
                .is_some_and(|literal| literal.start <= at)
        };
        is_in(&self.literals) || is_in(&self.escaped)
    }
}

/// The first word of what may be a statement in SQL, behind comments and brackets.
fn first_word(text: &str) -> &str {
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    loop {
        let comment = if rest.starts_with("--") {
            rest.split_once('\n')
        } else if rest.starts_with("/*") {
            rest.split_once("*/")
        } else {
            break;
        };
        let after = comment.map_or("", |(_, after)| after);
        rest = after.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    }
    let end = rest.find(|c: char| !c.is_ascii_alphabetic());
    rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
}

/// The contents of the literals of a statement in SQL, which are not in comments or
/// names. A backslash may escape what follows it.
fn literals(statement: &str, escapes: bool) -> Vec<Range<usize>> {
    let mut literals = Vec::new();
    let mut at = 0;
    while let Some(rest) = statement.get(at..) {
        let Some(found) = rest.find(['\'', '"', '`', '-', '/']) else {
            break;
        };
        at += found;
        let Some(rest) = statement.get(at..) else {
            break;
        };
        let (skip, end) = match rest.as_bytes() {
            [b'\'', ..] => (1, "'"),
            [b'"', ..] => (1, "\""),
            [b'`', ..] => (1, "`"),
            [b'-', b'-', ..] => (2, "\n"),
            [b'/', b'*', ..] => (2, "*/"),
            _ => {
                at += 1;
                continue;
            }
        };
        let inside = rest.get(skip..).unwrap_or_default();
        let length = match escapes && skip == 1 {
            true => unescaped(inside, end),
            false => inside.find(end),
        };
        let length = length.unwrap_or(inside.len());
        if end == "'" {
            literals.push(at + skip..at + skip + length);
        }
        at += skip + length + end.len();
    }
    literals
}

/// Where a quote first stands behind no backslash.
fn unescaped(text: &str, quote: &str) -> Option<usize> {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            _ if quote.as_bytes() == [byte] => return Some(at),
            _ => {}
        }
    }
    None
}

/// The contents of all strings of a JSON text, if it is one of objects or arrays.
pub(crate) fn strings(text: &str) -> Option<Vec<Range<usize>>> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut strings = Vec::new();
    let mut opened = None;
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (byte, opened) {
            (b'\\', Some(_)) => drop(bytes.next()),
            (b'"', Some(start)) => {
                strings.push(start..at);
                opened = None;
            }
            (b'"', None) => opened = Some(at + 1),
            _ => {}
        }
    }
    Some(strings)
}

/// What the content of a JSON string says.
pub(crate) fn says(content: &str) -> Option<String> {
    serde_json::from_str(&format!("\"{content}\"")).ok()
}

/// Where each byte of what the content of a JSON string says is written in it, and where
/// it ends.
pub(crate) fn written_at(content: &str) -> Vec<usize> {
    let mut written = Vec::with_capacity(content.len() + 1);
    let mut at = 0;
    while let Some(rest) = content.get(at..).filter(|rest| !rest.is_empty()) {
        let is_pair =
            || rest.get(6..8) == Some("\\u") && says(rest.get(..6).unwrap_or_default()).is_none();
        let length = match rest.as_bytes() {
            [b'\\', b'u', ..] if is_pair() => 12,
            [b'\\', b'u', ..] => 6,
            [b'\\', ..] => 2,
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        let said = match rest.starts_with('\\') {
            true => rest
                .get(..length)
                .and_then(says)
                .map_or(0, |said| said.len()),
            false => length,
        };
        written.extend(std::iter::repeat_n(at, said));
        at += length;
    }
    written.push(content.len());
    written
}

/// Whether a value is a number, written as JSON has it.
pub(crate) fn is_number(value: &str) -> bool {
    let digit = |c: char| c.is_ascii_digit();
    let bare = value.starts_with(|c| c == '-' || digit(c)) && value.ends_with(digit);
    bare && serde_json::from_str::<serde_json::Number>(value).is_ok()
}

/// A text as the content of a JSON string.
pub(crate) fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let content = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    content.unwrap_or_default().to_owned()
}

/// The value in all the ways that it may have been written, each once.
pub(crate) fn spellings(value: &str) -> Vec<String> {
    let mut spellings = vec![value.to_owned()];
    for spelling in [
        json(value),
        percent(value),
        percent_but(IN_PATH, value),
        percent_but(IN_QUERY, value),
        html(value),
        value.replace('\'', "''"),
        value.replace('\'', "''").replace('\\', r"\\"),
    ] {
        if !spellings.contains(&spelling) {
            spellings.push(spelling);
        }
    }
    spellings
}

fn percent(text: &str) -> String {
    percent_but(b"", text)
}

fn percent_but(plain: &[u8], text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || plain.contains(&byte) {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn put(value: &str, text: &str) -> String {
        let at = text.find('#').unwrap_or_default();
        let written = Places::of(text).written(value, at, Brackets::Plain);
        written.map_or("refused".to_owned(), |it| text.replace('#', &it))
    }

    #[test]
    fn a_value_is_written_as_its_place_asks_for() {
        for (value, text, expected) in [
            ("a b&c", "say #!", "say a b&c!"),
            ("a b&c", "https://x/?q=#", "https://x/?q=a%20b%26c"),
            (
                "a b&c",
                "see https://x/#/y now",
                "see https://x/a%20b%26c/y now",
            ),
            ("a b&c", "see https://x/ or #", "see https://x/ or a b&c"),
            ("é", "http://é/#", "http://é/%C3%A9"),
            ("a+b@c.de", "crm://people/#", "crm://people/a+b@c.de"),
            ("a+b@c.de", "https://x/?q=#", "https://x/?q=a%2Bb@c.de"),
            ("a+b@c.de", "ftp://#@x/", "ftp://a%2Bb%40c.de@x/"),
            (
                "O'Neil",
                "select * from t where n = '#'",
                "select * from t where n = 'O''Neil'",
            ),
            (
                "O'Neil",
                "UPDATE t SET a='b', n='#'",
                "UPDATE t SET a='b', n='O''Neil'",
            ),
            (
                "O'Neil",
                "update t -- it's\nset a=\"'\", n='é''#' /* ' */",
                "update t -- it's\nset a=\"'\", n='é''O''Neil' /* ' */",
            ),
            (
                "O'Neil",
                "BEGIN; update t set n = '#'; commit",
                "BEGIN; update t set n = 'O''Neil'; commit",
            ),
            (
                "O'Neil",
                "-- it's\n/* so */ (select '#')",
                "-- it's\n/* so */ (select 'O''Neil')",
            ),
            ("O'Neil", "it's # who came", "it's O'Neil who came"),
            (
                "O'Neil",
                r"select 'it\'s #', 'x'",
                r"select 'it\'s O''Neil', 'x'",
            ),
            ("O'Neil", r"select 'C:\', '#'", r"select 'C:\', 'O''Neil'"),
            (
                r"a\b\",
                "select `n` from t where n = '#'",
                r"select `n` from t where n = 'a\\b\\'",
            ),
            (
                r"a\b",
                "select n from t where n = '#'",
                r"select n from t where n = 'a\b'",
            ),
            (r"a\", "select n from t where n = '#'", "refused"),
            (r"\' or 1=1 --", "select n from t where n = '#'", "refused"),
            (r"a\", "say #", r"say a\"),
            ("O'Neil", "select 'a' as # ", "select 'a' as O'Neil "),
        ] {
            assert_eq!(put(value, text), expected);
        }
    }

    #[test]
    fn what_a_string_says_is_found_where_it_is_written() {
        let content = r#"a\"é\u00e9\ud83d\ude00\\b"#;
        let said = says(content).unwrap_or_default();
        let at = written_at(content);
        assert_eq!(at.len(), said.len() + 1);
        for (start, c) in said.char_indices() {
            let written = content.get(at[start]..at[start + c.len_utf8()]);
            assert_eq!(written.and_then(says), Some(c.to_string()));
        }
    }

    #[test]
    fn the_strings_of_a_json_text_are_told() {
        let text = r#" {"a\"": ["b", 1, "\\"]}"#;
        let strings = strings(text).unwrap_or_default();
        let contents = strings.into_iter().filter_map(|range| text.get(range));
        assert_eq!(contents.collect::<Vec<_>>(), [r#"a\""#, "b", r"\\"]);
        for text in ["\"a\"", "a", "{\"a\":", "{a}", ""] {
            assert_eq!(super::strings(text), None, "{text}");
        }
    }
}
