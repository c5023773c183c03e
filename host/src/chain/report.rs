//! What the log and the journal say about a verdict: rules, counts and places, never
//! what the message says.

use std::collections::HashMap;
use std::sync::Arc;

use super::Link;
use crate::capability::journal::Trail;
use crate::capability::message::MessageView;
use crate::config::Mode;
use crate::guardrail::{Decision, Envelope, Finding, Verdict};
use crate::journal;
use crate::message::Role;

/// Lines that one verdict may take: a message can hold tens of thousands of
/// findings, and a log that is full of them hides the rest.
const LINES: usize = 20;

/// The same of the record of its exchange.
const ROWS: usize = 200;

/// Findings of one rule in one place.
struct Group<'a> {
    rule: &'a str,
    place: String,
    count: usize,
}

impl Link {
    /// Logs what was found and decided, by the guardrail or by the person it asked, and
    /// notes it for the record of the exchange.
    pub(super) fn report(
        &self,
        envelope: &Envelope,
        view: &MessageView,
        verdict: &Verdict,
        approved: &[Arc<str>],
    ) {
        let decision = match verdict.decision {
            Decision::Ask(_) if approved.contains(self.guardrail.name()) => "approved",
            _ => verdict.decision.name(),
        };
        if verdict.findings.is_empty() {
            if verdict.decision != Decision::Pass {
                let whole = Group::whole("");
                self.log(envelope, decision, &whole);
                self.note(envelope, view, decision, [whole]);
            }
            return;
        }
        let most = view.trail.as_ref().map_or(LINES, |_| ROWS);
        let groups = grouped(&verdict.findings, most, |finding| place(view, finding));
        for group in groups.iter().take(LINES) {
            self.log(envelope, decision, group);
        }
        let rest = groups.iter().skip(LINES);
        let more: usize = rest.map(|group| group.count).sum();
        self.note(envelope, view, decision, groups);
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

    /// Notes a failure for the record of the exchange.
    pub(super) fn note_fault(&self, envelope: &Envelope, trail: Option<&Trail>) {
        if let Some(trail) = trail {
            let fault = self.finding(envelope, "fault", Group::whole(""));
            trail.noted().find(fault);
        }
    }

    fn note<'a>(
        &self,
        envelope: &Envelope,
        view: &MessageView,
        decision: &'static str,
        groups: impl IntoIterator<Item = Group<'a>>,
    ) {
        let Some(trail) = &view.trail else { return };
        let mut noted = trail.noted();
        for group in groups {
            noted.find(self.finding(envelope, decision, group));
        }
    }

    fn finding(
        &self,
        envelope: &Envelope,
        decision: &'static str,
        group: Group<'_>,
    ) -> journal::Finding {
        journal::Finding {
            guardrail: Arc::clone(self.guardrail.name()),
            digest: self.guardrail.anatomy().digest.as_str().into(),
            rule: group.rule.to_owned(),
            count: group.count,
            place: group.place,
            message: envelope.kind.as_str(),
            decision,
            is_enforced: self.spec.mode == Mode::Enforce,
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

impl<'a> Group<'a> {
    /// What a rule found in no place in particular, so far nothing.
    fn whole(rule: &'a str) -> Self {
        Self {
            rule,
            place: String::new(),
            count: 0,
        }
    }
}

/// The findings by rule and place, in the order in which they were found. Those beyond
/// the first groups are by rule alone.
fn grouped(
    findings: &[Finding],
    most: usize,
    place: impl Fn(&Finding) -> String,
) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known: HashMap<(&str, Option<String>), usize> = HashMap::new();
    for finding in findings {
        let rule = finding.rule.as_str();
        let key = (rule, Some(place(finding)));
        let key = match known.contains_key(&key) || known.len() < most {
            true => key,
            false => (rule, None),
        };
        let index = *known.entry(key).or_insert_with_key(|(_, place)| {
            groups.push(Group {
                place: place.clone().unwrap_or_default(),
                ..Group::whole(rule)
            });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(index) {
            group.count += 1;
        }
    }
    groups
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
        let groups = grouped(&findings, LINES, |_| "/text".into());
        let lines: Vec<_> = groups.iter().map(|g| (g.rule, g.count)).collect();
        assert_eq!(lines, [("key", 3), ("card", 1)]);
    }

    #[test]
    fn what_takes_too_many_lines_is_counted_by_its_rule() {
        let findings: Vec<Finding> = (0..50_000).map(|_| finding("key")).collect();
        let places = std::cell::Cell::new(0);
        let groups = grouped(&findings, LINES, |_| {
            places.set(places.get() + 1);
            format!("/{}", places.get())
        });
        assert_eq!(groups.len(), LINES + 1);
        assert_eq!(groups.last().map(|it| it.place.as_str()), Some(""));
        assert_eq!(groups.iter().map(|it| it.count).sum::<usize>(), 50_000);
    }
}
