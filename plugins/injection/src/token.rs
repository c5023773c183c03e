//! Words of a text, and where they stand.

mod disguise;
mod marks;

use crate::lexicon::{Known, Word};
use disguise::spaced;
use marks::escape;

/// A word, or a mark that says something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is, without its ending.
    pub word: Word,
    /// Where it stands in the text.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// How far from the beginning it is, in words. Ends of sentences and paragraphs count as words.
    pub at: u32,
    /// Whether it is in quotation marks or code: what is spoken of, rather than said.
    pub quoted: bool,
    /// Whether marks stand before it that are more common in programs than in prose.
    pub code: bool,
    /// Whether a sentence, a line or a clause after a colon starts with it, and it can be an order.
    pub opens: bool,
    /// The number of the sentence that it is in. A line may end within one.
    pub sentence: u32,
}

/// The longest word that is looked at.
const LONGEST: usize = 40;
/// How far what is in quotation marks may reach.
const QUOTE: usize = 240;

/// The words of a text.
pub fn tokens(text: &str, known: &Known) -> Vec<Token> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        known,
        tokens: Vec::with_capacity(text.len() / 5),
        at: 0,
        word: String::with_capacity(LONGEST),
        line_start: true,
        opens: true,
        sentence: 0,
        code: false,
        syllable: false,
        quote: None,
    };
    reader.read();
    let mut tokens = reader.tokens;
    spaced(text, &mut tokens, known);
    tokens
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    known: &'t Known,
    tokens: Vec<Token>,
    at: u32,
    /// The word that is being read, in small letters.
    word: String,
    line_start: bool,
    /// Whether the next word opens a sentence or a line.
    opens: bool,
    /// The number of the sentence.
    sentence: u32,
    /// Whether such marks were read since the last word.
    code: bool,
    /// Whether a syllable was the last: two of them are as long as a word.
    syllable: bool,
    /// The quotation mark that is open, and where it stands.
    quote: Option<(u8, usize)>,
}

