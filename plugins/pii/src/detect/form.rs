//! Numbers and codes that a form tells, with check digits or words that speak of them: the rows of `rules/`.

use std::ops::Range;
use std::rc::Rc;

use serde::Deserialize;

use super::bounds::{before, byte, is_alone, is_over, is_word_end, is_word_start};
use super::check::{Check, check};
use super::cue::Cues;
use super::shape::{Shape, digit_of, shapes};
use super::told::{self, Told};
use super::{Hit, Profile, Token};
use crate::entity::Entity;

/// Tokens that are longer begin nothing.
pub(super) const LONGEST: usize = 32;

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
    /// Whether it is what a state knows a person by, of which more words speak.
    #[serde(default)]
    pub(crate) national: bool,
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

/// What whoever makes a table for people of many countries calls the number that a state knows each of them by.
const NATIONAL: &[&str] = &[
    "national id",
    "national_id",
    "national-id",
    "nationalid",
    "identity number",
    "identity_number",
    "identitynumber",
    "identity card",
    "identity_card",
    "identitycard",
    "id number",
    "id_number",
    "idnumber",
    "id card",
    "id_card",
    "idcard",
    "personal id",
    "personal_id",
    "personalid",
    "personal number",
    "personal_number",
    "personalnumber",
    "citizen",
    "government id",
    "government_id",
    "governmentid",
];

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
    for row in rows.iter_mut().filter(|row: &&mut Row| row.national) {
        row.words
            .extend(NATIONAL.iter().map(|word| (*word).to_owned()));
    }
    Ok(rows)
}

/// The forms that are looked for.
#[derive(Debug)]
pub(super) struct Forms {
    profile: Profile,
    /// Those that may be sure enough by themselves.
    bare: Starts,
    /// Those that nothing but a word makes sure enough, by the number of the row, and all of them.
    with_word: Vec<Starts>,
    all: Starts,
    told: Told,
    /// Those that by the measure of Presidio may begin within a word.
    within: Vec<Rc<Form>>,
}

/// Forms by the token that begins one: by a digit, by a letter, of letters alone.
#[derive(Debug, Default)]
struct Starts {
    digit: ByLength,
    letter: ByLength,
    letters: ByLength,
}

/// The place in the list is the length of the token.
type ByLength = Vec<Vec<Rc<Form>>>;

