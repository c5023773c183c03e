//! The rows of SQL: `INSERT INTO people (id, name) VALUES (1, 'Anna')`.

use std::ops::Range;

use memchr::memchr2_iter;

/// What stands between the names and the rows.
const WORD: &[u8] = b"values";

/// How many columns are read.
const COLUMNS: usize = 64;

/// Goes through the values of the columns of which a name says something.
pub(super) fn each_value<'a, T: Copy>(
    text: &'a str,
    told: impl Fn(&'a str) -> Option<T>,
    mut see: impl FnMut(T, Range<usize>),
) {
    let bytes = text.as_bytes();
    for at in memchr2_iter(b'V', b'v', bytes) {
        let word = bytes.get(at..at + WORD.len()).unwrap_or_default();
        if word.eq_ignore_ascii_case(WORD) {
            let Some(columns) = columns(text, at) else {
                continue;
            };
            let columns: Vec<Option<T>> = columns
                .split(',')
                .take(COLUMNS)
                .map(|name| told(name.trim_matches([' ', '\n', '"', '`', '[', ']'])))
                .collect();
            if columns.iter().any(Option::is_some) {
                rows(bytes, at + WORD.len(), &columns, &mut see);
            }
        }
    }
}

/// The names in brackets before `VALUES`.
fn columns(text: &str, end: usize) -> Option<&str> {
    let before = text.get(..end)?.trim_end().strip_suffix(')')?;
    let (head, columns) = before.rsplit_once('(')?;
    let plain = |c: char| c.is_alphanumeric() || "_, \n\"`[].".contains(c);
    (columns.len() < 2048 && columns.chars().all(plain) && head.len() > 6).then_some(columns)
}

/// Rows in brackets, one after the other.
fn rows<T: Copy>(
    bytes: &[u8],
    start: usize,
    columns: &[Option<T>],
    see: &mut impl FnMut(T, Range<usize>),
) {
    let (mut column, mut from, mut open) = (0, start, false);
    let mut quoted = false;
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'\'' => quoted = !quoted,
            _ if quoted => {}
            b'(' if !open => (open, column, from) = (true, 0, at + 1),
            b',' | b')' if open => {
                if let Some(told) = columns.get(column).copied().flatten() {
                    let value = bytes.get(from..at).unwrap_or_default();
                    let start = from
                        + value
                            .iter()
                            .take_while(|byte| byte.is_ascii_whitespace())
                            .count();
                    if let Some([b'\'', inner @ .., b'\'']) = bytes.get(start..at) {
                        see(told, start + 1..start + 1 + inner.len());
                    }
                }
                (open, column, from) = (*byte == b',', column + 1, at + 1);
            }
            b',' | b' ' | b'\n' | b'\r' | b'\t' => {}
            _ if open => {}
            _ => return,
        }
    }
}
