//! The streams on which a server speaks unasked.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Response, StatusCode, Url};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};

use super::endpoint::{Trouble, redirected};
use super::sse::{Event, Events};
use super::{Peer, is_event_stream, is_forgotten, pause, read};
use crate::message::Message;
use crate::upstream::connection::{Ended, Next};
use crate::wire::Line;

/// A stream that lasted so long was worth opening. A server that ends each at once, or
/// with no more than a greeting, is not asked again and again at the same pace.
const LASTING: Duration = Duration::from_secs(5);

/// How long a server may take to say where messages go.
const ADDRESS: Duration = Duration::from_secs(10);

/// Listens to a server of a legacy session for as long as that lasts. Says when
/// it has begun to, or when it can't.
pub(super) async fn listen(peer: Arc<Peer>, begun: oneshot::Sender<()>) {
    let mut begun = Some(begun);
    let mut events = Events::new(peer.longest);
    let mut fruitless = 0;
    let mut heard = false;
    loop {
        let response = peer.endpoint.get(events.last_id()).await;
        drop(begun.take());
        match response {
            Ok(response) if response.status().is_success() && is_event_stream(&response) => {
                heard = true;
                if follow(&peer, response, &mut events).await {
                    fruitless = 0;
                }
                events.restart();
            }
            Ok(response) if may_pass(response.status()) => {}
            Err(Trouble::Connect { .. } | Trouble::Broken { .. }) => {}
            Ok(response) => return give_up(&peer, response, heard).await,
            Err(trouble) => {
                tracing::debug!(server = &*peer.server, %trouble, "not listening");
                return;
            }
        }
        sleep(pause(events.retry(), fruitless)).await;
        fruitless += 1;
    }
}

/// Hands on what a stream brings, up to its end. Whether it was worth opening.
async fn follow(peer: &Peer, mut response: Response, events: &mut Events) -> bool {
    let begun = Instant::now();
    let mut fruitful = false;
    while let Ok(Some(chunk)) = response.chunk().await {
        for event in events.push(&chunk) {
            fruitful |= hand_on(peer, event).await;
        }
    }
    fruitful || begun.elapsed() >= LASTING
}

/// Whether it was a message.
async fn hand_on(peer: &Peer, event: Event) -> bool {
    let is_message = event.name == "message";
    if is_message {
        peer.hand_on(read(event.data)).await;
    }
    is_message
}

/// Whether a status may be another one in a while.
fn may_pass(status: StatusCode) -> bool {
    let busy = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED || busy.contains(&status)
}

/// A server need not speak unasked. One that did may have forgotten the session.
async fn give_up(peer: &Peer, response: Response, heard: bool) {
    let status = response.status();
    let in_session = heard && peer.endpoint.session().id.is_some();
    let body = super::body::read(response, peer.longest).await;
    let error = match body {
        Ok(Line::Whole(body)) => Message::parse(super::body::one_line(body)).ok(),
        _ => None,
    };
    if in_session && is_forgotten(status, error.as_ref()) {
        peer.forget();
    } else {
        tracing::debug!(server = &*peer.server, %status, "it does not speak unasked");
    }
}

/// The one stream of a server that speaks HTTP+SSE.
pub(super) struct SseStream {
    response: Response,
    events: Events,
    /// What came together with the address.
    early: Vec<Event>,
}

impl SseStream {
    /// Opens the stream, and waits for the address that messages go to.
    pub(super) async fn open(peer: &Peer) -> Result<(Url, Self), String> {
        let opened = timeout(ADDRESS, Self::opened(peer)).await;
        opened.unwrap_or_else(|_| Err("it does not say where messages go".to_owned()))
    }

    async fn opened(peer: &Peer) -> Result<(Url, Self), String> {
        let endpoint = &peer.endpoint;
        let response = endpoint.get(None).await;
        let mut response = response.map_err(|trouble| trouble.to_string())?;
        let status = response.status();
        if let Some(address) = redirected(endpoint.remote(), &response) {
            return Err(format!("it redirects to {address} (HTTP {status})"));
        }
        if !status.is_success() || !is_event_stream(&response) {
            return Err(format!("it offers no stream of events (HTTP {status})"));
        }
        let mut events = Events::new(peer.longest);
        loop {
            let chunk = response.chunk().await;
            let chunk = chunk.map_err(|error| endpoint.trouble(&error).to_string())?;
            let Some(chunk) = chunk else {
                return Err("its stream ended before it said where messages go".to_owned());
            };
            let mut early = events.push(&chunk).into_iter();
            if let Some(event) = early.find(|event| event.name == "endpoint") {
                let stream = Self {
                    response,
                    events,
                    early: early.collect(),
                };
                return Ok((address(endpoint.url(), &event)?, stream));
            }
        }
    }

    /// Hands on what it brings. Its end is the end of the connection; what stands
    /// between may end one that is quiet for half a minute, and the server is well.
    pub(super) async fn follow(mut self, peer: Arc<Peer>) {
        let begun = Instant::now();
        for event in self.early {
            hand_on(&peer, event).await;
        }
        follow(&peer, self.response, &mut self.events).await;
        peer.end(Ended {
            reason: "its stream of events ended".into(),
            next: after(begun.elapsed()),
        });
    }
}

/// What is next after a stream that lasted so long.
fn after(lasted: Duration) -> Next {
    if lasted >= LASTING {
        Next::Reconnect
    } else {
        Next::Pause
    }
}

/// Where messages go; never to another server than the one that was configured.
fn address(url: &Url, event: &Event) -> Result<Url, String> {
    let text = match &event.data {
        Line::Whole(text) => std::str::from_utf8(text).unwrap_or_default(),
        Line::TooLong { .. } => "",
    };
    match url.join(text.trim()) {
        Ok(address) if address.origin() == url.origin() => Ok(address),
        Ok(_) => Err("it wants messages to be sent to another server".to_owned()),
        Err(_) => Err("it does not say where messages go".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_is_cut_after_a_while_is_opened_again_at_once() {
        assert_eq!(after(Duration::from_secs(30)), Next::Reconnect);
        assert_eq!(after(Duration::from_millis(100)), Next::Pause);
    }

    #[test]
    fn messages_go_to_the_server_that_was_configured_only() {
        let url = "https://host/a/sse?x=1".parse().unwrap();
        let told = |data: &str| {
            let data = Line::Whole(data.to_owned().into());
            let name = "endpoint".to_owned();
            address(&url, &Event { name, data }).map(String::from)
        };
        assert_eq!(told("/m?s=1").unwrap(), "https://host/m?s=1");
        assert_eq!(told("m").unwrap(), "https://host/a/m");
        assert_eq!(told("https://host/m").unwrap(), "https://host/m");
        for other in [
            "https://evil/m",
            "//evil/m",
            "http://host/m",
            "https://host:1/m",
        ] {
            assert!(told(other).is_err(), "{other}");
        }
    }
}
