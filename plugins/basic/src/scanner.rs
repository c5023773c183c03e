//! Finds the secrets in a text, and in what the text hides.

use std::collections::BTreeSet;
use std::ops::Range;

use mcp_gateway_scan::encoded::{Encoded, encoded};
use mcp_gateway_scan::{Keywords, View};

use crate::check;
use crate::manifest;
use crate::names::{Names, glued, name_before};
use crate::rule::{Allowed, Rule, Way};
use crate::table::Check;

/// How deep texts in texts are looked into.
const DEEPEST: usize = 3;

/// How much of a text is read in another way at a time.
const BLOCK: usize = 1 << 18;

/// A match that is not read again from a keyword within it.
const LONG: usize = 256;

/// The longest keyword that must be a word of its own in a name: `lob`, but not that of `glob`.
const SHORT: usize = 5;

/// No secret is shorter.
const SHORTEST: usize = 6;

/// Looks for a choice of secrets.
#[derive(Debug)]
pub(crate) struct Scanner {
    rules: Vec<Rule>,
    keywords: Keywords,
    /// The rules of each keyword.
    announced: Vec<Vec<usize>>,
    /// Rules that look at every text.
    restless: Vec<usize>,
    allowed: Vec<Allowed>,
}

/// What is looked for at a place, and what takes its place.
pub(crate) struct Search<'a> {
    /// The replacement of a secret.
    pub(crate) mask: &'a dyn Fn(&Rule, &str) -> String,
    /// For each rule, if there are any that are not used here, whether it is one of them.
    pub(crate) off: &'a [bool],
    /// What is no secret here.
    pub(crate) allowed: &'a [Allowed],
}

/// A secret that was found.
#[derive(Debug, Clone)]
pub(crate) struct Found<'a> {
    pub(crate) rule: &'a Rule,
    /// Where it stands: in one piece, or in several.
    pub(crate) places: Vec<Range<usize>>,
    /// The secret as it is meant.
    pub(crate) secret: String,
    /// What stands in the place of an encoded text, of which the secret is a part.
    pub(crate) rewritten: Option<String>,
    pub(crate) confidence: f32,
}

impl<'a> Found<'a> {
    fn new(rule: &'a Rule, text: &str, range: Range<usize>, places: Vec<Range<usize>>) -> Self {
        let secret = text.get(range).unwrap_or_default().to_owned();
        let confidence = match (rule.way, rule.check) {
            (_, Some(Check::Crc32)) if !check::checksum_holds(&secret) => 0.9,
            (_, Some(Check::Password | Check::Token | Check::Lot | Check::Key)) => 0.7,
            (_, Some(Check::Opaque | Check::Prefixed)) => 0.5,
            (Way::Name, _) => 0.8,
            _ => 1.0,
        };
        Found {
            rule,
            places,
            secret,
            rewritten: None,
            confidence,
        }
    }

    /// What is known by its form alone comes before what a provider's name tells, that before what any name does, and
    /// what nothing tells comes last.
    fn rank(&self) -> usize {
        match (self.rule.check, self.rule.way) {
            (Some(Check::Opaque | Check::Prefixed), _) => 3,
            (Some(Check::Password | Check::Token | Check::Lot | Check::Key), _) => 2,
            (_, Way::Name) => 1,
            _ => 0,
        }
    }
}

