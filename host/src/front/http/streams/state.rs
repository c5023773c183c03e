//! The messages of a session's streams: which wait, which were sent, and for
//! which there is room.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::NoStream;
use crate::gate::Admitted;
use crate::message::Kind;

/// Messages that a session keeps: those that wait, and those sent already that
/// may have to be sent again.
pub(super) const EVENTS: usize = 1000;

/// Bytes of those messages together, unless a single one is larger.
pub(super) const BYTES: usize = 4 << 20;

/// The stream that belongs to no request.
pub(super) const STANDING: u64 = 0;

/// What becomes of a message once it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Sent {
    /// It is kept, so that it can be sent again.
    Kept,
    /// It is forgotten, and a stream with its connection.
    Forgotten,
}

/// All streams of a session, and the messages on them.
pub(super) struct State {
    becomes: Sent,
    /// Messages in the order in which they came, and the number of the first.
    log: VecDeque<Entry>,
    first: u64,
    bytes: usize,
    streams: HashMap<u64, Stream>,
    last_stream: u64,
    /// The stream of each request that has no answer yet.
    open: HashMap<Arc<str>, u64>,
    quiet_since: Instant,
    /// When something came in last.
    used: Instant,
    ended: bool,
}

struct Entry {
    stream: u64,
    /// None once it is forgotten.
    message: Option<Admitted>,
}

#[derive(Default)]
struct Stream {
    /// The numbers of its messages that wait to be sent.
    unsent: VecDeque<u64>,
    /// How many of its messages are in the log.
    logged: usize,
    /// Requests without an answer.
    unanswered: usize,
    /// How its reader is woken, if it has one.
    reader: Option<Arc<Notify>>,
}

/// What a reader gets.
pub(super) enum Taken {
    /// A message and its number.
    Message(u64, Admitted),
    /// There may be more later.
    Later,
    /// There will be no more.
    End,
}

impl Stream {
    fn is_read_by(&self, wake: &Arc<Notify>) -> bool {
        let reader = self.reader.as_ref();
        reader.is_some_and(|reader| Arc::ptr_eq(reader, wake))
    }

    fn wake(&self) {
        if let Some(reader) = &self.reader {
            reader.notify_one();
        }
    }
}

impl State {
    pub(super) fn new(becomes: Sent) -> Self {
        let standing = (STANDING, Stream::default());
        Self {
            becomes,
            log: VecDeque::new(),
            // Zero is before the first.
            first: 1,
            bytes: 0,
            streams: match becomes {
                Sent::Kept => HashMap::from([standing]),
                Sent::Forgotten => HashMap::new(),
            },
            last_stream: STANDING,
            open: HashMap::new(),
            quiet_since: Instant::now(),
            used: Instant::now(),
            ended: false,
        }
    }

    /// Opens a stream for the requests of these ids.
    pub(super) fn open(&mut self, ids: &[Arc<str>]) -> Result<u64, NoStream> {
        if self.ended {
            return Err(NoStream::Ended);
        }
        let twice = |(at, id): (usize, &Arc<str>)| ids.iter().skip(at + 1).any(|it| it == id);
        if ids.iter().any(|id| self.open.contains_key(id)) || ids.iter().enumerate().any(twice) {
            return Err(NoStream::InUse);
        }
        self.last_stream += 1;
        let stream = self.last_stream;
        for id in ids {
            self.open.insert(Arc::clone(id), stream);
        }
        let opened = Stream {
            unanswered: ids.len(),
            ..Stream::default()
        };
        self.streams.insert(stream, opened);
        Ok(stream)
    }

    /// Has everything after a message sent once more, as far as it is there.
    pub(super) fn rewind(&mut self, stream: u64, number: u64) -> Result<(), NoStream> {
        let after = number.saturating_add(1).saturating_sub(self.first);
        let skipped = usize::try_from(after).unwrap_or(usize::MAX);
        let numbered = (self.first..).zip(&self.log).skip(skipped);
        let again = numbered
            .filter(|(_, entry)| entry.stream == stream && entry.message.is_some())
            .map(|(number, _)| number)
            .collect();
        let rewound = self.streams.get_mut(&stream).ok_or(NoStream::Unknown)?;
        rewound.unsent = again;
        Ok(())
    }

