//! What stands for what: kept in the gateway, for the session.

use std::collections::HashMap;
use std::time::Duration;

use mcp_gateway_sdk::{Message, Scope, State};

/// How often a message may use the vault. Well below what a guardrail may call the
/// gateway by default, since the message would be blocked at that.
const USES: u32 = 8_000;

/// How often it is tried again when another message was faster.
const ATTEMPTS: usize = 8;

/// Separates the servers from the value that they showed; no server is named so.
const END: u8 = 0;
const AND: char = '\n';

/// The vault of the session that a message belongs to.
pub(crate) struct Vault<'a> {
    state: State<'a>,
    time: Duration,
    left: u32,
    /// What this message has asked for already.
    known: HashMap<String, Option<Entry>>,
}

/// A value, and the servers that showed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) servers: Vec<String>,
    pub(crate) value: String,
}

/// What came of keeping a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It can be had back.
    Yes,
    /// Another value has that name.
    Taken,
    /// There is no room, so it cannot be had back.
    NoRoom,
}

impl<'a> Vault<'a> {
    pub(crate) fn of(message: &Message<'a>, time: Duration) -> Self {
        Self {
            state: message.state(Scope::Session),
            time,
            left: USES,
            known: HashMap::new(),
        }
    }

    pub(crate) fn get(&mut self, name: &str) -> Option<Entry> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        self.left = self.left.checked_sub(1)?;
        let found = self.state.get(name);
        let found = found.and_then(|found| Entry::parse(&found));
        self.known.insert(name.to_owned(), found.clone());
        found
    }

    /// Whether the message has asked so often that nothing more can be had.
    pub(crate) fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// Keeps a value under a name, from now on for its time.
    pub(crate) fn keep(&mut self, name: &str, value: &str, server: &str) -> Kept {
        self.known.remove(name);
        for _ in 0..ATTEMPTS {
            let Some(left) = self.left.checked_sub(2) else {
                return Kept::NoRoom;
            };
            self.left = left;
            let found = self.state.get(name);
            let known = found.as_deref().map(Entry::parse);
            let entry = match known.flatten() {
                Some(entry) if entry.value != value => return Kept::Taken,
                Some(entry) => entry.shown_by(server),
                None => Entry::of(value, server),
            };
            let time = Some(self.time);
            let found = found.as_deref();
            match self
                .state
                .compare_and_swap(name, found, &entry.bytes(), time)
            {
                Ok(true) => return Kept::Yes,
                Ok(false) => {}
                Err(_) => return Kept::NoRoom,
            }
        }
        Kept::NoRoom
    }

    /// Notes names, for whoever comes to `key` later.
    pub(crate) fn note(&mut self, key: &str, names: &[String]) {
        let names = names.join("\n");
        // Without it a value may be seen that the server repeats; the guardrail still
        // looks for it.
        let _ = self.state.set_for(key, names.as_bytes(), self.time);
    }

    /// Forgets what was noted.
    pub(crate) fn forget(&mut self, key: &str) {
        self.state.delete(key);
    }

    /// The names that were noted.
    pub(crate) fn noted(&mut self, key: &str) -> Vec<String> {
        let Some(names) = self.state.get(key) else {
            return Vec::new();
        };
        let names = String::from_utf8_lossy(&names);
        names.lines().map(str::to_owned).collect()
    }
}

impl Entry {
    pub(crate) fn of(value: &str, server: &str) -> Self {
        Self {
            servers: vec![server.to_owned()],
            value: value.to_owned(),
        }
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == END)?;
        let (servers, value) = bytes.split_at_checked(end)?;
        let servers = std::str::from_utf8(servers).ok()?;
        let value = std::str::from_utf8(value.get(1..)?).ok()?;
        Some(Self {
            servers: servers.split(AND).map(str::to_owned).collect(),
            value: value.to_owned(),
        })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.servers.join("\n").into_bytes();
        bytes.push(END);
        bytes.extend(self.value.as_bytes());
        bytes
    }

    fn shown_by(mut self, server: &str) -> Self {
        if !self.servers.iter().any(|known| known == server) {
            self.servers.push(server.to_owned());
        }
        self
    }
}
