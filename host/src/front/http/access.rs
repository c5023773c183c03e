//! Who may talk to the gateway: which names it goes by, which web pages may
//! use it, and who has the token.
//!
//! A browser runs what any web site says, and a site can make its own name
//! point to this machine; what it cannot do is lie in `Host` and `Origin`.

use std::net::IpAddr;

use hyper::header::{self, HeaderMap, HeaderName};
use hyper::http::uri::Authority;

use super::token::Token;

/// What has to be right about a request before anything else of it counts.
#[derive(Debug)]
pub(super) struct Access {
    /// The address that is listened on, which is a name of the gateway, too.
    own: IpAddr,
    hosts: Vec<String>,
    origins: Vec<String>,
    token: Option<Token>,
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Denied {
    #[error(
        "the Host header names no address of this gateway; start it with --allow-host to let a name in"
    )]
    Host,
    #[error(
        "web pages of this Origin may not use this gateway; start it with --allow-origin to let one in"
    )]
    Origin,
    #[error("a bearer token is required: Authorization: Bearer …")]
    NoToken,
    #[error("the bearer token is not the gateway's")]
    WrongToken,
}

impl Access {
    pub(super) fn new(
        own: IpAddr,
        hosts: Vec<String>,
        origins: Vec<String>,
        token: Option<Token>,
    ) -> Self {
        Self {
            own,
            hosts,
            origins,
            token,
        }
    }

    /// Whether the request is for this gateway, and from where it may come.
    pub(super) fn place(&self, headers: &HeaderMap) -> Result<(), Denied> {
        if !text(headers, &header::HOST).is_some_and(|host| self.is_host(host)) {
            return Err(Denied::Host);
        }
        match headers.get(header::ORIGIN) {
            None => Ok(()),
            Some(_) if text(headers, &header::ORIGIN).is_some_and(|it| self.is_origin(it)) => {
                Ok(())
            }
            Some(_) => Err(Denied::Origin),
        }
    }

    /// Whether the request has the token, if there is one.
    pub(super) fn token(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let Some(token) = &self.token else {
            return Ok(());
        };
        match bearer(headers) {
            None => Err(Denied::NoToken),
            Some(given) if given == *token => Ok(()),
            Some(_) => Err(Denied::WrongToken),
        }
    }

    fn is_host(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else {
            return false;
        };
        let name = authority.host();
        let allowed = |it: &String| it.eq_ignore_ascii_case(host) || it.eq_ignore_ascii_case(name);
        is_loopback(name) || self.is_address(name) || self.hosts.iter().any(allowed)
    }

    /// Whether a host is an address that the gateway may be at. An address is no name
    /// that somebody could point elsewhere. Who listens on every address that the
    /// machine has goes by others, too: a router's, or that of a container's host.
    fn is_address(&self, host: &str) -> bool {
        let own = self.own.to_canonical();
        ip(host).is_some_and(|ip| own.is_unspecified() || ip == own)
    }

    fn is_origin(&self, origin: &str) -> bool {
        if self
            .origins
            .iter()
            .any(|it| it.eq_ignore_ascii_case(origin))
        {
            return true;
        }
        let authority = ["http://", "https://"]
            .iter()
            .find_map(|scheme| origin.strip_prefix(scheme));
        let authority = authority.and_then(|it| it.parse::<Authority>().ok());
        authority.is_some_and(|authority| is_loopback(authority.host()))
    }
}

/// The token that a request gives, whether or not one is asked for.
pub(super) fn bearer(headers: &HeaderMap) -> Option<Token> {
    let (scheme, token) = text(headers, &header::AUTHORIZATION)?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    Token::new(token)
}

/// A header's text; none if it is there twice, since two readers could take
/// different ones for it.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether a name stands for this machine alone.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || ip(host).is_some_and(|ip| ip.is_loopback())
}

fn ip(host: &str) -> Option<IpAddr> {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let ip: IpAddr = address.parse().ok()?;
    Some(ip.to_canonical())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn access(token: Option<&str>) -> Access {
        Access::new(
            [192, 168, 1, 5].into(),
            vec!["gateway.example".into(), "other.example:9000".into()],
            vec!["https://app.example".into()],
            token.and_then(Token::new),
        )
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn only_names_of_the_gateway_are_hosts() {
        let cases = [
            ("localhost", true),
            ("LOCALHOST:8808", true),
            ("127.0.0.1:8808", true),
            ("127.9.9.9", true),
            ("[::1]:8808", true),
            ("192.168.1.5:8808", true),
            ("192.168.1.6:8808", false),
            ("gateway.example", true),
            ("gateway.example:1", true),
            ("other.example:9000", true),
            ("other.example", false),
            ("evil.example", false),
            ("localhost.evil.example", false),
            ("evil.example@localhost.example", false),
            ("127.0.0.1.evil.example", false),
            ("", false),
        ];
        for (host, expected) in cases {
            let got = access(None).place(&headers(&[("host", host)]));
            assert_eq!(got.is_ok(), expected, "{host}");
        }
        let everywhere = Access::new(
            [0, 0, 0, 0].into(),
            Vec::new(),
            Vec::new(),
            Token::new("right"),
        );
        for (host, expected) in [
            ("192.168.1.6:8808", true),
            ("[fd00::2]:8808", true),
            ("[::ffff:127.0.0.1]", true),
            ("evil.example", false),
            ("192.168.1.6.evil.example", false),
        ] {
            let got = everywhere.place(&headers(&[("host", host)]));
            assert_eq!(got.is_ok(), expected, "{host}");
        }
        let twice = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(access(None).place(&headers(&twice)), Err(Denied::Host));
        assert_eq!(access(None).place(&headers(&[])), Err(Denied::Host));
    }

    #[test]
    fn only_pages_of_this_machine_and_those_allowed_are_origins() {
        let cases = [
            ("http://localhost:3000", true),
            ("https://127.0.0.1", true),
            ("http://[::1]:5", true),
            ("https://app.example", true),
            ("http://app.example", false),
            ("https://app.example:444", false),
            ("https://localhost.evil.example", false),
            ("null", false),
            ("file://", false),
        ];
        for (origin, expected) in cases {
            let got = access(None).place(&headers(&[("host", "localhost"), ("origin", origin)]));
            assert_eq!(got.is_ok(), expected, "{origin}");
        }
    }

    #[test]
    fn a_token_must_be_the_right_one() {
        let cases = [
            ("Bearer right", Ok(())),
            ("bearer right ", Ok(())),
            ("Bearer wrong", Err(Denied::WrongToken)),
            ("Bearer ", Err(Denied::NoToken)),
            ("Basic right", Err(Denied::NoToken)),
            ("right", Err(Denied::NoToken)),
        ];
        for (value, expected) in cases {
            let got = access(Some("right")).token(&headers(&[("authorization", value)]));
            assert_eq!(got, expected, "{value}");
        }
        assert_eq!(
            access(Some("right")).token(&headers(&[])),
            Err(Denied::NoToken)
        );
        assert_eq!(access(None).token(&headers(&[])), Ok(()));
    }
}
