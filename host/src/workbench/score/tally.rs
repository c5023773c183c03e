//! Counts what was found of what is to be found.

use std::collections::BTreeMap;
use std::ops::Range;

use super::corpus::Place;
use super::ranges::{common, length, merged, overlap};
use super::row::Expected;

/// One text with what is known of it. Ranges are bytes of it.
pub(super) struct Labelled<'a> {
    pub(super) place: &'a Place,
    pub(super) text: &'a str,
    /// Where in it the text of the row starts, from which mistakes are told.
    pub(super) origin: usize,
    pub(super) truth: Truth,
    /// What it is counted under, in place of the labels.
    pub(super) group: Option<String>,
}

/// What is to be found in a text.
pub(super) enum Truth {
    /// These, and nothing else; and so many of a label whose places are not known.
    Spans(Vec<Expected>, Option<(String, usize)>),
    /// Something, wherever it is.
    Somewhere(String),
}

/// What a guardrail found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) label: String,
    pub(super) confidence: f32,
    pub(super) range: Range<usize>,
}

/// How findings are held against what is expected.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// Whatever the label.
    pub(super) any_label: bool,
    /// Only the very span.
    pub(super) exact: bool,
    /// Characters to keep of each text with a mistake.
    pub(super) show: usize,
}

/// What there is of one label.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Things that are to be found.
    pub(super) expected: usize,
    /// Of these, those that were.
    pub(super) found: usize,
    /// What was found.
    pub(super) reported: usize,
    /// Of that, what is right.
    pub(super) right: usize,
    pub(super) characters: Characters,
}

/// The same by characters, in texts where the places are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Characters {
    pub(super) expected: usize,
    pub(super) reported: usize,
    /// Both.
    pub(super) common: usize,
}

/// Whole texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Texts {
    /// Texts with something to be found.
    pub(super) with: usize,
    /// Of these, those in which something was.
    pub(super) noticed: usize,
    /// Texts in which nothing is.
    pub(super) clean: usize,
    /// Of these, those in which something was found.
    pub(super) flagged: usize,
    /// Findings in clean texts.
    pub(super) alarms: usize,
    /// Texts whose findings are what is expected and nothing else.
    pub(super) exact: usize,
    /// Texts that say where all is that is to be found.
    pub(super) placed: usize,
    /// Bytes of all, and of the clean ones.
    pub(super) bytes: usize,
    pub(super) clean_bytes: usize,
}

/// A mistake.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slip {
    pub(super) place: String,
    /// What was missed, or the rule that fired.
    pub(super) label: String,
    pub(super) confidence: Option<f32>,
    /// Where in the text, in bytes; absent if it is not known.
    pub(super) range: Option<Range<usize>>,
    /// As much of it as was asked for.
    pub(super) excerpt: String,
}

/// The score.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) labels: BTreeMap<String, Count>,
    /// As if there was one label only.
    pub(super) any: Count,
    pub(super) texts: Texts,
    pub(super) misses: Vec<Slip>,
    pub(super) alarms: Vec<Slip>,
}

impl Tally {
    /// Counts one text.
    pub(super) fn add(&mut self, labelled: &Labelled<'_>, found: &[Found], rules: Rules) {
        let bytes = labelled.text.len().saturating_sub(labelled.origin);
        self.texts.bytes += bytes;
        match &labelled.truth {
            Truth::Somewhere(label) => self.somewhere(labelled, label, found, rules),
            Truth::Spans(spans, None) if spans.is_empty() => {
                self.texts.clean += 1;
                self.texts.clean_bytes += bytes;
                self.texts.flagged += usize::from(!found.is_empty());
                self.texts.alarms += found.len();
                self.spans(labelled, &[], None, found, rules);
            }
            Truth::Spans(spans, more) => {
                self.texts.with += 1;
                let noticed = match more {
                    Some(_) => !found.is_empty(),
                    None => spans
                        .iter()
                        .any(|it| found.iter().any(|f| overlap(&f.range, &it.range))),
                };
                self.texts.noticed += usize::from(noticed);
                self.spans(labelled, spans, more.as_ref(), found, rules);
            }
        }
    }

