//! What a guest says: log lines, standard output and standard error, all under
//! one budget a message and all into the gateway's log under its name.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError, StreamResult};

use super::LimitExceeded;
use crate::capability::log::{self, Line};
use crate::config::Limits;

/// What a guest may still say about the current message.
pub(super) struct LogBudget {
    guardrail: String,
    limits: (u32, u32),
    lines: u32,
    bytes: u32,
    /// The start of a line that has not ended yet.
    partial: Vec<u8>,
}

/// A guest's standard output or error.
#[derive(Clone)]
pub(super) struct Output(pub(super) Arc<Mutex<LogBudget>>);

impl LogBudget {
    pub(super) fn new(guardrail: &str, limits: &Limits) -> Self {
        Self {
            guardrail: guardrail.to_owned(),
            limits: (limits.log_lines, limits.log_bytes),
            lines: limits.log_lines,
            bytes: limits.log_bytes,
            partial: Vec::new(),
        }
    }

    /// Starts the budget of the next message. A line that did not end with the
    /// message before is logged as it is, so that such lines do not add up.
    pub(super) fn renew(&mut self) {
        (self.lines, self.bytes) = self.limits;
        let partial = std::mem::take(&mut self.partial);
        if !partial.is_empty() {
            self.emit(&partial);
        }
    }

    pub(super) fn line(&mut self, line: Line<'_>) -> Result<(), LimitExceeded> {
        self.spend(1, line.text.len())?;
        log::emit(&self.guardrail, line);
        Ok(())
    }

    /// Takes a piece of standard output or error, and logs the lines that it
    /// completes.
    fn piece(&mut self, piece: &[u8]) -> Result<(), LimitExceeded> {
        self.spend(0, piece.len())?;
        self.partial.extend_from_slice(piece);
        while let Some(end) = memchr::memchr(b'\n', &self.partial) {
            let rest = self.partial.split_off(end + 1);
            let line = std::mem::replace(&mut self.partial, rest);
            self.spend(1, 0)?;
            self.emit(&line);
        }
        Ok(())
    }

    fn emit(&self, line: &[u8]) {
        log::emit(&self.guardrail, Line::standard_error(&cut(line)));
    }

    fn spend(&mut self, lines: u32, bytes: usize) -> Result<(), LimitExceeded> {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        match (self.lines.checked_sub(lines), self.bytes.checked_sub(bytes)) {
            (Some(lines), Some(bytes)) => {
                (self.lines, self.bytes) = (lines, bytes);
                Ok(())
            }
            _ => Err(LimitExceeded::Log {
                lines: self.limits.0,
                bytes: self.limits.1,
            }),
        }
    }
}

/// The start of a line of standard output or error.
fn cut(line: &[u8]) -> String {
    const LONGEST: usize = 200;
    let line = String::from_utf8_lossy(line);
    let mut characters = line.trim_end().chars();
    let mut start: String = characters.by_ref().take(LONGEST).collect();
    if characters.next().is_some() {
        start.push('…');
    }
    start
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .piece(&bytes)
            .map_err(|limit| StreamError::Trap(limit.into()))
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    /// Only WASI 0.3 asks for this, which is not linked.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_held_than_one_message_may_say() {
        let limits = Limits::default();
        let mut budget = LogBudget::new("g", &limits);
        for _ in 0..3 {
            budget
                .piece(&vec![b'x'; limits.log_bytes as usize])
                .unwrap();
            assert!(budget.piece(b"x").is_err());
            budget.renew();
            assert!(budget.partial.is_empty());
        }
    }

    #[test]
    fn a_long_line_is_cut() {
        assert_eq!(cut(b"short\r\n"), "short");
        let long = "\u{e9}".repeat(201);
        assert_eq!(cut(long.as_bytes()), "\u{e9}".repeat(200) + "…");
        assert_eq!(cut(&[b'x'; 200]), "x".repeat(200));
    }
}
