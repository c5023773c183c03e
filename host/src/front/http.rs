//! The client's side of the gateway over streamable HTTP, for many clients of
//! both eras at a time.
//!
//! Each client has a session of its own, with servers and instances of
//! guardrails of its own. What comes in is checked here for its place, its
//! sender and its form, and goes to the session as a line; what the session
//! leaves for the client goes out on the answer that it belongs to.

mod access;
mod answer;
mod clients;
mod connections;
mod legacy;
mod modern;
mod pages;
mod posted;
mod sse;
mod streams;
mod token;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{self, HeaderValue};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub use token::{TokenError, TokenSource};

use crate::session::Sessions;
use access::{Access, Denied};
use answer::Answer;
use clients::Clients;
use connections::{Connections, Visitor};
use posted::Posted;

/// Where clients find the gateway.
pub const PATH: &str = "/mcp";

/// Connections at a time.
const CONNECTIONS: usize = 1000;

/// How long a client may take over the head of a request, and a connection may
/// wait for its next.
const HEAD: Duration = Duration::from_secs(60);

/// How long no connection is taken when there are no means for it.
const PAUSE: Duration = Duration::from_millis(100);

/// How long connections may take to send what was left for them at the end.
const LAST_WRITE: Duration = Duration::from_millis(200);

/// How clients are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The token that clients must have.
    pub token: TokenSource,
    /// Names by which clients call the gateway, besides those of this machine.
    pub hosts: Vec<String>,
    /// Web pages that may use the gateway, besides those of this machine.
    pub origins: Vec<String>,
    /// The most sessions at a time.
    pub max_sessions: usize,
    /// How long a session may be unused before it ends.
    pub idle: Duration,
}

/// Why clients cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The token cannot be read.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// Whoever reaches the address could use the servers.
    #[error(
        "{0} can be reached from other machines, so a bearer token is required: \
         name a file that holds one with --token-file, or set MCP_GATEWAY_TOKEN"
    )]
    NoToken(SocketAddr),
    /// The system does not let it.
    #[error("cannot listen on {0}")]
    Bind(SocketAddr, #[source] io::Error),
}

/// A gateway that listens.
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
    endpoint: Arc<Endpoint>,
    connections: Connections,
    stop: watch::Sender<bool>,
}

struct Endpoint {
    access: Access,
    clients: Arc<Clients>,
}

/// Starts to listen.
///
/// # Errors
/// When the address is in use, when it is no loopback address and there is no
/// token, or when that cannot be read.
pub async fn listen(options: Options, sessions: Arc<Sessions>) -> Result<Listening, ListenError> {
    let wanted = options.listen;
    let token = options.token.read()?;
    if !wanted.ip().is_loopback() && token.is_none() {
        return Err(ListenError::NoToken(wanted));
    }
    let refused = |error| ListenError::Bind(wanted, error);
    let listener = TcpListener::bind(wanted).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let access = Access::new(address.ip(), options.hosts, options.origins, token);
    let clients = Clients::new(sessions, options.max_sessions, options.idle);
    Ok(Listening {
        listener,
        address,
        endpoint: Arc::new(Endpoint { access, clients }),
        connections: Connections::new(CONNECTIONS),
        stop: watch::Sender::new(false),
    })
}

impl Listening {
    /// Where.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves clients for as long as this is awaited.
    pub async fn serve(&mut self) {
        let mut failed = false;
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    failed = false;
                    self.take(stream);
                }
                Err(error) => {
                    // It may fail for long, and says so once.
                    if !std::mem::replace(&mut failed, true) {
                        tracing::warn!("connections cannot be taken: {error}");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn take(&mut self, stream: TcpStream) {
        let endpoint = Arc::clone(&self.endpoint);
        let stop = self.stop.subscribe();
        self.connections
            .take(|visitor| connection(stream, visitor, endpoint, stop));
    }

    /// Takes no more requests, and ends all sessions and their servers.
    pub async fn end(self) {
        drop(self.listener);
        self.stop.send_replace(true);
        self.endpoint.clients.end_all().await;
        // Whoever does not read by then has left.
        let _ = tokio::time::timeout(LAST_WRITE, self.connections.end()).await;
    }
}

/// Serves one connection: requests one after the other.
async fn connection(
    stream: TcpStream,
    visitor: Visitor,
    endpoint: Arc<Endpoint>,
    mut stop: watch::Receiver<bool>,
) {
    // Events are small, and somebody waits for each.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let (endpoint, visitor) = (Arc::clone(&endpoint), visitor.clone());
        async move { Ok::<_, Infallible>(endpoint.answer(request, &visitor).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let stopped = async {
        // An error says that nobody is there to say so any more.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection has ended: {error}");
    }
}

impl Endpoint {
    async fn answer(&self, request: Request<Incoming>, visitor: &Visitor) -> Answer {
        let (head, body) = request.into_parts();
        if let Err(denied) = self.access.place(&head.headers) {
            return refused(denied);
        }
        let origin = head.headers.get(header::ORIGIN).cloned();
        let mut answer = match pages::preflight(&head) {
            Some(answer) => answer,
            None => self.serve(head, body, visitor).await,
        };
        if let Some(origin) = origin {
            pages::let_see(&mut answer, origin);
        }
        answer
    }

    /// Answers a request that comes from where it may come from.
    async fn serve(&self, head: Parts, body: Incoming, visitor: &Visitor) -> Answer {
        match (head.uri.path(), &head.method) {
            ("/health", &Method::GET | &Method::HEAD) => {
                return answer::plain(StatusCode::OK, "ok");
            }
            // People write it either way, and clients do not follow redirects.
            (PATH | "/mcp/", _) => {}
            _ => return answer::refusal(StatusCode::NOT_FOUND, "MCP is served at /mcp"),
        }
        if let Err(denied) = self.access.token(&head.headers) {
            return refused(denied);
        }
        visitor.let_in();
        let (clients, headers) = (&self.clients, &head.headers);
        match head.method {
            Method::POST => match Posted::read(headers, body, clients.max_message()).await {
                Ok(posted) if modern::is_spoken_in(headers, &posted) => {
                    modern::post(clients, headers, posted).await
                }
                Ok(posted) => legacy::post(clients, headers, posted).await,
                Err(refused) => *refused,
            },
            Method::GET | Method::DELETE if modern::is_named_in(headers) => not_allowed("POST"),
            Method::GET => legacy::get(clients, headers).await,
            Method::DELETE => legacy::delete(clients, headers).await,
            _ => not_allowed("GET, POST, DELETE"),
        }
    }
}

fn not_allowed(allowed: &'static str) -> Answer {
    let why = "there is nothing that this method does here";
    let mut answer = answer::refusal(StatusCode::METHOD_NOT_ALLOWED, why);
    let allowed = HeaderValue::from_static(allowed);
    answer.headers_mut().insert(header::ALLOW, allowed);
    answer
}

fn refused(denied: Denied) -> Answer {
    let (status, challenge) = match denied {
        Denied::Host | Denied::Origin => (StatusCode::FORBIDDEN, None),
        Denied::NoToken => (StatusCode::UNAUTHORIZED, Some("Bearer")),
        Denied::WrongToken => (
            StatusCode::UNAUTHORIZED,
            Some("Bearer error=\"invalid_token\""),
        ),
    };
    let mut answer = answer::refusal(status, &denied.to_string());
    if let Some(challenge) = challenge {
        let challenge = HeaderValue::from_static(challenge);
        answer
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    answer
}
