//! What is known by its name alone: places, peoples, organizations.

use super::bounds::{before, byte};
use super::cue::Cues;
use super::{Hit, Token};
use crate::entity::{Entity, Kind};

/// The lists, with what is in them and how sure that is.
const LISTS: [(&str, Kind, f32); 4] = [
    (
        include_str!("../../rules/places/countries.txt"),
        Kind::Location,
        0.6,
    ),
    (
        include_str!("../../rules/places/cities.txt"),
        Kind::Location,
        0.5,
    ),
    (
        include_str!("../../rules/places/peoples.txt"),
        Kind::People,
        0.55,
    ),
    (
        include_str!("../../rules/places/organizations.txt"),
        Kind::Organization,
        0.55,
    ),
];

/// Names of values that are places.
const PLACES: &[&str] = &[
    "city",
    "town",
    "country",
    "state",
    "province",
    "location",
    "region",
    "birthplace",
    "place of birth",
    "municipality",
    "county",
];
/// What is said before places.
const SAID: &[&str] = &[
    "moved here from",
    "moved from",
    "moved to",
    "based in",
    "born in",
    "lives in",
    "live in",
    "living in",
    "lived in",
    "returned to",
    "city of",
    "town of",
    "located in",
    "trip to",
    "flew to",
    "home city",
    "capital of",
    "arrived in",
    "resident of",
    "suburb of",
    "raised in",
    "studied in",
    "headquartered in",
    "travel to",
    "travelled to",
    "traveled to",
    "offices in",
    "office in",
    "i am in",
];

/// Names of values that are organizations.
const ORGANIZATIONS: &[&str] = &[
    "company",
    "organization",
    "organisation",
    "employer",
    "org",
    "firm",
    "vendor",
];

/// Words that end the names of organizations, and how sure they make one.
const ENDS: &[&str] = &[
    "Inc",
    "Incorporated",
    "LLC",
    "Ltd",
    "Limited",
    "GmbH",
    "AG",
    "SE",
    "SA",
    "SARL",
    "BV",
    "NV",
    "AB",
    "Oy",
    "Oyj",
    "AS",
    "ApS",
    "SpA",
    "Srl",
    "PLC",
    "Plc",
    "LLP",
    "Corp",
    "Corporation",
    "Company",
    "Co",
    "Group",
    "Holdings",
    "Partners",
    "Bank",
    "University",
    "Institute",
    "College",
    "Foundation",
    "Association",
    "Technologies",
    "Industries",
    "Solutions",
    "Systems",
    "Consulting",
    "Insurance",
    "Investments",
    "Bros",
    "Pharmaceuticals",
    "Logistics",
    "Airlines",
    "Motors",
    "Ministry",
    "Hospital",
    "Ventures",
    "Capital",
    "Labs",
    "Analytics",
    "Software",
    "Media",
    "Networks",
    "Records",
];

/// How many words a name has at most.
const WORDS: usize = 5;

/// The known names.
#[derive(Debug)]
pub(super) struct Gazetteer {
    /// Sorted by the names.
    names: Vec<(&'static str, Kind, f32)>,
}

impl Gazetteer {
    /// What is known of those kinds that are wanted; nothing if none is.
    pub(super) fn new(wanted: impl Fn(Kind) -> bool) -> Option<Self> {
        let lists = LISTS.iter().filter(|(_, kind, _)| wanted(*kind));
        let all = lists.flat_map(|(list, kind, score)| {
            let names = list
                .split([',', '\n'])
                .map(str::trim)
                .filter(|name| !name.is_empty());
            names.map(|name| (name, *kind, *score))
        });
        let mut names: Vec<_> = all.collect();
        names.sort_unstable_by_key(|(name, ..)| *name);
        (!names.is_empty()).then_some(Self { names })
    }

