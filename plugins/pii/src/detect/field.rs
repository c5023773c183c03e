//! Values that their names say to be personal: in JSON, YAML, XML and forms, in the columns of tables, in rows of SQL.

mod ends;
mod letter;
mod rows;
mod site;
mod value;

use std::ops::Range;

use mcp_gateway_scan::View;
use memchr::memchr3_iter;
use serde::Deserialize;

use super::Hit;
use super::bounds::byte;
use super::cue::Cues;
use super::name::Names;
use crate::entity::{Entity, Kind, named};
use ends::Ends;
use letter::Letters;
use site::{is_addressed, name, name_end, trimmed, value_behind};

/// How long the name of a value is that is looked up, and how long a value.
const NAME: usize = 48;
const VALUE: usize = 160;

/// How many names before and behind one stand beside it, and how far away.
const BESIDE: usize = 8;
const REACH: usize = 600;

/// How sure something is that stays as it was found.
const SURE: f32 = 0.5;

/// What a name says of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Person,
    /// A person, or a firm.
    Somebody,
    /// A person, if what is beside it is of a person.
    Name,
    Street,
    /// A house, or a place in a network.
    Address,
    Birth,
    Phone,
    Card,
    National,
    Mail,
    /// Who wrote a mail, or to whom.
    Header,
}

/// The names, as they are in `rules/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    person: String,
    somebody: String,
    name: String,
    street: String,
    address: String,
    birth: String,
    phone: String,
    card: String,
    national: String,
    mail: String,
    header: String,
    greetings: Vec<String>,
    closings: Vec<String>,
}

/// The names of values that say something.
#[derive(Debug)]
pub(super) struct Fields {
    /// In small letters, as a text is read, without what is between words.
    names: Vec<Vec<(String, Says)>>,
    ends: Ends,
    letters: Letters,
    /// What is looked for.
    entities: Vec<&'static Entity>,
}

/// What stands beside a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Beside {
    Nothing,
    /// What only people have.
    Personal,
    /// Another part of a name.
    Name,
}

/// A value, and what its name says of it.
#[derive(Debug)]
struct Field {
    says: Says,
    /// Empty where it is only looked for once it matters: it is behind the sign before.
    value: Range<usize>,
}

impl Fields {
    pub(super) fn new(entities: impl Iterator<Item = &'static Entity>) -> Result<Self, String> {
        let table: Table = toml::from_str(include_str!("../../rules/names/fields.toml"))
            .map_err(|error| error.to_string())?;
        let lists = [
            (table.person, Says::Person),
            (table.somebody, Says::Somebody),
            (table.name, Says::Name),
            (table.street, Says::Street),
            (table.address, Says::Address),
            (table.birth, Says::Birth),
            (table.phone, Says::Phone),
            (table.card, Says::Card),
            (table.national, Says::National),
            (table.mail, Says::Mail),
            (table.header, Says::Header),
        ];
        let mut ends = Ends::default();
        let mut names: Vec<Vec<(String, Says)>> = vec![Vec::new(); BUCKETS];
        for (list, says) in lists {
            for word in list.split_whitespace() {
                // Capitals of other scripts look like letters that their small ones do not look like.
                for word in [word.to_owned(), capital(word), word.to_uppercase()] {
                    let word = read(&word);
                    ends.add(word.as_bytes());
                    let name = normal(&word);
                    let list = names.get_mut(bucket(&name));
                    list.into_iter().for_each(|list| {
                        if list.iter().all(|(known, _)| *known != name) {
                            list.push((name.clone(), says));
                        }
                    });
                }
            }
        }
        Ok(Self {
            names,
            ends,
            letters: Letters::new(&table.greetings, &table.closings)?,
            entities: entities.collect(),
        })
    }

