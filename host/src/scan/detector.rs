//! Guardrails that find secrets and attacks, asked outside of a session.

use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};

use crate::bundled;
use crate::capability::message::MessageView;
use crate::config::{Destinations, Grants, Isolation, Limits};
use crate::guardrail::{Decision, Direction, Envelope, Finding, Guardrail, Kind, Recipe};
use crate::message::Message;
use crate::pinning::Offer;
use crate::run::cache;
use crate::sandbox::Sandbox;

/// The session of what is asked here; no client's is named so.
const SESSION: &str = "scan";

/// What finds secrets, and what finds attacks.
pub(super) struct Detectors {
    secrets: Arc<Guardrail>,
    /// Missing in a build that does not have it.
    attacks: Option<Arc<Guardrail>>,
}

/// What a guardrail found.
pub(super) struct Hits {
    pub(super) findings: Vec<Finding>,
    /// Whether it would refuse the message, or take things out of it.
    pub(super) is_refused: bool,
}

impl Detectors {
    /// Loads them.
    pub(super) async fn load() -> anyhow::Result<Self> {
        let sandbox = Sandbox::new(cache())?;
        // What they keep here ends with the scan, and their keys are worth nothing.
        sandbox.use_known_secret();
        let sandbox = Arc::new(sandbox);
        let secrets = load(&sandbox, "basic", "{}").await?;
        Ok(Self {
            secrets: secrets.context("this build has no guardrail that finds secrets")?,
            attacks: load(&sandbox, "injection", r#"{"action":"block"}"#).await?,
        })
    }

    /// Whether attacks are looked for.
    pub(super) fn know_attacks(&self) -> bool {
        self.attacks.is_some()
    }

    /// The rule that takes a named value for a secret.
    pub(super) async fn secret(&self, name: &str, value: &str) -> anyhow::Result<Option<String>> {
        let content = json!({"content": [], "structuredContent": {name: value}});
        let hits = ask(&self.secrets, "tools/call", &content).await?;
        Ok(hits.findings.into_iter().next().map(|finding| finding.rule))
    }

    /// What is wrong with the words of something that a server shows.
    pub(super) async fn attacks(
        &self,
        offer: Offer,
        shown: &Value,
    ) -> anyhow::Result<Option<Hits>> {
        let Some(attacks) = &self.attacks else {
            return Ok(None);
        };
        let result = match offer {
            Offer::Instructions => json!({offer.member(): shown}),
            _ => json!({offer.member(): [shown]}),
        };
        ask(attacks, offer.method(), &result).await.map(Some)
    }
}

async fn load(
    sandbox: &Arc<Sandbox>,
    name: &str,
    config: &str,
) -> anyhow::Result<Option<Arc<Guardrail>>> {
    let Some(bytes) = bundled::component(name) else {
        return Ok(None);
    };
    let recipe = Recipe {
        name: name.into(),
        keyed: name.into(),
        bytes: bytes.to_vec().into(),
        config: config.to_owned(),
        limits: Limits::default(),
        isolation: Isolation::default(),
        grants: Grants::ALL,
        destinations: Destinations::default(),
    };
    let guardrail = Guardrail::load(Arc::clone(sandbox), recipe).await?;
    Ok(Some(Arc::new(guardrail)))
}

async fn ask(guardrail: &Arc<Guardrail>, method: &str, result: &Value) -> anyhow::Result<Hits> {
    let message = Message::result("1", &result.to_string());
    let envelope = Envelope {
        session: SESSION.into(),
        exchange: Some(1),
        server: SESSION.into(),
        method: method.into(),
        kind: Kind::Response,
        direction: Direction::ToClient,
        subject: None,
    };
    let texts = message.texts().context("it is too long")?;
    let view = MessageView {
        message,
        texts: Arc::new(texts),
        request: None,
        earlier: Vec::new(),
        elapsed: 0,
        trail: None,
    };
    let verdict = guardrail.rehearse(&envelope, view).await;
    let verdict = verdict.with_context(|| format!("guardrail {:?} failed", guardrail.name()))?;
    Ok(Hits {
        is_refused: matches!(verdict.decision, Decision::Block(_) | Decision::Patch(_)),
        findings: verdict.findings,
    })
}
