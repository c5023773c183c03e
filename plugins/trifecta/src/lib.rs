#![doc = include_str!("../README.md")]

mod config;
mod fetch;
mod labels;
mod session;
mod shown;
mod tools;
mod words;

use std::time::Duration;

use mcp_gateway_sdk::{
    Direction, Example, Guardrail, Interest, Manifest, Message, Rule, Scope, Verdict, export,
    manifest,
};

use config::{Action, CONFIG_SCHEMA, Config, Remember};
use labels::Labels;
use session::Seen;
use words::Words;

/// The name of the one rule, which is that of the scan's as well.
const RULE: &str = "lethal-trifecta";

/// How long it is known that a person is asked about a call: while they think, and while the server works.
const WAIT: Duration = Duration::from_secs(2 * 60 * 60);

/// The guardrail `trifecta`.
struct Trifecta {
    config: Config,
    words: Words,
}

impl Guardrail for Trifecta {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        let words = Words::new()?;
        Ok(Self { config, words })
    }

    fn manifest(&self) -> Manifest {
        let calls = Interest::all()
            .methods(["tools/call", "resources/read"])
            .kinds(["request"])
            .direction(Direction::ToServer);
        let shown = Interest::all()
            .kinds(["request", "response", "error"])
            .direction(Direction::ToClient);
        manifest!()
            .name("trifecta")
            .config_schema(CONFIG_SCHEMA)
            .wants(calls)
            .wants(shown)
            .example(Example::pass("tools/call", ["send_email", "Hello"]).to_server())
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        match message.direction() {
            Direction::ToServer => self.leave(message),
            Direction::ToClient => self.show(message),
        }
    }
}

export!(Trifecta);

impl Trifecta {
    /// A call, on its way to a server.
    fn leave(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let Some(seen) = Seen::both(message) else {
            return Ok(Verdict::pass());
        };
        let labels = self.labels(message);
        let sends = labels.has(Labels::SENDS)
            || labels.has(Labels::FETCHES) && fetch::carries(message, self.config.fetch_length);
        if !sends || self.is_approved(message) {
            return Ok(Verdict::pass());
        }
        self.asks(message);
        let says = format!(
            "{} can send data away, and this session has seen what strangers may have written ({}) and private data ({})",
            tools::described(message),
            seen.untrusted,
            seen.private
        );
        let mut verdict = Verdict::builder();
        verdict.note(Rule::new(RULE).remark(&says));
        match self.config.action {
            Action::Ask => verdict.ask(format!("{says}. Let this call through?")),
            Action::Block => verdict.block(says),
            Action::Warn => {}
        }
        verdict.finish()
    }

    /// What a server says, on its way to the client.
    fn show(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let is_answer = message.kind() == "response";
        if is_answer && message.method() == "tools/list" {
            tools::remember(message, &self.words);
        }
        if is_answer {
            self.answered(message);
        }
        session::note(message, self.labels(message), &self.config)?;
        Ok(Verdict::pass())
    }

    fn labels(&self, message: &Message<'_>) -> Labels {
        tools::labels(message, &self.config, &self.words)
    }

    fn remembers(&self) -> bool {
        self.config.remember == Remember::Tool && self.config.action == Action::Ask
    }

    fn is_approved(&self, message: &Message<'_>) -> bool {
        let state = message.state(Scope::Session);
        self.remembers() && state.get(&approved(message)).is_some()
    }

    /// Remembers that a person is asked about a call. Where there is no room, they are asked again.
    fn asks(&self, message: &Message<'_>) {
        if let Some(key) = asked(message).filter(|_| self.remembers()) {
            let _ = message.state(Scope::Session).set_for(&key, b"", WAIT);
        }
    }

    /// A call that a person was asked about, and that is answered by its server, was approved.
    fn answered(&self, message: &Message<'_>) {
        let state = message.state(Scope::Session);
        let asked = asked(message).filter(|_| self.remembers());
        if asked.is_some_and(|key| state.delete(&key)) {
            let _ = state.set(&approved(message), b"");
        }
    }
}

fn asked(message: &Message<'_>) -> Option<String> {
    Some(format!("asked/{}", message.exchange()?))
}

fn approved(message: &Message<'_>) -> String {
    let tool = message.subject().unwrap_or_default();
    format!("approved/{}/{tool}", message.server())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
