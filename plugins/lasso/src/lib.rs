#![doc = include_str!("../README.md")]

mod answer;
mod apply;
mod ask;
mod body;
mod breaker;
mod config;
mod edit;
mod ident;
mod kept;
mod legacy;
mod native;
mod piece;

use mcp_gateway_sdk::{
    Direction, Guardrail, Interest, Manifest, Message, Verdict, export, manifest,
};

use ask::Trouble;
use config::{Check, Config, Mapping, Settings};
use piece::Sent;

/// What a model reads or says; the rest is between programs.
const METHODS: [&str; 8] = [
    "tools/*",
    "prompts/*",
    "resources/*",
    "sampling/createMessage",
    "elicitation/create",
    "completion/complete",
    "initialize",
    "server/discover",
];

/// The rule by which a message is refused because the key is.
const KEY_REFUSED: &str = "key-refused";

/// The guardrail `lasso`.
struct Lasso(Settings);

impl Guardrail for Lasso {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        Ok(Self(config.settle()?))
    }

    fn manifest(&self) -> Manifest {
        let wanted = Interest::all()
            .methods(METHODS)
            .kinds(["request", "response", "error"]);
        let wanted = match self.0.check {
            Check::All => wanted,
            Check::ToServer => wanted.direction(Direction::ToServer),
            Check::ToClient => wanted.direction(Direction::ToClient),
        };
        manifest!()
            .name("lasso")
            .config_schema(config::SCHEMA)
            .wants(wanted)
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let Some(sent) = self.sent(message) else {
            return Ok(Verdict::pass());
        };
        let mut verdict = Verdict::builder();
        for batch in sent.batches() {
            match ask::ask(&self.0, message, &batch) {
                Ok(outcome) => {
                    apply::apply(message, &batch, &outcome, &mut verdict);
                    if outcome.blocks() {
                        break;
                    }
                }
                // A key that nobody mends must show, also where failures may pass.
                Err(Trouble::Key(words)) => {
                    verdict.note(KEY_REFUSED);
                    verdict.block(words);
                    break;
                }
                Err(Trouble::Other(words)) => return Err(words),
            }
        }
        verdict.finish()
    }
}

export!(Lasso);

impl Lasso {
    /// What Lasso is shown of a message; nothing where there is nothing to judge.
    fn sent(&self, message: &Message<'_>) -> Option<Sent> {
        match self.0.mapping {
            Mapping::Native => native::sent(message, self.0.calls_are),
            Mapping::Legacy => legacy::sent(message),
        }
    }
}

#[cfg(test)]
mod tests;
