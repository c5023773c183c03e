//! What was approved of all that a server shows of one kind, and what waits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::offer::Offer;
#[cfg(doc)]
use super::record::Record;
use super::remark::Remark;

/// For so long after the first page of a server the rest of its first list is
/// trusted, too. A list that goes on for longer is no first list any more.
pub(super) const FIRST_LIST: u64 = 600;

/// What is known of all that a server shows of one kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// When it first showed something, in seconds since 1970.
    pub first: u64,
    /// Whether its first list is over.
    pub whole: bool,
    /// What was approved, by name.
    pub approved: BTreeMap<String, Approved>,
    /// What waits, by name.
    pub waiting: BTreeMap<String, Waiting>,
}

/// A definition that was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// The digest of the definition.
    pub hash: String,
    /// The definition, as canonical JSON.
    pub definition: String,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// A definition that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// The digest of the definition.
    pub hash: String,
    /// The definition, as canonical JSON.
    pub definition: String,
    /// When it was first seen, in seconds since 1970.
    pub since: u64,
    /// Why it was not taken.
    pub why: Why,
    /// What is strange about it.
    pub remarks: Vec<Remark>,
}

/// Why a definition waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// Another definition was approved.
    Changed,
    /// The server did not show it at first.
    New,
    /// It was there at first, and something about it is strange.
    Suspicious,
}

/// Something that the client must not see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// What it is.
    pub offer: Offer,
    /// Its name.
    pub name: String,
    /// Which definition.
    pub hash: String,
    /// Why.
    pub why: Why,
    /// What is strange about it.
    pub remarks: Vec<Remark>,
    /// Whether nobody has known of it before.
    pub is_news: bool,
}

impl Known {
    /// Compares what is shown with what was approved, as [`Record::compare`].
    pub(super) fn compare(
        &mut self,
        page: &[Definition],
        is_last: bool,
        remarks: impl Fn(&Definition) -> Vec<Remark>,
        now: u64,
    ) -> (Vec<Option<Held>>, bool) {
        let first_list = !self.whole && now.saturating_sub(self.first) < FIRST_LIST;
        let mut changed = false;
        let mut names = BTreeSet::new();
        let mut held = Vec::with_capacity(page.len());
        for definition in page {
            // Of two of one name, a client may take either.
            let is_double = !names.insert(&definition.name);
            let verdict = match self.approved.get(&definition.name) {
                Some(approved) if approved.hash == definition.hash => {
                    // It has become what it was.
                    changed |= !is_double && self.waiting.remove(&definition.name).is_some();
                    None
                }
                Some(_) => Some((Why::Changed, remarks(definition))),
                None => {
                    let remarks = remarks(definition);
                    let before = self.waiting.get(&definition.name);
                    let before = before.filter(|it| it.hash == definition.hash);
                    match (first_list, remarks.is_empty(), before) {
                        (true, true, _) => {
                            self.approve(definition, now);
                            changed = true;
                            None
                        }
                        (true, false, _) => Some((Why::Suspicious, remarks)),
                        (false, _, Some(waiting)) => Some((waiting.why, remarks)),
                        (false, _, None) => Some((Why::New, remarks)),
                    }
                }
            };
            held.push(verdict.map(|(why, remarks)| {
                let is_news = self.hold(definition, why, &remarks, now);
                changed |= is_news;
                Held {
                    offer: definition.offer,
                    name: definition.name.clone(),
                    hash: definition.hash.clone(),
                    why,
                    remarks,
                    is_news,
                }
            }));
        }
        if is_last && !self.whole {
            self.whole = true;
            changed = true;
        }
        (held, changed)
    }

    /// Approves of what waits, as [`Record::approve_waiting`].
    pub(super) fn approve_waiting(&mut self, name: &str, hash: &str, now: u64) -> bool {
        let Some(waiting) = self.waiting.remove(name) else {
            return false;
        };
        if waiting.hash != hash {
            self.waiting.insert(name.to_owned(), waiting);
            return false;
        }
        let approved = Approved {
            hash: waiting.hash,
            definition: waiting.definition,
            at: now,
        };
        self.approved.insert(name.to_owned(), approved);
        true
    }

    /// Approves of what was suspicious at first and is not any more, as
    /// [`Record::reconsider`].
    pub(super) fn reconsider(
        &mut self,
        offer: Offer,
        is_usual: impl Fn(&Definition) -> bool,
        now: u64,
    ) -> bool {
        let waiting = self.waiting.values();
        let suspicious = waiting.filter(|it| it.why == Why::Suspicious);
        let definitions = suspicious.map(|it| Definition::new(offer, &it.definition));
        let usual = definitions.filter(|it| !self.approved.contains_key(&it.name) && is_usual(it));
        let usual: Vec<Definition> = usual.collect();
        for definition in &usual {
            self.approve(definition, now);
        }
        !usual.is_empty()
    }

    fn approve(&mut self, definition: &Definition, now: u64) {
        self.waiting.remove(&definition.name);
        let approved = Approved {
            hash: definition.hash.clone(),
            definition: definition.text.clone(),
            at: now,
        };
        self.approved.insert(definition.name.clone(), approved);
    }

    /// Notes that a definition waits. Whether that is new.
    fn hold(&mut self, definition: &Definition, why: Why, remarks: &[Remark], now: u64) -> bool {
        let known = self.waiting.get(&definition.name);
        if known.is_some_and(|known| known.hash == definition.hash) {
            return false;
        }
        let waiting = Waiting {
            hash: definition.hash.clone(),
            definition: definition.text.clone(),
            since: now,
            why,
            remarks: remarks.to_vec(),
        };
        self.waiting.insert(definition.name.clone(), waiting);
        true
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "its definition is not the one that was approved",
            Self::New => "the server did not show it at first",
            Self::Suspicious => "its definition is suspicious",
        })
    }
}
