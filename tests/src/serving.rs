//! The gateway over HTTP, and clients of it.

use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Request, Response};
use crate::{Log, Server, eventually};

/// A gateway that serves. Dropping it kills it.
pub struct Serving {
    /// What it logs.
    pub log: Log,
    /// Its configuration file.
    pub config: PathBuf,
    /// Where it listens: an IP and a port.
    pub address: String,
    pub(crate) child: Mutex<Child>,
    pub(crate) servers: Vec<Server>,
    pub(crate) folder: TempDir,
}

/// A client of the legacy era, with a session of its own.
pub struct HttpClient {
    address: String,
    headers: Vec<(String, String)>,
    last_id: AtomicU64,
}

impl Serving {
    /// Waits until it listens, and notes where.
    pub(crate) fn wait_to_listen(&mut self) {
        let event = self.log.wait("serving at http://");
        let (_, address) = event.message().split_once("http://").unwrap();
        self.address = address.trim_end_matches("/mcp").to_owned();
    }

    /// Where clients find it.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// A request to where clients find it, as a client would make it.
    pub fn request(&self, method: &'static str) -> Request {
        Request::new(&self.address, method, "/mcp")
            .header("Accept", "application/json, text/event-stream")
            .header("Content-Type", "application/json")
    }

    /// A client that has opened its session.
    pub fn client(&self) -> HttpClient {
        self.client_with(json!({}))
    }

    /// A client with these capabilities that has opened its session.
    pub fn client_with(&self, capabilities: Value) -> HttpClient {
        let initialize = initialize("2025-11-25", capabilities);
        let response = self.request("POST").body(initialize.to_string()).send();
        assert_eq!(response.status, 200);
        let session = response.header("mcp-session-id").to_owned();
        assert!(response.answer()["result"].is_object());
        let client = HttpClient {
            address: self.address.clone(),
            headers: vec![
                ("Mcp-Session-Id".to_owned(), session),
                ("MCP-Protocol-Version".to_owned(), "2025-11-25".to_owned()),
            ],
            last_id: AtomicU64::new(0),
        };
        let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(client.post(&initialized).status, 202);
        client
    }

    /// The first server, or the only one.
    pub fn server(&self) -> &Server {
        &self.servers[0]
    }

    /// The processes of the first server: one for each session.
    pub fn server_processes(&self) -> Vec<u32> {
        let diary = self.server().diary();
        let processes = diary
            .iter()
            .filter_map(|line| line.strip_prefix("process "));
        processes.map(|number| number.parse().unwrap()).collect()
    }

    /// The folder of its configuration.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process.
    pub fn process(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// Waits for it to end by itself.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait(&self) -> ExitStatus {
        let mut status = None;
        eventually("the end of the gateway", || {
            status = self.child.lock().unwrap().try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }
}

/// A request that opens a session.
pub fn initialize(version: &str, capabilities: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": version,
        "capabilities": capabilities,
        "clientInfo": {"name": "tests", "version": "1"},
    }})
}

impl HttpClient {
    /// The id of its session.
    pub fn session(&self) -> &str {
        &self.headers[0].1
    }

    /// A request as part of the session.
    pub fn http(&self, method: &'static str) -> Request {
        let request = Request::new(&self.address, method, "/mcp")
            .header("Accept", "application/json, text/event-stream")
            .header("Content-Type", "application/json");
        let headers = self.headers.iter();
        headers.fold(request, |request, (name, value)| {
            request.header(name, value)
        })
    }

    /// Posts a message.
    pub fn post(&self, message: &Value) -> Response {
        self.http("POST").body(message.to_string()).send()
    }

    /// Posts a request; what comes back is not read yet.
    pub fn start(&self, method: &str, params: Value) -> Response {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        self.post(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
    }

    /// Calls a tool; what comes back is not read yet.
    pub fn start_call(&self, tool: &str, arguments: Value) -> Response {
        self.start("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// Calls a tool and waits for the text that it answers.
    pub fn call(&self, tool: &str, arguments: Value) -> String {
        let answer = self.start_call(tool, arguments).answer();
        let text = answer
            .pointer("/result/content/0/text")
            .and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no text in {answer}"))
            .to_owned()
    }

    /// The names in `tools/list`, in their order.
    pub fn tools(&self) -> Vec<String> {
        let answer = self.start("tools/list", json!({})).answer();
        let tools = answer.pointer("/result/tools").and_then(Value::as_array);
        let tools = tools.unwrap_or_else(|| panic!("no tools in {answer}"));
        let name = |tool: &Value| tool["name"].as_str().unwrap().to_owned();
        tools.iter().map(name).collect()
    }

    /// Listens to what belongs to no request.
    pub fn listen(&self) -> Response {
        self.http("GET").send()
    }

    /// Goes on with a stream after an event.
    pub fn resume(&self, event: &str) -> Response {
        self.http("GET").header("Last-Event-ID", event).send()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        // It may have ended already.
        let _ = child.kill();
        let _ = child.wait();
        if std::thread::panicking() {
            eprintln!("the gateway's log:\n{}", self.log.text());
        }
    }
}
