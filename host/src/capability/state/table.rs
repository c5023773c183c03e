//! One store: keys, values, and when they expire.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use super::shared::Broken;
use super::store::{Outcome, Store, number};
use crate::config::Limits;

/// A bounded store. Every use says what time it is; what has expired by then is gone.
#[derive(Default)]
pub(super) struct Table {
    entries: HashMap<Arc<str>, Entry>,
    /// The entries that expire, the next one first.
    due: BTreeSet<(Instant, Arc<str>)>,
    /// Of all keys and values together.
    bytes: usize,
}

struct Entry {
    /// It may be what a guardrail hides from everybody else.
    value: Zeroizing<Vec<u8>>,
    until: Option<Instant>,
}

/// Why something is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no room.
    Full,
    /// Its key or its value is too long.
    TooLarge,
    /// It cannot be counted on.
    NotANumber,
}

/// A store in memory, as it is at a time.
pub(super) struct Timed<'a> {
    pub(super) table: &'a mut Table,
    pub(super) now: Instant,
}

impl Store for Timed<'_> {
    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, Broken> {
        Ok(self.table.get(key, self.now).map(<[u8]>::to_vec))
    }

    fn set(&mut self, key: &str, value: &[u8], ttl: Option<u32>, limits: &Limits) -> Outcome<()> {
        Ok(self.table.set(key, value.to_vec(), ttl, limits, self.now))
    }

    fn delete(&mut self, key: &str) -> Result<bool, Broken> {
        Ok(self.table.delete(key, self.now))
    }

    fn increment(&mut self, key: &str, by: i64, ttl: Option<u32>, limits: &Limits) -> Outcome<i64> {
        Ok(self.table.increment(key, by, ttl, limits, self.now))
    }

    fn compare_and_swap(
        &mut self,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        ttl: Option<u32>,
        limits: &Limits,
    ) -> Outcome<bool> {
        if self.table.get(key, self.now) != expected {
            return Ok(Ok(false));
        }
        self.set(key, value, ttl, limits)
            .map(|set| set.map(|()| true))
    }
}

impl Table {
    pub(super) fn get(&mut self, key: &str, now: Instant) -> Option<&[u8]> {
        self.expire(now);
        self.entries.get(key).map(|entry| entry.value.as_slice())
    }

    pub(super) fn set(
        &mut self,
        key: &str,
        value: Vec<u8>,
        ttl: Option<u32>,
        limits: &Limits,
        now: Instant,
    ) -> Result<(), Refusal> {
        let value = Zeroizing::new(value);
        self.expire(now);
        self.put(key, value, until(ttl, now), limits)
    }

    pub(super) fn delete(&mut self, key: &str, now: Instant) -> bool {
        self.expire(now);
        self.remove(key)
    }

    pub(super) fn increment(
        &mut self,
        key: &str,
        by: i64,
        ttl: Option<u32>,
        limits: &Limits,
        now: Instant,
    ) -> Result<i64, Refusal> {
        self.expire(now);
        let (before, until) = match self.entries.get(key) {
            Some(entry) => (number(&entry.value)?, entry.until),
            None => (0, until(ttl, now)),
        };
        let sum = before.checked_add(by).ok_or(Refusal::NotANumber)?;
        let value = Zeroizing::new(sum.to_string().into_bytes());
        self.put(key, value, until, limits)?;
        Ok(sum)
    }

    fn put(
        &mut self,
        key: &str,
        value: Zeroizing<Vec<u8>>,
        until: Option<Instant>,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        if key.len() > limits.state_key || value.len() > limits.state_value {
            return Err(Refusal::TooLarge);
        }
        let old = self.entries.get(key);
        let freed = old.map_or(0, |old| key.len() + old.value.len());
        let entries = self.entries.len() + usize::from(old.is_none());
        let bytes = self.bytes - freed + key.len() + value.len();
        if entries > limits.state_entries || bytes > limits.state_bytes {
            return Err(Refusal::Full);
        }
        self.remove(key);
        let key: Arc<str> = key.into();
        if let Some(until) = until {
            self.due.insert((until, Arc::clone(&key)));
        }
        self.entries.insert(key, Entry { value, until });
        self.bytes = bytes;
        Ok(())
    }

    fn remove(&mut self, key: &str) -> bool {
        let Some((key, entry)) = self.entries.remove_entry(key) else {
            return false;
        };
        self.bytes -= key.len() + entry.value.len();
        if let Some(until) = entry.until {
            self.due.remove(&(until, key));
        }
        true
    }

    fn expire(&mut self, now: Instant) {
        while let Some((until, _)) = self.due.first()
            && *until <= now
            && let Some((_, key)) = self.due.pop_first()
        {
            self.remove(&key);
        }
    }
}

