//! What the processes of the servers have shown, and what of it is held back.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::watch;

use super::page::Compared;
use crate::catalog::LISTS;
use crate::config::Pinning;
use crate::message::Message;
use crate::pinning::{Held, Neighbours, Offer};
use crate::upstream::Run;

/// What is known of what the servers show, by the server and what it is.
pub(in crate::session) struct Pinned {
    pub(super) mode: Pinning,
    servers: Mutex<HashMap<(Arc<str>, Offer), Seen>>,
    /// Counts when something is held back.
    pub(super) holds: watch::Sender<u64>,
}

/// What one process of a server has shown of a kind.
#[derive(Default)]
struct Seen {
    run: Weak<Run>,
    /// Whether that is all, and nothing has changed since.
    is_whole: bool,
    /// The cursor of the page that follows those from the first on.
    next: Option<String>,
    /// The names.
    names: HashSet<String>,
    /// What is held back, by the name.
    held: HashMap<String, Held>,
}

/// What is known of something that is to be used.
pub(super) enum Standing {
    Approved,
    Held(Held),
    Unknown,
}

impl Pinned {
    pub(in crate::session) fn open(mode: Pinning) -> Self {
        Self {
            mode,
            servers: Mutex::default(),
            holds: watch::Sender::default(),
        }
    }

    /// Notes that a server's list has changed.
    pub(in crate::session) fn outdated(&self, run: &Arc<Run>, notification: &Message) {
        if self.mode != Pinning::Hide {
            return;
        }
        let mut servers = self.servers();
        let changed = LISTS.iter().filter(|list| {
            let changed = list.changed;
            changed.is_some() && changed == notification.method()
        });
        for offer in changed.filter_map(|list| Offer::shown_by(list.method)) {
            if let Some(seen) = servers.get_mut(&(Arc::clone(&run.server), offer)) {
                seen.is_whole = false;
                seen.names.clear();
            }
        }
    }

    pub(super) fn standing(&self, run: &Arc<Run>, offer: Offer, name: &str) -> Standing {
        let servers = self.servers();
        let seen = servers.get(&(Arc::clone(&run.server), offer));
        let Some(seen) = seen.filter(|seen| seen.is_of(run)) else {
            return Standing::Unknown;
        };
        match seen.held.get(name) {
            Some(held) => Standing::Held(held.clone()),
            None if seen.is_whole || seen.names.contains(name) => Standing::Approved,
            None => Standing::Unknown,
        }
    }

    /// Notes what a page showed, and returns what of it is held back for the first
    /// time in this session.
    pub(super) fn note(
        &self,
        run: &Arc<Run>,
        offer: Offer,
        page: Compared,
        cursor: Option<&str>,
    ) -> Vec<Held> {
        let mut servers = self.servers();
        let seen = servers.entry((Arc::clone(&run.server), offer)).or_default();
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

    /// Notes what a person has approved of meanwhile. Of which kinds there was any.
    pub(super) fn release(&self, server: &str, is_approved: impl Fn(&Held) -> bool) -> Vec<Offer> {
        let mut released = Vec::new();
        for ((_, offer), seen) in self.servers().iter_mut().filter(|it| *it.0.0 == *server) {
            let before = seen.held.len();
            seen.held.retain(|_, held| !is_approved(held));
            if seen.held.len() < before {
                released.push(*offer);
            }
        }
        released
    }

    pub(super) fn holds_of(&self, server: &str) -> bool {
        let servers = self.servers();
        let mut seen = servers.iter().filter(|it| *it.0.0 == *server);
        seen.any(|(_, seen)| !seen.held.is_empty())
    }

    /// The names of a server's tools, as far as it has listed any.
    pub(super) fn tools(&self, server: &Arc<str>) -> HashSet<String> {
        let servers = self.servers();
        let seen = servers.get(&(Arc::clone(server), Offer::Tool));
        seen.map(|seen| seen.names.clone()).unwrap_or_default()
    }

    /// The tools of all servers but one, as far as they have listed any.
    pub(super) fn neighbours(&self, server: &Arc<str>) -> Neighbours {
        let mut neighbours = Neighbours::default();
        for ((other, offer), seen) in self.servers().iter() {
            if other != server && *offer == Offer::Tool {
                neighbours.add(other, seen.names.iter().map(String::as_str));
            }
        }
        neighbours
    }

    fn servers(&self) -> std::sync::MutexGuard<'_, HashMap<(Arc<str>, Offer), Seen>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn is_of(&self, run: &Arc<Run>) -> bool {
        std::ptr::eq(self.run.as_ptr(), Arc::as_ptr(run))
    }
}
