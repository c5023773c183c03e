//! Messages as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;

use super::answer::Body;
use super::streams::{Event, EventId, Reader};

/// How long a connection is quiet at most: proxies and clients give up those
/// that seem dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Where the messages of a body come from. Dropping it says that the client
/// has gone, or has everything.
pub(super) trait Source: Send + 'static {
    /// The next message, and how it is named if it is.
    fn next(&mut self) -> impl Future<Output = Option<(Option<EventId>, Bytes)>> + Send;
}

impl Source for Reader {
    async fn next(&mut self) -> Option<(Option<EventId>, Bytes)> {
        let Event { id, message } = Reader::next(self).await?;
        Some((Some(id), message.bytes()))
    }
}

/// An event without a message, by which a client can come back before it has
/// got one.
pub(super) fn primer(id: EventId) -> Bytes {
    format!("id: {id}\ndata: \n\n").into()
}

/// A message as an event.
pub(super) fn event(id: Option<EventId>, message: &[u8]) -> Bytes {
    let mut event = BytesMut::with_capacity(message.len() + 64);
    if let Some(id) = id {
        event.extend_from_slice(format!("id: {id}\n").as_bytes());
    }
    // A message is one line, so it is one line of data.
    event.extend_from_slice(b"event: message\ndata: ");
    event.extend_from_slice(message);
    event.extend_from_slice(b"\n\n");
    event.freeze()
}

/// A body of what is ready and what else a source has.
pub(super) fn body(ready: Vec<Bytes>, source: impl Source) -> Body {
    let state = (VecDeque::from(ready), source);
    let frames = stream::unfold(state, |(mut ready, mut source)| async move {
        let next = match ready.pop_front() {
            Some(bytes) => bytes,
            None => match tokio::time::timeout(KEEP_ALIVE, source.next()).await {
                Ok(Some((id, message))) => event(id, &message),
                Ok(None) => return None,
                Err(_) => Bytes::from_static(b":\n\n"),
            },
        };
        Some((Ok::<_, Infallible>(Frame::data(next)), (ready, source)))
    });
    StreamBody::new(frames).boxed_unsync()
}