/// Leaves out what overlaps something more particular.
fn particular(mut found: Vec<Found<'_>>) -> Vec<Found<'_>> {
    for rank in 1..=3 {
        let above = found.iter().filter(|found| found.rank() < rank);
        let mut taken: Vec<_> = above
            .flat_map(|found| &found.places)
            .map(|place| (place.start, place.end))
            .collect();
        taken.sort_unstable();
        // The farthest end so far: places may lie within others.
        let mut farthest = 0;
        for (_, end) in &mut taken {
            farthest = farthest.max(*end);
            *end = farthest;
        }
        found.retain(|found| {
            let free = |place: &Range<usize>| {
                let before = taken.partition_point(|(start, _)| *start < place.end);
                let last = before.checked_sub(1).and_then(|last| taken.get(last));
                last.is_none_or(|(_, end)| *end <= place.start)
            };
            found.rank() < rank || found.places.iter().all(free)
        });
    }
    found
}

impl Scanner {
    /// A scanner for these rules; what `allowed` holds is no secret.
    pub(crate) fn new(
        rules: Vec<Rule>,
        keywords: Vec<Vec<String>>,
        allowed: Vec<Allowed>,
    ) -> Result<Self, String> {
        let mut words: Vec<String> = Vec::new();
        let mut announced: Vec<Vec<usize>> = Vec::new();
        let mut restless = Vec::new();
        for (number, keywords) in keywords.iter().enumerate() {
            if keywords.is_empty() {
                restless.push(number);
            }
            for keyword in keywords {
                let keyword = keyword.to_ascii_lowercase();
                match words.iter().position(|word| *word == keyword) {
                    Some(place) => announced
                        .get_mut(place)
                        .into_iter()
                        .for_each(|rules| rules.push(number)),
                    None => {
                        words.push(keyword);
                        announced.push(vec![number]);
                    }
                }
            }
        }
        let keywords =
            Keywords::new(words).map_err(|error| format!("too many keywords: {error}"))?;
        Ok(Self {
            rules,
            keywords,
            announced,
            restless,
            allowed,
        })
    }

    /// The rules that it looks for.
    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether a name has a keyword in it whose rules look at values.
    pub(crate) fn names(&self, name: &str) -> bool {
        let mut found = self.keywords.find(name);
        found.any(|(keyword, _)| self.of(keyword).any(|rule| rule.way == Way::Name))
    }

    /// Every secret of the text. Places may overlap.
    pub(crate) fn scan(&self, text: &str, search: &Search<'_>) -> Vec<Found<'_>> {
        self.scan_to(text, search, DEEPEST)
    }

    fn scan_to(&self, text: &str, search: &Search<'_>, depth: usize) -> Vec<Found<'_>> {
        let mut found = Vec::new();
        if text.len() < SHORTEST {
            return found;
        }
        let mut known = BTreeSet::new();
        self.look(text, search, &mut |rule, place| {
            if known.insert((place.start, place.end, rule.id.as_str())) {
                found.push(Found::new(rule, text, place.clone(), vec![place]));
            }
        });
        for block in blocks(text) {
            let Some(part) = text.get(block.clone()) else {
                continue;
            };
            for view in [View::plain(part), View::joined(part)]
                .into_iter()
                .flatten()
            {
                self.look(view.text(), search, &mut |rule, range| {
                    let places = view.places(range.clone());
                    let places = places
                        .iter()
                        .map(|place| block.start + place.start..block.start + place.end);
                    let places: Vec<_> = places.collect();
                    let Some(first) = places.first() else { return };
                    if known.insert((first.start, first.end, rule.id.as_str())) {
                        found.push(Found::new(rule, view.text(), range, places));
                    }
                });
            }
        }
        if depth > 0 {
            for encoded in encoded(text) {
                found.extend(self.inside(text, &encoded, search, depth - 1));
            }
        }
        particular(found)
    }

    /// What an encoded text holds, with the name before it as the name of its value.
    fn inside(
        &self,
        text: &str,
        encoded: &Encoded,
        search: &Search<'_>,
        depth: usize,
    ) -> Option<Found<'_>> {
        let name = name_before(text, encoded.range.start);
        let start = if name.is_empty() { 0 } else { name.len() + 1 };
        let said = if name.is_empty() {
            encoded.text.clone()
        } else {
            format!("{name}={}", encoded.text)
        };
        let mut found = self.scan_to(&said, search, depth);
        found.retain(|found| found.places.iter().all(|place| place.start >= start));
        let first = found.first().cloned()?;
        let masked = masked(&said, &found, search.mask);
        Some(Found {
            places: vec![encoded.range.clone()],
            rewritten: Some(encoded.encode(masked.get(start..)?)),
            ..first
        })
    }

    fn look<'a>(
        &'a self,
        text: &str,
        search: &Search<'_>,
        found: &mut dyn FnMut(&'a Rule, Range<usize>),
    ) {
        let mut everywhere: Vec<usize> = self.restless.clone();
        let mut names = Names::of(text);
        // Where the last long match of each rule ended: what starts within it would read the same run once more.
        let mut read: Vec<usize> = Vec::new();
        let mut keep = |rule: &'a Rule, place: Range<usize>| {
            if text.is_char_boundary(place.start)
                && text.is_char_boundary(place.end)
                && !place.is_empty()
                && !self.lets_pass(text, &place, search)
            {
                found(rule, place);
            }
        };
        for (keyword, place) in self.keywords.find(text) {
            for number in self.announced.get(keyword).into_iter().flatten() {
                let Some(rule) = self.rules.get(*number) else {
                    continue;
                };
                if search.off.get(*number) == Some(&true) {
                    continue;
                }
                match rule.way {
                    Way::Keyword(start) => {
                        if read.get(*number).is_some_and(|end| place.start < *end) {
                            continue;
                        }
                        let (mut matched, secret) = rule.around(text, place.clone(), start);
                        let mut secrets: Vec<_> = secret.into_iter().collect();
                        let is_manifest = rule.check == Some(Check::Manifest);
                        if is_manifest && !secrets.is_empty() {
                            let floor = read.get(*number).copied().unwrap_or_default();
                            (matched, secrets) = manifest::values(text, matched, floor);
                        }
                        if is_manifest || matched.len() > LONG {
                            read.resize(self.rules.len(), 0);
                            read.get_mut(*number)
                                .into_iter()
                                .for_each(|end| *end = matched.end.max(*end));
                        }
                        secrets.into_iter().for_each(|secret| keep(rule, secret));
                    }
                    Way::Name => {
                        if rule.check == Some(Check::Random)
                            && place.len() <= SHORT
                            && glued(text, &place)
                        {
                            continue;
                        }
                        let (name, values) = names.around(place.clone(), *number);
                        for value in values {
                            if let Some(secret) = rule.value(text, name, value.clone()) {
                                keep(rule, secret);
                            }
                        }
                    }
                    Way::Text => {
                        if !everywhere.contains(number) {
                            everywhere.push(*number);
                        }
                    }
                }
            }
        }
        let used = |number: &&usize| search.off.get(**number) != Some(&true);
        for rule in everywhere
            .iter()
            .filter(used)
            .filter_map(|number| self.rules.get(*number))
        {
            rule.everywhere(text).for_each(|secret| keep(rule, secret));
        }
    }

    fn lets_pass(&self, text: &str, place: &Range<usize>, search: &Search<'_>) -> bool {
        let said = text.get(place.clone()).unwrap_or_default();
        let mut lists = self.allowed.iter().chain(search.allowed);
        lists.any(|allowed| allowed.holds(said, said))
    }

    fn of(&self, keyword: usize) -> impl Iterator<Item = &Rule> {
        let numbers = self.announced.get(keyword).into_iter().flatten();
        numbers.filter_map(|number| self.rules.get(*number))
    }
}

/// The text with all that was found in it masked.
fn masked(text: &str, found: &[Found<'_>], mask: &dyn Fn(&Rule, &str) -> String) -> String {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for found in found {
        let instead = found
            .rewritten
            .clone()
            .unwrap_or_else(|| mask(found.rule, &found.secret));
        edits.extend(
            found
                .places
                .iter()
                .map(|place| (place.clone(), instead.clone())),
        );
    }
    edits.sort_by_key(|(place, _)| (place.start, std::cmp::Reverse(place.end)));
    let (mut after, mut copied) = (String::new(), 0);
    for (place, instead) in edits {
        if place.start < copied {
            // It overlaps the one before, and what is beyond that one is hidden with it.
            copied = copied.max(place.end);
            continue;
        }
        after.push_str(text.get(copied..place.start).unwrap_or_default());
        after.push_str(&instead);
        copied = place.end;
    }
    after + text.get(copied..).unwrap_or_default()
}

/// The text in parts that are read in another way one after the other; each ends with a line, if it can.
fn blocks(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut start = 0;
    std::iter::from_fn(move || {
        if start >= text.len() {
            return None;
        }
        let mut end = text.len().min(start + BLOCK);
        if end < text.len() {
            let window = text.as_bytes().get(start..end)?;
            let cut = window
                .iter()
                .rposition(|byte| byte.is_ascii_whitespace() || *byte == b'"');
            end = cut.map_or(end, |cut| start + cut + 1);
            while !text.is_char_boundary(end) {
                end += 1;
            }
        }
        let block = start..end;
        start = end;
        Some(block)
    })
}
