//! Expressions that are read from the left to the right without ever going back: characters of classes, each so many
//! times. Almost every token has such a form, and to read one so takes a fraction of the time and of the memory that a
//! regular expression takes.

use std::ops::Range;

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

use crate::bytes::Bytes;

/// So many ways an expression may be written out in, and so many steps each may have.
const WAYS: usize = 64;
const STEPS: usize = 96;

/// An expression as the ways in which it can match, of which the first that does holds.
#[derive(Debug)]
pub(crate) struct Sequence(Vec<Way>);

/// One after the other.
#[derive(Debug, Clone, Default)]
struct Way {
    steps: Vec<Step>,
    /// Groups: their numbers, and the steps that they hold.
    groups: Vec<(u32, Range<usize>)>,
}

#[derive(Debug, Clone)]
enum Step {
    /// These very bytes.
    Literal(Vec<u8>),
    /// As many of something as there are, within bounds.
    Run(Run),
}

#[derive(Debug, Clone)]
struct Run {
    of: Unit,
    least: usize,
    most: usize,
    /// With so many bytes the literal behind it starts that could be the run's as well; then comes one that could not.
    shared: usize,
}

/// What a run has many of: a byte of a set, or one that only another lets stand, such as a hyphen before a letter.
#[derive(Debug, Clone)]
struct Unit {
    alone: Bytes,
    pair: Option<(Bytes, Bytes)>,
}

impl Run {
    fn width(&self, text: &[u8]) -> Option<usize> {
        let most = self.most.saturating_add(self.shared);
        let (count, width) = match &self.of.pair {
            None => {
                let run = text.iter().take(most);
                let count = run.take_while(|byte| self.of.alone.has(**byte)).count();
                (count, count)
            }
            Some((first, second)) => {
                let (mut count, mut at) = (0, 0);
                while count < most {
                    at += match text.get(at..) {
                        Some([byte, ..]) if self.of.alone.has(*byte) => 1,
                        Some([one, two, ..]) if first.has(*one) && second.has(*two) => 2,
                        _ => break,
                    };
                    count += 1;
                }
                (count, at)
            }
        };
        let count = count.checked_sub(self.shared)?;
        (self.least..=self.most)
            .contains(&count)
            .then_some(width - self.shared)
    }

    /// Whether it could end earlier for the sake of what follows it; after this it knows what it shares with that.
    fn goes_back(&mut self, rest: &[Step]) -> bool {
        if self.least == self.most || rest.iter().all(Step::may_be_absent) {
            return false;
        }
        let apart = self.of.alone.is_apart_from(&first(rest));
        match (&self.of.pair, rest.first()) {
            (None, _) if apart => false,
            (None, Some(Step::Literal(literal))) => {
                let shared = literal.iter().take_while(|byte| self.of.alone.has(**byte));
                self.shared = shared.count();
                self.shared == literal.len()
            }
            (Some((one, two)), Some(Step::Literal(literal))) if apart => match &**literal {
                [first, second, ..] => one.has(*first) && two.has(*second),
                _ => literal.iter().any(|first| one.has(*first)),
            },
            (Some((one, _)), _) if apart => !one.is_apart_from(&first(rest)),
            _ => true,
        }
    }
}

impl Unit {
    /// What an expression that is repeated stands for, if it is one.
    fn of(hir: &Hir) -> Option<Self> {
        let set = |hir: &Hir| match hir.kind() {
            HirKind::Class(class) => members(class),
            HirKind::Literal(literal) => match &*literal.0 {
                [byte] => Some(Bytes::from(*byte)),
                _ => None,
            },
            _ => None,
        };
        if let Some(alone) = set(hir) {
            return Some(Self { alone, pair: None });
        }
        let HirKind::Alternation(parts) = hir.kind() else {
            return None;
        };
        let [alone, pair] = parts.as_slice() else {
            return None;
        };
        let HirKind::Concat(pair) = pair.kind() else {
            return None;
        };
        let [one, two] = pair.as_slice() else {
            return None;
        };
        let (alone, one) = (set(alone)?, set(one)?);
        alone.is_apart_from(&one).then_some(Self {
            alone,
            pair: Some((one, set(two)?)),
        })
    }

    fn first(&self) -> Bytes {
        let pair = self.pair.as_ref().map(|(one, _)| *one);
        self.alone.or(pair.unwrap_or_default())
    }
}

impl Step {
    fn run(of: Unit, least: usize, most: usize) -> Self {
        let only = (least == 1 && most == 1 && of.pair.is_none()).then(|| of.alone.single());
        match only.flatten() {
            Some(byte) => Self::Literal(vec![byte]),
            None => Self::Run(Run {
                of,
                least,
                most,
                shared: 0,
            }),
        }
    }

    /// What it may start with.
    fn first(&self) -> Bytes {
        match self {
            Self::Literal(literal) => literal
                .first()
                .copied()
                .map(Bytes::from)
                .unwrap_or_default(),
            Self::Run(run) => run.of.first(),
        }
    }

    fn may_be_absent(&self) -> bool {
        matches!(self, Self::Run(run) if run.least == 0)
    }

