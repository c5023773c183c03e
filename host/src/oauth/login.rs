//! A person logs in: the server's own page asks for their consent in a browser,
//! and sends them back to this machine with a code, which is good for tokens.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use rmcp::transport::auth::{AuthError, AuthorizationRequest, AuthorizationSession};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{TokenError, Tokens, find, manager};
use crate::config::{ConfigErrors, ConfigSource, Remote, Server, Transport};
use crate::keyring;

/// How long a person may take.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// How long a browser may take to say what it wants, and how much that may be.
const HEAD_PATIENCE: Duration = Duration::from_secs(2);
const LONGEST_HEAD: usize = 16 << 10;

/// Where the browser is sent back to.
const CALLBACK: &str = "/callback";

/// How to log in.
#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    /// Where the server is configured.
    pub source: ConfigSource,
    /// Its name there.
    pub server: String,
    /// Whether to open a browser.
    pub browser: bool,
    /// The port that the browser is sent back to; 0 for any.
    pub port: u16,
    /// What to ask for, besides what the configuration says.
    pub scopes: Vec<String>,
}

/// Why nobody is logged in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// The configuration has errors.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// There is no such server.
    #[error("there is no server {0:?} in the configuration; it has {1}")]
    Unknown(String, String),
    /// The server is not one to log in to.
    #[error("server {0:?} is a program on this machine: there is nothing to log in to")]
    NotRemote(String),
    /// Where it is, or who one is there, is not known.
    #[error("server {0:?}: {1}")]
    Unresolved(String, String),
    /// The configuration has something to log in with.
    #[error(
        "server {0:?} has a \"bearer\" or an Authorization header in the configuration; remove that to log in"
    )]
    Configured(String),
    /// The browser could not be sent back.
    #[error("cannot listen on 127.0.0.1: {0}")]
    Listen(io::Error),
    /// The protocol failed.
    #[error("cannot log in: {0}")]
    Protocol(#[from] AuthError),
    /// The person, or the server in their place, said no.
    #[error("the log-in was refused: {0}")]
    Refused(String),
    /// Nothing came back.
    #[error("nobody came back from the log-in page within {PATIENCE:?}; run the command again")]
    TimedOut,
    /// Tokens cannot be kept.
    #[error(transparent)]
    Tokens(#[from] TokenError),
}

/// Logs a person in to a server.
///
/// # Errors
/// When that is not possible, or not done within five minutes.
pub async fn login(login: Login) -> Result<(), LoginError> {
    let remote = remote(&login.source, &login.server)?;
    if remote.has_credentials() {
        return Err(LoginError::Configured(login.server));
    }
    let tokens = Tokens::of(&remote.url)?;
    let mut scopes = [&remote.oauth.scopes[..], &login.scopes[..]].concat();
    if !login.scopes.is_empty() {
        // Who needs more goes on needing what they have.
        let granted = tokens.read()?.map(|stored| stored.granted_scopes);
        scopes.extend(granted.unwrap_or_default());
        scopes.sort();
        scopes.dedup();
    }
    let listener = TcpListener::bind(("127.0.0.1", login.port))
        .await
        .map_err(LoginError::Listen)?;
    let address = listener.local_addr().map_err(LoginError::Listen)?;
    let origin = format!("http://{address}");

    let mut manager = manager(&remote).await?;
    manager.set_credential_store(tokens);
    find(&mut manager, &remote).await?;
    let mut request = AuthorizationRequest::new(format!("{origin}{CALLBACK}"))
        .with_client_name("mcp-gateway")
        .with_initial_scope_selection();
    if !scopes.is_empty() {
        request = request.with_scopes(scopes);
    }
    if let Some(id) = &remote.oauth.client_id {
        request = request.with_preregistered_client(id);
        if let Some(secret) = &remote.oauth.client_secret {
            request = request.with_client_secret(secret);
        }
    }
    let session = AuthorizationSession::new(manager, request).await;
    let session = session.map_err(|(_, error)| error)?;
    say(&format!(
        "to log in to server {:?}, open this page:\n{}",
        login.server, session.auth_url
    ));
    if login.browser {
        open(&session.auth_url);
    }
    let coming_back = come_back(&listener, &origin, &session);
    tokio::time::timeout(PATIENCE, coming_back)
        .await
        .map_err(|_| LoginError::TimedOut)??;
    say(&format!(
        "logged in to server {:?}; gateways that run use it from their next request on",
        login.server
    ));
    Ok(())
}

/// Forgets the tokens for a server.
///
/// # Errors
/// When there is no such server, or the tokens cannot be removed.
pub fn logout(source: &ConfigSource, server: &str) -> Result<(), LoginError> {
    let removed = Tokens::of(&remote(source, server)?.url)?.remove()?;
    say(&match removed {
        true => format!("logged out of server {server:?}"),
        false => format!("nobody was logged in to server {server:?}"),
    });
    Ok(())
}

fn remote(source: &ConfigSource, server: &str) -> Result<Remote, LoginError> {
    let config = source.load()?;
    let found = config.servers.iter().find(|it| it.name.as_str() == server);
    let found = found.map(filled).transpose()?;
    match found.map(|found| found.transport) {
        Some(Transport::Http(remote)) => Ok(*remote),
        Some(Transport::Stdio(_)) => Err(LoginError::NotRemote(server.to_owned())),
        None => {
            let names = config.servers.iter().map(|it| it.name.as_str());
            let names: Vec<&str> = names.collect();
            Err(LoginError::Unknown(server.to_owned(), names.join(", ")))
        }
    }
}

/// The server with all that its entry refers to.
fn filled(server: &Server) -> Result<Server, LoginError> {
    let unresolved = |why| LoginError::Unresolved(server.name.to_string(), why);
    if let Some(why) = server.unresolved() {
        return Err(unresolved(why));
    }
    let mut found = Vec::with_capacity(server.secrets.len());
    for item in &server.secrets {
        let secret = keyring::look_up_now(item).map_err(|cause| {
            let item = item.clone();
            unresolved(keyring::Unavailable { item, cause }.to_string())
        })?;
        found.push((item.clone(), secret));
    }
    let filled = server.filled(&found);
    filled.map_err(|error| unresolved(error.to_string()))
}

/// Waits for the browser. What is not the answer that is waited for is told so,
/// and changes nothing.
async fn come_back(
    listener: &TcpListener,
    origin: &str,
    session: &AuthorizationSession,
) -> Result<(), LoginError> {
    loop {
        let (mut browser, _) = listener.accept().await.map_err(LoginError::Listen)?;
        let head = tokio::time::timeout(HEAD_PATIENCE, target(&mut browser)).await;
        let Ok(Some(target)) = head else { continue };
        let is_callback = target.split('?').next() == Some(CALLBACK);
        if !is_callback {
            answer(&mut browser, "404 Not Found", "There is nothing here.").await;
            continue;
        }
        let url = format!("{origin}{target}");
        if let Some(reason) = refusal(&url, session) {
            answer(&mut browser, "400 Bad Request", "The log-in was refused.").await;
            return Err(LoginError::Refused(reason));
        }
        match session.handle_callback_url(&url).await {
            Ok(_) => {
                let text = "You are logged in. This page can be closed.";
                answer(&mut browser, "200 OK", text).await;
                return Ok(());
            }
            // The state is used up: nothing that comes later can be good for tokens.
            Err(error) if is_asked_for(&url, session) => {
                let text = "The log-in did not work; the terminal says why.";
                answer(&mut browser, "502 Bad Gateway", text).await;
                return Err(error.into());
            }
            Err(error) => {
                // A page that was not asked for may have sent the browser here.
                say(&format!("not the answer that is waited for: {error}"));
                let text = "This is not the log-in that was begun.";
                answer(&mut browser, "400 Bad Request", text).await;
            }
        }
    }
}

/// Why the person or the server said no, if this is the answer to what was asked.
fn refusal(url: &str, session: &AuthorizationSession) -> Option<String> {
    let error = parameter(url, "error")?;
    if !is_asked_for(url, session) {
        return None;
    }
    let more = parameter(url, "error_description");
    let words = [Some(error), more].into_iter().flatten();
    let words: Vec<String> = words.collect();
    Some(
        words
            .join(": ")
            .chars()
            .filter(|c| !c.is_control())
            .collect(),
    )
}

/// Whether an answer has the state that only the page that was opened knows.
fn is_asked_for(url: &str, session: &AuthorizationSession) -> bool {
    let state = parameter(url, "state");
    state.is_some() && state == parameter(&session.auth_url, "state")
}

fn parameter(url: &str, name: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

/// What a browser asks for.
async fn target(browser: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > LONGEST_HEAD || browser.read_buf(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let head = String::from_utf8(head).ok()?;
    let mut words = head.lines().next()?.split(' ');
    (words.next() == Some("GET")).then_some(())?;
    words.next().map(str::to_owned)
}

async fn answer(browser: &mut TcpStream, status: &str, text: &str) {
    let page = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    // A browser that is gone need not know.
    let _ = browser.write_all(page.as_bytes()).await;
    let _ = browser.shutdown().await;
}

/// For the person at the terminal, whatever the log's level.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Opens a page. Without a browser the person has its address.
fn open(url: &str) {
    let (program, args): (&str, &[&str]) = if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else if cfg!(target_os = "macos") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    };
    let mut browser = Command::new(program);
    browser
        .args(args)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _ = browser.spawn();
}
