#![doc = include_str!("../README.md")]

use mcp_gateway_sdk::{Guardrail, Manifest, Message, NoConfig, Verdict, export, manifest};

struct Failing;

impl Guardrail for Failing {
    type Config = NoConfig;

    fn configure(NoConfig {}: NoConfig) -> Result<Self, String> {
        Ok(Self)
    }

    fn manifest(&self) -> Manifest {
        manifest!()
    }

    fn check(&self, _: &Message<'_>) -> Result<Verdict, String> {
        Err("no message is good enough for it".into())
    }
}

export!(Failing);
