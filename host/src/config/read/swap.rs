//! `[swap]`.

use std::path::Path;

use crate::config::bundled::absolute;
use crate::config::error::Problem;
use crate::config::field::Field;
use crate::config::section::Section;
use crate::config::{Guardrail, GuardrailName, Hint, Proof, Swap};

const PROOF: [(&str, Proof); 3] = [
    ("examples", Proof::Examples),
    ("canary", Proof::Canary),
    ("replay", Proof::Replay),
];

/// What a new build has to show, in the section of that name or in a guardrail's entry.
pub(super) fn proof(section: &mut Section<'_>, key: &'static str) -> Option<Proof> {
    section.take(key).and_then(|field| field.choice(&PROOF))
}

/// What else `[swap]` says. Its file is relative to the folder of the configuration.
pub(super) fn swap(mut section: Section<'_>, folder: &Path, guardrails: &[Guardrail]) -> Swap {
    let default = Swap::default();
    let messages = section.take("messages");
    let messages = messages.and_then(|field| field.count(1..=100_000));
    let bytes = section.take("bytes");
    let bytes = bytes.and_then(|field| field.size(1 << 10..=1 << 30));
    let cost = section.take("cost");
    let cost = cost.and_then(|field| field.count(1..=1_000));
    let capture = section.take("capture").and_then(Field::path);
    let bare = section.take("capture_bare").and_then(Field::items);
    let bare = bare.into_iter().flatten();
    let bare = bare.filter_map(|field| guardrail(field, guardrails));
    let bare = bare.collect();
    section.finish();
    Swap {
        messages: messages.map_or(default.messages, |it| it as usize),
        bytes: bytes
            .and_then(|it| usize::try_from(it).ok())
            .unwrap_or(default.bytes),
        cost: cost.unwrap_or(default.cost),
        capture: capture.map(|file| absolute(folder, &file)),
        bare,
    }
}

fn guardrail(field: Field<'_>, known: &[Guardrail]) -> Option<GuardrailName> {
    let (reading, at, what) = (field.reading, field.at, field.what());
    let found = field.text()?;
    let known = || known.iter().map(|guardrail| &guardrail.name);
    let guardrail = known().find(|name| name.as_str() == found);
    if guardrail.is_none() {
        let problem = Problem::NoSuchGuardrail {
            what,
            hint: Hint::to(&found, known().map(GuardrailName::as_str)),
            found,
        };
        reading.error(at, problem);
    }
    guardrail.cloned()
}
