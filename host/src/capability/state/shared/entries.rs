//! The entries of one guardrail in the file. Each change is one transaction, which no
//! other gateway comes between.

use rusqlite::{CachedStatement, Connection, OptionalExtension, Transaction, TransactionBehavior};
use zeroize::Zeroizing;

use super::Broken;
use super::seal::{Name, Seal};
use crate::capability::state::store::{Outcome, Store, number};
use crate::capability::state::table::Refusal;
use crate::config::Limits;

/// What belongs to one guardrail, at a time in milliseconds.
pub(in super::super) struct Entries<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) seal: &'a Seal,
    /// Its row.
    pub(super) store: i64,
    pub(super) now: i64,
}

/// A change that is being made.
struct Change<'a> {
    transaction: &'a Transaction<'a>,
    seal: &'a Seal,
    store: i64,
    now: i64,
    entries: i64,
    bytes: i64,
    /// What is said of the store in its row.
    said: (i64, i64),
}

/// An entry that is there.
struct Held {
    id: i64,
    size: i64,
    until: Option<i64>,
    sealed: Vec<u8>,
}

impl Store for Entries<'_> {
    fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, Broken> {
        let name = self.seal.name(key);
        let mut select = self.connection.prepare_cached(
            "SELECT until, value FROM entries
             WHERE store = ?1 AND name = ?2 AND (until IS NULL OR until > ?3)",
        )?;
        let found = select.query_row((self.store, name, self.now), |row| {
            Ok((row.get(0)?, row.get(1)?))
        });
        let Some((until, sealed)) = found.optional()? else {
            return Ok(None);
        };
        let value = self.seal.open(&name, until, sealed);
        let mut value = value.ok_or(Broken::Changed)?;
        Ok(Some(std::mem::take(&mut *value)))
    }

    fn set(&mut self, key: &str, value: &[u8], ttl: Option<u32>, limits: &Limits) -> Outcome<()> {
        let (name, until) = (self.seal.name(key), self.until(ttl));
        self.change(|change| {
            let held = change.held(&name)?;
            change.put(key, &name, held, value, until, limits)
        })
    }

    fn delete(&mut self, key: &str) -> Result<bool, Broken> {
        let name = self.seal.name(key);
        self.change(|change| {
            let Some(held) = change.held(&name)? else {
                return Ok(false);
            };
            let mut delete = change.prepare("DELETE FROM entries WHERE id = ?1")?;
            delete.execute([held.id])?;
            change.entries -= 1;
            change.bytes -= held.size;
            Ok(true)
        })
    }

    fn increment(&mut self, key: &str, by: i64, ttl: Option<u32>, limits: &Limits) -> Outcome<i64> {
        let (name, until) = (self.seal.name(key), self.until(ttl));
        self.change(|change| {
            let held = change.held(&name)?;
            let (before, until) = match &held {
                Some(held) => (number(&change.value(&name, held)?), held.until),
                None => (Ok(0), until),
            };
            let sum = before.and_then(|it| it.checked_add(by).ok_or(Refusal::NotANumber));
            let sum = match sum {
                Ok(sum) => sum,
                Err(refusal) => return Ok(Err(refusal)),
            };
            let value = Zeroizing::new(sum.to_string().into_bytes());
            let put = change.put(key, &name, held, &value, until, limits)?;
            Ok(put.map(|()| sum))
        })
    }

    fn compare_and_swap(
        &mut self,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        ttl: Option<u32>,
        limits: &Limits,
    ) -> Outcome<bool> {
        let (name, until) = (self.seal.name(key), self.until(ttl));
        self.change(|change| {
            let held = change.held(&name)?;
            let found = match &held {
                Some(held) => Some(change.value(&name, held)?),
                None => None,
            };
            if found.as_ref().map(|value| value.as_slice()) != expected {
                return Ok(Ok(false));
            }
            let put = change.put(key, &name, held, value, until, limits)?;
            Ok(put.map(|()| true))
        })
    }
}

