//! On which answer a message leaves.
//!
//! What belongs to a request leaves on the answer to its POST; what belongs to
//! none, on the standing stream that a client of the legacy era opens with GET.
//! Each message leaves on one of them only. Streams of the legacy era outlive
//! their connection: what was sent is kept for a while, so that a client that
//! lost its connection goes on where it was.

mod state;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::gate::Admitted;
pub(super) use state::Sent;
use state::{STANDING, State, Taken};

/// How long all others wait for a connection that takes nothing any more.
const STALLED: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 10_000 });

/// The streams of one session. Cheap to clone.
#[derive(Clone)]
pub(super) struct Streams(Arc<Shared>);

/// Why a stream cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoStream {
    /// The session is over.
    #[error("the session has ended")]
    Ended,
    /// A request of the same id has no answer yet.
    #[error("a request with this id is still open")]
    InUse,
    /// The stream is gone, or never was.
    #[error("nothing of this stream is left to resume")]
    Unknown,
}

/// A message and its place in its stream.
pub(super) struct Event {
    pub(super) id: EventId,
    pub(super) message: Admitted,
}

/// Names a stream and a place in it: what was sent last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EventId {
    stream: u64,
    number: u64,
}

/// One connection's hold on a stream, until this is dropped.
pub(super) struct Reader {
    shared: Arc<Shared>,
    stream: u64,
    wake: Arc<Notify>,
    start: EventId,
}

struct Shared {
    state: Mutex<State>,
    /// There may be room for another message.
    room: Notify,
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.stream, self.number)
    }
}

impl std::str::FromStr for EventId {
    type Err = NoStream;

    fn from_str(text: &str) -> Result<Self, NoStream> {
        let (stream, number) = text.split_once('-').ok_or(NoStream::Unknown)?;
        let number_of = |text: &str| text.parse().map_err(|_| NoStream::Unknown);
        Ok(Self {
            stream: number_of(stream)?,
            number: number_of(number)?,
        })
    }
}

impl Streams {
    pub(super) fn new(sent: Sent) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State::new(sent)),
            room: Notify::new(),
        }))
    }

    /// Opens a stream for the requests of these ids, which ends when all are
    /// answered.
    pub(super) fn open(&self, ids: &[Arc<str>]) -> Result<Reader, NoStream> {
        let mut state = self.0.state();
        let stream = state.open(ids)?;
        self.read(&mut state, stream)
    }

    /// Reads the standing stream, in place of whoever reads it now.
    pub(super) fn standing(&self) -> Result<Reader, NoStream> {
        self.read(&mut self.0.state(), STANDING)
    }

    /// Reads a stream from where its last reader lost it.
    pub(super) fn resume(&self, from: EventId) -> Result<Reader, NoStream> {
        let mut state = self.0.state();
        state.rewind(from.stream, from.number)?;
        self.read(&mut state, from.stream)
    }

    fn read(&self, state: &mut State, stream: u64) -> Result<Reader, NoStream> {
        let wake = Arc::new(Notify::new());
        let before = state.read(stream, &wake)?;
        Ok(Reader {
            shared: Arc::clone(&self.0),
            stream,
            wake,
            start: EventId {
                stream,
                number: before,
            },
        })
    }

    /// Takes a message of the session. Waits while too many wait for a
    /// connection to take them.
    pub(super) async fn deliver(&self, mut message: Admitted) {
        loop {
            match self.0.state().push(message) {
                None => return,
                Some(no_room) => message = no_room,
            }
            let room = self.0.room.notified();
            if tokio::time::timeout(STALLED, room).await.is_err() {
                self.0.state().cut_off_the_slowest();
            }
        }
    }

    /// Stops waiting for the answer to a request, which its sender has
    /// cancelled.
    pub(super) fn give_up(&self, id: &str) {
        self.0.state().settle(id);
    }

    /// Notes that the client is there.
    pub(super) fn touch(&self) {
        self.0.state().touch();
    }

    /// Since when nobody reads a stream and nothing came in; `None` while
    /// somebody reads.
    pub(super) fn quiet_since(&self) -> Option<Instant> {
        self.0.state().quiet_since()
    }

    /// Since when nothing came in; `None` while somebody waits for an answer.
    pub(super) fn unused_since(&self) -> Option<Instant> {
        self.0.state().unused_since()
    }

    /// Whether the session is over.
    pub(super) fn have_ended(&self) -> bool {
        self.0.state().has_ended()
    }

    /// Ends every stream once what waits on it has been sent.
    pub(super) fn end(&self) {
        self.0.state().end();
    }
}

impl Reader {
    /// The next message; `None` at the end of the stream. If it is not awaited
    /// to its end, nothing is lost.
    pub(super) async fn next(&mut self) -> Option<Event> {
        loop {
            match self.take() {
                Taken::Message(number, message) => {
                    let stream = self.stream;
                    let id = EventId { stream, number };
                    return Some(Event { id, message });
                }
                Taken::Later => self.wake.notified().await,
                Taken::End => return None,
            }
        }
    }

    fn take(&self) -> Taken {
        let taken = self.shared.state().take(self.stream, &self.wake);
        self.shared.room.notify_one();
        taken
    }

    /// Whether all that there will ever be on this stream has been taken.
    pub(super) fn is_done(&self) -> bool {
        self.shared.state().is_done(self.stream)
    }

    /// The place before the first message that this reader gets.
    pub(super) fn start(&self) -> EventId {
        self.start
    }

    /// Gives the stream up: nobody will resume it.
    pub(super) fn forget(self) {
        self.shared.state().forget(self.stream);
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.shared.state().leave(self.stream, &self.wake);
        // What waited for this reader holds up nobody any more.
        self.shared.room.notify_one();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
