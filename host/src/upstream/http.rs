//! A server that is reached over HTTP.
//!
//! Every message is a request of its own. They set out in the order in which
//! they were left in the outbox, several at a time. For a notification or an
//! answer the next message waits until the server has taken it, so that none
//! overtakes it: what a client says after `notifications/initialized` must find
//! that said. A server that is slow to take it is not waited for longer than
//! [`ACCEPTANCE`], so one message cannot hold up all that come after it. For
//! the answer to a request nobody waits.
//!
//! What the server sends passes as the bytes that it sent; only what the
//! transport itself needs to know is read on the way.

mod authorization;
mod body;
mod endpoint;
mod exchange;
mod listen;
mod modern;
mod relearn;
mod sse;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode, Url};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::connection::{Connection, Ended, Incoming, Link, Next, Received, Undelivered};
use crate::config;
use crate::message::{Message, string};
use crate::protocol::Mirrored;
use crate::wire::{self, Line};
use endpoint::Endpoint;
use writer::Writer;

/// How long the next message waits for a notification or an answer to be taken.
const ACCEPTANCE: Duration = Duration::from_secs(1);

/// Messages of a server that may wait to be relayed.
const INBOX: usize = 16;

/// The first pause before a stream is opened again; it doubles up to the
/// longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The shortest pause that a server can ask for: one that ends each stream at once would
/// else be asked as fast as the network goes.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// Why a connection is over whose session is.
const FORGOTTEN: &str = "it has forgotten the session";

/// A remote server, as long as the gateway is connected to it.
#[derive(Debug)]
pub struct Remote {
    endpoint: Option<Arc<Endpoint>>,
    writer: JoinHandle<()>,
    ended: watch::Receiver<Option<Ended>>,
}

/// What all tasks of a connection share. When the last is done, nothing comes
/// in any more.
struct Peer {
    server: Arc<str>,
    endpoint: Arc<Endpoint>,
    longest: usize,
    inbox: mpsc::Sender<Received>,
    ended: watch::Sender<Option<Ended>>,
    mirrored: Mirrored,
}

/// Which transport a server turned out to speak.
#[derive(Debug, Clone)]
enum Way {
    Streamable,
    /// HTTP+SSE; messages go to this address.
    Sse(Url),
}

/// Connects to a server. It is not talked to before there is something to say.
pub(super) fn connect(
    server: Arc<str>,
    remote: &config::Remote,
    longest_message: usize,
) -> Connection {
    let (outbox, queue) = wire::queue();
    let (inbox, incoming) = mpsc::channel(INBOX);
    let (ended, ending) = watch::channel(None);
    let (endpoint, writer) = match Endpoint::new(Arc::clone(&server), remote.clone()) {
        Ok(endpoint) => {
            let endpoint = Arc::new(endpoint);
            let peer = Peer {
                server,
                endpoint: Arc::clone(&endpoint),
                longest: longest_message,
                inbox,
                ended,
                mirrored: Mirrored::default(),
            };
            let writer = Writer::new(Arc::new(peer));
            (Some(endpoint), tokio::spawn(writer.run(queue)))
        }
        Err(trouble) => {
            ended.send_replace(Some(Ended::with(trouble.to_string())));
            (None, tokio::spawn(async {}))
        }
    };
    Connection {
        outbox,
        messages: Incoming::Remote(incoming),
        log: None,
        link: Link::Remote(Remote {
            endpoint,
            writer,
            ended: ending,
        }),
    }
}

impl Remote {
    /// Waits until the connection is of no use any more.
    pub(super) async fn ended(&mut self) -> Ended {
        let ended = self.ended.wait_for(Option::is_some).await;
        let ended = ended.ok().and_then(|ended| ended.clone());
        ended.unwrap_or_else(|| Ended::with("its connection is closed"))
    }

    /// Drops what is under way, and takes leave of the server.
    pub(super) async fn end(self) {
        self.writer.abort();
        let forgotten = self.ended.borrow().is_some();
        if let (Some(endpoint), false) = (self.endpoint, forgotten) {
            endpoint.delete().await;
        }
    }
}

impl Peer {
    async fn hand_on(&self, received: Received) {
        // Nobody reads any more: the session with the server is being ended.
        let _ = self.inbox.send(received).await;
    }

    async fn undelivered(&self, id: &str, reason: String, again: bool) {
        let undelivered = Undelivered {
            id: id.into(),
            reason,
            again,
        };
        self.hand_on(Received::Undelivered(undelivered)).await;
    }

    /// The connection is over. The first reason counts.
    fn end(&self, ended: Ended) {
        self.ended.send_if_modified(|end| {
            let first = end.is_none();
            if first {
                *end = Some(ended);
            }
            first
        });
    }

    /// The server has no session any more.
    fn forget(&self) {
        self.end(Ended {
            reason: FORGOTTEN.into(),
            next: Next::Reconnect,
        });
    }
}

impl Way {
    /// Where messages go.
    fn url<'a>(&'a self, endpoint: &'a Endpoint) -> &'a Url {
        match self {
            Self::Streamable => endpoint.url(),
            Self::Sse(url) => url,
        }
    }
}

/// What came in: a message, or what may be one.
fn read(line: Line) -> Received {
    let Line::Whole(bytes) = line else {
        return Received::Line(line);
    };
    let bytes = body::one_line(bytes);
    match Message::parse(bytes.clone()) {
        Ok(message) => Received::Message(message),
        Err(_) => Received::Line(Line::Whole(bytes)),
    }
}

fn is_event_stream(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("text/event-stream")
}

/// Whether a response to a request with a session's id says that there is no
/// such session. The specification wants 404; servers made after the example of
/// an SDK say 400, and why in words.
fn is_forgotten(status: StatusCode, error: Option<&Message>) -> bool {
    let code = error.and_then(|error| error.value("/code"));
    match status {
        StatusCode::NOT_FOUND => code != Some("-32601"),
        StatusCode::BAD_REQUEST => {
            let words = error
                .and_then(|error| error.value("/message"))
                .and_then(string);
            code == Some("-32000")
                && words.is_some_and(|words| words.to_ascii_lowercase().contains("session"))
        }
        _ => false,
    }
}

/// How long to wait before a stream is opened again that brought nothing so
/// often.
fn pause(told: Option<Duration>, fruitless: u32) -> Duration {
    let first = told.unwrap_or(FIRST_PAUSE);
    let first = first.clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
    let longer = first.saturating_mul(1 << fruitless.min(10));
    longer.min(LONGEST_PAUSE).max(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_what_the_server_says_and_are_never_none() {
        let of = |told: Option<u64>, fruitless| pause(told.map(Duration::from_millis), fruitless);
        assert_eq!(of(None, 0), FIRST_PAUSE);
        assert_eq!(of(None, 2), FIRST_PAUSE * 4);
        assert_eq!(of(None, 40), LONGEST_PAUSE);
        assert_eq!(of(Some(3000), 1), Duration::from_secs(6));
        assert_eq!(of(Some(0), 0), SHORTEST_PAUSE);
        assert_eq!(of(Some(3_600_000), 0), LONGEST_PAUSE);
    }
}
