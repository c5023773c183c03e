//! What a request logs in with.
//!
//! This is the seam for everything that obtains credentials. A connection asks
//! for the header before each request ([`Authorization::header`]). If the server
//! refuses the request (401, or 403 with a challenge), the connection hands in
//! what the server said ([`Authorization::refused`]), once for each request: a
//! fresh header means that the request is sent again with it, an error is why
//! the request fails, in words that follow the server's name. Another way to log
//! in is another case of [`Authorization`]; both methods are `async`, since a
//! token may have to be renewed, and many requests call them at a time.

use std::sync::Arc;

use reqwest::StatusCode;
use reqwest::header::HeaderValue;

use crate::config::Remote;

/// Where the `Authorization` header of requests comes from.
#[derive(Debug)]
pub(super) enum Authorization {
    /// The configuration has one, which is among the server's other headers.
    Configured,
    /// There is none.
    Nothing {
        /// The server's name, to tell a person how to log in.
        server: Arc<str>,
    },
}

/// A server's refusal of a request.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Its status.
    pub(super) status: StatusCode,
    /// Its `WWW-Authenticate`, which says where one logs in, and for what.
    pub(super) challenge: Option<HeaderValue>,
}

impl Authorization {
    /// What the configuration of a server allows.
    pub(super) fn of(server: Arc<str>, remote: &Remote) -> Self {
        if remote.has_credentials() {
            Self::Configured
        } else {
            Self::Nothing { server }
        }
    }

    /// The header for the next request, if there is one to add.
    pub(super) async fn header(&self) -> Result<Option<HeaderValue>, String> {
        match self {
            Self::Configured | Self::Nothing { .. } => Ok(None),
        }
    }

    /// A header to try instead of the one that was refused, or why there is
    /// none.
    pub(super) async fn refused(&self, refusal: &Refusal) -> Result<HeaderValue, String> {
        let status = refusal.status.as_u16();
        Err(match self {
            Self::Configured => format!(
                "it refuses what the configuration logs in with (HTTP {status}); check \"bearer\" and \"headers\""
            ),
            Self::Nothing { server } if refusal.is_about_rights() => {
                format!("it wants you to log in: run `mcp-gateway login {server}`")
            }
            Self::Nothing { .. } => format!("it forbids this (HTTP {status})"),
        })
    }
}

impl Refusal {
    /// Whether another log-in would help: there was none, or one with too few
    /// rights.
    fn is_about_rights(&self) -> bool {
        let challenge = self.challenge.as_ref().and_then(|it| it.to_str().ok());
        self.status == StatusCode::UNAUTHORIZED
            || challenge.is_some_and(|challenge| challenge.contains("insufficient_scope"))
    }
}
