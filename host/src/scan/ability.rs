//! What a tool says that it is able to do, where that is what an attacker's tool does:
//! take data away, collect credentials, gain rights. What a text tells a model to do is
//! for guardrails to find; here it is the tool that gives itself away.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;

/// Something that a tool may say that it does.
#[derive(Debug)]
pub(super) struct Ability {
    pub(super) name: String,
    /// What it does, after the word "it".
    pub(super) says: String,
    phrases: Vec<Phrase>,
    pairs: Vec<Pair>,
    paths: Vec<String>,
}

/// Words one after the other.
#[derive(Debug)]
struct Phrase {
    text: String,
    stems: Vec<String>,
}

/// One phrase of each, in this order.
#[derive(Debug)]
struct Pair {
    does: Vec<Phrase>,
    what: Vec<Phrase>,
}

/// Where a tool says that it does something, and in which words.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) ability: &'static Ability,
    /// As a JSON Pointer into the tool.
    pub(super) at: String,
    pub(super) words: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedList {
    abilities: Vec<Typed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    name: String,
    says: String,
    #[serde(default)]
    phrases: Vec<String>,
    #[serde(default)]
    pairs: Vec<TypedPair>,
    #[serde(default)]
    paths: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedPair {
    does: Vec<String>,
    what: Vec<String>,
}

static ABILITIES: LazyLock<Vec<Ability>> = LazyLock::new(|| {
    let list = toml::from_str(include_str!("abilities.toml"));
    // A test reads it.
    let list = list.unwrap_or(TypedList {
        abilities: Vec::new(),
    });
    list.abilities.into_iter().map(Ability::new).collect()
});

/// What stands before something that a tool does not do: "prevents path traversal".
const DENIED_BEFORE: &[&str] = &[
    "prevent", "detect", "protect", "against", "avoid", "block", "not", "never", "no", "cannot",
    "safely", "refuse", "reject", "deny", "guard", "except", "only", "validate", "attempt",
    "warning",
];

/// The same after it: "path traversal is blocked".
const DENIED_AFTER: &[&str] = &[
    "block",
    "prevent",
    "reject",
    "disallow",
    "forbidden",
    "denied",
    "prevention",
    "protection",
    "refuse",
];

/// What a tool says that it does, each once.
pub(super) fn claims(tool: &Value) -> Vec<Claim> {
    let mut texts = Vec::new();
    said(tool, &mut String::new(), &mut texts);
    let mut claims: Vec<Claim> = Vec::new();
    for (at, text) in texts {
        for part in parts(&text) {
            let stems = stems(part);
            for ability in ABILITIES.iter() {
                if claims.iter().any(|it| std::ptr::eq(it.ability, ability)) {
                    continue;
                }
                if let Some(words) = ability.words_in(part, &stems) {
                    claims.push(Claim {
                        ability,
                        at: at.clone(),
                        words,
                    });
                }
            }
        }
    }
    claims
}

impl Ability {
    fn new(typed: Typed) -> Self {
        let phrases = |texts: Vec<String>| texts.into_iter().map(Phrase::new).collect();
        let pairs = typed.pairs.into_iter().map(|pair| Pair {
            does: phrases(pair.does),
            what: phrases(pair.what),
        });
        Self {
            name: typed.name,
            says: typed.says,
            phrases: phrases(typed.phrases),
            pairs: pairs.collect(),
            paths: typed.paths,
        }
    }

    /// The words by which a part of a sentence says so, if it does.
    fn words_in(&self, part: &str, stems: &[String]) -> Option<String> {
        let is_said = |phrase: &Phrase| {
            let at = phrase.first_in(stems)?;
            (!is_denied(stems, at)).then_some(at)
        };
        if let Some(phrase) = self.phrases.iter().find(|it| is_said(it).is_some()) {
            return Some(phrase.text.clone());
        }
        for pair in &self.pairs {
            for does in &pair.does {
                let Some(at) = is_said(does) else { continue };
                let rest = stems.get(at + does.stems.len()..).unwrap_or_default();
                let mut what = pair.what.iter();
                if let Some(what) = what.find(|what| what.first_in(rest).is_some()) {
                    return Some(format!("{} … {}", does.text, what.text));
                }
            }
        }
        let lower = part.to_lowercase();
        let path = self.paths.iter().find(|path| has_path(&lower, path))?;
        let is_denied = is_denied(stems, stems.len()) || is_denied(stems, 0);
        (!is_denied).then(|| path.clone())
    }
}

impl Phrase {
    fn new(text: String) -> Self {
        let stems = stems(&text);
        Self { text, stems }
    }

    fn first_in(&self, stems: &[String]) -> Option<usize> {
        let mut windows = stems.windows(self.stems.len().max(1));
        windows.position(|window| *window == *self.stems)
    }
}

/// Whether words say that what stands at a place is not so.
fn is_denied(stems: &[String], at: usize) -> bool {
    let has = |stems: &[String], words: &[&str]| {
        let mut stems = stems.iter();
        stems.any(|it| words.iter().any(|word| stem(word) == *it))
    };
    let (before, after) = stems.split_at(at.min(stems.len()));
    has(before, DENIED_BEFORE) || has(after.get(2..).unwrap_or_default(), DENIED_AFTER)
}

/// Whether a path stands in a text, and not as a part of another.
fn has_path(text: &str, path: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || "_-.~".contains(c);
    let mut found = text.match_indices(path);
    found.any(|(at, _)| {
        let before = text.get(..at).and_then(|it| it.chars().next_back());
        let after = text.get(at + path.len()..);
        let after = after.and_then(|it| it.chars().next());
        let starts = !path.starts_with('/') || !before.is_some_and(is_name);
        let ends = !path.ends_with(char::is_alphanumeric) || !after.is_some_and(is_name);
        starts && ends
    })
}

/// The texts of a tool that say what it does: its name, in words, and all descriptions
/// and titles.
fn said(value: &Value, at: &mut String, texts: &mut Vec<(String, String)>) {
    let length = at.len();
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                at.push('/');
                at.push_str(&key.replace('~', "~0").replace('/', "~1"));
                match value {
                    Value::String(text) if ["description", "title"].contains(&key.as_str()) => {
                        texts.push((at.clone(), text.clone()));
                    }
                    Value::String(name) if *at == "/name" => {
                        texts.push((at.clone(), super::tools::words(name).join(" ")));
                    }
                    value => said(value, at, texts),
                }
                at.truncate(length);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                at.push_str(&format!("/{index}"));
                said(element, at, texts);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

/// The parts of a text within which words belong together.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let mut is_end = || chars.peek().is_none_or(|(_, next)| next.is_whitespace());
        if c == '\n' || (".;!?".contains(c) && is_end()) {
            parts.extend(text.get(start..at));
            start = at + c.len_utf8();
        }
    }
    parts.extend(text.get(start..));
    parts
}

