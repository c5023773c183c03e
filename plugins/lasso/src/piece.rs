//! What is sent of a message: pieces of its texts, and where each came from.

use std::ops::Range;

use mcp_gateway_sdk::Text;

use crate::body::{MessageType, Tool};

/// Bytes of one piece. A classifier that is shown more sees less in it.
const LONGEST: usize = 64 << 10;

/// Bytes that two pieces of a text have in common, so that what stands where it was cut is
/// whole in one of them.
const OVERLAP: usize = 512;

/// Bytes of the pieces and tools of one request, as JSON writes them. The gateway's own limit
/// is 1 MiB, if nobody changed it, also for the answer, which has all of it and findings besides.
const REQUEST: usize = 512 << 10;

/// Bytes around each of them, and around all.
const FRAME: usize = 256;

/// Everything that is sent of one message.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) kind: MessageType,
    /// What pairs a call with its result.
    pub(crate) id: String,
    /// What is called.
    pub(crate) name: String,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) tools: Vec<Tool>,
    /// Whether the API is told more than the Python gateway told it.
    pub(crate) extended: bool,
}

/// One entry of `messages`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) form: Form,
    pub(crate) content: String,
    /// Where its content comes from, in its order. The rest is glue.
    pub(crate) parts: Vec<Part>,
}

/// How a piece is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// Plain text of a role.
    Plain(String),
    /// What came back from a tool, or anything else from a server.
    Result,
    /// What a tool is called with, as text.
    Use,
    /// The same as a JSON object, from this place in the payload.
    Input(&'static str),
}

/// A part of a piece that is a part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// In the piece.
    pub(crate) at: usize,
    pub(crate) length: usize,
    /// The index of the text, and where in that it starts.
    pub(crate) text: usize,
    pub(crate) from: usize,
}

/// What goes into one request.
#[derive(Debug)]
pub(crate) struct Batch<'s> {
    pub(crate) sent: &'s Sent,
    pub(crate) pieces: &'s [Piece],
    pub(crate) tools: &'s [Tool],
}

impl Piece {
    pub(crate) fn new(form: Form) -> Self {
        Self {
            form,
            content: String::new(),
            parts: Vec::new(),
        }
    }

    /// Adds a text, after some glue where it is not the first.
    pub(crate) fn push(&mut self, glue: &str, text: &Text<'_>) {
        if !self.content.is_empty() {
            self.content.push_str(glue);
        }
        self.parts.push(Part {
            at: self.content.len(),
            length: text.len(),
            text: text.index(),
            from: 0,
        });
        self.content.push_str(text);
    }

    /// Whether there is nothing in it that could be judged.
    pub(crate) fn is_blank(&self) -> bool {
        self.content.trim().is_empty()
    }

    /// The role that it is sent under.
    pub(crate) fn role(&self) -> &str {
        match &self.form {
            Form::Plain(role) => role,
            Form::Result => "developer",
            Form::Use | Form::Input(_) => "model",
        }
    }

    /// Pieces that are no longer than one may be.
    pub(crate) fn cut(self, into: &mut Vec<Self>) {
        if self.content.len() <= LONGEST || matches!(self.form, Form::Input(_)) {
            into.push(self);
            return;
        }
        let mut start = 0;
        loop {
            let end = self.content.floor_char_boundary(start + LONGEST);
            into.push(self.part(start..end));
            if end == self.content.len() {
                return;
            }
            start = self.content.floor_char_boundary(end - OVERLAP);
        }
    }

    fn part(&self, range: Range<usize>) -> Self {
        let parts = self.parts.iter().filter_map(|part| {
            let start = part.at.max(range.start);
            let end = (part.at + part.length).min(range.end);
            (start < end).then(|| Part {
                at: start - range.start,
                length: end - start,
                text: part.text,
                from: part.from + (start - part.at),
            })
        });
        Self {
            form: self.form.clone(),
            parts: parts.collect(),
            content: self.content.get(range).unwrap_or_default().to_owned(),
        }
    }
}

