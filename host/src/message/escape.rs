//! The escapes of JSON strings, and how places in what a string says map to
//! places in how it is written.

use memchr::{memchr, memchr2};

/// One escape as it is written, such as `\n` or `\ud83d\ude00`.
#[derive(Clone, Copy)]
struct Escape {
    says: char,
    /// Length as written, in bytes.
    written: usize,
    lone_high: bool,
}

/// Walks one string forwards, in step through what it says and how it is
/// written.
pub(super) struct Cursor<'a> {
    content: &'a str,
    said: usize,
    written: usize,
    after_lone_high: bool,
}

/// Appends what the string says whose content starts here, up to its closing
/// quote or the end. Returns the length of the content as written, or nothing
/// if an escape is malformed.
pub(super) fn unescape_until_quote(content: &str, out: &mut String) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = content.get(at..)?;
        let Some(run) = memchr2(b'"', b'\\', rest.as_bytes()) else {
            out.push_str(rest);
            return Some(content.len());
        };
        let (plain, rest) = rest.split_at_checked(run)?;
        out.push_str(plain);
        at += run;
        if rest.starts_with('"') {
            return Some(at);
        }
        let escape = read(rest)?;
        out.push(escape.says);
        at += escape.written;
    }
}

/// Appends the text as the content of a JSON string. Only what JSON demands is
/// escaped.
pub(super) fn escape_into(text: &str, out: &mut String) {
    let mut rest = text;
    let special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    while let Some(run) = rest.bytes().position(special) {
        let (plain, tail) = rest.split_at(run);
        out.push_str(plain);
        let mut tail = tail.chars();
        match tail.next() {
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some(c @ ('"' | '\\')) => out.extend(['\\', c]),
            Some(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            None => {}
        }
        rest = tail.as_str();
    }
    out.push_str(rest);
}

/// How many bytes [`escape_into`] would append.
pub(super) fn escaped_len(text: &str) -> usize {
    let escaped = |byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x8 | 0xc => 2,
        0..b' ' => 6,
        _ => 1,
    };
    text.bytes().map(escaped).sum()
}

/// Whether the text starts with the escape of a low surrogate, which would pair
/// with a high one before it.
pub(super) fn starts_with_low_surrogate(text: &str) -> bool {
    unicode_escape(text).is_some_and(|code| (0xdc00..0xe000).contains(&code))
}

impl<'a> Cursor<'a> {
    /// At the start of a string's content.
    pub(super) fn new(content: &'a str) -> Self {
        Self {
            content,
            said: 0,
            written: 0,
            after_lone_high: false,
        }
    }

    /// Goes on to a place in what the string says, which must be a character
    /// boundary at or after the present one. Returns the place as written.
    pub(super) fn advance_to(&mut self, said: usize) -> Option<usize> {
        while self.said < said {
            let rest = self.content.get(self.written..)?;
            let wanted = said - self.said;
            match memchr(b'\\', rest.as_bytes().get(..wanted)?) {
                Some(0) => {
                    let escape = read(rest)?;
                    self.step(escape.says.len_utf8(), escape.written, escape.lone_high);
                }
                Some(run) => self.step(run, run, false),
                None => self.step(wanted, wanted, false),
            }
        }
        Some(self.written)
    }

    /// Whether the escape just passed is a high surrogate without its low one.
    pub(super) fn is_after_lone_high(&self) -> bool {
        self.after_lone_high
    }

    fn step(&mut self, said: usize, written: usize, lone_high: bool) {
        self.said += said;
        self.written += written;
        self.after_lone_high = lone_high;
    }
}

/// The escape that the text starts with.
fn read(text: &str) -> Option<Escape> {
    let short = |says| {
        Some(Escape {
            says,
            written: 2,
            lone_high: false,
        })
    };
    match text.as_bytes().get(1)? {
        b'n' => short('\n'),
        b'"' => short('"'),
        b'\\' => short('\\'),
        b'/' => short('/'),
        b't' => short('\t'),
        b'r' => short('\r'),
        b'b' => short('\u{8}'),
        b'f' => short('\u{c}'),
        b'u' => read_unicode(text),
        _ => None,
    }
}

fn read_unicode(text: &str) -> Option<Escape> {
    let code = unicode_escape(text)?;
    if let Some(says) = char::from_u32(code) {
        return Some(Escape {
            says,
            written: 6,
            lone_high: false,
        });
    }
    let high = code < 0xdc00;
    let low = text.get(6..).filter(|_| high).and_then(unicode_escape);
    Some(match low.filter(|low| (0xdc00..0xe000).contains(low)) {
        Some(low) => Escape {
            says: char::from_u32(0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00))?,
            written: 12,
            lone_high: false,
        },
        None => Escape {
            says: char::REPLACEMENT_CHARACTER,
            written: 6,
            lone_high: high,
        },
    })
}

/// The code of the `\uXXXX` that the text starts with.
fn unicode_escape(text: &str) -> Option<u32> {
    let digits = text.as_bytes().strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |code, digit| {
        Some(code << 4 | char::from(*digit).to_digit(16)?)
    })
}
