//! A rule that is ready to be asked.

use std::ops::Range;

use mcp_gateway_scan::measure::entropy;
use mcp_gateway_scan::{Class, Pattern, Start};

use crate::check;
use crate::names::name_before;
use crate::opaque::is_line_of_many;
use crate::prefixed;
use crate::table::{AllowList, Check, Row, Severity};

/// What must not stand beside a token, unless its rule says otherwise.
const TOKEN: Class = Class::ranges("AZaz09");

/// What must not follow a value that a name gives away.
const VALUE: Class = Class::ranges("AZaz09__--");

/// A rule that is ready to be asked.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    /// How severe it is and what it is, for people.
    pub(crate) remark: String,
    pub(crate) severity: Severity,
    pub(crate) replacement: String,
    pub(crate) way: Way,
    /// How a sure match is told from one that only looks like it.
    pub(crate) check: Option<Check>,
    pattern: Pattern,
    group: usize,
    entropy: f32,
    before: Class,
    after: Class,
    allowed: Vec<Allowed>,
}

/// Where a rule looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Around a keyword, which is a part of the secret.
    Keyword(Start),
    /// At the value of a name that has a keyword in it.
    Name,
    /// Everywhere in a text that has a keyword, or, without keywords, in every text.
    Text,
}

impl Rule {
    /// Makes a rule of its row.
    pub(crate) fn new(row: &Row) -> Result<Self, String> {
        let fault = |what: String| format!("rule {:?}: {what}", row.id);
        let (expression, way) = match (&row.regex, &row.value) {
            (Some(regex), None) => match (row.offset, row.lead) {
                (Some(offset), None) => (regex, Way::Keyword(Start::At(offset))),
                (None, Some(lead)) => (regex, Way::Keyword(Start::Before(lead))),
                (None, None) => (regex, Way::Text),
                (Some(_), Some(_)) => {
                    return Err(fault("\"offset\" and \"lead\" exclude each other".into()));
                }
            },
            (None, Some(value)) => (value, Way::Name),
            _ => return Err(fault("needs either \"regex\" or \"value\"".into())),
        };
        if row.keywords.is_empty() && way != Way::Text {
            return Err(fault(
                "\"value\", \"offset\" and \"lead\" need \"keywords\"".into(),
            ));
        }
        let pattern = match way {
            Way::Text if row.check != Some(Check::Prefixed) => Pattern::searching(expression),
            _ => Pattern::new(expression),
        };
        let pattern =
            pattern.map_err(|error| fault(format!("the expression cannot be used: {error}")))?;
        let pattern = match row.longest {
            Some(longest) => pattern.reaching(longest),
            None => pattern,
        };
        let usual = if way == Way::Name { VALUE } else { TOKEN };
        let class = |ranges: &Option<String>, usual| match ranges {
            Some(ranges) => Class::of(ranges)
                .ok_or_else(|| fault(format!("{ranges:?} is no class of characters"))),
            None => Ok(usual),
        };
        let mut allowed = Vec::new();
        for list in row.allowlist.iter().chain(&row.allowlists) {
            allowed.push(Allowed::new(list).map_err(fault)?);
        }
        Ok(Self {
            replacement: row
                .replacement
                .clone()
                .unwrap_or_else(|| replacement(&row.id)),
            id: row.id.clone(),
            severity: row.severity,
            remark: format!("{}: {}", row.severity.as_str(), row.description),
            way,
            check: row.check,
            pattern,
            group: row.secret_group,
            entropy: row.entropy,
            before: class(&row.before, TOKEN)?,
            after: class(&row.after, usual)?,
            allowed,
        })
    }

    /// What matches around a keyword, and the secret in it, if it is one.
    pub(crate) fn around(
        &self,
        text: &str,
        keyword: Range<usize>,
        start: Start,
    ) -> (Range<usize>, Option<Range<usize>>) {
        let nothing = (0..0, None);
        // Asked first: a keyword inside a run of its own characters must not cost a reading of the run.
        if start == Start::At(0) && follows(text, keyword.start, self.before) {
            return nothing;
        }
        let Some((whole, secret)) = self.pattern.find(text, keyword.start, start, self.group)
        else {
            return nothing;
        };
        let around = whole.start <= keyword.start && keyword.end <= whole.end;
        if !around || follows(text, whole.start, self.before) {
            return nothing;
        }
        let (whole, secret) = self.to_the_end(text, whole, secret);
        let secret = self.stands(text, whole.end, secret, None);
        (whole, secret)
    }

