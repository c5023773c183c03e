#![doc = include_str!("../README.md")]

use std::net::TcpStream;

use mcp_gateway_sdk::{Guardrail, Manifest, Message, NoConfig, Verdict, export, manifest};

struct Sockets;

impl Guardrail for Sockets {
    type Config = NoConfig;

    fn configure(NoConfig {}: NoConfig) -> Result<Self, String> {
        Ok(Self)
    }

    fn manifest(&self) -> Manifest {
        manifest!()
    }

    fn check(&self, _: &Message<'_>) -> Result<Verdict, String> {
        TcpStream::connect(("127.0.0.1", 9)).map_err(|error| error.to_string())?;
        Ok(Verdict::pass())
    }
}

export!(Sockets);
