//! What a guardrail keeps in the gateway.

use std::fmt;
use std::time::Duration;

use crate::Scope;
use crate::bindings::mcp_gateway::guardrail::state as raw;
use crate::testing::Gateway;

/// Values that the gateway keeps for a guardrail: see [`Message::state`](crate::Message::state).
///
/// They outlive the instance, a fault and a swap of the guardrail, but not the gateway. Each call is atomic, and
/// counts against the limit on calls of the gateway. A store that is full refuses; nothing is dropped to make room
/// but what has expired. Times are in whole seconds, rounded up.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    scope: Scope,
    session: &'a str,
    gateway: Option<&'a Gateway>,
}

/// Why something is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateError {
    /// There is no room for one more entry, or for so many bytes.
    Full,
    /// The key or the value is longer than one may be.
    TooLarge,
    /// The value is no number that can be counted on, or would be no longer.
    NotANumber,
}

impl<'a> State<'a> {
    pub(crate) fn new(scope: Scope, session: &'a str, gateway: Option<&'a Gateway>) -> Self {
        Self {
            scope,
            session,
            gateway,
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Vec<u8>> {
        match self.gateway {
            Some(gateway) => gateway.get(self.store(), key),
            None => raw::get(self.scope, key),
        }
    }

    /// Sets a value, whatever was there. It stays as long as the store.
    ///
    /// # Errors
    /// There is no room, or the key or the value is too long.
    pub fn set(&self, key: &str, value: &[u8]) -> Result<(), StateError> {
        self.put(key, value, None)
    }

    /// Sets a value that is gone after a time.
    ///
    /// # Errors
    /// There is no room, or the key or the value is too long.
    pub fn set_for(&self, key: &str, value: &[u8], time: Duration) -> Result<(), StateError> {
        self.put(key, value, Some(seconds(time)))
    }

    fn put(&self, key: &str, value: &[u8], ttl: Option<u32>) -> Result<(), StateError> {
        match self.gateway {
            Some(gateway) => gateway.set(self.store(), key, value, ttl),
            None => Ok(raw::set(self.scope, key, value, ttl)?),
        }
    }

    /// Removes a value. Whether there was one.
    pub fn delete(&self, key: &str) -> bool {
        match self.gateway {
            Some(gateway) => gateway.delete(self.store(), key),
            None => raw::delete(self.scope, key),
        }
    }

    /// Adds to a number, which counts from 0, and gives the sum. The time runs from the first call, and later ones do
    /// not prolong it; without one the number stays.
    ///
    /// # Errors
    /// There is no room, or what is there is no number.
    pub fn increment(&self, key: &str, by: i64, time: Option<Duration>) -> Result<i64, StateError> {
        let ttl = time.map(seconds);
        match self.gateway {
            Some(gateway) => gateway.increment(self.store(), key, by, ttl),
            None => Ok(raw::increment(self.scope, key, by, ttl)?),
        }
    }

    /// Sets a value if what is there is what is expected: these bytes, or nothing. Whether it did.
    ///
    /// # Errors
    /// There is no room, or the key or the value is too long.
    pub fn compare_and_swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        time: Option<Duration>,
    ) -> Result<bool, StateError> {
        let ttl = time.map(seconds);
        match self.gateway {
            Some(gateway) => gateway.compare_and_swap(self.store(), key, expected, value, ttl),
            None => Ok(raw::compare_and_swap(
                self.scope, key, expected, value, ttl,
            )?),
        }
    }

    /// The session, unless it is for all of them.
    fn store(&self) -> Option<&'a str> {
        matches!(self.scope, Scope::Session).then_some(self.session)
    }
}

fn seconds(time: Duration) -> u32 {
    let whole = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    u32::try_from(whole).unwrap_or(u32::MAX)
}

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "the gateway has no more room for what this guardrail keeps",
            Self::TooLarge => "the key or the value is longer than the gateway keeps",
            Self::NotANumber => "what is kept is no number that can be counted on",
        })
    }
}

impl std::error::Error for StateError {}

impl From<raw::StateError> for StateError {
    fn from(error: raw::StateError) -> Self {
        match error {
            raw::StateError::Full => Self::Full,
            raw::StateError::TooLarge => Self::TooLarge,
            raw::StateError::NotANumber => Self::NotANumber,
        }
    }
}

/// So that `?` works in [`Guardrail::check`](crate::Guardrail::check).
impl From<StateError> for String {
    fn from(error: StateError) -> Self {
        error.to_string()
    }
}
