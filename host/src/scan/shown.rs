//! What is wrong with each thing that a server shows: what it says, and what it is
//! called.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::ability;
use super::detector::{Detectors, Hits};
use super::finding::{
    ABILITY, COLLISION, Finding, HIDDEN, HINT, Level, NAME, POISONED, SHADOWING, SMELL,
};
use super::hints;
use super::listed::Listed;
use crate::pinning::{Definition, Neighbours, Offer, remarks};

/// What a guardrail is so sure of that it would refuse it.
const SURE: f32 = 0.9;

/// Parameters by which a tool gets what it does not need.
const TELLING: &[&str] = &[
    "sidenote",
    "conversation_history",
    "chat_history",
    "system_prompt",
    "chain_of_thought",
    "model_reasoning",
    "full_context",
    "hidden_instructions",
];

/// What the servers beside one have.
#[derive(Debug, Default)]
pub(super) struct Beside<'a> {
    tools: Neighbours,
    /// Whose each of them is, by its name.
    names: HashMap<(Offer, &'a str), &'a str>,
}

impl<'a> Beside<'a> {
    /// Adds what a server has.
    pub(super) fn add(&mut self, server: &'a str, listed: &'a Listed) {
        let tools = listed.all(Offer::Tool).map(|it| it.name.as_str());
        self.tools.add(server, tools);
        let names = listed.definitions.iter().filter(|it| is_called(it));
        let names = names.map(|it| ((it.offer, it.name.as_str()), server));
        self.names.extend(names);
    }

    fn names(&self, offer: Offer) -> impl Iterator<Item = &'a str> {
        let names = self.names.keys().filter(move |(it, _)| *it == offer);
        names.map(|(_, name)| *name)
    }
}

/// Whether something is used by its name.
fn is_called(definition: &Definition) -> bool {
    matches!(definition.offer, Offer::Tool | Offer::Prompt)
}

/// What is wrong with all that a server shows.
pub(super) async fn look(
    listed: &Listed,
    beside: &Beside<'_>,
    detectors: &Detectors,
) -> anyhow::Result<Vec<Finding>> {
    let own: HashSet<String> = listed.all(Offer::Tool).map(|it| it.name.clone()).collect();
    let mut findings = Vec::new();
    for definition in &listed.definitions {
        let value: Value = serde_json::from_str(&definition.text).unwrap_or_default();
        let of_definition = [
            remarked(definition, &own, &beside.tools),
            named(definition, listed, beside),
            able(&value),
            contradicting(definition, &value),
            telling(definition, &value),
        ];
        let attacks = detectors.attacks(definition.offer, &value).await?;
        let of_definition = of_definition.into_iter().flatten();
        let of_definition = of_definition.chain(attacks.and_then(poisoned));
        findings.extend(of_definition.map(|finding| finding.of(definition)));
    }
    Ok(findings)
}

/// What pinning finds strange.
fn remarked(definition: &Definition, own: &HashSet<String>, others: &Neighbours) -> Vec<Finding> {
    let remarks = remarks(definition, own, others).into_iter();
    let finding = remarks.map(|remark| {
        let rule = match &*remark.rule {
            "lookalike-name" | "name" => &NAME,
            "other-servers-tool" => &SHADOWING,
            _ => &HIDDEN,
        };
        Finding::new(rule, Level::Warning, remark.says).at(&remark.at)
    });
    finding.collect()
}

/// What is wrong with its name, beside those of others.
fn named(definition: &Definition, listed: &Listed, beside: &Beside<'_>) -> Vec<Finding> {
    if !is_called(definition) {
        return Vec::new();
    }
    let (offer, name) = (definition.offer, definition.name.as_str());
    let what = offer.word();
    let mut findings = Vec::new();
    if let Some(server) = beside.names.get(&(offer, name)) {
        let text = format!(
            "server {server:?} has a {what} of that name, too; the gateway tells them apart by their servers"
        );
        findings.push(Finding::new(&COLLISION, Level::Note, text));
    }
    let own = listed.all(offer).map(|it| it.name.as_str());
    if let Some(other) = mimicked(name, own.chain(beside.names(offer))) {
        let text = format!("the name {name:?} can be taken for that of the {what} {other:?}");
        findings.push(Finding::new(&NAME, Level::Warning, text).at("/name"));
    }
    findings
}

