//! Puts a guardrail's replacements into a message.

use std::ops::Range;

use super::Message;
use super::escape::{self, Cursor};
use super::texts::{SpanError, Texts};
use super::{json, scan};

/// A replacement for a part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit<'a> {
    /// A range of [`Texts::joined`] in bytes, within one text.
    pub span: Range<u32>,
    /// What takes its place.
    pub replacement: &'a str,
}

/// Why edits cannot be applied. The index is that of the edit, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The span does not lie within a text.
    #[error("edit {index} has a bad span")]
    Span {
        /// Which edit.
        index: usize,
        /// What is wrong.
        #[source]
        error: SpanError,
    },
    /// The span starts before the one before it ends.
    #[error("edit {index} is out of order or overlaps the one before it")]
    Overlap {
        /// Which edit.
        index: usize,
    },
    /// The message would grow too much.
    #[error("edits make the message more than {limit} bytes longer")]
    Growth {
        /// How many bytes it may grow by.
        limit: usize,
    },
    /// The texts are not those of their message, which cannot happen.
    #[error("edits do not fit the message")]
    Misfit,
}

impl Texts {
    /// The message with the edits applied. Everything outside the spans leaves
    /// byte for byte as it came, escapes in the rest of an edited string
    /// included. A number that is no long number any more becomes a string.
    ///
    /// # Errors
    /// As [`Texts::check_edits`]; then none is applied.
    pub fn redact(&self, edits: &[Edit<'_>], growth: usize) -> Result<Message, EditError> {
        let indices = self.check_edits(edits, growth)?;
        if edits.is_empty() {
            return Ok(self.message().clone());
        }
        let line = self.splice(edits, &indices).ok_or(EditError::Misfit)?;
        Ok(self.message().with_line(line))
    }

    /// For each edit the index of its text. Edits must be sorted and must not
    /// overlap, and the replacements, as they will be written, may be longer
    /// than the spans by at most `growth` bytes in all.
    ///
    /// # Errors
    /// When an edit or all of them together are not valid.
    pub fn check_edits(&self, edits: &[Edit<'_>], growth: usize) -> Result<Vec<usize>, EditError> {
        let mut before = 0;
        let (mut removed, mut added) = (0_usize, 0_usize);
        let mut indices = Vec::with_capacity(edits.len());
        for (index, Edit { span, replacement }) in edits.iter().enumerate() {
            let text = self
                .check_span(span)
                .map_err(|error| EditError::Span { index, error })?;
            if span.start < before {
                return Err(EditError::Overlap { index });
            }
            before = span.end;
            let (out, into) = match self.encoded(text) {
                // Three bytes are written in four.
                Some(_) => (span.len() / 3 * 4, replacement.len().div_ceil(3) * 4),
                // It may have to be put in quotes.
                None if self.is_number(text) => (span.len(), escape::escaped_len(replacement) + 2),
                None => (span.len(), escape::escaped_len(replacement)),
            };
            removed = removed.saturating_add(out);
            added = added.saturating_add(into);
            indices.push(text);
        }
        if added > removed.saturating_add(growth) {
            return Err(EditError::Growth { limit: growth });
        }
        Ok(indices)
    }

    /// The new line. Nothing only if the texts were not those of the message.
    fn splice(&self, edits: &[Edit<'_>], indices: &[usize]) -> Option<String> {
        let (head, payload, tail) = self.message().around_payload()?;
        let mut out = Splice::new(head, payload, tail.len());
        for run in edits_by_text(edits, indices) {
            let (index, edits) = run;
            let written = self.written(index)?;
            let base = written.start as usize;
            let mut cursor = Cursor::new(payload.get(base..written.end as usize)?);
            let said = |at: u32| at.checked_sub(self.start(index)).map(|at| at as usize);
            let place = |edit: &Edit<'_>| Some(said(edit.span.start)?..said(edit.span.end)?);
            if self.is_number(index) {
                let new = edited(self.get(index)?, 0, place, edits)?;
                out.keep_until(base, false)?;
                match scan::is_long_number(&new) {
                    true => out.put_until(written.end as usize, &new),
                    false => out.put_until(written.end as usize, &json::quote(&new)),
                }
                continue;
            }
            let encoded = self.encoded(index);
            let head = encoded.map_or(usize::MAX, |encoded| encoded.head);
            let in_head = edits
                .iter()
                .take_while(|edit| said(edit.span.end).is_some_and(|end| end <= head))
                .count();
            let (in_head, in_code) = edits.split_at_checked(in_head)?;
            for edit in in_head {
                let start = base + cursor.advance_to(said(edit.span.start)?)?;
                out.keep_until(start, cursor.is_after_lone_high())?;
                out.replace_until(
                    base + cursor.advance_to(said(edit.span.end)?)?,
                    edit.replacement,
                );
            }
            if let (Some(encoded), Some(first)) = (encoded, in_code.first()) {
                let start = said(first.span.start)?.min(head);
                out.keep_until(base + cursor.advance_to(start)?, false)?;
                let text = edited(self.get(index)?, head, place, in_code)?;
                out.replace_until(written.end as usize, &encoded.encoding.encode(&text));
            }
        }
        out.keep_until(payload.len(), false)?;
        Some(out.line + tail)
    }
}

/// What a text says from this place on, with the edits applied.
fn edited(
    text: &str,
    from: usize,
    place: impl Fn(&Edit<'_>) -> Option<Range<usize>>,
    edits: &[Edit<'_>],
) -> Option<String> {
    let mut new = String::with_capacity(text.len().checked_sub(from)?);
    let mut at = from;
    for edit in edits {
        let place = place(edit)?;
        new.push_str(text.get(at..place.start.max(from))?);
        new.push_str(edit.replacement);
        at = place.end.max(from);
    }
    new.push_str(text.get(at..)?);
    Some(new)
}

/// A line in the making: kept parts of the payload, and replacements.
struct Splice<'a> {
    payload: &'a str,
    /// Up to here, the payload is in the line or replaced.
    done: usize,
    line: String,
    /// Whether the line ends in a high surrogate that lacks its low one.
    lone_high: bool,
}

impl<'a> Splice<'a> {
    fn new(head: &str, payload: &'a str, tail: usize) -> Self {
        let mut line = String::with_capacity(head.len() + payload.len() + tail);
        line.push_str(head);
        Self {
            payload,
            done: 0,
            line,
            lone_high: false,
        }
    }

    fn keep_until(&mut self, end: usize, lone_high: bool) -> Option<()> {
        let kept = self.payload.get(self.done..end)?;
        if kept.is_empty() {
            return Some(());
        }
        if self.lone_high && escape::starts_with_low_surrogate(kept) {
            // What stood between two lone surrogates is gone. Side by side they
            // would become a character that nobody has looked at, so the first
            // is written as what it was read as.
            self.line
                .truncate(self.line.len().saturating_sub(LONE_SURROGATE.len()));
            self.line.push_str(LONE_SURROGATE);
        }
        self.line.push_str(kept);
        self.done = end;
        self.lone_high = lone_high;
        Some(())
    }

    fn replace_until(&mut self, end: usize, replacement: &str) {
        if !replacement.is_empty() {
            escape::escape_into(replacement, &mut self.line);
            self.lone_high = false;
        }
        self.done = end;
    }

    /// A JSON text takes the place of another.
    fn put_until(&mut self, end: usize, json: &str) {
        self.line.push_str(json);
        self.lone_high = false;
        self.done = end;
    }
}

/// As long as the escape that it takes the place of.
const LONE_SURROGATE: &str = "\\ufffd";

/// The edits, text by text.
fn edits_by_text<'e, 'a>(
    edits: &'e [Edit<'a>],
    indices: &'e [usize],
) -> impl Iterator<Item = (usize, &'e [Edit<'a>])> {
    let mut rest = edits;
    indices.chunk_by(PartialEq::eq).filter_map(move |chunk| {
        let (these, others) = rest.split_at_checked(chunk.len())?;
        rest = others;
        Some((*chunk.first()?, these))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
