//! Clients and servers of the two eras of MCP, in all four ways in which they
//! can meet: a server of the official SDK behind the gateway, and what a client
//! sees on the wire.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

#[path = "eras/guarded.rs"]
mod guarded;
#[path = "eras/legacy_client.rs"]
mod legacy_client;
#[path = "eras/meeting.rs"]
mod meeting;
#[path = "eras/modern_client.rs"]
mod modern_client;
#[path = "eras/modern_words.rs"]
mod modern_words;

use mcp_gateway_tests::real::script_server;
use mcp_gateway_tests::{Client, Gateway, Received, Server, Setup};
use serde_json::{Value, json};

const VERSION: &str = "io.modelcontextprotocol/protocolVersion";
const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
const CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// What a client says that can be asked for everything.
fn everything() -> Value {
    json!({"elicitation": {"form": {}}, "sampling": {}, "roots": {}})
}

/// A server that knows one era only, or both.
fn fixture(era: &str) -> Server {
    script_server("f", "fixture.py", &["--era", era, "stdio"])
}

/// A gateway in front of one such server.
fn in_front_of(era: &str) -> Setup {
    Gateway::with().server(fixture(era))
}

/// A modern client: it says with each request who it is.
struct Modern<'a> {
    client: &'a Client,
    capabilities: Value,
}

impl<'a> Modern<'a> {
    fn new(client: &'a Client) -> Self {
        Self {
            client,
            capabilities: everything(),
        }
    }

    fn meta(&self) -> Value {
        json!({
            VERSION: "2026-07-28",
            CLIENT_INFO: {"name": "tests", "version": "1"},
            CAPABILITIES: self.capabilities,
        })
    }

    /// Sends a request; returns its id.
    fn start(&self, method: &str, mut params: Value) -> String {
        let meta = params["_meta"].take();
        params["_meta"] = self.meta();
        for (key, value) in meta.as_object().into_iter().flatten() {
            params["_meta"][key] = value.clone();
        }
        self.client.start(method, params)
    }

    fn request(&self, method: &str, params: Value) -> Received {
        let id = self.start(method, params);
        self.client.answer(&id)
    }

    fn call(&self, tool: &str, arguments: Value) -> Received {
        self.request("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// Comes again with what it was asked for.
    fn again(&self, tool: &str, question: &Value, responses: Value) -> Received {
        let mut params = json!({"name": tool, "arguments": {}, "inputResponses": responses});
        if let Some(state) = question["result"].get("requestState") {
            params["requestState"] = state.clone();
        }
        self.request("tools/call", params)
    }
}

/// Answers a server's request, as the client that got it.
fn reply(client: &Client, request: &Received, result: &Value) {
    let id = request.id.as_deref().unwrap();
    client.send_raw(&format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#
    ));
}

/// What was asked for in an answer, by name.
fn inputs(question: &Value) -> Vec<(String, Value)> {
    assert_eq!(
        question["result"]["resultType"], "input_required",
        "{question}"
    );
    let inputs = question["result"]["inputRequests"].as_object();
    let inputs = inputs.unwrap_or_else(|| panic!("nothing is asked for in {question}"));
    inputs
        .iter()
        .map(|(name, input)| (name.clone(), input.clone()))
        .collect()
}
