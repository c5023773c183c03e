//! Rules: what attacks do, in concepts.

use serde::Deserialize;

use crate::lexicon::{Concept, Concepts, Lexicon, Mark};

/// Where a text is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Context {
    /// What a tool, a resource or a prompt gave.
    Result,
    /// What a server says about itself and its tools.
    Description,
    /// What goes to a server.
    Arguments,
}

/// How far from a rule's first word, in words, something makes it less likely.
const EXCUSED: u32 = 24;

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its short, stable identifier.
    pub id: String,
    /// What it finds, for a person.
    pub says: String,
    /// How sure it is by itself.
    pub weight: f32,
    steps: Vec<Step>,
    within: u32,
    any_order: bool,
    /// Whether all of it has to be in one sentence.
    sentence: bool,
    hidden: bool,
    /// Whether it may be written as a call, and so is as sure among the marks of programs.
    pub call: bool,
    contexts: Vec<Context>,
    /// What makes it less likely where it stands near.
    unless: Concepts,
}

#[derive(Debug, Clone, Copy)]
struct Step {
    concepts: Concepts,
    /// Those that count only where they are an order.
    orders: Concepts,
    optional: bool,
}

/// A place at which a rule fits: its first and last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// The number of the rule.
    pub rule: usize,
    /// The first word, by its number.
    pub first: usize,
    /// The last word.
    pub last: usize,
    /// Whether something stands near that makes it less likely.
    pub excused: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    rule: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    says: String,
    #[expect(dead_code, reason = "for who reads the table")]
    source: String,
    steps: Vec<String>,
    within: u32,
    weight: f32,
    #[serde(default)]
    any_order: bool,
    #[serde(default)]
    sentence: bool,
    #[serde(default)]
    hidden: bool,
    #[serde(default)]
    call: bool,
    #[serde(default)]
    contexts: Vec<Context>,
    #[serde(default)]
    unless: Option<String>,
}

/// Reads what `rules.toml` says.
///
/// # Errors
/// It is no such table, or names a concept that there is not.
pub fn rules(table: &str, lexicon: &Lexicon) -> Result<Vec<Rule>, String> {
    let table: Table = toml::from_str(table).map_err(|error| error.to_string())?;
    let rules = table.rule.into_iter().map(|row| {
        let steps = row.steps.iter().map(|step| self::step(step, lexicon));
        let steps: Result<Vec<Step>, String> = steps.collect();
        Ok(Rule {
            steps: steps.map_err(|error| format!("rule {:?}: {error}", row.id))?,
            id: row.id,
            says: row.says,
            weight: row.weight,
            within: row.within,
            any_order: row.any_order,
            sentence: row.sentence,
            hidden: row.hidden,
            call: row.call,
            contexts: row.contexts,
            unless: match row.unless {
                Some(names) => self::step(&names, lexicon)?.concepts,
                None => Concepts::default(),
            },
        })
    });
    rules.collect()
}

fn step(text: &str, lexicon: &Lexicon) -> Result<Step, String> {
    let names = text.strip_suffix('?');
    let mut step = Step {
        concepts: Concepts::default(),
        orders: Concepts::default(),
        optional: names.is_some(),
    };
    for name in names.unwrap_or(text).split('|') {
        match name.strip_prefix('^') {
            Some(name) => step.orders = step.orders.with(concept(name, lexicon)?),
            None => step.concepts = step.concepts.with(concept(name, lexicon)?),
        }
    }
    Ok(step)
}

fn concept(name: &str, lexicon: &Lexicon) -> Result<Concept, String> {
    let concept = lexicon.concept(name);
    concept.ok_or_else(|| format!("there is no concept {name:?}"))
}

impl Step {
    fn fits(&self, mark: &Mark) -> bool {
        self.concepts.has(mark.concept) || mark.urged && self.orders.has(mark.concept)
    }
}

impl Rule {
    /// Every place at which the rule fits, where `present` is all that is spoken of.
    pub fn hits(
        &self,
        number: usize,
        marks: &[Mark],
        present: Concepts,
        context: Context,
        is_hidden: &dyn Fn(&Mark) -> bool,
        found: &mut Vec<Hit>,
    ) {
        let fits = self.contexts.is_empty() || self.contexts.contains(&context);
        let needed = |step: &Step| {
            step.optional || step.concepts.meets(present) || step.orders.meets(present)
        };
        if !fits || !self.steps.iter().all(needed) {
            return;
        }
        let seen: Vec<Mark>;
        let marks = match self.hidden {
            true => {
                seen = marks.iter().copied().filter(is_hidden).collect();
                &seen
            }
            false => marks,
        };
        let mut next = 0;
        for (index, mark) in marks.iter().enumerate() {
            if mark.first < next {
                continue;
            }
            let rest = marks.get(index..).unwrap_or_default();
            let last = match self.any_order {
                true => self.in_any_order(rest),
                false => self.in_order(rest),
            };
            if let Some(last) = last {
                found.push(Hit {
                    rule: number,
                    first: mark.first,
                    last,
                    excused: self.is_excused(marks, mark),
                });
                next = last + 1;
            }
        }
    }

    /// Whether a mark may belong to what starts with another.
    fn continues(&self, first: &Mark, mark: &Mark) -> bool {
        !self.sentence || mark.sentence == first.sentence
    }

