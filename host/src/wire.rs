//! JSON-RPC over a byte stream as MCP's stdio transport frames it: one message
//! a line.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::gate::Admitted;

/// Messages that wait to be written to a peer that is slow to read.
const QUEUE: usize = 256;

/// Bytes of messages that may wait in one place: enough to keep a fast peer
/// busy, and not much for a machine.
const ROOM: usize = 16 << 20;

/// The grain in which room is counted.
const GRAIN: usize = 1 << 10;

/// Bytes that are read at a time, at least.
const CHUNK: usize = 64 << 10;

/// Room in the buffer below which it grows. Several short lines share a buffer.
const LITTLE: usize = 8 << 10;

/// Bytes that a pipe should hold, where the system lets it: a message of a
/// megabyte then takes a few hand-overs instead of dozens.
#[cfg(target_os = "linux")]
const PIPE: usize = 1 << 20;

/// Bytes that are kept of each end of a line that is too long.
const ENDS: usize = 1 << 10;

/// Where messages for one peer are left. Cheap to clone; the writer ends when
/// the last clone is gone.
#[derive(Debug, Clone)]
pub struct Outbox {
    queue: mpsc::Sender<(Admitted, Taken)>,
    room: Room,
}

/// Room for messages that wait: so many bytes, however many messages they are.
/// Who finds none waits until there is, in the order of coming. A message that
/// is larger than all the room takes all of it.
#[derive(Debug, Clone)]
pub struct Room(Arc<Semaphore>);

/// Room that is taken until this is dropped.
#[derive(Debug)]
pub struct Taken(#[expect(dead_code, reason = "it is held")] Option<OwnedSemaphorePermit>);

/// The other end of an [`Outbox`], for a peer that is not at the end of one
/// stream of bytes.
#[derive(Debug)]
pub struct Queue(mpsc::Receiver<(Admitted, Taken)>);

/// The peer no longer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection is closed")]
pub struct Closed;

/// One line of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A whole line, without its end.
    Whole(Bytes),
    /// A line that was longer than a message may be. It is gone but for its
    /// ends.
    TooLong {
        /// How it starts.
        head: Bytes,
        /// How it ends.
        tail: Bytes,
        /// How many bytes it had.
        length: usize,
    },
}

/// Reads lines of at most a certain length.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    longest: usize,
    buffer: BytesMut,
    /// Bytes at the buffer's start that hold no line end.
    searched: usize,
}

impl Outbox {
    /// Leaves a message; waits while the peer is slow to read.
    pub async fn send(&self, message: Admitted) -> Result<(), Closed> {
        let taken = self.room.take(message.len()).await;
        let sent = self.queue.send((message, taken)).await;
        sent.map_err(|_| Closed)
    }

    /// Leaves a message if there is room for it now.
    pub fn try_send(&self, message: Admitted) -> Result<(), Closed> {
        let taken = self.room.try_take(message.len()).ok_or(Closed)?;
        self.queue.try_send((message, taken)).map_err(|_| Closed)
    }
}

impl Queue {
    /// The next message; `None` once the last outbox is gone.
    pub async fn next(&mut self) -> Option<Admitted> {
        self.0.recv().await.map(|(message, _)| message)
    }

    /// Takes no more messages than those that are in it.
    pub fn close(&mut self) {
        self.0.close();
    }

    /// The next message if there is one now.
    fn try_next(&mut self) -> Option<Admitted> {
        self.0.try_recv().ok().map(|(message, _)| message)
    }
}

impl Room {
    /// Room that is all free.
    pub fn new() -> Self {
        Self(Arc::new(Semaphore::new(ROOM / GRAIN)))
    }

    /// Takes room for so many bytes; waits until there is some.
    pub async fn take(&self, bytes: usize) -> Taken {
        if let Some(taken) = self.try_take(bytes) {
            return taken;
        }
        let free = Arc::clone(&self.0).acquire_many_owned(grains(bytes));
        // Nobody closes it.
        Taken(free.await.ok())
    }

