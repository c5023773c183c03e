//! The ways in which a text can be read: as it looks, and as what is hidden in it.

use std::borrow::Cow;
use std::ops::Range;

use mcp_gateway_scan::View;
use mcp_gateway_scan::encoded::encoded;

/// How often text may be encoded in encoded text.
const DEPTH: usize = 3;

/// One way to read a text, or a part of it.
#[derive(Debug)]
pub struct Reading<'t> {
    text: Cow<'t, str>,
    place: Place,
    /// Parts that nobody sees who looks at the text.
    hidden: Vec<Range<usize>>,
}

#[derive(Debug)]
enum Place {
    /// The text itself.
    Same,
    /// The text, without what hides it.
    Plain(View),
    /// What this part of the text says.
    Part(Range<usize>),
}

impl<'t> Reading<'t> {
    /// The text as it looks.
    pub fn plain(text: &'t str) -> Self {
        match View::plain(text) {
            None => Self {
                hidden: hidden(text),
                text: Cow::Borrowed(text),
                place: Place::Same,
            },
            Some(view) => Self {
                hidden: hidden(view.text()),
                text: Cow::Owned(view.text().to_owned()),
                place: Place::Plain(view),
            },
        }
    }

    /// What a part of the text says that does not look like it.
    fn part(said: String, place: Range<usize>) -> Self {
        Self {
            hidden: std::iter::once(0..said.len()).collect(),
            text: Cow::Owned(said),
            place: Place::Part(place),
        }
    }

    /// What is read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether nobody sees what stands here.
    pub fn is_hidden(&self, place: usize) -> bool {
        self.hidden.iter().any(|range| range.contains(&place))
    }

    /// Whether anything is hidden.
    pub fn hides(&self) -> bool {
        !self.hidden.is_empty()
    }

    /// Where a part of the reading stands in the text.
    pub fn place(&self, range: Range<usize>) -> Range<usize> {
        match &self.place {
            Place::Same => range,
            Place::Plain(view) => {
                let places = view.places(range);
                let start = places.first().map_or(0, |place| place.start);
                let end = places.last().map_or(start, |place| place.end);
                start..end
            }
            Place::Part(place) => place.clone(),
        }
    }

    /// What is said in the text by characters that cannot be seen, and in base64, hexadecimal digits and entities.
    pub fn concealed(&self, source: &str) -> Vec<Self> {
        let mut readings = Vec::new();
        invisible(source, &mut readings);
        for part in encoded(&self.text) {
            let place = self.place(part.range.clone());
            let said = decoded(part.text, DEPTH);
            readings.push(Self::part(said, place));
        }
        if let Some(said) = entities(&self.text) {
            readings.push(Self::part(said, 0..source.len()));
        }
        readings
    }

    /// The text with the letters of each word exchanged for those thirteen further.
    pub fn rotated(&self, source: &str) -> Self {
        let turn = |letter: char, first: u8| {
            let number = (u32::from(letter) - u32::from(first) + 13) % 26;
            char::from_u32(u32::from(first) + number).unwrap_or(letter)
        };
        let said = self.text.chars().map(|letter| match letter {
            'a'..='z' => turn(letter, b'a'),
            'A'..='Z' => turn(letter, b'A'),
            _ => letter,
        });
        Self::part(said.collect(), 0..source.len())
    }

    /// The text from its end to its beginning.
    pub fn reversed(&self, source: &str) -> Self {
        Self::part(self.text.chars().rev().collect(), 0..source.len())
    }
}

/// What encoded text says that may be encoded again.
fn decoded(said: String, depth: usize) -> String {
    let first = encoded(&said).next();
    match first {
        Some(part) if depth > 1 && part.range.len() * 2 > said.len() => {
            decoded(part.text, depth - 1)
        }
        _ => match View::plain(&said) {
            Some(view) => view.text().to_owned(),
            None => said,
        },
    }
}

/// What is written in tag characters or variation selectors, which carry bytes and show nothing.
fn invisible<'t>(text: &str, readings: &mut Vec<Reading<'t>>) {
    // All of these start with this byte in UTF-8.
    if !text.as_bytes().contains(&0xf3) {
        return;
    }
    let mut said = String::new();
    let mut place: Option<Range<usize>> = None;
    for (at, character) in text.char_indices() {
        let letter = match character {
            '\u{e0020}'..='\u{e007e}' => u32::from(character) - 0xe0000,
            '\u{e0100}'..='\u{e01ef}' => u32::from(character) - 0xe0100 + 16,
            _ => continue,
        };
        if let Some(letter) = char::from_u32(letter) {
            said.push(letter);
            let end = at + character.len_utf8();
            place = Some(place.map_or(at, |place| place.start)..end);
        }
    }
    if let Some(place) = place.filter(|_| said.len() >= 8) {
        readings.push(Reading::part(said, place));
    }
}

/// The text with its numeric entities resolved, if there are many.
fn entities(text: &str) -> Option<String> {
    if text.matches("&#").take(5).count() < 5 {
        return None;
    }
    let mut said = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("&#") {
        said.push_str(before);
        let end = after.find(';').filter(|end| *end <= 8);
        let number = end.and_then(|end| after.get(..end)).and_then(|digits| {
            match digits.strip_prefix(['x', 'X']) {
                Some(digits) => u32::from_str_radix(digits, 16).ok(),
                None => digits.parse().ok(),
            }
        });
        match (number.and_then(char::from_u32), end) {
            (Some(character), Some(end)) => {
                said.push(character);
                rest = after.get(end + 1..).unwrap_or_default();
            }
            _ => rest = after,
        }
    }
    said.push_str(rest);
    Some(said)
}

/// Parts of a page or a document that are not shown: comments, and elements whose style hides them.
fn hidden(text: &str) -> Vec<Range<usize>> {
    let mut hidden = Vec::new();
    let mut from = 0;
    while let Some(start) = text
        .get(from..)
        .and_then(|rest| rest.find('<'))
        .map(|at| from + at)
    {
        from = start + 1;
        let rest = text.get(start..).unwrap_or_default();
        if rest.starts_with("<!--") {
            let end = rest.find("-->").map_or(text.len(), |end| start + end);
            hidden.push(start..end);
            from = end;
            continue;
        }
        let inside = rest.as_bytes().get(1).is_some_and(u8::is_ascii_alphabetic);
        let Some(close) = rest.find('>').filter(|close| inside && *close < 400) else {
            continue;
        };
        let tag = rest.get(..close).unwrap_or_default();
        if tag.len() > 8 && conceals(tag) {
            let body = rest.get(close..).unwrap_or_default();
            let end = body.find("</").unwrap_or(body.len());
            hidden.push(start + close..start + close + end);
        }
    }
    for comment in ["[//]: #", "[comment]: "] {
        for (start, _) in text.match_indices(comment) {
            let rest = text.get(start..).unwrap_or_default();
            let end = rest.find('\n').unwrap_or(rest.len());
            hidden.push(start..start + end);
        }
    }
    hidden
}

/// Whether an element's tag says that it is not shown.
fn conceals(tag: &str) -> bool {
    let tag: String = tag
        .chars()
        .filter(|character| !character.is_whitespace())
        .map(|character| character.to_ascii_lowercase())
        .collect();
    [
        "display:none",
        "visibility:hidden",
        "font-size:0",
        "font-size:1px",
        "opacity:0;",
        "opacity:0\"",
        "opacity:0'",
        "color:white",
        "color:#fff",
        "color:transparent",
        "left:-9999",
        "height:0",
        "hidden=",
        "aria-hidden",
    ]
    .iter()
    .any(|style| tag.contains(style))
        || tag.ends_with("hidden")
}
