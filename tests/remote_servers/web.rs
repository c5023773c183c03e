//! A web server that does what a test tells it: HTTP/1.1 in plain sight.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use mcp_gateway_tests::eventually;
use serde_json::Value;

/// A running server. It ends with the test's process.
pub(crate) struct Web {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
}

/// A request that came in.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// Where the answer to a request is written.
pub(crate) struct Reply<'a> {
    stream: &'a TcpStream,
    headers: Vec<(&'static str, String)>,
    closes: bool,
}

impl Web {
    /// Starts a server that answers so. Every connection has a thread.
    pub(crate) fn start(answer: impl Fn(&Request, &mut Reply<'_>) + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), answer)
    }

    /// The same, at a place that somebody may know already.
    pub(crate) fn start_at(
        address: SocketAddr,
        answer: impl Fn(&Request, &mut Reply<'_>) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer = Arc::new(answer);
        thread::spawn({
            let seen = Arc::clone(&seen);
            move || {
                for stream in listener.incoming() {
                    let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
                    thread::spawn(move || serve(&stream.unwrap(), &*answer, &seen));
                }
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// All requests so far, in the order in which they came in whole.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits for a request that fits.
    pub(crate) fn wait_for(&self, what: &str, fits: impl Fn(&Request) -> bool) -> Request {
        let mut found = None;
        eventually(what, || {
            found = self.seen().into_iter().find(&fits);
            found.is_some()
        });
        found.unwrap()
    }

    /// Waits for the message with this method.
    pub(crate) fn wait_for_method(&self, method: &str) -> Request {
        self.wait_for(method, |request| request.says("method") == method)
    }
}

fn serve(
    stream: &TcpStream,
    answer: &(dyn Fn(&Request, &mut Reply<'_>) + Send + Sync),
    seen: &Mutex<Vec<Request>>,
) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        seen.lock().unwrap().push(request.clone());
        let mut reply = Reply {
            stream,
            headers: Vec::new(),
            closes: false,
        };
        answer(&request, &mut reply);
        if reply.closes {
            break;
        }
    }
    // What an aborted connection leaves is nobody's.
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut words = first.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        }
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    Some(Request {
        method,
        path,
        headers,
        body,
    })
}

impl Request {
    /// A header; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The message in the body.
    pub(crate) fn message(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// A text at the top of the message.
    pub(crate) fn says(&self, key: &str) -> String {
        self.message()[key].as_str().unwrap_or_default().to_owned()
    }

    /// The name of the tool that is called.
    pub(crate) fn tool(&self) -> String {
        let name = self.message()["params"]["name"].clone();
        name.as_str().unwrap_or_default().to_owned()
    }

    /// The id as it is written.
    pub(crate) fn id(&self) -> String {
        self.message()["id"].to_string()
    }
}

impl Reply<'_> {
    /// Adds a header to what follows.
    pub(crate) fn header(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        self.headers.push((name, value.into()));
        self
    }

    fn write(&mut self, text: &str) -> bool {
        let mut stream = self.stream;
        stream.write_all(text.as_bytes()).is_ok() && stream.flush().is_ok()
    }

    fn head(&mut self, status: &str) -> String {
        let headers = self.headers.drain(..);
        let headers: String = headers
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        format!("HTTP/1.1 {status}\r\n{headers}")
    }

    /// Answers with a body.
    pub(crate) fn body(&mut self, status: &str, kind: &str, body: &str) {
        let head = self.head(status);
        let length = body.len();
        self.write(&format!(
            "{head}Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
        ));
    }

    /// Answers with JSON.
    pub(crate) fn json(&mut self, body: &str) {
        self.body("200 OK", "application/json; charset=utf-8", body);
    }

    /// Answers without a body.
    pub(crate) fn status(&mut self, status: &str) {
        let head = self.head(status);
        self.write(&format!("{head}Content-Length: 0\r\n\r\n"));
    }

    /// Begins a stream of events.
    pub(crate) fn stream(&mut self) {
        self.closes = true;
        let head = self.head("200 OK");
        self.write(&format!(
            "{head}Content-Type: text/event-stream\r\nConnection: close\r\n\r\n"
        ));
    }

    /// Writes a piece of the stream; whether somebody was there to read it.
    pub(crate) fn piece(&mut self, text: &str) -> bool {
        self.write(text)
    }

    /// Writes an event of one line.
    pub(crate) fn event(&mut self, data: &str) -> bool {
        self.piece(&format!("data: {data}\n\n"))
    }

    /// Waits until whoever reads the stream has hung up.
    pub(crate) fn wait_for_hang_up(&mut self) {
        let mut byte = [0];
        // Nothing more is sent on this connection, so this ends with it.
        while (&mut &*self.stream)
            .read(&mut byte)
            .is_ok_and(|read| read > 0)
        {}
    }
}
