//! What the log says about a verdict: rules, counts and places, never what the
//! message says.

use std::collections::HashMap;

use super::Link;
use crate::capability::message::MessageView;
use crate::config::Mode;
use crate::guardrail::{Decision, Envelope, Finding, Verdict};
use crate::message::Role;

/// Lines that one verdict may take: a message can hold tens of thousands of
/// findings, and a log that is full of them hides the rest.
const LINES: usize = 20;

/// Findings of one rule in one place.
struct Group<'a> {
    rule: &'a str,
    place: String,
    count: usize,
}

impl Link {
    /// Logs what was found and decided.
    pub(super) fn report(&self, envelope: &Envelope, view: &MessageView, verdict: &Verdict) {
        let decision = verdict.decision.name();
        if verdict.findings.is_empty() && verdict.decision != Decision::Pass {
            let whole = Group {
                rule: "",
                place: String::new(),
                count: 0,
            };
            self.log(envelope, decision, &whole);
        }
        let (groups, more) = grouped(&verdict.findings, |finding| place(view, finding));
        for group in &groups {
            self.log(envelope, decision, group);
        }
        if more > 0 {
            tracing::info!(
                guardrail = &**self.guardrail.name(),
                decision,
                server = &*envelope.server,
                method = &*envelope.method,
                count = more,
                exchange = envelope.exchange,
                "more findings in the same message"
            );
        }
    }

    fn log(&self, envelope: &Envelope, decision: &str, group: &Group<'_>) {
        tracing::info!(
            guardrail = &**self.guardrail.name(),
            enforced = self.spec.mode == Mode::Enforce,
            decision,
            rule = group.rule,
            count = group.count,
            server = &*envelope.server,
            method = &*envelope.method,
            // A resource's URI may hold anything.
            subject = envelope.subject.as_deref().filter(|s| !s.contains(':')),
            kind = envelope.kind.as_str(),
            direction = envelope.direction.as_str(),
            place = group.place,
            exchange = envelope.exchange,
            "finding"
        );
    }
}

/// The findings by rule and place, in the order in which they were found, and
/// how many findings belong to groups that are left out.
fn grouped(findings: &[Finding], place: impl Fn(&Finding) -> String) -> (Vec<Group<'_>>, usize) {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known: HashMap<(&str, String), usize> = HashMap::new();
    let mut more = 0;
    for finding in findings {
        let (rule, place) = (finding.rule.as_str(), place(finding));
        let index = known.get(&(rule, place.clone())).copied();
        if let Some(group) = index.and_then(|index| groups.get_mut(index)) {
            group.count += 1;
        } else if groups.len() < LINES {
            known.insert((rule, place.clone()), groups.len());
            groups.push(Group {
                rule,
                place,
                count: 1,
            });
        } else {
            more += 1;
        }
    }
    (groups, more)
}

/// The JSON Pointer of the text that a finding is in, for the log: keys that
/// may be content rather than names are left out.
fn place(view: &MessageView, finding: &Finding) -> String {
    const LONGEST_NAME: usize = 24;
    let place = finding
        .span
        .as_ref()
        .and_then(|span| view.texts.place(view.texts.check_span(span).ok()?));
    let Some(place) = place else {
        return String::new();
    };
    let is_name = |token: &str| {
        token.len() <= LONGEST_NAME
            && token
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    };
    let mut tokens: Vec<&str> = place
        .pointer
        .split('/')
        .map(|token| if is_name(token) { token } else { "*" })
        .collect();
    if place.role == Role::Key
        && let Some(last) = tokens.last_mut()
    {
        *last = "*";
    }
    tokens.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: &str) -> Finding {
        Finding {
            rule: rule.into(),
            span: None,
            replacement: None,
            confidence: 1.0,
            note: None,
        }
    }

    #[test]
    fn findings_of_one_rule_in_one_place_take_one_line() {
        let findings = ["key", "card", "key", "key"].map(finding);
        let (groups, more) = grouped(&findings, |_| "/text".into());
        let lines: Vec<_> = groups.iter().map(|g| (g.rule, g.count)).collect();
        assert_eq!(lines, [("key", 3), ("card", 1)]);
        assert_eq!(more, 0);
    }

    #[test]
    fn what_takes_too_many_lines_is_counted() {
        let rules: Vec<String> = (0..50_000).map(|n| (n % 30).to_string()).collect();
        let findings: Vec<Finding> = rules.iter().map(|rule| finding(rule)).collect();
        let (groups, more) = grouped(&findings, |_| String::new());
        assert_eq!(groups.len(), LINES);
        let logged: usize = groups.iter().map(|group| group.count).sum();
        assert_eq!(logged + more, findings.len());
    }
}
