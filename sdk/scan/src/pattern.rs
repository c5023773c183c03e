//! A regular expression that is asked about one place of a text.

use std::ops::Range;

use regex_automata::meta::{BuildError, Regex};
use regex_automata::nfa::thompson::NFA;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::Hir;
use thiserror::Error;

use crate::beginning::{Beginning, FirstToken};
use crate::sequence::Sequence;

/// How much of a text a pattern without a longest match is shown.
const FAR: usize = 4096;

/// A regular expression over bytes, in the syntax of the `regex` crate without Unicode classes: `\w`, `\d` and `\b` are
/// those of ASCII, as in RE2, which the rules of most scanners are written for.
#[derive(Debug)]
pub struct Pattern {
    form: Form,
    longest: Option<usize>,
    far: usize,
}

/// How it is asked.
#[derive(Debug)]
enum Form {
    Sequence(Sequence),
    Regex(Box<(Beginning, Regex)>),
}

/// Where a match may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// So many bytes before the place that is asked about.
    At(usize),
    /// Up to so many bytes before it.
    Before(usize),
}

/// A pattern that cannot be used.
#[derive(Debug, Error)]
pub enum PatternError {
    /// It is no regular expression, or has what is not supported.
    #[error("{0}")]
    Syntax(String),
    /// It is too large.
    #[error("it is too large")]
    Size,
    /// It matches the empty text.
    #[error("it matches the empty text")]
    Empty,
}

impl Pattern {
    /// A pattern for places that a keyword announces: small, and quick to build.
    ///
    /// # Errors
    /// The expression cannot be used.
    pub fn new(expression: &str) -> Result<Self, PatternError> {
        let hir = parse(expression)?;
        match Sequence::of(&hir) {
            Some(sequence) => Ok(Self::of(&hir, Form::Sequence(sequence))),
            None => Self::build(&hir, Regex::config().hybrid(false)),
        }
    }

    /// A pattern that is good at searching long texts, since no keyword announces it.
    ///
    /// # Errors
    /// The expression cannot be used.
    pub fn searching(expression: &str) -> Result<Self, PatternError> {
        let config = Regex::config().hybrid_cache_capacity(1 << 18);
        Self::build(&parse(expression)?, config)
    }

    fn build(hir: &Hir, config: regex_automata::meta::Config) -> Result<Self, PatternError> {
        let config = config
            .utf8_empty(false)
            .auto_prefilter(false)
            .nfa_size_limit(Some(1 << 20));
        let regex = Regex::builder()
            .configure(config)
            .build_from_hir(hir)
            .map_err(|_: BuildError| PatternError::Size)?;
        let nfa = NFA::compiler().build_from_hir(hir);
        let nfa = nfa.map_err(|_| PatternError::Size)?;
        let beginning = Beginning::of(&nfa, hir);
        Ok(Self::of(hir, Form::Regex(Box::new((beginning, regex)))))
    }

    fn of(hir: &Hir, form: Form) -> Self {
        Self {
            form,
            longest: hir.properties().maximum_len(),
            far: FAR,
        }
    }

    /// The pattern, shown so much of a text, if it has no longest match of its own.
    #[must_use]
    pub fn reaching(self, far: usize) -> Self {
        Self { far, ..self }
    }

    /// Whether there is no longest match.
    pub fn is_open(&self) -> bool {
        self.longest.is_none()
    }

    /// The match around `place`, and what group number `group` of it holds.
    ///
    /// The text beyond it is seen by `\b` and `$` only as far as a longest match could reach, and one byte further.
    pub fn find(
        &self,
        text: &str,
        place: usize,
        start: Start,
        group: usize,
    ) -> Option<(Range<usize>, Range<usize>)> {
        let reach = self
            .longest
            .map_or(self.far, |longest| longest.min(4 * FAR) + 1);
        let end = text.len().min(place.saturating_add(reach));
        let first = match start {
            Start::At(bytes) => place.checked_sub(bytes)?,
            Start::Before(bytes) => place.saturating_sub(bytes),
        };
        let last = match start {
            Start::At(_) => first,
            Start::Before(_) => place,
        };
        (first..=last).find_map(|start| {
            let shown = text.as_bytes().get(start..end)?;
            match &self.form {
                Form::Sequence(sequence) => {
                    let (end, inner) = sequence.at_start(shown, group)?;
                    Some((start..start + end, start + inner.start..start + inner.end))
                }
                Form::Regex(form) => {
                    let (beginning, regex) = &**form;
                    let input = Input::new(text).range(start..end).anchored(Anchored::Yes);
                    let found = beginning.fits(shown).then(|| search(regex, &input, group));
                    found.flatten()
                }
            }
        })
    }

