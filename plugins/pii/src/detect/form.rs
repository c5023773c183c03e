//! Numbers and codes that a form tells, with check digits or words that speak of them: the rows of `rules/`.

use serde::Deserialize;

use super::check::{Check, check};
use super::cue::Cues;
use super::{Hit, Token, byte, is_alone, is_over, with_cue};
use crate::entity::Entity;

/// A row of a table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) entity: String,
    /// Forms, and how sure each is: `d` a digit, `A` a letter, `X` either, `o` a digit or a letter that
    /// looks like one, `-` a separator, the same all through.
    pub(crate) forms: Vec<(String, f32)>,
    /// The name of what verifies it.
    #[serde(default)]
    pub(crate) check: Option<String>,
    /// How sure it is once that holds.
    #[serde(default)]
    pub(crate) checked: Option<f32>,
    /// Words that speak of it, in lower case.
    #[serde(default)]
    pub(crate) words: Vec<String>,
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
        include_str!("../../rules/countries.toml"),
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
    /// Those that begin with a digit, and those that begin with a letter.
    digit: Vec<Form>,
    letter: Vec<Form>,
    letters_only: bool,
}

#[derive(Debug)]
struct Form {
    entity: &'static Entity,
    atoms: Vec<u8>,
    score: f32,
    check: Option<Check>,
    checked: Option<f32>,
    words: Vec<String>,
}

impl Forms {
    pub(super) fn new(rows: impl Iterator<Item = (&'static Entity, Row)>) -> Result<Self, String> {
        let mut forms = Self {
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
            for (atoms, score) in row.forms {
                let form = |atoms: Vec<u8>| Form {
                    entity,
                    atoms,
                    score,
                    check: verify,
                    checked: row.checked,
                    words: row.words.clone(),
                };
                let atoms = atoms.into_bytes();
                let first = byte(&atoms, 0);
                if first != b'd' {
                    let run = atoms.iter().take_while(|atom| **atom != b'-');
                    self_letters(&mut forms.letters_only, run);
                    forms.letter.push(form(atoms.clone()));
                }
                if first != b'A' {
                    forms.digit.push(form(atoms));
                }
            }
        }
        Ok(forms)
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
        for form in forms {
            hits.extend(form.find(text, cues, token.start));
        }
    }
}

fn self_letters<'a>(known: &mut bool, mut run: impl Iterator<Item = &'a u8>) {
    *known |= run.all(|atom| !b"do".contains(atom));
}

impl Form {
    fn find(&self, text: &str, cues: &Cues<'_>, start: usize) -> Option<Hit> {
        let bytes = text.as_bytes();
        let mut separator = None;
        for (at, atom) in self.atoms.iter().enumerate() {
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
        let end = start + self.atoms.len();
        if !is_alone(bytes, start) || !is_over(bytes, end) {
            return None;
        }
        let value = text.get(start..end)?;
        let looks = self.atoms.contains(&b'o');
        let canonical: String = value
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_uppercase())
            .map(|c| if looks { digit_of(c) } else { c })
            .collect();
        let mut score = self.score;
        if let Some(check) = self.check {
            if !check(&canonical) {
                return None;
            }
            score = self.checked.unwrap_or(score);
        }
        let cue = cues.says(start, &self.words);
        if !cue && separator.is_none() && cues.is_impersonal(start) {
            return None;
        }
        Some(Hit {
            entity: self.entity,
            range: start..end,
            score: with_cue(score, cue),
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
