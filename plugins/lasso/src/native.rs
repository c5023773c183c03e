//! Calls as uses of tools, and what servers say as their results.

use mcp_gateway_sdk::{Direction, Message, Place, Places, Role, Text};
use serde::Deserialize;

use crate::body::{MessageType, Tool};
use crate::ident;
use crate::piece::{Form, Piece, Sent};

/// Bytes from which a text is a piece of its own: prose is judged better alone.
const PROSE: usize = 256;

/// Requests to servers in which there is something that a model or a person said.
const CALLS: [&str; 4] = [
    "tools/call",
    "prompts/get",
    "resources/read",
    "completion/complete",
];

/// Members whose values are words of the protocol.
const WORDS: [&str; 4] = ["type", "mimeType", "role", "audience"];

/// Members that hold pictures and sound, as base64.
const BINARY: [&str; 2] = ["data", "blob"];

/// What is sent of a message.
pub(crate) fn sent(message: &Message<'_>, calls_are: MessageType) -> Option<Sent> {
    let (kind, pieces) = match (message.direction(), message.kind()) {
        (Direction::ToServer, "request") => (calls_are, called(message)?),
        (Direction::ToServer, _) => {
            // Who answers a server: a person its questions, a model the rest.
            let role = match message.method() {
                "elicitation/create" => "user",
                _ => "assistant",
            };
            let form = Form::Plain(role.to_owned());
            (MessageType::Completion, collected(message, &form))
        }
        (Direction::ToClient, _) if message.method() == "tools/list" => {
            (MessageType::Prompt, Vec::new())
        }
        (Direction::ToClient, _) => (MessageType::Prompt, collected(message, &Form::Result)),
    };
    let mut sent = Sent {
        kind,
        id: message.exchange().unwrap_or_default().to_string(),
        name: name(
            message.server(),
            message.subject().unwrap_or(message.method()),
        ),
        pieces,
        tools: Vec::new(),
        extended: true,
    };
    if message.direction() == Direction::ToClient && message.method() == "tools/list" {
        offer(message, &mut sent);
    }
    (!sent.pieces.is_empty()).then_some(sent)
}

/// A name that is the same wherever the tool occurs.
fn name(server: &str, tool: &str) -> String {
    let whole = format!("{server}.{tool}");
    let clean = ident::sanitised(&whole).or_else(|| {
        let end = whole.floor_char_boundary(ident::LONGEST);
        ident::sanitised(whole.get(..end)?)
    });
    clean.unwrap_or_else(|| "tool".to_owned())
}

/// A call with what is handed over. One without anything is looked at, too: that it is made
/// may break a policy.
fn called(message: &Message<'_>) -> Option<Vec<Piece>> {
    if !CALLS.contains(&message.method()) {
        return None;
    }
    let from = match message.method() {
        "tools/call" | "prompts/get" => "/arguments",
        _ => "",
    };
    let json = match from {
        "" => message.payload(),
        from => message.value(from),
    };
    let json = json.unwrap_or_else(|| "{}".to_owned());
    if json.trim_start().starts_with('{') && Form::fits(&json) {
        let piece = Piece {
            content: json,
            ..Piece::new(Form::Input(from))
        };
        let mut pieces = vec![piece];
        if !from.is_empty() {
            pieces.extend(collected_where(message, &Form::Use, is_beside));
        }
        return Some(pieces);
    }
    Some(collected(message, &Form::Use))
}

/// Whether something is handed over beside the arguments, such as the answers to what a server
/// asked for. What it keeps with the client for itself is nobody's words.
fn is_beside(place: &Place) -> bool {
    let first = place.pointer.split('/').nth(1).unwrap_or_default();
    !["name", "arguments", "_meta", "requestState"].contains(&first)
}

/// The texts of a message: prose alone, the rest together.
pub(crate) fn collected(message: &Message<'_>, form: &Form) -> Vec<Piece> {
    collected_where(message, form, |_| true)
}

fn collected_where(
    message: &Message<'_>,
    form: &Form,
    counts: impl Fn(&Place) -> bool,
) -> Vec<Piece> {
    let places = Places::of(message);
    let mut pieces = Vec::new();
    let mut rest = Piece::new(form.clone());
    for text in message.texts().filter(|text| !text.trim().is_empty()) {
        let place = places.of_text(&text);
        if let Some(place) = &place
            && !(counts(place) && says_something(&text, place))
        {
            continue;
        }
        let is_prose = |place: &Place| member(place) == "text" && place.role == Role::Value;
        if text.len() >= PROSE || place.as_ref().is_some_and(is_prose) {
            let mut piece = Piece::new(form.clone());
            piece.push("", &text);
            piece.cut(&mut pieces);
        } else {
            rest.push("\n", &text);
        }
    }
    if !rest.is_blank() {
        rest.cut(&mut pieces);
    }
    pieces
}

/// Whether a text is more than a word of the protocol, the name of a member, or a picture.
fn says_something(text: &Text<'_>, place: &Place) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-./$@:+".contains(c);
    let is_name = text.len() <= 64 && text.chars().all(is_word);
    match place.role {
        Role::Key => !is_name,
        Role::Value if WORDS.contains(&member(place)) => !is_name,
        Role::Value if BINARY.contains(&member(place)) => !is_base64(text),
        Role::Value => true,
    }
}

fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    digits.len() >= 64
        && digits
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"+/-_".contains(&it))
}

/// The last part of a pointer.
fn member(place: &Place) -> &str {
    place.pointer.rsplit('/').next().unwrap_or_default()
}

/// A list of tools, where the API has it, and whatever else it says.
fn offer(message: &Message<'_>, sent: &mut Sent) {
    #[derive(Deserialize)]
    struct List {
        tools: Vec<Tool>,
    }
    let list: Option<List> = message
        .payload()
        .and_then(|json| serde_json::from_str(&json).ok());
    let Some(list) = list else {
        // It is no list of tools, but a model may read it all the same.
        sent.pieces = collected(message, &Form::Result);
        return;
    };
    sent.tools = list.tools;
    for tool in &mut sent.tools {
        tool.name = name(message.server(), &tool.name);
    }
    let elsewhere = |place: &Place| {
        let parts: Vec<&str> = place.pointer.split('/').collect();
        let told = |part: &&str| ["name", "description", "inputSchema"].contains(part);
        !(parts.get(1) == Some(&"tools") && parts.get(3).is_some_and(told))
    };
    let mut pieces = collected_where(message, &Form::Result, elsewhere);
    if !sent.tools.is_empty() {
        // The API wants a message, and the tools go with it.
        let about = Piece {
            content: format!("The tools of the server {}.", message.server()),
            ..Piece::new(Form::Result)
        };
        pieces.insert(0, about);
    }
    sent.pieces = pieces;
}
