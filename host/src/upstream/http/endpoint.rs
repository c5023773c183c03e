//! Where a server's requests go, and what all of them have in common.

use std::error::Error;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    LOCATION, WWW_AUTHENTICATE,
};
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, Method, Request, Response, StatusCode, Url};

use super::authorization::{Authorization, Refusal};
use crate::config::Remote;

/// How long it may take to reach a server.
const CONNECT: Duration = Duration::from_secs(10);

/// How long a connection is kept that nobody uses. Many servers close theirs after
/// five seconds, and a request that meets the end of a connection is lost.
const IDLE: Duration = Duration::from_secs(4);

/// How often the system asks whether the other end of a silent connection is
/// still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How long a server may take to hear that its session is over.
const FAREWELL: Duration = Duration::from_secs(1);

/// Redirects within a server that one request may follow.
const REDIRECTS: usize = 3;

pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
pub(super) const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

/// A server's address, with what is said to it on every request.
#[derive(Debug)]
pub(super) struct Endpoint {
    remote: Remote,
    client: Client,
    authorization: Authorization,
    session: Mutex<Session>,
}

/// What the server has said of the session.
#[derive(Debug, Clone, Default)]
pub(super) struct Session {
    /// Its id, if it has one.
    pub(super) id: Option<HeaderValue>,
    /// The revision of the protocol that was agreed on.
    pub(super) version: Option<HeaderValue>,
}

/// Why a request got no response.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// It cannot be reached.
    #[error("cannot connect to {address}: {cause}")]
    Connect {
        /// Its address.
        address: String,
        /// What the system said.
        cause: String,
    },
    /// The connection broke.
    #[error("the connection to {address} broke: {cause}")]
    Broken {
        /// Its address.
        address: String,
        /// What the system said.
        cause: String,
    },
    /// It does not let the gateway in.
    #[error("{0}")]
    Denied(String),
    /// No client could be made.
    #[error("cannot use HTTP: {0}")]
    NoClient(Arc<str>),
}

impl Endpoint {
    pub(super) fn new(server: Arc<str>, remote: Remote) -> Result<Self, Trouble> {
        Ok(Self {
            authorization: Authorization::of(&server, &remote),
            client: client(&remote)?,
            remote,
            session: Mutex::default(),
        })
    }

    /// The address as it was configured.
    pub(super) fn url(&self) -> &Url {
        &self.remote.url
    }

    pub(super) fn remote(&self) -> &Remote {
        &self.remote
    }

    pub(super) fn session(&self) -> Session {
        self.lock().clone()
    }

    /// Keeps what the answer to `initialize` says of the session.
    pub(super) fn set_session(&self, id: Option<HeaderValue>) {
        let id = id.map(|mut id| {
            // Whoever knows it can speak for this client.
            id.set_sensitive(true);
            id
        });
        self.lock().id = id;
    }

