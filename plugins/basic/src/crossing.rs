//! Secrets that came in with one server's answer and leave for another server.
//!
//! What is kept of a secret, for the session, is a hash under a key that the gateway derives for this guardrail and
//! session, and the names of the servers that showed it. A secret that the client sent before any server showed it is
//! the client's own, and goes wherever that means it to go.

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use hmac::{Hmac, Mac};
use mcp_gateway_sdk::{Direction, Message, Scope, State, Treatment};
use serde::Deserialize;
use sha2::Sha256;

/// What the key is for. Another version has another key.
const PURPOSE: &str = "crossing 1";

/// So many secrets of one message are remembered: well within what a guardrail may call the gateway.
const MOST: usize = 2_000;

/// How long it is remembered where a secret came from.
const TIME: Duration = Duration::from_secs(12 * 60 * 60);

/// How often it is tried again when another message was faster.
const ATTEMPTS: usize = 8;

/// Stands among the servers for the client. No server is named so.
const CLIENT: &str = "";

/// What becomes of a secret on its way to another server than it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Crossing {
    /// It is masked.
    Mask,
    /// The message is refused.
    Block,
    /// It is not asked where a secret comes from.
    Allow,
}

impl Crossing {
    pub(crate) fn treatment(self) -> Treatment {
        match self {
            Self::Mask => Treatment::Mask,
            Self::Block => Treatment::Refuse,
            Self::Allow => Treatment::Skip,
        }
    }
}

/// Where the secrets of one session came from, as far as one message asks.
pub(crate) struct Origins<'m> {
    message: &'m Message<'m>,
    state: State<'m>,
    key: Option<Vec<u8>>,
    /// What this message has asked for already, and whether it crosses.
    known: HashMap<String, bool>,
    /// Whether there was no room to remember one.
    pub(crate) is_full: bool,
}

impl<'m> Origins<'m> {
    pub(crate) fn of(message: &'m Message<'m>) -> Self {
        Self {
            message,
            state: message.state(Scope::Session),
            key: None,
            known: HashMap::new(),
            is_full: false,
        }
    }

    /// Remembers that the message's server showed a secret.
    pub(crate) fn shown(&mut self, secret: &str) -> Result<(), String> {
        let server = self.message.server();
        self.ask(secret, |origins| match origins.is_empty() {
            true => Some(vec![server.to_owned()]),
            false if origins.iter().any(|it| it == CLIENT || it == server) => None,
            false => {
                origins.push(server.to_owned());
                Some(std::mem::take(origins))
            }
        })
        .map(|_| ())
    }

    /// Whether a secret came from other servers only than the one that it goes to now. One that nobody showed is the
    /// client's.
    pub(crate) fn crosses(&mut self, secret: &str) -> Result<bool, String> {
        self.ask(secret, |origins| {
            origins.is_empty().then(|| vec![CLIENT.to_owned()])
        })
    }

    /// Looks a secret up and changes where it comes from as `change` says; whether it crosses.
    fn ask(
        &mut self,
        secret: &str,
        change: impl Fn(&mut Vec<String>) -> Option<Vec<String>>,
    ) -> Result<bool, String> {
        let name = self.name(secret)?;
        if let Some(crosses) = self.known.get(&name) {
            return Ok(*crosses);
        }
        if self.known.len() == MOST {
            // What leaves is held back rather than let go unseen.
            self.is_full = true;
            return Ok(self.message.direction() == Direction::ToServer);
        }
        let mut crosses = false;
        // Most are new, which one call tells and changes.
        let mut found: Option<Vec<u8>> = None;
        for _ in 0..ATTEMPTS {
            let said = found.as_deref().map(String::from_utf8_lossy);
            let mut origins: Vec<String> = said
                .iter()
                .flat_map(|said| said.split('\n'))
                .map(str::to_owned)
                .collect();
            let known = |it: &String| it == CLIENT || it == self.message.server();
            crosses = !origins.is_empty() && !origins.iter().any(known);
            let Some(origins) = change(&mut origins) else {
                break;
            };
            let said = origins.join("\n");
            let swapped =
                self.state
                    .compare_and_swap(&name, found.as_deref(), said.as_bytes(), Some(TIME));
            match swapped {
                Ok(true) => break,
                Ok(false) => found = self.state.get(&name),
                Err(_) => {
                    self.is_full = true;
                    break;
                }
            }
        }
        self.known.insert(name, crosses);
        Ok(crosses)
    }

    /// What a secret is kept under.
    fn name(&mut self, secret: &str) -> Result<String, String> {
        let message = self.message;
        let key = self
            .key
            .get_or_insert_with(|| message.key(Scope::Session, PURPOSE));
        let mut mac =
            <Hmac<Sha256> as Mac>::new_from_slice(key).map_err(|error| error.to_string())?;
        mac.update(secret.as_bytes());
        let mut name = String::new();
        for byte in mac.finalize().into_bytes().iter().take(16) {
            write!(name, "{byte:02x}").map_err(|error| error.to_string())?;
        }
        Ok(name)
    }
}
