//! What is no word of a language and says something all the same: addresses, tags, rules,
//! quotation marks.

use super::Reader;
use super::disguise::letters;
use crate::lexicon::Word;

impl Reader<'_> {
    pub(super) fn is_mail(&self, place: usize) -> bool {
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
    pub(super) fn address(&mut self, place: usize) -> usize {
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

    pub(super) fn link(&mut self, start: usize) -> usize {
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

    /// `.env`, `.ssh` and the like.
    pub(super) fn hidden_file(&mut self, place: usize) -> usize {
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
    pub(super) fn tag(&mut self, place: usize) -> usize {
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
    pub(super) fn rule(&mut self, place: usize, byte: u8) -> usize {
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

    pub(super) fn quotation(&mut self, place: usize, byte: u8) -> usize {
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

/// Skips an escape sequence of a terminal.
pub(super) fn escape(bytes: &[u8], place: usize) -> usize {
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
