//! From a line of bytes to the places of a message's id and payload.
//!
//! Strict where two parsers could disagree, since what the gateway reads one
//! way and a server another way has passed the guardrails unseen: a member that
//! stands twice, a member in another letter case (Go's parser takes `Method`
//! for `method`), a line break that would make one line into three.

use std::collections::HashSet;
use std::str::Utf8Error;

use memchr::memchr2;

use super::json::{self, JsonError, range_in, same_but_for_case};
use super::{Inner, Kind};

/// Why bytes are not a message. None of these tells what the bytes were.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// Not a text at all.
    #[error("message is not utf-8")]
    NotUtf8(#[source] Utf8Error),
    /// A carriage return or line feed in what has to be one line.
    #[error("message has a line break in it")]
    LineBreak,
    /// Not a JSON text.
    #[error("message is not json")]
    NotJson(#[source] serde_json::Error),
    /// An array of messages, which MCP had in one version and took back. Each is
    /// to be read by itself.
    #[error("message is a batch of messages")]
    Batch,
    /// Some other JSON value.
    #[error("message is not a json object")]
    NotObject,
    /// A member stands twice, and parsers disagree on which one counts.
    #[error("message has {0} twice")]
    Twice(&'static str),
    /// A member is spelled like one of JSON-RPC's but for its letter case, and
    /// parsers disagree on whether it counts.
    #[error("message has {0} in another letter case")]
    Lookalike(&'static str),
    /// Neither a method nor a result nor an error.
    #[error("message has neither method nor result nor error")]
    Unidentified,
    /// More than one of method, result and error, or params on an answer.
    #[error("message is a request and an answer, or two answers, at once")]
    Mixed,
    /// The method is not a string.
    #[error("message has a method that is not a string")]
    MethodType,
    /// The id is neither a string nor a number.
    #[error("message has an id that is neither string nor number")]
    IdType,
    /// A result without an id.
    #[error("message has a result but no id")]
    MissingId,
}

/// Reads what must be a single line.
pub(super) fn parse_line(raw: Vec<u8>) -> Result<Inner, ParseError> {
    if memchr2(b'\n', b'\r', &raw).is_some() {
        return Err(ParseError::LineBreak);
    }
    read(text(raw)?)
}

fn text(raw: Vec<u8>) -> Result<String, ParseError> {
    String::from_utf8(raw).map_err(|error| ParseError::NotUtf8(error.utf8_error()))
}

fn read(line: String) -> Result<Inner, ParseError> {
    let top = Top::read(&line)?;
    let id = match top.id {
        None | Some("null") => None,
        Some(id) if id.starts_with(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) => {
            Some(id)
        }
        Some(_) => return Err(ParseError::IdType),
    };
    let (kind, payload) = match (top.method, top.result, top.error) {
        (Some(_), None, None) => match (id, top.id) {
            (Some(_), _) => (Kind::Request, top.params),
            (None, None) => (Kind::Notification, top.params),
            (None, Some(_)) => return Err(ParseError::IdType),
        },
        (None, None, None) => return Err(ParseError::Unidentified),
        _ if top.params.is_some() => return Err(ParseError::Mixed),
        (None, Some(_), None) if id.is_none() => return Err(ParseError::MissingId),
        (None, Some(result), None) => (Kind::Response, Some(result)),
        (None, None, Some(error)) => (Kind::Error, Some(error)),
        _ => return Err(ParseError::Mixed),
    };
    let method = match top.method {
        None => None,
        Some(method) => Some(json::string(method).ok_or(ParseError::MethodType)?.into()),
    };
    Ok(Inner {
        kind,
        method,
        id: id.map(|id| range_in(&line, id)),
        payload: payload.map(|payload| range_in(&line, payload)),
        other_members: top.others,
        line,
    })
}

/// The top-level members, as raw JSON.
#[derive(Default)]
struct Top<'a> {
    jsonrpc: Option<&'a str>,
    id: Option<&'a str>,
    method: Option<&'a str>,
    params: Option<&'a str>,
    result: Option<&'a str>,
    error: Option<&'a str>,
    others: bool,
}

impl<'a> Top<'a> {
    fn read(line: &'a str) -> Result<Self, ParseError> {
        let members = json::members(line).map_err(|error| match error {
            JsonError::NotJson(error) => ParseError::NotJson(error),
            _ if line.trim_start().starts_with('[') => ParseError::Batch,
            _ => ParseError::NotObject,
        })?;
        let mut top = Self::default();
        let mut others = HashSet::new();
        for member in &members {
            match top.slot(&member.key) {
                Some((name, _)) if member.key != name => return Err(ParseError::Lookalike(name)),
                Some((name, Some(_))) => return Err(ParseError::Twice(name)),
                Some((_, slot)) => *slot = Some(member.value),
                None if others.insert(&member.key) => top.others = true,
                None => return Err(ParseError::Twice("a member of its own")),
            }
        }
        Ok(top)
    }

    /// Where a member belongs that has this name in any letter case.
    fn slot(&mut self, key: &str) -> Option<(&'static str, &mut Option<&'a str>)> {
        [
            ("jsonrpc", &mut self.jsonrpc),
            ("id", &mut self.id),
            ("method", &mut self.method),
            ("params", &mut self.params),
            ("result", &mut self.result),
            ("error", &mut self.error),
        ]
        .into_iter()
        .find(|(name, _)| same_but_for_case(name, key))
    }
}