/// What of an attacker's it says that it does.
fn able(value: &Value) -> Vec<Finding> {
    let claims = ability::claims(value).into_iter();
    let finding = claims.map(|claim| {
        let (says, words) = (&claim.ability.says, claim.words);
        let text = format!("it says that it {says}: {words:?} ({})", claim.ability.name);
        Finding::new(&ABILITY, Level::Warning, text).at(&claim.at)
    });
    finding.collect()
}

/// Whether a tool's hints and its name say different things.
fn contradicting(definition: &Definition, value: &Value) -> Vec<Finding> {
    let contradicted = hints::contradicted(value).filter(|_| definition.offer == Offer::Tool);
    let finding = contradicted.map(|(hint, verb)| {
        let text = format!("{hint} says that it is harmless, and its name that it can {verb}");
        let at = format!("/annotations/{hint}");
        Finding::new(&HINT, Level::Warning, text).at(&at)
    });
    finding.into_iter().collect()
}

/// What it wants to be told that it does not need.
fn telling(definition: &Definition, value: &Value) -> Vec<Finding> {
    let properties = value.pointer("/inputSchema/properties");
    let properties = properties.and_then(Value::as_object).into_iter().flatten();
    let properties = properties.map(|(name, _)| {
        let at = name.replace('~', "~0").replace('/', "~1");
        (name.as_str(), format!("/inputSchema/properties/{at}"))
    });
    let arguments = value.get("arguments").and_then(Value::as_array);
    let arguments = arguments.into_iter().flatten().enumerate();
    let arguments = arguments.filter_map(|(index, argument)| {
        let name = argument.get("name")?.as_str()?;
        Some((name, format!("/arguments/{index}/name")))
    });
    let (parameters, what): (Vec<_>, _) = match definition.offer {
        Offer::Tool => (properties.collect(), "parameter"),
        Offer::Prompt => (arguments.collect(), "argument"),
        Offer::Template | Offer::Instructions => return Vec::new(),
    };
    let is_telling = |name: &str| TELLING.contains(&name.to_ascii_lowercase().as_str());
    let telling = parameters.into_iter().filter(|(name, _)| is_telling(name));
    let finding = telling.map(|(name, at)| {
        let whose = definition.offer.word();
        let text = format!("the {what} {name:?} asks for more than the {whose} needs");
        Finding::new(&SMELL, Level::Warning, text).at(&at)
    });
    finding.collect()
}

/// Whether a guardrail takes its words for an attack.
fn poisoned(hits: Hits) -> Option<Finding> {
    let confidences = hits.findings.iter().map(|it| it.confidence);
    let surest = confidences.fold(0.0, f32::max);
    let mut rules: Vec<&str> = hits.findings.iter().map(|it| it.rule.as_str()).collect();
    rules.sort_unstable();
    rules.dedup();
    if rules.is_empty() {
        return None;
    }
    let level = match hits.is_refused || surest >= SURE {
        true => Level::Error,
        false => Level::Warning,
    };
    let text = format!("its words give the model orders: {}", rules.join(", "));
    Some(Finding::new(&POISONED, level, text))
}

/// The name for which one with letters that look like others can be taken.
fn mimicked<'a>(tool: &str, mut others: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let looks = look_of(tool);
    if looks == tool {
        return None;
    }
    others.find(|other| *other != tool && look_of(other) == looks)
}

/// A name with one letter for all that look like it.
fn look_of(name: &str) -> String {
    let name = name.replace("rn", "m").replace("vv", "w");
    let alike = |c| match c {
        '0' => 'o',
        '1' | 'I' => 'l',
        '5' => 's',
        c => c,
    };
    name.chars().map(alike).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_looks_like_anothers_is_noticed() {
        let mimicked = |name| mimicked(name, ["read_file", "get_user", "list_items"].into_iter());
        assert_eq!(mimicked("read_fi1e"), Some("read_file"));
        assert_eq!(mimicked("1ist_iterns"), Some("list_items"));
        for name in [
            "read_file",
            "read_files",
            "getUser",
            "list_items_2",
            "read_f0le",
        ] {
            assert_eq!(mimicked(name), None, "{name}");
        }
    }
}
