//! How the verdicts of two guardrails on the same message differ, and which of the two
//! lets more pass. Says rules and numbers, never what the message says.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::{Decision, Fault, Finding, Verdict};
use crate::message::Texts;

/// One way in which a verdict differs from the one that it is held against.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// What is different.
    pub change: Change,
    /// The rule that it is about, as the side names it that did more; for a failure, its
    /// kind.
    pub rule: String,
    /// How many findings or texts.
    pub count: usize,
}

/// What a verdict does that the one it is held against did not, or the other way round.
/// The first four are weaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// There is no verdict.
    Fails,
    /// What was refused passes.
    Passes,
    /// What was taken out stays.
    Shows,
    /// What was changed in another way stays as it was. Only examples are held to that.
    Leaves,
    /// What was only reported is not.
    Silent,
    /// There is a verdict where there was none.
    Recovers,
    /// What passed is refused.
    Refuses,
    /// What stayed is taken out.
    Hides,
    /// What was not reported is.
    Reports,
}

impl Change {
    /// Whether the new one protects less.
    pub fn is_weaker(self) -> bool {
        matches!(
            self,
            Self::Fails | Self::Passes | Self::Shows | Self::Leaves
        )
    }

    /// In a word for logs and programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fails => "new failure",
            Self::Passes => "lost block",
            Self::Shows => "lost redaction",
            Self::Leaves => "lost change",
            Self::Silent => "lost report",
            Self::Recovers => "failure gone",
            Self::Refuses => "new block",
            Self::Hides => "new redaction",
            Self::Reports => "new report",
        }
    }
}

/// How a new outcome differs from an old one on the same texts. `None` if they cannot be
/// compared, since one of them needs the network.
pub fn differences(
    texts: &Texts,
    growth: usize,
    old: &Result<Verdict, Fault>,
    new: &Result<Verdict, Fault>,
) -> Option<Vec<Difference>> {
    let one = |change, rule: &str| {
        let rule = rule.to_owned();
        Some(vec![Difference {
            change,
            rule,
            count: 1,
        }])
    };
    match (old, new) {
        (Err(Fault::Offline(_)), _) | (_, Err(Fault::Offline(_))) => None,
        (Err(_), Err(_)) => Some(Vec::new()),
        (Ok(_), Err(fault)) => one(Change::Fails, fault.name()),
        (Err(fault), Ok(_)) => one(Change::Recovers, fault.name()),
        (Ok(old), Ok(new)) => {
            let sides = Sides { texts, growth };
            let lost = sides.beyond(old, new);
            let gained = sides.beyond(new, old);
            let lost = lost.into_iter().map(|(what, rule, count)| Difference {
                change: match what {
                    Effect::Refusal => Change::Passes,
                    Effect::Redaction => Change::Shows,
                    Effect::Report => Change::Silent,
                },
                rule,
                count,
            });
            let gained = gained.into_iter().map(|(what, rule, count)| Difference {
                change: match what {
                    Effect::Refusal => Change::Refuses,
                    Effect::Redaction => Change::Hides,
                    Effect::Report => Change::Reports,
                },
                rule,
                count,
            });
            Some(lost.chain(gained).collect())
        }
    }
}

impl Fault {
    /// Of which kind it is, without the words of a guest, which may quote a message.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Limit(_) => "limit",
            Self::Output(_) => "too large a verdict",
            Self::Trap(_) => "crash",
            Self::Guest(_) => "error",
            Self::Offline(_) => "needs the network",
            Self::Verdict(_) => "invalid verdict",
            Self::Busy => "busy",
            Self::Kept(_) => "state cannot be used",
        }
    }
}

/// What a verdict does to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Refusal,
    Redaction,
    Report,
}

/// The message that two verdicts are about.
struct Sides<'a> {
    texts: &'a Texts,
    growth: usize,
}

