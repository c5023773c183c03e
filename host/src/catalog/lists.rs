//! Lists: each server's pages, its names made the client's, all in one.

use std::borrow::Cow;
use std::sync::{Arc, MutexGuard};

use rmcp::model::ErrorCode;

use super::cursor::{self, Listing, Position, Size};
use super::names::{Kind, Names};
use super::resources::{Named, Resources};
use super::tasks::Tasks;
use super::welcome::server_info;
use super::{Catalog, Unroutable};
use crate::config::Naming;
use crate::gate::Cleared;
use crate::message::json::JsonError;
use crate::message::{self, Message, quote, string};
use crate::protocol::{Era, meta, with_meta};

/// A list that servers keep.
#[derive(Debug)]
pub struct List {
    /// The method that asks for it.
    pub method: &'static str,
    /// What a server must be able to do to be asked.
    pub capability: &'static str,
    /// The notification that says it has changed, if there is one.
    pub changed: Option<&'static str>,
    /// The member of the result that holds it.
    pub items: &'static str,
    identity: Identity,
}

/// How the things in a list are told apart.
#[derive(Debug)]
enum Identity {
    Name(Kind),
    Uri(Named, &'static str),
    Task,
}

/// The tools.
pub static TOOLS: List = List {
    method: "tools/list",
    capability: "tools",
    changed: Some("notifications/tools/list_changed"),
    items: "tools",
    identity: Identity::Name(Kind::Tool),
};

/// The prompts.
pub static PROMPTS: List = List {
    method: "prompts/list",
    capability: "prompts",
    changed: Some("notifications/prompts/list_changed"),
    items: "prompts",
    identity: Identity::Name(Kind::Prompt),
};

/// The resources.
pub static RESOURCES: List = List {
    method: "resources/list",
    capability: "resources",
    changed: Some("notifications/resources/list_changed"),
    items: "resources",
    identity: Identity::Uri(Named::Resource, "uri"),
};

pub(super) static TEMPLATES: List = List {
    method: "resources/templates/list",
    capability: "resources",
    changed: Some("notifications/resources/list_changed"),
    items: "resourceTemplates",
    identity: Identity::Uri(Named::Template, "uriTemplate"),
};

pub(super) static TASKS: List = List {
    method: "tasks/list",
    capability: "tasks/list",
    changed: None,
    items: "tasks",
    identity: Identity::Task,
};

/// The list in which things of a kind are.
pub(super) fn of(kind: Kind) -> &'static List {
    match kind {
        Kind::Tool => &TOOLS,
        Kind::Prompt => &PROMPTS,
    }
}

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
pub static LISTS: [&List; 4] = [&TOOLS, &PROMPTS, &RESOURCES, &TEMPLATES];

/// One page of a server's list: a result, as the guardrails left it.
#[derive(Debug, Clone)]
pub struct Page {
    result: Cleared,
    size: Size,
}

impl Page {
    /// A page of this list.
    pub fn new(list: &List, result: Cleared) -> Self {
        let payload = result.message().payload().unwrap_or_default();
        let items = message::unique_member(payload, list.items).ok().flatten();
        let items = items.and_then(|items| message::elements(items).ok());
        let size = Size {
            bytes: payload.len(),
            items: items.map_or(0, |items| items.len()),
        };
        Self { result, size }
    }

    /// The result.
    pub fn result(&self) -> &Message {
        self.result.message()
    }

    /// Where the server's next page starts, as it wrote it; `None` on the last.
    pub fn next_cursor(&self) -> Option<&str> {
        let cursor = self.result().value("/nextCursor");
        cursor.filter(|cursor| *cursor != "null")
    }

    /// How much is on it.
    pub fn size(&self) -> Size {
        self.size
    }
}

impl Catalog {
    /// Where a request for a list wants to start: at the start, or where the
    /// page before ended.
    pub fn position(&self, list: &List, request: &Message) -> Result<Option<Position>, Unroutable> {
        let Some(cursor) = request.value("/cursor").filter(|cursor| *cursor != "null") else {
            return Ok(None);
        };
        let position = string(cursor).and_then(|cursor| self.cursors.read(list.method, &cursor));
        let position = position.filter(|position| self.upstream(&position.server).is_some());
        position.map(Some).ok_or_else(|| Unroutable {
            code: ErrorCode::INVALID_PARAMS,
            message: "Invalid params: unknown cursor".into(),
            data: None,
            list: None,
        })
    }

    /// Makes one result of all servers' pages, as far as they fit: every item as
    /// its server wrote it but for its name, and what else the first to say it
    /// said. The era is the client's.
    pub fn merge(
        &self,
        list: &List,
        listings: Vec<Listing<Page>>,
        longest: Size,
        era: Era,
    ) -> String {
        let (listings, next) = cursor::cut(listings, longest, Page::size);
        let merged = self.merged(list, &listings, next.as_ref());
        match era {
            Era::Legacy => merged,
            Era::Modern => for_modern(merged, &listings),
        }
    }