    /// The name that begins with a token.
    pub(super) fn find(&self, text: &str, cues: &Cues<'_>, token: &Token) -> Option<Hit> {
        let last = before(text.as_bytes(), token.start);
        if last.is_ascii_alphanumeric() || last >= 0x80 || b"_./@-\\<#$".contains(&last) {
            return None;
        }
        let ends = word_ends(text, token.start);
        let first = text.get(token.start..*ends.first()?)?.to_ascii_lowercase();
        let begins = |name: &str| {
            let at = self.names.partition_point(|(known, ..)| *known < name);
            self.names
                .get(at)
                .is_some_and(|(known, ..)| known.starts_with(name))
        };
        let maybe = begins(&first) || first.strip_suffix('s').is_some_and(begins);
        let known = ends.iter().rev().filter(|_| maybe).find_map(|end| {
            let name = text.get(token.start..*end)?;
            let (kind, score) = self.known(name)?;
            Some((kind.entity(), *end, score))
        });
        let (entity, end, score) = known.or_else(|| self.unknown(text, cues, token, &ends))?;
        let shouted = end - token.start < 4 && entity.kind == Kind::Location;
        (!shouted).then(|| hit(text, entity, token.start, end, score))
    }

    fn known(&self, name: &str) -> Option<(Kind, f32)> {
        let name = name.to_ascii_lowercase();
        let at = |name: &str| {
            self.names
                .binary_search_by(|(known, ..)| (*known).cmp(name))
                .ok()
        };
        let plural = || name.strip_suffix('s').and_then(at);
        let (_, kind, score) = self.names.get(at(&name).or_else(plural)?)?;
        Some((*kind, *score))
    }

    /// What is no known name, but ends as organizations do or is the value of a name that says what it is.
    fn unknown(
        &self,
        text: &str,
        cues: &Cues<'_>,
        token: &Token,
        ends: &[usize],
    ) -> Option<(&'static Entity, usize, f32)> {
        let has = |kind: Kind| self.names.iter().any(|(_, known, _)| *known == kind);
        let whole = *ends.last()?;
        if has(Kind::Organization) {
            let ended = ends.iter().rposition(|end| {
                let name = text.get(token.start..*end).unwrap_or_default();
                ENDS.contains(&name.rsplit(' ').next().unwrap_or_default())
            });
            if let Some(end) = ended.filter(|at| *at > 0).and_then(|at| ends.get(at)) {
                return Some((Kind::Organization.entity(), *end, 0.6));
            }
            if cues.named(token.start, ORGANIZATIONS) {
                return Some((Kind::Organization.entity(), whole, 0.55));
            }
        }
        let place = has(Kind::Location)
            && (cues.named(token.start, PLACES) || cues.follows(token.start, SAID));
        place.then(|| (Kind::Location.entity(), whole, 0.55))
    }
}

/// Where the first, the second and so on of the words with capitals end that follow each other.
fn word_ends(text: &str, start: usize) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut ends = Vec::new();
    let mut at = start;
    while ends.len() < WORDS {
        let rest = bytes.get(at..).unwrap_or_default();
        let small = [&b"of "[..], b"and ", b"the ", b"de ", b"es ", b"& "]
            .into_iter()
            .find(|word| rest.starts_with(word));
        if let Some(small) = small.filter(|_| !ends.is_empty()) {
            at += small.len();
            continue;
        }
        if !rest.first().is_some_and(u8::is_ascii_uppercase) {
            break;
        }
        let length = rest
            .iter()
            .take(32)
            .take_while(|byte| byte.is_ascii_alphanumeric() || b"-'".contains(byte))
            .count();
        at += length;
        ends.push(at);
        if byte(bytes, at) != b' ' {
            break;
        }
        at += 1;
    }
    ends
}

fn hit(text: &str, entity: &'static Entity, start: usize, end: usize, score: f32) -> Hit {
    let value = text.get(start..end).unwrap_or_default();
    Hit {
        entity,
        range: start..end,
        score,
        canonical: value.to_lowercase(),
    }
}
