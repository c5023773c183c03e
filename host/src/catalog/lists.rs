//! Lists: each server's pages, its names made the client's, all in one.

use std::sync::{Arc, PoisonError};

use super::Catalog;
use super::names::Kind;
use crate::gate::Cleared;
use crate::message::{self, Message, quote, string};

/// A list that servers keep.
#[derive(Debug)]
pub struct List {
    /// The method that asks for it.
    pub method: &'static str,
    /// What a server must be able to do to be asked.
    pub capability: &'static str,
    /// The notification that says it has changed.
    pub changed: &'static str,
    /// The member of the result that holds it.
    items: &'static str,
    identity: Identity,
}

/// How the things in a list are told apart.
#[derive(Debug)]
enum Identity {
    Name(Kind),
    Uri(&'static str),
}

pub(super) static TOOLS: List = List {
    method: "tools/list",
    capability: "tools",
    changed: "notifications/tools/list_changed",
    items: "tools",
    identity: Identity::Name(Kind::Tool),
};

pub(super) static PROMPTS: List = List {
    method: "prompts/list",
    capability: "prompts",
    changed: "notifications/prompts/list_changed",
    items: "prompts",
    identity: Identity::Name(Kind::Prompt),
};

pub(super) static RESOURCES: List = List {
    method: "resources/list",
    capability: "resources",
    changed: "notifications/resources/list_changed",
    items: "resources",
    identity: Identity::Uri("uri"),
};

pub(super) static TEMPLATES: List = List {
    method: "resources/templates/list",
    capability: "resources",
    changed: "notifications/resources/list_changed",
    items: "resourceTemplates",
    identity: Identity::Uri("uriTemplate"),
};

/// A request for a list, from its start.
pub fn without_cursor(request: &Message) -> Message {
    let remove = message::PatchOp::Remove {
        path: "/cursor".into(),
    };
    request.patch(&[remove]).unwrap_or_else(|_| request.clone())
}

/// A request for a list, from a cursor as the server wrote it.
pub fn with_cursor(request: &Message, cursor: &str) -> Message {
    let method = request.method().unwrap_or_default();
    let id = request.id().unwrap_or_default();
    let base = match request.payload() {
        Some(_) => request.clone(),
        None => Message::request(id, method, Some("{}")),
    };
    let add = message::PatchOp::Add {
        path: "/cursor".into(),
        value: cursor.to_owned(),
    };
    base.patch(&[add]).unwrap_or_else(|_| {
        Message::request(id, method, Some(&format!(r#"{{"cursor":{cursor}}}"#)))
    })
}

/// The lists whose changes a client is told of.
pub static LISTS: [&List; 3] = [&TOOLS, &PROMPTS, &RESOURCES];

/// One page of a server's list, as the guardrails left it.
#[derive(Debug)]
pub struct Page {
    /// Whose it is.
    pub server: Arc<str>,
    /// The result.
    pub result: Cleared,
}

impl Page {
    /// Where the server's next page starts, as it wrote it; `None` on the last.
    pub fn next_cursor(&self) -> Option<&str> {
        self.result
            .message()
            .value("/nextCursor")
            .filter(|cursor| *cursor != "null")
    }
}

impl Catalog {
    /// Makes one result of all servers' pages: every item as its server wrote
    /// it but for its name, and what else the first to say it said.
    pub fn merge(&self, list: &List, pages: &[Page]) -> String {
        let mut items = Vec::new();
        let mut rest: Vec<(String, &str)> = Vec::new();
        for page in pages {
            let Some(result) = page.result.message().payload() else {
                continue;
            };
            let members = message::members(result).unwrap_or_default();
            for member in members {
                match &*member.key {
                    "nextCursor" => {}
                    key if key == list.items => {
                        let elements = message::elements(member.value).unwrap_or_default();
                        items.extend(
                            elements
                                .into_iter()
                                .map(|item| self.expose(list, &page.server, item)),
                        );
                    }
                    key if rest.iter().any(|(known, _)| known == key) => {}
                    key => rest.push((key.to_owned(), member.value)),
                }
            }
        }
        let mut merged = format!("{{{}:[{}]", quote(list.items), items.join(","));
        for (key, value) in rest {
            merged.push_str(&format!(",{}:{value}", quote(&key)));
        }
        merged.push('}');
        merged
    }

    /// An item as the client sees it. One without a name or URI stays as it is:
    /// a bad definition must not cost the others.
    fn expose(&self, list: &List, server: &Arc<str>, item: &str) -> String {
        match list.identity {
            Identity::Name(kind) => self.expose_name(kind, server, item),
            Identity::Uri(key) => {
                let uri = message::unique_member(item, key).ok().flatten();
                if let Some(uri) = uri.and_then(string) {
                    self.owners
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .entry(uri.into_owned())
                        // Who comes later can't take another's reads over.
                        .or_insert_with(|| Arc::clone(server));
                }
                None
            }
        }
        .unwrap_or_else(|| item.to_owned())
    }

    fn expose_name(&self, kind: Kind, server: &Arc<str>, item: &str) -> Option<String> {
        let raw = message::unique_member(item, "name").ok().flatten()?;
        let name = string(raw)?;
        let exposed = self.names().expose(kind, self.naming, server, &name);
        if exposed == name {
            return Some(item.to_owned());
        }
        message::replace_within(item, raw, &quote(&exposed))
    }
}
