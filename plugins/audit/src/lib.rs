#![doc = include_str!("../README.md")]

mod config;

use mcp_gateway_sdk::{
    ByPlace, Content, Form, Guardrail, Interest, Manifest, Message, Verdict, export, manifest,
};

use config::{CONFIG_SCHEMA, Config, Kept, Policy};

/// The methods of which the content is kept. The others are about the connection or are lists, which are long, and of
/// which it matters whether they have changed: their hashes show that.
const TELLING: [&str; 9] = [
    "tools/call",
    "prompts/get",
    "resources/read",
    "completion/complete",
    "sampling/createMessage",
    "elicitation/create",
    "roots/list",
    "tasks/result",
    "tasks/update",
];

/// The guardrail `audit`.
struct Audit {
    methods: Vec<String>,
    policies: ByPlace<Policy>,
}

impl Guardrail for Audit {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        let methods = config.methods.clone();
        let policies = config.policies()?;
        Ok(Self { methods, policies })
    }

    fn manifest(&self) -> Manifest {
        let exchanges = Interest::all()
            .methods(self.methods.iter().map(String::as_str))
            .kinds(["request", "response", "error"]);
        manifest!()
            .name("audit")
            .config_schema(CONFIG_SCHEMA)
            .wants(exchanges)
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        message.keep(self.content(message))?;
        Verdict::builder().finish()
    }
}

export!(Audit);

impl Audit {
    /// What is kept of a message.
    fn content(&self, message: &Message<'_>) -> Option<Content> {
        let policy = self.policies.here(message).whole();
        let is_request = message.kind() == "request";
        let kept = if is_request {
            policy.arguments
        } else {
            policy.result
        };
        let form = match kept {
            Kept::None => return None,
            Kept::Hash => Form::Hash,
            Kept::Full | Kept::Masked if !TELLING.contains(&message.method()) => Form::Hash,
            Kept::Full => Form::Full,
            Kept::Masked => Form::Masked,
        };
        let has_arguments = matches!(message.method(), "tools/call" | "prompts/get");
        let pointer = if is_request && has_arguments {
            "/arguments"
        } else {
            ""
        };
        Some(Content {
            pointer: pointer.to_owned(),
            form,
            limit: policy.limit,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
