//! The form of a number or a code: letter by letter, or as a regular expression.

use mcp_gateway_scan::{FirstToken, Pattern, Start};

use super::Profile;
use super::bounds::{before, byte};
use crate::entity::Entity;

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What a row looks for.
#[derive(Debug)]
pub(super) enum Shape {
    Atoms(Vec<u8>),
    Pattern(Pattern),
}

/// What a row looks for, each with how sure it is alone.
pub(super) fn shapes(
    entity: &Entity,
    forms: Vec<(String, f32)>,
    patterns: Vec<(String, f32)>,
    compat: Vec<(String, f32)>,
    profile: Profile,
) -> Result<Vec<(Shape, f32)>, String> {
    let mut shapes: Vec<(Shape, f32)> = Vec::new();
    for (atoms, score) in forms {
        shapes.push((Shape::Atoms(atoms.into_bytes()), score));
    }
    let compat = compat.into_iter().filter(|_| profile == Profile::Presidio);
    for (expression, score) in patterns.into_iter().chain(compat) {
        let case = match profile {
            Profile::Gateway => "",
            Profile::Presidio => "(?i)",
        };
        let pattern = Pattern::new(&format!(r"{case}(?:{expression})\b"))
            .map_err(|error| format!("{}: {expression:?}: {error}", entity.name))?;
        shapes.push((Shape::Pattern(pattern), score));
    }
    Ok(shapes)
}

impl Shape {
    /// Whether letters in it may stand for digits that they look like.
    pub(super) fn looks(&self) -> bool {
        matches!(self, Self::Atoms(atoms) if atoms.contains(&b'o'))
    }

    /// Whether it may begin with a digit, and with a letter.
    pub(super) fn begins(&self) -> (bool, bool) {
        match self {
            Self::Atoms(atoms) => {
                let first = byte(atoms, 0);
                (first != b'A', first != b'd')
            }
            Self::Pattern(pattern) => {
                let starts = |with: &str| with.bytes().any(|first| pattern.may_start(first));
                (starts("+0123456789"), starts(LETTERS))
            }
        }
    }

    /// The token that begins it.
    pub(super) fn first_token(&self) -> FirstToken {
        match self {
            Self::Atoms(atoms) => {
                let run = atoms.iter().take_while(|atom| atom.is_ascii_alphanumeric());
                let letter = |atom: &u8| !b"do-".contains(atom) && !atom.is_ascii_digit();
                FirstToken {
                    least: run.count(),
                    is_whole: true,
                    letters: atoms.iter().take_while(|atom| letter(atom)).count(),
                }
            }
            // The token is what is behind the sign.
            Self::Pattern(pattern) if pattern.may_start(b'+') => FirstToken {
                least: 1,
                letters: 0,
                ..FirstToken::ANY
            },
            Self::Pattern(pattern) => pattern.first_token(),
        }
    }

    /// Where what a token begins starts: with the sign before it, if there may be one.
    pub(super) fn start(&self, bytes: &[u8], token: usize) -> usize {
        let signed = before(bytes, token) == b'+'
            && matches!(self, Self::Pattern(pattern) if pattern.may_start(b'+'));
        token - usize::from(signed)
    }

    pub(super) fn is_at(&self, text: &str, token: usize) -> bool {
        self.end(text, self.start(text.as_bytes(), token)).is_some()
    }

    /// Where what begins here ends, and whether a separator is in it.
    pub(super) fn end(&self, text: &str, start: usize) -> Option<(usize, bool)> {
        match self {
            Self::Atoms(atoms) => {
                let separated = atoms_at(atoms, text.as_bytes(), start)?;
                Some((start + atoms.len(), separated))
            }
            Self::Pattern(pattern) => {
                let (range, _) = pattern.find(text, start, Start::At(0), 0)?;
                let all = text.get(range.clone())?;
                Some((
                    range.end,
                    all.bytes().any(|byte| !byte.is_ascii_alphanumeric()),
                ))
            }
        }
    }
}

/// Whether the atoms stand here, and then whether a separator is among them.
fn atoms_at(atoms: &[u8], bytes: &[u8], start: usize) -> Option<bool> {
    let mut separator = None;
    for (at, atom) in atoms.iter().enumerate() {
        let here = byte(bytes, start + at);
        let fits = match atom {
            b'd' => here.is_ascii_digit(),
            b'A' => here.is_ascii_alphabetic(),
            b'X' => here.is_ascii_alphanumeric(),
            b'o' => digit_of(char::from(here)).is_ascii_digit(),
            b'-' => {
                let same = separator.is_none_or(|known| known == here);
                separator = Some(here);
                same && b"- ./".contains(&here)
            }
            other => here == *other,
        };
        if !fits {
            return None;
        }
    }
    Some(separator.is_some())
}

/// The digit that a letter looks like, as where a page was read by a machine.
pub(super) fn digit_of(letter: char) -> char {
    match letter {
        'O' | 'o' | 'Q' | 'D' => '0',
        'I' | 'l' | 'L' | 'i' => '1',
        'Z' | 'z' => '2',
        'S' | 's' => '5',
        'G' => '6',
        'B' => '8',
        other => other,
    }
}
