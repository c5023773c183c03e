//! Words that speak of numbers: what has none of its words anywhere is not looked for, and that is most of what there is.

use mcp_gateway_scan::{Keywords, View};

use super::cue::Cues;

/// The words of the rows that nothing but a word makes sure enough.
#[derive(Debug)]
pub(super) struct Told {
    keywords: Keywords,
    /// The number of the row that a keyword is of.
    owners: Vec<usize>,
}

impl Told {
    /// The words of each row.
    pub(super) fn new<'w>(rows: impl Iterator<Item = &'w [String]>) -> Result<Self, String> {
        let (mut keywords, mut owners) = (Vec::new(), Vec::new());
        for (row, words) in rows.enumerate() {
            keywords.extend(words.iter().flat_map(|word| spellings(word)));
            owners.resize(keywords.len(), row);
        }
        let keywords = Keywords::new(keywords).map_err(|error| error.to_string())?;
        Ok(Self { keywords, owners })
    }

    /// The rows of which a word is anywhere in the text.
    pub(super) fn within<'a>(&self, cues: &'a Cues<'_>) -> &'a [usize] {
        cues.within(|text| self.of(text))
    }

    /// The rows of which a word is in the name of the text.
    pub(super) fn named<'a>(&self, cues: &'a Cues<'_>) -> &'a [usize] {
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
