//! A table that forgets what was not used for long, so that it stays small
//! however long a session lasts.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

/// Entries of two generations. What is used moves to the young one; when that
/// is full it becomes the old one, and what is still in the old one is
/// forgotten.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    generation: usize,
}

impl<K: Eq + Hash, V> Recent<K, V> {
    /// A table of at least so many entries, and at most twice as many.
    pub(super) fn of(generation: usize) -> Self {
        Self {
            young: HashMap::new(),
            old: HashMap::new(),
            generation,
        }
    }

    /// The entry of a key, which is used by this.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.insert(key, value);
        }
        self.young.get(key)
    }

    /// Sets the entry of a key.
    pub(super) fn insert(&mut self, key: K, value: V) {
        self.old.remove(&key);
        if self.young.len() >= self.generation {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }

    /// Forgets the entries for which this does not hold.
    pub(super) fn retain(&mut self, stays: impl Fn(&V) -> bool) {
        self.young.retain(|_, value| stays(value));
        self.old.retain(|_, value| stays(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_and_the_rest_is_forgotten() {
        let mut table = Recent::of(10);
        for n in 0..100 {
            table.insert(n, n);
            assert_eq!(table.get(&0), Some(&0));
            assert!(table.young.len() + table.old.len() <= 20);
        }
        assert_eq!(table.get(&99), Some(&99));
        assert_eq!(table.get(&50), None);
        table.retain(|value| *value != 99);
        assert_eq!(table.get(&99), None);
    }
}
