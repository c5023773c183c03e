//! The strings and long numbers of a payload as a guardrail sees them.

use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

use memchr::{memchr, memchr2};

use super::encoded::{self, Encoding};
use super::place::{Place, Places, Role};
use super::{Message, escape, scan};

/// Every string of a message's payload, values and object keys, unescaped, in
/// document order, joined without a separator. A value that is text in base64
/// (the `blob` of a resource, a `data:` URI) says what is encoded; what stands
/// before it in the URI is said as it is. A long number, which may be that of a card
/// or a telephone, is a text as well, as it is written.
///
/// It knows the message that it was taken from, so that an edit can't be
/// applied to any other.
pub struct Texts {
    message: Message,
    joined: String,
    ends: Vec<u32>,
    written: Vec<Written>,
    /// Those in base64, in their order.
    encoded: Vec<Encoded>,
    places: OnceLock<Places>,
}

/// Where a number, or the content of a string without its quotes, is written in the
/// payload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// A text that is written in base64.
#[derive(Clone, Copy, Debug)]
pub(super) struct Encoded {
    index: usize,
    /// Bytes of the text before what is encoded.
    pub(super) head: usize,
    pub(super) encoding: Encoding,
}

/// The payload is too long for the 32-bit offsets of a text.
#[derive(Debug, thiserror::Error)]
#[error("payload is longer than texts can be: {0} bytes")]
pub struct TooLong(usize);

/// Why a span does not point into a text. The offsets are those of the span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// It ends before it starts.
    #[error("span {0}..{1} ends before it starts")]
    Reversed(u32, u32),
    /// It ends beyond the last text.
    #[error("span {0}..{1} is out of range")]
    OutOfRange(u32, u32),
    /// It starts or ends within a character.
    #[error("span {0}..{1} cuts a character")]
    CutsCharacter(u32, u32),
    /// It starts in one text and ends in another.
    #[error("span {0}..{1} is in more than one text")]
    Straddles(u32, u32),
}

impl Texts {
    pub(super) fn of(message: &Message) -> Result<Self, TooLong> {
        let mut texts = Self {
            message: message.clone(),
            joined: String::new(),
            ends: Vec::new(),
            written: Vec::new(),
            encoded: Vec::new(),
            places: OnceLock::new(),
        };
        let payload = message.payload().unwrap_or_default();
        texts
            .extract(payload, u32::MAX)
            .ok_or(TooLong(payload.len()))?;
        Ok(texts)
    }

    /// The message that the texts were taken from.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// All texts, one after the other.
    #[must_use]
    pub fn joined(&self) -> &str {
        &self.joined
    }

