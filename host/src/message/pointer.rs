//! From a JSON Pointer (RFC 6901) to a value's place in a JSON text.

use std::borrow::Cow;
use std::ops::Range;

use super::json::{self, same_but_for_case};
use super::scan::{self, Children, Sort};

/// Why a value cannot be read or changed at a path.
#[derive(Debug, thiserror::Error)]
pub enum PathError {
    /// Neither empty nor `/`-separated tokens with `~0` and `~1` as escapes.
    #[error("path is not a json pointer")]
    NotPointer,
    /// Nothing stands at the path.
    #[error("nothing stands at the path")]
    Missing,
    /// A key on the path stands twice, or also in another letter case where
    /// that matters, so that parsers disagree on what the path points to.
    #[error("a key on the path is ambiguous")]
    Ambiguous,
    /// The new value is not a JSON text.
    #[error("the new value is not json")]
    NotJson(#[source] serde_json::Error),
    /// The payload itself cannot be taken out of a message.
    #[error("the whole payload cannot be removed")]
    WholePayload,
    /// The message has no payload to change.
    #[error("the message has no payload")]
    NoPayload,
}

/// Which member counts when keys are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alike {
    /// The last of the equal ones.
    LastCounts,
    /// None: equal keys are an error.
    Refused,
    /// None: keys that differ in letter case only are an error.
    RefusedInAnyCase,
}

/// The JSON text that the pointer points to.
pub(super) fn value<'a>(payload: &'a str, pointer: &str) -> Option<&'a str> {
    let tokens = tokens(pointer).ok()?;
    payload.get(resolve(payload, &tokens, Alike::LastCounts).ok()?)
}

/// The unescaped tokens of a pointer.
pub(super) fn tokens(pointer: &str) -> Result<Vec<Cow<'_, str>>, PathError> {
    if pointer.is_empty() {
        return Ok(Vec::new());
    }
    let tokens = pointer.strip_prefix('/').ok_or(PathError::NotPointer)?;
    tokens.split('/').map(token).collect()
}

/// The range of the value that the tokens lead to, found in one pass: a deep
/// document and a path to its bottom cost no more than any other.
pub(super) fn resolve<S: AsRef<str>>(
    json: &str,
    tokens: &[S],
    alike: Alike,
) -> Result<Range<usize>, PathError> {
    let root = scan::skip_space(json, 0);
    if tokens.is_empty() {
        return Ok(root..json.trim_end().len());
    }
    let mut found = None;
    let mut levels = vec![Level::new(json, root)];
    while let Some(depth) = levels.len().checked_sub(1) {
        let Some(level) = levels.last_mut() else {
            break;
        };
        let Some((key, start)) = level.children.step() else {
            let end = level.children.end();
            levels.pop();
            if let Some(outer) = levels.last_mut() {
                outer.children.pass(end);
            }
            continue;
        };
        let token = tokens.get(depth).map(AsRef::as_ref).unwrap_or_default();
        let on_path = level.is_next(key.and_then(|key| json.get(key)), token, alike)?;
        if on_path {
            // Whatever an equal key before this one led to does not count.
            found = None;
        }
        let last = depth + 1 == tokens.len();
        if on_path && !last && scan::sort(json, start) != Sort::Scalar {
            levels.push(Level::new(json, start));
            continue;
        }
        let end = scan::value_end(json, start).ok_or(PathError::Missing)?;
        level.children.pass(end);
        if on_path && last {
            found = Some(start..end);
        }
    }
    found.ok_or(PathError::Missing)
}

/// An array's index as a token writes it: digits without leading zeros.
pub(super) fn index(token: &str) -> Option<usize> {
    let canonical = token == "0" || !token.starts_with('0');
    let digits = canonical && token.bytes().all(|byte| byte.is_ascii_digit());
    token.parse().ok().filter(|_| digits)
}

/// Whether a key's literal says this name.
pub(super) fn says(literal: &str, name: &str) -> bool {
    json::string(literal).is_some_and(|key| key == name)
}

/// A container on the path, and how far the walk is in it.
struct Level<'a> {
    children: Children<'a>,
    index: usize,
    matched: bool,
}

impl<'a> Level<'a> {
    fn new(json: &'a str, start: usize) -> Self {
        Self {
            children: scan::children(json, start),
            index: 0,
            matched: false,
        }
    }

    /// Whether the path goes on with the child that the walk is at.
    fn is_next(&mut self, key: Option<&str>, token: &str, alike: Alike) -> Result<bool, PathError> {
        let Some(literal) = key else {
            self.index += 1;
            return Ok(index(token) == Some(self.index - 1));
        };
        let exact = says(literal, token);
        let in_any_case =
            || json::string(literal).is_some_and(|key| same_but_for_case(&key, token));
        match alike {
            Alike::LastCounts => return Ok(exact),
            Alike::Refused if !exact => return Ok(false),
            Alike::RefusedInAnyCase if !exact && !in_any_case() => return Ok(false),
            Alike::Refused | Alike::RefusedInAnyCase => {}
        }
        if !exact || self.matched {
            return Err(PathError::Ambiguous);
        }
        self.matched = true;
        Ok(true)
    }
}

fn token(escaped: &str) -> Result<Cow<'_, str>, PathError> {
    if !escaped.contains('~') {
        return Ok(Cow::Borrowed(escaped));
    }
    let mut token = String::with_capacity(escaped.len());
    let mut chars = escaped.chars();
    while let Some(c) = chars.next() {
        token.push(match c {
            '~' => match chars.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => return Err(PathError::NotPointer),
            },
            c => c,
        });
    }
    Ok(Cow::Owned(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_finds_the_text_of_a_value() {
        let json = r#"{"a":{"b~/c":[ 1 , -0.0 ]},"":{"\u0061":1},"x":{"y":1},"x": 2 }"#;
        for (pointer, expected) in [
            ("", Some(json)),
            ("/a/b~0~1c/1", Some("-0.0")),
            ("/a/b~0~1c", Some("[ 1 , -0.0 ]")),
            ("//a", Some("1")),
            ("/x", Some("2")),
            ("/a/b~0~1c/2", None),
            ("/a/b~0~1c/-", None),
            ("/a/b~0~1c/01", None),
            ("/a/b~0~1c/+1", None),
            ("/x/y", None),
            ("a", None),
            ("/~", None),
        ] {
            assert_eq!(value(json, pointer), expected, "{pointer}");
        }
    }
}
