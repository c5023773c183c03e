//! What was approved of one server, and what waits.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::known::{Approved, Held, Known, Waiting};
use super::offer::Offer;
use super::remark::{Neighbours, Remark, remarks};

/// What a server shows, as far as a person has approved of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct Record {
    /// Its name in the configuration.
    pub server: String,
    /// Where it comes from.
    pub identity: String,
    /// What is known, by what it is.
    pub known: BTreeMap<Offer, Known>,
}

/// A record as it may stand in a file. When nothing but tools was compared, what is
/// known of these stood beside the name of the server.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    server: String,
    identity: String,
    #[serde(default)]
    known: BTreeMap<Offer, Known>,
    #[serde(default)]
    first: u64,
    #[serde(default)]
    whole: bool,
    tools: Option<BTreeMap<String, Approved>>,
    #[serde(default)]
    waiting: BTreeMap<String, Waiting>,
}

impl From<Stored> for Record {
    fn from(stored: Stored) -> Self {
        let mut known = stored.known;
        if let Some(approved) = stored.tools {
            known.entry(Offer::Tool).or_insert(Known {
                first: stored.first,
                whole: stored.whole,
                approved,
                waiting: stored.waiting,
            });
        }
        Self {
            server: stored.server,
            identity: stored.identity,
            known,
        }
    }
}

impl Record {
    /// The record of a server that has not shown anything yet.
    pub fn new(server: &str, identity: &str) -> Self {
        Self {
            server: server.to_owned(),
            identity: identity.to_owned(),
            known: BTreeMap::new(),
        }
    }

    /// Compares what a server shows of a kind with what was approved. What it shows
    /// first is approved by that. Returns what is held back, by its order on the page,
    /// and whether the record is another one now.
    pub fn compare(
        &mut self,
        offer: Offer,
        page: &[Definition],
        is_last: bool,
        remarks: impl Fn(&Definition) -> Vec<Remark>,
        now: u64,
    ) -> (Vec<Option<Held>>, bool) {
        let known = self.known.entry(offer).or_insert_with(|| Known {
            first: now,
            ..Known::default()
        });
        known.compare(page, is_last, remarks, now)
    }

    /// Approves of what was there at first, and was held back only since it was not known
    /// that the tools of which it speaks are the server's own. Whether there is any.
    pub fn reconsider(&mut self, others: &Neighbours, now: u64) -> bool {
        let own = self.names(Offer::Tool).map(str::to_owned).collect();
        let is_usual = |definition: &Definition| remarks(definition, &own, others).is_empty();
        let mut changed = false;
        for (offer, known) in &mut self.known {
            changed |= known.reconsider(*offer, is_usual, now);
        }
        changed
    }

    /// Whether a definition was approved.
    pub fn approves(&self, offer: Offer, name: &str, hash: &str) -> bool {
        let approved = self.approved(offer, name);
        approved.is_some_and(|it| it.hash == hash)
    }

    /// What was approved of that name.
    pub fn approved(&self, offer: Offer, name: &str) -> Option<&Approved> {
        self.known.get(&offer)?.approved.get(name)
    }

    /// The names of what was approved.
    pub fn names(&self, offer: Offer) -> impl Iterator<Item = &str> {
        let known = self.known.get(&offer).into_iter();
        known.flat_map(|it| it.approved.keys().map(String::as_str))
    }

    /// What waits, each with what it is and its name.
    pub fn waiting(&self) -> impl Iterator<Item = (Offer, &str, &Waiting)> {
        self.known.iter().flat_map(|(offer, known)| {
            let waiting = known.waiting.iter();
            waiting.map(|(name, waiting)| (*offer, name.as_str(), waiting))
        })
    }

