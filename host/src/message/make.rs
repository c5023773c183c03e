//! The gateway's own messages.
//!
//! Making one never fails, since it may be the refusal that must reach a peer.
//! Where a part has to be JSON and is not, it is sent as a JSON string: nothing
//! in it can become structure.

use std::borrow::Cow;
use std::ops::Range;

use super::json::{one_line, quote};
use super::{Inner, Kind, Message};

impl Message {
    /// A request. The id and the params are JSON texts.
    #[must_use]
    pub fn request(id: &str, method: &str, params: Option<&str>) -> Self {
        let mut line = Line::new();
        let id = line.member("id", &part(id));
        line.member("method", &quote(method));
        let payload = params.map(|params| line.member("params", &part(params)));
        line.finish(Kind::Request, Some(method), Some(id), payload)
    }

    /// A notification. The params are a JSON text.
    #[must_use]
    pub fn notification(method: &str, params: Option<&str>) -> Self {
        let mut line = Line::new();
        line.member("method", &quote(method));
        let payload = params.map(|params| line.member("params", &part(params)));
        line.finish(Kind::Notification, Some(method), None, payload)
    }

    /// The answer to the request with this id. The id and the result are JSON
    /// texts.
    #[must_use]
    pub fn result(id: &str, result: &str) -> Self {
        let mut line = Line::new();
        let id = line.member("id", &part(id));
        let payload = line.member("result", &part(result));
        line.finish(Kind::Response, None, Some(id), Some(payload))
    }

    /// The answer to the request with this id, or to none if the id is null.
    /// The id and the data are JSON texts, the message is plain text.
    #[must_use]
    pub fn error(id: &str, code: i64, message: &str, data: Option<&str>) -> Self {
        let mut error = format!(r#"{{"code":{code},"message":{}"#, quote(message));
        if let Some(data) = data {
            error.push_str(r#","data":"#);
            error.push_str(&part(data));
        }
        error.push('}');
        let mut line = Line::new();
        let id = part(id);
        let place = line.member("id", &id);
        let payload = line.member("error", &error);
        line.finish(
            Kind::Error,
            None,
            (id != "null").then_some(place),
            Some(payload),
        )
    }
}

/// A JSON text that stands for itself, and any other text as a JSON string.
fn part(json: &str) -> Cow<'_, str> {
    one_line(json).unwrap_or_else(|_| Cow::Owned(quote(json)))
}

/// A line in the making.
struct Line(String);

impl Line {
    fn new() -> Self {
        Self(r#"{"jsonrpc":"2.0""#.to_owned())
    }

    /// Appends a member and returns the range of its value.
    fn member(&mut self, key: &str, value: &str) -> Range<usize> {
        for piece in [",\"", key, "\":", value] {
            self.0.push_str(piece);
        }
        self.0.len() - value.len()..self.0.len()
    }

    fn finish(
        mut self,
        kind: Kind,
        method: Option<&str>,
        id: Option<Range<usize>>,
        payload: Option<Range<usize>>,
    ) -> Message {
        self.0.push('}');
        Message::from(Inner {
            line: self.0,
            kind,
            method: method.map(Into::into),
            id,
            payload,
            other_members: false,
        })
    }
}
