//! Messages as no author thinks of them, and those that it does think of, in pieces.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::Chance;
use crate::guardrail::Direction;
use crate::message::{Message, quote};

/// What has led to wrong offsets, or to patterns that take long, in one place or another.
const ODD: &[&str] = &[
    "",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "\u{7f}",
    "\u{feff}",
    "\u{200b}",
    "\u{200d}",
    "\u{202e}",
    "\u{2066}",
    "\u{ad}",
    "e\u{301}\u{327}\u{323}",
    "ﬀ",
    "İ",
    "ß",
    "ſ",
    "Ａ１＠",
    "аdmin",
    "日本語",
    "👩‍👩‍👧‍👦",
    "🇩🇪",
    "𝒜𝟙",
    "\u{10ffff}",
    "\u{fffd}",
    "\u{1160}",
    "\"",
    "\\",
    "\\u0041",
    "\\\"",
    "{\"a\":\"",
    "[[[[",
    "}",
    "%25%32%35",
    "&#x41;",
    "=?utf-8?",
    "data:text/plain;base64,",
    "://",
    "@",
    ".",
    "-",
    ":",
    "0",
    "9999999999",
    "-----BEGIN ",
];

/// Makes messages out of what a guardrail looks for.
pub(super) struct Messages {
    words: Vec<String>,
    /// About the bytes that the largest have.
    largest: usize,
}

impl Messages {
    /// Out of these texts, and out of what is in them.
    pub(super) fn of(texts: impl Iterator<Item = String>, largest: usize) -> Self {
        let mut words: Vec<String> = Vec::new();
        for text in texts {
            words.extend(text.split_whitespace().map(str::to_owned));
            words.push(text);
        }
        words.sort();
        words.dedup();
        Self { words, largest }
    }

    /// A message and the way that it travels.
    pub(super) fn make(&self, chance: &mut Chance) -> Option<(Message, Direction)> {
        let payload = self.payload(chance);
        let (line, direction) = match chance.below(12) {
            0..=4 => (
                format!(r#"{{"jsonrpc":"2.0","id":1,"result":{payload}}}"#),
                Direction::ToClient,
            ),
            5..=8 => (
                format!(
                    r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"t","arguments":{payload}}}}}"#
                ),
                Direction::ToServer,
            ),
            9 => (
                format!(
                    r#"{{"jsonrpc":"2.0","method":"notifications/message","params":{{"level":"info","data":{payload}}}}}"#
                ),
                Direction::ToClient,
            ),
            10 => (
                format!(
                    r#"{{"jsonrpc":"2.0","id":1,"error":{{"code":-1,"message":{},"data":{payload}}}}}"#,
                    quote(&self.text(chance))
                ),
                Direction::ToClient,
            ),
            _ => (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#.to_owned(),
                Direction::ToServer,
            ),
        };
        Some((Message::parse(Bytes::from(line)).ok()?, direction))
    }

    /// A JSON text.
    fn payload(&self, chance: &mut Chance) -> String {
        match chance.below(64) {
            0 => {
                let text = self.text(chance) + "x";
                quote(&text.repeat(chance.below(self.largest) / text.len() + 1))
            }
            1 => {
                let depth = chance.below(2_000);
                let inside = self.string(chance);
                format!("{}{inside}{}", "[".repeat(depth), "]".repeat(depth))
            }
            2 => {
                // Of some 100 bytes each.
                let many = chance.below(self.largest / 100);
                let texts: Vec<_> = (0..many).map(|_| self.string(chance)).collect();
                format!("[{}]", texts.join(","))
            }
            3..=8 => chance
                .one_of(&["{}", "[]", "null", "1e999", "\"\"", "[\"\",\"\",\"\"]"])
                .into(),
            _ => {
                let members = (0..=chance.below(4)).map(|_| {
                    let value = match chance.below(6) {
                        0 => self.blob(chance),
                        1 => format!("[{},{}]", self.string(chance), self.string(chance)),
                        2 => format!("{{{}:{}}}", self.string(chance), self.string(chance)),
                        _ => self.string(chance),
                    };
                    let key = match chance.below(4) {
                        0 => self.string(chance),
                        _ => quote(chance.one_of(&["text", "content", "password", "name", "blob"])),
                    };
                    format!("{key}:{value}")
                });
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }

    /// A text as a JSON string, sometimes with half of a surrogate pair.
    fn string(&self, chance: &mut Chance) -> String {
        let mut literal = quote(&self.text(chance));
        if chance.once_in(20) {
            literal.insert_str(1, chance.one_of(&[r"\ud83d", r"\udc00", r"\ud83d\ud83d"]));
        }
        literal
    }

    fn blob(&self, chance: &mut Chance) -> String {
        let text = self.text(chance);
        let encoded = STANDARD.encode(text);
        match chance.once_in(2) {
            true => quote(&encoded),
            false => quote(&format!("data:text/plain;base64,{encoded}")),
        }
    }

    fn text(&self, chance: &mut Chance) -> String {
        let mut text = String::new();
        for _ in 0..chance.below(7) {
            let word = || self.words.as_slice();
            match chance.below(12) {
                0..=3 => text.push_str(&chance.one_of(word())),
                4 | 5 => text.push_str(&cut(&chance.one_of(word()), chance)),
                6 | 7 => text.push_str(chance.one_of(ODD)),
                8 => {
                    let unit: String = chance.one_of(ODD).into();
                    let unit = if unit.is_empty() { "a".into() } else { unit };
                    text.push_str(&unit.repeat(chance.below(300)));
                }
                9 => {
                    // Something odd within a word.
                    let word = chance.one_of(word());
                    let head = cut(&word, chance);
                    text.push_str(&head);
                    text.push_str(chance.one_of(ODD));
                    text.push_str(word.get(head.len()..).unwrap_or_default());
                }
                10 => text.push_str(&STANDARD.encode(chance.one_of(word()))),
                _ => {
                    let character = u32::try_from(chance.below(0x11_0000)).unwrap_or_default();
                    text.extend(char::from_u32(character));
                }
            }
            if chance.once_in(3) {
                text.push_str(chance.one_of(&[" ", "\n", "=", ": ", ",", "\""]));
            }
        }
        text
    }
}

/// The beginning of a word.
fn cut(word: &str, chance: &mut Chance) -> String {
    let end = word.floor_char_boundary(chance.below(word.len() + 1));
    word.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_made_of_what_a_guardrail_looks_for_and_of_what_is_odd() {
        let messages = Messages::of(["token BLUEBIRD".to_owned()].into_iter(), 2 << 20);
        let made = |seed| -> Vec<String> {
            let cases = (0..500).map(|case| {
                let made = messages.make(&mut Chance::of(seed, case));
                made.unwrap().0.line().to_owned()
            });
            cases.collect()
        };
        let lines = made(1);
        assert_eq!(lines, made(1));
        assert_ne!(lines, made(2));
        let with = |part: &str| lines.iter().filter(|line| line.contains(part)).count();
        for part in [
            "BLUEBIRD", "\\ud83d", "base64,", "[[[[[[[[", "error", "params",
        ] {
            assert!(with(part) > 0, "{part}");
        }
        assert!(lines.iter().any(|line| line.len() > 100_000));
    }
}
