//! What stands in for the gateway under a native test.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::{Content, StateError};

/// The longest key and the longest value that a gateway keeps, unless it was configured otherwise.
const KEY: usize = 1 << 10;
const VALUE: usize = 64 << 10;

/// What guardrails keep, and a clock that only the test moves. Clones are of the same gateway.
///
/// ```
/// use std::time::Duration;
/// use mcp_gateway_sdk::Scope;
/// use mcp_gateway_sdk::testing::{Gateway, Sample};
///
/// let gateway = Gateway::default();
/// let sample = Sample::request("tools/call", [""]).within(&gateway);
/// let state = sample.message().state(Scope::Session);
/// state.set_for("seen", b"yes", Duration::from_secs(60))?;
/// gateway.wait(Duration::from_secs(60));
/// assert_eq!(state.get("seen"), None);
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Gateway(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    /// By the session, if there is one, and the key.
    entries: HashMap<(Option<String>, String), Entry>,
    now: Duration,
    room: usize,
    contents: Vec<Option<Content>>,
}

#[derive(Debug)]
struct Entry {
    value: Vec<u8>,
    until: Option<Duration>,
}

impl Gateway {
    /// A gateway that keeps no more than so many entries in all; without this it keeps 10,000.
    pub fn with_room(entries: usize) -> Self {
        let gateway = Self::default();
        gateway.kept().room = entries;
        gateway
    }

    /// Lets time pass.
    pub fn wait(&self, time: Duration) {
        self.kept().now += time;
    }

    /// What guardrails had kept of messages, in the order of that.
    pub fn contents(&self) -> Vec<Option<Content>> {
        self.kept().contents.clone()
    }

    pub(crate) fn keep(&self, content: Option<Content>) {
        self.kept().contents.push(content);
    }

    pub(crate) fn get(&self, session: Option<&str>, key: &str) -> Option<Vec<u8>> {
        let kept = self.kept();
        let entry = kept.entries.get(&place(session, key))?;
        Some(entry.value.clone())
    }

    pub(crate) fn set(
        &self,
        session: Option<&str>,
        key: &str,
        value: &[u8],
        ttl: Option<u32>,
    ) -> Result<(), StateError> {
        let mut kept = self.kept();
        let until = kept.until(ttl);
        kept.put(place(session, key), value.to_vec(), until)
    }

    pub(crate) fn delete(&self, session: Option<&str>, key: &str) -> bool {
        self.kept().entries.remove(&place(session, key)).is_some()
    }

    pub(crate) fn increment(
        &self,
        session: Option<&str>,
        key: &str,
        by: i64,
        ttl: Option<u32>,
    ) -> Result<i64, StateError> {
        let mut kept = self.kept();
        let place = place(session, key);
        let (before, until) = match kept.entries.get(&place) {
            Some(entry) => (number(&entry.value)?, entry.until),
            None => (0, kept.until(ttl)),
        };
        let sum = before.checked_add(by).ok_or(StateError::NotANumber)?;
        kept.put(place, sum.to_string().into_bytes(), until)?;
        Ok(sum)
    }

    pub(crate) fn compare_and_swap(
        &self,
        session: Option<&str>,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        ttl: Option<u32>,
    ) -> Result<bool, StateError> {
        let mut kept = self.kept();
        let place = place(session, key);
        let found = kept.entries.get(&place).map(|entry| entry.value.as_slice());
        if found != expected {
            return Ok(false);
        }
        let until = kept.until(ttl);
        kept.put(place, value.to_vec(), until).map(|()| true)
    }

    /// The key that a gateway gives when it runs an example.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn key(&self, session: Option<&str>, purpose: &str) -> Vec<u8> {
        let scope = if session.is_some() {
            "session"
        } else {
            "global"
        };
        let mut info = Vec::new();
        for part in [
            "mcp-gateway guardrail key 1",
            "guardrail",
            scope,
            session.unwrap_or_default(),
            purpose,
        ] {
            info.extend((part.len() as u64).to_le_bytes());
            info.extend(part.as_bytes());
        }
        let mut key = [0; 32];
        let derived = hkdf::Hkdf::<sha2::Sha256>::new(None, &[0; 32]).expand(&info, &mut key);
        debug_assert!(derived.is_ok(), "32 bytes can be had");
        key.to_vec()
    }

    /// Everything, without what has expired.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = kept.now;
        let lasts = |entry: &Entry| entry.until.is_none_or(|until| until > now);
        kept.entries.retain(|_, entry| lasts(entry));
        kept
    }
}