impl Entries<'_> {
    fn change<T>(
        &mut self,
        work: impl FnOnce(&mut Change<'_>) -> Result<T, Broken>,
    ) -> Result<T, Broken> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut change = Change::begin(&transaction, self.seal, self.store, self.now)?;
        let done = work(&mut change)?;
        change.account()?;
        transaction.commit()?;
        Ok(done)
    }

    fn until(&self, ttl: Option<u32>) -> Option<i64> {
        Some(self.now.saturating_add(i64::from(ttl?) * 1000))
    }
}

impl<'a> Change<'a> {
    /// Begins with dropping what has expired.
    fn begin(
        transaction: &'a Transaction<'a>,
        seal: &'a Seal,
        store: i64,
        now: i64,
    ) -> rusqlite::Result<Self> {
        let mut select =
            transaction.prepare_cached("SELECT entries, bytes FROM stores WHERE id = ?1")?;
        let said = select.query_row([store], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut change = Self {
            transaction,
            seal,
            store,
            now,
            entries: said.0,
            bytes: said.1,
            said,
        };
        change.expire()?;
        Ok(change)
    }

    fn expire(&mut self) -> rusqlite::Result<()> {
        let mut delete =
            self.prepare("DELETE FROM entries WHERE store = ?1 AND until <= ?2 RETURNING size")?;
        let mut sizes = delete.query((self.store, self.now))?;
        while let Some(row) = sizes.next()? {
            self.entries -= 1;
            self.bytes -= row.get::<_, i64>(0)?;
        }
        Ok(())
    }

    fn held(&self, name: &Name) -> rusqlite::Result<Option<Held>> {
        let mut select = self
            .prepare("SELECT id, size, until, value FROM entries WHERE store = ?1 AND name = ?2")?;
        let held = select.query_row((self.store, name), |row| {
            Ok(Held {
                id: row.get(0)?,
                size: row.get(1)?,
                until: row.get(2)?,
                sealed: row.get(3)?,
            })
        });
        held.optional()
    }

    fn value(&self, name: &Name, held: &Held) -> Result<Zeroizing<Vec<u8>>, Broken> {
        let value = self.seal.open(name, held.until, held.sealed.clone());
        value.ok_or(Broken::Changed)
    }

    fn put(
        &mut self,
        key: &str,
        name: &Name,
        held: Option<Held>,
        value: &[u8],
        until: Option<i64>,
        limits: &Limits,
    ) -> Outcome<()> {
        if key.len() > limits.state_key || value.len() > limits.state_value {
            return Ok(Err(Refusal::TooLarge));
        }
        let size = bounded(key.len() + value.len());
        let freed = held.as_ref().map_or(0, |held| held.size);
        let entries = self.entries + i64::from(held.is_none());
        let bytes = self.bytes - freed + size;
        if entries > bounded(limits.state_entries) || bytes > bounded(limits.state_bytes) {
            return Ok(Err(Refusal::Full));
        }
        let sealed = self.seal.close(name, until, value)?;
        match held {
            Some(held) => {
                let mut update = self.prepare(
                    "UPDATE entries SET size = ?2, until = ?3, value = ?4 WHERE id = ?1",
                )?;
                update.execute((held.id, size, until, sealed))?;
            }
            None => {
                let mut insert = self.prepare(
                    "INSERT INTO entries (store, name, size, until, value)
                     VALUES (?1, ?2, ?3, ?4, ?5)",
                )?;
                insert.execute((self.store, name, size, until, sealed))?;
            }
        }
        (self.entries, self.bytes) = (entries, bytes);
        Ok(Ok(()))
    }

    /// Writes down what the store has now.
    fn account(&self) -> rusqlite::Result<()> {
        if self.said == (self.entries, self.bytes) {
            return Ok(());
        }
        let mut update =
            self.prepare("UPDATE stores SET entries = ?2, bytes = ?3 WHERE id = ?1")?;
        update.execute((self.store, self.entries, self.bytes))?;
        Ok(())
    }

    fn prepare(&self, sql: &str) -> rusqlite::Result<CachedStatement<'a>> {
        self.transaction.prepare_cached(sql)
    }
}

fn bounded(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
