//! Harmless messages that a new build judges before any real one: a guardrail
//! that cannot judge these would block everything, or, where it is configured
//! to let messages pass then, look at nothing.

use std::sync::Arc;

use crate::capability::message::MessageView;
use crate::config::Guardrail as Spec;
use crate::guardrail::{Direction, Envelope, Fault, Guardrail, Kind};
use crate::message::Message;

/// The session that canaries run in; no client's is named so.
const SESSION: &str = "canary";

/// The method of the canaries.
const METHOD: &str = "tools/call";

/// Has a guardrail judge the canaries that it would be shown. It may decide
/// about them as it likes, as long as it decides.
pub(super) async fn sing(guardrail: &Arc<Guardrail>, spec: &Spec) -> Result<(), Fault> {
    // Any server will do that it looks at.
    let server = spec
        .only
        .servers
        .first()
        .map_or(SESSION, |name| name.as_str());
    let outcome = judge(guardrail, spec, server).await;
    guardrail.forget(SESSION);
    outcome
}

async fn judge(guardrail: &Arc<Guardrail>, spec: &Spec, server: &str) -> Result<(), Fault> {
    let request = Message::request(
        "1",
        METHOD,
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
        let kind = Kind::from(message.kind());
        let shown = spec.only.includes(server, METHOD)
            && guardrail.manifest().wants(METHOD, kind, direction);
        if !shown {
            continue;
        }
        let Ok(texts) = message.texts() else {
            // The gateway's own words can be read.
            continue;
        };
        let envelope = Envelope {
            session: Arc::from(SESSION),
            exchange: Some(1),
            server: server.into(),
            method: METHOD.into(),
            kind,
            direction,
            subject: Some("read_file".into()),
        };
        let view = MessageView {
            message,
            texts: Arc::new(texts),
            request: None,
            earlier: Vec::new(),
            elapsed: 0,
            trail: None,
        };
        match guardrail.rehearse(&envelope, view).await {
            // It got as far as it can without anybody's message to send.
            Ok(_) | Err(Fault::Offline(_)) => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}
