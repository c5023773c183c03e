//! Verdicts that are kept for a while, by what they are about.

use std::time::Duration;

use mcp_gateway_sdk::State;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::answer::Outcome;
use crate::config::Settings;
use crate::piece::{Batch, Form};

/// Places for verdicts. One that is needed for another verdict is taken from the former, so
/// that they never fill what the gateway keeps.
const PLACES: u16 = 4096;

/// The longest verdict that is kept; of what is masked all over there are longer ones.
const LONGEST: usize = 768;

/// The fingerprint of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Key([u8; 32]);

#[derive(Serialize, Deserialize)]
struct Kept {
    key: [u8; 32],
    outcome: Outcome,
}

impl Key {
    /// Of everything in a batch that a verdict can depend on: not of ids, which differ from call
    /// to call.
    pub(crate) fn of(settings: &Settings, batch: &Batch<'_>) -> Self {
        let mut digest = Sha256::new();
        let mut add = |text: &str| {
            digest.update(text.len().to_be_bytes());
            digest.update(text);
        };
        add(&settings.url);
        add(settings.ids.user.as_deref().unwrap_or_default());
        add(&format!("{:?}", batch.sent.kind));
        add(&batch.sent.name);
        for piece in batch.pieces {
            add(piece.role());
            add(match piece.form {
                Form::Plain(_) => "plain",
                Form::Result => "result",
                Form::Use => "use",
                Form::Input(_) => "input",
            });
            add(&piece.content);
        }
        for tool in batch.tools {
            add(&tool.to_string());
        }
        Self(digest.finalize().into())
    }

    fn place(&self) -> String {
        let [first, second, ..] = self.0;
        let place = u16::from_be_bytes([first, second]) % PLACES;
        format!("verdict-{place}")
    }
}

/// The verdict about a batch, if it is known.
pub(crate) fn find(state: &State<'_>, key: &Key) -> Option<Outcome> {
    let kept: Kept = serde_json::from_slice(&state.get(&key.place())?).ok()?;
    (kept.key == key.0).then_some(kept.outcome)
}

/// Keeps a verdict. Without room it is asked for again.
pub(crate) fn keep(state: &State<'_>, key: &Key, outcome: &Outcome, time: Duration) {
    let written = serde_json::to_vec(&serde_json::json!({ "key": key.0, "outcome": outcome }));
    if let Ok(written) = written
        && written.len() <= LONGEST
    {
        let _ = state.set_for(&key.place(), &written, time);
    }
}
