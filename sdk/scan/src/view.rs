//! A text as it is meant, and the way back to the text as it stands.

use std::ops::Range;

use memchr::{memchr2_iter, memchr3_iter};

use crate::fold::{Folded, fold};

/// Another reading of a text, which knows where in the text each part of it stands.
#[derive(Debug)]
pub struct View {
    text: String,
    segments: Vec<Segment>,
    /// Whether what was left out belongs to nothing that is found here.
    apart: bool,
}

/// A part of a view that is a part of the text, or stands for one.
#[derive(Debug, Clone, Copy)]
struct Segment {
    /// Where it starts in the view, and how long it is there.
    at: usize,
    length: usize,
    /// Where it starts in the text, and how long it is there. As long as in the view: the same bytes.
    from: usize,
    width: usize,
}

impl View {
    /// The text without what hides it: characters that cannot be seen or look like others, escapes with backslashes
    /// (of JSON within JSON, too) and with percent signs. Nothing if there is nothing of these.
    pub fn plain(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut places = memchr2_iter(b'\\', b'%', bytes);
        if text.is_ascii() && places.next().is_none() {
            return None;
        }
        let mut view = Builder::of(text);
        let mut rest = text;
        while let Some(offset) = rest
            .bytes()
            .position(|b| b == b'\\' || b == b'%' || b >= 0x80)
        {
            let place = text.len() - rest.len() + offset;
            let here = text.get(place..)?;
            let first = here.chars().next()?;
            let width = match first {
                '\\' => view.unescape(place, here),
                '%' => view.decode(place, here),
                _ => view.fold(place, first),
            };
            rest = text.get(place + width..)?;
        }
        view.finish(false)
    }

    /// The text with strings in pieces put together: `"ab" + "cd"`, `A_1="ab"` above `A_2="cd"`. Nothing if there are
    /// none.
    pub fn joined(text: &str) -> Option<Self> {
        let mut view = Builder::of(text);
        for place in memchr3_iter(b'"', b'\'', b'\n', text.as_bytes()) {
            if place < view.copied {
                continue;
            }
            if let Some(width) = seam(text.as_bytes(), place) {
                view.put(place, width, "");
            }
        }
        view.finish(true)
    }

    /// The text as it is meant.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where a range of the view stands in the text: one range, or one for each piece.
    pub fn places(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let first = self
            .segments
            .partition_point(|segment| segment.at + segment.length <= range.start);
        let mut places: Vec<Range<usize>> = Vec::new();
        for segment in self.segments.get(first..).unwrap_or_default() {
            if segment.at >= range.end {
                break;
            }
            let place = if segment.length == segment.width {
                let skipped = range.start.saturating_sub(segment.at);
                let end = segment.length.min(range.end - segment.at);
                segment.from + skipped..segment.from + end
            } else {
                segment.from..segment.from + segment.width
            };
            match places.last_mut() {
                Some(last) if !self.apart || last.end == place.start => last.end = place.end,
                _ => places.push(place),
            }
        }
        places
    }
}

/// Puts a view together, from the left to the right.
struct Builder<'a> {
    source: &'a str,
    view: View,
    /// How much of the source has been read.
    copied: usize,
}

impl<'a> Builder<'a> {
    fn of(source: &'a str) -> Self {
        let view = View {
            text: String::new(),
            segments: Vec::new(),
            apart: false,
        };
        Self {
            source,
            view,
            copied: 0,
        }
    }

    /// What stands at `place`, `width` bytes wide, is read as `meaning`; all before it is read as it stands.
    fn put(&mut self, place: usize, width: usize, meaning: &str) {
        self.copy_to(place);
        self.segment(meaning, place, width);
        self.copied = place + width;
    }

    fn copy_to(&mut self, place: usize) {
        let same = self.source.get(self.copied..place).unwrap_or_default();
        self.segment(same, self.copied, same.len());
    }