impl Kept {
    fn until(&self, ttl: Option<u32>) -> Option<Duration> {
        Some(self.now + Duration::from_secs(ttl?.into()))
    }

    fn put(
        &mut self,
        place: (Option<String>, String),
        value: Vec<u8>,
        until: Option<Duration>,
    ) -> Result<(), StateError> {
        if place.1.len() > KEY || value.len() > VALUE {
            return Err(StateError::TooLarge);
        }
        if !self.entries.contains_key(&place) && self.entries.len() >= self.room {
            return Err(StateError::Full);
        }
        self.entries.insert(place, Entry { value, until });
        Ok(())
    }
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            entries: HashMap::new(),
            now: Duration::ZERO,
            room: 10_000,
            contents: Vec::new(),
        }
    }
}

fn place(session: Option<&str>, key: &str) -> (Option<String>, String) {
    (session.map(str::to_owned), key.to_owned())
}

fn number(value: &[u8]) -> Result<i64, StateError> {
    let digits = std::str::from_utf8(value).ok();
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or(StateError::NotANumber)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use crate::testing::{Gateway, Sample};
    use crate::{Scope, StateError};

    fn sample(gateway: &Gateway, session: &str) -> Sample {
        let sample = Sample::request("tools/call", [""]);
        sample.session(session).within(gateway)
    }

    /// The gateway has the same test, so that examples come out alike.
    #[test]
    fn the_keys_of_rehearsals_are_those_that_the_sdk_makes() {
        let sample = Sample::request("tools/call", [""]);
        let key = sample.message().key(Scope::Session, "p");
        let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex,
            "36d89cd89a1ebd7d2526ebfa928ab40b7009082d46fcfbe818eeb9ad27b9910c"
        );
    }

    #[test]
    fn keys_differ_by_scope_session_and_purpose() {
        let gateway = Gateway::default();
        let [one, two] = ["one", "two"].map(|session| sample(&gateway, session));
        let key = |sample: &Sample, scope, purpose| sample.message().key(scope, purpose);
        let (session, global) = (Scope::Session, Scope::Global);
        assert_ne!(key(&one, session, "p"), key(&two, session, "p"));
        assert_ne!(key(&one, session, "p"), key(&one, session, "q"));
        assert_ne!(key(&one, session, "p"), key(&one, global, "p"));
        assert_eq!(key(&one, global, "p"), key(&two, global, "p"));
    }

    #[test]
    fn a_gateway_keeps_what_messages_leave_in_it() {
        let gateway = Gateway::with_room(2);
        let [one, two] = ["one", "two"].map(|session| sample(&gateway, session));
        let [mine, other] = [&one, &two].map(|sample| sample.message().state(Scope::Session));
        let all = two.message().state(Scope::Global);
        assert_eq!(mine.increment("n", 2, None), Ok(2));
        assert_eq!(mine.increment("n", 3, None), Ok(5));
        assert_eq!(mine.get("n").as_deref(), Some(&b"5"[..]));
        assert_eq!(other.get("n"), None);
        assert_eq!(all.compare_and_swap("k", None, b"v", None), Ok(true));
        assert_eq!(all.compare_and_swap("k", None, b"w", None), Ok(false));
        assert_eq!(all.increment("k", 1, None), Err(StateError::NotANumber));
        assert_eq!(other.set("n", b"1"), Err(StateError::Full));
        assert!(mine.delete("n"));
        assert_eq!(other.set("n", &[0; 70_000]), Err(StateError::TooLarge));
        assert_eq!(other.set("n", b"1"), Ok(()));
    }
}
