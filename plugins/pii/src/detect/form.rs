//! Numbers and codes that a form tells, with check digits or words that speak of them: the rows of `rules/`.

use std::rc::Rc;

use mcp_gateway_scan::{Pattern, Start};
use serde::Deserialize;

use super::bounds::{before, byte, is_alone, is_over, is_word_end, is_word_start};
use super::check::{Check, check};
use super::cue::Cues;
use super::{Hit, Profile, Token};
use crate::entity::Entity;

/// A row of a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) entity: String,
    /// Forms, and how sure each is: `d` a digit, `A` a letter, `X` either, `o` a digit or a letter that
    /// looks like one, `-` a separator, the same all through.
    #[serde(default)]
    pub(crate) forms: Vec<(String, f32)>,
    /// Regular expressions, for what is not always as long, and how sure each is.
    #[serde(default)]
    pub(crate) patterns: Vec<(String, f32)>,
    /// Those that only the profile `presidio-compat` looks for.
    #[serde(default)]
    pub(crate) compat: Vec<(String, f32)>,
    /// The name of what verifies it.
    #[serde(default)]
    pub(crate) check: Option<String>,
    /// How sure it is once that holds.
    #[serde(default)]
    pub(crate) checked: Option<f32>,
    /// Whether what fails is still as sure as its form.
    #[serde(default)]
    pub(crate) lenient: bool,
    /// Whether, by the measure of Presidio, it may begin within a word.
    #[serde(default)]
    pub(crate) within: bool,
    /// Words that speak of it, in lower case.
    #[serde(default)]
    pub(crate) words: Vec<String>,
    /// Who says so.
    #[expect(dead_code, reason = "for the reader of the table")]
    pub(crate) source: String,
    /// What is found.
    #[serde(default)]
    pub(crate) samples: Vec<String>,
    /// What is not.
    #[serde(default)]
    pub(crate) misses: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rows: Vec<Row>,
}

/// The bundled rows.
pub(crate) fn bundled() -> Result<Vec<Row>, String> {
    let tables = [
        include_str!("../../rules/common.toml"),
        include_str!("../../rules/africa.toml"),
        include_str!("../../rules/americas.toml"),
        include_str!("../../rules/asia.toml"),
        include_str!("../../rules/europe.toml"),
        include_str!("../../rules/germany.toml"),
    ];
    let mut rows = Vec::new();
    for table in tables {
        let table: Table = toml::from_str(table).map_err(|error| error.to_string())?;
        rows.extend(table.rows);
    }
    Ok(rows)
}

/// The forms that are looked for.
#[derive(Debug)]
pub(super) struct Forms {
    profile: Profile,
    /// Those that begin with a digit, and those that begin with a letter.
    digit: Vec<Form>,
    letter: Vec<Form>,
    /// Whether a token without a digit may begin one.
    letters_only: bool,
}

/// A form of a row; what the row says of it is shared by all its forms.
#[derive(Debug)]
struct Form {
    row: Rc<Verified>,
    shape: Rc<Shape>,
    score: f32,
    /// How long the token is that begins one, where that is always the same.
    head: Option<usize>,
}

#[derive(Debug)]
struct Verified {
    entity: &'static Entity,
    check: Option<Check>,
    checked: Option<f32>,
    lenient: bool,
    within: bool,
    words: Vec<String>,
}

#[derive(Debug)]
enum Shape {
    Atoms(Vec<u8>),
    Pattern(Pattern),
}

