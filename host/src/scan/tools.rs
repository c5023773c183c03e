//! What is wrong with tools: what they say, what they are called, and what can be done
//! with several of them together.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

use super::ability;
use super::detector::Detectors;
use super::finding::{
    ABILITY, COLLISION, Finding, HIDDEN, HINT, Level, MOSTLY, NAME, POISONED, SHADOWING, SMELL,
    TRIFECTA,
};
use super::hints;
use super::listed::Listed;
use crate::pinning::{Neighbours, remarks};

/// What a guardrail is so sure of that it would refuse it.
const SURE: f32 = 0.9;

/// From so many tools on, half of them being an attacker's says something of the others.
const FEW: usize = 4;

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

/// The words by which the guardrail `trifecta` knows what tools do, too.
#[derive(Debug, Default, Deserialize)]
struct Words {
    untrusted: Vec<String>,
    untrusted_alone: Vec<String>,
    private: Vec<String>,
    private_alone: Vec<String>,
    fetches: Vec<String>,
    sends: Vec<String>,
    runs: Vec<String>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    let list = include_str!("../../../plugins/trifecta/words.toml");
    toml::from_str(list).unwrap_or_default()
});

/// What makes the lethal trifecta: what can be done with a tool in whose name one of these words is.
fn abilities(words: &Words) -> [(&'static str, [&[String]; 3]); 3] {
    [
        (
            "reads what strangers write",
            [&words.untrusted, &words.untrusted_alone, &words.fetches],
        ),
        (
            "sees private data",
            [&words.private, &words.private_alone, &words.runs],
        ),
        (
            "can send it away",
            [&words.sends, &words.fetches, &words.runs],
        ),
    ]
}

/// What is wrong with the tools of a server. `others` and `names` are those of the
/// servers beside it.
pub(super) async fn look(
    listed: &Listed,
    others: &Neighbours,
    names: &HashMap<&str, &str>,
    detectors: &Detectors,
) -> anyhow::Result<Vec<Finding>> {
    let own: HashSet<String> = listed
        .definitions
        .iter()
        .map(|it| it.name.clone())
        .collect();
    let mut findings = Vec::new();
    for definition in &listed.definitions {
        let tool = definition.name.as_str();
        for remark in remarks(definition, &own, others) {
            let rule = match &*remark.rule {
                "lookalike-name" | "name" => &NAME,
                "other-servers-tool" => &SHADOWING,
                _ => &HIDDEN,
            };
            let finding = Finding::new(rule, Level::Warning, remark.says);
            findings.push(finding.at(&remark.at).of_tool(tool));
        }
        if let Some(server) = names.get(tool) {
            let text = format!(
                "server {server:?} has a tool of that name, too; the gateway tells them apart by their servers"
            );
            findings.push(Finding::new(&COLLISION, Level::Note, text).of_tool(tool));
        }
        let value: Value = serde_json::from_str(&definition.text).unwrap_or_default();
        if let Some(other) = mimicked(
            tool,
            own.iter().map(String::as_str).chain(names.keys().copied()),
        ) {
            let text = format!("the name {tool:?} can be taken for that of the tool {other:?}");
            findings.push(
                Finding::new(&NAME, Level::Warning, text)
                    .at("/name")
                    .of_tool(tool),
            );
        }
        for claim in ability::claims(&value) {
            let (says, words) = (&claim.ability.says, claim.words);
            let text = format!("it says that it {says}: {words:?} ({})", claim.ability.name);
            findings.push(
                Finding::new(&ABILITY, Level::Warning, text)
                    .at(&claim.at)
                    .of_tool(tool),
            );
        }
        if let Some((hint, verb)) = hints::contradicted(&value) {
            let text = format!("{hint} says that it is harmless, and its name that it can {verb}");
            let at = format!("/annotations/{hint}");
            findings.push(
                Finding::new(&HINT, Level::Warning, text)
                    .at(&at)
                    .of_tool(tool),
            );
        }
        let telling = value
            .pointer("/inputSchema/properties")
            .and_then(Value::as_object);
        for (name, _) in telling.into_iter().flatten() {
            if TELLING.contains(&name.to_ascii_lowercase().as_str()) {
                let text = format!("the parameter {name:?} asks for more than the tool needs");
                let at = format!("/inputSchema/properties/{name}");
                findings.push(
                    Finding::new(&SMELL, Level::Warning, text)
                        .at(&at)
                        .of_tool(tool),
                );
            }
        }
        if let Some(hits) = detectors.attacks(&value).await? {
            let surest = hits
                .findings
                .iter()
                .map(|it| it.confidence)
                .fold(0.0, f32::max);
            let mut rules: Vec<&str> = hits.findings.iter().map(|it| it.rule.as_str()).collect();
            rules.sort_unstable();
            rules.dedup();
            if !rules.is_empty() {
                let level = match hits.is_refused || surest >= SURE {
                    true => Level::Error,
                    false => Level::Warning,
                };
                let text = format!("its words give the model orders: {}", rules.join(", "));
                findings.push(Finding::new(&POISONED, level, text).of_tool(tool));
            }
        }
    }
    findings.extend(mostly(listed, &findings));
    findings.extend(trifecta(listed));
    Ok(findings)
}

/// Whether so many of a server's tools are an attacker's that none of them is to be used.
fn mostly(listed: &Listed, findings: &[Finding]) -> Option<Finding> {
    let is_attack = |it: &&Finding| *it.rule == POISONED || *it.rule == ABILITY;
    let tools = findings.iter().filter(is_attack).map(|it| &it.tool);
    let (bad, all) = (
        tools.collect::<HashSet<_>>().len(),
        listed.definitions.len(),
    );
    if all < FEW || bad * 2 < all {
        return None;
    }
    let text =
        format!("{bad} of its {all} tools are what an attacker would have: use none of them");
    Some(Finding::new(&MOSTLY, Level::Error, text))
}

/// The tool for whose name one with letters that look like others can be taken.
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

/// Whether a server's tools together are what an attacker needs.
fn trifecta(listed: &Listed) -> Option<Finding> {
    let mut said = Vec::new();
    for (what, lists) in abilities(&WORDS) {
        let is_known = |word: &str| lists.iter().any(|list| list.iter().any(|it| it == word));
        let able = |tool: &&str| {
            let singular = |word: &str| word.strip_suffix('s').is_some_and(is_known);
            let mut words = words(tool).into_iter();
            words.any(|word| is_known(&word) || singular(&word))
        };
        let mut tools = listed.definitions.iter().map(|it| it.name.as_str());
        said.push(format!("{:?} {what}", tools.find(able)?));
    }
    let text = format!(
        "its tools together are enough to steal data: {}; let a person confirm what is sent",
        said.join(", ")
    );
    Some(Finding::new(&TRIFECTA, Level::Note, text))
}

/// The words in a name such as `read_file` or `readFile`.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c.is_uppercase() || !c.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_alphanumeric()) {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pinning::{Definition, Offer};

    fn listed(names: &[&str]) -> Listed {
        let definition =
            |name: &&str| Definition::new(Offer::Tool, &format!(r#"{{"name":"{name}"}}"#));
        Listed {
            definitions: names.iter().map(definition).collect(),
        }
    }

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

    #[test]
    fn where_half_of_the_tools_are_an_attackers_none_is_to_be_used() {
        let bad = |tool: &str| Finding::new(&ABILITY, Level::Warning, String::new()).of_tool(tool);
        let four = listed(&["a", "b", "c", "d"]);
        let found = mostly(&four, &[bad("a"), bad("b")]);
        let found = found.map(|it| (it.level, it.text));
        let text = "2 of its 4 tools are what an attacker would have: use none of them";
        assert_eq!(found, Some((Level::Error, text.to_owned())));
        assert_eq!(mostly(&four, &[bad("a"), bad("a")]), None);
        assert_eq!(mostly(&listed(&["a", "b"]), &[bad("a"), bad("b")]), None);
    }

    #[test]
    fn it_takes_all_three_to_steal() {
        assert!(trifecta(&listed(&["list_issues", "getRepo", "create_comment"])).is_some());
        assert!(trifecta(&listed(&["read_file", "write_file", "list_files"])).is_none());
        assert_eq!(words("readFile-now_x"), ["read", "file", "now", "x"]);
    }
}
