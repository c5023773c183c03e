//! Tools whose definition nobody has approved of: noticed when their server lists
//! them, before guardrails and the client see it, and kept from the client if the
//! configuration says so.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use super::Session;
use super::failure::Failure;
use super::lists::list_request;
use crate::catalog::LISTS;
use crate::config::{Pinning, Server};
use crate::message::{Kind, Message, string};
use crate::pinning::{Definition, Held, Neighbours, PinError, Pins, Tools, remarks};
use crate::upstream::{Ready, Run, Unavailable, Upstream};

const LIST: &str = "tools/list";

/// How often one looks whether a person has approved, while something waits.
const LOOK: Duration = Duration::from_millis(500);

/// What is known of the servers' tools, by the server.
pub(super) struct Pinned {
    mode: Pinning,
    servers: Mutex<HashMap<Arc<str>, Seen>>,
    /// Counts when something is held back.
    holds: watch::Sender<u64>,
}

/// What one process of a server has listed.
#[derive(Default)]
struct Seen {
    run: Weak<Run>,
    /// Whether that is all, and nothing has changed since.
    is_whole: bool,
    /// The cursor of the page that follows those from the first on.
    next: Option<String>,
    /// The names of its tools.
    names: HashSet<String>,
    /// What is held back, by the name.
    held: HashMap<String, Held>,
}

/// What is known of a tool that is to be called.
enum Standing {
    Approved,
    Held(Held),
    Unknown,
}

impl Pinned {
    pub(super) fn open(mode: Pinning) -> Self {
        Self {
            mode,
            servers: Mutex::default(),
            holds: watch::Sender::default(),
        }
    }

    /// Notes that a server's list has changed.
    pub(super) fn outdated(&self, run: &Arc<Run>, notification: &Message) {
        if self.mode == Pinning::Hide
            && notification.method() == Some("notifications/tools/list_changed")
            && let Some(seen) = self.servers().get_mut(&run.server)
        {
            seen.is_whole = false;
            seen.names.clear();
        }
    }

    fn standing(&self, run: &Arc<Run>, tool: &str) -> Standing {
        let servers = self.servers();
        let seen = servers.get(&run.server);
        let Some(seen) = seen.filter(|seen| seen.is_of(run)) else {
            return Standing::Unknown;
        };
        match seen.held.get(tool) {
            Some(held) => Standing::Held(held.clone()),
            None if seen.is_whole || seen.names.contains(tool) => Standing::Approved,
            None => Standing::Unknown,
        }
    }

    /// Notes what a page showed, and returns what of it is held back for the first
    /// time in this session.
    fn note(&self, run: &Arc<Run>, page: Page, cursor: Option<&str>) -> Vec<Held> {
        let mut servers = self.servers();
        let seen = servers.entry(Arc::clone(&run.server)).or_default();
        let mut known = HashMap::new();
        if cursor.is_none() || !seen.is_of(run) {
            let before = std::mem::take(seen);
            known = before.held;
            seen.run = Arc::downgrade(run);
        }
        seen.names.extend(page.names);
        if cursor.is_none() || (cursor == seen.next.as_deref() && !seen.is_whole) {
            seen.is_whole = page.next.is_none();
            seen.next = page.next;
        }
        let mut news = Vec::new();
        for held in page.held.into_iter().flatten() {
            let before = known.get(&held.name).or(seen.held.get(&held.name));
            if before.is_none_or(|before| before.hash != held.hash) {
                news.push(held.clone());
            }
            seen.held.insert(held.name.clone(), held);
        }
        news
    }

    /// Notes what a person has approved of meanwhile. Whether that is anything.
    fn release(&self, server: &str, is_approved: impl Fn(&Held) -> bool) -> bool {
        let mut servers = self.servers();
        let Some(seen) = servers.get_mut(server) else {
            return false;
        };
        let before = seen.held.len();
        seen.held.retain(|_, held| !is_approved(held));
        seen.held.len() < before
    }

    fn holds_of(&self, server: &str) -> bool {
        let servers = self.servers();
        servers
            .get(server)
            .is_some_and(|seen| !seen.held.is_empty())
    }

    /// The tools of all servers but one, as far as they have listed any.
    fn neighbours(&self, server: &Arc<str>) -> Neighbours {
        let mut neighbours = Neighbours::default();
        for (other, seen) in self.servers().iter().filter(|(other, _)| *other != server) {
            neighbours.add(other, seen.names.iter().map(String::as_str));
        }
        neighbours
    }