    /// Takes room for so many bytes if there is some now.
    fn try_take(&self, bytes: usize) -> Option<Taken> {
        let taken = Arc::clone(&self.0).try_acquire_many_owned(grains(bytes));
        taken.ok().map(|taken| Taken(Some(taken)))
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}

fn grains(bytes: usize) -> u32 {
    u32::try_from(bytes.clamp(1, ROOM).div_ceil(GRAIN)).unwrap_or(u32::MAX)
}

/// Widens a pipe. One that stays as it is works, too, and so does anything that
/// is no pipe.
#[cfg(target_os = "linux")]
pub fn widen(pipe: impl std::os::fd::AsFd) {
    if let Err(error) = rustix::pipe::fcntl_setpipe_size(pipe, PIPE) {
        tracing::debug!(%error, "a pipe stays as narrow as it is");
    }
}

/// Other systems size their pipes themselves.
#[cfg(not(target_os = "linux"))]
pub fn widen<T>(_pipe: T) {}

/// An outbox, and the task that writes what is left in it. The task ends when
/// the peer no longer reads or nobody can leave anything any more.
pub fn outbox<W>(writer: W) -> (Outbox, impl Future<Output = io::Result<()>> + Send)
where
    W: AsyncWrite + Unpin + Send,
{
    let (outbox, queue) = queue();
    (outbox, write(queue, writer))
}

/// An outbox, and where what is left in it is taken from.
pub fn queue() -> (Outbox, Queue) {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let outbox = Outbox {
        queue: sender,
        room: Room::new(),
    };
    (outbox, Queue(receiver))
}

async fn write<W>(mut queue: Queue, writer: W) -> io::Result<()>
where
    W: AsyncWrite + Unpin + Send,
{
    let mut writer = BufWriter::with_capacity(CHUNK, writer);
    while let Some(message) = queue.next().await {
        put(&mut writer, &message).await?;
        // Whatever else waits goes out in the same write.
        while let Some(message) = queue.try_next() {
            put(&mut writer, &message).await?;
        }
        writer.flush().await?;
    }
    writer.shutdown().await
}

async fn put<W>(writer: &mut W, message: &Admitted) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    for part in message.parts() {
        writer.write_all(part).await?;
    }
    writer.write_all(b"\n").await
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Reads lines of up to `longest` bytes.
    pub fn new(reader: R, longest: usize) -> Self {
        Self {
            reader,
            longest,
            buffer: BytesMut::new(),
            searched: 0,
        }
    }

    /// The next line that is not blank; `None` at the end of the stream.
    pub async fn next(&mut self) -> io::Result<Option<Line>> {
        loop {
            if let Some(line) = self.take_line() {
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                if line.len() > self.longest {
                    return Ok(Some(Line::TooLong {
                        head: line.slice(..ENDS.min(line.len())),
                        tail: line.slice(line.len().saturating_sub(ENDS)..),
                        length: line.len(),
                    }));
                }
                return Ok(Some(Line::Whole(line)));
            }
            if self.buffer.len() > self.longest {
                return self.skip_line().await.map(Some);
            }
            if self.fill().await? == 0 {
                let rest = self.buffer.split().freeze();
                self.searched = 0;
                let blank = rest.iter().all(u8::is_ascii_whitespace);
                return Ok((!blank).then_some(Line::Whole(rest)));
            }
        }
    }

    fn take_line(&mut self) -> Option<Bytes> {
        let unsearched = self.buffer.get(self.searched..)?;
        let Some(found) = memchr::memchr(b'\n', unsearched) else {
            self.searched = self.buffer.len();
            return None;
        };
        let mut line = self.buffer.split_to(self.searched + found + 1);
        self.searched = 0;
        line.truncate(line.len() - 1);
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        Some(line.freeze())
    }

    async fn fill(&mut self) -> io::Result<usize> {
        if self.buffer.capacity() - self.buffer.len() < LITTLE {
            // Doubling, so that a long line is not copied once a chunk.
            self.buffer.reserve(CHUNK.max(self.buffer.len()));
        }
        self.reader.read_buf(&mut self.buffer).await
    }

