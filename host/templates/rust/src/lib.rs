//! Hides the name of an internal project.

use mcp_gateway_sdk::{Example, Guardrail, Manifest, Message, NoConfig, Verdict, export, manifest};

const NAME: &str = "BLUEBIRD";

struct MyGuardrail;

impl Guardrail for MyGuardrail {
    type Config = NoConfig;

    fn configure(NoConfig {}: NoConfig) -> Result<Self, String> {
        Ok(Self)
    }

    fn manifest(&self) -> Manifest {
        manifest!().example(Example::redact(
            "tools/call",
            ["BLUEBIRD 2"],
            ["<CODENAME> 2"],
        ))
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let mut verdict = Verdict::builder();
        for text in message.texts() {
            for (start, _) in text.match_indices(NAME) {
                verdict.mask(&text, start..start + NAME.len(), "codename", "<CODENAME>");
            }
        }
        verdict.finish()
    }
}

export!(MyGuardrail);

#[cfg(test)]
mod tests {
    use mcp_gateway_sdk::testing::{Sample, examples_hold};

    use super::*;

    #[test]
    fn the_name_is_hidden_wherever_it_stands() {
        let sample = Sample::response("tools/call", ["BLUEBIRD-7 of BLUEBIRD", "bluebird"]);
        let outcome = sample.judge(&MyGuardrail).unwrap();
        assert_eq!(outcome.texts, ["<CODENAME>-7 of <CODENAME>", "bluebird"]);
    }

    #[test]
    fn its_examples_hold() {
        examples_hold(&MyGuardrail).unwrap();
    }
}