/// The words of a text in their simplest forms.
fn stems(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace("'s", "").replace("’s", "");
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).map(stem).collect()
}

/// A word without what its grammar adds to it.
fn stem(word: &str) -> String {
    let without = |ending: &str, longer_than: usize| {
        word.strip_suffix(ending)
            .filter(|_| word.len() > longer_than)
    };
    if let Some(start) = without("ies", 5) {
        return format!("{start}y");
    }
    if let Some(start) = without("sses", 5) {
        return format!("{start}ss");
    }
    if let Some(start) = without("ing", 5).or_else(|| without("ed", 4)) {
        return plain(undoubled(start));
    }
    if let Some(start) = without("es", 4).filter(|it| it.ends_with(['s', 'x', 'z', 'h'])) {
        return start.to_owned();
    }
    let is_plural = !word.ends_with("ss");
    plain(without("s", 3).filter(|_| is_plural).unwrap_or(word))
}

/// "stopp" is "stop".
fn undoubled(start: &str) -> &str {
    let mut last = start.bytes().rev();
    match (last.next(), last.next()) {
        (Some(one), Some(other)) if one == other && start.len() > 3 && !b"lsz".contains(&one) => {
            start.get(..start.len() - 1).unwrap_or(start)
        }
        _ => start,
    }
}

fn plain(word: &str) -> String {
    let short = word.strip_suffix('e').filter(|_| word.len() > 3);
    short.unwrap_or(word).to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claimed(name: &str, description: &str) -> Vec<&'static str> {
        let tool = json!({"name": name, "description": description});
        let claims = claims(&tool);
        claims.iter().map(|it| it.ability.name.as_str()).collect()
    }

    #[test]
    fn a_tool_that_says_what_only_an_attacker_wants_is_noticed() {
        assert_eq!(ABILITIES.len(), 10);
        for (description, ability) in [
            ("Exfiltrates rows over a covert channel.", "exfiltration"),
            ("Dumps every cookie that the browser keeps.", "credentials"),
            ("Reads saved passwords of this machine", "credentials"),
            ("Shows a file, e.g. /etc/shadow", "files"),
            ("Follows symlinks to wherever they lead", "files"),
            ("Records the microphone, undetected.", "spying"),
            ("Enumerates users of the network", "reconnaissance"),
            ("Gains root by a setuid program", "privileges"),
            ("Disables the antivirus", "persistence"),
            ("Injects code into a page", "attacks"),
            ("Runs arbitrary commands", "commands"),
            ("Returns name and social security number", "identity"),
        ] {
            assert_eq!(claimed("x", description), [ability], "{description}");
        }
        assert_eq!(claimed("install_backdoor", "Helps."), ["persistence"]);
        assert_eq!(claimed("dumpPasswords", "Helps."), ["credentials"]);
    }

    #[test]
    fn what_a_tool_denies_and_what_is_ordinary_is_not() {
        for description in [
            "Reads a file. Prevents path traversal.",
            "Path traversal attempts (such as ../../x) are blocked",
            "Never runs arbitrary commands; use it safely.",
            "Lists the files in a directory, with their permissions",
            "Gets a user's profile, with names and mail addresses",
            "Creates a firewall rule for the database server",
            "Deletes the files that are named",
            "Detects SQL injection in a query",
            "Writes to /etc/hosts.example, or asks https://x.test/root",
            "Captures a screenshot of the page",
            "Stores the session token in the keyring",
        ] {
            assert_eq!(claimed("x", description), [""; 0], "{description}");
        }
    }

    #[test]
    fn a_claim_says_where_it_stands_and_each_is_made_once() {
        let tool = json!({"name": "x", "inputSchema": {"properties": {
            "a/b": {"description": "The backdoor. Another backdoor."},
        }}});
        let claims = claims(&tool);
        let [claim] = claims.as_slice() else {
            panic!("{claims:?}")
        };
        let at = "/inputSchema/properties/a~1b/description";
        assert_eq!((&*claim.at, &*claim.words), (at, "backdoor"));
    }

    #[test]
    fn forms_of_a_word_are_one_word() {
        for (one, other) in [
            ("dumping", "dump"),
            ("capabilities", "capability"),
            ("processes", "process"),
            ("grabbed", "grab"),
            ("keys", "key"),
            ("enumerates", "enumerate"),
            ("accesses", "access"),
        ] {
            assert_eq!(stem(one), stem(other));
        }
    }
}
