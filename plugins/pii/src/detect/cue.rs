//! What the words and names around a value say of it.

use std::cell::OnceCell;

use mcp_gateway_scan::Tables;

use super::told::Heard;

/// How far before a value its name may begin.
const REACH: usize = 56;

/// Names of numbers that are about nobody.
const IMPERSONAL: &[&str] = &[
    "id",
    "ids",
    "sha",
    "hash",
    "commit",
    "etag",
    "span",
    "trace",
    "version",
    "build",
    "size",
    "bytes",
    "ts",
    "timestamp",
    "time",
    "at",
    "lat",
    "lon",
    "lng",
    "price",
    "count",
    "port",
    "offset",
    "length",
    "len",
    "total",
    "pid",
    "seq",
    "sequence",
    "revision",
    "rev",
    "checksum",
    "digest",
    "uuid",
    "guid",
    "number",
    "index",
    "line",
    "issue",
    "pull",
    "run",
    "job",
    "node",
    "nonce",
    "seed",
    "duration",
    "ms",
    "ns",
    "amount",
    "width",
    "height",
    "date",
    "created",
    "updated",
    "epoch",
    "expires",
    "exp",
    "iat",
    "nbf",
    "inode",
    "mtime",
    "ctime",
];

/// The surroundings of the values of one text.
pub(super) struct Cues<'a> {
    text: &'a str,
    ask: &'a dyn Fn() -> Option<String>,
    key: OnceCell<String>,
    tables: OnceCell<Tables<'a>>,
    within: OnceCell<Heard>,
    within_key: OnceCell<Heard>,
    is_sentence: OnceCell<bool>,
}

impl<'a> Cues<'a> {
    pub(super) fn new(text: &'a str, ask: &'a dyn Fn() -> Option<String>) -> Self {
        Self {
            text,
            ask,
            key: OnceCell::new(),
            tables: OnceCell::new(),
            within: OnceCell::new(),
            within_key: OnceCell::new(),
            is_sentence: OnceCell::new(),
        }
    }

    /// What is found in the text, which is searched once.
    pub(super) fn within(&self, find: impl FnOnce(&str) -> Heard) -> &Heard {
        self.within.get_or_init(|| find(self.text))
    }

    /// What is found in its name, which is searched once.
    pub(super) fn within_key(&self, find: impl FnOnce(&str) -> Heard) -> &Heard {
        self.within_key.get_or_init(|| find(self.key()))
    }

    /// Whether the text is hardly more than the value of its name.
    fn is_value(&self) -> bool {
        self.text.len() <= 64
    }

    /// Whether the name of the text says what is in it: a value, or a sentence. A name is asked for at a cost, and that
    /// of a document says little.
    pub(super) fn is_named(&self) -> bool {
        let is_sentence = || self.text.len() <= 256 && !self.text.contains(['\n', '{', '|']);
        self.is_value() || *self.is_sentence.get_or_init(is_sentence)
    }

    /// The name of the whole text.
    pub(super) fn key(&self) -> &str {
        self.key.get_or_init(|| (self.ask)().unwrap_or_default())
    }

    /// The name of the column of a table that a place is in, and where its cell begins.
    pub(super) fn column(&self, at: usize) -> Option<(&'a str, usize)> {
        self.tables().column(at)
    }

