//! Messages that are written down as the guardrails leave them, a JSON object a line, and
//! read again.
//!
//! What goes to a client is written as the chain let it pass; everything, besides, as the
//! guardrails leave it when they are asked for the record, like what is journaled. What one
//! of them looks at but cannot be asked about for the record, and what one of them cannot
//! judge, is not written.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::chain::{Chain, Input, Seen};
use crate::config::GuardrailName;
use crate::guardrail::{Direction, Envelope, Kind};
use crate::message::{Message, string};

/// Messages that may wait to be written; what comes beyond is left out.
const WAITING: usize = 256;

/// Bytes after which nothing more is written: nobody looks after the file.
const LONGEST: u64 = 256 << 20;

/// A line of the file. Its members are told in `docs/swap.md`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    time: u64,
    session: String,
    exchange: Option<u64>,
    server: String,
    method: String,
    kind: String,
    direction: Direction,
    subject: Option<String>,
    elapsed: u64,
    request: Option<Box<RawValue>>,
    message: Box<RawValue>,
}

/// Why a capture cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// There is no such file, or it cannot be read.
    #[error("cannot read {path}: {cause}")]
    Read {
        /// The file.
        path: String,
        /// What the system said.
        cause: io::Error,
    },
    /// A line is none of a capture.
    #[error("{path}:{line} is no line of a capture: {why}")]
    Line {
        /// The file.
        path: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// Messages cannot be written down.
#[derive(Debug, thiserror::Error)]
#[error("messages cannot be captured in {file}: {cause}")]
pub struct Unwritable {
    file: String,
    cause: io::Error,
}

/// The messages of a capture, in their order.
///
/// # Errors
/// When the file cannot be read, or is none.
pub fn read(file: &Path) -> Result<Vec<Input>, CaptureError> {
    let path = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|cause| CaptureError::Read {
        path: path.clone(),
        cause,
    })?;
    let lines = (1..).zip(text.lines());
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    let read = lines.map(|(line, text)| {
        parsed(text).map_err(|why| CaptureError::Line {
            path: path.clone(),
            line,
            why,
        })
    });
    read.collect()
}

fn parsed(text: &str) -> Result<Input, String> {
    let line: Line = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let message = |raw: &RawValue| {
        Message::parse(Bytes::from(raw.get().to_owned())).map_err(|error| error.to_string())
    };
    let kind = Kind::from_name(&line.kind).ok_or_else(|| format!("no kind {:?}", line.kind))?;
    Ok(Input {
        envelope: Envelope {
            session: line.session.into(),
            exchange: line.exchange,
            server: line.server.into(),
            method: line.method.into(),
            kind,
            direction: line.direction,
            subject: line.subject.map(Arc::from),
        },
        message: message(&line.message)?,
        request: line.request.as_deref().map(message).transpose()?,
        elapsed: line.elapsed,
    })
}

/// A file that messages are written into while the gateway runs.
pub struct Capture {
    end: oneshot::Sender<()>,
    writing: JoinHandle<()>,
}

/// What writes them.
struct Writer {
    file: File,
    written: u64,
    left_out: u64,
    chain: Arc<ArcSwap<Chain>>,
    bare: Vec<GuardrailName>,
}

impl Capture {
    /// Writes what comes to a chain into a file that only this person can read, behind
    /// what is there. These guardrails are not asked what to hide.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn begin(
        file: &Path,
        chain: Arc<ArcSwap<Chain>>,
        bare: Vec<GuardrailName>,
    ) -> Result<Self, Unwritable> {
        let (opened, written) = open(file).map_err(|cause| Unwritable {
            file: file.display().to_string(),
            cause,
        })?;
        let (sender, mut seen) = mpsc::channel::<Seen>(WAITING);
        if let Some(recent) = chain.load().memory() {
            recent.tell(sender);
        }
        tracing::warn!(
            file = %file.display(),
            bare = bare.iter().map(GuardrailName::as_str).collect::<Vec<_>>().join(", "),
            "messages are written into a file as the guardrails leave them"
        );
        let mut writer = Writer {
            file: opened,
            written,
            left_out: 0,
            chain,
            bare,
        };
        let (end, mut ended) = oneshot::channel();
        let writing = tokio::spawn(async move {
            loop {
                tokio::select! {
                    biased;
                    _ = &mut ended => seen.close(),
                    next = seen.recv() => match next {
                        Some(next) => writer.take(next).await,
                        None => break,
                    },
                }
                if seen.is_closed() {
                    while let Some(next) = seen.recv().await {
                        writer.take(next).await;
                    }
                    break;
                }
            }
            tracing::info!(left_out = writer.left_out, "the capture is complete");
        });
        Ok(Self { end, writing })
    }

    /// Writes what waits, and ends.
    pub async fn end(self) {
        // It may have ended by itself.
        let _ = self.end.send(());
        if let Err(error) = self.writing.await {
            tracing::error!("the capture is not complete: {error}");
        }
    }
}

