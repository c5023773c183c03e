//! A client that speaks JSON-RPC as text: what it sends and gets is kept byte
//! for byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::PATIENCE;

/// A client. Clones share the connection, and can be used at the same time.
#[derive(Clone)]
pub struct Client(Arc<Connection>);

struct Connection {
    stdin: Mutex<Option<Box<dyn Write + Send>>>,
    inbox: Mutex<Inbox>,
    arrived: Condvar,
    last_id: AtomicU64,
}

#[derive(Default)]
struct Inbox {
    /// What nobody has taken yet.
    waiting: Vec<Received>,
    /// Everything, in its order.
    all: Vec<String>,
    ended: bool,
}

/// A message from the gateway.
#[derive(Debug, Clone)]
pub struct Received {
    /// The line as it came.
    pub raw: String,
    /// The id as it is written.
    pub id: Option<String>,
    /// The method, for a request or a notification.
    pub method: Option<String>,
}

#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    method: Option<String>,
}

impl Received {
    fn new(raw: String) -> Self {
        let head: Option<Head<'_>> = serde_json::from_str(&raw).ok();
        let id = head
            .as_ref()
            .and_then(|head| Some(head.id?.get().to_owned()));
        let method = head.and_then(|head| head.method);
        Self { raw, id, method }
    }

    /// The message as a value; not every message can be one.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.raw).unwrap_or_else(|error| panic!("{error} in {}", self.raw))
    }

    /// The text of a tool's answer.
    pub fn text(&self) -> String {
        let value = self.value();
        let text = value
            .pointer("/result/content/0/text")
            .and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no text in {}", self.raw))
            .to_owned()
    }

    /// Whether it is a tool's answer that reports an error.
    pub fn is_tool_error(&self) -> bool {
        self.value().pointer("/result/isError") == Some(&Value::Bool(true))
    }

    fn answers(&self, id: &str) -> bool {
        self.method.is_none() && self.id.as_deref() == Some(id)
    }
}

impl Client {
    /// A client on two streams.
    pub fn on(stdin: impl Write + Send + 'static, stdout: impl Read + Send + 'static) -> Self {
        let connection = Arc::new(Connection {
            stdin: Mutex::new(Some(Box::new(stdin))),
            inbox: Mutex::default(),
            arrived: Condvar::new(),
            last_id: AtomicU64::new(100),
        });
        let reading = Arc::clone(&connection);
        std::thread::spawn(move || {
            let mut lines = BufReader::with_capacity(1 << 20, stdout);
            let mut line = Vec::new();
            while lines
                .read_until(b'\n', &mut line)
                .is_ok_and(|read| read > 0)
            {
                let raw = String::from_utf8_lossy(&line)
                    .trim_end_matches('\n')
                    .to_owned();
                let mut inbox = reading.inbox.lock().unwrap();
                inbox.all.push(raw.clone());
                inbox.waiting.push(Received::new(raw));
                reading.arrived.notify_all();
                line.clear();
            }
            reading.inbox.lock().unwrap().ended = true;
            reading.arrived.notify_all();
        });
        Self(connection)
    }

    /// Opens the session, as a client that can do nothing special.
    pub fn initialize(&self) -> Received {
        self.initialize_with(json!({}))
    }

    /// Opens the session, as a client with these capabilities.
    pub fn initialize_with(&self, capabilities: Value) -> Received {
        let answer = self.request(
            "initialize",
            json!({
                "protocolVersion": "2025-06-18",
                "capabilities": capabilities,
                "clientInfo": {"name": "tests", "version": "1"},
            }),
        );
        self.notify("notifications/initialized", json!({}));
        answer
    }

    /// Sends a line as it is.
    pub fn send_raw(&self, line: &str) {
        let mut stdin = self.0.stdin.lock().unwrap();
        let stdin = stdin.as_mut().expect("the client has left");
        // A gateway that is gone is noticed when its answer does not come.
        let _ = stdin.write_all(format!("{line}\n").as_bytes());
        let _ = stdin.flush();
    }

    /// Sends a notification.
    pub fn notify(&self, method: &str, params: Value) {
        self.send_raw(&json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string());
    }

    /// Sends a request and waits for the answer.
    pub fn request(&self, method: &str, params: Value) -> Received {
        let id = self.start(method, params);
        self.answer(&id)
    }

    /// Sends a request; returns the id by which the answer can be waited for.
    pub fn start(&self, method: &str, params: Value) -> String {
        let id = self.0.last_id.fetch_add(1, Ordering::Relaxed);
        self.send_raw(
            &json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string(),
        );
        id.to_string()
    }

    /// Calls a tool and waits for the answer.
    pub fn call(&self, tool: &str, arguments: Value) -> Received {
        let id = self.start_call(tool, arguments);
        self.answer(&id)
    }

    /// Calls a tool; returns the id by which the answer can be waited for.
    pub fn start_call(&self, tool: &str, arguments: Value) -> String {
        self.start("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// Waits for the answer to the request with this id, as it is written.
    ///
    /// # Panics
    /// When it does not come in time.
    pub fn answer(&self, id: &str) -> Received {
        self.receive(&format!("an answer to {id}"), |message| message.answers(id))
    }

    /// Waits for a request or a notification of a method.
    ///
    /// # Panics
    /// When it does not come in time.
    pub fn receive_method(&self, method: &str) -> Received {
        self.receive(method, |message| message.method.as_deref() == Some(method))
    }

    /// Waits for a message that fits, and takes it.
    ///
    /// # Panics
    /// When it does not come in time.
    pub fn receive(&self, what: &str, fits: impl Fn(&Received) -> bool) -> Received {
        match self.take(PATIENCE, fits) {
            Some(message) => message,
            None => panic!(
                "not received: {what}; received were:\n{}",
                self.received().join("\n")
            ),
        }
    }

    fn take(&self, patience: Duration, fits: impl Fn(&Received) -> bool) -> Option<Received> {
        let deadline = Instant::now() + patience;
        let mut inbox = self.0.inbox.lock().unwrap();
        loop {
            if let Some(at) = inbox.waiting.iter().position(&fits) {
                return Some(inbox.waiting.remove(at));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || inbox.ended {
                return None;
            }
            inbox = self.0.arrived.wait_timeout(inbox, left).unwrap().0;
        }
    }

    /// All lines so far, in their order.
    pub fn received(&self) -> Vec<String> {
        self.0.inbox.lock().unwrap().all.clone()
    }

    /// The names in `tools/list`, in their order.
    pub fn tools(&self) -> Vec<String> {
        let answer = self.request("tools/list", json!({})).value();
        let tools = answer.pointer("/result/tools").and_then(Value::as_array);
        let tools = tools.unwrap_or_else(|| panic!("no tools in {answer}"));
        tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Leaves: closes the gateway's standard input.
    pub fn leave(&self) {
        self.0.stdin.lock().unwrap().take();
    }

    /// Waits until the gateway has closed its standard output.
    pub fn wait_for_end(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut inbox = self.0.inbox.lock().unwrap();
        while !inbox.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "the gateway keeps its standard output open"
            );
            inbox = self.0.arrived.wait_timeout(inbox, left).unwrap().0;
        }
    }
}
