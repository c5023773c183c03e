//! Words that names of people are made of.

use serde::Deserialize;

/// What a word is known as; several at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known(u8);

impl Known {
    /// A given name, and nothing else.
    pub(super) const GIVEN: Self = Self(1);
    /// A given name that is a word, too.
    pub(super) const GIVEN_WORD: Self = Self(2);
    /// A family name.
    pub(super) const FAMILY: Self = Self(4);
    /// A word that is written with a capital in other texts.
    pub(super) const WORD: Self = Self(8);
    /// Not known.
    pub(super) const NOTHING: Self = Self(0);

    pub(super) fn is(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

const LISTS: [(&str, Known); 4] = [
    (include_str!("../../rules/names/given.txt"), Known::GIVEN),
    (
        include_str!("../../rules/names/given-words.txt"),
        Known::GIVEN_WORD,
    ),
    (
        include_str!("../../rules/names/surnames.txt"),
        Known::FAMILY,
    ),
    (include_str!("../../rules/names/words.txt"), Known::WORD),
];
const CUES: &str = include_str!("../../rules/names/cues.toml");
const ENDINGS: &str = include_str!("../../rules/names/endings.txt");

/// What stands around names.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    pub(super) titles: Vec<String>,
    pub(super) particles: Vec<String>,
    /// Names of values.
    pub(super) keys: Vec<String>,
    /// What stands before the name of a street.
    pub(super) streets: Vec<String>,
    /// What stands before the name of a saint.
    pub(super) saints: Vec<String>,
    /// What stands behind the name of a firm, or of a street.
    pub(super) firms: Vec<String>,
    /// What is said before a name, and how much surer it makes one.
    said: Vec<(String, f32)>,
    /// And what behind one.
    pub(super) does: Vec<(String, f32)>,
}

/// How long a word is that is looked up.
const LONGEST: usize = 32;

/// The known words.
#[derive(Debug)]
pub(super) struct Names {
    /// Sorted by the words.
    words: Vec<(&'static str, Known)>,
    /// Where the words of each beginning are, and where the last ones end.
    beginnings: Vec<usize>,
    /// How family names end, by the last byte.
    endings: Vec<Vec<&'static str>>,
    pub(super) cues: Words,
    /// What is said before a name, by its last byte.
    said: Vec<Vec<(String, f32)>>,
}

impl Names {
    pub(super) fn new() -> Result<Self, String> {
        let all = LISTS
            .iter()
            .flat_map(|(list, known)| list.split_whitespace().map(|word| (word, *known)));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable_by_key(|(word, _)| *word);
        let mut words: Vec<(&str, Known)> = Vec::new();
        for (word, known) in all {
            match words.last_mut() {
                Some((last, before)) if *last == word => before.0 |= known.0,
                _ => words.push((word, known)),
            }
        }
        let start = |of: usize| words.partition_point(|(word, _)| beginning(word.as_bytes()) < of);
        let beginnings = (0..=LETTERS * LETTERS).map(start).collect();
        let mut endings = vec![Vec::new(); 256];
        for ending in ENDINGS.split_whitespace() {
            let last = ending.bytes().next_back().unwrap_or_default();
            let list = endings.get_mut(usize::from(last));
            list.into_iter()
                .for_each(|list: &mut Vec<_>| list.push(ending));
        }
        let mut cues: Words = toml::from_str(CUES).map_err(|error| error.to_string())?;
        let mut said = vec![Vec::new(); 256];
        for (words, surer) in std::mem::take(&mut cues.said) {
            let last = words.bytes().next_back().unwrap_or_default();
            let list = said.get_mut(usize::from(last));
            list.into_iter()
                .for_each(|list: &mut Vec<_>| list.push((words.clone(), surer)));
        }
        Ok(Self {
            words,
            beginnings,
            endings,
            cues,
            said,
        })
    }

    /// What is said before a name and ends as a text does, and how much surer it makes one.
    pub(super) fn said(&self, text: &str) -> &[(String, f32)] {
        let last = text.bytes().next_back().unwrap_or_default();
        let said = self.said.get(usize::from(last.to_ascii_lowercase()));
        said.map_or(&[], Vec::as_slice)
    }

    /// What a word is known as, in whatever case; of two given names with a hyphen the first tells, and what begins as
    /// `O'Brien` does is a family name.
    pub(super) fn known(&self, word: &str) -> Known {
        let known = self.listed(word);
        if known != Known::NOTHING {
            return known;
        }
        if let Some((first, _)) = word.split_once('-') {
            return self.listed(first);
        }
        let mut letters = word.chars();
        match (letters.next(), letters.next(), letters.next()) {
            (Some('O' | 'D'), Some('\'' | '’'), Some('A'..='Z')) => Known::FAMILY,
            _ => known,
        }
    }

    fn listed(&self, word: &str) -> Known {
        let mut lower = [0; LONGEST];
        let Some(lower) = lower.get_mut(..word.len()) else {
            return Known::NOTHING;
        };
        lower.copy_from_slice(word.as_bytes());
        lower.make_ascii_lowercase();
        let at = beginning(lower);
        let (Some(start), Some(end)) = (self.beginnings.get(at), self.beginnings.get(at + 1))
        else {
            return Known::NOTHING;
        };
        let words = self.words.get(*start..*end).unwrap_or_default();
        let found = words.binary_search_by(|(word, _)| word.as_bytes().cmp(lower));
        found
            .ok()
            .and_then(|at| words.get(at))
            .map_or(Known::NOTHING, |(_, known)| *known)
    }

    /// Whether a word that is not known ends as family names do.
    pub(super) fn ends_like_one(&self, word: &str) -> bool {
        let last = word.bytes().next_back().unwrap_or_default();
        let endings = self.endings.get(usize::from(last));
        let mut endings = endings.into_iter().flatten();
        word.len() >= 6 && endings.any(|ending| word.ends_with(ending))
    }
}

/// The letters, and what comes before and after them.
const LETTERS: usize = 28;

/// A number for the first two letters of a word, in the order of words.
fn beginning(word: &[u8]) -> usize {
    let letter = |at: usize| {
        let byte = word.get(at).copied().unwrap_or_default();
        usize::from(byte.clamp(b'a' - 1, b'z' + 1) - (b'a' - 1))
    };
    letter(0) * LETTERS + letter(1)
}
