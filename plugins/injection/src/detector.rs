//! From a text to the passages in it that look like an attack.

use std::ops::Range;

use crate::features::{self, Block, blocks, evidence};
use crate::lexicon::{Concept, Concepts, Lexicon, Mark};
use crate::model::{Limits, Model, Parts};
use crate::reading::Reading;
use crate::rule::{Context, Hit, Rule, rules};
use crate::token::{Token, tokens};

/// Talk about attacks within so many words of a hit makes it less sure.
const ABOUT: u32 = 40;

/// A part of a text that looks like an attack.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// How sure it is, from 0 to 1.
    pub score: f32,
    /// The rules that fit, the surest first, by their numbers.
    pub rules: Vec<usize>,
}

/// Finds attacks in texts.
#[derive(Debug)]
pub struct Detector {
    lexicon: Lexicon,
    rules: Vec<Rule>,
    model: Model,
    meta: Concept,
    rotated: Concept,
    reversed: Concept,
}

/// What two blocks of words add up to.
#[derive(Debug)]
struct Window {
    block: usize,
    sum: f32,
    rules: Vec<(usize, f32)>,
}

/// A text as the rules see it.
#[derive(Debug)]
pub struct Seen {
    /// Its words.
    pub tokens: Vec<Token>,
    /// What they speak of.
    pub marks: Vec<Mark>,
    /// Where rules fit.
    pub hits: Vec<Hit>,
    context: Context,
}

