//! Words of a text, and where they stand.

use crate::lexicon::{Known, Word};

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

    /// Words with digits and marks in place of letters, if the word that they stand for is known; else what it is.
    fn disguised(&mut self, start: usize, end: usize) -> usize {
        if let Some((letters, word)) = unleet(&self.word, self.known) {
            if self.line_start && self.bytes.get(end) == Some(&b':') {
                let label = Word::exact(&format!("{letters}:"));
                if self.known.is_known(label) {
                    self.push(label, start, end + 1);
                    self.opens = true;
                    return end + 1;
                }
            }
            self.push(word, start, end);
            return end;
        }
        // Marks may be no part of it after all.
        let text = self.text.get(start..end).unwrap_or_default();
        let plain = |byte: u8| !matches!(byte, b'$' | b'@' | b'!' | b'|' | b'*' | b'~' | b'^');
        let length = text.bytes().take_while(|byte| plain(*byte)).count();
        if length == 0 {
            return start + 1;
        }
        let lower = text.get(..length).unwrap_or_default().to_lowercase();
        let word = match lower.bytes().all(|byte| byte.is_ascii_digit()) {
            true => Word::NUMBER,
            false if lower.len() > LONGEST => Word::LONG,
            false => Word::of(&lower),
        };
        self.push(word, start, start + length);
        start + length
    }

    /// Known words that are written as one.
    fn glued(&mut self, start: usize) -> bool {
        let Some(parts) = split(&self.word, self.known) else {
            return false;
        };
        for (range, word) in parts {
            self.push(word, start + range.start, start + range.end);
        }
        true
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

    fn is_mail(&self, place: usize) -> bool {
        self.bytes.get(place) == Some(&b'@') && {
            let rest = self.bytes.get(place + 1..).unwrap_or_default();
            let domain = rest
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-')
                .count();
            rest.get(domain) == Some(&b'.')
                && rest.get(domain + 1).is_some_and(u8::is_ascii_alphanumeric)
        }
    }

    /// The rest of a mail address, whose first part is the word before.
    fn address(&mut self, place: usize) -> usize {
        let before = self.tokens.last().filter(|token| token.end == place);
        let Some(first) = before.copied().filter(|_| self.is_mail(place)) else {
            return place + 1;
        };
        let rest = self.bytes.get(place + 1..).unwrap_or_default();
        let domain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
        let end = place + 1 + rest.iter().take_while(|byte| domain(byte)).count();
        self.tokens.pop();
        self.push(Word::EMAIL, first.start, end);
        end
    }

    fn link(&mut self, start: usize) -> usize {
        let rest = self.bytes.get(start..).unwrap_or_default();
        let ends = |byte: &u8| {
            byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'>' | b'|' | b'\\' | b'`')
        };
        let length = rest.iter().take_while(|byte| !ends(byte)).count();
        let link = self.text.get(start..start + length).unwrap_or_default();
        let length = match link.rfind(')') {
            Some(end) if !link.contains('(') => end,
            _ => length,
        };
        let query = link.find('?').and_then(|at| link.get(at..));
        let open = |query: &str| query.contains(['{', '<', '$', '[']);
        let template = query.is_some_and(open) || link.ends_with(['=', '{', '[', '<']);
        let word = if template {
            Word::LINK_TEMPLATE
        } else {
            Word::LINK
        };
        self.push(word, start, start + length);
        (start + length).max(start + 1)
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

    /// `.env`, `.ssh` and the like.
    fn hidden_file(&mut self, place: usize) -> usize {
        let rest = self.bytes.get(place + 1..).unwrap_or_default();
        let length = rest
            .iter()
            .take(16)
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
        let name = self.text.get(place..place + 1 + length).unwrap_or_default();
        let word = Word::exact(&name.to_ascii_lowercase());
        if self.known.is_known(word) {
            self.push(word, place, place + 1 + length);
            return place + 1 + length;
        }
        place + 1
    }

    /// `<tag>`, `[tag]`, `<|tag|>`, `(a_tag)` and the like, if it is one that says something.
    fn tag(&mut self, place: usize) -> usize {
        let rest = self.bytes.get(place + 1..).unwrap_or_default();
        let inside = |byte: &u8| {
            byte.is_ascii_alphanumeric()
                || matches!(byte, b'_' | b'-' | b'|' | b'/' | b' ' | b'<' | b'.')
        };
        let length = rest.iter().take(28).take_while(|byte| inside(byte)).count();
        let close = rest.get(length);
        self.code = true;
        if close == Some(&b'=')
            && let Some(end) = self.attribute(place, place + 1 + length)
        {
            return end;
        }
        let round = self.bytes.get(place) == Some(&b'(');
        let closes = match round {
            true => close == Some(&b')'),
            false => matches!(close, Some(b'>' | b']' | b':')),
        };
        if length == 0 || !closes {
            return place + 1;
        }
        let mut end = place + 1 + length + 1;
        if self.bytes.get(end) == Some(&b'>') {
            end += 1;
        }
        let inner = self
            .text
            .get(place + 1..place + 1 + length)
            .unwrap_or_default();
        // What is in parentheses is a remark, unless it is a name of two words.
        if round && !inner.contains(['_', ' ']) {
            return place + 1;
        }
        let piped = inner.starts_with('|');
        let before = place.checked_sub(1).and_then(|at| self.bytes.get(at));
        // An index, or the parameter of a type.
        if !piped && before.is_some_and(u8::is_ascii_alphanumeric) {
            return place + 1;
        }
        let name = inner
            .trim_matches(['/', '<', '|', ' '])
            .to_ascii_lowercase();
        let name = match name.bytes().any(|byte| byte.is_ascii_digit()) {
            true => letters(&name, 'i'),
            false => name,
        };
        let forms = match piped {
            true => vec![format!("<|{name}|>")],
            false => vec![format!("<{name}>"), format!("[{name}]")],
        };
        for form in forms {
            let word = Word::exact(&form);
            if self.known.is_known(word) {
                self.code = false;
                self.push(word, place, end);
                self.opens = true;
                return end;
            }
        }
        place + 1
    }

    /// `<message role="system">`: a tag with an attribute that names a role is one that is called so.
    fn attribute(&mut self, start: usize, equals: usize) -> Option<usize> {
        let head = self.text.get(start..equals)?;
        let rest = self.text.get(equals + 1..)?;
        let value = rest.get(..rest.find('>').filter(|end| *end < 24)?)?;
        let name = value.trim_matches(['"', '\'', ' ']).to_ascii_lowercase();
        let word = Word::exact(&format!("<{name}>"));
        let names = [" role", " from", " type", " name"];
        (names.iter().any(|it| head.ends_with(it)) && self.known.is_known(word)).then(|| {
            let end = equals + 1 + value.len() + 1;
            self.code = false;
            self.push(word, start, end);
            self.opens = true;
            end
        })
    }

    /// A line of one mark, or one that a heading starts with.
    fn rule(&mut self, place: usize, byte: u8) -> usize {
        let rest = self.bytes.get(place..).unwrap_or_default();
        let length = rest.iter().take_while(|other| **other == byte).count();
        let next = rest.get(length).copied().unwrap_or(b' ');
        let heading = byte == b'#' && self.line_start && next == b' ';
        if length >= 3 && byte != b'>' && byte != b'_' || heading {
            let form = match byte {
                b'#' => "#",
                b'=' => "===",
                _ => "---",
            };
            let starts = self.line_start;
            self.push(Word::exact(form), place, place + length);
            self.line_start = starts;
            self.opens = true;
        }
        self.code |= matches!(byte, b'_' | b'=' | b'>');
        place + length
    }

    fn quotation(&mut self, place: usize, byte: u8) -> usize {
        let before = place
            .checked_sub(1)
            .and_then(|at| self.bytes.get(at))
            .copied();
        let after = self.bytes.get(place + 1).copied().unwrap_or(b' ');
        match self.quote {
            Some((open, _)) if open == byte => {
                if byte != b'\'' || !after.is_ascii_alphanumeric() {
                    self.quote = None;
                }
            }
            Some(_) => {}
            None => {
                // A string of JSON or of a program is said, not spoken of.
                let head = self.bytes.get(..place).unwrap_or_default();
                let last = head.iter().rev().find(|byte| !byte.is_ascii_whitespace());
                let spoken =
                    last.is_some_and(|last| last.is_ascii_alphanumeric() || b"(,".contains(last));
                let opens = before.is_none_or(|byte| !byte.is_ascii_alphanumeric());
                if opens && spoken && after.is_ascii_alphanumeric() {
                    self.quote = Some((byte, place));
                }
            }
        }
        place + 1
    }
}