impl Writer {
    async fn take(&mut self, seen: Seen) {
        if self.written >= LONGEST {
            self.left_out += 1;
            return;
        }
        let Some(line) = self.line(&seen).await else {
            self.left_out += 1;
            return;
        };
        match self.file.write_all(line.as_bytes()) {
            Ok(()) => self.written += line.len() as u64,
            Err(error) => {
                self.left_out += 1;
                tracing::error!("a message was not written into the capture: {error}");
            }
        }
        if self.written >= LONGEST {
            tracing::warn!("the capture has {LONGEST} bytes: nothing more is written into it");
        }
    }

    /// A message as it may be written down, if anybody can tell.
    async fn line(&self, seen: &Seen) -> Option<String> {
        let Seen { input, left } = seen;
        let envelope = &input.envelope;
        let chain = self.chain.load_full();
        let to_client = envelope.direction == Direction::ToClient && self.bare.is_empty();
        let message = match left.as_ref().filter(|_| to_client) {
            Some(left) => left,
            None if chain.can_mask(envelope, &self.bare) => &input.message,
            None => return None,
        };
        let masked = chain
            .mask_but(&self.bare, envelope, message.clone())
            .await?;
        let request = match &input.request {
            Some(request) => Some(
                chain
                    .mask_but(&self.bare, envelope, request.clone())
                    .await?,
            ),
            None => None,
        };
        let line = Line {
            time: now(),
            session: envelope.session.to_string(),
            exchange: envelope.exchange,
            server: envelope.server.to_string(),
            method: envelope.method.to_string(),
            kind: envelope.kind.as_str().to_owned(),
            direction: envelope.direction,
            subject: subject(envelope, request.as_ref().unwrap_or(&masked)),
            elapsed: input.elapsed,
            request: request.as_ref().and_then(raw),
            message: raw(&masked)?,
        };
        Some(serde_json::to_string(&line).ok()? + "\n")
    }
}

/// A file to add to, and what is in it already.
fn open(file: &Path) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let opened = options.open(file)?;
    let written = opened.metadata()?.len();
    Ok((opened, written))
}

/// The subject; a URI, which may hold anything, as it stands in what was masked.
fn subject(envelope: &Envelope, masked: &Message) -> Option<String> {
    let subject = envelope.subject.as_deref()?;
    if !subject.contains(':') {
        return Some(subject.to_owned());
    }
    let mut members = ["/uri", "/name"].into_iter();
    let uri = members.find_map(|member| masked.value(member));
    uri.and_then(string).map(|uri| uri.into_owned())
}

fn raw(message: &Message) -> Option<Box<RawValue>> {
    RawValue::from_string(message.line().to_owned()).ok()
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_its_message_as_it_stands() {
        let line = r#"{"time":1,"session":"s","exchange":2,"server":"db","method":"tools/call","kind":"response","direction":"to-client","subject":"q","elapsed":7,"request":{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"a":1.50}},"message":{"id":1, "jsonrpc":"2.0","result":{"n":1e2}}}"#;
        let input = parsed(line).unwrap();
        assert_eq!(input.message.payload(), Some(r#"{"n":1e2}"#));
        assert_eq!(input.request.unwrap().payload(), Some(r#"{"a":1.50}"#));
        assert_eq!(input.envelope.kind, Kind::Response);
    }

    #[test]
    fn what_is_no_line_of_a_capture_is_named_by_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.jsonl");
        std::fs::write(&file, "\n{\"time\":1}\n").unwrap();
        let error = read(&file).unwrap_err().to_string();
        assert!(
            error.contains("c.jsonl:2 is no line of a capture"),
            "{error}"
        );
    }
}