    /// The secret that a value starts with.
    pub(crate) fn value(
        &self,
        text: &str,
        name: &str,
        value: Range<usize>,
    ) -> Option<Range<usize>> {
        if self.check == Some(Check::Password) {
            return self.whole(text, name, value);
        }
        let (whole, secret) = self
            .pattern
            .find(text, value.start, Start::At(0), self.group)?;
        self.stands(text, whole.end, secret, Some(name))
    }

    /// A value that is the secret as a whole, with the signs at its end that a sentence may have, too: without quotes what
    /// the pattern allows, in quotes anything but a blank.
    fn whole(&self, text: &str, name: &str, value: Range<usize>) -> Option<Range<usize>> {
        if self.pattern.longest().is_some_and(|it| it < value.len()) {
            return None;
        }
        let byte = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at));
        let quote = byte(value.start.checked_sub(1)).filter(|it| b"\"'`".contains(it));
        let found = self
            .pattern
            .find(text, value.start, Start::At(0), self.group);
        let secret = match found.filter(|(whole, _)| whole.end >= value.end) {
            Some((whole, _)) => {
                let more = text.get(value.end..whole.end)?;
                let signs = more.len() - more.trim_start_matches(['!', '?']).len();
                value.start..value.end + signs
            }
            None if quote.is_some() && byte(Some(value.end)) == quote => value,
            None => return None,
        };
        let is_word = !text.get(secret.clone())?.contains(char::is_whitespace);
        let is_one =
            is_word && secret.len() >= 6 && self.is_one(text, &secret, secret.clone(), Some(name));
        is_one.then_some(secret)
    }

    /// Every secret of a text, wherever it stands.
    pub(crate) fn everywhere<'a>(
        &'a self,
        text: &'a str,
    ) -> impl Iterator<Item = Range<usize>> + 'a {
        let is_prefixed = self.check == Some(Check::Prefixed);
        let prefixed = is_prefixed.then(|| self.prefixed(text));
        let searched = (!is_prefixed).then(|| self.searched(text));
        let prefixed = prefixed.into_iter().flatten();
        prefixed.chain(searched.into_iter().flatten())
    }

    /// Every secret that the expression finds.
    fn searched<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            let (whole, secret) = self.pattern.find_from(text, from, self.group)?;
            from = whole.end.max(from + 1);
            Some((whole, secret))
        })
        .filter(|(whole, secret)| {
            if self.check != Some(Check::Opaque) {
                return self.is_one(text, whole, secret.clone(), None);
            }
            let name = name_before(text, whole.start);
            !is_line_of_many(text, whole) && self.is_one(text, whole, secret.clone(), Some(name))
        })
        .map(|(_, secret)| secret)
    }

    /// Every token that starts with a word.
    fn prefixed<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        prefixed::runs(text).filter_map(|(word, run)| {
            let start = Start::At(0);
            let (whole, secret) = self.pattern.find(text, run.start, start, self.group)?;
            let name = Some(name_before(text, word));
            let is_one = whole.end >= run.end && self.is_one(text, &whole, secret, name);
            is_one.then_some(word..whole.end)
        })
    }

    /// A token without a longest form goes on as far as its characters do, even beyond what the pattern was shown.
    fn to_the_end(
        &self,
        text: &str,
        whole: Range<usize>,
        secret: Range<usize>,
    ) -> (Range<usize>, Range<usize>) {
        if !self.pattern.is_open() || secret.end != whole.end || whole.len() < 2048 {
            return (whole, secret);
        }
        let rest = text.as_bytes().get(whole.end..).unwrap_or_default();
        let more = rest
            .iter()
            .take_while(|byte| self.after.contains(**byte))
            .count();
        (
            whole.start..whole.end + more,
            secret.start..secret.end + more,
        )
    }

    fn stands(
        &self,
        text: &str,
        end: usize,
        secret: Range<usize>,
        name: Option<&str>,
    ) -> Option<Range<usize>> {
        let next = text.as_bytes().get(end);
        if next.is_some_and(|byte| self.after.contains(*byte)) {
            return None;
        }
        self.is_one(text, &(secret.start..end), secret.clone(), name)
            .then_some(secret)
    }

    fn is_one(
        &self,
        text: &str,
        whole: &Range<usize>,
        secret: Range<usize>,
        name: Option<&str>,
    ) -> bool {
        let Some(said) = text.get(secret) else {
            return false;
        };
        let matched = text.get(whole.clone()).unwrap_or(said);
        (self.entropy == 0.0 || entropy(said) >= self.entropy)
            && self
                .check
                .is_none_or(|check| check::passes(check, said, name))
            && !self
                .allowed
                .iter()
                .any(|allowed| allowed.holds(said, matched))
    }
}

