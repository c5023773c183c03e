//! The `http` capability: requests to the destinations that the configuration grants.
//!
//! Guests speak `wasi:http/outgoing-handler`, so that the HTTP client of any language
//! works. What they send goes through the gateway's own client ([`network`]): a
//! destination is granted by scheme, host and port, its headers are added here, so
//! that no key is ever in a guest, and no redirect is followed. A guest that waits
//! for an answer holds up nobody. What is left of its requests ends with the check.

mod address;
mod exchange;
mod network;
mod resolver;

pub(crate) use network::Network;

use std::sync::Arc;

use http::{Method, Request, Response};
use tokio::sync::watch;
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use super::log::{self, Line};
use super::own::Own;
use crate::config::Limits;
use crate::sandbox::Confined;
use exchange::{Exchange, Patience};
use network::Route;

/// Bytes of headers that a guest may hold in one object.
const HEADERS: usize = 32 << 10;

/// Bytes of a body that are taken from a guest at a time.
const CHUNK: usize = 64 << 10;

/// What the host holds of one instance's requests.
pub(crate) struct Http {
    context: WasiHttpCtx,
    requests: Requests,
}

/// What one instance may send, and on whose behalf.
struct Requests {
    /// Bytes of a body.
    body: usize,
    most: u32,
    left: u32,
    standing: Standing,
    /// Dropped at the end of a check, which ends what is left of its requests.
    check: Option<watch::Sender<()>>,
}

/// What an instance is doing at the moment.
enum Standing {
    /// It is configured, or does nothing.
    Idle,
    /// It judges a message that nobody sent.
    Rehearsing {
        /// Whether it would have sent something.
        tried: bool,
    },
    /// It judges a message.
    Checking {
        guardrail: Arc<str>,
        network: Arc<Network>,
    },
}

/// Why a request does not leave.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Denied {
    /// What `configure` leaves serves every session.
    #[error("no request leaves while a guardrail is configured")]
    Idle,
    /// Nobody sent the message.
    #[error("no request leaves while a guardrail is tried on messages that nobody sent")]
    Rehearsing,
    /// Nobody allowed it.
    #[error(
        "{0} is not granted; to allow requests to it, write `grant = {{ http = [\"{0}\"] }}` into \
         the guardrail's entry of gateway.toml"
    )]
    NotGranted(String),
    /// It has no address.
    #[error("it says no address to send it to")]
    NoAddress,
    /// It would become something else than a request.
    #[error("{0} is no method of a request that is passed on")]
    Method(Method),
    /// It sends too much.
    #[error(
        "it sent more than its limit of {0} requests a message; limits.http_requests of its entry \
         in gateway.toml says how many"
    )]
    TooMany(u32),
}

type Sending = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Answering = Box<dyn Future<Output = Result<(Response<WasiBody>, Sending), Error>> + Send>;

impl Http {
    pub(crate) fn new(limits: &Limits) -> Self {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(HEADERS);
        Self {
            context,
            requests: Requests {
                body: limits.http_body,
                most: limits.http_requests,
                left: 0,
                standing: Standing::Idle,
                check: None,
            },
        }
    }

    /// Gives back what one message may use, before the next is checked.
    pub(crate) fn renew(&mut self, own: Option<&Own>) {
        let requests = &mut self.requests;
        requests.left = requests.most;
        requests.standing = match own {
            None => Standing::Idle,
            Some(own) => match &own.network {
                None => Standing::Rehearsing { tried: false },
                Some(network) => Standing::Checking {
                    guardrail: Arc::clone(&own.guardrail),
                    network: Arc::clone(network),
                },
            },
        };
    }

    /// Ends what is left of a check's requests.
    pub(crate) fn settle(&mut self) {
        self.requests.check = None;
    }

    /// Whether it would have sent something, had anybody sent the message.
    pub(crate) fn missed_the_network(&self) -> bool {
        matches!(self.requests.standing, Standing::Rehearsing { tried: true })
    }
}

impl Requests {
    /// Lets a request pass that is granted and not one too many.
    fn let_through(&mut self, request: &Request<WasiBody>) -> Result<Route, Denied> {
        let network = match &mut self.standing {
            Standing::Idle => return Err(Denied::Idle),
            Standing::Rehearsing { tried } => {
                *tried = true;
                return Err(Denied::Rehearsing);
            }
            Standing::Checking { network, .. } => network,
        };
        self.left = self.left.checked_sub(1).ok_or(Denied::TooMany(self.most))?;
        if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
            return Err(Denied::Method(request.method().clone()));
        }
        network.route(request.uri())
    }

    /// Says in the log what was refused: with a few words a person can allow it.
    fn report(&self, denied: &Denied) {
        if let (Standing::Checking { guardrail, .. }, Denied::NotGranted(_)) =
            (&self.standing, denied)
        {
            let text = format!("a request was refused: {denied}");
            log::emit(guardrail, Line::warning(&text));
        }
    }
}

impl WasiHttpHooks for Requests {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _answered: Sending,
    ) -> Answering {
        let route = match self.let_through(&request) {
            Ok(route) => route,
            Err(denied) => {
                self.report(&denied);
                let words = denied.to_string();
                return Box::new(async move { Err(Error::InternalError(Some(words))) });
            }
        };
        let check = self.check.get_or_insert_with(|| watch::channel(()).0);
        let exchange = Exchange {
            route,
            most: self.body,
            patience: Patience::of(options),
            over: check.subscribe(),
        };
        Box::new(async move {
            let response = exchange.send(request).await?;
            Ok((response, Box::new(async { Ok(()) }) as Sending))
        })
    }

    fn set_host_header(&mut self) -> bool {
        // The client does.
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }
}

impl WasiHttpView for Confined {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.http.requests,
            table: &mut self.table,
            ctx: &mut self.http.context,
        }
    }
}
