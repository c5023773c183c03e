//! Words that speak of numbers and of houses: what has none of its words anywhere is not looked for, and that is most of
//! what there is.

use std::ops::Range;

use mcp_gateway_scan::{Keywords, View};

use super::cue::Cues;

/// The words of the rows that nothing but a word makes sure enough, and those of addresses. A text is read once for both.
#[derive(Debug)]
pub(super) struct Told {
    keywords: Keywords,
    /// The number of the row that a keyword is of; of an address, none.
    owners: Vec<usize>,
}

/// What is told in a text.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The rows of which a word is anywhere, in order.
    pub(super) rows: Vec<usize>,
    /// Where words of addresses stand, in the order of their ends.
    pub(super) houses: Vec<Range<usize>>,
}

impl Told {
    /// The words of each row, and those of addresses.
    pub(super) fn new<'w>(
        rows: impl Iterator<Item = &'w [String]>,
        houses: impl Iterator<Item = &'static str>,
    ) -> Result<Self, String> {
        let (mut keywords, mut owners) = (Vec::new(), Vec::new());
        for (row, words) in rows.enumerate() {
            keywords.extend(words.iter().flat_map(|word| spellings(word)));
            owners.resize(keywords.len(), row);
        }
        keywords.extend(houses.map(str::to_owned));
        let keywords = Keywords::new(keywords).map_err(|error| error.to_string())?;
        Ok(Self { keywords, owners })
    }

    /// What is told anywhere in the text.
    pub(super) fn within<'a>(&self, cues: &'a Cues<'_>) -> &'a Heard {
        cues.within(|text| self.of(text))
    }

    /// What is told in the name of the text.
    pub(super) fn named<'a>(&self, cues: &'a Cues<'_>) -> &'a Heard {
        cues.within_key(|key| self.of(key))
    }

    fn of(&self, text: &str) -> Heard {
        let mut heard = Heard::default();
        for (keyword, range) in self.keywords.find(text) {
            match self.owners.get(keyword) {
                Some(row) => heard.rows.push(*row),
                None => heard.houses.push(range),
            }
        }
        heard.rows.sort_unstable();
        heard.rows.dedup();
        heard
    }
}

/// A word as it is, and as a text is read in which letters look like others.
pub(super) fn readings(word: String) -> Vec<String> {
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