impl Detector {
    /// With the words, rules and model that the crate brings along.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn new() -> Result<Self, String> {
        let model = Model::read(include_bytes!("../model.bin"))?;
        Ok(Self::bare()?.with(model))
    }

    /// With words and rules only: the score is what the rules say.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn bare() -> Result<Self, String> {
        Self::of(
            include_str!("../rules/words.toml"),
            include_str!("../rules/rules.toml"),
        )
    }

    /// With other words and rules.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn of(words: &str, rules: &str) -> Result<Self, String> {
        let lexicon = Lexicon::new(words).map_err(|error| format!("words: {error}"))?;
        let concept = |name: &str| {
            let known = lexicon.concept(name);
            known.ok_or_else(|| format!("there is no concept {name:?}"))
        };
        Ok(Self {
            rules: self::rules(rules, &lexicon).map_err(|error| format!("rules: {error}"))?,
            model: Model::new(&Parts {
                limits: [Limits {
                    warn: -(1.0 - 0.6_f32).ln(),
                    block: -(1.0 - 0.9_f32).ln(),
                    ..Limits::default()
                }; 2],
                ..Parts::default()
            }),
            meta: concept("meta")?,
            rotated: concept("ascii")?,
            reversed: concept("reversed")?,
            lexicon,
        })
    }

    /// With another model.
    #[must_use]
    pub fn with(self, model: Model) -> Self {
        Self { model, ..self }
    }

    /// Without any rule: the score is what the words say.
    #[must_use]
    pub fn without_rules(self) -> Self {
        Self {
            rules: Vec::new(),
            ..self
        }
    }

    /// Without the rules of these identifiers.
    ///
    /// # Errors
    /// There is no such rule; the nearest that there is.
    pub fn without(mut self, disabled: &[String]) -> Result<Self, String> {
        for id in disabled {
            let known = self.rules.iter().any(|rule| rule.id == *id);
            let nearest = self
                .rules
                .iter()
                .min_by_key(|rule| strsim::damerau_levenshtein(&rule.id, id));
            if let Some(nearest) = nearest.filter(|_| !known) {
                let nearest = &nearest.id;
                return Err(format!(
                    "disable: there is no rule {id:?}; did you mean {nearest:?}?"
                ));
            }
        }
        self.rules.retain(|rule| !disabled.contains(&rule.id));
        Ok(self)
    }

    /// The rules, in the order of their numbers.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The passages of a text whose score is at least this, in their order.
    pub fn passages(&self, text: &str, context: Context, least: f32) -> Vec<Passage> {
        let mut passages = Vec::new();
        self.each(text, context, &mut |reading, seen, windows| {
            for window in windows {
                let score = self.model.score(window.sum, context);
                if score >= least {
                    passages.push(self.passage(reading, seen, window, score));
                }
            }
        });
        merge(passages)
    }

    /// The greatest sum of the model in a text.
    pub fn sum(&self, text: &str, context: Context) -> f32 {
        let mut most = f32::MIN;
        self.each(text, context, &mut |_, _, windows| {
            let sums = windows.iter().map(|window| window.sum);
            most = sums.fold(most, f32::max);
        });
        most
    }

    /// Calls `found` with each way to read a text.
    fn each(
        &self,
        text: &str,
        context: Context,
        found: &mut dyn FnMut(&Reading<'_>, &Seen, &[Window]),
    ) {
        let plain = Reading::plain(text);
        let seen = self.see(&plain, context);
        found(&plain, &seen, &self.windows(&seen, context));
        let mut hidden = plain.concealed(text);
        let speaks = |concept: Concept| {
            let marks = seen.marks.iter();
            marks.filter(|mark| mark.concept == concept).take(2).count() == 2
        };
        if speaks(self.rotated) {
            hidden.push(plain.rotated(text));
        }
        if speaks(self.reversed) {
            hidden.push(plain.reversed(text));
        }
        for reading in &hidden {
            let seen = self.see(reading, context);
            found(reading, &seen, &self.windows(&seen, context));
        }
    }

    /// The sums of all windows.
    fn windows(&self, seen: &Seen, context: Context) -> Vec<Window> {
        let blocks = blocks(self, seen, |key| self.model.knows(key));
        let mut features = Vec::new();
        let mut windows = Vec::with_capacity(blocks.len());
        for first in 0..blocks.len().saturating_sub(1).max(1) {
            features.clear();
            features.push(features::context(context));
            let mut rules: Vec<(usize, f32)> = Vec::new();
            for Block {
                features: some,
                rules: fit,
            } in blocks.iter().skip(first).take(2)
            {
                features.extend(some);
                rules.extend(fit);
            }
            let sum = self.model.sum(&mut features, evidence(&rules), context);
            windows.push(Window {
                block: first,
                sum,
                rules,
            });
        }
        windows
    }

    /// What the words of a reading say, and which rules fit.
    pub fn see(&self, reading: &Reading<'_>, context: Context) -> Seen {
        let tokens = tokens(reading.text(), self.lexicon.known());
        let marks = self.lexicon.marks(&tokens);
        let present = marks
            .iter()
            .fold(Concepts::default(), |all, mark| all.with(mark.concept));
        let is_hidden = |mark: &Mark| {
            let token = tokens.get(mark.first);
            reading.hides() && token.is_some_and(|token| reading.is_hidden(token.start))
        };
        let mut hits = Vec::new();
        for (number, rule) in self.rules.iter().enumerate() {
            rule.hits(number, &marks, present, context, &is_hidden, &mut hits);
        }
        hits.sort_unstable_by_key(|hit| (hit.first, hit.rule));
        Seen {
            tokens,
            marks,
            hits,
            context,
        }
    }

    /// What of a window is to be shown: what rules fit, or all of it if none does.
    fn passage(&self, reading: &Reading<'_>, seen: &Seen, window: &Window, score: f32) -> Passage {
        let words = features::window(window.block, seen.tokens.len());
        let from = seen.hits.partition_point(|hit| hit.first < words.start);
        let hits = seen.hits.get(from..).unwrap_or_default();
        let hits = hits.iter().take_while(|hit| hit.first < words.end);
        let first = hits
            .clone()
            .map(|hit| hit.first)
            .min()
            .unwrap_or(words.start);
        let last = hits.map(|hit| hit.last).max();
        let last = last.unwrap_or(words.end.saturating_sub(1));
        let mut rules = window.rules.clone();
        rules.sort_by(|(_, one), (_, other)| other.total_cmp(one));
        let mut known = Vec::new();
        for (rule, _) in rules {
            if !known.contains(&rule) {
                known.push(rule);
            }
        }
        let start = seen.tokens.get(first).map_or(0, |token| token.start);
        let end = seen.tokens.get(last).map_or(start, |token| token.end);
        Passage {
            range: reading.place(start..end),
            score,
            rules: known,
        }
    }

    /// Whether what lies between the words of a hit is that of a program.
    fn is_code(&self, seen: &Seen, hit: &Hit) -> bool {
        let words = seen
            .tokens
            .get(hit.first + 1..=hit.last)
            .unwrap_or_default();
        let marks: usize = words.iter().map(|token| usize::from(token.code)).sum();
        marks * 3 > words.len()
    }

    /// How sure a hit is, which is less where it is quoted and where the text is about attacks, and how sure it would
    /// be elsewhere.
    pub fn weight(&self, seen: &Seen, hit: &Hit) -> (f32, f32) {
        let rule = self.rules.get(hit.rule);
        let weight = rule.map_or(0.0, |rule| rule.weight);
        let token = |index: usize| seen.tokens.get(index);
        let quoted = token(hit.first).is_some_and(|token| token.quoted)
            && token(hit.last).is_some_and(|token| token.quoted);
        let (from, to) = (
            token(hit.first)
                .map_or(0, |token| token.at)
                .saturating_sub(ABOUT),
            token(hit.last).map_or(0, |token| token.at) + ABOUT,
        );
        let start = seen.marks.partition_point(|mark| mark.at < from);
        let around = seen
            .marks
            .iter()
            .skip(start)
            .take_while(|mark| mark.at <= to);
        let about = around
            .filter(|mark| mark.concept == self.meta)
            .filter(|mark| mark.first < hit.first || mark.first > hit.last)
            .take(4)
            .count();
        let quoted = if quoted { 0.6 } else { 1.0 };
        // A description is prose, in which paths and names are spoken of.
        let may_be_code =
            seen.context != Context::Description && !rule.is_some_and(|rule| rule.call);
        let code = match may_be_code && self.is_code(seen, hit) {
            true => 0.4,
            false => 1.0,
        };
        let about = match about {
            0 => 1.0,
            1 => 0.8,
            2 | 3 => 0.6,
            _ => 0.45,
        };
        let excused = if hit.excused { 0.4 } else { 1.0 };
        (weight * quoted * about * code * excused, weight)
    }
}

/// Passages in their order, those that overlap as one.
fn merge(mut passages: Vec<Passage>) -> Vec<Passage> {
    passages.sort_by_key(|passage| passage.range.start);
    let mut merged: Vec<Passage> = Vec::with_capacity(passages.len());
    for passage in passages {
        match merged.last_mut() {
            Some(last) if passage.range.start < last.range.end => {
                last.range.end = last.range.end.max(passage.range.end);
                if passage.score > last.score {
                    last.score = passage.score;
                    last.rules = passage.rules;
                }
            }
            _ => merged.push(passage),
        }
    }
    merged
}