    /// Whether a match may start with this byte.
    pub fn may_start(&self, byte: u8) -> bool {
        match &self.form {
            Form::Sequence(sequence) => sequence.starts_with(byte),
            Form::Regex(form) => form.0.starts_with(byte),
        }
    }

    /// What is known of the letters and digits that every match begins with.
    pub fn first_token(&self) -> FirstToken {
        match &self.form {
            Form::Sequence(_) => FirstToken::ANY,
            Form::Regex(form) => form.0.token(),
        }
    }

    /// The longest match, in bytes, if there is one.
    pub fn longest(&self) -> Option<usize> {
        self.longest
    }

    /// The first match from `from` on, and what group number `group` of it holds.
    pub fn find_from(
        &self,
        text: &str,
        from: usize,
        group: usize,
    ) -> Option<(Range<usize>, Range<usize>)> {
        match &self.form {
            Form::Sequence(_) => {
                (from..text.len()).find_map(|place| self.find(text, place, Start::At(0), group))
            }
            Form::Regex(form) => search(&form.1, &Input::new(text).range(from..), group),
        }
    }

    #[cfg(test)]
    pub(crate) fn matches_at(&self, text: &str, place: usize) -> bool {
        self.find(text, place, Start::At(0), 0).is_some()
    }

    /// Whether the pattern matches anywhere in the text.
    pub fn is_in(&self, text: &str) -> bool {
        match &self.form {
            Form::Sequence(_) => self.find_from(text, 0, 0).is_some(),
            Form::Regex(form) => form.1.is_match(text),
        }
    }
}

fn parse(expression: &str) -> Result<Hir, PatternError> {
    let syntax = syntax::Config::new().unicode(false).utf8(false);
    let hir = syntax::parse_with(expression, &syntax)
        .map_err(|error| PatternError::Syntax(first_reason(&error.to_string())))?;
    match hir.properties().minimum_len() {
        Some(0) => Err(PatternError::Empty),
        _ => Ok(hir),
    }
}

fn search(regex: &Regex, input: &Input<'_>, group: usize) -> Option<(Range<usize>, Range<usize>)> {
    if group == 0 {
        let whole = regex.search(input)?.range();
        return Some((whole.clone(), whole));
    }
    let mut captures = regex.create_captures();
    regex.search_captures(input, &mut captures);
    let whole = captures.get_match()?.range();
    let inner = captures
        .get_group(group)
        .map_or(whole.clone(), |span| span.range());
    Some((whole, inner))
}

/// The line of a syntax error that says what is wrong; the others draw where.
fn first_reason(error: &str) -> String {
    let reason = error.lines().find_map(|line| line.strip_prefix("error: "));
    reason
        .or_else(|| error.lines().next())
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_match_starts_where_it_is_asked_for() {
        let pattern = Pattern::new("k_[a-z]{3}").unwrap();
        let here = |place| pattern.find("xk_abcd", place, Start::At(0), 0);
        assert_eq!(here(1), Some((1..6, 1..6)));
        assert_eq!(here(0), None);
        assert_eq!(
            pattern.find("xk_abcd", 3, Start::Before(2), 0),
            Some((1..6, 1..6))
        );
        assert_eq!(pattern.find("xk_abcd", 3, Start::Before(1), 0), None);
    }

    #[test]
    fn a_group_is_told_apart_from_the_whole() {
        let pattern = Pattern::new("(?i)key=([0-9]+)").unwrap();
        let found = pattern.find("KEY=12", 0, Start::At(0), 1);
        assert_eq!(found, Some((0..6, 4..6)));
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let error = |expression| Pattern::new(expression).unwrap_err().to_string();
        assert_eq!(error("a("), "unclosed group");
        assert_eq!(
            error("(?=a)b"),
            "look-around, including look-ahead and look-behind, is not supported"
        );
        assert_eq!(error("a*"), "it matches the empty text");
        assert_eq!(error("(a{1000}){1000}"), "it is too large");
    }
}
