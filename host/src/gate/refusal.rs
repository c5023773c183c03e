//! What becomes of a message that is refused, in words that a model and a
//! person can act upon.

use rmcp::model::{CallToolResult, ContentBlock};

use crate::chain::{Block, Cause};
use crate::guardrail::{Direction, Envelope, Kind};
use crate::message::{Message, quote};
use crate::protocol::Era;

/// The JSON-RPC error code of a refusal. It lies in the range that JSON-RPC 2.0
/// leaves to implementations.
const REFUSED: i64 = -32001;

/// A message that was not let pass.
#[derive(Debug, Clone)]
pub struct Refusal {
    envelope: Envelope,
    block: Block,
    /// What came of the question whether a person approves.
    word: Option<Word>,
}

/// What came of the question whether a person approves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// They do not.
    Declined,
    /// They did not say.
    Unanswered,
    /// The client cannot ask them. They can say so elsewhere, by this code.
    Elsewhere(String),
}

impl Refusal {
    pub(super) fn new(envelope: &Envelope, block: Block) -> Self {
        tracing::warn!(
            guardrail = &*block.guardrail,
            rule = block.rule.as_deref(),
            server = &*envelope.server,
            method = &*envelope.method,
            kind = envelope.kind.as_str(),
            direction = envelope.direction.as_str(),
            exchange = envelope.exchange,
            failure = block.cause == Cause::Failure,
            "blocked"
        );
        Self {
            envelope: envelope.clone(),
            block,
            word: None,
        }
    }

    /// The question that a person can be asked: whether they approve of what the client
    /// wants a server to do.
    pub fn question(&self) -> Option<&str> {
        let of_client =
            self.envelope.kind == Kind::Request && self.envelope.direction == Direction::ToServer;
        (of_client && self.block.cause == Cause::Question).then_some(&*self.block.reason)
    }

    /// The same, once the question has been put.
    #[must_use]
    pub fn after(self, word: Word) -> Self {
        Self {
            word: Some(word),
            ..self
        }
    }

    /// What the guardrails were told about the message.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Of an answer that guardrails let pass, and that was not recorded as it has to be.
    pub fn of_answer(request: &Envelope, block: Block) -> Self {
        let answer = Envelope {
            kind: Kind::Response,
            direction: match request.direction {
                Direction::ToServer => Direction::ToClient,
                Direction::ToClient => Direction::ToServer,
            },
            ..request.clone()
        };
        Self::new(&answer, block)
    }

    /// Which guardrail refused it, and why.
    pub fn block(&self) -> &Block {
        &self.block
    }

    /// What happened and what can be done about it.
    pub fn text(&self) -> String {
        let Block {
            guardrail, rule, ..
        } = &self.block;
        let server = &self.envelope.server;
        let what = match (self.envelope.kind, self.envelope.direction) {
            (Kind::Request, Direction::ToServer) => {
                format!("the request was stopped before it reached server {server:?}")
            }
            (Kind::Request, Direction::ToClient) => {
                format!("a request of server {server:?} was stopped before it reached the client")
            }
            (_, Direction::ToClient) => {
                format!("server {server:?} answered, but the answer was withheld")
            }
            (_, Direction::ToServer) => {
                format!("the client's answer was withheld from server {server:?}")
            }
        };
        let rule = match rule {
            Some(rule) => format!(" (rule {rule:?})"),
            None => String::new(),
        };
        let reason = self.block.reason.trim_end_matches('.');
        let reason = match self.block.cause {
            Cause::Question => format!("a person must approve it: {reason}"),
            Cause::Decision | Cause::Failure => reason.to_owned(),
        };
        let remedy = match self.block.cause {
            Cause::Question => self.word.as_ref().map_or_else(
                || "Nobody can be asked about such a message".to_owned(),
                Word::remedy,
            ),
            Cause::Decision => format!(
                "Repeating it unchanged will be stopped again. To let it pass, a person can set mode = \"warn\" for guardrail {guardrail:?} in the gateway's configuration"
            ),
            Cause::Failure => format!(
                "Nothing passes unchecked. The gateway's log has the details; a person can mend the guardrail, or set on_error = \"allow\" for guardrail {guardrail:?} in the gateway's configuration"
            ),
        };
        let end = if reason.ends_with(['?', '!']) {
            ""
        } else {
            "."
        };
        format!("Blocked by guardrail {guardrail:?}{rule}: {what}. Reason: {reason}{end} {remedy}.")
    }

    /// Who refused it and why, to follow the name of what is refused.
    pub fn cause(&self) -> String {
        let Block {
            guardrail, reason, ..
        } = &self.block;
        format!("guardrail {guardrail:?} refused it: {reason}")
    }

