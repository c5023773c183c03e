#![doc = include_str!("../README.md")]

use mcp_gateway_sdk::http::Request;
use mcp_gateway_sdk::{
    Direction, Example, Guardrail, Interest, Manifest, Message, Verdict, export, fits, manifest,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Where the service is.
    #[serde(default)]
    url: String,
    /// Patterns for the names of tools.
    #[serde(default)]
    tools: Vec<String>,
}

/// What the service answers.
#[derive(Debug, Deserialize)]
struct Answer {
    approved: bool,
    reason: Option<String>,
}

struct Approval(Config);

impl Guardrail for Approval {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        if config.url.is_empty() && !config.tools.is_empty() {
            return Err("url is missing: the address of the service that decides".into());
        }
        Ok(Self(config))
    }

    fn manifest(&self) -> Manifest {
        let calls = Interest::all()
            .methods(["tools/call"])
            .kinds(["request"])
            .direction(Direction::ToServer);
        // Nobody is asked about a call that names no tool.
        let manifest = manifest!().wants(calls);
        match self.is_asked_about("") {
            true => manifest,
            false => manifest.example(Example::pass("tools/call", ["anything"]).to_server()),
        }
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let mut verdict = Verdict::builder();
        let tool = message.subject().unwrap_or_default();
        if self.is_asked_about(tool) {
            let answer = self.ask(message, tool)?;
            verdict.note(if answer.approved {
                "approved"
            } else {
                "refused"
            });
            if !answer.approved {
                let reason = answer.reason.unwrap_or("it was not approved".into());
                verdict.block(reason);
            }
        }
        verdict.finish()
    }
}

impl Approval {
    fn is_asked_about(&self, tool: &str) -> bool {
        self.0.tools.iter().any(|pattern| fits(pattern, tool))
    }

    fn ask(&self, message: &Message<'_>, tool: &str) -> Result<Answer, String> {
        let arguments = message.value("/arguments");
        let arguments = arguments.and_then(|json| serde_json::from_str::<Value>(&json).ok());
        let question = json!({ "server": message.server(), "tool": tool, "arguments": arguments });
        let answer = Request::post(&self.0.url, question.to_string().as_bytes())
            .header("content-type", "application/json")
            .send()?;
        if answer.status != 200 {
            return Err(format!("the service answers with status {}", answer.status));
        }
        // What it says may be anything; the error of the parser would quote it.
        serde_json::from_slice(&answer.body)
            .map_err(|_| "the service answers something else".into())
    }
}

export!(Approval);

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mcp_gateway_sdk::Decision;
    use mcp_gateway_sdk::testing::{Sample, configured, examples_hold};

    use super::*;

    const CONFIG: &str = r#"{"url":"https://approve.example/mcp","tools":["delete_*"]}"#;

    fn call(tool: &str) -> Sample {
        let payload = json!({ "name": tool, "arguments": {} });
        Sample::of("tools/call", "request", &payload).subject(tool)
    }

    #[test]
    fn other_tools_are_called_without_asking() {
        let guardrail = configured::<Approval>(CONFIG).unwrap();
        let outcome = call("read_file").judge(&guardrail).unwrap();
        assert!(matches!(outcome.decision, Decision::Pass));
    }

    #[test]
    fn a_service_that_is_not_reached_gives_no_verdict() {
        let guardrail = configured::<Approval>(CONFIG).unwrap();
        assert!(call("delete_file").judge(&guardrail).is_err());
    }

    #[test]
    fn its_examples_hold_and_an_address_is_needed() {
        examples_hold(&configured::<Approval>(CONFIG).unwrap()).unwrap();
        assert!(configured::<Approval>(r#"{"tools":["a"]}"#).is_err());
    }
}
