//! Addresses of houses, as they are written in many countries.

use std::ops::Range;

use mcp_gateway_scan::{Pattern, Start};

use super::bounds::{before, byte, is_alone, is_over, is_word_end};
use super::{Hit, Token};
use crate::entity::Kind;

/// A word with a capital, or with a number as `42nd`. It ends in no apostrophe, which is a quote that the value stands in.
const WORD: &str = r"(?:(?:[A-Z]|\xc3[\x80-\x9e])(?:'?(?:[A-Za-z.-]|\xc3[\x80-\xbf])){0,24}|[0-9]{1,3}(?:st|nd|rd|th))";

/// What a street is called behind its name.
const BEHIND: &str = "(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Squares?|Sq|Way|Terrace|Parkway|Pkwy|Highway|Hwy|Crescent|Close|Grove|Circle|Cir|Trail|Loop|Alley|Plaza|Park|Row|Walk|Gardens|Hill|Mews|Quay|Parade|Turnpike|Pike|Ridge|Utca|utca|Katu|Vej)";

/// What it is called before its name.
const BEFORE: &str = "(?:C/|Rue|Avenue|Boulevard|Place|Chemin|Quai|Impasse|Allee|Route|Passage|Cours|Square|Voie|Via|Viale|Piazza|Piazzale|Corso|Vicolo|Borgo|Contrada|Strada|Lungomare|Largo|Calle|Avenida|Av|Avda|Plaza|Paseo|Pasaje|Camino|Carretera|Ronda|Rambla|Glorieta|Alameda|Cuesta|Senda|Urbanizacion|Carrer|Rua|Travessa|Praca|Estrada|Rodovia|Ulica|ul|Aleja|al|pl|os|Postbox)";

/// What the name of a street ends in, where it is one word.
const WITHIN: &str = r"(?:-?[Ss]tra(?:ss|\xc3\x9f)e|-?[Ss]tr\.|-?[Gg]asse|-?[Ww]eg|-?[Pp]latz|-?[Aa]llee|-?[Dd]amm|-?[Uu]fer|-?[Rr]ing|[Hh]of|katu|tie|vej|gade|vagen|gatan|gata|gaten|veien|straat|laan|plein|kade|singel|gracht|dijk|steeg|baan|dreef|plantsoen|ulica|braut|vegur)";

/// A part of a house.
const PART: &str =
    r"(?:[ ,]{1,3}|\s{1,12})(?:Suite|Ste|Apt|Apartment|Unit|Floor|Flat|Room)\.? ?#?[0-9A-Z-]{1,6}";

/// The town, the state, the country, the postal code.
const TOWN: &str = r"(?:(?:, ?|,?\s{1,12})[A-Z](?:'?[A-Za-z-]){1,24}(?: [A-Z](?:'?[A-Za-z-]){1,24}){0,2}){0,2}(?:,? [A-Z]{2})?(?:,? [0-9]{4,6}(?:-[0-9]{3,4})?|,? [A-Z][0-9][A-Z] [0-9][A-Z][0-9])";

/// What every address has; only near one of these is compared with the forms.
const WORDS: &[&str] = &[
    "street",
    "st",
    "ave",
    "road",
    "rd",
    "lane",
    "ln",
    "drive",
    "dr",
    "boulevard",
    "blvd",
    "court",
    "ct",
    "place",
    "pl",
    "square",
    "sq",
    "way",
    "terrace",
    "parkway",
    "pkwy",
    "highway",
    "hwy",
    "crescent",
    "close",
    "grove",
    "circle",
    "cir",
    "trail",
    "loop",
    "alley",
    "plaza",
    "park",
    "row",
    "walk",
    "gardens",
    "hill",
    "mews",
    "quay",
    "parade",
    "turnpike",
    "pike",
    "ridge",
    "utca",
    "katu",
    "vej",
    "rue",
    "chemin",
    "quai",
    "impasse",
    "via",
    "piazza",
    "corso",
    "vicolo",
    "calle",
    "avenida",
    "paseo",
    "camino",
    "ronda",
    "carrer",
    "rua",
    "travessa",
    "largo",
    "ulica",
    "ul",
    "aleja",
    "strada",
    "postbox",
    "strasse",
    "stra\u{df}e",
    "gasse",
    "weg",
    "platz",
    "allee",
    "damm",
    "ufer",
    "gade",
    "vagen",
    "gata",
    "veien",
    "straat",
    "laan",
    "plein",
    "kade",
    "braut",
    "vegur",
    "suite",
    "ste",
    "apt",
    "apartment",
    "unit",
    "flat",
    "box",
    "c/",
    "u.",
    "ut.",
    "ter.",
    "rkp",
    "krt",
    "viale",
    "piazzale",
    "borgo",
    "contrada",
    "lungomare",
    "pasaje",
    "carretera",
    "rambla",
    "glorieta",
    "alameda",
    "cuesta",
    "senda",
    "urbanizacion",
    "praca",
    "estrada",
    "rodovia",
    "avda",
    "av",
    "al.",
    "os.",
    "route",
    "passage",
    "cours",
    "voie",
];

/// What streets end in that much else ends in, too; these count only before the number of a house.
const NUMBERED: &[&str] = &[
    "str. ",
    "ring ",
    "hof ",
    "tie ",
    "singel ",
    "gracht ",
    "dijk ",
    "steeg ",
    "baan ",
    "dreef ",
    "plantsoen ",
];

/// How far ahead one of them may be.
const REACH: usize = 96;

