//! The body of a request, as the API has it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::config::Ids;
use crate::piece::{Batch, Form, Piece};

/// What the messages of a request are to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum MessageType {
    /// It reads them.
    Prompt,
    /// It says them.
    Completion,
}

/// A tool that a model is offered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Tool {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    #[serde(
        default,
        rename(deserialize = "inputSchema"),
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) parameters: Option<Box<RawValue>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    messages: Vec<Entry<'a>>,
    message_type: MessageType,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tools: &'a [Tool],
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent_name: Option<&'a str>,
}

#[derive(Serialize)]
struct Source {
    r#type: &'static str,
}

#[derive(Serialize)]
struct Entry<'a> {
    role: &'a str,
    content: Content<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(&'a str),
    Block(Block<'a>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block<'a> {
    ToolUse {
        id: &'a str,
        name: &'a str,
        input: Input<'a>,
    },
    ToolResult {
        tool_use_id: &'a str,
        content: &'a str,
    },
}

#[derive(Serialize)]
#[serde(untagged)]
enum Input<'a> {
    Object(&'a RawValue),
    Text { arguments: &'a str },
}

/// The body of the request for a batch.
pub(crate) fn body(
    batch: &Batch<'_>,
    ids: &Ids,
    session: Option<&str>,
) -> Result<Vec<u8>, serde_json::Error> {
    let extended = batch.sent.extended;
    let messages = batch.pieces.iter().map(|piece| {
        Ok(Entry {
            role: piece.role(),
            content: content(batch, piece)?,
        })
    });
    let body = Body {
        messages: messages.collect::<Result<_, serde_json::Error>>()?,
        message_type: batch.sent.kind,
        session_id: session,
        user_id: ids.user.as_deref(),
        tools: batch.tools,
        source: extended.then_some(Source {
            r#type: "mcp-gateway",
        }),
        agent_id: ids.agent.as_deref(),
        agent_name: ids.agent_name.as_deref(),
    };
    serde_json::to_vec(&body)
}

fn content<'a>(batch: &'a Batch<'_>, piece: &'a Piece) -> Result<Content<'a>, serde_json::Error> {
    let (id, name) = (&batch.sent.id, &batch.sent.name);
    let block = match &piece.form {
        Form::Plain(_) => return Ok(Content::Text(&piece.content)),
        Form::Result => Block::ToolResult {
            tool_use_id: id,
            content: &piece.content,
        },
        Form::Use => Block::ToolUse {
            id,
            name,
            input: Input::Text {
                arguments: &piece.content,
            },
        },
        Form::Input(_) => Block::ToolUse {
            id,
            name,
            input: Input::Object(serde_json::from_str(&piece.content)?),
        },
    };
    Ok(Content::Block(block))
}

impl fmt::Display for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = self.parameters.as_ref().map_or("", |json| json.get());
        write!(f, "{} {} {parameters}", self.name, self.description)
    }
}
