//! The client's side of the gateway over standard input and output.
//!
//! MCP clients start servers with pipes or sockets there. Both are read and
//! written without blocking, which saves every message two hand-overs to a
//! thread; anything else (a terminal, a file) goes through tokio's threads.

use tokio::io::{AsyncRead, AsyncWrite};

/// The stream that the client writes to.
pub(super) type Reader = Box<dyn AsyncRead + Unpin + Send>;

/// The stream that the client reads from.
pub(super) type Writer = Box<dyn AsyncWrite + Unpin + Send>;

/// Standard input and output. Nothing else in the process may use them.
pub fn stdio() -> (Reader, Writer) {
    let reader = nonblocking_reader().unwrap_or_else(|| Box::new(tokio::io::stdin()));
    let writer = nonblocking_writer().unwrap_or_else(|| Box::new(tokio::io::stdout()));
    (reader, writer)
}

#[cfg(unix)]
fn nonblocking_reader() -> Option<Reader> {
    use std::os::fd::AsFd;
    match Stream::of(std::io::stdin().as_fd())? {
        Stream::Pipe(fd) => Some(Box::new(
            tokio::net::unix::pipe::Receiver::from_owned_fd(fd).ok()?,
        )),
        Stream::Socket(socket) => Some(Box::new(socket)),
    }
}

#[cfg(unix)]
fn nonblocking_writer() -> Option<Writer> {
    use std::os::fd::AsFd;
    match Stream::of(std::io::stdout().as_fd())? {
        Stream::Pipe(fd) => Some(Box::new(
            tokio::net::unix::pipe::Sender::from_owned_fd(fd).ok()?,
        )),
        Stream::Socket(socket) => Some(Box::new(socket)),
    }
}

#[cfg(unix)]
enum Stream {
    Pipe(std::os::fd::OwnedFd),
    Socket(tokio::net::UnixStream),
}

#[cfg(unix)]
impl Stream {
    fn of(fd: std::os::fd::BorrowedFd<'_>) -> Option<Self> {
        use rustix::fs::FileType;
        let kind = FileType::from_raw_mode(rustix::fs::fstat(fd).ok()?.st_mode);
        let own = fd.try_clone_to_owned().ok()?;
        match kind {
            FileType::Fifo => {
                crate::wire::widen(&own);
                Some(Self::Pipe(own))
            }
            FileType::Socket => {
                let socket = std::os::unix::net::UnixStream::from(own);
                socket.set_nonblocking(true).ok()?;
                Some(Self::Socket(tokio::net::UnixStream::from_std(socket).ok()?))
            }
            _ => None,
        }
    }
}

#[cfg(not(unix))]
fn nonblocking_reader() -> Option<Reader> {
    None
}

#[cfg(not(unix))]
fn nonblocking_writer() -> Option<Writer> {
    None
}
