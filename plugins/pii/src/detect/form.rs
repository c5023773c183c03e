//! Numbers and codes that a form tells, with check digits or words that speak of them: the rows of `rules/`.

use std::rc::Rc;

use mcp_gateway_scan::{FirstToken, Keywords, Pattern, Start, View};
use serde::Deserialize;

use super::bounds::{before, byte, is_alone, is_over, is_word_end, is_word_start};
use super::check::{Check, check};
use super::cue::Cues;
use super::{Hit, Profile, Token};
use crate::entity::Entity;

/// Tokens that are longer begin nothing.
pub(super) const LONGEST: usize = 32;

const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

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

/// The rows that nothing but a word makes sure enough. What has no such word anywhere is
/// not looked for, and that is most of what there is.
#[derive(Debug)]
struct Told {
    keywords: Keywords,
    /// The number of the row that a keyword is of.
    owners: Vec<usize>,
    rows: Vec<Starts>,
    /// The forms of all of them.
    all: Starts,
}

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

#[derive(Debug)]
enum Shape {
    Atoms(Vec<u8>),
    Pattern(Pattern),
}

impl Forms {
    /// The rows of entities, each with how sure it has to be, and whether words that are
    /// in no row may speak of it, too.
    pub(super) fn new(
        rows: impl Iterator<Item = (&'static Entity, f32, bool, Row)>,
        profile: Profile,
    ) -> Result<Self, String> {
        let (mut bare, mut all) = (Starts::default(), Starts::default());
        let (mut keywords, mut owners, mut told) = (Vec::new(), Vec::new(), Vec::new());
        let mut within = Vec::new();
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
                words: row.words.into_iter().flat_map(readings).collect(),
            });
            let mut with_word = Starts::default();
            for (shape, score) in shapes {
                let is_sure = score >= least || row.alone(score, profile) >= least;
                let form = Rc::new(Form {
                    row: Rc::clone(&row),
                    shape,
                    score,
                    told: (!is_sure && !elsewhere).then_some(told.len()),
                });
                if form.row.within && form.shape.begins().0 {
                    within.push(Rc::clone(&form));
                }
                match form.told {
                    None => bare.add(&form),
                    Some(_) => {
                        with_word.add(&form);
                        all.add(&form);
                    }
                }
            }
            if !with_word.is_empty() {
                keywords.extend(row.words.iter().flat_map(|word| spellings(word)));
                owners.resize(keywords.len(), told.len());
                told.push(with_word);
            }
        }
        let keywords = Keywords::new(keywords).map_err(|error| error.to_string())?;
        Ok(Self {
            profile,
            bare,
            told: Told {
                keywords,
                owners,
                rows: told,
                all,
            },
            within,
        })
    }

    /// Whether a token without a digit may begin one.
    pub(super) fn letters_only(&self) -> bool {
        !(self.bare.letters.is_empty() && self.told.all.letters.is_empty())
    }

    pub(super) fn find(&self, text: &str, cues: &Cues<'_>, token: &Token, hits: &mut Vec<Hit>) {
        let bytes = text.as_bytes();
        for form in self.bare.of(bytes, token) {
            hits.extend(form.find(text, cues, token.start, self.profile));
        }
        let told = self.told.within(cues);
        for form in told
            .iter()
            .filter_map(|row| self.told.rows.get(*row))
            .flat_map(|row| row.of(bytes, token))
        {
            hits.extend(form.find(text, cues, token.start, self.profile));
        }
        // The name of a value is asked for only where it matters: it costs more than the rest.
        let named = |form: &Form| {
            let row = form.told.filter(|row| !told.contains(row));
            row.is_some_and(|row| {
                form.shape.is_at(text, token.start) && self.told.named(cues).contains(&row)
            })
        };
        let all = self.told.all.of(bytes, token).filter(|_| cues.is_named());
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

/// A word as it is, and as a text is read in which letters look like others.
fn readings(word: String) -> Vec<String> {
    let read = View::plain(&word).map(|view| view.text().to_owned());
    let read = read.filter(|read| *read != word);
    [Some(word), read].into_iter().flatten().collect()
}

/// A word as it is; where its letters are none of ASCII, whose case counts for nothing, with a capital and in capitals, too.
fn spellings(word: &str) -> Vec<String> {
    let mut spellings = vec![word.to_owned()];
    if let Some(first) = word.chars().next().filter(|first| !first.is_ascii()) {
        let rest = word.get(first.len_utf8()..).unwrap_or_default();
        spellings.push(first.to_uppercase().chain(rest.chars()).collect());
        spellings.push(word.to_uppercase());
        spellings.dedup();
    }
    spellings
}

impl Told {
    /// The rows of which a word is anywhere in the text.
    fn within<'a>(&self, cues: &'a Cues<'_>) -> &'a [usize] {
        cues.within(|text| self.of(text))
    }

    /// The rows of which a word is in the name of the text.
    fn named<'a>(&self, cues: &'a Cues<'_>) -> &'a [usize] {
        cues.within_key(|key| self.of(key))
    }

    fn of(&self, text: &str) -> Vec<usize> {
        let found = self.keywords.find(text);
        let mut rows: Vec<usize> = found
            .filter_map(|(keyword, _)| self.owners.get(keyword).copied())
            .collect();
        rows.sort_unstable();
        rows.dedup();
        rows
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

/// What a row looks for, each with how sure it is alone.
fn shapes(
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
    /// Whether it may begin with a digit, and with a letter.
    fn begins(&self) -> (bool, bool) {
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
    fn first_token(&self) -> FirstToken {
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
    fn start(&self, bytes: &[u8], token: usize) -> usize {
        let signed = before(bytes, token) == b'+'
            && matches!(self, Self::Pattern(pattern) if pattern.may_start(b'+'));
        token - usize::from(signed)
    }

    fn is_at(&self, text: &str, token: usize) -> bool {
        self.end(text, self.start(text.as_bytes(), token)).is_some()
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
        let looks = matches!(&self.shape, Shape::Atoms(atoms) if atoms.contains(&b'o'));
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
