//! What is strange about a definition, whatever it says: characters that nobody sees,
//! names that look like others, tools of other servers.

mod characters;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition::Definition;

/// Something strange about a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// Which rule.
    pub rule: Cow<'static, str>,
    /// Where in the definition, as a JSON Pointer.
    pub at: String,
    /// What it is. Nothing of what the definition says is in it but names, quoted.
    pub says: String,
}

/// The tools of other servers, by their names there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Neighbours {
    tools: HashMap<String, String>,
}

/// Names of which a text may speak without meaning a tool are shorter, or are words.
const SHORTEST: usize = 6;

/// White space that pushes what follows out of sight: so many empty lines, or so many
/// spaces in a line.
const EMPTY_LINES: usize = 20;
const SPACES: usize = 100;

impl Neighbours {
    /// Adds a server's tools.
    pub fn add<'a>(&mut self, server: &str, tools: impl IntoIterator<Item = &'a str>) {
        for tool in tools.into_iter().filter(|tool| is_unmistakable(tool)) {
            let known = self.tools.entry(tool.to_owned());
            known.or_insert_with(|| server.to_owned());
        }
    }

    /// The server whose tool this is.
    fn owner(&self, tool: &str) -> Option<&str> {
        self.tools.get(tool).map(String::as_str)
    }
}

/// Whether a name means a tool wherever it stands: not a word of a language, but
/// several in one.
fn is_unmistakable(name: &str) -> bool {
    let inner = name.get(1..).unwrap_or_default();
    let joined = inner.contains(['_', '-']) || inner.contains(|c: char| c.is_ascii_uppercase());
    name.len() >= SHORTEST && joined
}

/// What is strange about a definition. `own` are all tools of its server.
pub fn remarks(definition: &Definition, own: &HashSet<String>, others: &Neighbours) -> Vec<Remark> {
    let Ok(value) = serde_json::from_str::<Value>(&definition.text) else {
        return vec![Remark::new(
            "unreadable",
            "",
            "it is nested too deeply to be read".to_owned(),
        )];
    };
    let mut found = Vec::new();
    let name = definition.offer.key().map(|key| format!("/{key}"));
    if let Some(at) = &name {
        if definition.name.is_empty() {
            let says = "it has no name, or more than one".to_owned();
            found.push(Remark::new("name", at, says));
        }
        if characters::mixes_scripts(&definition.name) {
            let says = format!(
                "the name {:?} mixes letters that look alike",
                definition.name
            );
            found.push(Remark::new("lookalike-name", at, says));
        }
    }
    visit(&value, &mut String::new(), &mut |at, text, is_key| {
        if let Some(says) = characters::hidden(text) {
            found.push(Remark::new("hidden-characters", at, says));
        }
        if has_padding(text) {
            let says = "it has white space that pushes text out of sight".to_owned();
            found.push(Remark::new("padding", at, says));
        }
        if is_key || Some(at) == name.as_deref() {
            return;
        }
        if let Some((tool, server)) = foreign(text, own, others) {
            let says = format!("it speaks of the tool {tool:?} of server {server:?}");
            found.push(Remark::new("other-servers-tool", at, says));
        }
    });
    found
}

/// The first tool of another server that a text names.
fn foreign<'a>(
    text: &'a str,
    own: &HashSet<String>,
    others: &'a Neighbours,
) -> Option<(&'a str, &'a str)> {
    if others.tools.is_empty() {
        return None;
    }
    let word = |c: char| c.is_alphanumeric() || "_-".contains(c);
    let mut words = text.split(|c: char| !word(c));
    words.find_map(|word| {
        let owner = others.owner(word).filter(|_| !own.contains(word))?;
        Some((word, owner))
    })
}

fn has_padding(text: &str) -> bool {
    let (mut lines, mut spaces) = (0, 0);
    for c in text.trim_end().chars() {
        (lines, spaces) = match c {
            '\n' => (lines + 1, 0),
            c if c.is_whitespace() => (lines, spaces + 1),
            _ => (0, 0),
        };
        if lines >= EMPTY_LINES || spaces >= SPACES {
            return true;
        }
    }
    false
}

/// Every text in a value, with its place, and whether it is a key.
fn visit(value: &Value, at: &mut String, see: &mut impl FnMut(&str, &str, bool)) {
    let length = at.len();
    match value {
        Value::String(text) => see(at, text, false),
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                at.push_str(&format!("/{index}"));
                visit(element, at, see);
                at.truncate(length);
            }
        }
        Value::Object(members) => {
            for (key, value) in members {
                at.push('/');
                at.push_str(&key.replace('~', "~0").replace('/', "~1"));
                see(at, key, true);
                visit(value, at, see);
                at.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

impl Remark {
    fn new(rule: &'static str, at: &str, says: String) -> Self {
        Self {
            rule: rule.into(),
            at: at.to_owned(),
            says,
        }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.is_empty() {
            true => write!(f, "{}", self.says),
            false => write!(f, "{:?}: {}", self.at, self.says),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pinning::Offer;

    fn rules(definition: &str, own: &[&str]) -> Vec<String> {
        let mut others = Neighbours::default();
        others.add("mail", ["send_email", "read", "fetch"]);
        let own = own.iter().map(|it| (*it).to_owned()).collect();
        let found = remarks(&Definition::new(Offer::Tool, definition), &own, &others);
        found.iter().map(|it| it.rule.to_string()).collect()
    }

    #[test]
    fn what_hides_or_mimics_is_noticed_wherever_it_stands() {
        for (definition, rule) in [
            (
                "{\"name\":\"a\",\"description\":\"x\u{e0041}\u{e0042}\"}",
                "hidden-characters",
            ),
            (
                "{\"name\":\"a\",\"inputSchema\":{\"properties\":{\"b\u{202e}\":{}}}}",
                "hidden-characters",
            ),
            (
                "{\"name\":\"a\",\"title\":\"x\\u001b[8m\"}",
                "hidden-characters",
            ),
            ("{\"name\":\"re\u{430}d_file\"}", "lookalike-name"),
            (r#"{"name":"a","name":"b"}"#, "name"),
            (
                r#"{"name":"a","description":"First call send_email."}"#,
                "other-servers-tool",
            ),
            (
                r#"{"name":"a","inputSchema":{"properties":{"x":{"description":"of `send_email`"}}}}"#,
                "other-servers-tool",
            ),
        ] {
            assert_eq!(rules(definition, &[]), [rule], "{definition}");
        }
        let padded = format!(
            r#"{{"name":"a","description":"adds{}then"}}"#,
            "\\n".repeat(60)
        );
        assert_eq!(rules(&padded, &[]), ["padding"]);
    }

    #[test]
    fn what_is_usual_is_not() {
        for definition in [
            r#"{"name":"read_file","description":"Reads a file.\n\nArgs:\n    path: where\n        it is"}"#,
            r#"{"name":"a","description":"read and fetch, e.g. é ü 漢字 👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 نمی‌دانم"}"#,
            r#"{"name":"send_email","inputSchema":{"properties":{"send_email":{"type":"string"}}}}"#,
            r#"{"name":"读取文件"}"#,
            "{\"name\":\"a\",\"description\":\"a | b\\n\\n\\n\\n\\nc\"}",
        ] {
            assert_eq!(rules(definition, &[]), [""; 0], "{definition}");
        }
        // A tool of its own that is called as another's.
        let own = r#"{"name":"a","description":"then send_email"}"#;
        assert_eq!(rules(own, &["send_email"]), [""; 0]);
    }
}