    /// How many bytes it takes, if it can stand here.
    fn width(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Literal(literal) => text.starts_with(literal).then_some(literal.len()),
            Self::Run(run) => run.width(text),
        }
    }
}

impl Sequence {
    /// The expression, if it can be read so.
    pub(crate) fn of(hir: &Hir) -> Option<Self> {
        let mut ways = write_out(hir)?;
        for way in &mut ways {
            way.merge();
            if way.goes_back() {
                return None;
            }
        }
        Some(Self(ways))
    }

    /// Whether a match may start with this byte.
    pub(crate) fn starts_with(&self, byte: u8) -> bool {
        self.0.iter().any(|way| way.first().has(byte))
    }

    /// Where the match that starts at the start of `text` ends, and what group number `group` of it holds.
    pub(crate) fn at_start(&self, text: &[u8], group: usize) -> Option<(usize, Range<usize>)> {
        self.0.iter().find_map(|way| way.at_start(text, group))
    }
}

impl Way {
    fn at_start(&self, text: &[u8], group: usize) -> Option<(usize, Range<usize>)> {
        let held = match group {
            0 => None,
            _ => {
                // Of a group that is repeated the last counts.
                let mut groups = self.groups.iter().rev();
                groups.find(|(number, _)| *number as usize == group)
            }
        };
        let (mut at, mut start, mut end) = (0, None, None);
        for (number, step) in self.steps.iter().enumerate() {
            if let Some((_, steps)) = held {
                if steps.start == number {
                    start = Some(at);
                }
                if steps.end == number {
                    end = Some(at);
                }
            }
            at += step.width(text.get(at..)?)?;
        }
        let inner = match held {
            Some(_) => start.unwrap_or(at)..end.unwrap_or(at),
            None => 0..at,
        };
        Some((at, inner))
    }

    /// What may stand at the start.
    fn first(&self) -> Bytes {
        first(&self.steps)
    }

    /// This one and then another.
    fn then(&self, next: &Self) -> Option<Self> {
        let (mut way, shift) = (self.clone(), self.steps.len());
        way.steps.extend(next.steps.iter().cloned());
        let groups = next.groups.iter();
        way.groups
            .extend(groups.map(|(n, steps)| (*n, steps.start + shift..steps.end + shift)));
        (way.steps.len() <= STEPS).then_some(way)
    }

    /// Makes one literal of those beside each other, unless a group starts or ends between them.
    fn merge(&mut self) {
        let mut kept: Vec<Step> = Vec::new();
        // Where each step went, and the end.
        let mut places = Vec::new();
        for (number, step) in std::mem::take(&mut self.steps).into_iter().enumerate() {
            let is_edge =
                |(_, steps): &(u32, Range<usize>)| steps.start == number || steps.end == number;
            let apart = self.groups.iter().any(is_edge);
            match (kept.last_mut(), step) {
                (Some(Step::Literal(literal)), Step::Literal(more)) if !apart => {
                    literal.extend(more);
                }
                (_, step) => kept.push(step),
            }
            places.push(kept.len() - 1);
        }
        places.push(kept.len());
        for (_, steps) in &mut self.groups {
            let place = |step: usize| places.get(step).copied().unwrap_or(kept.len());
            *steps = place(steps.start)..place(steps.end);
        }
        self.steps = kept;
    }

    /// Whether a run could end earlier for the sake of what follows it.
    fn goes_back(&mut self) -> bool {
        let mut steps = self.steps.as_mut_slice();
        while let Some((step, rest)) = steps.split_first_mut() {
            if let Step::Run(run) = step
                && run.goes_back(rest)
            {
                return true;
            }
            steps = rest;
        }
        false
    }
}

/// What may stand at the start of these steps.
fn first(steps: &[Step]) -> Bytes {
    let mut bytes = Bytes::default();
    for step in steps {
        bytes = bytes.or(step.first());
        if !step.may_be_absent() {
            break;
        }
    }
    bytes
}

/// Every way in which an expression can match, in the order in which a regular expression would try them.
fn write_out(hir: &Hir) -> Option<Vec<Way>> {
    let one = |step| {
        Some(vec![Way {
            steps: vec![step],
            groups: Vec::new(),
        }])
    };
    match hir.kind() {
        HirKind::Empty => Some(vec![Way::default()]),
        HirKind::Literal(literal) => one(Step::Literal(literal.0.to_vec())),
        HirKind::Class(_) => one(Step::run(Unit::of(hir)?, 1, 1)),
        HirKind::Look(_) => None,
        HirKind::Repetition(repetition) => repeated(repetition),
        HirKind::Capture(capture) => {
            let mut ways = write_out(&capture.sub)?;
            for way in &mut ways {
                way.groups.push((capture.index, 0..way.steps.len()));
            }
            Some(ways)
        }
        HirKind::Concat(parts) => {
            let mut ways = vec![Way::default()];
            for part in parts {
                ways = each_then(&ways, &write_out(part)?)?;
            }
            Some(ways)
        }
        HirKind::Alternation(parts) => {
            let mut ways = Vec::new();
            for part in parts {
                ways.extend(write_out(part)?);
            }
            (ways.len() <= WAYS).then_some(ways)
        }
    }
}

