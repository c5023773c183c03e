//! What became of a message, and how that differs from what is expected.

use crate::capability::message::MessageView;
use crate::config::Limits;
use crate::guardrail::{Decision, Fault, Verdict};
use crate::message::Role;

use super::case::{After, Case, Finding};

/// What became of a message.
pub(super) struct Outcome {
    decision: &'static str,
    /// Why it is refused, what is asked, or what went wrong.
    reason: Option<String>,
    /// The message afterwards.
    after: MessageView,
    findings: Vec<Finding>,
}

impl Outcome {
    /// The gateway shows a guardrail only what it wants to see.
    pub(super) fn unseen(case: &Case) -> Self {
        Self {
            decision: "pass",
            reason: Some("the guardrail does not want to see such messages".to_owned()),
            after: case.view.clone(),
            findings: Vec::new(),
        }
    }

    /// Carries a verdict out. One that cannot be is a fault, as in the gateway.
    pub(super) fn of(case: &Case, verdict: Result<Verdict, Fault>) -> Self {
        let fault = |reason: String| Self {
            decision: "fault",
            reason: Some(reason),
            after: case.view.clone(),
            findings: Vec::new(),
        };
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(error) => return fault(error.to_string()),
        };
        let reason = match &verdict.decision {
            Decision::Block(reason) | Decision::Ask(reason) => Some(reason.clone()),
            Decision::Pass | Decision::Redact | Decision::Patch(_) => None,
        };
        let after = match verdict.changed(&case.view.texts, Limits::default().output) {
            Err(error) => return fault(format!("its verdict is invalid: {error}")),
            Ok(None) => Some(case.view.clone()),
            Ok(Some(message)) => case.changed(message),
        };
        let Some(after) = after else {
            return fault("what is left is too long".into());
        };
        Self {
            decision: verdict.decision.name(),
            reason,
            after,
            findings: findings(&case.view, &verdict),
        }
    }
}

/// The findings by the texts that they are in, in their order.
fn findings(view: &MessageView, verdict: &Verdict) -> Vec<Finding> {
    let mut found: Vec<_> = verdict.findings.iter().collect();
    found.sort_by_key(|finding| finding.span.as_ref().map(|span| span.start));
    let of = |finding: &&crate::guardrail::Finding| {
        let place = finding.span.as_ref().and_then(|span| {
            let index = view.texts.check_span(span).ok()?;
            let before = index.checked_sub(1);
            let start = before
                .and_then(|it| view.texts.ends().get(it).copied())
                .unwrap_or(0);
            let range = span.start as usize..span.end as usize;
            Some((
                view.texts.joined().get(range)?,
                span.start - start,
                span.end - start,
            ))
        });
        Finding {
            rule: Some(finding.rule.clone()),
            text: place.map(|(text, ..)| text.to_owned()),
            start: place.map(|(_, start, _)| start),
            end: place.map(|(.., end)| end),
        }
    };
    found.iter().map(of).collect()
}

/// What differs, line by line; nothing if the case passes.
pub(super) fn differences(case: &Case, outcome: &Outcome) -> Vec<String> {
    let mut lines = Vec::new();
    if case.expects != outcome.decision {
        let reason = outcome.reason.as_ref();
        let reason = reason.map_or(String::new(), |reason| format!(": {reason}"));
        lines.push("decision:".to_owned());
        lines.push(format!("- {}", case.expects));
        lines.push(format!("+ {}{reason}", outcome.decision));
    } else if let Some(part) = &case.reason
        && !outcome
            .reason
            .as_ref()
            .is_some_and(|reason| reason.contains(part))
    {
        lines.push("reason:".to_owned());
        lines.push(format!("- … {part} …"));
        lines.push(format!("+ {}", outcome.reason.as_deref().unwrap_or("none")));
    }
    if let Some(after) = &case.after {
        let (expected, got) = both(after, &outcome.after);
        section(&mut lines, "afterwards:", &expected, &got);
    }
    if let Some(expected) = &case.findings {
        let fit = expected.len() == outcome.findings.len()
            && expected
                .iter()
                .zip(&outcome.findings)
                .all(|(one, got)| one.fits(got));
        if !fit {
            let shown = |all: &[Finding]| all.iter().map(Finding::line).collect::<Vec<_>>();
            section(
                &mut lines,
                "findings:",
                &shown(expected),
                &shown(&outcome.findings),
            );
        }
    }
    lines
}

