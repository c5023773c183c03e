//! Requests over HTTP, to the destinations that the configuration grants: `grant = { http = ["https://example.com"] }`.
//!
//! The gateway sends them with its own client, adds the headers that the configuration names for a destination (a key
//! need never be in a guardrail), and follows no redirect. Requests and bytes are limited for each message, and the
//! time is that of the check. There is no network while [`configure`](crate::Guardrail::configure) runs, nor for
//! messages that nobody sent: the examples, and those on which the gateway tries a new build. A native test has none
//! either.

#[cfg(target_family = "wasm")]
mod wasi;

use std::fmt;
use std::time::Duration;

/// A request in the making.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    method: &'a str,
    url: &'a str,
    headers: Vec<(String, String)>,
    body: &'a [u8],
    patience: Option<Duration>,
}

/// An answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Its status, such as 200.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpError {
    /// The request did not leave, and another attempt will not, either: it is not granted, or it is one too many. The
    /// words name the remedy.
    Refused(String),
    /// Nobody is there to talk to. The request did not arrive.
    Unreachable(String),
    /// The other side is not whom it should be: its certificate is not trusted.
    Untrusted(String),
    /// It took too long. The request may have arrived.
    TimedOut(String),
    /// The connection ended in the middle. The request may have arrived.
    Broken(String),
    /// The request, or its answer, is larger than one may be.
    TooLarge(String),
}

impl<'a> Request<'a> {
    /// A request with another method than [`get`](Self::get) and [`post`](Self::post) have.
    pub fn new(method: &'a str, url: &'a str) -> Self {
        Self {
            method,
            url,
            headers: Vec::new(),
            body: &[],
            patience: None,
        }
    }

    /// Asks for what is at an address.
    pub fn get(url: &'a str) -> Self {
        Self::new("GET", url)
    }

    /// Sends something to an address.
    pub fn post(url: &'a str, body: &'a [u8]) -> Self {
        Self {
            body,
            ..Self::new("POST", url)
        }
    }

    /// Adds a header. One that the configuration adds takes its place.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// How long the answer may take to begin, and between any two pieces of it; at most as long as the check.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Sends it, and waits for the whole answer.
    ///
    /// # Errors
    /// There is none.
    pub fn send(&self) -> Result<Response, HttpError> {
        let address = Address::of(self.url)
            .ok_or_else(|| HttpError::Refused("its address is none of http or https".into()))?;
        self.send_to(&address)
    }

    #[cfg(target_family = "wasm")]
    fn send_to(&self, address: &Address<'_>) -> Result<Response, HttpError> {
        wasi::send(self, address)
    }

    #[cfg(not(target_family = "wasm"))]
    fn send_to(&self, address: &Address<'_>) -> Result<Response, HttpError> {
        Err(HttpError::Unreachable(format!(
            "{} is not reached outside of a gateway",
            address.authority
        )))
    }
}

impl Response {
    /// The first header of a name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(is, _)| is == name)?;
        std::str::from_utf8(value).ok()
    }
}

/// The parts of a URL that a request names apart.
#[derive(Debug, PartialEq, Eq)]
struct Address<'a> {
    secure: bool,
    authority: &'a str,
    path: &'a str,
}

impl<'a> Address<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let rest = rest.split('#').next()?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        Some(Self {
            secure,
            authority,
            path: if path.is_empty() { "/" } else { path },
        })
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, words) = match self {
            Self::Refused(words) => ("the request does not leave", words),
            Self::Unreachable(words) => ("nobody is reached", words),
            Self::Untrusted(words) => ("the other side is not trusted", words),
            Self::TimedOut(words) => ("there is no answer in time", words),
            Self::Broken(words) => ("the connection broke", words),
            Self::TooLarge(words) => ("it is larger than it may be", words),
        };
        write!(f, "{what}: {words}")
    }
}

impl std::error::Error for HttpError {}

/// So that `?` works in [`Guardrail::check`](crate::Guardrail::check).
impl From<HttpError> for String {
    fn from(error: HttpError) -> Self {
        error.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_apart_as_it_is_written() {
        let address = |secure, authority, path| {
            Some(Address {
                secure,
                authority,
                path,
            })
        };
        for (url, parts) in [
            ("https://a.example", address(true, "a.example", "/")),
            ("http://a:1/b/c?d#e", address(false, "a:1", "/b/c?d")),
            ("https://a?b/c", address(true, "a", "?b/c")),
            ("ftp://a", None),
            ("a.example/b", None),
        ] {
            assert_eq!(Address::of(url), parts, "{url}");
        }
    }

    #[test]
    fn nobody_is_reached_outside_of_a_gateway() {
        let error = Request::get("https://a.example").send();
        assert!(matches!(error, Err(HttpError::Unreachable(_))), "{error:?}");
    }
}