fn repeated(repetition: &Repetition) -> Option<Vec<Way>> {
    let least = usize::try_from(repetition.min).ok()?;
    let most = match repetition.max {
        Some(most) => usize::try_from(most).ok()?,
        None => usize::MAX,
    };
    if let Some(of) = Unit::of(&repetition.sub) {
        return (repetition.greedy || least == most).then(|| {
            vec![Way {
                steps: vec![Step::run(of, least, most)],
                groups: Vec::new(),
            }]
        });
    }
    let mut ways = vec![Way::default()];
    if least == most {
        let sub = write_out(&repetition.sub)?;
        for _ in 0..least {
            ways = each_then(&ways, &sub)?;
        }
        return Some(ways);
    }
    if (least, most) != (0, 1) {
        return None;
    }
    let sub = write_out(&repetition.sub)?;
    Some(match repetition.greedy {
        true => sub.into_iter().chain(ways).collect(),
        false => ways.into_iter().chain(sub).collect(),
    })
}

fn each_then(ways: &[Way], next: &[Way]) -> Option<Vec<Way>> {
    if ways.len() * next.len() > WAYS {
        return None;
    }
    let all = ways
        .iter()
        .flat_map(|way| next.iter().map(|next| way.then(next)));
    all.collect()
}

/// The members of a class, if they are single bytes.
fn members(class: &Class) -> Option<Bytes> {
    let mut bytes = Bytes::default();
    match class {
        Class::Bytes(class) => {
            for range in class.ranges() {
                bytes.add(range.start(), range.end());
            }
        }
        Class::Unicode(class) => {
            for range in class.ranges() {
                let (first, last) = (range.start(), range.end());
                if !last.is_ascii() {
                    return None;
                }
                bytes.add(u8::try_from(first).ok()?, u8::try_from(last).ok()?);
            }
        }
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::meta::Regex;
    use regex_automata::util::syntax;
    use regex_automata::{Anchored, Input};

    use super::*;

    const READ: [&str; 22] = [
        "ab[a-c]{2}",
        "a(?:b|c|ab)[x_]{1,3}",
        "(?:ab|a)([bc]{2,})",
        "a?b",
        "a?(b_)+?c",
        "(?i)ab(c)?",
        "[ab]{1,4}_?[xc]{0,2}",
        "(?:a(b)|c)_",
        "(?:a_){2}b?",
        "a((?:b|c)_)x",
        "[ab]+(?:_[ab]*x{0,2})?",
        "a{2}?b",
        "(?:[abc]{3}|[ab]{5}|x[ab]{2})",
        "(a)(b)_",
        "(?:(a|b)_){2}",
        "x(?:[ab]|_[ab]){2,}",
        "x(?:[ab]|_[ab]){1,3}(?:__a)?",
        "x(?:[ab]|_[ab]){1,2}__",
        "a[ab_]{0,4}bax",
        "a[ab_]{0,2}b(?:a_)?x[xb]{0,2}",
        "a[ab_]{1,}_x",
        "(?:[ab]|[xc]_){2,4}(?:A|c)",
    ];

    fn sequence(expression: &str) -> Option<Sequence> {
        let syntax = syntax::Config::new().unicode(false).utf8(false);
        Sequence::of(&syntax::parse_with(expression, &syntax).unwrap())
    }

    #[test]
    fn what_would_go_back_is_no_sequence() {
        for expression in [
            "[a-c]{1,3}c",
            "a{1,3}?b",
            "(?:ab)*c",
            "a\\b",
            "[ab]{0,2}c?bx",
        ] {
            assert!(sequence(expression).is_none(), "{expression}");
        }
        for expression in READ
            .iter()
            .filter(|it| !it.contains("+?") && !it.ends_with("(?:A|c)"))
        {
            assert!(sequence(expression).is_some(), "{expression}");
        }
    }

    proptest! {
        #[test]
        fn a_sequence_matches_as_the_regular_expression_does(text in "[abcx_AB]{0,9}") {
            for expression in READ {
                let Some(sequence) = sequence(expression) else { continue };
                let regex = Regex::builder()
                    .syntax(syntax::Config::new().unicode(false).utf8(false))
                    .build(expression)
                    .unwrap();
                let input = Input::new(&text).anchored(Anchored::Yes);
                let mut captures = regex.create_captures();
                regex.search_captures(&input, &mut captures);
                for group in 0..=1 {
                    let expected = captures.get_match().map(|whole| {
                        let inner = captures.get_group(group).map_or(whole.range(), |it| it.range());
                        (whole.end(), inner)
                    });
                    prop_assert_eq!(sequence.at_start(text.as_bytes(), group), expected, "{} {}", expression, group);
                }
                if let Some(first) = text.bytes().next() {
                    let matches = sequence.at_start(text.as_bytes(), 0).is_some();
                    prop_assert!(!matches || sequence.starts_with(first));
                }
            }
        }
    }
}