/// A form of a row; what the row says of it is shared by all its forms.
#[derive(Debug)]
struct Form {
    row: Rc<Verified>,
    shape: Shape,
    score: f32,
    /// The number of the row among those that a word makes sure enough, if it is one.
    told: Option<usize>,
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

impl Forms {
    /// The rows of entities, each with how sure it has to be, and whether words that are
    /// in no row may speak of it, too.
    pub(super) fn new(
        rows: impl Iterator<Item = (&'static Entity, f32, bool, Row)>,
        houses: impl Iterator<Item = &'static str>,
        profile: Profile,
    ) -> Result<Self, String> {
        let (mut bare, mut all) = (Starts::default(), Starts::default());
        let (mut with_word, mut words, mut within) = (Vec::new(), Vec::new(), Vec::new());
        for (entity, least, elsewhere, row) in rows {
            let verify = match &row.check {
                Some(name) => {
                    Some(check(name).ok_or_else(|| format!("there is no check {name:?}"))?)
                }
                None => None,
            };
            let shapes = shapes(entity, row.forms, row.patterns, row.compat, profile)?;
            let row = Rc::new(Verified {
                entity,
                check: verify,
                checked: row.checked,
                lenient: row.lenient,
                within: row.within,
                words: row.words.into_iter().flat_map(told::readings).collect(),
            });
            let mut starts = Starts::default();
            for (shape, score) in shapes {
                let is_sure = score >= least || row.alone(score, profile) >= least;
                let form = Rc::new(Form {
                    row: Rc::clone(&row),
                    shape,
                    score,
                    told: (!is_sure && !elsewhere).then_some(with_word.len()),
                });
                if form.row.within && form.shape.begins().0 {
                    within.push(Rc::clone(&form));
                }
                match form.told {
                    None => bare.add(&form),
                    Some(_) => {
                        starts.add(&form);
                        all.add(&form);
                    }
                }
            }
            if !starts.is_empty() {
                words.push(Rc::clone(&row));
                with_word.push(starts);
            }
        }
        Ok(Self {
            profile,
            bare,
            with_word,
            all,
            told: Told::new(words.iter().map(|row| row.words.as_slice()), houses)?,
            within,
        })
    }

    /// Whether a token without a digit may begin one.
    pub(super) fn letters_only(&self) -> bool {
        !(self.bare.letters.is_empty() && self.all.letters.is_empty())
    }

    /// Where words of addresses stand.
    pub(super) fn houses<'a>(&self, cues: &'a Cues<'_>) -> &'a [Range<usize>] {
        &self.told.within(cues).houses
    }

    pub(super) fn find(&self, text: &str, cues: &Cues<'_>, token: &Token, hits: &mut Vec<Hit>) {
        let bytes = text.as_bytes();
        for form in self.bare.of(bytes, token) {
            hits.extend(form.find(text, cues, token.start, self.profile));
        }
        let told = &self.told.within(cues).rows;
        for form in told
            .iter()
            .filter_map(|row| self.with_word.get(*row))
            .flat_map(|row| row.of(bytes, token))
        {
            hits.extend(form.find(text, cues, token.start, self.profile));
        }
        // The name of a value is asked for only where it matters: it costs more than the rest.
        let named = |form: &Form| {
            let row = form.told.filter(|row| !told.contains(row));
            row.is_some_and(|row| {
                form.shape.is_at(text, token.start) && self.told.named(cues).rows.contains(&row)
            })
        };
        let all = self.all.of(bytes, token).filter(|_| cues.is_named());
        for form in all.filter(|form| named(form)) {
            hits.extend(form.find(text, cues, token.start, self.profile));
        }
        if self.profile == Profile::Presidio {
            let places = (token.start + 1..token.end).filter(|at| {
                byte(bytes, *at).is_ascii_digit() && !before(bytes, *at).is_ascii_digit()
            });
            let within = self.within.iter();
            for (form, at) in within.flat_map(|form| places.clone().map(move |at| (form, at))) {
                hits.extend(form.find(text, cues, at, self.profile));
            }
        }
    }
}

impl Starts {
    fn add(&mut self, form: &Rc<Form>) {
        let (digit, letter) = form.shape.begins();
        let first = form.shape.first_token();
        let most = if first.is_whole { first.least } else { LONGEST };
        for (starts, is_one, most) in [
            (&mut self.digit, digit, most),
            (&mut self.letter, letter, most),
            (&mut self.letters, letter, most.min(first.letters)),
        ] {
            if !is_one || most < first.least {
                continue;
            }
            if starts.len() <= most {
                starts.resize_with(most + 1, Vec::new);
            }
            let lengths = starts.iter_mut().take(most + 1).skip(first.least);
            lengths.for_each(|forms| forms.push(Rc::clone(form)));
        }
    }

    fn is_empty(&self) -> bool {
        self.digit.is_empty() && self.letter.is_empty()
    }

    fn of(&self, bytes: &[u8], token: &Token) -> impl Iterator<Item = &Rc<Form>> {
        let forms = match byte(bytes, token.start).is_ascii_digit() {
            true => &self.digit,
            false if token.digits == 0 => &self.letters,
            false => &self.letter,
        };
        forms.get(token.end - token.start).into_iter().flatten()
    }
}

impl Verified {
    /// How sure one can be at most without a word.
    fn alone(&self, score: f32, profile: Profile) -> f32 {
        match self.check {
            Some(_) => profile.checked(self.checked, score),
            None => score,
        }
    }
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
        let looks = self.shape.looks();
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