impl Sides<'_> {
    /// What one verdict does beyond another, by rule and number.
    fn beyond(&self, more: &Verdict, less: &Verdict) -> Vec<(Effect, String, usize)> {
        if refuses(less) {
            return Vec::new();
        }
        if refuses(more) {
            return vec![(Effect::Refusal, first_rule(more), 1)];
        }
        let mut found = Vec::new();
        let hidden = self.hidden_beyond(more, less);
        let reported = self.reported_beyond(more, less);
        for (rule, count) in reported {
            if !hidden.contains_key(rule) {
                found.push((Effect::Report, rule.to_owned(), count));
            }
        }
        for (rule, count) in &hidden {
            found.push((Effect::Redaction, (*rule).to_owned(), *count));
        }
        if hidden.is_empty() && matches!(more.decision, Decision::Patch(_)) {
            match self.removed_beyond(more, less) {
                0 => {}
                count => found.push((Effect::Redaction, first_rule(more), count)),
            }
        }
        found
    }

    /// Findings that one verdict covers and another leaves to be seen, in part at least.
    fn hidden_beyond<'v>(&self, more: &'v Verdict, less: &Verdict) -> BTreeMap<&'v str, usize> {
        let covered = self.covered(less);
        let mut seen = BTreeMap::new();
        for (finding, span) in self.effective(more) {
            if self.is_seen(&span, &covered) {
                *seen.entry(finding.rule.as_str()).or_default() += 1;
            }
        }
        seen
    }

    /// The findings of a verdict that take something out, and where.
    fn effective<'v>(
        &self,
        verdict: &'v Verdict,
    ) -> impl Iterator<Item = (&'v Finding, Range<usize>)> {
        let changes = matches!(verdict.decision, Decision::Redact | Decision::Patch(_));
        let findings = verdict.findings.iter().filter(move |_| changes);
        findings.filter_map(|finding| {
            let span = finding.span.as_ref()?;
            let span = span.start as usize..span.end as usize;
            let replacement = finding.replacement.as_deref()?;
            let value = self.texts.joined().get(span.clone())?;
            // What stands again in its replacement is not taken out.
            (!replacement.contains(value)).then_some((finding, span))
        })
    }

    fn covered(&self, verdict: &Verdict) -> Vec<Range<usize>> {
        let mut covered: Vec<_> = self.effective(verdict).map(|(_, span)| span).collect();
        covered.sort_by_key(|span| span.start);
        covered
    }

    /// Whether a letter or a digit of a span is covered by nothing. What stands between
    /// them says nothing by itself, and builds may cut it differently.
    fn is_seen(&self, span: &Range<usize>, covered: &[Range<usize>]) -> bool {
        let value = self.texts.joined().get(span.clone()).unwrap_or_default();
        let mut from = covered.partition_point(|other| other.end <= span.start);
        value.char_indices().any(|(at, c)| {
            let at = span.start + at;
            while covered.get(from).is_some_and(|other| other.end <= at) {
                from += 1;
            }
            let is_covered = covered.get(from).is_some_and(|other| other.contains(&at));
            c.is_alphanumeric() && !is_covered
        })
    }

    /// Findings by rule that one verdict has more of.
    fn reported_beyond<'v>(&self, more: &'v Verdict, less: &Verdict) -> BTreeMap<&'v str, usize> {
        let mut left: HashMap<&str, usize> = HashMap::new();
        for finding in &less.findings {
            *left.entry(&finding.rule).or_default() += 1;
        }
        let mut beyond = BTreeMap::new();
        for finding in &more.findings {
            match left.get_mut(finding.rule.as_str()) {
                Some(count) if *count > 0 => *count -= 1,
                _ => *beyond.entry(finding.rule.as_str()).or_default() += 1,
            }
        }
        beyond
    }

    /// Texts that a patch takes out of the message and another verdict leaves in.
    fn removed_beyond(&self, more: &Verdict, less: &Verdict) -> usize {
        let (Some(more), Some(less)) = (self.left_by(more), self.left_by(less)) else {
            return 0;
        };
        let mut whole: HashMap<&str, usize> = HashMap::new();
        for text in self.texts.iter() {
            *whole.entry(text).or_default() += 1;
        }
        let left = |texts: &HashMap<String, usize>, text: &str| {
            texts.get(text).copied().unwrap_or_default()
        };
        let beyond = whole.into_iter().map(|(text, count)| {
            let (kept, seen) = (left(&more, text), left(&less, text).min(count));
            seen.saturating_sub(kept)
        });
        beyond.sum()
    }

    /// The texts that a verdict leaves, with how often each is there.
    fn left_by(&self, verdict: &Verdict) -> Option<HashMap<String, usize>> {
        let changed = verdict.changed(self.texts, self.growth).ok()?;
        let texts = changed.map(|message| message.texts()).transpose().ok()?;
        let mut left: HashMap<String, usize> = HashMap::new();
        for text in texts.as_ref().unwrap_or(self.texts).iter() {
            *left.entry(text.to_owned()).or_default() += 1;
        }
        Some(left)
    }
}

fn refuses(verdict: &Verdict) -> bool {
    matches!(verdict.decision, Decision::Block(_) | Decision::Ask(_))
}