impl Forms {
    pub(super) fn new(
        rows: impl Iterator<Item = (&'static Entity, Row)>,
        profile: Profile,
    ) -> Result<Self, String> {
        let mut forms = Self {
            profile,
            digit: Vec::new(),
            letter: Vec::new(),
            letters_only: false,
        };
        for (entity, row) in rows {
            let verify = match &row.check {
                Some(name) => {
                    Some(check(name).ok_or_else(|| format!("there is no check {name:?}"))?)
                }
                None => None,
            };
            let verified = Rc::new(Verified {
                entity,
                check: verify,
                checked: row.checked,
                lenient: row.lenient,
                within: row.within,
                words: row.words,
            });
            for (atoms, score) in row.forms {
                let atoms = atoms.into_bytes();
                let first = byte(&atoms, 0);
                let run = atoms.iter().take_while(|atom| **atom != b'-');
                forms.letters_only |=
                    first != b'd' && run.clone().all(|atom| !b"do".contains(atom));
                let (digit, letter) = (first != b'A', first != b'd');
                forms.add(&verified, Shape::Atoms(atoms), score, digit, letter);
            }
            let compat = row
                .compat
                .into_iter()
                .filter(|_| profile == Profile::Presidio);
            for (expression, score) in row.patterns.into_iter().chain(compat) {
                let case = match profile {
                    Profile::Gateway => "",
                    Profile::Presidio => "(?i)",
                };
                let pattern = Pattern::new(&format!(r"{case}(?:{expression})\b"))
                    .map_err(|error| format!("{}: {expression:?}: {error}", entity.name))?;
                let starts = |with: &str| with.bytes().any(|first| pattern.may_start(first));
                let digit = starts("+0123456789");
                let letter = starts("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
                forms.letters_only |= letter;
                forms.add(&verified, Shape::Pattern(pattern), score, digit, letter);
            }
        }
        Ok(forms)
    }

    fn add(&mut self, row: &Rc<Verified>, shape: Shape, score: f32, digit: bool, letter: bool) {
        let head = match &shape {
            Shape::Atoms(atoms) => {
                let run = atoms.iter().take_while(|atom| atom.is_ascii_alphanumeric());
                Some(run.count())
            }
            Shape::Pattern(_) => None,
        };
        let shape = Rc::new(shape);
        let form = || Form {
            row: Rc::clone(row),
            shape: Rc::clone(&shape),
            score,
            head,
        };
        if digit {
            self.digit.push(form());
        }
        if letter {
            self.letter.push(form());
        }
    }

    /// Whether a token without a digit may begin one.
    pub(super) fn letters_only(&self) -> bool {
        self.letters_only
    }

    pub(super) fn find(&self, text: &str, cues: &Cues<'_>, token: &Token, hits: &mut Vec<Hit>) {
        let bytes = text.as_bytes();
        let forms = if byte(bytes, token.start).is_ascii_digit() {
            &self.digit
        } else {
            &self.letter
        };
        let length = token.end - token.start;
        let fitting = forms
            .iter()
            .filter(|form| form.head.is_none_or(|head| head == length));
        for form in fitting {
            hits.extend(form.find(text, cues, token.start, self.profile));
        }
        if self.profile == Profile::Presidio {
            let within = self.digit.iter().filter(|form| form.row.within);
            let places = (token.start + 1..token.end).filter(|at| {
                byte(bytes, *at).is_ascii_digit() && !before(bytes, *at).is_ascii_digit()
            });
            for (form, at) in within.flat_map(|form| places.clone().map(move |at| (form, at))) {
                hits.extend(form.find(text, cues, at, self.profile));
            }
        }
    }
}

impl Shape {
    /// Where what a token begins starts: with the sign before it, if there may be one.
    fn start(&self, bytes: &[u8], token: usize) -> usize {
        let signed = before(bytes, token) == b'+'
            && matches!(self, Self::Pattern(pattern) if pattern.may_start(b'+'));
        token - usize::from(signed)
    }

    /// Where what begins here ends, and whether a separator is in it.
    fn end(&self, text: &str, start: usize) -> Option<(usize, bool)> {
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

impl Form {
    fn find(&self, text: &str, cues: &Cues<'_>, start: usize, profile: Profile) -> Option<Hit> {
        let bytes = text.as_bytes();
        let row = &self.row;
        let start = self.shape.start(bytes, start);
        let (end, separated) = self.shape.end(text, start)?;
        let apart = match profile {
            Profile::Gateway => is_alone(bytes, start) && is_over(bytes, end),
            Profile::Presidio => {
                (row.within || is_word_start(text, start)) && is_word_end(text, end)
            }
        };
        if !apart {
            return None;
        }
        let value = text.get(start..end)?;
        let looks = matches!(&*self.shape, Shape::Atoms(atoms) if atoms.contains(&b'o'));
        let canonical: String = value
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_uppercase())
            .map(|c| if looks { digit_of(c) } else { c })
            .collect();
        let mut score = self.score;
        match row.check.map(|check| check(&canonical)) {
            Some(true) => score = profile.checked(row.checked, score),
            Some(false) if !row.lenient => return None,
            _ => {}
        }
        let cue = cues.says(start, &row.words);
        if !cue && !separated && profile == Profile::Gateway && cues.is_impersonal(start) {
            return None;
        }
        Some(Hit {
            entity: row.entity,
            range: start..end,
            score: profile.with_cue(score, cue),
            canonical,
        })
    }
}

/// The digit that a letter looks like, as where a page was read by a machine.
fn digit_of(letter: char) -> char {
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