/// Whether a word can be what an English sentence orders: `ignore`, but not `ignored`, `ignores` or `ignoring`.
fn may_order(word: &str) -> bool {
    let told = word.ends_with("ed") && !word.ends_with("eed");
    let tells = word.ends_with('s') && !word.ends_with("ss");
    !told && !tells && !word.ends_with("ing")
}

/// Skips an escape sequence of a terminal.
fn escape(bytes: &[u8], place: usize) -> usize {
    let rest = bytes.get(place + 1..).unwrap_or_default();
    match rest.first() {
        Some(b'[') => {
            let inside = rest
                .iter()
                .skip(1)
                .take(24)
                .take_while(|byte| (0x20..0x40).contains(*byte));
            place + 3 + inside.count()
        }
        _ => place + 1,
    }
}

/// Letters of scripts that put no spaces between words.
fn is_syllable(character: char) -> bool {
    matches!(character, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

/// The known word that is meant by one with digits and marks for letters.
fn unleet(word: &str, known: &Known) -> Option<(String, Word)> {
    for one in ['i', 'l'] {
        let letters = letters(word, one);
        let word = Word::of(&letters);
        if known.is_known(word) && letters.bytes().any(|byte| !b"0123456789".contains(&byte)) {
            return Some((letters, word));
        }
    }
    None
}

/// A word with letters in place of digits and marks.
fn letters(word: &str, one: char) -> String {
    let letter = |character| match character {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '6' | '9' => 'g',
        '7' => 't',
        '8' => 'b',
        other => other,
    };
    word.chars().map(letter).collect()
}

/// The known words that a row of letters is made of, if hardly anything is left over.
fn split(letters: &str, known: &Known) -> Option<Vec<(std::ops::Range<usize>, Word)>> {
    let mut parts = Vec::new();
    let mut place = 0;
    let mut lost = 0;
    while place < letters.len() {
        let longest = (place + 2..=letters.len().min(place + 16))
            .rev()
            .find_map(|end| {
                let word = Word::of(letters.get(place..end)?);
                (end - place >= 3 || letters.len() < 40).then_some(())?;
                known.is_known(word).then_some((end, word))
            });
        match longest {
            Some((end, word)) => {
                parts.push((place..end, word));
                place = end;
            }
            None => {
                lost += 1;
                place += 1;
            }
        }
    }
    (parts.len() >= 3 && lost * 4 <= letters.len()).then_some(parts)
}

/// Puts words together that are written letter by letter.
fn spaced(text: &str, tokens: &mut Vec<Token>, known: &Known) {
    let single = |token: &Token| token.end == token.start + 1;
    let mut index = 0;
    while index < tokens.len() {
        let run = tokens
            .iter()
            .skip(index)
            .take_while(|token| single(token))
            .count();
        if run < 9 {
            index += run.max(1);
            continue;
        }
        let letters: Vec<Token> = tokens.iter().skip(index).take(run).copied().collect();
        let word: String = letters
            .iter()
            .filter_map(|token| text.get(token.start..token.end))
            .collect();
        let word = word.to_ascii_lowercase();
        if let Some(parts) = split(&word, known) {
            let words: Vec<Token> = parts
                .into_iter()
                .filter_map(|(range, word)| {
                    let (first, last) = (letters.get(range.start)?, letters.get(range.end - 1)?);
                    Some(Token {
                        word,
                        start: first.start,
                        end: last.end,
                        ..*first
                    })
                })
                .collect();
            let count = words.len();
            // Distances are told in words, and these letters were counted as such.
            let first = letters.first().map_or(0, |token| token.at);
            let words = (first..)
                .zip(words)
                .map(|(at, token)| Token { at, ..token });
            tokens.splice(index..index + run, words);
            index += count;
        } else {
            index += run;
        }
    }
}