    fn segment(&mut self, meaning: &str, from: usize, width: usize) {
        if meaning.is_empty() {
            return;
        }
        self.view.segments.push(Segment {
            at: self.view.text.len(),
            length: meaning.len(),
            from,
            width,
        });
        self.view.text.push_str(meaning);
    }

    fn finish(mut self, apart: bool) -> Option<View> {
        if self.copied == 0 {
            return None;
        }
        self.copy_to(self.source.len());
        self.view.apart = apart;
        Some(self.view)
    }

    fn fold(&mut self, place: usize, character: char) -> usize {
        let width = character.len_utf8();
        match fold(character) {
            Folded::Same => {}
            Folded::As(ascii) => self.put(place, width, ascii.encode_utf8(&mut [0; 4])),
            Folded::Gone => self.put(place, width, ""),
        }
        width
    }

    /// Backslashes, as many as there are, and what they escape. The number tells only how deep the string is nested.
    fn unescape(&mut self, place: usize, here: &str) -> usize {
        let slashes = here.bytes().take_while(|byte| *byte == b'\\').count();
        let rest = here.get(slashes..).unwrap_or_default();
        let (meaning, width) = match rest.as_bytes() {
            [b'n' | b'r', ..] => ('\n', 1),
            [b't' | b'b' | b'f', ..] => ('\t', 1),
            [b'"', ..] => ('"', 1),
            [b'\'', ..] => ('\'', 1),
            [b'/', ..] => ('/', 1),
            [b'u', ..] => match escaped(rest, 4) {
                Some(character) => (character, 5),
                None => return slashes,
            },
            [b'x', ..] => match escaped(rest, 2) {
                Some(character) => (character, 3),
                None => return slashes,
            },
            _ => return slashes,
        };
        let width = slashes + width;
        match fold(meaning) {
            Folded::Same => self.put(place, width, meaning.encode_utf8(&mut [0; 4])),
            Folded::As(ascii) => self.put(place, width, ascii.encode_utf8(&mut [0; 4])),
            Folded::Gone => self.put(place, width, ""),
        }
        width
    }

    /// `%2D`, and `%252D`, which was escaped twice. Only ASCII: nothing else is looked for in escapes.
    fn decode(&mut self, place: usize, here: &str) -> usize {
        let mut digits = here.get(1..).unwrap_or_default();
        while let Some(rest) = digits
            .strip_prefix("25")
            .filter(|rest| hex(rest, 2).is_some())
        {
            digits = rest;
        }
        let Some(byte) = hex(digits, 2).filter(|byte| (0x20..0x7f).contains(byte) || *byte == 0x0a)
        else {
            return 1;
        };
        let width = here.len() - digits.len() + 2;
        if let Some(character) = char::from_u32(byte) {
            self.put(place, width, character.encode_utf8(&mut [0; 4]));
        }
        width
    }
}

/// The character whose number follows the first letter in so many hexadecimal digits.
fn escaped(text: &str, digits: usize) -> Option<char> {
    char::from_u32(hex(text.get(1..)?, digits)?)
}

fn hex(text: &str, digits: usize) -> Option<u32> {
    let digits = text.get(..digits)?;
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, 16).ok().filter(|_| all)
}

/// The length of what stands between two pieces of a string, if one ends at `place`.
fn seam(text: &[u8], place: usize) -> Option<usize> {
    let before = *text.get(place.checked_sub(1)?)?;
    if !before.is_ascii_alphanumeric() && !b"-_+/=".contains(&before) {
        return None;
    }
    let quote = Some(*text.get(place)?).filter(|byte| *byte != b'\n');
    let mut at = place + usize::from(quote.is_some());
    at += blanks(text, at, b" \t\\");
    match (quote, text.get(at)) {
        (Some(quote), Some(b'+' | b'.' | b'&' | b'\n' | b'"' | b'\'')) => {
            let operator = !matches!(text.get(at), Some(b'\n' | b'"' | b'\''));
            at += usize::from(operator);
            at += blanks(text, at, b" \t\r\n\\");
            if text.get(at) != Some(&quote) {
                if operator {
                    return None;
                }
                at += numbered(text, at)?;
                if text.get(at) != Some(&quote) {
                    return None;
                }
            }
            at += 1;
        }
        (None, Some(b'\n')) => at += 1 + numbered(text, at + 1)?,
        _ => return None,
    }
    text.get(at)?.is_ascii_alphanumeric().then(|| at - place)
}

