//! Words that are written so as not to be read: with digits for letters, as one, letter by
//! letter.

use super::{LONGEST, Reader, Token};
use crate::lexicon::{Known, Word};

impl Reader<'_> {
    /// Words with digits and marks in place of letters, if the word that they stand for is known; else what it is.
    pub(super) fn disguised(&mut self, start: usize, end: usize) -> usize {
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
    pub(super) fn glued(&mut self, start: usize) -> bool {
        let Some(parts) = split(&self.word, self.known) else {
            return false;
        };
        for (range, word) in parts {
            self.push(word, start + range.start, start + range.end);
        }
        true
    }
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
pub(super) fn letters(word: &str, one: char) -> String {
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
pub(super) fn spaced(text: &str, tokens: &mut Vec<Token>, known: &Known) {
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