fn replacement(id: &str) -> String {
    let name = id.chars().map(|c| match c {
        'a'..='z' | 'A'..='Z' | '0'..='9' => c.to_ascii_uppercase(),
        _ => '_',
    });
    format!("<{}>", name.collect::<String>())
}

/// Secrets that pass.
#[derive(Debug)]
pub(crate) struct Allowed {
    patterns: Vec<Pattern>,
    words: Vec<String>,
    values: Vec<String>,
    whole: bool,
    all: bool,
}

impl Allowed {
    /// These very texts.
    pub(crate) fn values(values: Vec<String>) -> Self {
        Self {
            patterns: Vec::new(),
            words: Vec::new(),
            values,
            whole: false,
            all: false,
        }
    }

    /// What an allow list says.
    pub(crate) fn new(list: &AllowList) -> Result<Self, String> {
        let compile = |regex: &String| {
            Pattern::searching(regex)
                .map_err(|error| format!("allowlist expression {regex:?}: {error}"))
        };
        Ok(Self {
            patterns: list.regexes.iter().map(compile).collect::<Result<_, _>>()?,
            words: list
                .stopwords
                .iter()
                .map(|word| word.to_ascii_lowercase())
                .collect(),
            values: Vec::new(),
            whole: list
                .regex_target
                .as_deref()
                .is_some_and(|target| target != "secret"),
            // What a list wants of files or commits as well, no text can satisfy.
            all: list
                .condition
                .as_deref()
                .is_some_and(|c| c.eq_ignore_ascii_case("and"))
                && !(list.paths.is_empty() && list.commits.is_empty()),
        })
    }

    /// Whether it lets this secret pass, which was found in that match.
    pub(crate) fn holds(&self, secret: &str, whole: &str) -> bool {
        let target = if self.whole { whole } else { secret };
        let has = |word: &String| secret.to_ascii_lowercase().contains(word.as_str());
        !self.all
            && (self.patterns.iter().any(|pattern| pattern.is_in(target))
                || self.values.iter().any(|value| value == secret)
                || self.words.iter().any(has))
    }
}

/// Whether a character of the class stands before `place`, and is not the end of an escape sequence: `\n`, `\u0022`,
/// `%3D`, or a terminal's colour. JSON in a JSON string, forms and logs bring secrets right behind one of these.
fn follows(text: &str, place: usize, class: Class) -> bool {
    let before = text.as_bytes().get(..place).unwrap_or_default();
    before.last().is_some_and(|byte| class.contains(*byte)) && !ends_in_escape(before)
}

pub(crate) fn ends_in_escape(text: &[u8]) -> bool {
    match text {
        [.., b'\\', b'u', a, b, c, d] => [a, b, c, d].iter().all(|hex| hex.is_ascii_hexdigit()),
        [.., b'\\', b'n' | b'r' | b't' | b'f' | b'b'] => true,
        [.., b'%', a, b] => a.is_ascii_hexdigit() && b.is_ascii_hexdigit(),
        [before @ .., b'm'] => {
            let tail = before
                .get(before.len().saturating_sub(16)..)
                .unwrap_or(before);
            let mut codes = tail.rsplitn(2, |byte| *byte == b'[');
            codes
                .next()
                .is_some_and(|c| c.iter().all(|b| b.is_ascii_digit() || *b == b';'))
                && codes
                    .next()
                    .is_some_and(|start| start.last() == Some(&0x1b))
        }
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_is_no_neighbour() {
        for text in [
            "\\n",
            "x\\u003d",
            "a%3D",
            "%2f",
            "\u{1b}[31m",
            "\u{1b}[0;1m",
            "\u{1b}[m",
        ] {
            assert!(ends_in_escape(text.as_bytes()), "{text:?}");
        }
        for text in [
            "",
            "n",
            "m",
            "[31m",
            "\\un",
            "%zz",
            "3D",
            "1m",
            "\u{1b}[x1m",
        ] {
            assert!(!ends_in_escape(text.as_bytes()), "{text:?}");
        }
    }

    #[test]
    fn a_rule_that_cannot_be_used_is_named() {
        let row = |regex: &str| Row {
            id: "mine".into(),
            regex: Some(regex.into()),
            ..Row::default()
        };
        let error = Rule::new(&row("a(")).map(|_| ()).unwrap_err();
        assert_eq!(
            error,
            "rule \"mine\": the expression cannot be used: unclosed group"
        );
        let error = Rule::new(&Row {
            id: "mine".into(),
            ..Row::default()
        })
        .map(|_| ())
        .unwrap_err();
        assert_eq!(error, "rule \"mine\": needs either \"regex\" or \"value\"");
    }
}