    fn merged(&self, list: &List, listings: &[Listing<Page>], next: Option<&Position>) -> String {
        let mut known = self.known();
        let mut items = Vec::new();
        let mut rest: Vec<(String, &str)> = Vec::new();
        for listing in listings {
            let server = &listing.server;
            if listing.is_whole() {
                known.forget(list, server);
            }
            let results = listing.pages.iter();
            for result in results.filter_map(|(_, page)| page.result().payload()) {
                for member in message::members(result).unwrap_or_default() {
                    match &*member.key {
                        "nextCursor" => {}
                        key if key == list.items => {
                            let elements = message::elements(member.value).unwrap_or_default();
                            let elements = elements.into_iter();
                            items.extend(elements.filter_map(|it| known.expose(list, server, it)));
                        }
                        key if rest.iter().any(|(known, _)| known == key) => {}
                        key => rest.push((key.to_owned(), member.value)),
                    }
                }
            }
        }
        let mut merged = format!("{{{}:[{}]", quote(list.items), items.join(","));
        for (key, value) in rest {
            merged.push_str(&format!(",{}:{value}", quote(&key)));
        }
        if let Some(position) = next {
            let cursor = self.cursors.write(list.method, position);
            merged.push_str(&format!(r#","nextCursor":{}"#, quote(&cursor)));
        }
        merged.push('}');
        merged
    }

    fn known(&self) -> Known<'_> {
        Known {
            naming: self.naming,
            servers: self.servers(),
            names: self.names(),
            resources: self.resources(),
            tasks: self.tasks(),
        }
    }
}

/// What the modern era wants to know of a list that is several servers': whose it
/// is, and that nobody but this client may keep it, since it has passed this
/// client's guardrails, nor longer than any of its parts.
fn for_modern(merged: String, listings: &[Listing<Page>]) -> String {
    let pages = listings.iter().flat_map(|listing| &listing.pages);
    let lifetimes = pages.map(|(_, page)| page.result().value("/ttlMs"));
    let lifetime = lifetimes.map(|it| it.and_then(|it| it.parse::<f64>().ok()).unwrap_or(0.0));
    let lifetime = lifetime.reduce(f64::min).unwrap_or(0.0).max(0.0);
    let mut list = Message::result("0", &merged);
    for (path, value) in [
        ("/resultType", "\"complete\""),
        ("/ttlMs", &*lifetime.to_string()),
        ("/cacheScope", "\"private\""),
    ] {
        let set = message::PatchOp::Add {
            path: path.into(),
            value: value.into(),
        };
        list = list.patch(&[set]).unwrap_or(list);
    }
    if listings.len() != 1 {
        let info = server_info().to_string();
        list = with_meta(&list, &[(meta::SERVER_INFO, &info)]).unwrap_or(list);
    }
    list.payload().map_or(merged, str::to_owned)
}

/// What is known of all servers' things, while a list is made of them.
struct Known<'a> {
    naming: Naming,
    servers: Vec<Arc<str>>,
    names: MutexGuard<'a, Names>,
    resources: MutexGuard<'a, Resources>,
    tasks: MutexGuard<'a, Tasks>,
}

impl Known<'_> {
    /// Forgets what a server has listed, since it follows anew: what is not
    /// there any more is free for others.
    fn forget(&mut self, list: &List, server: &str) {
        match list.identity {
            Identity::Name(kind) => self.names.forget(kind, server),
            Identity::Uri(named, _) => self.resources.forget(named, server),
            // A list may leave out tasks that have ended, whose results are
            // still to be had.
            Identity::Task => {}
        }
    }

    /// An item as the client sees it. One without a name or URI stays as it is:
    /// a bad definition must not cost the others. One with two is left out,
    /// since the client may take the other, which nobody has looked at.
    fn expose<'i>(
        &mut self,
        list: &List,
        server: &Arc<str>,
        item: &'i str,
    ) -> Option<Cow<'i, str>> {
        let raw = match message::unique_member(item, list.identity.key()) {
            Ok(raw) => raw,
            Err(JsonError::Ambiguous(key)) => {
                tracing::warn!(
                    server = &**server,
                    method = list.method,
                    "left out of the list: an item with more than one {key:?}"
                );
                return None;
            }
            Err(_) => None,
        };
        let (Some(raw), Some(own)) = (raw, raw.and_then(string)) else {
            return Some(item.into());
        };
        let exposed = match list.identity {
            Identity::Name(kind) => {
                self.names
                    .expose(kind, self.naming, &self.servers, server, &own)
            }
            Identity::Uri(named, _) => self.resources.expose(named, server, &own),
            Identity::Task => {
                self.tasks.learn(&own, server);
                return Some(item.into());
            }
        };
        if *exposed == *own {
            return Some(item.into());
        }
        message::replace_within(item, raw, &quote(&exposed)).map(Cow::Owned)
    }
}

impl Identity {
    /// The member of an item that tells it from the others.
    fn key(&self) -> &'static str {
        match self {
            Self::Name(_) => "name",
            Self::Uri(_, key) => key,
            Self::Task => "taskId",
        }
    }
}
