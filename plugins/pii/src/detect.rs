//! Finds personal data in a text: one pass over its tokens proposes candidates, and only these are verified.

mod around;
mod bounds;
mod card;
mod check;
mod crypto;
mod cue;
mod email;
mod field;
mod form;
mod gazetteer;
mod han;
mod iban;
mod ip;
mod mac;
mod name;
mod person;
mod phone;
mod profile;
mod shape;
mod street;
mod told;
mod url;

use std::ops::Range;
use std::rc::Rc;

use mcp_gateway_scan::View;

use crate::allow::Lists;
use crate::entity::{Entity, Kind};
use crate::own::Own;
use bounds::{before, byte, is_alone};
use cue::Cues;
use field::Fields;
use form::Forms;
pub(crate) use form::{Row, bundled};
use gazetteer::Gazetteer;
use name::Names;
use person::People;
pub(crate) use profile::Profile;
use street::{Near, Streets};

/// Something personal, and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// What it is.
    pub(crate) entity: &'static Entity,
    /// Its bytes in the text.
    pub(crate) range: Range<usize>,
    /// How sure that is, from 0 to 1.
    pub(crate) score: f32,
    /// It in the one form that all its spellings share.
    pub(crate) canonical: String,
}

/// What is known of a text beside the text.
pub(crate) struct Context<'a> {
    /// The name of the value that the text is, asked for only where it matters.
    pub(crate) key: &'a dyn Fn() -> Option<String>,
}

impl Context<'_> {
    /// Of a text of which nothing is known.
    #[cfg(test)]
    pub(crate) const NONE: Context<'static> = Context { key: &|| None };
}

