//! HTTP as bytes on a connection: what the tests ask for, and what they get.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::Value;

use crate::PATIENCE;

/// A request in the making.
pub struct Request {
    address: String,
    method: &'static str,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// An answer, of which the head has been read. Dropping it closes the
/// connection.
pub struct Response {
    /// Its status.
    pub status: u16,
    headers: Vec<(String, String)>,
    body: BufReader<Body>,
}

/// A server-sent event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// By which a stream can be resumed.
    pub id: Option<String>,
    /// What it says.
    pub data: String,
}

struct Body {
    connection: BufReader<TcpStream>,
    rest: Rest,
}

enum Rest {
    Bytes(usize),
    Chunks(usize),
    ToTheEnd,
}

impl Request {
    /// A request to an address of an IP and a port.
    pub fn new(address: &str, method: &'static str, path: &str) -> Self {
        Self {
            address: address.to_owned(),
            method,
            path: path.to_owned(),
            headers: vec![("Host".to_owned(), address.to_owned())],
            body: Vec::new(),
        }
    }

    /// Sets a header, in place of what it was.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .retain(|(is, _)| !is.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a header out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(is, _)| !is.eq_ignore_ascii_case(name));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it on a connection of its own, and reads the head of the answer.
    pub fn send(self) -> Response {
        let mut connection = self.start();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        // Who refuses a request may not read it to its end.
        let _ = connection.write_all(&self.body);
        Response::read(connection)
    }

    /// Sends its head only.
    pub fn start(&self) -> TcpStream {
        let mut connection = TcpStream::connect(&self.address).unwrap();
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", self.body.len()));
        connection.write_all(head.as_bytes()).unwrap();
        connection
    }
}

impl Response {
    fn read(connection: TcpStream) -> Self {
        let mut connection = BufReader::new(connection);
        let mut line = || {
            let mut line = String::new();
            connection.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let status = line();
        let status = status.split(' ').nth(1).and_then(|it| it.parse().ok());
        let status = status.expect("an HTTP answer");
        let mut headers = Vec::new();
        loop {
            let line = line();
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let value = |name: &str| {
            let mut headers = headers.iter();
            headers.find_map(|(is, value)| (is == name).then_some(value.as_str()))
        };
        let rest = match (value("transfer-encoding"), value("content-length")) {
            (Some("chunked"), _) => Rest::Chunks(0),
            (_, Some(length)) => Rest::Bytes(length.parse().unwrap()),
            _ if status == 204 || status == 202 => Rest::Bytes(0),
            _ => Rest::ToTheEnd,
        };
        Self {
            status,
            headers,
            body: BufReader::new(Body { connection, rest }),
        }
    }

    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter();
        headers
            .find_map(|(is, value)| (is == name).then_some(value.as_str()))
            .unwrap_or("")
    }

    /// The whole body as text.
    pub fn text(mut self) -> String {
        let mut text = String::new();
        self.body.read_to_string(&mut text).unwrap();
        text
    }

    /// The whole body as JSON.
    pub fn json(self) -> Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text:?}"))
    }

    /// The next event; none at the end. Comments are skipped.
    pub fn event(&mut self) -> Option<Event> {
        let mut event = Event {
            id: None,
            data: String::new(),
        };
        let mut any = false;
        loop {
            let mut line = String::new();
            if self.body.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            let line = line.trim_end_matches('\n');
            match line.split_once(": ") {
                Some(("id", id)) => event.id = Some(id.to_owned()),
                Some(("data", data)) => {
                    any = true;
                    event.data.push_str(data);
                }
                _ if line.is_empty() && any => return Some(event),
                _ => {}
            }
        }
    }

    /// The messages of all events up to the end.
    pub fn messages(mut self) -> Vec<Value> {
        let events = std::iter::from_fn(|| self.event());
        events
            .filter(|event| !event.data.is_empty())
            .map(|event| event.json())
            .collect()
    }

    /// The answer in it, whether it is alone or the last of several messages.
    pub fn answer(self) -> Value {
        if self.header("content-type") == "application/json" {
            return self.json();
        }
        self.messages().pop().expect("an answer")
    }
}

impl Event {
    /// Its message.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.data).unwrap()
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if let Rest::Chunks(0) = self.rest {
            let mut size = String::new();
            self.connection.read_line(&mut size)?;
            if size.trim().is_empty() {
                size.clear();
                self.connection.read_line(&mut size)?;
            }
            let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
            self.rest = match size {
                0 => Rest::Bytes(0),
                size => Rest::Chunks(size),
            };
        }
        let most = match self.rest {
            Rest::Bytes(left) | Rest::Chunks(left) => left.min(buffer.len()),
            Rest::ToTheEnd => buffer.len(),
        };
        if most == 0 {
            // Reading nothing would wait for something.
            return Ok(0);
        }
        let read = self.connection.read(&mut buffer[..most])?;
        match &mut self.rest {
            Rest::Bytes(left) | Rest::Chunks(left) => *left -= read,
            Rest::ToTheEnd => {}
        }
        Ok(read)
    }
}
