//! Runs a guardrail natively, without a gateway, so that plain `cargo test` tests its rule.
//!
//! ```
//! use mcp_gateway_sdk::testing::{Sample, configured};
//! # use mcp_gateway_sdk::{Guardrail, Manifest, Message, NoConfig, Verdict, manifest};
//! # struct Silence;
//! # impl Guardrail for Silence {
//! #     type Config = NoConfig;
//! #     fn configure(_: NoConfig) -> Result<Self, String> { Ok(Self) }
//! #     fn manifest(&self) -> Manifest { manifest!() }
//! #     fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
//! #         let mut verdict = Verdict::builder();
//! #         for text in message.texts() {
//! #             verdict.mask(&text, 0..text.len(), "silence", "…");
//! #         }
//! #         verdict.finish()
//! #     }
//! # }
//! let guardrail = configured::<Silence>("{}")?;
//! let outcome = Sample::response("tools/call", ["hello"]).judge(&guardrail)?;
//! assert_eq!(outcome.texts, ["…"]);
//! assert_eq!(outcome.rules, ["silence"]);
//! # Ok::<(), String>(())
//! ```

mod gateway;

pub use gateway::Gateway;

use serde_json::Value;

use crate::bindings::mcp_gateway::guardrail::types;
use crate::message::Details;
use crate::places;
use crate::{
    Decision, Direction, EarlierFinding, Example, Expectation, Guardrail, Message, Place, Verdict,
    config,
};

/// A guardrail, configured as the gateway configures it: from a JSON text.
///
/// # Errors
/// The configuration is refused, in the words that a person would read.
pub fn configured<G: Guardrail>(config: &str) -> Result<G, String> {
    G::configure(config::parse(config)?)
}

/// Runs the examples of the guardrail's manifest, as the gateway does before a build goes live.
///
/// # Errors
/// The first example that fails, and how.
pub fn examples_hold<G: Guardrail>(guardrail: &G) -> Result<(), String> {
    for (number, Example(example)) in guardrail.manifest().examples.into_iter().enumerate() {
        let sample = Sample::new(
            &example.method,
            &example.kind,
            example.direction,
            &example.texts,
        );
        let outcome = sample.judge(guardrail)?;
        let kept = match example.expects {
            Expectation::Pass => matches!(outcome.decision, Decision::Pass),
            Expectation::Redact => {
                matches!(outcome.decision, Decision::Redact)
                    && (example.after.is_empty() || outcome.texts == example.after)
            }
            Expectation::Patch => matches!(outcome.decision, Decision::Patch(_)),
            Expectation::Block => matches!(outcome.decision, Decision::Block(_)),
            Expectation::Ask => matches!(outcome.decision, Decision::Ask(_)),
        };
        if !kept {
            return Err(format!(
                "example {number}, {example:?}, came out as {outcome:?}"
            ));
        }
    }
    Ok(())
}

/// What became of a [`Sample`].
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What the guardrail decided.
    pub decision: Decision,
    /// The texts afterwards. Masks are applied where the decision is to redact or to patch; patches are not.
    pub texts: Vec<String>,
    /// The rules that fired: those with a span in the order of the spans, then the others.
    pub rules: Vec<String>,
}

/// A message to judge. Text and object keys are not told apart; what isn't set is absent.
#[derive(Debug, Clone)]
pub struct Sample {
    envelope: types::Envelope,
    texts: types::Texts,
    payload: Option<Value>,
    request: Option<Value>,
    places: Vec<Place>,
    earlier: Vec<EarlierFinding>,
    elapsed: u64,
    gateway: Gateway,
}

impl Sample {
    /// A request on its way to a server.
    pub fn request(method: &str, texts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self::new(method, "request", Direction::ToServer, texts)
    }

    /// A response on its way to the client.
    pub fn response(method: &str, texts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self::new(method, "response", Direction::ToClient, texts)
    }

    /// A message of one of the gateway's kinds, with its payload and with the texts and places of that; a request goes
    /// to a server, all else to the client.
    pub fn of(method: &str, kind: &str, payload: &Value) -> Self {
        let (mut texts, mut all) = (Vec::new(), Vec::new());
        places::texts(&payload.to_string(), &mut |pointer, role, text| {
            texts.push(text.to_owned());
            let pointer = pointer.to_owned();
            all.push(Place { pointer, role });
        });
        let direction = match kind {
            "request" => Direction::ToServer,
            _ => Direction::ToClient,
        };
        let sample = Self::new(method, kind, direction, texts);
        sample.places(all).payload(payload.clone())
    }

