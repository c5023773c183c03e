//! Logging in to servers over HTTP (OAuth 2.1, as MCP's authorization has it).
//!
//! `mcp-gateway login` obtains tokens with a person's consent ([`login`]) and keeps
//! them ([`Tokens`]). Gateways that run find them there with their next request,
//! renew them when they are over, and say what to do when that is not possible.
//! The protocol itself is rmcp's.

mod login;
mod tokens;

pub use login::{Login, LoginError, login, logout};
pub use tokens::{LogIn, TokenError, Tokens};

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oauth2::TokenResponse;
use reqwest::header::{ACCEPT, CONTENT_TYPE, WWW_AUTHENTICATE};
use rmcp::transport::auth::{
    AuthError, AuthorizationManager, OAuthClientConfig, StoredCredentials,
};

use crate::config::Remote;

/// A token that ends so soon is renewed before it is used.
const SOON: Duration = Duration::from_secs(30);

/// How long a server may take to say where one logs in.
const PATIENCE: Duration = Duration::from_secs(10);

/// What one server is logged in to with.
#[derive(Debug)]
pub struct Account {
    tokens: Tokens,
    remote: Remote,
    /// One renewal at a time; those who waited find what it brought. It keeps the
    /// token that cannot be renewed any more: that is not tried again.
    renewing: tokio::sync::Mutex<Option<Arc<str>>>,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum NoToken {
    /// A person has to log in, for the first time or again.
    #[error("nobody is logged in")]
    LoggedOut,
    /// Something else went wrong, which may pass.
    #[error("the log-in cannot be renewed: {0}")]
    Failed(String),
}

impl Account {
    /// The account at a server; `None` if there is no place for tokens.
    pub fn of(remote: &Remote) -> Option<Self> {
        let tokens = Tokens::of(&remote.url).inspect_err(|error| {
            tracing::warn!("nobody can be logged in to servers: {error}");
        });
        Some(Self {
            tokens: tokens.ok()?,
            remote: remote.clone(),
            renewing: tokio::sync::Mutex::default(),
        })
    }

    /// The token for the next request; `None` if nobody has logged in.
    pub async fn token(&self) -> Option<Arc<str>> {
        let stored = self.tokens.read().ok()??;
        if !ends_soon(&stored) {
            return access_token(&stored);
        }
        match self.renew(&stored).await {
            Ok(token) => Some(token),
            // The server has the last word.
            Err(_) => access_token(&stored),
        }
    }

    /// Another token in place of one that the server has refused.
    pub async fn instead_of(&self, refused: Option<&str>) -> Result<Arc<str>, NoToken> {
        let stored = self.tokens.read();
        let stored = stored.map_err(|error| NoToken::Failed(error.to_string()))?;
        let stored = stored.ok_or(NoToken::LoggedOut)?;
        let current = access_token(&stored).ok_or(NoToken::LoggedOut)?;
        if refused.is_some_and(|refused| *refused == *current) {
            return self.renew(&stored).await;
        }
        // Somebody has logged in or renewed it meanwhile.
        Ok(current)
    }

    /// Renews a token, unless somebody else has.
    async fn renew(&self, old: &StoredCredentials) -> Result<Arc<str>, NoToken> {
        let mut over = self.renewing.lock().await;
        let stored = self.tokens.read();
        let stored = stored.map_err(|error| NoToken::Failed(error.to_string()))?;
        let current = stored.as_ref().and_then(access_token);
        let current = current.ok_or(NoToken::LoggedOut)?;
        if access_token(old).as_deref() != Some(&*current) {
            return Ok(current);
        }
        if over.as_ref() == Some(&current) {
            return Err(NoToken::LoggedOut);
        }
        match self.renewed().await {
            Ok(token) => Ok(token.into()),
            Err(AuthError::AuthorizationRequired | AuthError::TokenRefreshRejected(_)) => {
                *over = Some(current);
                Err(NoToken::LoggedOut)
            }
            Err(error) => Err(NoToken::Failed(error.to_string())),
        }
    }

    async fn renewed(&self) -> Result<String, AuthError> {
        let mut manager = manager(&self.remote).await?;
        manager.set_credential_store(self.tokens.clone());
        find(&mut manager, &self.remote).await?;
        if !manager.initialize_from_store().await? {
            return Err(AuthError::AuthorizationRequired);
        }
        let app = &self.remote.oauth;
        if let (Some(id), Some(secret)) = (&app.client_id, &app.client_secret) {
            let config = OAuthClientConfig::new(id.clone(), "http://localhost");
            manager.configure_client(config.with_client_secret(secret.clone()))?;
        }
        let token = manager.refresh_token().await?;
        Ok(token.access_token().secret().clone())
    }
}

/// What speaks to a server's authorization server.
async fn manager(remote: &Remote) -> Result<AuthorizationManager, AuthError> {
    // Whoever was first has chosen the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    AuthorizationManager::new(remote.url.as_str()).await
}

/// Finds the server's authorization server, the way that the server names if it
/// names one.
async fn find(manager: &mut AuthorizationManager, remote: &Remote) -> Result<(), AuthError> {
    let challenge = challenge(remote).await;
    let found = manager.resolve_metadata_from_challenge(challenge.as_deref());
    manager.set_metadata(found.await?.metadata);
    Ok(())
}

/// What a server says to whoever asks for something and is not logged in: its
/// `WWW-Authenticate` (RFC 9728, section 5.1). Asking for a list opens no session.
async fn challenge(remote: &Remote) -> Option<String> {
    const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(PATIENCE);
    let client = match remote.is_local() {
        true => client.no_proxy(),
        false => client,
    };
    let asked = client.build().ok()?.post(remote.url.clone());
    let asked = asked
        .headers(remote.headers.clone())
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json, text/event-stream")
        .body(LIST);
    let answer = asked.send().await.ok()?;
    let challenge = answer.headers().get(WWW_AUTHENTICATE)?;
    challenge.to_str().ok().map(str::to_owned)
}

fn access_token(stored: &StoredCredentials) -> Option<Arc<str>> {
    let token = stored.token_response.as_ref()?;
    Some(token.access_token().secret().as_str().into())
}

/// Whether a token is over, or about to be. One that does not say when it ends
/// lasts until it is refused.
fn ends_soon(stored: &StoredCredentials) -> bool {
    let lasts = stored
        .token_response
        .as_ref()
        .and_then(TokenResponse::expires_in);
    let (Some(lasts), Some(since)) = (lasts, stored.token_received_at) else {
        return false;
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let used = now.unwrap_or_default().as_secs().saturating_sub(since);
    // A token that lasts less than that is used for half its time.
    let soon = SOON.min(lasts / 2);
    lasts.saturating_sub(Duration::from_secs(used)) <= soon
}
