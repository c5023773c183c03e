#![doc = include_str!("../README.md")]

use std::time::Duration;

use mcp_gateway_sdk::bindings::mcp_gateway::guardrail::state;
use mcp_gateway_sdk::{
    Example, Guardrail, Interest, Manifest, Message, Scope, StateError, Verdict, export, manifest,
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    eager: bool,
}

struct Keeping;

impl Guardrail for Keeping {
    type Config = Config;

    fn configure(config: Config) -> Result<Self, String> {
        if config.eager {
            state::get(Scope::Global, "k");
        }
        Ok(Self)
    }

    fn manifest(&self) -> Manifest {
        manifest!()
            .wants(Interest::all().methods(["tools/call"]).kinds(["request"]))
            .example(redacts("@add global example 1", "1"))
            .example(redacts("@add session example 1", "1"))
            .example(redacts("@key session p", KEY))
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let mut verdict = Verdict::builder();
        for text in message.texts().filter(|text| text.starts_with('@')) {
            let order = text.lines().next().unwrap_or_default();
            let outcome = obey(message, order)?;
            verdict.mask(&text, 0..text.len(), "order", &outcome);
        }
        verdict.finish()
    }
}

fn obey(message: &Message<'_>, order: &str) -> Result<String, String> {
    let words: Vec<&str> = order.split(' ').collect();
    let [order, scope, key, rest @ ..] = words.as_slice() else {
        return Err("an order has a scope and a key".into());
    };
    let scope = match *scope {
        "session" => Scope::Session,
        _ => Scope::Global,
    };
    let state = message.state(scope);
    let number = || {
        rest.first()
            .and_then(|word| word.parse::<i64>().ok())
            .unwrap_or(0)
    };
    let told =
        |outcome: Result<String, StateError>| outcome.unwrap_or_else(|error| format!("{error:?}"));
    Ok(match (*order, rest) {
        ("@get", []) => match state.get(key) {
            Some(value) => String::from_utf8_lossy(&value).into_owned(),
            None => "nothing".into(),
        },
        ("@set", [value]) => told(state.set(key, value.as_bytes()).map(|()| "set".into())),
        ("@fill", _) => {
            let value = vec![b'x'; usize::try_from(number()).unwrap_or(0)];
            told(state.set(key, &value).map(|()| "set".into()))
        }
        ("@delete", []) => state.delete(key).to_string(),
        ("@add", _) => {
            let seconds = rest.get(1).and_then(|word| word.parse().ok());
            let sum = state.increment(key, number(), seconds.map(Duration::from_secs));
            told(sum.map(|sum| sum.to_string()))
        }
        ("@swap", [expected, value]) => {
            let expected = (*expected != "-").then_some(expected.as_bytes());
            let swapped = state.compare_and_swap(key, expected, value.as_bytes(), None);
            told(swapped.map(|swapped| swapped.to_string()))
        }
        ("@key", []) => hex(&message.key(scope, key)),
        ("@often", _) => {
            for _ in 0..number() {
                state.increment(key, 1, None)?;
            }
            "added".into()
        }
        _ => return Err(format!("there is no order {order}")),
    })
}

fn redacts(order: &str, outcome: &str) -> Example {
    Example::redact("tools/call", [order], [outcome]).to_server()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What every gateway gives to an example.
const KEY: &str = "36d89cd89a1ebd7d2526ebfa928ab40b7009082d46fcfbe818eeb9ad27b9910c";

export!(Keeping);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_examples_hold_without_a_gateway() {
        let checked = mcp_gateway_sdk::testing::examples_hold(&Keeping);
        assert_eq!(checked, Ok(()));
    }
}