impl Form {
    /// Whether a JSON text is short enough to be sent as it is.
    pub(crate) fn fits(json: &str) -> bool {
        json.len() <= LONGEST
    }
}

impl Sent {
    /// What goes into one request after the other: all at once, if that fits. Otherwise tools go
    /// with the first piece, which is about them.
    pub(crate) fn batches(&self) -> Vec<Batch<'_>> {
        let batch = |pieces, tools| Batch {
            sent: self,
            pieces,
            tools,
        };
        let piece_size = |piece: &Piece| written(&piece.content) + FRAME;
        let tool_size = |tool: &Tool| written(&tool.to_string()) + FRAME;
        let pieces_size: usize = self.pieces.iter().map(piece_size).sum();
        let tools_size: usize = self.tools.iter().map(tool_size).sum();
        if pieces_size + tools_size <= REQUEST {
            return vec![batch(&self.pieces, &self.tools)];
        }
        let mut batches = Vec::new();
        let mut pieces = self.pieces.as_slice();
        if let Some((first, rest)) = pieces.split_at_checked(1)
            && !self.tools.is_empty()
        {
            let tools = runs(&self.tools, tool_size);
            batches.extend(tools.into_iter().map(|tools| batch(first, tools)));
            pieces = rest;
        }
        let pieces = runs(pieces, piece_size);
        batches.extend(pieces.into_iter().map(|pieces| batch(pieces, &[])));
        batches
    }
}

/// Runs of items that are together no larger than a request may be, unless one alone is.
fn runs<T>(mut items: &[T], size: impl Fn(&T) -> usize) -> Vec<&[T]> {
    let mut runs = Vec::new();
    while !items.is_empty() {
        let mut total = 0;
        let fits = items.iter().take_while(|item| {
            total += size(item);
            total <= REQUEST
        });
        let (run, rest) = items.split_at(fits.count().max(1));
        runs.push(run);
        items = rest;
    }
    runs
}

/// Bytes of a text as JSON writes it.
fn written(text: &str) -> usize {
    let each = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        0..=0x1f => 6,
        _ => 1,
    });
    each.sum()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use mcp_gateway_sdk::testing::Sample;

    use super::*;

    fn cut(texts: &[&str]) -> Vec<Piece> {
        let sample = Sample::response("tools/call", texts);
        let message = sample.message();
        let mut piece = Piece::new(Form::Result);
        for text in message.texts() {
            piece.push("\n", &text);
        }
        let mut pieces = Vec::new();
        piece.cut(&mut pieces);
        pieces
    }

    #[test]
    fn a_long_text_is_cut_with_an_overlap_and_every_part_says_where_it_is_from() {
        let texts = ["é".repeat(50_000), "x".repeat(70_000), "end".to_owned()];
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let pieces = cut(&texts);
        assert_eq!(pieces.len(), 3);
        let mut seen = [0; 3];
        for piece in &pieces {
            assert!(piece.content.len() <= LONGEST);
            for part in &piece.parts {
                let here = &piece.content[part.at..part.at + part.length];
                let there = part.from..part.from + part.length;
                assert_eq!(here, &texts[part.text][there.clone()]);
                assert!(there.start <= seen[part.text], "a gap in {}", part.text);
                seen[part.text] = there.end;
            }
        }
        assert_eq!(seen, [100_000, 70_000, 3]);
        let tail = |piece: &Piece| piece.content[piece.content.len() - OVERLAP..].to_owned();
        assert!(pieces[1].content.starts_with(&tail(&pieces[0])));
        assert!(pieces[2].content.starts_with(&tail(&pieces[1])));
    }

    #[test]
    fn what_is_short_is_one_piece() {
        let pieces = cut(&["a", "b"]);
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].content, "a\nb");
    }

    #[test]
    fn no_request_is_larger_than_one_may_be() {
        let sizes = [200 << 10, 200 << 10, 200 << 10, 2 << 20, 1];
        let runs: Vec<usize> = runs(&sizes, |size| *size)
            .iter()
            .map(|run| run.len())
            .collect();
        assert_eq!(runs, [2, 1, 1, 1]);
    }
}