    /// The tables of the text.
    pub(super) fn tables(&self) -> &Tables<'a> {
        self.tables.get_or_init(|| Tables::of(self.text))
    }

    /// Whether what begins at `start` is the value of a name that ends in one of the words.
    pub(super) fn named(&self, start: usize, words: &[&str]) -> bool {
        let before = self.before(start);
        let trimmed = before.trim_end_matches([' ', '"', '\'', '`', '\\']);
        let ends = |name: &str| {
            let name = name
                .trim_end_matches([' ', '"', '\'', '`', '\\', '*'])
                .to_ascii_lowercase();
            words.iter().any(|word| name.ends_with(word))
        };
        if let Some((name, _)) = self.column(start).filter(|_| trimmed.is_empty()) {
            return ends(name);
        }
        match trimmed.strip_suffix([':', '=', '：']) {
            Some(name) => ends(name),
            None => trimmed.is_empty() && start < 8 && self.is_value() && ends(self.key()),
        }
    }

    /// Whether what begins at `start` follows one of these.
    pub(super) fn follows(&self, start: usize, words: &[&str]) -> bool {
        let before = self.before(start).trim_end();
        let same = |words: &&str| {
            let tail = before
                .len()
                .checked_sub(words.len())
                .and_then(|at| before.get(at..));
            tail.is_some_and(|tail| tail.eq_ignore_ascii_case(words))
        };
        words.iter().any(same)
    }

    /// Whether one of the words stands before `start`, or is in the name of the text.
    pub(super) fn says<S: AsRef<str>>(&self, start: usize, words: &[S]) -> bool {
        if words.is_empty() {
            return false;
        }
        let said = |text: &str| words.iter().any(|word| has(text, word.as_ref()));
        let column = self
            .column(start)
            .is_some_and(|(name, _)| said(&lowered(name)));
        column
            || said(&lowered(self.before(start)))
            || self.is_named() && said(&lowered(self.key()))
    }

    /// Whether the name directly before `start` is that of a number about nobody.
    pub(super) fn is_impersonal(&self, start: usize) -> bool {
        let before = self.before(start);
        if let Some((name, _)) = self
            .column(start)
            .filter(|_| before.trim_matches([' ', '"']).is_empty())
        {
            return last(name);
        }
        let name = before.trim_end_matches([' ', '"', '\'', '`', '(', '[', '\\']);
        let Some(name) = name.strip_suffix([':', '=', '#']) else {
            return before.trim().is_empty() && self.is_value() && last(self.key());
        };
        last(name.trim_end_matches([' ', '"', '\'', '`', '\\']))
    }

    /// What stands before `start` in its line, or else in the line above; in a table, in its cell.
    fn before(&self, start: usize) -> &'a str {
        let cell = self.column(start).map_or(0, |(_, cell)| cell);
        let mut from = start.saturating_sub(REACH).max(cell);
        while !self.text.is_char_boundary(from) {
            from += 1;
        }
        let near = self.text.get(from..start).unwrap_or_default();
        let trimmed = near.trim_end();
        match trimmed.rfind('\n') {
            Some(line) => near.get(line + 1..).unwrap_or_default(),
            None => own(near).unwrap_or(near),
        }
    }
}

/// The name of a value of JSON, without the values before it, which are others: `"ssn": "…", "bytes": `. One such as
/// `value` says nothing, and what is before it may.
fn own(near: &str) -> Option<&str> {
    let named = near
        .trim_end_matches([' ', '"', '\'', '\\'])
        .strip_suffix(':')?;
    let name = named.strip_suffix(['"', '\''])?;
    let start = name.rfind(['"', '\''])?;
    let earlier = near.get(..start)?.trim_end_matches([' ', '\\']);
    let words = name.get(start + 1..)?;
    let says = !["value", "number", "text", "data", "content", "answer"].contains(&words);
    (says && earlier.ends_with([',', '{'])).then(|| near.get(start..))?
}

/// Whether the last word of a name is in the list: `trace_id`, `updatedAt`, `size`.
fn last(name: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric();
    let from = name.rfind(|c: char| !part(c)).map_or(0, |at| {
        at + name
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(1, char::len_utf8)
    });
    let word = name.get(from..).unwrap_or_default();
    let hump = word
        .rfind(|c: char| c.is_ascii_uppercase())
        .and_then(|at| word.get(at..));
    let known = |word: &str| IMPERSONAL.contains(&word.to_ascii_lowercase().as_str());
    known(word) || hump.is_some_and(known)
}

/// A text in small letters, of other scripts, too.
fn lowered(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => text.to_lowercase(),
    }
}

/// Whether a word is in a text; a short one only by itself, and several only where the first begins.
fn has(text: &str, word: &str) -> bool {
    let alone = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let (is_long, are_several) = (word.len() > 4, word.contains([' ', '_', '-']));
    text.match_indices(word).any(|(at, _)| {
        let bytes = text.as_bytes();
        let begins = || alone(at.checked_sub(1).and_then(|at| bytes.get(at)));
        let ends = || {
            let next = bytes.get(at + word.len());
            alone(next) || next == Some(&b's')
        };
        (is_long && !are_several || begins()) && (is_long || ends())
    })
}