impl Reader<'_> {
    fn read(&mut self) {
        let mut place = 0;
        while let Some(&byte) = self.bytes.get(place) {
            place = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'$' | 0x80.. => self.word(place),
                b'\n' => self.line(place),
                b'.' | b'!' | b'?' | b';' => self.sentence(place),
                b'<' | b'[' => self.tag(place),
                b'"' | b'`' | b'\'' => self.quotation(place, byte),
                b'#' | b'-' | b'=' | b'*' | b'>' | b'_' => self.rule(place, byte),
                b'@' => self.address(place),
                0x1b => escape(self.bytes, place),
                b':' => {
                    self.opens = true;
                    place + 1
                }
                b'(' => self.tag(place),
                b'{' | b'}' | b'\\' | b'&' | b'+' | b'/' => {
                    self.code = true;
                    place + 1
                }
                _ => place + 1,
            };
        }
    }

    fn push(&mut self, word: Word, start: usize, end: usize) {
        self.at += 1;
        let quoted = self
            .quote
            .is_some_and(|(_, from)| start.saturating_sub(from) < QUOTE);
        self.tokens.push(Token {
            word,
            start,
            end,
            at: self.at,
            quoted,
            code: std::mem::take(&mut self.code),
            opens: std::mem::take(&mut self.opens),
            sentence: self.sentence,
        });
        self.line_start = false;
    }

    /// A word: letters and digits, and what stands between two of them to hide it.
    fn word(&mut self, start: usize) -> usize {
        self.word.clear();
        let mut end = start;
        let mut mixed = false;
        let mut letters = false;
        while let Some(&byte) = self.bytes.get(end) {
            let next = self.bytes.get(end + 1).copied().unwrap_or(b' ');
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' => {
                    self.word.push(char::from(byte.to_ascii_lowercase()));
                    letters = true;
                    end += 1;
                }
                b'0'..=b'9' => {
                    self.word.push(char::from(byte));
                    mixed = true;
                    end += 1;
                }
                b'$' | b'@' | b'!' | b'|' if next.is_ascii_alphanumeric() && !self.is_mail(end) => {
                    self.word.push(char::from(byte));
                    mixed = true;
                    end += 1;
                }
                b'\'' if end > start && next.is_ascii_alphabetic() => {
                    self.word.push('\'');
                    end += 1;
                }
                b'*' | b'~' | b'^' if end > start && next.is_ascii_alphabetic() => end += 1,
                0x80.. => {
                    let Some(character) = self.text.get(end..).and_then(|t| t.chars().next())
                    else {
                        return end + 1;
                    };
                    let width = character.len_utf8();
                    if is_syllable(character) {
                        if end == start {
                            self.word.push(character);
                            let word = Word::exact(&self.word);
                            self.push(word, start, start + width);
                            self.syllable = !self.syllable;
                            self.at -= u32::from(self.syllable);
                            return start + width;
                        }
                        break;
                    }
                    if !character.is_alphanumeric() {
                        if end == start {
                            if matches!(character, '。' | '！' | '？' | '；') {
                                self.opens = true;
                                self.sentence += 1;
                                self.at += 2;
                            }
                            return start + width;
                        }
                        break;
                    }
                    self.word.extend(character.to_lowercase());
                    letters = true;
                    end += width;
                }
                _ => break,
            }
        }
        if end == start {
            return start + 1;
        }
        if self
            .bytes
            .get(end..)
            .is_some_and(|rest| rest.starts_with(b"://"))
            || self.word == "www" && self.bytes.get(end) == Some(&b'.')
        {
            return self.link(start);
        }
        let word = match (letters, mixed) {
            (false, _) => Word::NUMBER,
            (true, true) => return self.disguised(start, end),
            (true, false) => Word::of(&self.word),
        };
        if self.bytes.get(end) == Some(&b':') && (self.line_start || self.is_loud(start, end)) {
            self.word.push(':');
            let label = Word::exact(&self.word);
            if self.known.is_known(label) {
                self.push(label, start, end + 1);
                self.opens = true;
                return end + 1;
            }
        }
        if self.word.len() > 16
            && self.word.is_ascii()
            && !self.known.is_known(word)
            && self.glued(start)
        {
            return end;
        }
        let word = if self.word.len() > LONGEST {
            Word::LONG
        } else {
            word
        };
        self.opens &= may_order(&self.word);
        self.push(word, start, end);
        end
    }

    /// Whether a word is in capitals, with more than one of them: a label anywhere in a line, but for the comments of
    /// programs.
    fn is_loud(&self, start: usize, end: usize) -> bool {
        let word = self.bytes.get(start..end).unwrap_or_default();
        let before = self.bytes.get(..start).unwrap_or_default();
        let before = before.iter().rev().find(|byte| **byte != b' ');
        let comment = before.is_some_and(|byte| matches!(byte, b'#' | b'/' | b'*' | b'-' | b'%'));
        word.len() > 1 && word.iter().all(u8::is_ascii_uppercase) && !comment
    }

    fn line(&mut self, place: usize) -> usize {
        let rest = self.bytes.get(place + 1..).unwrap_or_default();
        let blank = rest
            .iter()
            .find(|byte| !matches!(byte, b' ' | b'\t' | b'\r'));
        self.at += if blank == Some(&b'\n') { 4 } else { 1 };
        if blank == Some(&b'\n') {
            self.sentence += 1;
            self.quote = None;
        }
        self.line_start = true;
        self.opens = true;
        place + 1
    }

    fn sentence(&mut self, place: usize) -> usize {
        let bangs = self
            .bytes
            .get(place..)
            .unwrap_or_default()
            .iter()
            .take_while(|byte| **byte == b'!')
            .count();
        if bangs >= 3 && !self.line_start {
            self.push(Word::exact("!!!"), place, place + bangs);
            self.opens = true;
            return place + bangs;
        }
        let ends = self
            .bytes
            .get(place + 1)
            .is_none_or(u8::is_ascii_whitespace);
        let before = place.checked_sub(1).and_then(|at| self.bytes.get(at));
        if !ends && !before.is_some_and(u8::is_ascii_alphanumeric) {
            return self.hidden_file(place);
        }
        if ends {
            self.at += 1;
            self.sentence += 1;
            self.opens = true;
        }
        self.code |= !ends || self.bytes.get(place) == Some(&b';');
        place + 1
    }
}

/// Whether a word can be what an English sentence orders: `ignore`, but not `ignored`, `ignores` or `ignoring`.
fn may_order(word: &str) -> bool {
    let told = word.ends_with("ed") && !word.ends_with("eed");
    let tells = word.ends_with('s') && !word.ends_with("ss");
    !told && !tells && !word.ends_with("ing")
}

/// Letters of scripts that put no spaces between words.
fn is_syllable(character: char) -> bool {
    matches!(character, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}
