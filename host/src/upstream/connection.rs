//! A connection to a server, whether that is a process or runs elsewhere.

use std::io;
use std::sync::Arc;

use tokio::process::{ChildStderr, ChildStdout};
use tokio::sync::mpsc;

use super::http::{self, Remote};
use super::process::{self, Process, StartError};
use super::reaper::Reaper;
use crate::config::{Server, Transport};
use crate::message::Message;
use crate::wire::{Line, Lines, Outbox};

/// A server's end of the line.
pub struct Connection {
    /// Where messages for it are left.
    pub outbox: Outbox,
    /// What it sends.
    pub messages: Incoming,
    /// What it writes for a person; only a process does.
    pub log: Option<Lines<ChildStderr>>,
    /// What holds the connection.
    pub link: Link,
}

/// What comes in from a server.
#[derive(Debug)]
pub enum Incoming {
    /// The standard output of a process.
    Process(Lines<ChildStdout>),
    /// The answers and streams of a remote server, as one.
    Remote(mpsc::Receiver<Received>),
}

/// One thing that came in.
#[derive(Debug)]
pub enum Received {
    /// A message.
    Message(Message),
    /// A line that may be one.
    Line(Line),
    /// That a request has no answer.
    Undelivered(Undelivered),
}

/// A request that got no answer although its connection may be well.
#[derive(Debug)]
pub struct Undelivered {
    /// The id that the request was sent with.
    pub id: Box<str>,
    /// Why. It may quote the server.
    pub reason: String,
    /// Whether the server is known not to have worked on it, so that it can be
    /// sent again once there is a new connection.
    pub again: bool,
}

/// What holds a connection.
#[derive(Debug)]
pub enum Link {
    /// A process.
    Process(Process),
    /// A remote server.
    Remote(Remote),
}

/// Why a connection ended, and what is next.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Why.
    pub reason: Arc<str>,
    /// What is next.
    pub next: Next,
}

/// What is next once a connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// To try again after a pause.
    Pause,
    /// To connect again: the server is well, and only has no session any more.
    Reconnect,
}

/// Starts a server, or connects to it.
pub fn connect(
    server: &Server,
    longest_message: usize,
    reaper: Option<&Reaper>,
) -> Result<Connection, StartError> {
    match &server.transport {
        Transport::Stdio(program) => process::start(program, longest_message, reaper),
        Transport::Http(remote) => Ok(http::connect(
            server.name.clone().into(),
            remote,
            longest_message,
        )),
    }
}

impl Incoming {
    /// What comes in next; `None` once nothing will.
    pub async fn next(&mut self) -> io::Result<Option<Received>> {
        match self {
            Self::Process(lines) => Ok(lines.next().await?.map(Received::Line)),
            Self::Remote(inbox) => Ok(inbox.recv().await),
        }
    }
}

impl Link {
    /// Waits until the server's end is gone.
    pub async fn ended(&mut self) -> Ended {
        match self {
            Self::Process(process) => Ended::with(process.ended().await),
            Self::Remote(remote) => remote.ended().await,
        }
    }

    /// Ends the connection: a process with everything that it started, a
    /// session with a word to the server.
    pub async fn end(self) {
        match self {
            Self::Process(process) => process.end().await,
            Self::Remote(remote) => remote.end().await,
        }
    }
}

impl Ended {
    /// An end after which a pause is due.
    pub fn with(reason: impl Into<Arc<str>>) -> Self {
        Self {
            reason: reason.into(),
            next: Next::Pause,
        }
    }
}