    /// Any message.
    pub fn new(
        method: &str,
        kind: &str,
        direction: Direction,
        texts: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Self {
        let (mut joined, mut ends) = (String::new(), Vec::new());
        for text in texts {
            joined.push_str(text.as_ref());
            ends.push(u32::try_from(joined.len()).unwrap_or(u32::MAX));
        }
        Self {
            envelope: types::Envelope {
                session: "session".into(),
                exchange: Some(1),
                server: "server".into(),
                method: method.into(),
                kind: kind.into(),
                direction,
                subject: None,
            },
            texts: types::Texts { joined, ends },
            payload: None,
            request: None,
            places: Vec::new(),
            earlier: Vec::new(),
            elapsed: 0,
            gateway: Gateway::default(),
        }
    }

    /// The session that the message belongs to.
    #[must_use]
    pub fn session(mut self, session: &str) -> Self {
        self.envelope.session = session.into();
        self
    }

    /// The server, as the configuration names it.
    #[must_use]
    pub fn server(mut self, server: &str) -> Self {
        self.envelope.server = server.into();
        self
    }

    /// The tool, prompt or resource that the message is about.
    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        self.envelope.subject = Some(subject.into());
        self
    }

    /// What [`Message::payload`] and [`Message::value`] give. The texts are not taken from it.
    #[must_use]
    pub fn payload(self, payload: Value) -> Self {
        Self {
            payload: Some(payload),
            ..self
        }
    }

    /// What [`Message::request`] gives.
    #[must_use]
    pub fn answers(self, request: Value) -> Self {
        Self {
            request: Some(request),
            ..self
        }
    }

    /// What [`Message::place`] gives, for the texts in their order.
    #[must_use]
    pub fn places(self, places: Vec<Place>) -> Self {
        Self { places, ..self }
    }

    /// What [`Message::earlier_findings`] gives.
    #[must_use]
    pub fn earlier_findings(self, earlier: Vec<EarlierFinding>) -> Self {
        Self { earlier, ..self }
    }

    /// What [`Message::elapsed`] gives, in microseconds.
    #[must_use]
    pub fn elapsed(self, microseconds: u64) -> Self {
        Self {
            elapsed: microseconds,
            ..self
        }
    }

    /// The gateway that the message passes, which keeps what a guardrail keeps. By default each sample has one of
    /// its own.
    #[must_use]
    pub fn within(self, gateway: &Gateway) -> Self {
        Self {
            gateway: gateway.clone(),
            ..self
        }
    }

    /// The message as a guardrail sees it.
    pub fn message(&self) -> Message<'_> {
        Message::new(&self.envelope, &self.texts, self)
    }

    /// Lets a guardrail judge the message, and applies its masks.
    ///
    /// # Errors
    /// The guardrail's own.
    pub fn judge<G: Guardrail>(&self, guardrail: &G) -> Result<Outcome, String> {
        let verdict = guardrail.check(&self.message())?;
        let texts = match verdict.decision() {
            Decision::Redact | Decision::Patch(_) => self.redacted(&verdict),
            _ => self
                .message()
                .texts()
                .map(|text| text.as_str().to_owned())
                .collect(),
        };
        let rules = verdict
            .findings()
            .iter()
            .map(|finding| finding.rule.clone())
            .collect();
        Ok(Outcome {
            decision: verdict.decision().clone(),
            texts,
            rules,
        })
    }

    fn redacted(&self, verdict: &Verdict) -> Vec<String> {
        let edits = verdict.findings().iter().filter_map(|finding| {
            let span = finding.where_?;
            Some((
                span.start as usize,
                span.end as usize,
                finding.replacement.as_deref()?,
            ))
        });
        let mut edits = edits.peekable();
        let mut texts = Vec::new();
        for text in self.message().texts() {
            let (start, end) = (text.start(), text.start() + text.len());
            let (mut after, mut copied) = (String::new(), 0);
            while let Some((from, to, replacement)) = edits.next_if(|(from, ..)| *from < end) {
                after.push_str(text.get(copied..from - start).unwrap_or_default());
                after.push_str(replacement);
                copied = to - start;
            }
            after.push_str(text.get(copied..).unwrap_or_default());
            texts.push(after);
        }
        texts
    }
}

impl Details for Sample {
    fn place(&self, text: u32) -> Option<Place> {
        self.places.get(text as usize).cloned()
    }

    fn payload(&self) -> Option<String> {
        self.payload.as_ref().map(Value::to_string)
    }

    fn value(&self, pointer: &str) -> Option<String> {
        self.payload
            .as_ref()?
            .pointer(pointer)
            .map(Value::to_string)
    }

    fn request(&self) -> Option<String> {
        self.request.as_ref().map(Value::to_string)
    }

    fn earlier_findings(&self) -> Vec<EarlierFinding> {
        self.earlier.clone()
    }

    fn elapsed(&self) -> u64 {
        self.elapsed
    }

    fn gateway(&self) -> Option<&Gateway> {
        Some(&self.gateway)
    }
}
