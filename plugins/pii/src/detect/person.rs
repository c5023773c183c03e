//! Names of people: by the words that they are made of, and what stands around them.

use std::ops::Range;

use super::around;
use super::bounds::{before, byte};
use super::cue::Cues;
use super::name::{Known, Names};
use super::{Hit, Token};
use crate::entity::Kind;

/// What stands between the names of a list.
const LIST: &[&str] = &[
    ", ", " and ", " & ", ", and ", " or ", " et ", " und ", "', '", "\", \"", "','", "\",\"",
];

/// How sure a name has to be for others to follow from it.
const SURE: f32 = 0.5;

/// How many names of a text are remembered.
const MOST: usize = 4096;

/// How many words a name has at most, without particles.
const WORDS: usize = 4;

/// A word of what may be a name.
#[derive(Debug, Clone, Copy)]
struct Part {
    end: usize,
    known: Known,
    /// It ends as family names do.
    ending: bool,
    initial: bool,
}

impl Part {
    fn is_family(&self) -> bool {
        self.known.is(Known::FAMILY) || self.ending
    }

    /// A family name that is nothing else.
    fn is_only_family(&self) -> bool {
        self.ending || self.known == Known::FAMILY
    }

    /// A word that is in no name.
    fn is_word(&self) -> bool {
        self.known == Known::WORD
    }
}

/// The people of one text.
#[derive(Debug)]
pub(super) struct People<'a> {
    names: &'a Names,
    /// The last one that was found.
    last: Range<usize>,
    /// Words of the names of those who have more than one.
    words: Vec<String>,
    /// What would be a name beside another one, or if somebody was called that before.
    unsure: Vec<Range<usize>>,
}

impl<'a> People<'a> {
    pub(super) fn new(names: &'a Names) -> Self {
        Self {
            names,
            last: 0..0,
            words: Vec::new(),
            unsure: Vec::new(),
        }
    }

    /// The name that begins with a token. This is the place for a statistical model: it would say how likely the `parts`
    /// are a name in place of `likelihood`, and all around it could stay.
    pub(super) fn find(&mut self, text: &str, cues: &Cues<'_>, token: &Token) -> Option<Hit> {
        let bytes = text.as_bytes();
        let start = token.start;
        let last = before(bytes, start);
        if last.is_ascii_alphanumeric() || last >= 0x80 || b"_./@-\\<#$".contains(&last) {
            return None;
        }
        let first = word(text, start)?;
        let found = if self.names.cues.titles.iter().any(|it| it == first) {
            titled(text, self.names, start + first.len())?
        } else if around::is_saint(text, self.names, start, first) {
            return None;
        } else {
            let parts = parts(text, self.names, start);
            let likely = likelihood(&parts)?;
            let end = parts.last()?.end;
            let more = around::before(text, cues, self.names, start, end)
                .max(self.listed(text, start))
                + around::behind(text, self.names, end);
            let score = likely + more - around::addressed(text, self.names, start, end);
            if score < SURE {
                let few = self.unsure.len() < MOST;
                self.unsure.extend(few.then_some(start..end));
            }
            if score < 0.3 {
                return None;
            }
            hit(text, start, end, score.min(0.95))
        };
        if found.score >= SURE {
            self.last = found.range.clone();
            let name = text.get(found.range.clone())?;
            let words = name.split(' ').filter(|word| word.len() >= 4);
            if name.contains(' ') && self.words.len() < MOST {
                self.words.extend(words.map(str::to_owned));
            }
        }
        Some(found)
    }

    /// How much surer a name is that follows another one in a list.
    fn listed(&self, text: &str, start: usize) -> f32 {
        let gap = text.get(self.last.end..start).unwrap_or_default();
        if self.last.end > 0 && LIST.contains(&gap) {
            0.3
        } else {
            0.0
        }
    }

    /// Those who are called by a part of their name, or stand in a list before one who was found.
    pub(super) fn finish(mut self, text: &str, hits: &mut Vec<Hit>) {
        if self.last.end == 0 || self.unsure.is_empty() {
            return;
        }
        self.words.sort_unstable();
        let people = hits
            .iter()
            .filter(|hit| hit.entity.kind == Kind::Person && hit.score >= SURE);
        let mut starts: Vec<usize> = people.map(|hit| hit.range.start).collect();
        starts.sort_unstable();
        // From the right to the left, so that a list may be found from its end.
        let mut latest = usize::MAX;
        for range in self.unsure.into_iter().rev() {
            let name = text.get(range.clone()).unwrap_or_default();
            let again = self
                .words
                .binary_search_by(|word| word.as_str().cmp(name))
                .is_ok();
            let known = starts.get(starts.partition_point(|start| *start < range.end));
            let next = known.copied().unwrap_or(usize::MAX).min(latest);
            let gap = text.get(range.end..next).unwrap_or_default();
            if again || LIST.contains(&gap) {
                latest = range.start;
                hits.push(hit(text, range.start, range.end, 0.55));
            }
        }
    }
}