/// The length of `NAME_2=`: what is another piece has a number in its name, above one.
fn numbered(text: &[u8], at: usize) -> Option<usize> {
    let name = text.get(at..)?;
    let end = name
        .iter()
        .take(64)
        .position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')?;
    let number = name.get(end.checked_sub(1)?)?;
    if !(b'2'..=b'9').contains(number) || !name.first()?.is_ascii_alphabetic() {
        return None;
    }
    let end = end + blanks(name, end, b" ");
    (name.get(end) == Some(&b'=')).then(|| end + 1 + blanks(name, end + 1, b" "))
}

fn blanks(text: &[u8], at: usize, of: &[u8]) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    rest.iter()
        .take(64)
        .take_while(|byte| of.contains(byte))
        .count()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(text: &str) -> String {
        View::plain(text).map_or(text.to_owned(), |view| view.text().to_owned())
    }

    #[test]
    fn hidden_text_is_read_as_it_is_meant() {
        assert_eq!(plain("gh\u{200b}p_１２"), "ghp_12");
        assert_eq!(plain(r#"{\"a\":\"b\"}"#), r#"{"a":"b"}"#);
        assert_eq!(plain(r#"{\\\"a\\\": \\\"\\u0068f\\\"}"#), r#"{"a": "hf"}"#);
        assert_eq!(plain(r"one\ntwo"), "one\ntwo");
        assert_eq!(plain("a%3Db%252Fc"), "a=b/c");
        assert_eq!(plain(r"\d{3} 100% \\"), r"\d{3} 100% \\");
    }

    #[test]
    #[allow(clippy::single_range_in_vec_init, reason = "one place is meant")]
    fn a_range_is_found_again() {
        let text = r#"x ab\"c"#;
        let view = View::plain(text).unwrap();
        assert_eq!(view.text(), r#"x ab"c"#);
        assert_eq!(view.places(2..6), vec![2..7]);
        assert_eq!(view.places(2..4), vec![2..4]);
        assert_eq!(view.places(4..5), vec![4..6]);
    }

    #[test]
    fn pieces_are_put_together_and_told_apart_again() {
        for (text, expected) in [
            (r#"x = "ab" + "cd""#, r#"x = "abcd""#),
            ("x = \"ab\" \\\n  \"cd\"", r#"x = "abcd""#),
            ("A_1=\"ab\"\nA_2=\"cd\"", "A_1=\"abcd\""),
            ("A1='ab'\nA2='cd'\nA3='ef'", "A1='abcdef'"),
        ] {
            let view = View::joined(text).unwrap();
            assert_eq!(view.text(), expected);
            let at = view.text().find("ab").unwrap();
            let pieces = view
                .places(at..at + 4)
                .into_iter()
                .map(|range| &text[range]);
            assert_eq!(pieces.collect::<Vec<_>>(), ["ab", "cd"]);
        }
        for text in [r#"["ab", "cd"]"#, "A_1=\"ab\"\nB=\"cd\"", "a\n2=b"] {
            assert!(View::joined(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_place_is_a_part_of_the_text(text in "(\\PC|\\\\[nu\"]|%2D|\"\\+\"|\u{200b}|\n){0,40}", start in 0usize..40, length in 1usize..20) {
            for view in [View::plain(&text), View::joined(&text)].into_iter().flatten() {
                let boundary = |at: usize| (at..view.text().len()).find(|at| view.text().is_char_boundary(*at));
                let (Some(start), Some(end)) = (boundary(start), boundary(start + length)) else { continue };
                prop_assume!(start < end);
                for place in view.places(start..end) {
                    prop_assert!(text.get(place).is_some_and(|part| !part.is_empty()));
                }
            }
        }
    }
}
