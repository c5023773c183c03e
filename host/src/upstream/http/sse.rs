//! Server-Sent Events, read from the pieces in which they come.
//!
//! No line and no event takes more memory than a message may, which is why this
//! is not left to a parser that collects whatever comes.

use std::time::Duration;

use reqwest::header::HeaderValue;

use super::body::Pieces;
use crate::wire::Line;

/// The longest id that is kept: it is sent back in a header.
const LONGEST_ID: usize = 4 << 10;

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Its name; `message` unless it has one.
    pub(super) name: String,
    /// What it says.
    pub(super) data: Line,
}

/// Reads a stream of events.
#[derive(Debug)]
pub(super) struct Events {
    line: Pieces,
    /// The last byte was a carriage return, which a line feed may belong to.
    after_return: bool,
    /// No line has ended yet, so a byte order mark may stand at its start.
    at_start: bool,
    data: Option<Pieces>,
    /// The data of an event that had a line which was too long.
    too_long: Option<Line>,
    name: String,
    id: Option<HeaderValue>,
    /// The id of the last event that was complete.
    last_id: Option<HeaderValue>,
    retry: Option<Duration>,
    longest: usize,
}

impl Events {
    /// Reads events of up to `longest` bytes.
    pub(super) fn new(longest: usize) -> Self {
        Self {
            line: Pieces::new(longest + FIELD),
            after_return: false,
            at_start: true,
            data: None,
            too_long: None,
            name: String::new(),
            id: None,
            last_id: None,
            retry: None,
            longest,
        }
    }

    /// The id of the last event, to go on from.
    pub(super) fn last_id(&self) -> Option<&HeaderValue> {
        self.last_id.as_ref()
    }

    /// How long the server wants a client to wait before it comes again.
    pub(super) fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Begins another stream, which goes on where this one ended. An event that
    /// was not complete does not count.
    pub(super) fn restart(&mut self) {
        let (last_id, retry) = (self.last_id.take(), self.retry);
        *self = Self {
            id: last_id.clone(),
            last_id,
            retry,
            ..Self::new(self.longest)
        };
    }

    /// Takes a piece, and returns the events that are complete with it.
    pub(super) fn push(&mut self, mut piece: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        if self.after_return && !piece.is_empty() {
            self.after_return = false;
            piece = piece.strip_prefix(b"\n").unwrap_or(piece);
        }
        while let Some(end) = memchr::memchr2(b'\n', b'\r', piece) {
            let (line, rest) = piece.split_at(end);
            self.line.push(line);
            piece = match rest {
                [b'\r', b'\n', rest @ ..] => rest,
                [b'\r'] => {
                    self.after_return = true;
                    &[]
                }
                [_, rest @ ..] => rest,
                [] => &[],
            };
            events.extend(self.end_line());
        }
        self.line.push(piece);
        events
    }

    fn end_line(&mut self) -> Option<Event> {
        if self.line.is_empty() {
            self.at_start = false;
            return self.end_event();
        }
        let line = self.line.take();
        let at_start = std::mem::take(&mut self.at_start);
        match line {
            Line::Whole(bytes) => {
                let line = match bytes.strip_prefix(b"\xef\xbb\xbf") {
                    Some(line) if at_start => line,
                    _ => &bytes[..],
                };
                let (field, value) = match memchr::memchr(b':', line) {
                    Some(colon) => {
                        let (field, value) = line.split_at(colon);
                        let value = value.get(1..).unwrap_or_default();
                        (field, value.strip_prefix(b" ").unwrap_or(value))
                    }
                    None => (line, &[][..]),
                };
                self.field(field, value);
            }
            // A comment may be as long as it likes.
            Line::TooLong { head, tail, length } if head.starts_with(b"data:") => {
                self.too_long = Some(Line::TooLong {
                    head: head.slice(FIELD - 1..),
                    tail,
                    length: length - (FIELD - 1),
                });
            }
            Line::TooLong { .. } => {}
        }
        None
    }

