//! The texts of a message as one, since an attack may be in pieces.

use std::ops::Range;

use mcp_gateway_sdk::{Message, Text};

use crate::detector::{Detector, Passage};
use crate::rule::Context;

/// So much is looked at in one piece.
const PIECE: usize = 48 << 10;
/// So much of a piece is looked at again with the next.
const OVERLAP: usize = 512;

/// A part of a text of a message that looks like an attack.
#[derive(Debug)]
pub(crate) struct Suspicion<'m> {
    pub(crate) text: Text<'m>,
    pub(crate) range: Range<usize>,
    pub(crate) score: f32,
    /// The rules that fit, the surest first.
    pub(crate) rules: Vec<usize>,
}

/// Words of the protocol, which say nothing.
const PROTOCOL: [&str; 30] = [
    "annotations",
    "arguments",
    "assistant",
    "audience",
    "contents",
    "content",
    "data",
    "description",
    "inputSchema",
    "isError",
    "items",
    "messages",
    "meta",
    "mimeType",
    "name",
    "object",
    "outputSchema",
    "properties",
    "required",
    "resource",
    "result",
    "role",
    "string",
    "structuredContent",
    "text",
    "text/plain",
    "title",
    "tools",
    "type",
    "uri",
];

/// A part of a piece: a part of a text, where it starts in that and in the piece.
type Part<'m> = (Text<'m>, usize, usize);

struct Piece<'m> {
    text: String,
    parts: Vec<Part<'m>>,
}

/// Everything in a message that looks like an attack and is at least as sure as `least`, in the order of the texts.
pub(crate) fn suspicions<'m>(
    detector: &Detector,
    message: &Message<'m>,
    context: Context,
    least: f32,
) -> Vec<Suspicion<'m>> {
    let gap = match context {
        Context::Description => "\n\n",
        Context::Result | Context::Arguments => "\n",
    };
    let mut found = Vec::new();
    let mut piece = Piece {
        text: String::new(),
        parts: Vec::new(),
    };
    for text in message.texts() {
        if text.is_empty() || text.len() < 20 && PROTOCOL.contains(&text.as_str()) {
            continue;
        }
        let mut from = 0;
        while from < text.len() {
            if piece.text.len() + 64 >= PIECE {
                piece.look(detector, context, least, &mut found);
                piece.keep_end();
            }
            let room = PIECE - piece.text.len().min(PIECE - 1);
            let mut to = text.len().min(from + room);
            while !text.is_char_boundary(to) {
                to += 1;
            }
            // Half a word is another word.
            let tail = text.get(from..to).unwrap_or_default();
            if let Some(space) = tail
                .rfind(' ')
                .filter(|space| to < text.len() && tail.len() - space < 64)
            {
                to = from + space + 1;
            }
            piece.parts.push((text, from, piece.text.len()));
            piece.text.push_str(text.get(from..to).unwrap_or_default());
            from = to;
        }
        piece.text.push_str(gap);
    }
    piece.look(detector, context, least, &mut found);
    joined(found)
}

impl<'m> Piece<'m> {
    fn look(
        &self,
        detector: &Detector,
        context: Context,
        least: f32,
        found: &mut Vec<Suspicion<'m>>,
    ) {
        for passage in detector.passages(&self.text, context, least) {
            self.place(&passage, found);
        }
    }

    /// The parts of the texts that a passage is made of.
    fn place(&self, passage: &Passage, found: &mut Vec<Suspicion<'m>>) {
        for (number, (text, from, at)) in self.parts.iter().enumerate() {
            let next = self
                .parts
                .get(number + 1)
                .map_or(self.text.len(), |part| part.2);
            let start = passage.range.start.max(*at);
            let end = passage.range.end.min(next);
            if start >= end {
                continue;
            }
            let range = from + (start - at)..text.len().min(from + (end - at));
            if !range.is_empty() {
                found.push(Suspicion {
                    text: *text,
                    range,
                    score: passage.score,
                    rules: passage.rules.clone(),
                });
            }
        }
    }

    /// Forgets all but the end.
    fn keep_end(&mut self) {
        let mut cut = self.text.len().saturating_sub(OVERLAP);
        while !self.text.is_char_boundary(cut) {
            cut -= 1;
        }
        let first = self
            .parts
            .partition_point(|(.., at)| *at <= cut)
            .saturating_sub(1);
        self.parts.drain(..first);
        for (_, from, at) in &mut self.parts {
            *from += cut.saturating_sub(*at);
            *at = at.saturating_sub(cut);
        }
        self.text.drain(..cut);
    }
}

/// Suspicions about the same part of a text as one.
fn joined(mut found: Vec<Suspicion<'_>>) -> Vec<Suspicion<'_>> {
    found.sort_by_key(|suspicion| (suspicion.text.index(), suspicion.range.start));
    let mut joined: Vec<Suspicion<'_>> = Vec::with_capacity(found.len());
    for suspicion in found {
        match joined.last_mut() {
            Some(last)
                if last.text.index() == suspicion.text.index()
                    && suspicion.range.start <= last.range.end =>
            {
                last.range.end = last.range.end.max(suspicion.range.end);
                if suspicion.score > last.score {
                    last.score = suspicion.score;
                    last.rules = suspicion.rules;
                }
            }
            _ => joined.push(suspicion),
        }
    }
    joined
}