/// A time that no clock reaches is none.
fn until(ttl: Option<u32>, now: Instant) -> Option<Instant> {
    now.checked_add(Duration::from_secs(ttl?.into()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            state_entries: 3,
            state_key: 4,
            state_value: 10,
            state_bytes: 30,
            ..Limits::default()
        }
    }

    /// A store at a time that only the test moves.
    struct Tried(Table, Instant);

    impl Tried {
        fn new() -> Self {
            Self(Table::default(), Instant::now())
        }

        fn wait(&mut self, seconds: u64) {
            self.1 += Duration::from_secs(seconds);
        }

        fn set(&mut self, key: &str, value: &str, ttl: Option<u32>) -> Result<(), Refusal> {
            let value = value.as_bytes().to_vec();
            self.0.set(key, value, ttl, &limits(), self.1)
        }

        fn get(&mut self, key: &str) -> Option<String> {
            let value = self.0.get(key, self.1)?;
            Some(String::from_utf8(value.to_vec()).unwrap())
        }

        fn add(&mut self, key: &str, by: i64, ttl: Option<u32>) -> Result<i64, Refusal> {
            self.0.increment(key, by, ttl, &limits(), self.1)
        }

        fn is_consistent(&self) {
            let table = &self.0;
            let bytes = table.entries.iter().map(|(k, e)| k.len() + e.value.len());
            assert_eq!(table.bytes, bytes.sum::<usize>());
            let expiring = table.entries.values().filter(|e| e.until.is_some());
            assert_eq!(table.due.len(), expiring.count());
        }
    }

    #[test]
    fn a_value_is_there_until_its_time_is_over() {
        let mut store = Tried::new();
        store.set("k", "v", Some(10)).unwrap();
        store.set("l", "stays", None).unwrap();
        store.wait(9);
        assert_eq!(store.get("k").as_deref(), Some("v"));
        store.wait(1);
        assert_eq!(store.get("k"), None);
        assert_eq!(store.get("l").as_deref(), Some("stays"));
        store.is_consistent();
    }

    #[test]
    fn a_value_that_is_set_again_has_the_time_that_was_said_last() {
        let mut store = Tried::new();
        store.set("k", "1", Some(10)).unwrap();
        store.set("k", "2", Some(20)).unwrap();
        store.wait(15);
        assert_eq!(store.get("k").as_deref(), Some("2"));
        store.set("k", "3", None).unwrap();
        store.wait(1_000_000);
        assert_eq!(store.get("k").as_deref(), Some("3"));
        store.is_consistent();
    }

    #[test]
    fn a_counter_is_not_prolonged_by_counting() {
        let mut store = Tried::new();
        assert_eq!(store.add("n", 1, Some(60)), Ok(1));
        store.wait(59);
        assert_eq!(store.add("n", 2, Some(60)), Ok(3));
        store.wait(1);
        assert_eq!(store.add("n", 1, Some(60)), Ok(1));
        store.is_consistent();
    }

    #[test]
    fn what_is_no_number_is_left_as_it_is() {
        let mut store = Tried::new();
        store.set("k", "seven", None).unwrap();
        assert_eq!(store.add("k", 1, None), Err(Refusal::NotANumber));
        assert_eq!(store.get("k").as_deref(), Some("seven"));
        store.add("n", 1, None).unwrap();
        assert_eq!(store.add("n", i64::MAX, None), Err(Refusal::NotANumber));
        assert_eq!(store.get("n").as_deref(), Some("1"));
    }

    #[test]
    fn a_full_store_refuses_and_drops_nothing_but_what_has_expired() {
        let mut store = Tried::new();
        store.set("a", "1", None).unwrap();
        store.set("b", "2", Some(5)).unwrap();
        store.set("c", "3", None).unwrap();
        assert_eq!(store.set("d", "4", None), Err(Refusal::Full));
        assert_eq!(store.add("d", 4, None), Err(Refusal::Full));
        // What is there can still be changed.
        store.set("a", "one", None).unwrap();
        store.wait(5);
        store.set("d", "4", None).unwrap();
        assert_eq!(store.get("a").as_deref(), Some("one"));
        assert_eq!(store.get("b"), None);
        store.is_consistent();
    }

    #[test]
    fn the_bytes_of_all_entries_together_are_limited() {
        let mut store = Tried::new();
        store.set("a", "123456789", None).unwrap();
        store.set("b", "123456789", None).unwrap();
        assert_eq!(store.set("c", "1234567890", None), Err(Refusal::Full));
        store.set("c", "123456789", None).unwrap();
        assert_eq!(store.set("a", "1234567890", None), Err(Refusal::Full));
        assert_eq!(store.get("a").as_deref(), Some("123456789"));
        assert!(store.0.delete("a", store.1));
        assert!(!store.0.delete("a", store.1));
        store.set("c", "1234567890", None).unwrap();
        store.is_consistent();
    }

    #[test]
    fn a_key_or_a_value_that_is_too_long_is_refused() {
        let mut store = Tried::new();
        assert_eq!(store.set("large", "v", None), Err(Refusal::TooLarge));
        assert_eq!(store.set("k", "12345678901", None), Err(Refusal::TooLarge));
        store.set("k", "1234567890", None).unwrap();
        store.is_consistent();
    }
}