/// The name behind a title.
fn titled(text: &str, names: &Names, behind: usize) -> Option<Hit> {
    let rest = text.get(behind..)?;
    let gap = rest.len() - rest.trim_start_matches(['.', ' ']).len();
    if gap == 0 || gap > 2 {
        return None;
    }
    let start = behind + gap;
    let parts = parts(text, names, start);
    let end = parts.last()?.end;
    Some(hit(text, start, end, 0.7))
}

/// The words from here on that may be a name: with capitals, and no further than a word that is in none.
fn parts(text: &str, names: &Names, start: usize) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut next = start;
    while parts.len() < WORDS {
        let Some(word) = word(text, next) else {
            match particle(text, names, next).filter(|_| !parts.is_empty()) {
                Some(behind) => next = behind,
                None => break,
            }
            continue;
        };
        let initial = word.len() == 1;
        // Nobody has three initials in a row.
        if initial
            && parts
                .iter()
                .rev()
                .take(2)
                .filter(|part| part.initial)
                .count()
                == 2
        {
            break;
        }
        let known = if initial {
            Known::NOTHING
        } else {
            names.known(word)
        };
        let part = Part {
            end: next + word.len(),
            known,
            ending: known == Known::NOTHING && names.ends_like_one(word),
            initial,
        };
        let shouted = word.len() > 1 && !word.bytes().any(|byte| byte.is_ascii_lowercase());
        let acronym =
            shouted && (word.len() < 4 || !known.is(Known::GIVEN) && !known.is(Known::FAMILY));
        if part.is_word() || acronym || is_camel(word) {
            break;
        }
        parts.push(part);
        next = part.end
            + match text.as_bytes().get(part.end..) {
                Some([b' ', ..]) => 1,
                Some([b'.', b' ', ..]) if part.initial => 2,
                _ => break,
            };
    }
    while parts.last().is_some_and(|part| part.initial) {
        parts.pop();
    }
    parts
}

/// How likely the words are a name by themselves.
fn likelihood(parts: &[Part]) -> Option<f32> {
    let (first, rest) = parts.split_first()?;
    let given = first.known.is(Known::GIVEN);
    let word = first.known.is(Known::GIVEN_WORD) && !given;
    let Some(last) = rest.last() else {
        let likely = match first {
            _ if given => 0.5,
            _ if first.is_only_family() => 0.3,
            _ if word || first.is_family() => 0.2,
            _ => 0.1,
        };
        return Some(likely);
    };
    let likely = match first {
        _ if given => 0.65,
        _ if word && last.is_only_family() => 0.6,
        _ if first.initial && last.is_only_family() => 0.55,
        _ if first.is_only_family() && last.known.is(Known::GIVEN) => 0.6,
        _ if last.is_only_family() => 0.5,
        _ if last.known.is(Known::GIVEN) && !first.initial => 0.4,
        _ if word && last.is_family() => 0.45,
        _ if first.initial => 0.2,
        _ => 0.25,
    };
    Some(likely)
}

/// Where what follows a particle begins.
fn particle(text: &str, names: &Names, start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let end = rest.bytes().take(6).position(|byte| byte == b' ')?;
    let known = names
        .cues
        .particles
        .iter()
        .any(|it| Some(it.as_str()) == rest.get(..end));
    known.then_some(start + end + 1)
}

/// Whether a word has a capital within, as identifiers have; `McArthur` and `Anne-Marie` are none.
fn is_camel(word: &str) -> bool {
    let mut bytes = word.bytes().enumerate().zip(word.bytes().skip(1));
    let within =
        bytes.find(|((_, before), byte)| before.is_ascii_lowercase() && byte.is_ascii_uppercase());
    within.is_some_and(|((at, _), _)| at > 3)
}

/// The capitalised word that starts here.
fn word(text: &str, start: usize) -> Option<&str> {
    let rest = text.get(start..)?;
    let mut characters = rest.char_indices();
    let (_, first) = characters.next()?;
    if !first.is_uppercase() {
        return None;
    }
    let part = |c: char| c.is_alphabetic() || c == '-' || c == '\'' || c == '’';
    let end = characters
        .take(32)
        .find(|(_, c)| !part(*c))
        .map_or(rest.len().min(32), |(at, _)| at);
    let word = rest.get(..end)?.trim_end_matches(['-', '\'']);
    let word = word.strip_suffix("'s").unwrap_or(word);
    let next = byte(rest.as_bytes(), word.len());
    let later = byte(rest.as_bytes(), word.len() + 1);
    let code = next == b'.' && later.is_ascii_alphanumeric() || next == b':' && later == b':';
    (!next.is_ascii_digit() && !code && !b"_(/\\@".contains(&next)).then_some(word)
}

fn hit(text: &str, start: usize, end: usize, score: f32) -> Hit {
    let value = text.get(start..end).unwrap_or_default();
    Hit {
        entity: Kind::Person.entity(),
        range: start..end,
        score,
        canonical: value.to_lowercase(),
    }
}