    /// Whether something stands near that makes it less likely.
    fn is_excused(&self, marks: &[Mark], at: &Mark) -> bool {
        if self.unless == Concepts::default() {
            return false;
        }
        let from = marks.partition_point(|mark| mark.at + EXCUSED < at.at);
        let near = marks.iter().skip(from);
        near.take_while(|mark| mark.at <= at.at + EXCUSED)
            .any(|mark| self.unless.has(mark.concept))
    }

    /// The last word of a fit that starts with the first of these marks.
    fn in_order(&self, marks: &[Mark]) -> Option<usize> {
        let (first, rest) = marks.split_first()?;
        let mut steps = self.steps.iter();
        if !steps.next()?.fits(first) {
            return None;
        }
        let end = first.at + self.within;
        let mut last = first.last;
        let mut rest = rest.iter();
        for step in steps {
            let mut ahead = rest.clone();
            let next = ahead
                .by_ref()
                .take_while(|mark| mark.at <= end && self.continues(first, mark))
                .find(|mark| mark.first > last && step.fits(mark));
            match next {
                Some(mark) => {
                    last = mark.last;
                    rest = ahead;
                }
                None if step.optional => {}
                None => return None,
            }
        }
        Some(last)
    }

    fn in_any_order(&self, marks: &[Mark]) -> Option<usize> {
        let first = marks.first()?;
        let opens = |step: &Step| step.fits(first);
        if !self.steps.iter().any(opens) {
            return None;
        }
        let end = first.at + self.within;
        let mut open: u32 = (1 << self.steps.len()) - 1;
        let mut last = 0;
        let mut taken = None;
        for mark in marks
            .iter()
            .take_while(|mark| mark.at <= end && self.continues(first, mark))
        {
            // A word stands for one step only.
            if taken.is_some_and(|taken| mark.first <= taken) {
                continue;
            }
            let steps = self.steps.iter().enumerate();
            let step = steps
                .filter(|(number, _)| open >> number & 1 == 1)
                .find(|(_, step)| step.fits(mark));
            if let Some((number, _)) = step {
                open &= !(1 << number);
                taken = Some(mark.last);
                last = mark.last;
                if open == 0 {
                    return Some(last);
                }
            } else if taken.is_none() {
                return None;
            }
        }
        let steps = self.steps.iter().enumerate();
        let done = steps
            .filter(|(number, _)| open >> number & 1 == 1)
            .all(|(_, step)| step.optional);
        done.then_some(last)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::token::tokens;

    const WORDS: &str = r#"
        [urge]
        en = "please, you must"
        [act]
        en = "delete"
        [own]
        en = "my"
        [doubt]
        en = "as an example"
    "#;

    /// The places at which a rule of one row fits, by their words, and whether they are excused.
    fn hits(row: &str, text: &str) -> Vec<(usize, usize, bool)> {
        let lexicon = Lexicon::new(WORDS).unwrap();
        let row =
            format!("[[rule]]\nid = \"x\"\nsays = \"x\"\nsource = \"x\"\nweight = 1.0\n{row}");
        let rules = rules(&row, &lexicon).unwrap();
        let marks = lexicon.marks(&tokens(text, lexicon.known()));
        let present = marks
            .iter()
            .fold(Concepts::default(), |all, mark| all.with(mark.concept));
        let mut found = Vec::new();
        for rule in &rules {
            rule.hits(0, &marks, present, Context::Result, &|_| false, &mut found);
        }
        let found = found.into_iter();
        found
            .map(|hit| (hit.first, hit.last, hit.excused))
            .collect()
    }

    #[test]
    fn an_order_opens_a_sentence_or_follows_what_urges() {
        let row = "steps = [\"^act\"]\nwithin = 1";
        for (text, orders) in [
            ("Delete it.", 1),
            ("It is done. Delete it, please delete it", 2),
            ("note: delete it\n- delete that", 2),
            ("You must delete it", 1),
            ("I delete it. Deleted. Deletes it. Deleting", 0),
        ] {
            assert_eq!(hits(row, text).len(), orders, "{text}");
        }
    }

    #[test]
    fn a_rule_may_stay_within_a_sentence() {
        let row = "steps = [\"act\", \"own\"]\nwithin = 9";
        let within = format!("{row}\nsentence = true");
        for (text, anywhere, in_one) in [
            ("delete it in my\nname", 1, 1),
            ("delete it. My name is Lee", 1, 0),
            ("delete it\n\nmy name", 1, 0),
        ] {
            assert_eq!(hits(row, text).len(), anywhere, "{text}");
            assert_eq!(hits(&within, text).len(), in_one, "{text}");
        }
    }

    #[test]
    fn what_stands_near_may_excuse_what_fits() {
        let row = "steps = [\"act\"]\nwithin = 1\nunless = \"doubt\"";
        assert_eq!(hits(row, "delete it as an example"), [(0, 0, true)]);
        assert_eq!(hits(row, "as an example, delete it"), [(3, 3, true)]);
        let far = format!("delete it {} as an example", "and so on ".repeat(12));
        assert_eq!(hits(row, &far), [(0, 0, false)]);
    }
}
