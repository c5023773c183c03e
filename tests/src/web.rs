//! What guardrails send requests to: HTTP/1.1 in plain sight, over TLS as well.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A running web server. It ends with the test's process.
pub struct Peer {
    address: SocketAddr,
    scheme: &'static str,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
}

/// A request that came in.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Such as `POST`.
    pub method: String,
    /// As it is written, which behind a proxy is the whole address.
    pub target: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    /// As text.
    pub body: String,
}

/// Where the answer to a request is written.
pub struct Reply<'a> {
    connection: &'a mut dyn Connection,
    is_over: bool,
}

/// What bytes come and go over.
pub trait Connection: Read + Write {}
impl<C: Read + Write> Connection for C {}

/// What answers a request.
pub type Answer = dyn Fn(&Seen, &mut Reply<'_>) + Send + Sync;
/// What makes a connection of a stream.
pub type Accept = dyn Fn(TcpStream) -> Box<dyn Connection> + Send + Sync;

impl Peer {
    /// Starts a server that answers so. Every connection has a thread.
    pub fn start(answer: impl Fn(&Seen, &mut Reply<'_>) + Send + Sync + 'static) -> Self {
        Self::with(
            "http",
            Arc::new(|stream| Box::new(stream)),
            Arc::new(answer),
        )
    }

    /// The same, once each connection was accepted in a way of its own.
    pub fn with(scheme: &'static str, accept: Arc<Accept>, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = Self {
            address: listener.local_addr().unwrap(),
            scheme,
            seen: Arc::default(),
            connections: Arc::default(),
        };
        let (seen, connections) = (Arc::clone(&peer.seen), Arc::clone(&peer.connections));
        thread::spawn(move || {
            for stream in listener.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                let (accept, answer) = (Arc::clone(&accept), Arc::clone(&answer));
                let seen = Arc::clone(&seen);
                thread::spawn(move || serve(accept(stream.unwrap()), &*answer, &seen));
            }
        });
        peer
    }

    /// Where it is, by its address.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Where it is, by a name.
    pub fn named(&self, name: &str) -> String {
        format!("{}://{name}:{}", self.scheme, self.address.port())
    }

    /// All requests so far, in the order in which they came in whole.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

fn serve(connection: Box<dyn Connection>, answer: &Answer, seen: &Mutex<Vec<Seen>>) {
    let mut connection = BufReader::new(connection);
    while let Some(request) = read(&mut connection) {
        seen.lock().unwrap().push(request.clone());
        let mut reply = Reply {
            connection: connection.get_mut(),
            is_over: false,
        };
        answer(&request, &mut reply);
        if reply.is_over {
            return;
        }
    }
}

fn read(reader: &mut impl BufRead) -> Option<Seen> {
    let mut line = || {
        let mut line = String::new();
        let read = reader.read_line(&mut line).ok()?;
        (read > 0).then(|| line.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = line()?;
        let Some((name, value)) = line.split_once(": ") else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut request = Seen {
        method,
        target,
        headers,
        body: String::new(),
    };
    let length = request.header("content-length").parse().unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).unwrap();
    Some(request)
}

impl Seen {
    /// A header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

impl Reply<'_> {
    /// Answers with a body.
    pub fn body(&mut self, status: &str, headers: &str, body: &str) {
        let length = body.len();
        self.piece(&format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        ));
    }

    /// Writes a piece of an answer; whether somebody was there to read it.
    pub fn piece(&mut self, text: &str) -> bool {
        self.connection.write_all(text.as_bytes()).is_ok() && self.connection.flush().is_ok()
    }

    /// Ends the connection, however much of the answer is missing.
    pub fn hang_up(&mut self) {
        self.is_over = true;
    }

    /// Waits until whoever asked has hung up.
    pub fn wait_for_hang_up(&mut self) {
        let mut byte = [0];
        while self.connection.read(&mut byte).is_ok_and(|read| read > 0) {}
    }
}
