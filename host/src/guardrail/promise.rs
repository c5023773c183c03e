//! What an example of a guardrail promises, and whether another build of it keeps that.

use super::difference::first_rule;
use super::{Change, Decision, Difference, Fault, Verdict, differences};
use crate::message::Texts;

/// How the outcome of a new build differs from that of the one that ships the example.
/// `None` if they cannot be compared.
///
/// Words are not compared: a stand-in may be renamed, a reason said better, and a block may
/// take the place of a redaction. But more counts as weaker than for any message, since an
/// example is there to show what the old one does: a new one that needs the network for it
/// shows nothing, and one that lets pass what was changed is weaker also where the change
/// took nothing out.
pub fn broken_promises(
    texts: &Texts,
    growth: usize,
    old: &Result<Verdict, Fault>,
    new: &Result<Verdict, Fault>,
) -> Option<Vec<Difference>> {
    let promise = match old {
        Ok(old) if old.decision != Decision::Pass => old,
        _ => return differences(texts, growth, old, new),
    };
    let broken = |change, rule: String| Difference {
        change,
        rule,
        count: 1,
    };
    match new {
        Err(fault) => Some(vec![broken(Change::Fails, fault.name().to_owned())]),
        Ok(verdict) => {
            let mut all = differences(texts, growth, old, new)?;
            let is_weaker = all.iter().any(|it| it.change.is_weaker());
            if verdict.decision == Decision::Pass && !is_weaker {
                all.insert(0, broken(Change::Leaves, first_rule(promise)));
            }
            Some(all)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::guardrail::Finding;
    use crate::message::{Message, PatchOp};

    fn masks(rule: &str, replacement: &str) -> Result<Verdict, Fault> {
        Ok(Verdict {
            decision: Decision::Redact,
            findings: vec![Finding {
                rule: rule.into(),
                span: Some(0..8),
                replacement: Some(replacement.into()),
                confidence: 1.0,
                note: None,
            }],
        })
    }

    fn decides(decision: Decision) -> Result<Verdict, Fault> {
        Ok(Verdict {
            decision,
            findings: Vec::new(),
        })
    }

    /// The changes in what the new one makes of `BLUEBIRD 2` for which it is weaker.
    fn weaker(old: Result<Verdict, Fault>, new: Result<Verdict, Fault>) -> Vec<&'static str> {
        let message = Message::notification("x", Some(r#"["BLUEBIRD 2", true]"#));
        let texts = message.texts().unwrap();
        let all = broken_promises(&texts, 1 << 20, &old, &new).unwrap();
        let weaker = all.iter().filter(|it| it.change.is_weaker());
        weaker.map(|it| it.change.name()).collect()
    }

    #[test]
    fn another_rule_and_another_stand_in_keep_the_promise() {
        assert!(weaker(masks("name", "<NAME>"), masks("codename", "<CODENAME>")).is_empty());
    }

    #[test]
    fn more_than_was_promised_keeps_it() {
        assert!(
            weaker(
                masks("name", "<NAME>"),
                decides(Decision::Block("no".into()))
            )
            .is_empty()
        );
        assert!(weaker(decides(Decision::Pass), masks("name", "<NAME>")).is_empty());
    }

    #[test]
    fn less_than_was_promised_breaks_it() {
        let pass = || decides(Decision::Pass);
        assert_eq!(weaker(masks("name", "<NAME>"), pass()), ["lost redaction"]);
        let block = || decides(Decision::Block("no".into()));
        assert_eq!(weaker(block(), pass()), ["lost block"]);
        assert_eq!(weaker(block(), masks("name", "<NAME>")), ["lost block"]);
    }

    /// It may mark what comes from outside, or set a flag.
    #[test]
    fn a_change_that_takes_nothing_out_is_not_to_be_left_out() {
        let flag = PatchOp::Replace {
            path: "/1".into(),
            value: "false".into(),
        };
        let patch = decides(Decision::Patch(vec![flag]));
        assert_eq!(weaker(patch, decides(Decision::Pass)), ["lost change"]);
        let marks = masks("untrusted", "[BLUEBIRD]");
        assert_eq!(weaker(marks, decides(Decision::Pass)), ["lost change"]);
    }

    #[test]
    fn what_needs_the_network_shows_nothing() {
        let offline = || Err(Fault::Offline("no".into()));
        assert_eq!(weaker(masks("name", "<NAME>"), offline()), ["new failure"]);
        let message = Message::notification("x", Some("{}"));
        let texts = message.texts().unwrap();
        let passed = decides(Decision::Pass);
        assert_eq!(broken_promises(&texts, 1, &passed, &offline()), None);
    }
}
