//! Messages in the words of the Python gateway: a call as one line of a user, what comes back
//! as text of an assistant.

use std::collections::BTreeMap;

use mcp_gateway_sdk::{Direction, Message, Place, Places, Role, Text};

use crate::body::MessageType;
use crate::native::collected;
use crate::piece::{Form, Piece, Sent};

/// Where a call has what it hands over.
const ARGUMENTS: &str = "/arguments/";

/// Where it has a conversation, which is told apart.
const CONVERSATION: &str = "messages";

/// What is sent of a message.
pub(crate) fn sent(message: &Message<'_>) -> Option<Sent> {
    let (kind, pieces) = match (message.direction(), message.kind()) {
        (Direction::ToServer, "request") => (MessageType::Prompt, called(message)),
        (Direction::ToServer, _) => (MessageType::Prompt, collected(message, &plain("user"))),
        (Direction::ToClient, _) => {
            let form = plain("assistant");
            (MessageType::Completion, collected(message, &form))
        }
    };
    (!pieces.is_empty()).then(|| Sent {
        kind,
        id: String::new(),
        name: String::new(),
        pieces,
        tools: Vec::new(),
        extended: false,
    })
}

fn plain(role: &str) -> Form {
    Form::Plain(role.to_owned())
}

fn called(message: &Message<'_>) -> Vec<Piece> {
    let places = Places::of(message);
    let handed_over: Vec<(Place, Text<'_>)> = message
        .texts()
        .filter(|text| !text.trim().is_empty())
        .filter_map(|text| Some((places.of_text(&text)?, text)))
        .filter(|(place, _)| place.role == Role::Value)
        .collect();
    let mut pieces = conversation(message, &handed_over);
    // The Python gateway left the rest out where there was a conversation.
    let told = |(_, text): &&(Place, Text<'_>)| {
        let mut parts = pieces.iter().flat_map(|piece| &piece.parts);
        !parts.any(|part| part.text == text.index())
    };
    let rest: Vec<&(Place, Text<'_>)> = handed_over.iter().filter(told).collect();
    pieces.push(line(&rest));
    let mut cut = Vec::new();
    for piece in pieces.into_iter().filter(|piece| !piece.is_blank()) {
        piece.cut(&mut cut);
    }
    cut
}

/// `key: text text; key: text`.
fn line(handed_over: &[&(Place, Text<'_>)]) -> Piece {
    let mut piece = Piece::new(plain("user"));
    let mut last = None;
    for (place, text) in handed_over {
        let Some(key) = argument(place) else {
            continue;
        };
        if last == Some(key) {
            piece.push(" ", text);
            continue;
        }
        last = Some(key);
        if !piece.content.is_empty() {
            piece.content.push_str("; ");
        }
        let key = key.replace("~1", "/").replace("~0", "~");
        piece.content.push_str(&key);
        piece.push(": ", text);
    }
    piece
}

/// The name of the argument that a text belongs to.
fn argument(place: &Place) -> Option<&str> {
    place.pointer.strip_prefix(ARGUMENTS)?.split('/').next()
}

/// What is said in `messages`, if there are some.
fn conversation(message: &Message<'_>, handed_over: &[(Place, Text<'_>)]) -> Vec<Piece> {
    let mut contents: BTreeMap<usize, &Text<'_>> = BTreeMap::new();
    for (place, text) in handed_over {
        let parts: Vec<&str> = place.pointer.split('/').skip(2).collect();
        if let [CONVERSATION, number, "content"] | [CONVERSATION, number, "content", "text"] =
            parts.as_slice()
            && let Ok(number) = number.parse()
        {
            contents.insert(number, text);
        }
    }
    let said = contents.into_iter().filter_map(|(number, text)| {
        let role = message.value(&format!("{ARGUMENTS}{CONVERSATION}/{number}/role"))?;
        let mut piece = Piece::new(plain(&serde_json::from_str::<String>(&role).ok()?));
        piece.push("", text);
        Some(piece)
    });
    said.collect()
}