    fn servers(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Seen>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn is_of(&self, run: &Arc<Run>) -> bool {
        std::ptr::eq(self.run.as_ptr(), Arc::as_ptr(run))
    }
}

/// A page of a list, compared.
struct Page {
    names: Vec<String>,
    /// The cursor of the next one.
    next: Option<String>,
    /// What is held back, by the order on the page.
    held: Vec<Option<Held>>,
    /// The page without that.
    rest: Message,
}

/// Why a page cannot be compared.
#[derive(Debug, thiserror::Error)]
enum Incomparable {
    #[error(transparent)]
    Records(#[from] PinError),
    #[error("its list of tools can be read in two ways: {0}")]
    List(#[from] crate::message::json::JsonError),
    #[error("its list of tools can be read in two ways: {0}")]
    Path(#[from] crate::message::PathError),
}

/// Compares a page with what was approved.
fn compare(
    server: &Server,
    page: &Message,
    mut others: Neighbours,
    other_servers: &[Server],
) -> Result<Page, Incomparable> {
    let tools = Tools::on(page)?;
    let definitions = tools.definitions();
    let own: HashSet<&str> = definitions.iter().map(|it| it.name.as_str()).collect();
    let next = cursor(page, "/nextCursor");
    let pins = Pins::open()?;
    // Servers that have not listed anything yet are known from another time.
    for server in other_servers {
        if let Ok(Some(record)) = pins.of(server) {
            others.add(&record.server, record.tools.keys().map(String::as_str));
        }
    }
    let remarks = |definition: &Definition| remarks(definition, &own, &others);
    let held = pins.update(server, |record, now| {
        record.compare(&definitions, next.is_none(), remarks, now)
    })?;
    let stays: Vec<bool> = held.iter().map(Option::is_none).collect();
    Ok(Page {
        rest: tools.only(&stays)?,
        names: definitions.into_iter().map(|it| it.name).collect(),
        next,
        held,
    })
}

/// A cursor, whether it is a string or something else.
fn cursor(message: &Message, pointer: &str) -> Option<String> {
    let cursor = message.value(pointer).filter(|cursor| *cursor != "null")?;
    Some(string(cursor).map_or_else(|| cursor.to_owned(), std::borrow::Cow::into_owned))
}

impl Session {
    /// A server's answer, without the tools that nobody has approved of if these are
    /// to be hidden. An answer to anything but a request for tools stays as it is.
    pub(super) async fn compared(
        &self,
        run: &Arc<Run>,
        request: &Message,
        answer: Message,
    ) -> Result<Message, Failure> {
        if self.pinned.mode == Pinning::Off
            || request.method() != Some(LIST)
            || answer.kind() != Kind::Response
        {
            return Ok(answer);
        }
        let upstreams = self.catalog.upstreams();
        let Some(upstream) = upstreams.iter().find(|it| *it.name() == run.server) else {
            return Ok(answer);
        };
        let at = cursor(request, "/cursor");
        let others: Vec<Server> = upstreams
            .iter()
            .filter(|it| *it.name() != run.server)
            .map(|it| it.server.clone())
            .collect();
        let (server, page) = (upstream.server.clone(), answer.clone());
        let neighbours = self.pinned.neighbours(&run.server);
        let compared =
            tokio::task::spawn_blocking(move || compare(&server, &page, neighbours, &others));
        let page = match compared.await {
            Ok(Ok(page)) => page,
            failed => {
                let why = match failed {
                    Ok(Err(error)) => error.to_string(),
                    _ => "the gateway is ending".into(),
                };
                return match self.pinned.mode {
                    Pinning::Hide => Err(incomparable(&run.server, &why)),
                    Pinning::Off | Pinning::Warn => {
                        tracing::warn!(server = &*run.server, "tools are not compared: {why}");
                        Ok(answer)
                    }
                };
            }
        };
        let hides = self.pinned.mode == Pinning::Hide;
        let rest = page.rest.clone();
        for held in self.pinned.note(run, page, at.as_deref()) {
            tell(&run.server, &held, hides);
            self.pinned.holds.send_modify(|holds| *holds += 1);
        }
        Ok(if hides { rest } else { answer })
    }

    /// What the client is told when the session opens. What a person approves of comes
    /// into the list at any time, whether its server ever says so or not.
    pub(super) fn promising(&self, welcome: String) -> String {
        if self.pinned.mode != Pinning::Hide {
            return welcome;
        }
        let Ok(mut value) = serde_json::from_str::<Value>(&welcome) else {
            return welcome;
        };
        let tools = value.pointer_mut("/capabilities/tools");
        let Some(tools) = tools.and_then(Value::as_object_mut) else {
            return welcome;
        };
        match tools.insert("listChanged".to_owned(), true.into()) {
            Some(Value::Bool(true)) => welcome,
            _ => value.to_string(),
        }
    }

    /// Refuses a call of a tool that nobody has approved of, if these are hidden.
    pub(super) async fn approved(&self, ready: &Ready, request: &Message) -> Result<(), Failure> {
        if self.pinned.mode != Pinning::Hide || request.method() != Some("tools/call") {
            return Ok(());
        }
        let Some(tool) = request.value("/name").and_then(string) else {
            return Ok(());
        };
        let run = &ready.run;
        let mut standing = self.pinned.standing(run, &tool);
        if matches!(standing, Standing::Unknown) {
            // This process has not said what it has, or has said that it changed.
            self.list_tools(ready).await?;
            standing = self.pinned.standing(run, &tool);
        }
        let Standing::Held(held) = standing else {
            return Ok(());
        };
        if let Some(upstream) = self.catalog.upstream(&run.server)
            && self.release_approved(&upstream).await
            && !matches!(self.pinned.standing(run, &tool), Standing::Held(_))
        {
            return Ok(());
        }
        Err(Failure::Unapproved {
            server: Arc::clone(&run.server),
            held: Box::new(held),
        })
    }

    /// Has a server list all its tools, so that they are compared.
    async fn list_tools(&self, ready: &Ready) -> Result<(), Failure> {
        let server = &ready.run.server;
        let list = LISTS.into_iter().find(|list| list.method == LIST);
        let (Some(list), Some(upstream)) = (list, self.catalog.upstream(server)) else {
            return Ok(());
        };
        if !ready.offers(list.capability) {
            return Ok(());
        }
        let request = list_request(list, &ready.client);
        let listed = Box::pin(self.listing(list, &upstream, ready, request, None)).await;
        listed.map(drop).map_err(|failure| match failure {
            failure @ (Failure::Unavailable(_) | Failure::Undelivered(_)) => failure,
            failure => incomparable(server, &failure.kind()),
        })
    }

    /// Shows the client what a person has approved of, as long as the server runs.
    pub(super) async fn watch_approvals(&self, upstream: &Arc<Upstream>) {
        if self.pinned.mode != Pinning::Hide {
            return std::future::pending().await;
        }
        let mut holds = self.pinned.holds.subscribe();
        let mut seen = written(upstream).await;
        loop {
            if !self.pinned.holds_of(upstream.name()) {
                // An error says that the session is gone, and this with it.
                let _ = holds.changed().await;
                continue;
            }
            tokio::time::sleep(LOOK).await;
            let now = written(upstream).await;
            if now != seen {
                seen = now;
                if self.release_approved(upstream).await {
                    self.lists_changed(|list| list.method == LIST).await;
                }
            }
        }
    }

    /// Takes notice of what a person has approved of meanwhile. Whether that is
    /// anything.
    async fn release_approved(&self, upstream: &Arc<Upstream>) -> bool {
        let server = upstream.server.clone();
        let record = tokio::task::spawn_blocking(move || Pins::open()?.of(&server)).await;
        let Ok(Ok(Some(record))) = record else {
            return false;
        };
        let approves = |held: &Held| record.approves(&held.name, &held.hash);
        self.pinned.release(upstream.name(), approves)
    }
}

/// When the record of a server was written last.
async fn written(upstream: &Arc<Upstream>) -> Option<std::time::SystemTime> {
    let server = upstream.server.clone();
    let written = tokio::task::spawn_blocking(move || Pins::open().ok()?.written(&server)).await;
    written.ok().flatten()
}

fn incomparable(server: &Arc<str>, why: &str) -> Failure {
    Failure::Unavailable(Unavailable {
        server: Arc::clone(server),
        reason: format!("its tools can't be compared with those that were approved: {why}").into(),
    })
}

fn tell(server: &str, held: &Held, hides: bool) {
    // A server chooses its tools' names, and a log is shown on terminals.
    let (tool, why) = (held.name.escape_debug().to_string(), held.why);
    for remark in &held.remarks {
        tracing::warn!(
            server,
            tool = &*tool,
            rule = &*remark.rule,
            "suspicious: {remark}"
        );
    }
    match hides {
        true => tracing::warn!(
            server,
            tool = &*tool,
            "hidden until a person approves with `mcp-gateway pin review`: {why}"
        ),
        false => tracing::warn!(
            server,
            tool = &*tool,
            "{why}; `mcp-gateway pin review` shows it, and with pinning = \"hide\" it would be hidden"
        ),
    }
}