    /// Gives a stream to a reader, who gets what comes after the number that is
    /// returned.
    pub(super) fn read(&mut self, stream: u64, wake: &Arc<Notify>) -> Result<u64, NoStream> {
        if self.ended {
            return Err(NoStream::Ended);
        }
        let next = self.next();
        let read = self.streams.get_mut(&stream).ok_or(NoStream::Unknown)?;
        // Whoever read it finds that it is not the reader any more.
        read.wake();
        read.reader = Some(Arc::clone(wake));
        let first = read.unsent.front().copied().unwrap_or(next);
        Ok(first.saturating_sub(1))
    }

    /// The next message for a reader.
    pub(super) fn take(&mut self, stream: u64, wake: &Arc<Notify>) -> Taken {
        let read = self.streams.get_mut(&stream);
        let Some(read) = read.filter(|read| read.is_read_by(wake)) else {
            return Taken::End;
        };
        match read.unsent.pop_front() {
            Some(number) => match self.sent(number) {
                Some(message) => Taken::Message(number, message),
                None => Taken::End,
            },
            None if self.ended || (stream != STANDING && read.unanswered == 0) => Taken::End,
            None => Taken::Later,
        }
    }

    /// Whether all that will ever be on a stream has been taken.
    pub(super) fn is_done(&self, stream: u64) -> bool {
        let stream = self.streams.get(&stream);
        stream.is_none_or(|stream| stream.unanswered == 0 && stream.unsent.is_empty())
    }

    pub(super) fn touch(&mut self) {
        self.used = Instant::now();
        self.quiet_since = self.used;
    }

    pub(super) fn quiet_since(&self) -> Option<Instant> {
        let mut streams = self.streams.values();
        let is_read = streams.any(|stream| stream.reader.is_some());
        (!is_read).then_some(self.quiet_since)
    }

    pub(super) fn unused_since(&self) -> Option<Instant> {
        let mut streams = self.streams.iter();
        let awaits = streams.any(|(stream, it)| *stream != STANDING && it.reader.is_some());
        (!awaits).then_some(self.used)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn end(&mut self) {
        self.ended = true;
        self.streams.values().for_each(Stream::wake);
    }

    /// The number of the next message.
    fn next(&self) -> u64 {
        self.first + self.log.len() as u64
    }

    /// Enters a message, or hands it back if there is no room for it.
    pub(super) fn push(&mut self, message: Admitted) -> Option<Admitted> {
        let answers = matches!(message.kind(), Kind::Response | Kind::Error);
        let answered = message.answered().to_vec();
        // A batch of answers belongs to those of its requests that still wait.
        let about = answered.iter().chain(message.belongs_to());
        let stream = match about.filter_map(|id| self.open.get(id)).next() {
            Some(stream) => *stream,
            // Answers leave where they were asked for, or nowhere.
            None if !answers && self.streams.contains_key(&STANDING) => STANDING,
            None => {
                tracing::debug!("dropped a message that belongs to no open request");
                return None;
            }
        };
        if !self.make_room(message.len()) {
            return Some(message);
        }
        let number = self.next();
        self.bytes += message.len();
        self.log.push_back(Entry {
            stream,
            message: Some(message),
        });
        if let Some(stream) = self.streams.get_mut(&stream) {
            stream.logged += 1;
            stream.unsent.push_back(number);
            stream.wake();
        }
        for id in &answered {
            self.settle(id);
        }
        None
    }

    /// Forgets the oldest messages until another one fits. It does not if the
    /// oldest still waits for a connection that is there.
    fn make_room(&mut self, length: usize) -> bool {
        while self.log.len() >= EVENTS || (self.bytes > 0 && self.bytes + length > BYTES) {
            if let Some(stream) = self.waiting_first()
                && let Some(waited) = self.streams.get(&stream)
            {
                if waited.reader.is_some() {
                    return false;
                }
                tracing::debug!(stream, "a message is lost: nobody came to read it");
            }
            self.forget_first();
        }
        true
    }

    /// The stream of the oldest message, if that has not been sent.
    fn waiting_first(&self) -> Option<u64> {
        let entry = self.log.front()?;
        let stream = self.streams.get(&entry.stream)?;
        (stream.unsent.front() == Some(&self.first)).then_some(entry.stream)
    }

    fn forget_first(&mut self) {
        let Some(entry) = self.log.pop_front() else {
            return;
        };
        let number = self.first;
        self.first += 1;
        self.bytes -= entry.message.as_ref().map_or(0, Admitted::len);
        if let Some(stream) = self.streams.get_mut(&entry.stream) {
            stream.logged -= 1;
            stream.unsent.pop_front_if(|waiting| *waiting == number);
            self.remove_if_done(entry.stream);
        }
    }

    /// Hands a message out.
    fn sent(&mut self, number: u64) -> Option<Admitted> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let message = &mut self.log.get_mut(at)?.message;
        if self.becomes == Sent::Kept {
            return message.clone();
        }
        let message = message.take()?;
        self.bytes -= message.len();
        self.trim();
        Some(message)
    }