    async fn skip_line(&mut self) -> io::Result<Line> {
        let head = Bytes::copy_from_slice(self.buffer.get(..ENDS).unwrap_or_default());
        let mut length = 0;
        loop {
            if let Some(rest) = self.take_line() {
                let tail = rest.slice(rest.len().saturating_sub(ENDS)..);
                return Ok(Line::TooLong {
                    head,
                    tail,
                    length: length + rest.len(),
                });
            }
            // All but the last bytes, which may be the tail.
            let surplus = self.buffer.len().saturating_sub(ENDS);
            length += surplus;
            let _ = self.buffer.split_to(surplus);
            self.searched = self.buffer.len();
            if self.fill().await? == 0 {
                let tail = self.buffer.split().freeze();
                self.searched = 0;
                return Ok(Line::TooLong {
                    head,
                    length: length + tail.len(),
                    tail,
                });
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::message::Message;

    async fn lines(input: &[u8], longest: usize) -> Vec<Line> {
        let mut lines = Lines::new(input, longest);
        let mut read = Vec::new();
        while let Some(line) = lines.next().await.unwrap() {
            read.push(line);
        }
        read
    }

    fn whole(text: &str) -> Line {
        Line::Whole(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[tokio::test]
    async fn lines_end_with_either_line_end_or_the_stream_and_blank_ones_are_skipped() {
        assert_eq!(
            lines(b"{\"a\":1}\n\r\n  \n{\"b\":2}\r\n{\"c\":3}", 100).await,
            [whole("{\"a\":1}"), whole("{\"b\":2}"), whole("{\"c\":3}")]
        );
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_leaves_its_ends_and_the_next_line_is_whole() {
        let long = "x".repeat(5_000_000);
        let input = format!("HEAD{long}TAIL\nnext\n");
        let read = lines(input.as_bytes(), 100_000).await;
        let [Line::TooLong { head, tail, length }, next] = &read[..] else {
            panic!("{read:?}");
        };
        assert!(head.starts_with(b"HEAD") && tail.ends_with(b"TAIL"));
        assert_eq!(*length, long.len() + 8);
        assert_eq!(*next, whole("next"));
    }

    #[tokio::test]
    async fn a_line_of_the_longest_length_is_whole() {
        let line = "y".repeat(70_000);
        assert_eq!(
            lines(format!("{line}\n").as_bytes(), 70_000).await,
            [whole(&line)]
        );
    }

    fn message(length: usize) -> Admitted {
        Admitted::own(Message::notification("n", Some(&"1".repeat(length))))
    }

    /// Leaves messages until there is no room for another; how many that were.
    fn fill(outbox: &Outbox, length: usize) -> usize {
        let left = (0..).take_while(|_| outbox.try_send(message(length)).is_ok());
        left.count()
    }

    #[tokio::test]
    async fn what_waits_for_a_slow_reader_is_bounded_in_number_and_in_bytes() {
        let (small, _writing) = outbox(tokio::io::sink());
        assert_eq!(fill(&small, 10), QUEUE);
        let (large, writing) = outbox(tokio::io::sink());
        let left = fill(&large, 1_000_000);
        assert!((14..=16).contains(&left), "{left}");
        // Once they are written, there is room again.
        let (done, ()) = tokio::join!(writing, async {
            large.send(message(1_000_000)).await.unwrap();
            drop(large);
        });
        done.unwrap();
    }

    #[tokio::test]
    async fn a_message_larger_than_all_the_room_passes_alone() {
        let (outbox, _writing) = outbox(tokio::io::sink());
        outbox.send(message(ROOM * 2)).await.unwrap();
        assert_eq!(outbox.try_send(message(1)), Err(Closed));
    }

    #[tokio::test]
    async fn who_waits_for_room_learns_that_the_peer_is_gone() {
        let (outbox, writing) = outbox(tokio::io::sink());
        fill(&outbox, 1_000_000);
        let (sent, ()) = tokio::join!(outbox.send(message(1_000_000)), async { drop(writing) });
        assert_eq!(sent, Err(Closed));
    }
}