    fn field(&mut self, field: &[u8], value: &[u8]) {
        let text = || std::str::from_utf8(value).ok();
        match field {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b"\n");
                    data.push(value);
                }
                None => {
                    let mut data = Pieces::new(self.longest);
                    data.push(value);
                    self.data = Some(data);
                }
            },
            b"event" => self.name = text().unwrap_or_default().to_owned(),
            b"id" if value.len() <= LONGEST_ID && !value.contains(&0) => {
                self.id = HeaderValue::from_bytes(value)
                    .ok()
                    .filter(|id| !id.is_empty());
            }
            b"retry" if value.iter().all(u8::is_ascii_digit) => {
                let milliseconds = text().and_then(|text| text.parse().ok());
                self.retry = milliseconds.map(Duration::from_millis).or(self.retry);
            }
            _ => {}
        }
    }

    /// An event without data only moves the id on.
    fn end_event(&mut self) -> Option<Event> {
        self.last_id.clone_from(&self.id);
        let name = std::mem::take(&mut self.name);
        let collected = self.data.take().map(|mut data| data.take());
        let data = self.too_long.take().or(collected)?;
        if matches!(&data, Line::Whole(bytes) if bytes.is_empty()) {
            return None;
        }
        Some(Event {
            name: if name.is_empty() {
                "message".to_owned()
            } else {
                name
            },
            data,
        })
    }
}

/// How many bytes may precede the data in its line: `data: `.
const FIELD: usize = 6;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str) -> Event {
        Event {
            name: name.to_owned(),
            data: Line::Whole(data.to_owned().into()),
        }
    }

    /// The same events, in whatever pieces they come.
    fn check(stream: &str, expected: &[Event]) -> Events {
        let mut last = Events::new(1000);
        for size in [1, 2, 3, 7, 1000] {
            let mut events = Events::new(1000);
            let mut read = Vec::new();
            for piece in stream.as_bytes().chunks(size) {
                read.extend(events.push(piece));
            }
            assert_eq!(read, expected, "in pieces of {size}");
            last = events;
        }
        last
    }

    #[test]
    fn lines_end_in_every_way_and_comments_are_no_data() {
        check(
            ": hello\ndata: a\n\nevent: endpoint\r\ndata:b\r\n\r\nevent\rdata:  c\r\rdata: d",
            &[
                event("message", "a"),
                event("endpoint", "b"),
                event("message", " c"),
            ],
        );
    }

    #[test]
    fn data_over_several_lines_is_one() {
        check(
            "\u{feff}data: {\ndata\ndata: }\n\n",
            &[event("message", "{\n\n}")],
        );
    }

    #[test]
    fn ids_count_once_their_event_is_complete() {
        let stream = "id: 1\ndata:\n\nid: 2\nretry: 20\ndata: x\n\ndata: y\n\nid: 3\nretry: x\n";
        let mut events = check(stream, &[event("message", "x"), event("message", "y")]);
        assert_eq!(events.last_id().unwrap(), "2");
        assert_eq!(events.retry(), Some(Duration::from_millis(20)));

        events.restart();
        assert_eq!(events.push(b"\n\ndata: z\n\n"), [event("message", "z")]);
        assert_eq!(events.last_id().unwrap(), "2");
        events.push(b"id\n\n");
        assert_eq!(events.last_id(), None);
    }

    #[test]
    fn an_event_that_is_too_long_leaves_its_ends_and_the_next_is_whole() {
        let long = "x".repeat(5000);
        for stream in [
            format!("data: HEAD{long}TAIL\n\ndata: next\n\n"),
            format!(
                "data: HEAD{}\ndata: TAIL\n\ndata: next\n\n",
                "x\ndata: ".repeat(2500)
            ),
            format!(": {long}\nid: 1\ndata: HEAD{long}TAIL\n\ndata: next\n\n"),
        ] {
            let mut events = Events::new(1000);
            let mut read = Vec::new();
            for piece in stream.as_bytes().chunks(700) {
                read.extend(events.push(piece));
            }
            let [first, second] = &read[..] else {
                unreachable!("there are two: {read:?}");
            };
            let Line::TooLong { head, tail, length } = &first.data else {
                unreachable!("the first is too long");
            };
            assert!(head.trim_ascii_start().starts_with(b"HEADx"));
            assert!(tail.ends_with(b"TAIL"));
            assert!((5000..5015).contains(length), "{length}");
            assert_eq!(*second, event("message", "next"));
        }
    }
}