    /// Where each text ends in [`Texts::joined`], in bytes.
    #[must_use]
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// How many texts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The text with this index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        self.joined.get(self.start(index) as usize..end as usize)
    }

    /// The texts in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.len()).map(|index| self.get(index).unwrap_or_default())
    }

    /// Whether the text with this index is an object's key or a value.
    #[must_use]
    pub fn role(&self, index: usize) -> Option<Role> {
        let payload = self.message.payload()?;
        if self.is_number(index) {
            return Some(Role::Value);
        }
        let quote = self.written.get(index)?.end as usize;
        let next = scan::skip_space(payload, quote + 1);
        Some(match payload.as_bytes().get(next) {
            Some(b':') => Role::Key,
            _ => Role::Value,
        })
    }

    /// Where the text with this index stands in the payload. The first call
    /// walks the payload, later ones look it up.
    #[must_use]
    pub fn place(&self, index: usize) -> Option<Place> {
        let payload = self.message.payload()?;
        self.places
            .get_or_init(|| Places::walk(payload))
            .place(index, self)
    }

    /// The index of the text that a guardrail's span lies in. An empty span
    /// between two texts belongs to the first of them.
    ///
    /// # Errors
    /// When the span doesn't lie inside one text, on character boundaries.
    pub fn check_span(&self, span: &Range<u32>) -> Result<usize, SpanError> {
        let (start, end) = (span.start, span.end);
        if start > end {
            return Err(SpanError::Reversed(start, end));
        }
        let index = self.ends.partition_point(|text_end| {
            if start == end {
                *text_end < end
            } else {
                *text_end <= start
            }
        });
        let last = self.ends.last().ok_or(SpanError::OutOfRange(start, end))?;
        let text_end = self.ends.get(index).filter(|_| end <= *last);
        let text_end = text_end.ok_or(SpanError::OutOfRange(start, end))?;
        if end > *text_end {
            return Err(SpanError::Straddles(start, end));
        }
        let bounds = [start, end];
        if bounds
            .iter()
            .all(|at| self.joined.is_char_boundary(*at as usize))
        {
            Ok(index)
        } else {
            Err(SpanError::CutsCharacter(start, end))
        }
    }

    /// Where the text with this index starts in [`Texts::joined`].
    pub(super) fn start(&self, index: usize) -> u32 {
        let before = index
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        before.copied().unwrap_or(0)
    }

    pub(super) fn written(&self, index: usize) -> Option<Written> {
        self.written.get(index).copied()
    }

    /// Whether the text with this index is written as a number: without a quote.
    pub(super) fn is_number(&self, index: usize) -> bool {
        let payload = self.message.payload().unwrap_or_default().as_bytes();
        let quote = self.written.get(index).map(|written| {
            let before = (written.start as usize).checked_sub(1);
            before.and_then(|at| payload.get(at)) == Some(&b'"')
        });
        quote == Some(false)
    }

    /// How the text with this index is encoded, if it is.
    pub(super) fn encoded(&self, index: usize) -> Option<Encoded> {
        let found = self.encoded.binary_search_by_key(&index, |it| it.index);
        self.encoded.get(found.ok()?).copied()
    }

    /// Nothing if the payload is longer than the limit. No string says more
    /// bytes than it is written in, so no offset is beyond the limit either.
    fn extract(&mut self, payload: &str, limit: u32) -> Option<()> {
        u32::try_from(payload.len())
            .ok()
            .filter(|length| *length <= limit)?;
        let bytes = payload.as_bytes();
        self.joined.reserve(payload.len());
        let mut at = 0;
        // Where the value of a `blob` starts.
        let mut blob = None;
        while let Some(quote) = bytes.get(at..).and_then(|rest| memchr(b'"', rest)) {
            self.numbers(payload, at..at + quote)?;
            let start = at + quote + 1;
            let said = self.joined.len();
            let rest = bytes.get(start..)?;
            let run = memchr2(b'"', b'\\', rest)?;
            let end = if rest.get(run) == Some(&b'"') {
                self.joined.push_str(payload.get(start..start + run)?);
                start + run
            } else {
                start + escape::unescape_until_quote(payload.get(start..)?, &mut self.joined)?
            };
            let text = self.joined.get(said..)?;
            if blob == Some(start) {
                self.decode(said, 0);
            } else if text == "blob" {
                blob = value_after(payload, end + 1);
            } else if is_data_uri(text)
                && let Some(head) = encoded::data_uri_head(text)
                && value_after(payload, end + 1).is_none()
            {
                self.decode(said, head);
            }
            self.end(start..end)?;
            at = end + 1;
        }
        self.numbers(payload, at..payload.len())
    }

    /// Adds the long numbers between two strings.
    #[inline]
    fn numbers(&mut self, payload: &str, mut between: Range<usize>) -> Option<()> {
        while let Some(number) = scan::long_number(payload, between.clone()) {
            self.joined.push_str(payload.get(number.clone())?);
            between.start = number.end;
            self.end(number)?;
        }
        Some(())
    }

    /// Notes that a text ends here, and where it is written.
    #[inline]
    fn end(&mut self, written: Range<usize>) -> Option<()> {
        self.ends.push(u32::try_from(self.joined.len()).ok()?);
        self.written.push(Written {
            start: u32::try_from(written.start).ok()?,
            end: u32::try_from(written.end).ok()?,
        });
        Some(())
    }

    /// Puts what the text says that starts here, and is the last one, in its
    /// place.
    fn decode(&mut self, said: usize, head: usize) {
        let written = self.joined.get(said + head..).unwrap_or_default();
        if let Some((text, encoding)) = encoded::decode(written) {
            self.joined.truncate(said + head);
            self.joined.push_str(&text);
            self.encoded.push(Encoded {
                index: self.ends.len(),
                head,
                encoding,
            });
        }
    }
}

fn is_data_uri(text: &str) -> bool {
    let scheme = text.as_bytes().get(..5);
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"data:"))
}

/// Where the content of the string starts that is the value of the key which
/// ends before this place; nothing if it is no key, or its value no string.
fn value_after(payload: &str, after: usize) -> Option<usize> {
    let bytes = payload.as_bytes();
    let colon = scan::skip_space(payload, after);
    bytes.get(colon).filter(|byte| **byte == b':')?;
    let value = scan::skip_space(payload, colon + 1);
    bytes.get(value).filter(|byte| **byte == b'"')?;
    Some(value + 1)
}

/// Tells texts apart without telling what they say.
impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts")
            .field("message", &self.message)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_beyond_the_offsets_is_refused_and_not_cut() {
        let message = Message::result("1", r#"["abc"]"#);
        let mut texts = Texts::of(&message).unwrap();
        assert_eq!(texts.extract(r#"["abc"]"#, 7), Some(()));
        assert_eq!(texts.extract(r#"["abc"]"#, 6), None);
    }
}