pub(super) fn first_rule(verdict: &Verdict) -> String {
    let first = verdict.findings.first();
    first.map(|it| it.rule.clone()).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::message::{Message, PatchOp};

    fn found(rule: &str, span: Range<u32>, replacement: &str) -> Finding {
        Finding {
            rule: rule.into(),
            span: Some(span),
            replacement: Some(replacement.into()),
            confidence: 1.0,
            note: None,
        }
    }

    fn verdict(decision: Decision, findings: &[Finding]) -> Result<Verdict, Fault> {
        let findings = findings.to_vec();
        Ok(Verdict { decision, findings })
    }

    /// What the new one does differently about `["ann@example.org, 555 0100"]`.
    fn check(
        old: Result<Verdict, Fault>,
        new: Result<Verdict, Fault>,
        expected: &[(&str, &str, usize)],
    ) {
        let message = Message::notification("x", Some(r#"["ann@example.org, 555 0100"]"#));
        let texts = message.texts().unwrap();
        let seen = differences(&texts, 1 << 20, &old, &new).unwrap();
        let seen: Vec<_> = seen
            .iter()
            .map(|it| (it.change.name(), it.rule.as_str(), it.count))
            .collect();
        assert_eq!(seen, expected);
    }

    fn pass() -> Result<Verdict, Fault> {
        verdict(Decision::Pass, &[])
    }

    #[test]
    fn the_same_is_no_difference() {
        let old = || verdict(Decision::Redact, &[found("mail", 0..15, "<MAIL>")]);
        check(old(), old(), &[]);
        check(pass(), pass(), &[]);
    }

    #[test]
    fn what_is_no_longer_taken_out_is_weaker() {
        let mail = found("mail", 0..15, "<MAIL>");
        let phone = found("phone", 17..25, "<PHONE>");
        let both = || verdict(Decision::Redact, &[mail.clone(), phone.clone()]);
        let one = || verdict(Decision::Redact, std::slice::from_ref(&mail));
        check(both(), one(), &[("lost redaction", "phone", 1)]);
        check(one(), both(), &[("new redaction", "phone", 1)]);
        check(
            one(),
            verdict(Decision::Pass, std::slice::from_ref(&mail)),
            &[("lost redaction", "mail", 1)],
        );
    }

    #[test]
    fn what_is_taken_out_in_part_is_seen_and_punctuation_is_not() {
        let old = || verdict(Decision::Redact, &[found("phone", 17..25, "<PHONE>")]);
        let part = verdict(Decision::Redact, &[found("phone", 17..20, "<PHONE>")]);
        check(old(), part, &[("lost redaction", "phone", 1)]);
        let pieces = [found("area", 17..20, "<A>"), found("rest", 21..25, "<B>")];
        let names: Vec<_> = [("lost report", "phone", 1)].into();
        let gained = [("new report", "area", 1), ("new report", "rest", 1)];
        check(
            old(),
            verdict(Decision::Redact, &pieces),
            &[names, gained.to_vec()].concat(),
        );
    }

    #[test]
    fn a_replacement_that_holds_the_value_hides_nothing() {
        let old = verdict(Decision::Redact, &[found("phone", 17..25, "<PHONE>")]);
        let new = verdict(Decision::Redact, &[found("phone", 17..25, "(555 0100)")]);
        check(old, new, &[("lost redaction", "phone", 1)]);
    }

    #[test]
    fn a_block_is_lost_whatever_takes_its_place_but_a_question() {
        let mail = [found("mail", 0..15, "<MAIL>")];
        let block = || verdict(Decision::Block("no".into()), &mail);
        check(block(), pass(), &[("lost block", "mail", 1)]);
        let redact = verdict(Decision::Redact, &mail);
        check(block(), redact, &[("lost block", "mail", 1)]);
        check(block(), verdict(Decision::Ask("so?".into()), &mail), &[]);
        check(pass(), block(), &[("new block", "mail", 1)]);
    }

    #[test]
    fn a_failure_is_weaker_only_where_there_was_a_verdict() {
        let fault = || Err(Fault::Busy);
        check(pass(), fault(), &[("new failure", "busy", 1)]);
        check(fault(), pass(), &[("failure gone", "busy", 1)]);
        check(fault(), fault(), &[]);
    }

    #[test]
    fn what_a_patch_took_out_has_to_be_gone() {
        let remove = |path: &str| {
            verdict(
                Decision::Patch(vec![PatchOp::Remove { path: path.into() }]),
                &[],
            )
        };
        check(remove("/0"), pass(), &[("lost redaction", "", 1)]);
        check(remove("/0"), remove("/0"), &[]);
        check(pass(), remove("/0"), &[("new redaction", "", 1)]);
    }

    #[test]
    fn without_the_network_there_is_nothing_to_compare() {
        let message = Message::notification("x", Some("{}"));
        let texts = message.texts().unwrap();
        let offline = Err(Fault::Offline("no".into()));
        assert_eq!(differences(&texts, 1, &pass(), &offline), None);
    }
}
