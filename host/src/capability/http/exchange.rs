//! One request and its answer.

use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::{Request, Response};
use http_body_util::{BodyExt, StreamBody};
use reqwest::Body;
use tokio::sync::watch;
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::network::Route;
use super::resolver::Unresolved;

/// A request that leaves, and what holds for it.
pub(super) struct Exchange {
    pub(super) route: Route,
    /// Bytes of its body, and of the answer's.
    pub(super) most: usize,
    pub(super) patience: Patience,
    /// Closed once the check is over: nobody waits for an answer then.
    pub(super) over: watch::Receiver<()>,
}

/// How long a guest wants to wait, which without an end is as long as its check may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until an answer begins.
    head: Duration,
    /// Between two pieces of it.
    gap: Duration,
}

impl Patience {
    pub(super) fn of(options: Option<RequestOptions>) -> Self {
        let options = options.unwrap_or_default();
        let connect = options.connect_timeout.unwrap_or(Duration::MAX);
        let first = options.first_byte_timeout.unwrap_or(Duration::MAX);
        Self {
            head: connect.saturating_add(first),
            gap: options.between_bytes_timeout.unwrap_or(Duration::MAX),
        }
    }
}

impl Exchange {
    /// Sends a request, with what is added to each that goes there, and gives the
    /// answer as it comes in.
    pub(super) async fn send(
        self,
        request: Request<WasiBody>,
    ) -> Result<Response<WasiBody>, Error> {
        let Self {
            route,
            most,
            patience,
            mut over,
        } = self;
        let answered = timeout(patience.head, sent(&route, request, most));
        let response = tokio::select! {
            biased;
            _ = over.changed() => return Err(Error::ConnectionTerminated),
            answered = answered => answered.map_err(|_| Error::HttpResponseTimeout)??,
        };
        let announced = response.content_length().unwrap_or_default();
        if announced > u64::try_from(most).unwrap_or(u64::MAX) {
            return Err(Error::HttpResponseBodySize(Some(announced)));
        }
        let body = |body: Body| received(body, most, patience.gap, over);
        Ok(Response::from(response).map(body))
    }
}

async fn sent(
    route: &Route,
    request: Request<WasiBody>,
    most: usize,
) -> Result<reqwest::Response, Error> {
    let (Some(destination), Some(client)) = (route.destination(), route.client()) else {
        return Err(Error::DestinationNotFound);
    };
    let (parts, body) = request.into_parts();
    let body = collected(body, most).await?;
    let mut sent = reqwest::Request::new(parts.method, route.url.clone());
    *sent.headers_mut() = parts.headers;
    // These take the place of the guest's own.
    sent.headers_mut().extend(destination.headers.clone());
    if !body.is_empty() {
        *sent.body_mut() = Some(body.into());
    }
    let answered = client.execute(sent).await;
    answered.map_err(|error| told(&error, &destination.origin()))
}

/// The whole body of a request: known before it is sent, so that it has a length and
/// can be sent once more where a kept connection turns out to be gone.
async fn collected(mut body: WasiBody, most: usize) -> Result<Bytes, Error> {
    let mut collected = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if collected.len() + data.len() > most {
            return Err(Error::HttpRequestBodySize(u64::try_from(most).ok()));
        }
        collected.extend_from_slice(&data);
    }
    Ok(collected.freeze())
}

/// The body of an answer: no longer than it may be, never silent for longer than the
/// gap, and at an end when the check is.
fn received(body: Body, most: usize, gap: Duration, over: watch::Receiver<()>) -> WasiBody {
    let pieces = stream::unfold(Some((body, most, over)), move |state| async move {
        let (mut body, left, mut over) = state?;
        let frame = tokio::select! {
            biased;
            _ = over.changed() => return Some((Err(Error::ConnectionTerminated), None)),
            frame = timeout(gap, body.frame()) => frame,
        };
        let frame = match frame {
            Err(_) => return Some((Err(Error::ConnectionReadTimeout), None)),
            Ok(None) => return None,
            Ok(Some(Err(error))) => return Some((Err(told(&error, "")), None)),
            Ok(Some(Ok(frame))) => frame,
        };
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(left) => Some((Ok(frame), Some((body, left, over)))),
            None => {
                let most = u64::try_from(most).ok();
                Some((Err(Error::HttpResponseBodySize(most)), None))
            }
        }
    });
    StreamBody::new(pieces).boxed_unsync()
}

/// What went wrong, as `wasi:http` says it. What a person can change is said in words.
fn told(error: &reqwest::Error, origin: &str) -> Error {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(unresolved) = error.downcast_ref::<Unresolved>() {
            return refused_name(unresolved, origin);
        }
        if let Some(told) = error.downcast_ref().and_then(told_by_system) {
            return told;
        }
        cause = error.source();
    }
    match (error.is_timeout(), error.is_connect()) {
        (true, true) => Error::ConnectionTimeout,
        (true, false) => Error::HttpResponseTimeout,
        (false, true) => Error::DestinationUnavailable,
        (false, false) => Error::ConnectionTerminated,
    }
}

/// What the system says, or who wraps their words in its.
fn told_by_system(error: &io::Error) -> Option<Error> {
    if let Some(inner) = error.get_ref() {
        if let Some(error) = inner.downcast_ref::<rustls::Error>() {
            return Some(match error {
                rustls::Error::InvalidCertificate(_) => Error::TlsCertificateError,
                _ => Error::TlsProtocolError,
            });
        }
        if let Some(error) = inner.downcast_ref() {
            return told_by_system(error);
        }
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => Some(Error::ConnectionRefused),
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => Some(Error::ConnectionTerminated),
        _ => None,
    }
}

fn refused_name(unresolved: &Unresolved, origin: &str) -> Error {
    match unresolved {
        Unresolved::NotPublic(_) => Error::InternalError(Some(format!(
            "{origin} is not reached: {unresolved}; to allow that, write \
             `grant.http.\"{origin}\" = {{ private = true }}` into the guardrail's entry of \
             gateway.toml"
        ))),
        Unresolved::Unknown(_) | Unresolved::Nothing => Error::DnsError {
            rcode: Some(unresolved.to_string()),
            info_code: None,
        },
    }
}
