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
mod sse;

use std::collections::HashMap;
use std::future::{Future as _, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, StatusCode, Url};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{AbortHandle, JoinError, JoinHandle, JoinSet};
use tokio::time::timeout;

use super::connection::{Connection, Ended, Incoming, Link, Next, Received, Undelivered};
use crate::config::{self, Flavor};
use crate::gate::Admitted;
use crate::message::{Kind, Message, string};
use crate::protocol::Mirrored;
use crate::wire::{self, Line, Queue};
use endpoint::Endpoint;
use exchange::{Exchange, Outcome};
use listen::{SseStream, listen};

/// How long the next message waits for a notification or an answer to be taken.
const ACCEPTANCE: Duration = Duration::from_secs(1);

/// How long requests under way have once the connection is over.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// Messages of a server that may wait to be relayed.
const INBOX: usize = 16;

/// The first pause before a stream is opened again; it doubles up to the
/// longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

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

/// Sends what is left in the outbox.
struct Writer {
    peer: Arc<Peer>,
    way: Way,
    /// The requests under way, and by their ids how to abort those that are
    /// modern, which is how such a request is cancelled.
    requests: JoinSet<(Box<str>, Outcome)>,
    under_way: HashMap<Box<str>, UnderWay>,
    /// Everything else that is under way.
    others: JoinSet<()>,
}

struct UnderWay {
    abort: AbortHandle,
    modern: bool,
}

impl Writer {
    fn new(peer: Arc<Peer>) -> Self {
        Self {
            peer,
            way: Way::Streamable,
            requests: JoinSet::new(),
            under_way: HashMap::new(),
            others: JoinSet::new(),
        }
    }

    async fn run(mut self, mut queue: Queue) {
        let mut ended = self.peer.ended.subscribe();
        loop {
            let message = tokio::select! {
                message = queue.next() => message,
                Some(done) = self.requests.join_next() => {
                    self.done(done).await;
                    continue;
                }
                Some(_) = self.others.join_next() => continue,
                () = over(&mut ended) => break,
            };
            match message.map(|message| Message::parse(joined(&message))) {
                Some(Ok(message)) => self.send(message).await,
                // What was admitted is a message.
                Some(Err(_)) => {}
                None => break,
            }
        }
        self.finish(queue).await;
    }

    async fn send(&mut self, message: Message) {
        if self.peer.endpoint.remote().flavor == Flavor::Sse
            && matches!(self.way, Way::Streamable)
            && let Err(reason) = self.open_sse().await
        {
            self.peer.end(Ended::with(reason));
        }
        match message.kind() {
            Kind::Request => self.ask(message).await,
            _ if message.method() == Some("notifications/cancelled") => {
                self.cancel(message).await;
            }
            _ => {
                let initialized = message.method() == Some("notifications/initialized");
                self.tell(message).await;
                if initialized && matches!(self.way, Way::Streamable) {
                    self.listen().await;
                }
            }
        }
    }

    /// Sets out with a request.
    async fn ask(&mut self, request: Message) {
        let id: Box<str> = request.id().unwrap_or_default().into();
        let modern = modern::headers(&request, &self.peer.mirrored);
        let is_modern = modern.is_some();
        let exchange = Exchange {
            peer: Arc::clone(&self.peer),
            way: self.way.clone(),
            request,
            modern,
        };
        let key = id.clone();
        let mut asking = Box::pin(async move { (key, exchange.run().await) });
        // Now, so that no later message sets out before.
        match poll_fn(|context| Poll::Ready(asking.as_mut().poll(context))).await {
            Poll::Ready((_, outcome)) => self.settle(outcome).await,
            Poll::Pending => {
                let abort = self.requests.spawn(asking);
                let modern = is_modern;
                self.under_way.insert(id, UnderWay { abort, modern });
            }
        }
    }

    async fn done(&mut self, done: Result<(Box<str>, Outcome), JoinError>) {
        // An error says that it was aborted, and is not under way any more.
        if let Ok((id, outcome)) = done {
            self.under_way.remove(&id);
            self.settle(outcome).await;
        }
    }

