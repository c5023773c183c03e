#![doc = include_str!("../README.md")]

use std::collections::BTreeMap;

use mcp_gateway_sdk::{
    Direction, Example, Guardrail, Interest, Manifest, Message, Verdict, export, fits, manifest,
};
use serde::Deserialize;

/// Patterns for the values of an argument, any of which may fit.
type Patterns = Vec<String>;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Tools by patterns for their names, with the arguments that they may be called with.
    #[serde(default)]
    allow: BTreeMap<String, BTreeMap<String, Patterns>>,
}

struct ToolPolicy(Config);

impl Guardrail for ToolPolicy {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        Ok(Self(config))
    }

    fn manifest(&self) -> Manifest {
        let calls = Interest::all()
            .methods(["tools/call"])
            .kinds(["request"])
            .direction(Direction::ToServer);
        // A call that names no tool is none of a tool that is listed.
        manifest!()
            .wants(calls)
            .example(Example::block("tools/call", ["anything"]).to_server())
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let mut verdict = Verdict::builder();
        if let Err((rule, reason)) = self.judge(message) {
            verdict.note(rule);
            verdict.block(reason);
        }
        verdict.finish()
    }
}

impl ToolPolicy {
    fn judge(&self, message: &Message<'_>) -> Result<(), (&'static str, String)> {
        let tool = message.subject().unwrap_or_default();
        let mut listed = self.0.allow.iter().filter(|(name, _)| fits(name, tool));
        let Some(first) = listed.next() else {
            return Err((
                "tool",
                "the tool is not one of those that may be called".into(),
            ));
        };
        let mut reason = String::new();
        for (_, arguments) in [first].into_iter().chain(listed) {
            let odd = arguments
                .iter()
                .find(|(name, patterns)| !is_allowed(message, name, patterns));
            match odd {
                None => return Ok(()),
                Some((name, _)) => reason = format!("its argument {name} is not as it has to be"),
            }
        }
        Err(("argument", reason))
    }
}

fn is_allowed(message: &Message<'_>, argument: &str, patterns: &Patterns) -> bool {
    let name = argument.replace('~', "~0").replace('/', "~1");
    let json = message.value(&format!("/arguments/{name}"));
    let Some(value) = json.and_then(|json| serde_json::from_str::<String>(&json).ok()) else {
        return false;
    };
    // Servers take `a/../b` for `b`, also where it is written with the other slash or encoded.
    let plain = value.replace("%2e", ".").replace("%2E", ".");
    let leaves = plain.split(['/', '\\']).any(|part| part == "..");
    patterns
        .iter()
        .any(|pattern| fits(pattern, &value) && !(leaves && pattern.contains('*')))
}

export!(ToolPolicy);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mcp_gateway_sdk::Decision;
    use mcp_gateway_sdk::testing::{Sample, configured, examples_hold};
    use serde_json::{Value, json};

    use super::*;

    const CONFIG: &str = r#"{"allow":{"list_*":{},"read_file":{"path":["/srv/notes/*"]},
        "fetch":{"url":["https://docs.example/*","https://example.com/"]}}}"#;

    fn passes(tool: &str, arguments: Value) -> bool {
        let guardrail = configured::<ToolPolicy>(CONFIG).unwrap();
        let payload = json!({ "name": tool, "arguments": arguments });
        let sample = Sample::of("tools/call", "request", &payload).subject(tool);
        matches!(sample.judge(&guardrail).unwrap().decision, Decision::Pass)
    }

    #[test]
    fn what_is_listed_passes_and_nothing_else() {
        assert!(passes("list_files", json!({"any": 1})));
        assert!(passes(
            "read_file",
            json!({"path": "/srv/notes/a.md", "head": 3})
        ));
        assert!(passes("fetch", json!({"url": "https://example.com/"})));
        assert!(!passes("write_file", json!({})));
        assert!(!passes("read_files", json!({"path": "/srv/notes/a.md"})));
        assert!(!passes("fetch", json!({"url": "https://example.com/x"})));
    }

    #[test]
    fn an_argument_that_is_named_has_to_be_there_and_a_string() {
        assert!(!passes("read_file", json!({})));
        assert!(!passes("read_file", json!({"path": ["/srv/notes/a.md"]})));
    }

    #[test]
    fn a_path_does_not_leave_its_folder() {
        for path in [
            "/srv/notes/../x",
            "/srv/notes/..",
            "/srv/notes/%2e%2E/x",
            r"/srv/notes/..\x",
        ] {
            assert!(!passes("read_file", json!({ "path": path })), "{path}");
        }
        assert!(passes("read_file", json!({"path": "/srv/notes/..a"})));
    }

    #[test]
    fn its_examples_hold() {
        examples_hold(&configured::<ToolPolicy>(CONFIG).unwrap()).unwrap();
        assert!(configured::<ToolPolicy>(r#"{"alow":{}}"#).is_err());
    }
}
