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

use reqwest::StatusCode;
use reqwest::header::HeaderValue;

use crate::config::{Remote, shell_word};
use crate::oauth::{Account, NoToken};

/// Where the `Authorization` header of requests comes from.
#[derive(Debug)]
pub(super) enum Authorization {
    /// The configuration has one, which is among the server's other headers.
    Configured,
    /// A person logs in.
    Person {
        /// The command for it.
        command: String,
        /// What they have logged in to; `None` if nothing can be kept.
        account: Option<Box<Account>>,
    },
}

/// A server's refusal of a request.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Its status.
    pub(super) status: StatusCode,
    /// What the request had logged in with.
    pub(super) sent: Option<HeaderValue>,
    /// Its `WWW-Authenticate`, which says where one logs in, and for what.
    pub(super) challenge: Option<HeaderValue>,
}

impl Authorization {
    /// What the configuration of a server allows.
    pub(super) fn of(server: &str, remote: &Remote) -> Self {
        if remote.has_credentials() {
            Self::Configured
        } else {
            Self::Person {
                command: format!(
                    "mcp-gateway login {} {}",
                    shell_word(server),
                    remote.found_by
                ),
                account: Account::of(remote).map(Box::new),
            }
        }
    }

    /// The header for the next request, if there is one to add.
    pub(super) async fn header(&self) -> Result<Option<HeaderValue>, String> {
        match self {
            Self::Person {
                account: Some(account),
                ..
            } => account.token().await.as_deref().map(bearer).transpose(),
            _ => Ok(None),
        }
    }

    /// A header to try instead of the one that was refused, or why there is
    /// none.
    pub(super) async fn refused(&self, refusal: &Refusal) -> Result<HeaderValue, String> {
        let status = refusal.status.as_u16();
        let (command, account) = match self {
            Self::Configured => {
                return Err(format!(
                    "it refuses what the configuration logs in with (HTTP {status}); check \"bearer\" and \"headers\""
                ));
            }
            Self::Person { command, account } => (command.trim_end(), account),
        };
        if let Some(scope) = refusal.missing_scope() {
            return Err(format!(
                "it wants you to log in with more rights: run `{command} --scope \"{scope}\"`"
            ));
        }
        if refusal.status != StatusCode::UNAUTHORIZED {
            return Err(format!("it forbids this (HTTP {status})"));
        }
        let log_in = || format!("it wants you to log in: run `{command}`");
        let account = account.as_ref().ok_or_else(log_in)?;
        match account.instead_of(refusal.token()).await {
            Ok(token) => bearer(&token),
            Err(NoToken::LoggedOut) => Err(log_in()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn bearer(token: &str) -> Result<HeaderValue, String> {
    let header = HeaderValue::from_str(&format!("Bearer {token}"));
    let mut header = header.map_err(|_| "its token is none".to_owned())?;
    header.set_sensitive(true);
    Ok(header)
}

impl Refusal {
    fn token(&self) -> Option<&str> {
        self.sent.as_ref()?.to_str().ok()?.strip_prefix("Bearer ")
    }

    /// What a log-in would have to be good for, if this one is good for too
    /// little (RFC 6750, section 3).
    fn missing_scope(&self) -> Option<String> {
        let challenge = self.challenge.as_ref()?.to_str().ok()?;
        if !challenge.contains("insufficient_scope") {
            return None;
        }
        let (_, rest) = challenge.split_once("scope=\"")?;
        let (scope, _) = rest.split_once('"')?;
        // A person may paste it into a shell, and these are a server's words.
        let is_harmless = |c: &char| c.is_ascii_alphanumeric() || " -._:/+@,=".contains(*c);
        Some(scope.chars().filter(is_harmless).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_cannot_run_in_a_shell() {
        let refusal = |challenge: &'static str| Refusal {
            status: StatusCode::FORBIDDEN,
            sent: None,
            challenge: Some(HeaderValue::from_static(challenge)),
        };
        let asked =
            refusal(r#"Bearer error="insufficient_scope", scope="files:read $(rm -rf ~)`id`;x""#);
        assert_eq!(
            asked.missing_scope().as_deref(),
            Some("files:read rm -rf idx")
        );
        assert_eq!(refusal("Bearer scope=\"x\"").missing_scope(), None);
    }
}
