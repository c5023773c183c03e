//! Who is greeted in a letter, and who signs it, in scripts of which the names are in no list.

use std::ops::Range;

use mcp_gateway_scan::Keywords;

use super::{capital, read};

/// How long what stands there is at most.
const NAME: usize = 80;

/// What is written before the names.
#[derive(Debug)]
pub(super) struct Letters {
    words: Keywords,
    /// From this one on they are closings, which have a line of their own.
    closings: usize,
}

impl Letters {
    pub(super) fn new(greetings: &[String], closings: &[String]) -> Result<Self, String> {
        let spellings = |word: &String| [read(word), read(&capital(word))];
        let mut words: Vec<String> = greetings.iter().flat_map(spellings).collect();
        let first = words.len();
        words.extend(closings.iter().flat_map(spellings));
        Ok(Self {
            words: Keywords::new(words).map_err(|error| error.to_string())?,
            closings: first,
        })
    }

    /// Goes through what stands where a name is written.
    pub(super) fn each_name(&self, text: &str, mut see: impl FnMut(Range<usize>)) {
        if text.is_ascii() {
            return;
        }
        for (word, range) in self.words.find(text) {
            let rest = text.get(range.end..).unwrap_or_default();
            let gap: &[char] = match word < self.closings {
                true => &[' ', ','],
                false => &[' ', ',', '\n', '\r'],
            };
            let name = rest.trim_start_matches(gap);
            let start = text.len() - name.len();
            let is_end = |c: char| "\n,!:;.<(、，。！：".contains(c);
            // No further than a name is long: a text of greetings would be read over and over.
            let near = name
                .get(..name.floor_char_boundary(NAME + 4))
                .unwrap_or_default();
            let length = near.find(is_end).unwrap_or(near.len());
            let is_closing = word >= self.closings;
            let lines = text
                .get(range.end..start)
                .is_some_and(|gap| gap.contains('\n'));
            if start > range.end && length > 0 && length <= NAME && lines == is_closing {
                see(start..start + name.get(..length).unwrap_or_default().trim_end().len());
            }
        }
    }
}