    /// Forgets entries at either end that have no message any more.
    fn trim(&mut self) {
        let is_empty = |entry: &Entry| entry.message.is_none();
        while self.log.front().is_some_and(is_empty) {
            self.forget_first();
        }
        while let Some(entry) = self.log.pop_back_if(|entry| entry.message.is_none()) {
            if let Some(stream) = self.streams.get_mut(&entry.stream) {
                stream.logged -= 1;
            }
        }
    }

    /// Has a stream without this reader.
    pub(super) fn leave(&mut self, stream: u64, wake: &Arc<Notify>) {
        self.quiet_since = Instant::now();
        if self.becomes == Sent::Forgotten {
            return self.forget(stream);
        }
        if let Some(left) = self.streams.get_mut(&stream)
            && left.is_read_by(wake)
        {
            left.reader = None;
            self.remove_if_done(stream);
        }
    }

    /// Does without an answer, or has it.
    pub(super) fn settle(&mut self, id: &str) {
        let Some(stream) = self.open.remove(id) else {
            return;
        };
        if let Some(settled) = self.streams.get_mut(&stream) {
            settled.unanswered -= 1;
            settled.wake();
        }
        self.remove_if_done(stream);
    }

    /// Removes a stream that nobody reads, will add to or could resume.
    fn remove_if_done(&mut self, stream: u64) {
        let done = self.streams.get(&stream).is_some_and(|stream| {
            stream.unanswered == 0 && stream.logged == 0 && stream.reader.is_none()
        });
        if done && stream != STANDING {
            self.streams.remove(&stream);
        }
    }

    /// Removes a stream and all that is on it.
    pub(super) fn forget(&mut self, stream: u64) {
        self.streams.remove(&stream);
        self.open.retain(|_, of| *of != stream);
        for entry in self.log.iter_mut().filter(|entry| entry.stream == stream) {
            self.bytes -= entry.message.take().as_ref().map_or(0, Admitted::len);
        }
        self.trim();
    }

    /// Takes the stream away from a reader that takes nothing, and so holds up
    /// all others.
    pub(super) fn cut_off_the_slowest(&mut self) {
        let Some(stream) = self.waiting_first() else {
            return;
        };
        tracing::warn!("a connection was cut off: it does not read what is left for it");
        if let Some(reader) = self
            .streams
            .get_mut(&stream)
            .and_then(|it| it.reader.take())
        {
            reader.notify_one();
        }
    }

    /// Messages, their bytes, streams and requests that are remembered.
    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize, usize, usize) {
        (
            self.log.len(),
            self.bytes,
            self.streams.len(),
            self.open.len(),
        )
    }
}
