//! By whose measure it is said how sure something is.

use serde::Deserialize;

/// Whose scores and bounds hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Profile {
    /// Our own: what only looks like something personal stays.
    #[default]
    #[serde(rename = "default")]
    Gateway,
    /// Those of Presidio: every form counts, wherever it stands as a word.
    #[serde(rename = "presidio-compat")]
    Presidio,
}

impl Profile {
    /// How sure a finding has to be where nobody says.
    pub(crate) fn threshold(self) -> f32 {
        match self {
            Self::Gateway => 0.5,
            Self::Presidio => 0.0,
        }
    }

    /// How sure something is where a name or a word before it may say what it is.
    pub(super) fn with_cue(self, score: f32, cue: bool) -> f32 {
        let (more, least) = match self {
            Self::Gateway => (0.45, 0.6),
            Self::Presidio => (0.35, 0.4),
        };
        if cue {
            (score + more).clamp(least, 1.0)
        } else {
            score
        }
    }

    /// How sure something is whose check digits are right.
    pub(super) fn checked(self, checked: Option<f32>, score: f32) -> f32 {
        match self {
            Self::Gateway => checked.unwrap_or(score),
            Self::Presidio => 1.0,
        }
    }
}
