//! The verdict, and the collector that makes one which keeps the contract.

mod overlaps;

use std::ops::Range;

use crate::bindings::mcp_gateway::guardrail::types;
use crate::{Decision, Finding, PatchOp, Span, Text};
use overlaps::{Claim, resolve};

/// What a guardrail thinks of a message.
#[derive(Debug, Clone)]
pub struct Verdict {
    decision: Decision,
    findings: Vec<Finding>,
}

impl Verdict {
    /// The message passes as it is.
    pub fn pass() -> Self {
        Self {
            decision: Decision::Pass,
            findings: Vec::new(),
        }
    }

    /// A verdict that is put together finding by finding.
    pub fn builder() -> VerdictBuilder {
        VerdictBuilder::default()
    }

    /// What becomes of the message.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// What was found: first what has a span, sorted by it and free of overlaps, then the rest.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    pub(crate) fn into_raw(self) -> types::Verdict {
        types::Verdict {
            decision: self.decision,
            findings: self.findings,
        }
    }
}

/// A rule that fired: its identifier, how sure it is, and a remark. A plain `"rule-id"` is sure.
///
/// Neither identifier nor remark may hold what was found: people read them, and logs keep them.
#[derive(Debug, Clone)]
pub struct Rule {
    id: String,
    confidence: f32,
    note: Option<String>,
}

impl Rule {
    /// A rule by its short, stable identifier, such as `aws-access-key`.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            confidence: 1.0,
            note: None,
        }
    }

    /// How sure the rule is, from 0 to 1.
    #[must_use]
    pub fn confidence(self, confidence: f32) -> Self {
        Self { confidence, ..self }
    }

    /// A remark for the person who reads the audit trail.
    #[must_use]
    pub fn remark(self, note: impl Into<String>) -> Self {
        Self {
            note: Some(note.into()),
            ..self
        }
    }

    /// Its identifier.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn finding(self, span: Option<Span>, replacement: Option<String>) -> Finding {
        Finding {
            rule: self.id,
            where_: span,
            replacement,
            confidence: self.confidence,
            note: self.note,
        }
    }
}

impl From<&str> for Rule {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl From<String> for Rule {
    fn from(id: String) -> Self {
        Self::new(id)
    }
}

/// Collects findings and makes a verdict of them.
///
/// Ranges are in bytes of one text. They may come in any order and overlap: masks that overlap become **one**, which
/// covers all of them, so that nothing that a rule wants hidden stays visible. The longest gives its rule and its
/// replacement (among equals the one that starts first, then the one reported first); the others are kept as findings
/// without a span. Marks are resolved the same way, and a mark that overlaps a mask loses its span.
#[derive(Debug, Clone, Default)]
pub struct VerdictBuilder {
    masks: Vec<Claim>,
    marks: Vec<Claim>,
    notes: Vec<Finding>,
    patch: Vec<PatchOp>,
    question: Option<String>,
    refusal: Option<String>,
    fault: Option<String>,
}

impl VerdictBuilder {
    /// Replaces a part of a text.
    pub fn mask(
        &mut self,
        text: &Text<'_>,
        range: Range<usize>,
        rule: impl Into<Rule>,
        replacement: impl Into<String>,
    ) {
        if let Some(claim) = self.claim(text, range, rule.into(), Some(replacement.into())) {
            self.masks.push(claim);
        }
    }

    /// Reports a part of a text, and leaves it as it is.
    pub fn mark(&mut self, text: &Text<'_>, range: Range<usize>, rule: impl Into<Rule>) {
        if let Some(claim) = self.claim(text, range, rule.into(), None) {
            self.marks.push(claim);
        }
    }

    /// Reports something about the whole message.
    pub fn note(&mut self, rule: impl Into<Rule>) {
        self.notes.push(rule.into().finding(None, None));
    }

    /// Changes the payload's structure; operations apply in order, after the masks.
    pub fn patch(&mut self, operation: PatchOp) {
        self.patch.push(operation);
    }

    /// Refuses the message. The first reason given stands; model and person read it.
    pub fn block(&mut self, reason: impl Into<String>) {
        self.refusal.get_or_insert_with(|| reason.into());
    }

    /// Asks a person, unless the message is refused anyway. The first question stands.
    pub fn ask(&mut self, question: impl Into<String>) {
        self.question.get_or_insert_with(|| question.into());
    }

    /// The verdict: to block before to ask, before a patch, before masks; `pass` where there is none of these.
    ///
    /// # Errors
    /// A range that is empty, beyond its text, or inside a character.
    pub fn finish(self) -> Result<Verdict, String> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let masked = !self.masks.is_empty();
        let decision = match (self.refusal, self.question) {
            (Some(reason), _) => Decision::Block(reason),
            (None, Some(question)) => Decision::Ask(question),
            (None, None) if !self.patch.is_empty() => Decision::Patch(self.patch),
            (None, None) if masked => Decision::Redact,
            (None, None) => Decision::Pass,
        };
        let mut findings = resolve(self.masks, self.marks);
        findings.extend(self.notes);
        Ok(Verdict { decision, findings })
    }

    fn claim(
        &mut self,
        text: &Text<'_>,
        range: Range<usize>,
        rule: Rule,
        replacement: Option<String>,
    ) -> Option<Claim> {
        if range.is_empty() || text.get(range.clone()).is_none() {
            let (start, end, length) = (range.start, range.end, text.len());
            self.fault.get_or_insert_with(|| {
                format!(
                    "rule {:?}: {start}..{end} is no part of a text of {length} bytes",
                    rule.id
                )
            });
            return None;
        }
        Some(Claim {
            range: text.start() + range.start..text.start() + range.end,
            rule,
            replacement,
        })
    }
}
