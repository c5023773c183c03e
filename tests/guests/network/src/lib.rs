#![doc = include_str!("../README.md")]

use mcp_gateway_sdk::{Guardrail, Manifest, Message, NoConfig, Verdict, export, manifest};

mod http {
    wit_bindgen::generate!({ path: "wit", world: "network" });
}

use http::wasi::http::outgoing_handler::handle;
use http::wasi::http::types::{Fields, OutgoingRequest};

struct Network;

impl Guardrail for Network {
    type Config = NoConfig;

    fn configure(NoConfig {}: NoConfig) -> Result<Self, String> {
        Ok(Self)
    }

    fn manifest(&self) -> Manifest {
        manifest!()
    }

    fn check(&self, message: &Message<'_>) -> Result<Verdict, String> {
        let request = OutgoingRequest::new(Fields::new());
        let host = message
            .texts()
            .next()
            .map_or("example.org", |text| text.as_str());
        request
            .set_authority(Some(host))
            .map_err(|()| "no authority")?;
        handle(request, None).map_err(|error| format!("{error:?}"))?;
        Ok(Verdict::pass())
    }
}

export!(Network);
