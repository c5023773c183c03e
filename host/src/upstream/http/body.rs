//! Bytes that come in pieces, and may be too many.

use bytes::{Bytes, BytesMut};
use reqwest::Response;

use crate::wire::Line;

/// Bytes that are kept of each end of what is too long.
const ENDS: usize = 1 << 10;

/// Collects pieces. Of what becomes too long only the ends are kept.
#[derive(Debug)]
pub(super) struct Pieces {
    longest: usize,
    length: usize,
    head: BytesMut,
    /// Of what is too long, the last bytes and perhaps some more.
    tail: BytesMut,
}

impl Pieces {
    /// Collects up to `longest` bytes.
    pub(super) fn new(longest: usize) -> Self {
        Self {
            longest,
            length: 0,
            head: BytesMut::new(),
            tail: BytesMut::new(),
        }
    }

    pub(super) fn push(&mut self, piece: &[u8]) {
        let before = self.length;
        self.length += piece.len();
        if self.length <= self.longest {
            self.head.extend_from_slice(piece);
            return;
        }
        if before <= self.longest {
            self.tail = self.head.split_off(ENDS.min(self.head.len()));
            // The allocation is as large as what was too long.
            self.head = BytesMut::from(&self.head[..]);
            self.tail = BytesMut::from(last(&self.tail));
        }
        let missing = ENDS.saturating_sub(self.head.len());
        self.head
            .extend_from_slice(piece.get(..missing.min(piece.len())).unwrap_or_default());
        self.tail.extend_from_slice(last(piece));
        if self.tail.len() > 2 * ENDS {
            self.tail = BytesMut::from(last(&self.tail));
        }
    }

    /// Whether nothing has come yet.
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether more has come than is kept.
    pub(super) fn is_too_long(&self) -> bool {
        self.length > self.longest
    }

    /// What has come, and starts again.
    pub(super) fn take(&mut self) -> Line {
        let whole = std::mem::replace(self, Self::new(self.longest));
        if whole.is_too_long() {
            return Line::TooLong {
                head: whole.head.freeze(),
                tail: Bytes::copy_from_slice(last(&whole.tail)),
                length: whole.length,
            };
        }
        Line::Whole(whole.head.freeze())
    }
}

/// What is kept of the end.
fn last(bytes: &[u8]) -> &[u8] {
    bytes
        .get(bytes.len().saturating_sub(ENDS)..)
        .unwrap_or_default()
}

/// Reads a response's body. One that is too long is not read to its end.
pub(super) async fn read(mut response: Response, longest: usize) -> reqwest::Result<Line> {
    let mut pieces = Pieces::new(longest);
    while let Some(chunk) = response.chunk().await? {
        pieces.push(&chunk);
        if pieces.is_too_long() {
            break;
        }
    }
    Ok(pieces.take())
}

/// A message on one line, as the transports that are made of lines need it. A
/// line break in JSON is never part of a string.
pub(super) fn one_line(message: Bytes) -> Bytes {
    let message = trim(message);
    if memchr::memchr2(b'\n', b'\r', &message).is_none() {
        return message;
    }
    let mut line = BytesMut::from(&message[..]);
    for byte in line.iter_mut() {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    line.freeze()
}

/// Without the whitespace around it, and without the byte order mark that some write
/// before JSON, and what reads JSON off the web may pass over (RFC 8259, section 8.1).
fn trim(bytes: Bytes) -> Bytes {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    bytes.slice_ref(text.trim_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(pieces: &[&str], longest: usize) -> Line {
        let mut collected = Pieces::new(longest);
        for piece in pieces {
            collected.push(piece.as_bytes());
        }
        collected.take()
    }

    #[test]
    fn pieces_up_to_the_limit_are_one_whole() {
        assert_eq!(
            collected(&["ab", "", "cde"], 5),
            Line::Whole("abcde".into())
        );
    }

    #[test]
    fn of_too_many_pieces_the_ends_are_left() {
        let long = "x".repeat(5000);
        for pieces in [
            vec!["HEAD", &long, "TAIL"],
            vec!["HEAD", &long[..20], &long[20..], "TA", "IL"],
            vec!["HEAD", "xxxxxxx", &long[7..], "T", "A", "I", "L"],
        ] {
            let Line::TooLong { head, tail, length } = collected(&pieces, 10) else {
                unreachable!("it is too long");
            };
            assert_eq!(length, 5008);
            assert!(head.starts_with(b"HEADx") && head.len() <= ENDS);
            assert!(tail.ends_with(b"xTAIL") && tail.len() <= ENDS);
        }
    }

    #[test]
    fn a_message_over_several_lines_becomes_one() {
        assert_eq!(one_line("{\r\n \"a\": 1\n}\n".into()), "{   \"a\": 1 }");
        assert_eq!(one_line("{\"a\":1}".into()), "{\"a\":1}");
        assert_eq!(one_line("\u{feff}{\"a\":1}\n".into()), "{\"a\":1}");
    }
}
