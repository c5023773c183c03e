//! What was approved of one server, and what waits.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::remark::Remark;

/// For so long after the first page of a server the rest of its first list is
/// trusted, too. A list that goes on for longer is no first list any more.
const FIRST_LIST: u64 = 600;

/// The tools of a server, as far as a person has approved of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its name in the configuration.
    pub server: String,
    /// Where it comes from.
    pub identity: String,
    /// When it first listed something, in seconds since 1970.
    pub first: u64,
    /// Whether its first list is over.
    pub whole: bool,
    /// What was approved, by name.
    pub tools: BTreeMap<String, Approved>,
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
    /// The server has it only since its first list.
    New,
    /// It came with the first list, and something about it is strange.
    Suspicious,
}

/// A tool that the client must not see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
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

impl Record {
    /// The record of a server that has not listed anything yet.
    pub fn new(server: &str, identity: &str, now: u64) -> Self {
        Self {
            server: server.to_owned(),
            identity: identity.to_owned(),
            first: now,
            whole: false,
            tools: BTreeMap::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// Compares what a server lists with what was approved. The first list is
    /// approved by that. Returns which tools are held back, by their order on the
    /// page, and whether the record is another one now.
    pub fn compare(
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
            // Of two tools of one name, a client may take either.
            let is_double = !names.insert(&definition.name);
            let verdict = match self.tools.get(&definition.name) {
                Some(approved) if approved.hash == definition.hash => {
                    // It has become what it was.
                    changed |= !is_double && self.waiting.remove(&definition.name).is_some();
                    None
                }
                Some(_) => Some((Why::Changed, remarks(definition))),
                None => {
                    let remarks = remarks(definition);
                    match (first_list, remarks.is_empty()) {
                        (true, true) => {
                            self.approve(definition.clone().into(), &definition.name, now);
                            changed = true;
                            None
                        }
                        (true, false) => Some((Why::Suspicious, remarks)),
                        (false, _) => Some((Why::New, remarks)),
                    }
                }
            };
            held.push(verdict.map(|(why, remarks)| {
                let is_news = self.hold(definition, why, &remarks, now);
                changed |= is_news;
                Held {
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

    /// Whether a definition was approved.
    pub fn approves(&self, name: &str, hash: &str) -> bool {
        self.tools.get(name).is_some_and(|it| it.hash == hash)
    }

    /// Approves of what waits under a name. Whether something did.
    pub fn approve_waiting(&mut self, name: &str, now: u64) -> bool {
        let Some(waiting) = self.waiting.remove(name) else {
            return false;
        };
        let definition = Definition {
            name: name.to_owned(),
            text: waiting.definition,
            hash: waiting.hash,
        };
        self.approve(definition.into(), name, now);
        true
    }

    fn approve(&mut self, mut approved: Approved, name: &str, now: u64) {
        approved.at = now;
        self.waiting.remove(name);
        self.tools.insert(name.to_owned(), approved);
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

impl From<Definition> for Approved {
    fn from(definition: Definition) -> Self {
        Self {
            hash: definition.hash,
            definition: definition.text,
            at: 0,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Changed => "its definition is not the one that was approved",
            Self::New => "the server has it only since its first list",
            Self::Suspicious => "its definition is suspicious",
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tools(texts: &[&str]) -> Vec<Definition> {
        texts.iter().map(|text| Definition::new(text)).collect()
    }

    fn compared(record: &mut Record, texts: &[&str], now: u64) -> Vec<Option<Why>> {
        let (held, _) = record.compare(&tools(texts), true, |_| Vec::new(), now);
        held.into_iter().map(|held| held.map(|it| it.why)).collect()
    }

    const A: &str = r#"{"name":"a","description":"x"}"#;
    const OTHER_A: &str = r#"{"name":"a","description":"y"}"#;
    const B: &str = r#"{"name":"b"}"#;

    #[test]
    fn the_first_list_is_trusted_and_a_change_waits_until_it_is_approved() {
        let mut record = Record::new("s", "i", 0);
        assert_eq!(compared(&mut record, &[A], 0), [None]);
        assert_eq!(
            compared(&mut record, &[r#"{"description":"x","name":"a"}"#], 1),
            [None]
        );
        assert_eq!(compared(&mut record, &[OTHER_A], 2), [Some(Why::Changed)]);
        assert!(record.approve_waiting("a", 3));
        assert_eq!(compared(&mut record, &[OTHER_A], 4), [None]);
        assert_eq!(compared(&mut record, &[A], 5), [Some(Why::Changed)]);
        // The server takes it back.
        assert_eq!(compared(&mut record, &[OTHER_A], 6), [None]);
        assert!(record.waiting.is_empty());
        assert!(!record.approve_waiting("a", 7));
    }

    #[test]
    fn a_tool_that_comes_after_the_first_list_waits() {
        let mut record = Record::new("s", "i", 0);
        compared(&mut record, &[A], 0);
        assert_eq!(compared(&mut record, &[A, B], 1), [None, Some(Why::New)]);
        assert!(record.approve_waiting("b", 2));
        assert_eq!(compared(&mut record, &[A, B], 3), [None, None]);
    }

    #[test]
    fn the_first_list_may_have_pages_but_does_not_go_on_for_ever() {
        let mut record = Record::new("s", "i", 100);
        let mut page = |text, now| {
            let (held, _) = record.compare(&tools(&[text]), false, |_| Vec::new(), now);
            held.into_iter().next().flatten().map(|held| held.why)
        };
        assert_eq!(page(A, 100), None);
        assert_eq!(page(B, 100 + FIRST_LIST - 1), None);
        assert_eq!(page(r#"{"name":"c"}"#, 100 + FIRST_LIST), Some(Why::New));
    }

    #[test]
    fn of_two_tools_of_one_name_only_the_approved_definition_stays() {
        let mut record = Record::new("s", "i", 0);
        assert_eq!(
            compared(&mut record, &[A, OTHER_A], 0),
            [None, Some(Why::Changed)]
        );
        // And it is still waiting when both are listed again.
        assert_eq!(
            compared(&mut record, &[A, OTHER_A], 0),
            [None, Some(Why::Changed)]
        );
        assert_eq!(
            compared(&mut record, &[OTHER_A, A], 0),
            [Some(Why::Changed), None]
        );
        assert!(record.waiting.contains_key("a"));
    }

    #[test]
    fn what_is_strange_is_not_trusted_at_first_sight() {
        let mut record = Record::new("s", "i", 0);
        let strange = |_: &Definition| {
            vec![Remark {
                rule: "x".into(),
                at: String::new(),
                says: "y".to_owned(),
            }]
        };
        let (held, changed) = record.compare(&tools(&[A]), true, strange, 0);
        assert!(changed);
        assert_eq!(held.first().unwrap().as_ref().unwrap().why, Why::Suspicious);
        assert!(record.approve_waiting("a", 1));
        let (held, _) = record.compare(&tools(&[A]), true, strange, 2);
        assert_eq!(held, [None]);
    }

    #[test]
    fn nothing_is_written_again_while_nothing_changes() {
        let mut record = Record::new("s", "i", 0);
        for (texts, expected) in [
            (&[A], true),
            (&[A], false),
            (&[OTHER_A], true),
            (&[OTHER_A], false),
        ] {
            let (_, changed) = record.compare(&tools(texts), true, |_| Vec::new(), 1);
            assert_eq!(changed, expected);
        }
    }
}
