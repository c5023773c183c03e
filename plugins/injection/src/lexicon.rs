//! Which words say what.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use mcp_gateway_scan::View;

use crate::token::{Token, tokens};

/// A word without its ending, as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word(u64);

impl Word {
    /// Any number.
    pub const NUMBER: Self = Self(1);
    /// Any word that is too long to be one.
    pub const LONG: Self = Self(2);
    /// Any link.
    pub const LINK: Self = Self(3);
    /// Any link in which something is to be filled in.
    pub const LINK_TEMPLATE: Self = Self(4);
    /// Any mail address.
    pub const EMAIL: Self = Self(5);

    /// A word in small letters.
    pub fn of(word: &str) -> Self {
        Self::exact(stem(word))
    }

    /// A word or mark as it stands.
    pub fn exact(word: &str) -> Self {
        let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        // FNV leaves the upper bits of short words alike.
        Self((hash ^ (hash >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The number.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// The word without the endings of English: crude, and the same for what is looked for and what is read.
fn stem(word: &str) -> &str {
    if word.len() < 5 {
        return word;
    }
    let word = word.strip_suffix("'s").unwrap_or(word);
    let without = |suffix: &str, least: usize| {
        word.strip_suffix(suffix)
            .filter(|rest| rest.len() >= least && rest.is_char_boundary(rest.len()))
    };
    let word = without("ing", 4)
        .or_else(|| without("ed", 4).filter(|rest| has_vowel(rest)))
        .or_else(|| without("es", 4))
        .or_else(|| without("s", 3).filter(|rest| !rest.ends_with('s')))
        .unwrap_or(word);
    match word.strip_suffix('e') {
        Some(rest) if rest.len() >= 4 => rest,
        _ => word,
    }
}

/// Whether it ends like a word that is spoken: `fetch`, and not `passwd`.
fn has_vowel(word: &str) -> bool {
    let vowel = |byte: &u8| b"aeiouy".contains(byte) || !byte.is_ascii();
    word.bytes().rev().take(4).any(|byte| vowel(&byte))
}

/// A concept, by its number. There are at most 128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Concept(pub u8);

/// A set of concepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Concepts {
    /// Those up to 63, and the others: shifts of 128 bits are slow in WebAssembly.
    low: u64,
    high: u64,
}

impl Concepts {
    /// Adds a concept.
    #[must_use]
    pub fn with(self, concept: Concept) -> Self {
        let bit = 1 << (concept.0 & 63);
        match concept.0 < 64 {
            true => Self {
                low: self.low | bit,
                ..self
            },
            false => Self {
                high: self.high | bit,
                ..self
            },
        }
    }

    /// Whether the concept is one of the set.
    pub fn has(self, concept: Concept) -> bool {
        let half = if concept.0 < 64 { self.low } else { self.high };
        half >> (concept.0 & 63) & 1 == 1
    }

    /// Whether the sets have anything in common.
    pub fn meets(self, other: Self) -> bool {
        self.low & other.low != 0 || self.high & other.high != 0
    }
}

/// A concept that a text speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// What is spoken of.
    pub concept: Concept,
    /// The first word, by its number.
    pub first: usize,
    /// The last word.
    pub last: usize,
    /// Where the first word is, in words.
    pub at: u32,
    /// Whether a sentence opens with it, or it follows a word that urges: what is said then is an order.
    pub urged: bool,
    /// The number of the sentence that it is in.
    pub sentence: u32,
}

/// The words that are known.
#[derive(Debug, Default)]
pub struct Known(HashMap<Word, Vec<Phrase>, BuildHasherDefault<AsItIs>>);

#[derive(Debug)]
struct Phrase {
    concept: Concept,
    rest: Vec<Word>,
}

/// Words are hashes already.
#[derive(Debug, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl Known {
    /// Whether it is a word of a known phrase.
    pub fn is_known(&self, word: Word) -> bool {
        self.0.contains_key(&word)
    }
}

/// Which words say what.
#[derive(Debug)]
pub struct Lexicon {
    known: Known,
    names: Vec<String>,
    /// What stands before an order: please, you must.
    urge: Option<Concept>,
}

impl Lexicon {
    /// Reads what `words.toml` says.
    ///
    /// # Errors
    /// It is no such table, or has too many concepts.
    pub fn new(table: &str) -> Result<Self, String> {
        let table: BTreeMap<String, BTreeMap<String, String>> =
            toml::from_str(table).map_err(|error| error.to_string())?;
        if table.len() > 128 {
            return Err("there are more than 128 concepts".into());
        }
        let mut known = Known::default();
        let mut names = Vec::new();
        for (number, (name, languages)) in (0..).zip(table) {
            names.push(name);
            let phrases = languages.values().flat_map(|list| list.split(','));
            for phrase in phrases {
                let words = words(phrase.trim());
                let Some((first, rest)) = words.split_first() else {
                    return Err(format!("{phrase:?} has no word"));
                };
                for word in rest {
                    known.0.entry(*word).or_default();
                }
                let entry = known.0.entry(*first).or_default();
                entry.push(Phrase {
                    concept: Concept(number),
                    rest: rest.to_vec(),
                });
            }
        }
        let mut lexicon = Self {
            known,
            names,
            urge: None,
        };
        lexicon.urge = lexicon.concept("urge");
        Ok(lexicon)
    }

    /// The words themselves.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// The concept of a name.
    pub fn concept(&self, name: &str) -> Option<Concept> {
        let number = self.names.iter().position(|known| known == name)?;
        u8::try_from(number).ok().map(Concept)
    }

    /// How many concepts there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// What the words of a text speak of, in their order.
    pub fn marks(&self, tokens: &[Token]) -> Vec<Mark> {
        let mut marks: Vec<Mark> = Vec::new();
        // The word after the one that urged last.
        let mut urged = usize::MAX;
        for (first, token) in tokens.iter().enumerate() {
            let Some(phrases) = self.known.0.get(&token.word) else {
                continue;
            };
            let start = marks.len();
            for phrase in phrases {
                let rest = tokens.get(first + 1..).unwrap_or_default();
                let follows = phrase.rest.len() <= rest.len()
                    && phrase
                        .rest
                        .iter()
                        .zip(rest)
                        .all(|(word, token)| *word == token.word);
                let mark = Mark {
                    concept: phrase.concept,
                    first,
                    last: first + phrase.rest.len(),
                    at: token.at,
                    urged: token.opens || urged == first,
                    sentence: token.sentence,
                };
                let once = |known: &Mark| known.concept != mark.concept;
                if follows && marks.get(start..).unwrap_or_default().iter().all(once) {
                    if self.urge == Some(mark.concept) {
                        urged = mark.last + 1;
                    }
                    marks.push(mark);
                }
            }
        }
        marks
    }
}

/// The words of a phrase, as they are read in a text.
fn words(phrase: &str) -> Vec<Word> {
    let mark = match phrase {
        "<url>" => Some(Word::LINK),
        "<url-template>" => Some(Word::LINK_TEMPLATE),
        "<email>" => Some(Word::EMAIL),
        "<number>" => Some(Word::NUMBER),
        _ if phrase.starts_with(['<', '[', '#', '-', '=', '!', '.'])
            || phrase.ends_with(':') && !phrase.contains(' ') =>
        {
            Some(Word::exact(phrase))
        }
        _ => None,
    };
    if let Some(mark) = mark {
        return vec![mark];
    }
    let view = View::plain(phrase);
    let plain = view.as_ref().map_or(phrase, View::text);
    let none = Known::default();
    tokens(plain, &none)
        .iter()
        .map(|token| token.word)
        .collect()
}
