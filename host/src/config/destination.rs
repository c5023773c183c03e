//! Where a guardrail may send HTTP requests.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName};

/// All destinations of a guardrail. With none, every request is refused.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Destinations(pub Arc<[Destination]>);

/// An origin that a guardrail may send requests to.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    /// Scheme, host and port; there is nothing else in it.
    pub url: Url,
    /// What the gateway adds to each request, so that the guardrail need not know it.
    pub headers: HeaderMap,
    /// Whether its name may stand for an address that is not public.
    pub private: bool,
}

impl Destination {
    /// Its origin, as the configuration writes it.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Whether its name says by itself that this is no public place: it is an address,
    /// or `localhost`.
    pub fn is_explicit(&self) -> bool {
        self.address().is_some() || self.is_localhost()
    }

    /// Whether it is on this machine.
    pub fn is_local(&self) -> bool {
        self.is_localhost() || self.address().is_some_and(|address| address.is_loopback())
    }

    /// Whether everybody on the way can read what is added to its requests.
    pub(super) fn is_overheard(&self) -> bool {
        self.url.scheme() == "http" && !self.is_local() && !self.headers.is_empty()
    }

    fn is_localhost(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        host == "localhost" || host.ends_with(".localhost")
    }

    fn address(&self) -> Option<IpAddr> {
        let host = self.url.host_str()?;
        let address = host.trim_start_matches('[').trim_end_matches(']');
        address.parse().ok()
    }
}

/// The values of headers are secrets, so they are left out.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the keys' own iterator, which shows the values as well.
        let headers: Vec<_> = self.headers.keys().map(HeaderName::as_str).collect();
        f.debug_struct("Destination")
            .field("origin", &self.origin())
            .field("headers", &headers)
            .field("private", &self.private)
            .finish()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn destination(url: &str) -> Destination {
        Destination {
            url: url.parse().unwrap(),
            headers: HeaderMap::new(),
            private: false,
        }
    }

    #[test]
    fn an_address_in_any_form_and_localhost_say_what_they_are() {
        for (url, explicit, local) in [
            ("http://127.0.0.1:1", true, true),
            ("http://0x7f.1", true, true),
            ("http://[::1]:1", true, true),
            ("http://10.0.0.1", true, false),
            ("https://localhost", true, true),
            ("https://api.localhost", true, true),
            ("https://localhost.example", false, false),
            ("https://example.com", false, false),
        ] {
            let destination = destination(url);
            assert_eq!(destination.is_explicit(), explicit, "{url}");
            assert_eq!(destination.is_local(), local, "{url}");
        }
    }

    #[test]
    fn the_values_of_headers_do_not_show_in_debug_output() {
        let mut destination = destination("https://example.com");
        let key = "hunter2".parse().unwrap();
        destination.headers.insert("api-key", key);
        let shown = format!("{destination:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(shown.contains("api-key"), "{shown}");
    }
}