    /// Over all labels.
    pub(super) fn all(&self) -> Count {
        let labels = self.labels.values();
        labels.fold(Count::default(), |all, one| all.plus(*one))
    }

    fn somewhere(&mut self, labelled: &Labelled<'_>, label: &str, found: &[Found], rules: Rules) {
        let hit = usize::from(!found.is_empty());
        self.texts.with += 1;
        self.texts.noticed += hit;
        let count = Count {
            expected: 1,
            found: hit,
            reported: hit,
            right: hit,
            characters: Characters::default(),
        };
        self.count(labelled, label, count);
        self.any = self.any.plus(count);
        if hit == 0 {
            self.misses.push(slip(labelled, label, None, None, rules));
        }
    }

    fn spans(
        &mut self,
        labelled: &Labelled<'_>,
        spans: &[Expected],
        more: Option<&(String, usize)>,
        found: &[Found],
        rules: Rules,
    ) {
        let same = |one: &str, other: &str| rules.any_label || one == other;
        for it in spans {
            let of_its_label = found.iter().filter(|f| same(&f.label, &it.label));
            let hit = is_found(&it.range, of_its_label.map(|f| &f.range), rules.exact);
            let by_any = is_found(&it.range, found.iter().map(|f| &f.range), rules.exact);
            let count = |hit| Count {
                expected: 1,
                found: usize::from(hit),
                ..Count::default()
            };
            self.count(labelled, &it.label, count(hit));
            self.any = self.any.plus(count(by_any));
            if !hit {
                let range = Some(it.range.clone());
                self.misses
                    .push(slip(labelled, &it.label, None, range, rules));
            }
        }
        // What is left of those whose places are not known.
        let (unplaced, mut left) = match more {
            Some((label, left)) => (label.as_str(), *left),
            None => ("", 0),
        };
        for f in found {
            let fits = |it: &Expected| match rules.exact {
                true => f.range == it.range,
                false => overlap(&f.range, &it.range),
            };
            let mut right = spans.iter().any(|it| same(&f.label, &it.label) && fits(it));
            let by_any = spans.iter().any(fits);
            let mut extra = 0;
            if !right && left > 0 && same(&f.label, unplaced) {
                (right, extra, left) = (true, 1, left - 1);
                self.count(
                    labelled,
                    unplaced,
                    Count {
                        expected: 1,
                        found: 1,
                        ..Count::default()
                    },
                );
            }
            let count = |right| Count {
                expected: extra,
                found: extra,
                reported: 1,
                right: usize::from(right),
                ..Count::default()
            };
            self.any = self.any.plus(count(by_any || right));
            self.count(
                labelled,
                &f.label,
                Count {
                    expected: 0,
                    found: 0,
                    ..count(right)
                },
            );
            if !right {
                let range = Some(f.range.clone());
                let slip = slip(labelled, &f.label, Some(f.confidence), range, rules);
                self.alarms.push(slip);
            }
        }
        for _ in 0..left {
            let missed = Count {
                expected: 1,
                ..Count::default()
            };
            self.count(labelled, unplaced, missed);
            self.any = self.any.plus(missed);
            self.misses
                .push(slip(labelled, unplaced, None, None, rules));
        }
        if more.is_none() {
            self.characters(labelled, spans, found, rules);
            self.texts.placed += 1;
            self.texts.exact += usize::from(are_the_same(spans, found, rules));
        }
    }

    fn characters(
        &mut self,
        labelled: &Labelled<'_>,
        spans: &[Expected],
        found: &[Found],
        rules: Rules,
    ) {
        let text = labelled.text;
        let compared = |label: Option<&str>| {
            let is = |it: &str| label.is_none_or(|label| label == it);
            let spans = spans.iter().filter(|it| is(&it.label));
            let found_here = found.iter().filter(|it| rules.any_label || is(&it.label));
            let spans = merged(spans.map(|it| it.range.clone()));
            let found = merged(found_here.map(|it| it.range.clone()));
            let common = common(&spans, &found);
            Characters {
                expected: length(text, &spans),
                reported: length(text, &found),
                common: length(text, &common),
            }
        };
        let with = |characters| Count {
            characters,
            ..Count::default()
        };
        self.any = self.any.plus(with(compared(None)));
        let mut labels: Vec<&str> = spans.iter().map(|it| it.label.as_str()).collect();
        if !rules.any_label {
            labels.extend(found.iter().map(|it| it.label.as_str()));
        }
        labels.sort_unstable();
        labels.dedup();
        for label in labels {
            self.count(labelled, label, with(compared(Some(label))));
        }
    }