    /// What is personal by its name, and not found yet.
    pub(super) fn find(
        &self,
        text: &str,
        cues: &Cues<'_>,
        names: Option<&Names>,
        hits: &mut Vec<Hit>,
    ) {
        let mut fields = self.fields(text, cues);
        if fields.is_empty() && text.len() <= VALUE && !text.contains('\n') {
            fields.extend(self.whole(text, cues));
        }
        if fields.is_empty() {
            return;
        }
        // What was found in a better way stays, with the name that it has elsewhere.
        let sure = hits.iter().filter(|hit| hit.score >= SURE);
        let mut known: Vec<_> = sure.map(|hit| (hit.range.start, hit.range.end)).collect();
        known.sort_unstable();
        for (at, field) in fields.iter().enumerate() {
            if field.says == Says::Mail {
                continue;
            }
            let beside = match field.says {
                Says::Name => beside(&fields, at),
                _ => Beside::Nothing,
            };
            if field.says == Says::Name && beside == Beside::Nothing {
                continue;
            }
            let place = match field.value.is_empty() {
                true => value_behind(text, field.value.start - 1),
                false => Some(field.value.clone()),
            };
            let Some((place, value)) = place.and_then(|it| Some((it.clone(), text.get(it)?)))
            else {
                continue;
            };
            let Some((entity, part, score)) = self.personal(value, field.says, names, beside)
            else {
                continue;
            };
            let range = place.start + part.start..place.start + part.end;
            let at = known.partition_point(|(start, _)| *start <= range.start);
            let covers = |(start, end): &(usize, usize)| *start <= range.start && range.end <= *end;
            let last = at.checked_sub(1).and_then(|at| known.get(at));
            if last.is_some_and(covers) {
                continue;
            }
            let value = text.get(range.clone()).unwrap_or_default();
            hits.push(Hit {
                entity,
                canonical: canonical(entity, value),
                range,
                score,
            });
        }
    }

    /// What a value is of which its name says this; which part of it, and how sure.
    fn personal(
        &self,
        value: &str,
        says: Says,
        names: Option<&Names>,
        beside: Beside,
    ) -> Option<(&'static Entity, Range<usize>, f32)> {
        let whole = 0..value.len();
        let found = |kind: Kind, part: Range<usize>, score: f32| {
            let entity = kind.entity();
            self.entities
                .contains(&entity)
                .then_some((entity, part, score))
        };
        let form = |name: &str| {
            let entity = named(name).ok()?;
            self.entities
                .contains(&entity)
                .then_some((entity, whole.clone(), 0.8))
        };
        match says {
            Says::Person | Says::Somebody | Says::Name | Says::Header => {
                let certain = says == Says::Person || beside == Beside::Name;
                let person = value::person(value, names?, certain)?;
                let score = if says == Says::Person { 0.95 } else { 0.6 };
                found(Kind::Person, person, score)
            }
            Says::Street if value::is_street(value) => found(Kind::Street, whole, 0.85),
            Says::Address if value::is_house(value) => found(Kind::Street, whole, 0.75),
            Says::Birth if value::is_day(value) => form("DATE_OF_BIRTH"),
            Says::Phone if value::is_phone(value) => found(Kind::Phone, whole, 0.7),
            Says::Card if value::is_card(value) => found(Kind::Card, whole, 0.8),
            Says::National if value::is_number(value) => form("NATIONAL_ID"),
            _ => None,
        }
    }

    /// The text as a value, of which its own name says something.
    fn whole(&self, text: &str, cues: &Cues<'_>) -> Option<Field> {
        let value = trimmed(text, 0..text.len());
        if !value::may_be(text.get(value.clone())?) {
            return None;
        }
        let key = cues.key();
        let says = match key.is_ascii() {
            true => self.says(key),
            false => self.says(&read(key)),
        };
        Some(Field { says: says?, value })
    }

    /// The values of a text of which their names say something, in order.
    fn fields(&self, text: &str, cues: &Cues<'_>) -> Vec<Field> {
        let bytes = text.as_bytes();
        let mut fields = Vec::new();
        for at in memchr3_iter(b':', b'=', b'>', bytes) {
            let Some(end) = name_end(bytes, at) else {
                continue;
            };
            if !self.ends.may_be(bytes, end) {
                continue;
            }
            let Some(says) = name(text, end).and_then(|name| self.says(name)) else {
                continue;
            };
            // Most of them are of things, and are not looked at.
            if says == Says::Name {
                let value = at + 1..at + 1;
                fields.push(Field { says, value });
                continue;
            }
            let value = value_behind(text, at);
            let fits = |value: &Range<usize>| says != Says::Header || is_addressed(text, value.end);
            fields.extend(value.filter(fits).map(|value| Field { says, value }));
        }
        let mut see = |says, value: Range<usize>| {
            let value = trimmed(text, value);
            let some = !value.is_empty();
            fields.extend(some.then_some(Field { says, value }));
        };
        cues.tables().each_cell(|name| self.says(name), &mut see);
        rows::each_value(text, |name| self.says(name), &mut see);
        self.letters.each_name(text, |value| {
            let says = Says::Person;
            fields.push(Field { says, value });
        });
        fields.sort_by_key(|field| field.value.start);
        fields
    }

