//! Changes the structure of a payload and leaves every other byte alone.

use std::ops::Range;

use super::pointer::{self, Alike, PathError};
use super::scan::{self, Child, Sort};
use super::{Message, json};

/// One operation of a JSON Patch (RFC 6902). Paths are JSON Pointers into the
/// payload, values JSON texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchOp {
    /// Inserts into an array (`-` appends) or sets an object's member.
    Add {
        /// Where.
        path: String,
        /// What.
        value: String,
    },
    /// Replaces the value at the path, which must exist.
    Replace {
        /// Where.
        path: String,
        /// What.
        value: String,
    },
    /// Removes the value at the path, which must exist.
    Remove {
        /// Where.
        path: String,
    },
}

/// Why a patch cannot be applied. The path is not told: a key can be a secret.
#[derive(Debug, thiserror::Error)]
#[error("patch operation {index} cannot be applied")]
pub struct PatchError {
    /// The operation's index, from 0.
    pub index: usize,
    /// What is wrong with it.
    #[source]
    pub error: PathError,
}

impl Message {
    /// Applies the operations to the payload in their order. What they do not
    /// name stays byte for byte: the order of keys, the spelling of numbers, the
    /// whitespace. A removed value takes one comma along.
    ///
    /// # Errors
    /// When an operation can't be applied; then none is.
    pub fn patch(&self, ops: &[PatchOp]) -> Result<Self, PatchError> {
        let Some((head, payload, tail)) = self.around_payload() else {
            return match ops {
                [] => Ok(self.clone()),
                _ => Err(PatchError {
                    index: 0,
                    error: PathError::NoPayload,
                }),
            };
        };
        let mut payload = payload.to_owned();
        for (index, op) in ops.iter().enumerate() {
            let (range, new) = change(&payload, op).map_err(|error| PatchError { index, error })?;
            payload.replace_range(range, &new);
        }
        Ok(self.with_line([head, &payload, tail].concat()))
    }

    /// The JSON text of a member of the payload. Of a key that stands twice, the
    /// last counts.
    #[must_use]
    pub fn payload_member(&self, path: &[&str]) -> Option<&str> {
        let payload = self.payload()?;
        payload.get(pointer::resolve(payload, path, Alike::LastCounts).ok()?)
    }

    /// Puts another value in the place of a member of the payload, such as
    /// `["name"]` or `["_meta", "progressToken"]`.
    ///
    /// # Errors
    /// When there is no such member, or when parsers could disagree on which
    /// one it is, or when the value is not JSON.
    pub fn with_payload_member(&self, path: &[&str], value: &str) -> Result<Self, PathError> {
        let (head, payload, tail) = self.around_payload().ok_or(PathError::NoPayload)?;
        let value = json::one_line(value).map_err(PathError::NotJson)?;
        let range = pointer::resolve(payload, path, Alike::RefusedInAnyCase)?;
        let (before, after) = payload
            .split_at_checked(range.start)
            .ok_or(PathError::Missing)?;
        let (_, after) = after
            .split_at_checked(range.len())
            .ok_or(PathError::Missing)?;
        Ok(self.with_line([head, before, &value, after, tail].concat()))
    }
}

/// A child and what stands next to it.
struct Slot {
    /// Where the child before it ends.
    before: Option<usize>,
    child: Child,
    /// Where the child after it starts.
    after: Option<usize>,
}

/// The range of the JSON text that an operation replaces, and by what.
fn change(json: &str, op: &PatchOp) -> Result<(Range<usize>, String), PathError> {
    let (PatchOp::Add { path, .. } | PatchOp::Replace { path, .. } | PatchOp::Remove { path }) = op;
    let tokens = pointer::tokens(path)?;
    let (last, parents) = match tokens.split_last() {
        Some((last, parents)) => (Some(&**last), parents),
        None => (None, &*tokens),
    };
    let parent = pointer::resolve(json, parents, Alike::Refused)?;
    match (op, last) {
        (PatchOp::Remove { .. }, None) => Err(PathError::WholePayload),
        (PatchOp::Remove { .. }, Some(last)) => {
            Ok((removal(json, parent.start, last)?, String::new()))
        }
        (PatchOp::Add { value, .. } | PatchOp::Replace { value, .. }, None) => {
            Ok((parent, text(value)?))
        }
        (PatchOp::Replace { value, .. }, Some(last)) => {
            let slot = slot(json, parent.start, last)?.ok_or(PathError::Missing)?;
            Ok((slot.child.value, text(value)?))
        }
        (PatchOp::Add { value, .. }, Some(last)) => {
            addition(json, parent.start, last, text(value)?)
        }
    }
}

fn removal(json: &str, parent: usize, token: &str) -> Result<Range<usize>, PathError> {
    let slot = slot(json, parent, token)?.ok_or(PathError::Missing)?;
    let (start, end) = (slot.child.start(), slot.child.value.end);
    Ok(match (slot.before, slot.after) {
        (Some(before), _) => before..end,
        (None, Some(after)) => start..after,
        (None, None) => start..end,
    })
}

fn addition(
    json: &str,
    parent: usize,
    token: &str,
    value: String,
) -> Result<(Range<usize>, String), PathError> {
    let sort = scan::sort(json, parent);
    let slot = if token == "-" && sort == Sort::Array {
        None
    } else {
        slot(json, parent, token)?
    };
    match (sort, slot) {
        (Sort::Scalar, _) => Err(PathError::Missing),
        (Sort::Object, Some(slot)) => Ok((slot.child.value, value)),
        (Sort::Object, None) => Ok(append(
            json,
            parent,
            format!("{}:{value}", json::quote(token)),
        )),
        (Sort::Array, Some(slot)) => Ok((slot.child.start()..slot.child.start(), value + ",")),
        (Sort::Array, None) => {
            let length = || scan::children(json, parent).count();
            if token == "-" || pointer::index(token).is_some_and(|index| index == length()) {
                Ok(append(json, parent, value))
            } else {
                Err(PathError::Missing)
            }
        }
    }
}

/// Puts a new child after the last one.
fn append(json: &str, parent: usize, child: String) -> (Range<usize>, String) {
    match scan::children(json, parent).last() {
        Some(last) => (last.value.end..last.value.end, format!(",{child}")),
        None => (parent + 1..parent + 1, child),
    }
}

/// The child that the token names, if there is one.
fn slot(json: &str, parent: usize, token: &str) -> Result<Option<Slot>, PathError> {
    let index = match scan::sort(json, parent) {
        Sort::Scalar => return Err(PathError::Missing),
        Sort::Array => Some(pointer::index(token).ok_or(PathError::Missing)?),
        Sort::Object => None,
    };
    let mut found: Option<Slot> = None;
    let mut before = None;
    for (at, child) in scan::children(json, parent).enumerate() {
        if let Some(slot) = &mut found {
            slot.after.get_or_insert(child.start());
            if index.is_some() {
                break;
            }
        }
        let end = child.value.end;
        let named = match index {
            Some(index) => at == index,
            None => key(json, &child).is_some_and(|literal| pointer::says(literal, token)),
        };
        if named
            && found
                .replace(Slot {
                    before,
                    child,
                    after: None,
                })
                .is_some()
        {
            return Err(PathError::Ambiguous);
        }
        before = Some(end);
    }
    Ok(found)
}

fn key<'a>(json: &'a str, child: &Child) -> Option<&'a str> {
    child.key.clone().and_then(|key| json.get(key))
}

fn text(value: &str) -> Result<String, PathError> {
    json::one_line(value)
        .map(Into::into)
        .map_err(PathError::NotJson)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