/// The lines of what is expected, and of what there is.
fn both(after: &After, view: &MessageView) -> (Vec<String>, Vec<String>) {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    match after {
        After::Texts(texts) => (
            texts.clone(),
            view.texts.iter().map(str::to_owned).collect(),
        ),
        After::Text(pointer, text) => {
            let at = |index: &usize| {
                let place = view.texts.place(*index);
                place.is_some_and(|it| it.pointer == *pointer && it.role == Role::Value)
            };
            let found = (0..view.texts.len()).find(at);
            let got = found.and_then(|index| view.texts.get(index));
            (lines(text), lines(got.unwrap_or_default()))
        }
        After::Payload(payload) => {
            let got: serde_json::Value = view
                .message
                .payload()
                .and_then(|payload| serde_json::from_str(payload).ok())
                .unwrap_or_default();
            match got == *payload {
                // Members may stand in another order.
                true => (Vec::new(), Vec::new()),
                false => (lines(&format!("{payload:#}")), lines(&format!("{got:#}"))),
            }
        }
    }
}

/// Adds what is not the same, with what surrounds it.
fn section(lines: &mut Vec<String>, title: &str, expected: &[String], got: &[String]) {
    if expected == got {
        return;
    }
    let same = |pairs: &mut dyn Iterator<Item = (&String, &String)>| {
        pairs.take_while(|(one, other)| one == other).count()
    };
    let head = same(&mut expected.iter().zip(got));
    let rest = expected.len().min(got.len()) - head;
    let tail = same(&mut expected.iter().rev().zip(got.iter().rev())).min(rest);
    let part = |all: &[String]| all.get(head..all.len() - tail).unwrap_or_default().to_vec();
    lines.push(title.to_owned());
    let around = |index: Option<usize>| index.and_then(|index| expected.get(index));
    lines.extend(around(head.checked_sub(1)).map(|line| format!("  {line}")));
    lines.extend(part(expected).iter().map(|line| format!("- {line}")));
    lines.extend(part(got).iter().map(|line| format!("+ {line}")));
    lines.extend(around((tail > 0).then(|| expected.len() - tail)).map(|line| format!("  {line}")));
}

impl Finding {
    /// Whether a finding is what is expected, as far as that says anything.
    fn fits(&self, got: &Self) -> bool {
        fn fits<T: PartialEq>(expected: Option<&T>, got: Option<&T>) -> bool {
            expected.is_none() || expected == got
        }
        fits(self.rule.as_ref(), got.rule.as_ref())
            && fits(self.text.as_ref(), got.text.as_ref())
            && fits(self.start.as_ref(), got.start.as_ref())
            && fits(self.end.as_ref(), got.end.as_ref())
    }

    fn line(&self) -> String {
        let mut line = self.rule.clone().unwrap_or_else(|| "any rule".into());
        let number = |at: Option<u32>| at.map_or_else(|| "?".to_owned(), |at| at.to_string());
        if self.start.is_some() || self.end.is_some() {
            line.push_str(&format!(" {}..{}", number(self.start), number(self.end)));
        }
        if let Some(text) = &self.text {
            line.push_str(&format!(" {text:?}"));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(expected: &[&str], got: &[&str]) -> Vec<String> {
        let owned = |all: &[&str]| all.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let mut lines = Vec::new();
        section(&mut lines, "t:", &owned(expected), &owned(got));
        lines
    }

    #[test]
    fn what_differs_is_shown_with_the_lines_around_it() {
        assert_eq!(lines(&["a", "b"], &["a", "b"]), [""; 0]);
        assert_eq!(
            lines(&["x", "a", "b", "c", "y"], &["x", "a", "B", "c", "y"]),
            ["t:", "  a", "- b", "+ B", "  c"]
        );
        assert_eq!(lines(&["a"], &["a", "a"]), ["t:", "  a", "+ a"]);
        assert_eq!(lines(&[], &["a"]), ["t:", "+ a"]);
    }

    #[test]
    fn of_a_finding_only_what_is_said_has_to_fit() {
        let got = Finding {
            rule: Some("key".into()),
            text: Some("AKIA".into()),
            start: Some(3),
            end: Some(7),
        };
        let expected = |rule: Option<&str>, start| Finding {
            rule: rule.map(str::to_owned),
            text: None,
            start,
            end: None,
        };
        assert!(expected(Some("key"), None).fits(&got));
        assert!(expected(None, Some(3)).fits(&got));
        assert!(!expected(Some("card"), None).fits(&got));
        assert!(!expected(None, Some(4)).fits(&got));
    }
}
