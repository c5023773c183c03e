//! What can be done with several tools of a server together.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::Deserialize;

use super::finding::{ABILITY, Finding, Level, MOSTLY, POISONED, TRIFECTA};
use super::listed::Listed;
use crate::pinning::Offer;

/// From so many tools on, half of them being an attacker's says something of the others.
const FEW: usize = 4;

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

/// What is wrong with the tools of a server as a whole. `found` is what is wrong with
/// each.
pub(super) fn look(listed: &Listed, found: &[Finding]) -> impl Iterator<Item = Finding> {
    mostly(listed, found).into_iter().chain(trifecta(listed))
}

/// Whether so many of a server's tools are an attacker's that none of them is to be used.
fn mostly(listed: &Listed, findings: &[Finding]) -> Option<Finding> {
    let is_attack = |it: &&Finding| *it.rule == POISONED || *it.rule == ABILITY;
    let attacks = findings.iter().filter(is_attack);
    let bad: HashSet<&str> = attacks.filter_map(Finding::tool).collect();
    let (bad, all) = (bad.len(), listed.all(Offer::Tool).count());
    if all < FEW || bad * 2 < all {
        return None;
    }
    let text =
        format!("{bad} of its {all} tools are what an attacker would have: use none of them");
    Some(Finding::new(&MOSTLY, Level::Error, text))
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
        let mut tools = listed.all(Offer::Tool).map(|it| it.name.as_str());
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
    use crate::pinning::Definition;

    fn listed(names: &[&str]) -> Listed {
        Listed {
            definitions: names.iter().map(|name| named(Offer::Tool, name)).collect(),
            unseen: Vec::new(),
        }
    }

    fn named(offer: Offer, name: &str) -> Definition {
        Definition::new(offer, &format!(r#"{{"name":"{name}"}}"#))
    }

    #[test]
    fn where_half_of_the_tools_are_an_attackers_none_is_to_be_used() {
        let bad_one = |offer: Offer, name: &str| {
            let finding = Finding::new(&ABILITY, Level::Warning, String::new());
            finding.of(&named(offer, name))
        };
        let bad = |tool: &str| bad_one(Offer::Tool, tool);
        let four = listed(&["a", "b", "c", "d"]);
        let found = mostly(&four, &[bad("a"), bad("b")]);
        let found = found.map(|it| (it.level, it.text));
        let text = "2 of its 4 tools are what an attacker would have: use none of them";
        assert_eq!(found, Some((Level::Error, text.to_owned())));
        assert_eq!(mostly(&four, &[bad("a"), bad("a")]), None);
        let prompt = bad_one(Offer::Prompt, "b");
        assert_eq!(mostly(&four, &[bad("a"), prompt]), None);
        assert_eq!(mostly(&listed(&["a", "b"]), &[bad("a"), bad("b")]), None);
    }

    #[test]
    fn it_takes_all_three_to_steal() {
        assert!(trifecta(&listed(&["list_issues", "getRepo", "create_comment"])).is_some());
        assert!(trifecta(&listed(&["read_file", "write_file", "list_files"])).is_none());
        assert_eq!(words("readFile-now_x"), ["read", "file", "now", "x"]);
    }
}