/// What is looked for.
#[derive(Debug)]
pub(crate) struct Options {
    /// Entities, and the least score of each.
    pub(crate) entities: Vec<(&'static Entity, f32)>,
    /// By whose measure.
    pub(crate) profile: Profile,
    /// Whether addresses of networks that nobody outside can reach count.
    pub(crate) private_addresses: bool,
    /// What is never, and what is always, personal.
    pub(crate) lists: Rc<Lists>,
    /// Entities of one's own.
    pub(crate) own: Rc<[Own]>,
    /// More words that speak of entities.
    pub(crate) words: Rc<[(&'static Entity, Vec<String>)]>,
}

/// Finds what a configuration asks for.
#[derive(Debug)]
pub(crate) struct Detector {
    options: Options,
    wanted: u64,
    forms: Forms,
    /// Only where names are looked for.
    names: Option<Names>,
    gazetteer: Option<Gazetteer>,
    streets: Option<Streets>,
    /// Nobody's measure but ours.
    fields: Option<Fields>,
}

/// A candidate that was verified, in the bytes of the reading that it was found in.
#[derive(Debug)]
struct Hit {
    entity: &'static Entity,
    range: Range<usize>,
    score: f32,
    canonical: String,
}

/// What is known of a text from one token to the next.
#[derive(Debug)]
struct Lasting<'a> {
    people: Option<People<'a>>,
    near: Option<Near>,
}

impl Detector {
    pub(crate) fn new(options: Options) -> Result<Self, String> {
        let wanted = options
            .entities
            .iter()
            .fold(0, |wanted, (entity, _)| wanted | entity.kind.bit());
        let rows = bundled()?.into_iter().filter_map(|row| {
            let mut entities = options.entities.iter();
            let (entity, least) = entities.find(|(entity, _)| entity.name == row.entity)?;
            let elsewhere = options.words.iter().any(|(it, _)| it == entity);
            Some((*entity, *least, elsewhere, row))
        });
        let wants = |kind: Kind| wanted & kind.bit() != 0;
        let houses = wants(Kind::Street).then(Streets::words);
        let forms = Forms::new(rows, houses.into_iter().flatten(), options.profile)?;
        let gazetteer = Gazetteer::new(wants);
        let streets = wants(Kind::Street).then(Streets::new).transpose()?;
        let names = (wanted & Kind::Person.bit() != 0)
            .then(Names::new)
            .transpose()?;
        let entities = options.entities.iter().map(|(entity, _)| *entity);
        let fields = match options.profile {
            Profile::Gateway => Some(Fields::new(entities)?),
            Profile::Presidio => None,
        };
        Ok(Self {
            options,
            wanted,
            forms,
            names,
            gazetteer,
            streets,
            fields,
        })
    }

    /// Whether this is the name of an entity of one's own.
    pub(crate) fn is_own(&self, name: &str) -> bool {
        let mut own = self.options.own.iter();
        own.any(|own| own.entity.name == name)
    }

    /// Texts that show what is found and what is not.
    pub(crate) fn samples(&self) -> Result<Vec<String>, String> {
        let wanted = |row: &Row| {
            self.options
                .entities
                .iter()
                .any(|(it, _)| it.name == row.entity)
        };
        let rows = bundled()?.into_iter().filter(wanted);
        Ok(rows
            .flat_map(|row| row.samples.into_iter().chain(row.misses))
            .collect())
    }

    /// What is in the text: sorted, no two of them overlapping.
    pub(crate) fn find(&self, text: &str, context: &Context<'_>) -> Vec<Found> {
        let view = View::plain(text);
        let read = view.as_ref().map_or(text, View::text);
        let mut hits = self.hits(read, context);
        hits.retain(|hit| {
            let value = read.get(hit.range.clone()).unwrap_or_default();
            hit.score >= self.least(hit.entity) && !self.options.lists.allows(value, &hit.canonical)
        });
        let found = hits.into_iter().filter_map(|hit| {
            let range = match &view {
                None => hit.range,
                Some(view) => {
                    let places = view.places(hit.range);
                    places.first()?.start..places.last()?.end
                }
            };
            Some(Found {
                entity: hit.entity,
                range,
                score: hit.score,
                canonical: hit.canonical,
            })
        });
        apart(found.collect())
    }

    fn least(&self, entity: &Entity) -> f32 {
        let mut entities = self.options.entities.iter();
        let known = entities.find(|(known, _)| known.name == entity.name);
        known.map_or(0.0, |(_, least)| *least)
    }

    fn wants(&self, kind: Kind) -> bool {
        self.wanted & kind.bit() != 0
    }

    fn hits(&self, text: &str, context: &Context<'_>) -> Vec<Hit> {
        let cues = Cues::new(text, context.key);
        let mut hits = Vec::new();
        if self.wants(Kind::Email) {
            email::find(text, &mut hits);
        }
        if self.wants(Kind::Ip) && self.options.profile == Profile::Presidio {
            ip::nobody(text, &mut hits);
        }
        self.options.lists.denied(text, |entity, range| {
            let canonical = text.get(range.clone()).unwrap_or_default().to_owned();
            hits.push(Hit {
                entity,
                range,
                score: 1.0,
                canonical,
            });
        });
        for own in self.options.own.iter() {
            hits.extend(own.find(text).into_iter().map(|range| {
                Hit {
                    entity: own.entity,
                    score: self
                        .options
                        .profile
                        .with_cue(own.score, cues.says(range.start, &own.words)),
                    canonical: text.get(range.clone()).unwrap_or_default().to_owned(),
                    range,
                }
            }));
        }
        han::find(text, &cues, |kind| self.wants(kind), &mut hits);
        let bytes = text.as_bytes();
        let mut lasting = Lasting {
            people: self.names.as_ref().map(People::new),
            near: self
                .wants(Kind::Street)
                .then(|| Streets::near(text, self.forms.houses(&cues))),
        };
        let mut at = 0;
        while let Some(token) = next_token(bytes, at) {
            at = token.end;
            if let Some(end) = self.token(text, &cues, &token, &mut lasting, &mut hits) {
                at = end.max(at);
            }
        }
        if let Some(people) = lasting.people {
            people.finish(text, &mut hits);
        }
        if let Some(fields) = &self.fields {
            fields.find(text, &cues, self.names.as_ref(), &mut hits);
        }
        for (entity, words) in self.options.words.iter() {
            for hit in hits.iter_mut().filter(|hit| hit.entity == *entity) {
                let said = cues.says(hit.range.start, words);
                hit.score = self.options.profile.with_cue(hit.score, said);
            }
        }
        hits
    }

    /// Tries all that can start with a token, and says where what was found ends.
    fn token(
        &self,
        text: &str,
        cues: &Cues<'_>,
        token: &Token,
        lasting: &mut Lasting<'_>,
        hits: &mut Vec<Hit>,
    ) -> Option<usize> {
        let bytes = text.as_bytes();
        let profile = self.options.profile;
        let start = token.start;
        let length = token.end - start;
        let begun = hits.len();
        let next = byte(bytes, token.end);
        let colon = before(bytes, start) == b':';
        if length <= 4 && (next == b':' || colon) {
            if self.wants(Kind::Ip) {
                hits.extend(ip::six(text, start, &self.options));
            }
            if length == 2 && next == b':' && self.wants(Kind::Mac) {
                hits.extend(mac::find(text, start));
            }
        }
        if length == 4 && next == b'.' && self.wants(Kind::Mac) {
            hits.extend(mac::dotted(text, start));
        }
        if self.wants(Kind::Url) {
            hits.extend(url::find(text, token, profile));
            if hits.len() > begun {
                return self.end(hits, begun);
            }
        }
        if let Some((streets, near)) = self.streets.as_ref().zip(lasting.near.as_ref()) {
            hits.extend(streets.find(text, near, token));
            if hits.len() > begun {
                return self.end(hits, begun);
            }
        }
        if token.digits == 0 {
            if let Some(gazetteer) = &self.gazetteer
                && byte(bytes, start).is_ascii_uppercase()
            {
                hits.extend(gazetteer.find(text, cues, token));
            }
            if self.wants(Kind::Person) && byte(bytes, start).is_ascii_uppercase() {
                hits.extend(
                    lasting
                        .people
                        .as_mut()
                        .and_then(|people| people.find(text, cues, token)),
                );
            }
            if self.forms.letters_only() && length <= 24 {
                self.forms.find(text, cues, token, hits);
            }
            if self.wants(Kind::Mac) && length == 2 && next == b'-' {
                hits.extend(mac::find(text, start));
            }
            return self.end(hits, begun);
        }
        if length > 64 {
            return None;
        }
        if token.digits < length {
            if self.wants(Kind::Crypto) && length >= 26 {
                hits.extend(crypto::find(text, cues, token));
            }
            if self.wants(Kind::Iban) && length >= 4 {
                hits.extend(iban::find(text, start));
            }
        } else {
            if length <= 3 && next == b'.' && hits.len() == begun && self.wants(Kind::Ip) {
                hits.extend(ip::four(text, cues, start, &self.options));
            }
            if self.wants(Kind::Mac) && length == 2 && next == b'-' {
                hits.extend(mac::find(text, start));
            }
            if self.wants(Kind::Card)
                && (4..=19).contains(&length)
                && hits.len() == begun
                && is_alone(bytes, start)
            {
                hits.extend(card::find(text, cues, start, profile));
            }
            if self.wants(Kind::Phone) && length <= 15 && hits.len() == begun {
                hits.extend(phone::find(text, cues, token, profile));
            }
        }
        if length <= form::LONGEST {
            self.forms.find(text, cues, token, hits);
        }
        self.end(hits, begun)
    }

    /// Where the last certain hit ends; below its threshold one stands in nobody's way.
    fn end(&self, hits: &[Hit], begun: usize) -> Option<usize> {
        let new = hits.get(begun..).unwrap_or_default().iter();
        new.filter(|hit| hit.score >= self.least(hit.entity))
            .map(|hit| hit.range.end)
            .max()
    }
}

/// A run of ASCII letters and digits.
#[derive(Debug, Clone, Copy)]
struct Token {
    start: usize,
    end: usize,
    digits: usize,
}

fn next_token(bytes: &[u8], from: usize) -> Option<Token> {
    let rest = bytes.get(from..)?;
    let start = from + rest.iter().position(u8::is_ascii_alphanumeric)?;
    let mut token = Token {
        start,
        end: start,
        digits: 0,
    };
    for byte in bytes.get(start..)? {
        if !byte.is_ascii_alphanumeric() {
            break;
        }
        token.digits += usize::from(byte.is_ascii_digit());
        token.end += 1;
    }
    Some(token)
}

/// Of those that overlap the surest, and among equals the longest.
fn apart(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|one| one.range.start);
    let overlap = |pair: &[Found]| matches!(pair, [a, b] if a.range.end > b.range.start);
    if !found.windows(2).any(overlap) {
        return found;
    }
    found.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then(b.range.len().cmp(&a.range.len()))
            .then(a.range.start.cmp(&b.range.start))
    });
    let mut kept: std::collections::BTreeMap<usize, Found> = std::collections::BTreeMap::new();
    for one in found {
        let left = kept.range(..one.range.end).next_back();
        if left.is_none_or(|(_, left)| left.range.end <= one.range.start) {
            kept.insert(one.range.start, one);
        }
    }
    kept.into_values().collect()
}
