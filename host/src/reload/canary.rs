//! Harmless messages that go through a new chain before any real one does: a
//! guardrail that cannot judge these would block everything.

use std::sync::Arc;

use crate::chain::{Block, Cause, Chain, Circumstances};
use crate::guardrail::{Direction, Envelope};
use crate::message::Message;

/// The session that canaries run in; no client's is named so.
const SESSION: &str = "canary";

/// Passes the canaries through. A guardrail may decide about them as it likes,
/// as long as it decides.
pub(super) async fn sing(chain: &Chain) -> Result<(), Block> {
    let request = Message::request(
        "1",
        "tools/call",
        Some(r#"{"name":"read_file","arguments":{"path":"notes/naïve.txt"}}"#),
    );
    let result = Message::result(
        "1",
        r#"{"content":[{"type":"text","text":"Nothing to see here. 你好 🙂"}]}"#,
    );
    for (message, direction) in [
        (request, Direction::ToServer),
        (result, Direction::ToClient),
    ] {
        let envelope = Envelope {
            session: Arc::from(SESSION),
            exchange: Some(1),
            server: "canary".into(),
            method: "tools/call".into(),
            kind: message.kind().into(),
            direction,
            subject: Some("read_file".into()),
        };
        match chain
            .judge(&envelope, message, &Circumstances::default())
            .await
        {
            Err(block) if block.cause == Cause::Failure => return Err(block),
            _ => {}
        }
    }
    chain.forget(SESSION);
    Ok(())
}
