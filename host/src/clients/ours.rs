//! What stands in a client's file for the gateway.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Client, ENTRY, Shape};

/// What the gateway's entry says.
#[derive(Debug)]
pub struct Ours<'a> {
    /// The gateway's own program.
    pub program: &'a str,
    /// Its arguments.
    pub args: &'a [String],
    /// The variables that it needs of the client's environment.
    pub variables: &'a BTreeSet<String>,
    /// The entries that it stands for.
    pub instead_of: &'a [&'a Value],
}

/// How long an answer may take, in each client's own unit. The gateway's entry has
/// the longest of those that it stands for.
const TIMEOUTS: [&str; 3] = ["timeout", "tool_timeout_sec", "startup_timeout_sec"];

impl Ours<'_> {
    /// The entry.
    pub fn entry(&self, client: &Client) -> Value {
        let mut entry = match client.shape {
            Shape::Plain | Shape::Codex => json!({"command": self.program, "args": self.args}),
            Shape::Typed => {
                json!({"type": "stdio", "command": self.program, "args": self.args})
            }
            Shape::Listed => {
                json!({"name": ENTRY, "command": self.program, "args": self.args})
            }
            Shape::Goose => json!({
                "enabled": true,
                "type": "stdio",
                "name": ENTRY,
                "cmd": self.program,
                "args": self.args,
                "timeout": 300,
            }),
            Shape::OpenCode => {
                let words: Vec<&str> = std::iter::once(self.program)
                    .chain(self.args.iter().map(String::as_str))
                    .collect();
                json!({"type": "local", "command": words, "enabled": true})
            }
        };
        if let Some(entry) = entry.as_object_mut() {
            self.hand_on_variables(client, entry);
            self.keep(entry);
        }
        entry
    }

    fn hand_on_variables(&self, client: &Client, entry: &mut Map<String, Value>) {
        if self.variables.is_empty() {
            return;
        }
        if client.shape == Shape::Codex {
            entry.insert("env_vars".to_owned(), json!(self.variables));
            return;
        }
        let env: Map<String, Value> = self
            .variables
            .iter()
            .filter_map(|name| Some((name.clone(), client.variables.hand_on(name)?.into())))
            .collect();
        let key = match client.shape {
            Shape::OpenCode => "environment",
            _ => "env",
        };
        entry.insert(key.to_owned(), Value::Object(env));
    }

    fn keep(&self, entry: &mut Map<String, Value>) {
        for key in TIMEOUTS {
            let longest = self
                .instead_of
                .iter()
                .filter_map(|other| other.get(key)?.as_f64().map(|time| (time, other.get(key))))
                .max_by(|(one, _), (other, _)| one.total_cmp(other));
            let before = entry.get(key).and_then(Value::as_f64).unwrap_or(0.0);
            if let Some((time, Some(value))) = longest
                && time > before
            {
                entry.insert(key.to_owned(), value.clone());
            }
        }
        // Some versions of Zed have no server without it.
        if let Some(source) = self.instead_of.iter().find_map(|other| other.get("source")) {
            entry.insert("source".to_owned(), source.clone());
        }
    }
}

/// The keys of an entry that change when its command is started by the gateway.
pub fn wrapped(client: &Client, program: &str, args: Vec<String>) -> Vec<(&'static str, Value)> {
    match client.shape {
        Shape::Goose => vec![("cmd", json!(program)), ("args", json!(args))],
        Shape::OpenCode => {
            let words: Vec<_> = std::iter::once(program.to_owned()).chain(args).collect();
            vec![("command", json!(words))]
        }
        _ => vec![("command", json!(program)), ("args", json!(args))],
    }
}
