//! The destinations of one guardrail, each with the client that reaches it.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use reqwest::redirect::Policy;
use reqwest::{Client, Url};

use super::Denied;
use super::resolver::PublicOnly;
use crate::config::{Destination, Destinations};

/// How long it may take to reach a destination.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(30);

/// How often the system asks whether the other end of a silent connection is still
/// there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Connections to a destination that are kept while nobody uses them.
const KEPT: usize = 8;

/// What one guardrail can reach, with the connections that are open. It lives as long
/// as the guardrail.
pub(crate) struct Network(Vec<Reached>);

struct Reached {
    destination: Destination,
    client: Client,
}

/// A destination and the address there.
pub(super) struct Route {
    network: Arc<Network>,
    index: usize,
    pub(super) url: Url,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
#[error("cannot use HTTP: {0}")]
pub(crate) struct NetworkError(#[from] reqwest::Error);

impl Network {
    pub(crate) fn new(destinations: &Destinations) -> Result<Self, NetworkError> {
        let reached = destinations.0.iter().map(|destination| {
            Ok(Reached {
                client: client(destination)?,
                destination: destination.clone(),
            })
        });
        Ok(Self(reached.collect::<Result<_, NetworkError>>()?))
    }

    /// The way to an address, if its scheme, host and port are granted. Both sides are
    /// read by the same rules, so that no other spelling of a host is another host.
    pub(super) fn route(self: &Arc<Self>, uri: &Uri) -> Result<Route, Denied> {
        let url = Url::parse(&uri.to_string()).map_err(|_| Denied::NoAddress)?;
        let plain = url.username().is_empty() && url.password().is_none();
        if !plain || !url.has_host() {
            return Err(Denied::NoAddress);
        }
        let mut reached = self.0.iter();
        match reached.position(|reached| reached.destination.url.origin() == url.origin()) {
            Some(index) => Ok(Route {
                network: Arc::clone(self),
                index,
                url,
            }),
            None => Err(Denied::NotGranted(url.origin().ascii_serialization())),
        }
    }
}

impl Route {
    fn reached(&self) -> Option<&Reached> {
        self.network.0.get(self.index)
    }

    pub(super) fn destination(&self) -> Option<&Destination> {
        self.reached().map(|reached| &reached.destination)
    }

    pub(super) fn client(&self) -> Option<&Client> {
        self.reached().map(|reached| &reached.client)
    }
}

/// The client of a destination. What runs on this machine is not behind the proxy that
/// the environment may name. A proxy resolves names itself, so behind one it is the
/// proxy that decides what a name may stand for.
fn client(destination: &Destination) -> Result<Client, reqwest::Error> {
    // An error says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Client::builder()
        .user_agent(concat!("mcp-gateway/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(KEPT)
        .tcp_keepalive(KEEPALIVE)
        .redirect(Policy::none())
        .referer(false);
    if destination.is_local() {
        builder = builder.no_proxy();
    }
    if !destination.private && !destination.is_explicit() {
        let host = destination.url.host_str().unwrap_or_default();
        builder = builder.dns_resolver(Arc::new(PublicOnly::new(host)));
    }
    builder.build()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;

    fn network(granted: &[&str]) -> Arc<Network> {
        let destinations = granted.iter().map(|url| Destination {
            url: url.parse().unwrap(),
            headers: HeaderMap::new(),
            private: false,
        });
        let destinations = Destinations(destinations.collect());
        Arc::new(Network::new(&destinations).unwrap())
    }

    fn goes(network: &Arc<Network>, uri: &str) -> Result<String, Denied> {
        let route = network.route(&uri.parse().unwrap())?;
        Ok(route.destination().unwrap().origin())
    }

    #[test]
    fn a_destination_is_granted_by_scheme_host_and_port() {
        let network = network(&["https://example.com", "http://example.com:8080"]);
        for uri in [
            "https://example.com/a?b",
            "https://EXAMPLE.com:443",
            "http://example.com:8080/",
        ] {
            assert!(goes(&network, uri).is_ok(), "{uri}");
        }
        for (uri, origin) in [
            ("http://example.com/", "http://example.com"),
            ("https://example.com:8080/", "https://example.com:8080"),
            ("https://a.example.com/", "https://a.example.com"),
            ("https://example.com./", "https://example.com."),
            ("https://example.org/", "https://example.org"),
            ("http://0x7f.1/", "http://127.0.0.1"),
        ] {
            let denied = Denied::NotGranted(origin.to_owned());
            assert_eq!(goes(&network, uri), Err(denied), "{uri}");
        }
        assert_eq!(
            goes(&network, "https://example.com@example.org/"),
            Err(Denied::NoAddress)
        );
    }

    #[test]
    fn where_nothing_is_granted_nothing_passes() {
        let denied = Denied::NotGranted("https://example.com".to_owned());
        assert_eq!(goes(&network(&[]), "https://example.com/"), Err(denied));
    }
}