    /// A server that does not know streamable HTTP may know what was before it.
    async fn settle(&mut self, outcome: Outcome) {
        let Outcome::OtherTransport { request, reason } = outcome else {
            return;
        };
        match self.open_sse().await {
            Ok(()) => Box::pin(self.ask(request)).await,
            Err(cause) => {
                tracing::debug!(
                    server = &*self.peer.server,
                    cause,
                    "it does not speak HTTP+SSE either"
                );
                let id = request.id().unwrap_or_default();
                self.peer.undelivered(id, reason, false).await;
            }
        }
    }

    async fn open_sse(&mut self) -> Result<(), String> {
        let (url, stream) = SseStream::open(&self.peer).await?;
        self.way = Way::Sse(url);
        self.others.spawn(stream.follow(Arc::clone(&self.peer)));
        Ok(())
    }

    /// Sends a notification or an answer, and waits until it is taken.
    async fn tell(&mut self, message: Message) {
        let told = tell(Arc::clone(&self.peer), self.way.clone(), message);
        let mut told = Box::pin(told);
        if timeout(ACCEPTANCE, &mut told).await.is_err() {
            self.others.spawn(told);
        }
    }

    /// A modern request is cancelled by hanging up; of a legacy one the server
    /// is told, and then nothing is left to wait for.
    async fn cancel(&mut self, notification: Message) {
        let id = notification.value("/requestId").unwrap_or_default();
        let under_way = self.under_way.remove(id);
        if !under_way.as_ref().is_some_and(|request| request.modern) {
            self.tell(notification).await;
        }
        if let Some(request) = under_way {
            request.abort.abort();
        }
    }

    /// Listens to what the server says unasked. What follows waits until it
    /// does, so that nothing is said to nobody.
    async fn listen(&mut self) {
        let (begun, begins) = oneshot::channel();
        self.others.spawn(listen(Arc::clone(&self.peer), begun));
        // An error says that it does.
        let _ = timeout(ACCEPTANCE, begins).await;
    }

    /// Lets requests under way learn that the connection is over. What has not
    /// set out was not delivered.
    async fn finish(mut self, mut queue: Queue) {
        let all = async { while self.requests.join_next().await.is_some() {} };
        let _ = timeout(LAST_WORDS, all).await;
        queue.close();
        while let Some(message) = queue.next().await {
            if let Ok(message) = Message::parse(joined(&message))
                && message.kind() == Kind::Request
            {
                let id = message.id().unwrap_or_default();
                self.peer.undelivered(id, FORGOTTEN.to_owned(), true).await;
            }
        }
    }
}

/// Waits until the connection is over.
async fn over(ended: &mut watch::Receiver<Option<Ended>>) {
    // An error says that nobody can say so any more.
    let _ = ended.wait_for(Option::is_some).await;
}

/// Sends a message that has no answer.
async fn tell(peer: Arc<Peer>, way: Way, message: Message) {
    let url = way.url(&peer.endpoint);
    let method = message.method().unwrap_or("(an answer)").to_owned();
    let modern = modern::headers(&message, &peer.mirrored).unwrap_or_default();
    match peer.endpoint.post(url, message.raw(), modern).await {
        Ok(response) if response.status().is_success() => {}
        Ok(response) => {
            let status = response.status();
            let in_session = peer.endpoint.session().id.is_some();
            if in_session && is_forgotten(status, None) {
                peer.forget();
            }
            tracing::warn!(server = &*peer.server, method, %status, "the server did not take it");
        }
        Err(trouble) => {
            tracing::warn!(server = &*peer.server, method, %trouble, "not sent");
        }
    }
}

/// The bytes of a message that may be written.
fn joined(message: &Admitted) -> Bytes {
    match message.parts() {
        [whole, id, rest] if id.is_empty() && rest.is_empty() => whole.clone(),
        parts => {
            let mut bytes = BytesMut::with_capacity(parts.iter().map(Bytes::len).sum());
            for part in parts {
                bytes.extend_from_slice(part);
            }
            bytes.freeze()
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
    let first = told.unwrap_or(FIRST_PAUSE).min(LONGEST_PAUSE);
    let longer = first.saturating_mul(1 << fruitless.min(10));
    longer.min(LONGEST_PAUSE).max(first)
}