/// The forms of addresses.
#[derive(Debug)]
pub(super) struct Streets {
    forms: Vec<(Pattern, f32)>,
}

/// Where words of addresses end in a text, in order.
#[derive(Debug)]
pub(super) struct Near(Vec<usize>);

impl Streets {
    pub(super) fn new() -> Result<Self, String> {
        let number = "[0-9]{1,6}[A-Za-z]?(?:[-/][0-9]{1,4})?";
        let small = "(?:(?:de|da|do|dos|del|della|delle|dei|di|du|des|la|le|les|van|von|der|den|of|the) ){0,2}";
        let tail = format!("(?:{PART}){{0,2}}(?:{TOWN})?");
        let forms = [
            // 12 Long Name Street; that of a flat may stand before that of the house.
            (
                format!("{number}(?: {number})? (?:{WORD} ){{1,4}}?{BEHIND}\\.?{tail}"),
                0.7,
            ),
            // 12 Name Street 5: the number of the house behind it, another before it.
            (
                format!(
                    "(?:{number} )?{BEFORE}\\.? (?:{small}{WORD} ){{0,4}}?{small}{WORD},? {number}{tail}"
                ),
                0.6,
            ),
            (
                format!(
                    "(?:{number},? )?{BEFORE}\\.? (?:{small}{WORD} ){{0,3}}?{small}{WORD},? ?[0-9]{{4,5}}"
                ),
                0.6,
            ),
            // 12 rue du Nom: as France writes it, with the number before it.
            (
                format!(
                    "{number}(?: bis| ter)?,? (?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Pp]lace|[Cc]hemin|[Qq]uai|[Ii]mpasse|[Aa]llee|[Rr]oute|[Pp]assage|[Cc]ours|[Vv]oie) (?:de l'|l'|d')?{small}{WORD}(?: {WORD}){{0,3}}{tail}"
                ),
                0.7,
            ),
            (
                format!("(?:{number} )?[A-Z][A-Za-z-]{{1,32}}?{WITHIN} {number}(?: (?:I{{1,3}}|[a-z]))?{tail}"),
                0.65,
            ),
            // `Mülheimer Str. 8`: two words in German.
            (
                format!(r"[A-Z][A-Za-z.-]{{2,24}} (?:Str\.|Stra(?:ss|\xc3\x9f)e|Allee|Weg|Platz|Ring|Gasse|Ufer|Damm) {number}{tail}"),
                0.65,
            ),
            (
                format!("(?:{number} )(?:{WORD} ){{1,3}}?{number}(?:{PART}){TOWN}"),
                0.55,
            ),
            // As Hungary writes it.
            (format!(r"{number} (?:{WORD} ){{1,3}}(?:u|ut|ter|rkp|krt)\. ?[0-9]{{1,4}}\.?{tail}"), 0.6),
            // Posts of the army.
            (r"(?:PSC|Unit|CMR) [0-9]{1,5},? Box [0-9]{1,5}(?:\s{1,8}(?:APO|FPO|DPO) A[AEP] [0-9]{5})?".to_owned(), 0.7),
            (
                r"(?:Suite|Ste|Apt|Apartment|Unit|Flat)\.? #?[0-9]{1,5}[A-Za-z]?".to_owned(),
                0.5,
            ),
            (r"P\.?O\.? Box [0-9]{1,6}".to_owned(), 0.6),
        ];
        let pattern = |(form, score): &(String, f32)| {
            let pattern = Pattern::new(form).map_err(|error| format!("street: {error}"))?;
            Ok((pattern, *score))
        };
        Ok(Self {
            forms: forms.iter().map(pattern).collect::<Result<_, String>>()?,
        })
    }

    /// The words that stand where they are of addresses: as words, or at the end of one.
    pub(super) fn near(text: &str, words: &[Range<usize>]) -> Near {
        let bytes = text.as_bytes();
        let word = |range: &Range<usize>| {
            let next = byte(bytes, range.end);
            match before(bytes, range.end) {
                b' ' => next.is_ascii_digit(),
                b'.' => !before(bytes, range.start).is_ascii_alphanumeric(),
                _ if range.len() <= 3 && before(bytes, range.start).is_ascii_alphanumeric() => {
                    false
                }
                _ => !next.is_ascii_alphanumeric(),
            }
        };
        let words = words.iter().filter(|range| word(range));
        Near(words.map(|range| range.end).collect())
    }

    /// What every address has.
    pub(super) fn words() -> impl Iterator<Item = &'static str> {
        WORDS.iter().chain(NUMBERED).copied()
    }

    pub(super) fn find(&self, text: &str, near: &Near, token: &Token) -> Option<Hit> {
        let bytes = text.as_bytes();
        let first = byte(bytes, token.start);
        let begins = first.is_ascii_uppercase() || first.is_ascii_digit() || first == b'u';
        if !begins || near.0.is_empty() {
            return None;
        }
        let next = near.0.get(near.0.partition_point(|end| *end < token.end))?;
        if *next > token.start + REACH || !is_alone(bytes, token.start) {
            return None;
        }
        self.forms.iter().find_map(|(pattern, score)| {
            let (range, _) = pattern.find(text, token.start, Start::At(0), 0)?;
            let value = text.get(range.clone())?;
            let apart = is_word_end(text, range.end) && is_over(bytes, range.end);
            apart.then(|| Hit {
                entity: Kind::Street.entity(),
                range,
                score: *score,
                canonical: value.to_lowercase(),
            })
        })
    }
}