    /// What a name says: the longest of its last words that is known.
    fn says(&self, name: &str) -> Option<Says> {
        let trimmed = name.trim_end_matches(|c: char| !c.is_alphanumeric() || c.is_ascii_digit());
        let known = |word: &str| {
            let mut names = self.names.get(bucket(word))?.iter();
            names
                .find(|(known, _)| known == word)
                .map(|(_, says)| *says)
        };
        // Most names are one small word.
        if trimmed.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return known(trimmed);
        }
        let (normal, starts) = words(trimmed);
        let known = |start: &usize| {
            let word = normal.get(*start..)?;
            let says = &known(word)?;
            // `file_name` is not about anybody.
            let is_whole = *start == 0 || *says != Says::Name && word.chars().nth(1).is_some();
            is_whole.then_some(*says)
        };
        starts.iter().find_map(known)
    }
}

/// How many lists the names are in.
const BUCKETS: usize = 512;

/// The list that a name is in.
fn bucket(name: &str) -> usize {
    let bytes = name.as_bytes();
    let part = |at: usize| usize::from(byte(bytes, at));
    let last = bytes.len().saturating_sub(1);
    (bytes.len() + 31 * part(0) + 7 * part(last) + 131 * part(last / 2)) % BUCKETS
}

/// What stands beside a value.
fn beside(fields: &[Field], at: usize) -> Beside {
    let Some(here) = fields.get(at) else {
        return Beside::Nothing;
    };
    let near = fields.get(at.saturating_sub(BESIDE)..).unwrap_or_default();
    let near = near.iter().take(2 * BESIDE + 1);
    let close = |field: &&Field| field.value.start.abs_diff(here.value.start) <= REACH;
    let kinds = near.filter(close).map(|field| match field.says {
        Says::Person => Beside::Name,
        Says::Mail | Says::Birth | Says::National => Beside::Personal,
        _ => Beside::Nothing,
    });
    kinds.max().unwrap_or(Beside::Nothing)
}

/// It in the one form that all its spellings share.
fn canonical(entity: &Entity, value: &str) -> String {
    let plain = |c: &char| c.is_alphanumeric() || *c == '+';
    match entity.kind {
        Kind::Person | Kind::Street => value.to_lowercase(),
        _ => value
            .chars()
            .filter(plain)
            .map(|c| c.to_ascii_uppercase())
            .collect(),
    }
}

/// A name as a text is read in which letters look like others.
fn read(name: &str) -> String {
    View::plain(name).map_or_else(|| name.to_owned(), |view| view.text().to_owned())
}

/// A word with a capital.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(letters)
        .collect()
}

fn normal(name: &str) -> String {
    words(name.trim_end_matches(|c: char| c.is_ascii_digit())).0
}

/// The letters and digits of a name, small, and where its last words begin among them: behind what is neither, at a
/// capital, and with every character of a script that has no blanks.
fn words(name: &str) -> (String, Vec<usize>) {
    let (mut normal, mut starts) = (String::with_capacity(name.len()), Vec::with_capacity(8));
    let mut last = ' ';
    for c in name.chars() {
        let is_part = if c.is_ascii() {
            c.is_ascii_alphanumeric()
        } else {
            c.is_alphanumeric() || is_mark(c)
        };
        if !is_part {
            last = if c == '\'' { last } else { ' ' };
            continue;
        }
        if last == ' ' || c.is_uppercase() && last.is_lowercase() || c >= '\u{2e80}' {
            starts.push(normal.len());
        }
        match c.is_ascii() {
            true => normal.push(c.to_ascii_lowercase()),
            false => normal.extend(c.to_lowercase()),
        }
        last = c;
    }
    let most = starts.len().saturating_sub(6);
    starts.drain(..most);
    (normal, starts)
}

/// Whether this is a vowel or a tone of a letter before it, in the scripts of India and Thailand.
fn is_mark(c: char) -> bool {
    ('\u{900}'..='\u{e7f}').contains(&c)
}
