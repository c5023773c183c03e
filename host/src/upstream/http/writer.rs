//! Sends what is left in the outbox: every message as a request of its own, in
//! the order in which they were left.

use std::collections::HashMap;
use std::future::{Future as _, poll_fn};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::{oneshot, watch};
use tokio::task::{AbortHandle, JoinError, JoinSet};
use tokio::time::timeout;

use super::endpoint::Trouble;
use super::exchange::{Exchange, Outcome};
use super::listen::{SseStream, listen};
use super::{ACCEPTANCE, FORGOTTEN, Peer, Way, is_forgotten, modern};
use crate::config::Flavor;
use crate::gate::Admitted;
use crate::message::{Kind, Message};
use crate::upstream::connection::Ended;
use crate::wire::Queue;

/// How long requests under way have once the connection is over.
const LAST_WORDS: Duration = Duration::from_millis(250);

/// Sends what is left in the outbox.
pub(super) struct Writer {
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
    pub(super) fn new(peer: Arc<Peer>) -> Self {
        Self {
            peer,
            way: Way::Streamable,
            requests: JoinSet::new(),
            under_way: HashMap::new(),
            others: JoinSet::new(),
        }
    }

    pub(super) async fn run(mut self, mut queue: Queue) {
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
            // The reason may quote the server, so it goes where guardrails see it: to
            // whoever waits. An end is not seen by them.
            match (message.kind(), message.id()) {
                (Kind::Request, Some(id)) => self.peer.undelivered(id, reason, false).await,
                _ => self.peer.end(Ended::with("it offers no stream of events")),
            }
            return;
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
            is_corrected: false,
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
        // Why may be in the words of whoever logs people in, which nobody has seen.
        Err(Trouble::Denied(_)) => {
            tracing::warn!(
                server = &*peer.server,
                method,
                "not sent: nobody is logged in"
            );
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