    /// The answer to the refused request, or in place of the refused answer.
    ///
    /// A tool call is answered with a tool error, which a model gets to read; a
    /// protocol error would end in the client.
    pub fn answer(&self, id: &str, era: Era) -> Message {
        let text = self.text();
        if &*self.envelope.method == "tools/call" {
            return tool_error(id, &text, era);
        }
        let rule = self.block.rule.as_deref().map_or("null".into(), quote);
        let data = format!(
            r#"{{"guardrail":{},"rule":{rule},"reason":{},"server":{}}}"#,
            quote(&self.block.guardrail),
            quote(&self.block.reason),
            quote(&self.envelope.server),
        );
        Message::error(id, REFUSED, &text, Some(&data))
    }
}

impl Word {
    fn remedy(&self) -> String {
        match self {
            Self::Declined => "The person declined it; do not repeat it".to_owned(),
            Self::Unanswered => "The person did not answer".to_owned(),
            Self::Elsewhere(code) => format!(
                "A person can approve this very call in a terminal, with `mcp-gateway approve {code}`; after that, repeat it unchanged"
            ),
        }
    }
}

/// The result of a tool call that went wrong, which a model gets to read.
pub fn tool_error(id: &str, text: &str, era: Era) -> Message {
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    if era == Era::Legacy {
        result.result_type = None;
    }
    match serde_json::to_string(&result) {
        Ok(result) => Message::result(id, &result),
        Err(_) => Message::error(id, REFUSED, text, None),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn refusal(method: &str, kind: Kind, direction: Direction, cause: Cause) -> Refusal {
        let envelope = Envelope {
            session: "s".into(),
            exchange: Some(1),
            server: "files".into(),
            method: method.into(),
            kind,
            direction,
            subject: None,
        };
        let block = Block {
            guardrail: Arc::from("sql"),
            rule: (cause == Cause::Decision).then(|| "drop-table".into()),
            reason: match cause {
                Cause::Decision => "the statement drops a table".into(),
                Cause::Question => "May the table be dropped?".into(),
                Cause::Failure => "the guardrail failed: it crashed".into(),
            },
            cause,
        };
        Refusal::new(&envelope, block)
    }

    #[test]
    fn a_refusal_says_who_stopped_what_why_and_what_to_do() {
        insta::assert_snapshot!(
            refusal("tools/call", Kind::Request, Direction::ToServer, Cause::Decision).text(),
            @r#"Blocked by guardrail "sql" (rule "drop-table"): the request was stopped before it reached server "files". Reason: the statement drops a table. Repeating it unchanged will be stopped again. To let it pass, a person can set mode = "warn" for guardrail "sql" in the gateway's configuration."#
        );
        insta::assert_snapshot!(
            refusal("tools/call", Kind::Response, Direction::ToClient, Cause::Failure).text(),
            @r#"Blocked by guardrail "sql": server "files" answered, but the answer was withheld. Reason: the guardrail failed: it crashed. Nothing passes unchecked. The gateway's log has the details; a person can mend the guardrail, or set on_error = "allow" for guardrail "sql" in the gateway's configuration."#
        );
    }

    #[test]
    fn a_refusal_says_what_came_of_the_question_to_a_person() {
        let asked = || {
            refusal(
                "tools/call",
                Kind::Request,
                Direction::ToServer,
                Cause::Question,
            )
        };
        insta::assert_snapshot!(
            asked().after(Word::Elsewhere("0123456789ab".into())).text(),
            @r#"Blocked by guardrail "sql": the request was stopped before it reached server "files". Reason: a person must approve it: May the table be dropped? A person can approve this very call in a terminal, with `mcp-gateway approve 0123456789ab`; after that, repeat it unchanged."#
        );
        insta::assert_snapshot!(asked().after(Word::Declined).text(), @r#"Blocked by guardrail "sql": the request was stopped before it reached server "files". Reason: a person must approve it: May the table be dropped? The person declined it; do not repeat it."#);
        assert_eq!(asked().question(), Some("May the table be dropped?"));
        let answer = refusal(
            "tools/call",
            Kind::Response,
            Direction::ToClient,
            Cause::Question,
        );
        assert_eq!(answer.question(), None);
        insta::assert_snapshot!(answer.text(), @r#"Blocked by guardrail "sql": server "files" answered, but the answer was withheld. Reason: a person must approve it: May the table be dropped? Nobody can be asked about such a message."#);
    }

    #[test]
    fn a_tool_call_is_refused_with_a_tool_error_and_anything_else_with_a_protocol_error() {
        let call = refusal(
            "tools/call",
            Kind::Request,
            Direction::ToServer,
            Cause::Decision,
        );
        let answer = call.answer("\"x\"", Era::Legacy);
        assert_eq!(answer.kind(), crate::message::Kind::Response);
        assert_eq!(answer.id(), Some("\"x\""));
        assert_eq!(answer.value("/isError"), Some("true"));

        let read = refusal(
            "resources/read",
            Kind::Request,
            Direction::ToServer,
            Cause::Decision,
        );
        let answer = read.answer("7", Era::Legacy);
        assert_eq!(answer.kind(), crate::message::Kind::Error);
        assert_eq!(answer.value("/code"), Some("-32001"));
        assert_eq!(answer.value("/data/rule"), Some("\"drop-table\""));
    }
}
