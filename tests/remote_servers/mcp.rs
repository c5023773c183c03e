//! An MCP server on the web server: well-behaved, unless a test says what is to
//! be otherwise.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mcp_gateway_tests::{Gateway, Server};
use serde_json::json;

use crate::web::{Reply, Request, Web};

/// The sessions of a server.
#[derive(Clone, Default)]
pub(crate) struct Sessions(Arc<(AtomicUsize, Mutex<BTreeSet<String>>)>);

impl Sessions {
    fn begin(&self) -> String {
        let number = self.0.0.fetch_add(1, Ordering::Relaxed) + 1;
        let id = format!("session-{number}");
        self.0.1.lock().unwrap().insert(id.clone());
        id
    }

    fn has(&self, id: &str) -> bool {
        self.0.1.lock().unwrap().contains(id)
    }

    pub(crate) fn forget_all(&self) {
        self.0.1.lock().unwrap().clear();
    }
}

/// Starts a server. What `unlike` answers is its own; for all else it says no.
pub(crate) fn server(
    unlike: impl Fn(&Request, &mut Reply<'_>) -> bool + Send + Sync + 'static,
) -> Web {
    server_with(Sessions::default(), unlike)
}

/// Starts a server with these sessions.
pub(crate) fn server_with(
    sessions: Sessions,
    unlike: impl Fn(&Request, &mut Reply<'_>) -> bool + Send + Sync + 'static,
) -> Web {
    Web::start(move |request, reply| {
        if !unlike(request, reply) {
            answer(&sessions, request, reply);
        }
    })
}

/// Starts a server at this place.
pub(crate) fn server_at(address: SocketAddr) -> Web {
    let sessions = Sessions::default();
    Web::start_at(address, move |request, reply| {
        answer(&sessions, request, reply);
    })
}

/// A gateway in front of a server.
pub(crate) fn gateway(web: &Web) -> Gateway {
    gateway_with(web, &[])
}

/// A gateway in front of a server, with lines for its table.
pub(crate) fn gateway_with(web: &Web, settings: &[&str]) -> Gateway {
    let mut server = Server::remote("r", &web.url("/mcp"));
    for line in settings {
        server = server.setting(line);
    }
    Gateway::with()
        .setting("naming = \"bare\"")
        .server(server)
        .start()
}

/// The result of a tool that says a text.
pub(crate) fn says(request: &Request, text: &str) -> String {
    let result = json!({"content": [{"type": "text", "text": text}]});
    result_of(request, &result.to_string())
}

/// A result for a request.
pub(crate) fn result_of(request: &Request, result: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#,
        request.id()
    )
}

fn answer(sessions: &Sessions, request: &Request, reply: &mut Reply<'_>) {
    let method = request.says("method");
    let session = request.header("mcp-session-id");
    if method == "initialize" {
        let id = sessions.begin();
        let result = json!({
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {"listChanged": true}},
            "serverInfo": {"name": "remote", "version": "1"},
        });
        reply
            .header("Mcp-Session-Id", id)
            .json(&result_of(request, &result.to_string()));
        return;
    }
    if !sessions.has(session) {
        reply.status("404 Not Found");
        return;
    }
    match (request.method.as_str(), method.as_str()) {
        ("POST", "tools/list") => {
            let tools = json!({"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]});
            reply.json(&result_of(request, &tools.to_string()));
        }
        ("POST", "tools/call") => {
            let arguments = request.message()["params"]["arguments"].to_string();
            reply.json(&says(request, &arguments));
        }
        ("POST", _) if request.id() != "null" => {
            let error = r#"{"code":-32601,"message":"Method not found"}"#;
            let id = request.id();
            reply.json(&format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#));
        }
        ("POST", _) => reply.status("202 Accepted"),
        ("DELETE", _) => reply.status("204 No Content"),
        _ => reply.status("405 Method Not Allowed"),
    }
}
