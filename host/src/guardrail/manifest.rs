//! What a guardrail says about itself, whichever version of the contract it
//! speaks.

use serde::{Deserialize, Serialize};

use super::{Direction, Kind, types};
use crate::config::covers;

/// A guardrail's manifest. The meaning of its parts is told in `wit/`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Its own name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// One sentence for a person.
    pub description: String,
    /// The messages that it wants to see; empty for all.
    pub wants: Vec<Interest>,
    /// A JSON Schema for its configuration.
    pub config_schema: Option<String>,
    /// Cases that hold under its configuration.
    pub examples: Vec<Example>,
}

/// A set of messages; an empty list stands for all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interest {
    /// Methods, or `prefix/*`.
    pub methods: Vec<String>,
    /// Kinds of message.
    pub kinds: Vec<String>,
    /// Ways of travel.
    pub directions: Vec<Direction>,
}

/// A case that the guardrail ships about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The method of the message.
    pub method: String,
    /// The kind of the message.
    pub kind: String,
    /// Which way it travels.
    pub direction: Direction,
    /// Its texts.
    pub texts: Vec<String>,
    /// The name of the decision that is expected.
    pub expects: String,
    /// For a redaction, the texts that are expected afterwards.
    pub after: Vec<String>,
}

impl Manifest {
    /// Whether the guardrail wants to see such a message.
    pub fn wants(&self, method: &str, kind: Kind, direction: Direction) -> bool {
        self.wants.is_empty()
            || self.wants.iter().any(|interest| {
                any_of(&interest.methods, |wanted| covers(wanted, method))
                    && any_of(&interest.kinds, |wanted| wanted == kind.as_str())
                    && any_of(&interest.directions, |wanted| *wanted == direction)
            })
    }

    /// A kind that the guardrail wants and that does not exist, if there is one.
    pub(super) fn unknown_kind(&self) -> Option<&str> {
        let mut kinds = self.wants.iter().flat_map(|interest| &interest.kinds);
        kinds
            .find(|kind| Kind::from_name(kind).is_none())
            .map(String::as_str)
    }
}

fn any_of<T>(wanted: &[T], matches: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(matches)
}

impl From<types::Manifest> for Manifest {
    fn from(raw: types::Manifest) -> Self {
        Self {
            name: raw.name,
            version: raw.version,
            description: raw.description,
            wants: raw.wants.into_iter().map(Interest::from).collect(),
            config_schema: raw.config_schema,
            examples: raw.examples.into_iter().map(Example::from).collect(),
        }
    }
}

impl From<types::Interest> for Interest {
    fn from(raw: types::Interest) -> Self {
        Self {
            methods: raw.methods,
            kinds: raw.kinds,
            directions: raw.directions.into_iter().map(Direction::from).collect(),
        }
    }
}

impl From<types::Example> for Example {
    fn from(raw: types::Example) -> Self {
        let expects = match raw.expects {
            types::Expectation::Pass => "pass",
            types::Expectation::Redact => "redact",
            types::Expectation::Patch => "patch",
            types::Expectation::Block => "block",
            types::Expectation::Ask => "ask",
        };
        Self {
            method: raw.method,
            kind: raw.kind,
            direction: raw.direction.into(),
            texts: raw.texts,
            expects: expects.to_owned(),
            after: raw.after,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interest(methods: &[&str], kinds: &[&str], directions: &[Direction]) -> Manifest {
        Manifest {
            name: "m".into(),
            version: "1".into(),
            description: String::new(),
            wants: vec![Interest {
                methods: methods.iter().map(|&m| m.into()).collect(),
                kinds: kinds.iter().map(|&k| k.into()).collect(),
                directions: directions.to_vec(),
            }],
            config_schema: None,
            examples: Vec::new(),
        }
    }

    #[test]
    fn an_empty_list_stands_for_all() {
        let all = interest(&[], &[], &[]);
        assert!(all.wants("tools/call", Kind::Request, Direction::ToServer));
        let none = Manifest {
            wants: Vec::new(),
            ..all
        };
        assert!(none.wants("x", Kind::Error, Direction::ToClient));
    }

    #[test]
    fn a_kind_that_does_not_exist_is_found() {
        let wanting = |kinds: &[&str]| interest(&[], kinds, &[]);
        assert_eq!(wanting(&["response", "log-line"]).unknown_kind(), None);
        assert_eq!(wanting(&["error", "result"]).unknown_kind(), Some("result"));
    }

    #[test]
    fn every_part_of_an_interest_must_match() {
        let calls = interest(&["tools/*"], &["response"], &[Direction::ToClient]);
        assert!(calls.wants("tools/call", Kind::Response, Direction::ToClient));
        assert!(!calls.wants("toolsmith", Kind::Response, Direction::ToClient));
        assert!(!calls.wants("tools/call", Kind::Request, Direction::ToClient));
        assert!(!calls.wants("tools/call", Kind::Response, Direction::ToServer));
    }
}
