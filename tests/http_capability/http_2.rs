//! A server that speaks HTTP/2 (RFC 9113) over TLS and nothing else: as little of it as it takes
//! to send back what it is sent.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;

/// Of data and headers: nothing follows in this stream. Of settings and pings: it is an answer.
const END: u8 = 1;
/// Of headers: nothing more of them follows.
const WHOLE: u8 = 4;

/// `:status: 200`, by its index in the table that everybody has (RFC 7541, appendix A).
const OK: &[u8] = &[0x88];

/// A running server. It ends with the test's process.
pub(crate) struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    answered: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) fn start(config: &ServerConfig) -> Self {
        let mut config = config.clone();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::default(),
            answered: Arc::default(),
        };
        let connections = Arc::clone(&server.connections);
        let answered = Arc::clone(&server.answered);
        thread::spawn(move || {
            for stream in listener.incoming() {
                connections.fetch_add(1, Ordering::SeqCst);
                let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
                let stream = StreamOwned::new(tls, stream.unwrap());
                let answered = Arc::clone(&answered);
                // It ends when the other side has hung up.
                thread::spawn(move || serve(stream, &answered));
            }
        });
        server
    }

    pub(crate) fn origin(&self) -> String {
        format!("https://localhost:{}", self.address.port())
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

fn serve(mut stream: Tls, answered: &AtomicUsize) -> io::Result<()> {
    let mut preface = [0; PREFACE.len()];
    stream.read_exact(&mut preface)?;
    assert_eq!(preface, PREFACE);
    write(&mut stream, SETTINGS, 0, 0, &[])?;
    let mut bodies: HashMap<u32, Vec<u8>> = HashMap::new();
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let (kind, flags) = (head[3], head[4]);
        let id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut payload)?;
        match kind {
            SETTINGS if flags & END == 0 => write(&mut stream, SETTINGS, END, 0, &[])?,
            PING if flags & END == 0 => write(&mut stream, PING, END, 0, &payload)?,
            DATA => bodies.entry(id).or_default().extend(payload),
            _ => {}
        }
        if matches!(kind, DATA | HEADERS) && flags & END != 0 {
            answered.fetch_add(1, Ordering::SeqCst);
            let body = bodies.remove(&id).unwrap_or_default();
            write(&mut stream, HEADERS, WHOLE, id, OK)?;
            write(&mut stream, DATA, END, id, &body)?;
        }
    }
}

fn write(stream: &mut Tls, kind: u8, flags: u8, id: u32, payload: &[u8]) -> io::Result<()> {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    stream.write_all(&[a, b, c, kind, flags])?;
    stream.write_all(&id.to_be_bytes())?;
    stream.write_all(payload)?;
    stream.flush()
}
