//! From what a guest answers to a verdict that can be acted upon: every span
//! is where it says it is, or the whole verdict is invalid.

use super::types;
use crate::message::{self, Edit, Message, PatchOp, Texts};

/// Operations that a patch may have. Each costs time by the size of the message,
/// on the thread that relays all messages; 1,000 of them are enough to take
/// every tool out of a long list.
const MAX_PATCH_OPS: usize = 1_000;

/// What a guardrail decided, checked against the message it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// What becomes of the message.
    pub decision: Decision,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// What becomes of the message.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// It passes as it is.
    Pass,
    /// The findings' replacements take the place of what was found.
    Redact,
    /// The same, and then its structure changes.
    Patch(Vec<PatchOp>),
    /// It is refused, for this reason.
    Block(String),
    /// A person must approve it.
    Ask(String),
}

/// Something found. Its span lies inside one text, on character boundaries.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule that fired.
    pub rule: String,
    /// Where, in bytes of the joined texts.
    pub span: Option<std::ops::Range<u32>>,
    /// What takes its place when the message is redacted.
    pub replacement: Option<String>,
    /// How sure the guardrail is, from 0 to 1.
    pub confidence: f32,
    /// A remark for the audit trail.
    pub note: Option<String>,
}

/// How a verdict breaks the contract.
#[derive(Debug, thiserror::Error)]
pub enum InvalidVerdict {
    /// A finding is not where it says it is.
    #[error("the span of its finding {index} ({rule}): {cause}")]
    Span {
        /// Counted from 1.
        index: usize,
        /// The rule of the finding.
        rule: String,
        /// What is wrong with it.
        cause: message::SpanError,
    },
    /// Its edits cannot be applied together.
    #[error("its replacements: {0}")]
    Edits(#[from] message::EditError),
    /// Its patch does not fit the message.
    #[error("its patch: {0}")]
    Patch(#[from] message::PatchError),
    /// Its patch would take long to apply.
    #[error("its patch has {0} operations; the limit is {MAX_PATCH_OPS}")]
    PatchOps(usize),
    /// It is the one thing that it must not be.
    #[error("the confidence of its finding {index} is not between 0 and 1")]
    Confidence {
        /// Counted from 1.
        index: usize,
    },
}

impl Decision {
    /// As the contract calls it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Redact => "redact",
            Self::Patch(_) => "patch",
            Self::Block(_) => "block",
            Self::Ask(_) => "ask",
        }
    }
}

impl Verdict {
    /// Checks what a guest answered.
    pub(super) fn accept(
        raw: types::Verdict,
        texts: &Texts,
        growth: usize,
    ) -> Result<Self, InvalidVerdict> {
        let mut findings = Vec::with_capacity(raw.findings.len());
        for (index, finding) in (1..).zip(raw.findings) {
            findings.push(Finding::accept(index, finding, texts)?);
        }
        let decision = match raw.decision {
            types::Decision::Pass => Decision::Pass,
            types::Decision::Redact => Decision::Redact,
            types::Decision::Patch(ops) if ops.len() > MAX_PATCH_OPS => {
                return Err(InvalidVerdict::PatchOps(ops.len()));
            }
            types::Decision::Patch(ops) => Decision::Patch(ops.into_iter().map(patch_op).collect()),
            types::Decision::Block(reason) => Decision::Block(reason),
            types::Decision::Ask(question) => Decision::Ask(question),
        };
        let verdict = Self { decision, findings };
        if !matches!(verdict.decision, Decision::Pass | Decision::Block(_)) {
            texts
                .check_edits(&verdict.edits(), growth)
                .map_err(InvalidVerdict::Edits)?;
        }
        Ok(verdict)
    }

    /// The message as the verdict leaves it, if it passes and is changed.
    ///
    /// # Errors
    /// When the verdict does not fit the message.
    pub fn changed(&self, texts: &Texts, growth: usize) -> Result<Option<Message>, InvalidVerdict> {
        if !matches!(self.decision, Decision::Redact | Decision::Patch(_)) {
            return Ok(None);
        }
        let edits = self.edits();
        let redacted = (!edits.is_empty())
            .then(|| texts.redact(&edits, growth))
            .transpose()?;
        Ok(match &self.decision {
            Decision::Patch(ops) => {
                let message = redacted.as_ref().unwrap_or(texts.message());
                Some(message.patch(ops)?)
            }
            _ => redacted,
        })
    }

    /// The replacements to be made where the findings are applied.
    pub fn edits(&self) -> Vec<Edit<'_>> {
        self.findings
            .iter()
            .filter_map(|finding| {
                Some(Edit {
                    span: finding.span.clone()?,
                    replacement: finding.replacement.as_deref()?,
                })
            })
            .collect()
    }
}

impl Finding {
    fn accept(index: usize, raw: types::Finding, texts: &Texts) -> Result<Self, InvalidVerdict> {
        if !(0.0..=1.0).contains(&raw.confidence) {
            return Err(InvalidVerdict::Confidence { index });
        }
        let rule = super::printable(&raw.rule);
        let span = raw.where_.map(|span| span.start..span.end);
        if let Some(span) = &span {
            texts
                .check_span(span)
                .map_err(|cause| InvalidVerdict::Span {
                    index,
                    rule: rule.clone(),
                    cause,
                })?;
        }
        Ok(Self {
            rule,
            span,
            replacement: raw.replacement,
            confidence: raw.confidence,
            note: raw.note,
        })
    }
}

fn patch_op(op: types::PatchOp) -> PatchOp {
    match op {
        types::PatchOp::Add(at) => PatchOp::Add {
            path: at.path,
            value: at.value,
        },
        types::PatchOp::Replace(at) => PatchOp::Replace {
            path: at.path,
            value: at.value,
        },
        types::PatchOp::Remove(path) => PatchOp::Remove { path },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    #[test]
    fn a_patch_may_have_so_many_operations_and_no_more() {
        let texts = Message::notification("x", Some("{}")).texts().unwrap();
        let accept = |ops| {
            let raw = types::Verdict {
                decision: types::Decision::Patch(vec![types::PatchOp::Remove("/a".into()); ops]),
                findings: Vec::new(),
            };
            Verdict::accept(raw, &texts, 1 << 20)
        };
        assert!(accept(MAX_PATCH_OPS).is_ok());
        let refusal = accept(MAX_PATCH_OPS + 1).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "its patch has 1001 operations; the limit is 1000"
        );
    }
}
