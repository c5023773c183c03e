//! Where a text stands in its document.

use super::{Texts, scan};

/// Where a text stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The JSON Pointer (RFC 6901) of the value, or of the member whose key the
    /// text is, from the root of the payload.
    pub pointer: String,
    /// Whether the text is a key or a value.
    pub role: Role,
}

/// What a text is in its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The key of an object's member.
    Key,
    /// A string, or a long number.
    Value,
}

/// The places of all texts of a payload, each by its last step.
#[derive(Debug, Default)]
pub(super) struct Places {
    texts: Vec<(Step, Role)>,
    /// The steps to the containers, from the root on.
    containers: Vec<Step>,
}

/// How to get to a value from the container around it.
#[derive(Clone, Copy, Debug)]
enum Step {
    Root,
    Member { container: usize, key: usize },
    Element { container: usize, index: usize },
}

/// A container that the walk is in.
enum Open {
    Object {
        container: usize,
        key: Option<usize>,
    },
    Array {
        container: usize,
        index: usize,
    },
}

impl Places {
    pub(super) fn walk(payload: &str) -> Self {
        let mut places = Self::default();
        let mut open: Vec<Open> = Vec::new();
        let mut at = 0;
        while let Some(byte) = payload.as_bytes().get(at) {
            match byte {
                b'"' => {
                    places.text(open.last_mut());
                    at = scan::closing_quote(payload, at + 1).unwrap_or(payload.len());
                }
                b'{' | b'[' => {
                    let container = places.containers.len();
                    places
                        .containers
                        .push(open.last().map_or(Step::Root, Open::step));
                    open.push(match byte {
                        b'{' => Open::Object {
                            container,
                            key: None,
                        },
                        _ => Open::Array {
                            container,
                            index: 0,
                        },
                    });
                }
                b'-' | b'0'..=b'9' => {
                    let end = scan::number_end(payload, at);
                    if payload.get(at..end).is_some_and(scan::is_long) {
                        places.text(open.last_mut());
                    }
                    at = end - 1;
                }
                b'}' | b']' => drop(open.pop()),
                b',' => match open.last_mut() {
                    Some(Open::Object { key, .. }) => *key = None,
                    Some(Open::Array { index, .. }) => *index += 1,
                    None => {}
                },
                _ => {}
            }
            at += 1;
        }
        places
    }

    /// The place of the text with this index, given the texts for its keys.
    pub(super) fn place(&self, index: usize, texts: &Texts) -> Option<Place> {
        let (mut step, role) = *self.texts.get(index)?;
        let mut steps = Vec::new();
        loop {
            let container = match step {
                Step::Root => break,
                Step::Member { container, .. } | Step::Element { container, .. } => container,
            };
            steps.push(step);
            step = *self.containers.get(container)?;
        }
        let mut pointer = String::new();
        for step in steps.into_iter().rev() {
            pointer.push('/');
            match step {
                Step::Root => {}
                Step::Member { key, .. } => push_token(&mut pointer, texts.get(key)?),
                Step::Element { index, .. } => pointer.push_str(&index.to_string()),
            }
        }
        Some(Place { pointer, role })
    }

    /// Notes the next text, which is a key if its object waits for one.
    fn text(&mut self, open: Option<&mut Open>) {
        let index = self.texts.len();
        self.texts.push(match open {
            Some(Open::Object {
                container,
                key: key @ None,
            }) => {
                *key = Some(index);
                (
                    Step::Member {
                        container: *container,
                        key: index,
                    },
                    Role::Key,
                )
            }
            Some(open) => (open.step(), Role::Value),
            None => (Step::Root, Role::Value),
        });
    }
}

impl Open {
    /// How to get to the value that the walk is at.
    fn step(&self) -> Step {
        match *self {
            Self::Object { container, key } => Step::Member {
                container,
                key: key.unwrap_or_default(),
            },
            Self::Array { container, index } => Step::Element { container, index },
        }
    }
}

fn push_token(pointer: &mut String, key: &str) {
    if memchr::memchr2(b'~', b'/', key.as_bytes()).is_none() {
        return pointer.push_str(key);
    }
    for c in key.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}
