//! JSON-RPC over a byte stream as MCP's stdio transport frames it: one message
//! a line.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter};
use tokio::sync::mpsc;

use crate::gate::Admitted;

/// Messages that wait to be written to a peer that is slow to read.
const QUEUE: usize = 256;

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
pub struct Outbox(mpsc::Sender<Admitted>);

/// The other end of an [`Outbox`], for a peer that is not at the end of one
/// stream of bytes.
#[derive(Debug)]
pub struct Queue(mpsc::Receiver<Admitted>);

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
        self.0.send(message).await.map_err(|_| Closed)
    }

    /// Leaves a message if there is room for it now.
    pub fn try_send(&self, message: Admitted) -> Result<(), Closed> {
        self.0.try_send(message).map_err(|_| Closed)
    }
}

impl Queue {
    /// The next message; `None` once the last outbox is gone.
    pub async fn next(&mut self) -> Option<Admitted> {
        self.0.recv().await
    }
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
    (Outbox(sender), Queue(receiver))
}

async fn write<W>(mut queue: Queue, writer: W) -> io::Result<()>
where
    W: AsyncWrite + Unpin + Send,
{
    let mut writer = BufWriter::with_capacity(CHUNK, writer);
    while let Some(message) = queue.next().await {
        put(&mut writer, &message).await?;
        // Whatever else waits goes out in the same write.
        while let Ok(message) = queue.0.try_recv() {
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
}