    /// Approves of what waits, if it is still this definition. Whether it is.
    pub fn approve_waiting(&mut self, offer: Offer, name: &str, hash: &str, now: u64) -> bool {
        let known = self.known.get_mut(&offer);
        known.is_some_and(|known| known.approve_waiting(name, hash, now))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::pinning::Why;
    use crate::pinning::known::FIRST_LIST;

    fn tools(texts: &[&str]) -> Vec<Definition> {
        texts
            .iter()
            .map(|text| Definition::new(Offer::Tool, text))
            .collect()
    }

    fn compared(record: &mut Record, texts: &[&str], now: u64) -> Vec<Option<Why>> {
        let (held, _) = record.compare(Offer::Tool, &tools(texts), true, |_| Vec::new(), now);
        held.into_iter().map(|held| held.map(|it| it.why)).collect()
    }

    /// Approves of whatever waits under a name.
    fn approve(record: &mut Record, name: &str, now: u64) -> bool {
        let found = record.waiting().find(|(_, it, _)| *it == name);
        let Some((offer, _, waiting)) = found else {
            return false;
        };
        let hash = waiting.hash.clone();
        record.approve_waiting(offer, name, &hash, now)
    }

    const A: &str = r#"{"name":"a","description":"x"}"#;
    const OTHER_A: &str = r#"{"name":"a","description":"y"}"#;
    const B: &str = r#"{"name":"b"}"#;

    #[test]
    fn the_first_list_is_trusted_and_a_change_waits_until_it_is_approved() {
        let mut record = Record::new("s", "i");
        assert_eq!(compared(&mut record, &[A], 0), [None]);
        assert_eq!(
            compared(&mut record, &[r#"{"description":"x","name":"a"}"#], 1),
            [None]
        );
        assert_eq!(compared(&mut record, &[OTHER_A], 2), [Some(Why::Changed)]);
        assert!(approve(&mut record, "a", 3));
        assert_eq!(compared(&mut record, &[OTHER_A], 4), [None]);
        assert_eq!(compared(&mut record, &[A], 5), [Some(Why::Changed)]);
        // The server takes it back.
        assert_eq!(compared(&mut record, &[OTHER_A], 6), [None]);
        assert!(record.waiting().next().is_none());
        assert!(!approve(&mut record, "a", 7));
    }

    #[test]
    fn a_tool_that_comes_after_the_first_list_waits() {
        let mut record = Record::new("s", "i");
        compared(&mut record, &[A], 0);
        assert_eq!(compared(&mut record, &[A, B], 1), [None, Some(Why::New)]);
        assert!(approve(&mut record, "b", 2));
        assert_eq!(compared(&mut record, &[A, B], 3), [None, None]);
    }

    #[test]
    fn the_first_list_may_have_pages_but_does_not_go_on_for_ever() {
        let mut record = Record::new("s", "i");
        let mut page = |text, now| {
            let (held, _) =
                record.compare(Offer::Tool, &tools(&[text]), false, |_| Vec::new(), now);
            held.into_iter().next().flatten().map(|held| held.why)
        };
        assert_eq!(page(A, 100), None);
        assert_eq!(page(B, 100 + FIRST_LIST - 1), None);
        assert_eq!(page(r#"{"name":"c"}"#, 100 + FIRST_LIST), Some(Why::New));
    }

    #[test]
    fn of_two_tools_of_one_name_only_the_approved_definition_stays() {
        let mut record = Record::new("s", "i");
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
        assert!(record.waiting().any(|(_, name, _)| name == "a"));
    }

    #[test]
    fn what_is_strange_is_not_trusted_at_first_sight() {
        let mut record = Record::new("s", "i");
        let strange = |_: &Definition| {
            vec![Remark {
                rule: "x".into(),
                at: String::new(),
                says: "y".to_owned(),
            }]
        };
        let (held, changed) = record.compare(Offer::Tool, &tools(&[A]), true, strange, 0);
        assert!(changed);
        assert_eq!(held.first().unwrap().as_ref().unwrap().why, Why::Suspicious);
        assert!(approve(&mut record, "a", 1));
        let (held, _) = record.compare(Offer::Tool, &tools(&[A]), true, strange, 2);
        assert_eq!(held, [None]);
    }

    #[test]
    fn what_was_held_back_only_before_the_tools_were_known_is_trusted_once_they_are() {
        let mut others = Neighbours::default();
        others.add("mail", ["send_note", "send_mail"]);
        let told = |text: &str| [Definition::new(Offer::Instructions, text)];
        let opened = |record: &mut Record, text: &str| {
            let strange = |it: &Definition| remarks(it, &HashSet::new(), &others);
            let (held, _) = record.compare(Offer::Instructions, &told(text), true, strange, 0);
            held.into_iter().next().flatten().map(|it| it.why)
        };
        let note = r#"{"name":"send_note"}"#;
        for (text, is_trusted) in [
            (r#""Use send_note.""#, true),
            (r#""Use send_mail.""#, false),
            (r#""Use send_note, then send_mail.""#, false),
            ("\"Use send_note.\u{200b}\"", false),
        ] {
            let mut record = Record::new("s", "i");
            assert_eq!(opened(&mut record, text), Some(Why::Suspicious), "{text}");
            assert!(!record.reconsider(&others, 1), "{text}");
            compared(&mut record, &[note], 1);
            assert_eq!(record.reconsider(&others, 2), is_trusted, "{text}");
            let expected = (!is_trusted).then_some(Why::Suspicious);
            assert_eq!(opened(&mut record, text), expected, "{text}");
            assert!(!record.reconsider(&others, 3), "{text}");
        }
        // A tool that waits itself vouches for nothing.
        let mut record = Record::new("s", "i");
        let text = r#""Use send_note.""#;
        opened(&mut record, text);
        compared(&mut record, &[A], 1);
        assert_eq!(compared(&mut record, &[A, note], 2), [None, Some(Why::New)]);
        assert!(!record.reconsider(&others, 3));
        // What took the place of something that was approved waits for a person.
        let mut record = Record::new("s", "i");
        compared(&mut record, &[note], 0);
        assert_eq!(opened(&mut record, r#""x""#), None);
        assert_eq!(opened(&mut record, text), Some(Why::Changed));
        assert!(!record.reconsider(&others, 1));
    }

    #[test]
    fn nothing_is_written_again_while_nothing_changes() {
        let mut record = Record::new("s", "i");
        for (texts, expected) in [
            (&[A], true),
            (&[A], false),
            (&[OTHER_A], true),
            (&[OTHER_A], false),
        ] {
            let (_, changed) = record.compare(Offer::Tool, &tools(texts), true, |_| Vec::new(), 1);
            assert_eq!(changed, expected);
        }
    }

    #[test]
    fn what_was_not_shown_to_a_person_is_not_approved() {
        let mut record = Record::new("s", "i");
        compared(&mut record, &[A], 0);
        compared(&mut record, &[OTHER_A], 1);
        let approved = Definition::new(Offer::Tool, A);
        assert!(!record.approve_waiting(Offer::Tool, "a", &approved.hash, 2));
        assert!(approve(&mut record, "a", 2));
    }

    #[test]
    fn a_file_of_a_time_when_only_tools_were_compared_is_read() {
        let hash = Definition::new(Offer::Tool, A).hash;
        let old = serde_json::json!({
            "server": "s", "identity": "i", "first": 7, "whole": true,
            "tools": {"a": {"hash": hash, "definition": A, "at": 7}},
            "waiting": {},
        });
        let mut record: Record = serde_json::from_value(old).unwrap();
        assert!(record.approves(Offer::Tool, "a", &hash));
        assert_eq!(compared(&mut record, &[OTHER_A], 8), [Some(Why::Changed)]);
        // What it shows besides is seen for the first time.
        let prompt = [Definition::new(Offer::Prompt, B)];
        let (held, changed) = record.compare(Offer::Prompt, &prompt, true, |_| Vec::new(), 9);
        assert_eq!((held, changed), (vec![None], true));
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
        assert!(serde_json::from_str::<Record>(r#"{"server":"s","identity":"i","x":1}"#).is_err());
    }
}