    pub(super) fn set_version(&self, version: HeaderValue) {
        self.lock().version = Some(version);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a message. Its own headers come before those of the session.
    pub(super) async fn post(
        &self,
        url: &Url,
        message: Bytes,
        own: HeaderMap,
    ) -> Result<Response, Trouble> {
        let mut headers = self.session_headers();
        headers.extend(own);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let accept = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert(ACCEPT, accept);
        self.send(Method::POST, url, headers, message).await
    }

    /// Opens a stream, perhaps where another one broke.
    pub(super) async fn get(&self, last_event: Option<&HeaderValue>) -> Result<Response, Trouble> {
        let mut headers = self.session_headers();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        if let Some(id) = last_event {
            headers.insert(LAST_EVENT, id.clone());
        }
        self.send(Method::GET, self.url(), headers, Bytes::new())
            .await
    }

    /// Tells the server that the session is over, if there is one.
    pub(super) async fn delete(&self) {
        if self.session().id.is_none() {
            return;
        }
        let headers = self.session_headers();
        let farewell = self.send(Method::DELETE, self.url(), headers, Bytes::new());
        // A server need not heed it, nor does the gateway wait for one that is gone.
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }

    fn session_headers(&self) -> HeaderMap {
        let Session { id, version } = self.session();
        let named = [(SESSION, id), (VERSION, version)];
        named
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    async fn send(
        &self,
        method: Method,
        url: &Url,
        own: HeaderMap,
        body: Bytes,
    ) -> Result<Response, Trouble> {
        let mut headers = self.remote.headers.clone();
        headers.extend(own);
        // Who is not told may pack an answer.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let mut authorization = self.authorization.header().await.map_err(Trouble::Denied)?;
        let mut refused = false;
        loop {
            let mut request = Request::new(method.clone(), url.clone());
            *request.headers_mut() = headers.clone();
            let sent = authorization.take();
            if let Some(authorization) = sent.clone() {
                request.headers_mut().insert(AUTHORIZATION, authorization);
            }
            if !body.is_empty() {
                *request.body_mut() = Some(body.clone().into());
            }
            let response = self.client.execute(request).await;
            let response = response.map_err(|error| self.trouble(&error))?;
            match refusal(&response, sent) {
                Some(refusal) if !refused => {
                    refused = true;
                    let fresh = self.authorization.refused(&refusal).await;
                    authorization = Some(fresh.map_err(Trouble::Denied)?);
                }
                _ => return Ok(response),
            }
        }
    }

    /// What went wrong, in the words of whoever noticed first.
    pub(super) fn trouble(&self, error: &reqwest::Error) -> Trouble {
        let mut source: &dyn Error = error;
        while let Some(deeper) = source.source() {
            source = deeper;
        }
        let cause = match source.downcast_ref::<reqwest::Error>() {
            // Its own words name the whole address.
            Some(_) if error.is_timeout() => "it took too long".to_owned(),
            Some(_) => "the request failed".to_owned(),
            None => source.to_string(),
        };
        let address = self.remote.shown();
        if error.is_connect() {
            Trouble::Connect { address, cause }
        } else {
            Trouble::Broken { address, cause }
        }
    }
}

/// Whether a response asks for other credentials.
fn refusal(response: &Response, sent: Option<HeaderValue>) -> Option<Refusal> {
    let challenge = response.headers().get(WWW_AUTHENTICATE).cloned();
    let status = response.status();
    let refused = status == StatusCode::UNAUTHORIZED
        || (status == StatusCode::FORBIDDEN && challenge.is_some());
    refused.then_some(Refusal {
        status,
        sent,
        challenge,
    })
}

/// Where a response of a server redirects to, as it may be shown.
pub(super) fn redirected(remote: &Remote, response: &Response) -> Option<String> {
    if !response.status().is_redirection() {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let url = response.url().join(location).ok()?;
    Some(remote.as_shown(&url))
}

/// The client that all connections share, with its pool and the certificates
/// that the system trusts. What runs on this machine is not behind the proxy that
/// the environment may name.
fn client(remote: &Remote) -> Result<Client, Trouble> {
    type Shared = OnceLock<Result<Client, Arc<str>>>;
    static NEAR: Shared = OnceLock::new();
    static FAR: Shared = OnceLock::new();
    let shared = if remote.is_local() { &NEAR } else { &FAR };
    let client = shared.get_or_init(|| {
        // An error says that there is one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder();
        let builder = if remote.is_local() {
            builder.no_proxy()
        } else {
            builder
        };
        builder
            .user_agent(concat!("mcp-gateway/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .tcp_keepalive(KEEPALIVE)
            .redirect(Policy::custom(redirect))
            .referer(false)
            // A stream that listens for hours has a connection of its own.
            .http1_only()
            .build()
            .map_err(|error| error.to_string().into())
    });
    client.clone().map_err(Trouble::NoClient)
}

/// Credentials must not follow to another server, nor may a message become
/// another request on the way.
fn redirect(attempt: Attempt<'_>) -> Action {
    let kept = matches!(
        attempt.status(),
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT
    );
    let first = attempt.previous().first().map(Url::origin);
    if kept && first == Some(attempt.url().origin()) && attempt.previous().len() <= REDIRECTS {
        attempt.follow()
    } else {
        attempt.stop()
    }
}
