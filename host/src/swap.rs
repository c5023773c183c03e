//! What a new build of a guardrail has to show before it serves: that it can judge
//! harmless messages, and that it is no weaker than the build that serves, on texts of the
//! gateway's own, on that build's examples and on recent messages.
//!
//! Both builds are asked about the same message, as the guardrails before them leave it,
//! in a session of its own in which nothing leaves and nothing is kept. What differs is
//! told by rules and numbers, never by what a message says.

mod canary;
mod capture;
mod report;
mod trial;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tokio::task::JoinError;

pub use canary::{sing, texts};
pub use capture::{Capture, CaptureError, Unwritable, read};
pub use report::{Build, Cost, Report, Row};
pub use trial::Trial;

use crate::chain::{Chain, Recent};
use crate::config::{Guardrail as Spec, Proof, Swap};
use crate::guardrail::Guardrail;
use crate::sandbox::aside;

/// Holds a new build against the one that serves in this place of a chain, as far as its
/// entry asks for that.
///
/// # Errors
/// When that panics: then nothing was shown.
pub async fn compare(
    chain: &Arc<Chain>,
    spec: &Spec,
    settings: &Swap,
    candidate: &Arc<Guardrail>,
) -> Result<Option<Report>, JoinError> {
    let mut links = chain.links().iter().enumerate();
    let live = links.find(|(_, link)| link.spec().name == spec.name);
    let Some((place, live)) = live.filter(|_| spec.proof != Proof::Examples) else {
        return Ok(None);
    };
    let live = Arc::clone(live.guardrail());
    let (chain, spec) = (Arc::clone(chain), spec.clone());
    let (candidate, cost) = (Arc::clone(candidate), settings.cost);
    let compared = aside(async move {
        let trial = Trial::new(&live, &candidate, &spec.only, spec.limits.output, cost);
        let mut report = trial.report();
        trial.on_canaries(&mut report).await;
        trial.on_examples(&mut report).await;
        if spec.proof == Proof::Replay {
            let before = chain.links().get(..place).unwrap_or_default();
            let inputs = chain.memory().as_deref().map(Recent::inputs);
            let inputs = inputs.unwrap_or_default();
            trial.on_messages(before, &inputs, &mut report).await;
        }
        report
    });
    compared.await.map(Some)
}

/// What became of the last new build of each guardrail.
#[derive(Debug, Default)]
pub struct Outcomes(Mutex<BTreeMap<Arc<str>, Outcome>>);

/// What became of a new build.
#[derive(Debug, Clone)]
pub struct Outcome {
    at: u64,
    refusal: Option<String>,
    report: Option<Report>,
}

impl Outcome {
    /// Of a build that serves from now on, or of one that is refused for this reason.
    pub fn now(refusal: Option<String>, report: Option<Report>) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self {
            at: since.unwrap_or_default().as_secs(),
            refusal,
            report,
        }
    }

    fn json(&self) -> Value {
        json!({
            "at": self.at,
            "taken": self.refusal.is_none(),
            "reason": self.refusal,
            "report": self.report.as_ref().map(Report::json),
            "table": self.report.as_ref().map(Report::table),
        })
    }
}

impl Outcomes {
    /// Notes what became of a build.
    pub fn note(&self, guardrail: &Arc<str>, outcome: Outcome) {
        self.all().insert(Arc::clone(guardrail), outcome);
    }

    /// The last one of a guardrail, for `status`.
    pub fn of(&self, guardrail: &str) -> Option<Value> {
        self.all().get(guardrail).map(Outcome::json)
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Arc<str>, Outcome>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
