//! Runs the examples that a guardrail ships, so that a build which does not do
//! what it says never goes live.

use std::sync::Arc;

use super::{Decision, Envelope, Example, Fault, Guardrail, Kind, LoadError, Verdict};
use crate::capability::message::MessageView;
use crate::message::{Message, Texts};

/// How an example fails.
#[derive(Debug, thiserror::Error)]
pub enum ExampleFailed {
    /// No verdict came of it.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// Another decision.
    #[error("it decides {got} where {expected} is expected")]
    Decision {
        /// What the example says.
        expected: String,
        /// What the guardrail decided.
        got: &'static str,
    },
    /// Other texts.
    #[error("its text {index} is not what is expected after the redaction")]
    Text {
        /// Counted from 1.
        index: usize,
    },
    /// An example that no message can be made of.
    #[error("{0}")]
    Message(String),
}

impl Guardrail {
    pub(super) async fn run_examples(&self) -> Result<(), LoadError> {
        for (index, example) in (1..).zip(&self.manifest.examples) {
            self.run_example(example)
                .await
                .map_err(|failure| LoadError::Example { index, failure })?;
        }
        self.forget(SESSION);
        Ok(())
    }

    async fn run_example(&self, example: &Example) -> Result<(), ExampleFailed> {
        let (envelope, view) = example.shown()?;
        let texts = Arc::clone(&view.texts);
        let verdict = self.rehearse(&envelope, view).await?;
        let got = verdict.decision.name();
        if example.expects != got {
            let expected = example.expects.clone();
            return Err(ExampleFailed::Decision { expected, got });
        }
        // Without expected texts any will do.
        if verdict.decision == Decision::Redact && !example.after.is_empty() {
            self.compare_texts(example, &texts, &verdict)?;
        }
        Ok(())
    }

    fn compare_texts(
        &self,
        example: &Example,
        texts: &Texts,
        verdict: &Verdict,
    ) -> Result<(), ExampleFailed> {
        let unusable = |error: &dyn std::fmt::Display| ExampleFailed::Message(error.to_string());
        let redacted = texts
            .redact(&verdict.edits(), self.limits.output)
            .map_err(|e| unusable(&e))?;
        let after = redacted.texts().map_err(|e| unusable(&e))?;
        let mut expected = example.after.iter().map(String::as_str);
        for (index, got) in (1..).zip(after.iter()) {
            if expected.next() != Some(got) {
                return Err(ExampleFailed::Text { index });
            }
        }
        match expected.next() {
            None => Ok(()),
            Some(_) => Err(ExampleFailed::Text {
                index: example.after.len(),
            }),
        }
    }
}

impl Example {
    /// The message of it, as a guardrail is shown it.
    ///
    /// # Errors
    /// When no message can be made of it.
    pub fn shown(&self) -> Result<(Envelope, MessageView), ExampleFailed> {
        let unusable = |error: &dyn std::fmt::Display| ExampleFailed::Message(error.to_string());
        let payload = serde_json::to_string(&self.texts).map_err(|e| unusable(&e))?;
        let message = Message::notification(&self.method, Some(&payload));
        let texts = Arc::new(message.texts().map_err(|e| unusable(&e))?);
        let envelope = Envelope {
            session: SESSION.into(),
            exchange: None,
            server: "example".into(),
            method: self.method.as_str().into(),
            kind: Kind::from_name(&self.kind)
                .ok_or_else(|| unusable(&format!("its kind {:?} is unknown", self.kind)))?,
            direction: self.direction,
            subject: None,
        };
        let view = MessageView {
            message,
            texts,
            request: None,
            earlier: Vec::new(),
            elapsed: 0,
            trail: None,
        };
        Ok((envelope, view))
    }
}

/// The session that examples run in; no client's is named so.
const SESSION: &str = "examples";