    fn count(&mut self, labelled: &Labelled<'_>, label: &str, count: Count) {
        let key = labelled.group.as_deref().unwrap_or(label);
        let known = self.labels.entry(key.to_owned()).or_default();
        *known = known.plus(count);
    }
}

impl Count {
    fn plus(self, other: Self) -> Self {
        let (one, two) = (self.characters, other.characters);
        Self {
            expected: self.expected + other.expected,
            found: self.found + other.found,
            reported: self.reported + other.reported,
            right: self.right + other.right,
            characters: Characters {
                expected: one.expected + two.expected,
                reported: one.reported + two.reported,
                common: one.common + two.common,
            },
        }
    }

    /// The share of what is to be found that was; nothing if there is none.
    pub(super) fn recall(&self) -> Option<f64> {
        share(self.found, self.expected)
    }

    /// The share of what was found that is right; nothing if nothing was.
    pub(super) fn precision(&self) -> Option<f64> {
        share(self.right, self.reported)
    }

    /// The harmonic mean of both.
    pub(super) fn f1(&self) -> Option<f64> {
        let (recall, precision) = (self.recall()?, self.precision()?);
        let sum = recall + precision;
        Some(if sum > 0.0 {
            2.0 * recall * precision / sum
        } else {
            0.0
        })
    }
}

/// A share, if there is a whole.
pub(super) fn share(part: usize, whole: usize) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "nobody has so many texts")]
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Whether findings make up what is expected: one of them is it, or at least half of it
/// is covered.
fn is_found<'a>(
    wanted: &Range<usize>,
    mut found: impl Iterator<Item = &'a Range<usize>>,
    exact: bool,
) -> bool {
    if exact {
        return found.any(|it| it == wanted);
    }
    let found = merged(found.cloned());
    let covered: usize = common(std::slice::from_ref(wanted), &found)
        .iter()
        .map(Range::len)
        .sum();
    covered * 2 >= wanted.len()
}

fn are_the_same(spans: &[Expected], found: &[Found], rules: Rules) -> bool {
    let label = |label: &str| {
        if rules.any_label {
            String::new()
        } else {
            label.to_owned()
        }
    };
    let sorted = |mut all: Vec<(usize, usize, String)>| {
        all.sort();
        all
    };
    let expected = spans
        .iter()
        .map(|it| (it.range.start, it.range.end, label(&it.label)));
    let found = found
        .iter()
        .map(|it| (it.range.start, it.range.end, label(&it.label)));
    sorted(expected.collect()) == sorted(found.collect())
}

fn slip(
    labelled: &Labelled<'_>,
    label: &str,
    confidence: Option<f32>,
    range: Option<Range<usize>>,
    rules: Rules,
) -> Slip {
    let from_origin = |at: usize| at.saturating_sub(labelled.origin);
    let range = range.map(|range| from_origin(range.start)..from_origin(range.end));
    let own = labelled.text.get(labelled.origin..).unwrap_or_default();
    Slip {
        place: labelled.place.to_string(),
        label: label.to_owned(),
        confidence,
        excerpt: excerpt(own, range.as_ref().unwrap_or(&(0..0)), rules.show),
        range,
    }
}

/// At most so many characters of a text: the range, and what is around it.
fn excerpt(text: &str, range: &Range<usize>, most: usize) -> String {
    if most == 0 {
        return String::new();
    }
    let inside = text.get(range.clone()).unwrap_or_default();
    let room = most.saturating_sub(inside.chars().count());
    let before = text.get(..range.start).unwrap_or_default();
    let from = before.char_indices().rev().take(room / 2).last();
    let from = from.map_or(range.start, |(at, _)| at);
    let rest = text.get(from..).unwrap_or_default();
    rest.chars()
        .take(most)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
