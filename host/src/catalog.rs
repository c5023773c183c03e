//! What the servers offer, shown as if one server offered it: who is asked for
//! what, and what things are called on either side.

mod cursor;
mod lists;
mod methods;
mod names;
mod notes;
mod recent;
mod resources;
mod routes;
mod sequel;
mod store;
mod tasks;
mod template;
mod welcome;

pub use cursor::{LONGEST_PAGE, Listing, Position, Size};
pub use lists::{LISTS, List, PROMPTS, Page, RESOURCES, TOOLS, with_cursor, without_cursor};
pub use methods::Plan;
pub use sequel::Sequel;
pub use store::{Fingerprint, Key, Store};
pub use welcome::{SERVER_INFO_NAME, introduction, welcome};

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rmcp::model::ErrorCode;

use crate::config::Naming;
use crate::message::Message;
use crate::upstream::Upstream;
use cursor::Cursors;
use names::Names;
use resources::Resources;
use tasks::Tasks;

/// The servers of a session and the names of what they offer.
#[derive(Debug)]
pub struct Catalog {
    naming: Naming,
    upstreams: RwLock<Arc<[Arc<Upstream>]>>,
    names: Mutex<Names>,
    resources: Mutex<Resources>,
    tasks: Mutex<Tasks>,
    cursors: Cursors,
}

/// Where a client's request goes.
#[derive(Debug)]
pub enum Route {
    /// The gateway opens the session.
    Initialize,
    /// The gateway answers at once.
    Ping,
    /// Every server that offers it is asked, and the lists become one.
    Gather(&'static List),
    /// Every server that has the capability is told.
    Everyone {
        /// The capability.
        capability: &'static str,
    },
    /// One server is asked.
    One {
        /// The server.
        upstream: Arc<Upstream>,
        /// The request as that server understands it.
        request: Message,
        /// What the request is about, as that server calls it.
        subject: Option<Arc<str>>,
        /// What comes of its answer.
        sequel: Sequel,
    },
    /// Servers are asked one after the other, until one does not answer with an
    /// error.
    Search {
        /// The servers, the likeliest first.
        upstreams: Vec<Arc<Upstream>>,
        /// The request.
        request: Message,
        /// What the request is about.
        subject: Option<Arc<str>>,
        /// What comes of the answer.
        sequel: Sequel,
    },
}

/// A request that no server can answer, as a JSON-RPC error.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct Unroutable {
    /// The JSON-RPC error code.
    pub code: ErrorCode,
    /// What is wrong.
    pub message: String,
    /// What a program can make of it, as JSON text.
    pub data: Option<String>,
    /// The list that may tell who can: the client may know a name from an earlier
    /// session.
    pub list: Option<&'static List>,
}

impl Catalog {
    /// A catalog of these servers.
    pub fn new(naming: Naming, upstreams: Vec<Arc<Upstream>>) -> Self {
        Self {
            naming,
            upstreams: RwLock::new(upstreams.into()),
            names: Mutex::default(),
            resources: Mutex::default(),
            tasks: Mutex::default(),
            cursors: Cursors::default(),
        }
    }

    /// The servers, in the order of the configuration.
    pub fn upstreams(&self) -> Arc<[Arc<Upstream>]> {
        let upstreams = self.upstreams.read();
        Arc::clone(&upstreams.unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes which servers there are.
    pub fn set_upstreams(&self, upstreams: Vec<Arc<Upstream>>) {
        let mut current = self
            .upstreams
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = upstreams.into();
        let stays = |server: &Arc<str>| current.iter().any(|u| u.name() == server);
        // What a server that is gone has listed is free for others.
        self.names().retain(stays);
        self.resources().retain(stays);
        self.tasks().retain(stays);
    }

    /// The server of this name.
    pub fn upstream(&self, name: &str) -> Option<Arc<Upstream>> {
        let upstreams = self.upstreams();
        upstreams.iter().find(|u| **u.name() == *name).cloned()
    }

    /// The server, if there is only one.
    pub fn only(&self) -> Option<Arc<Upstream>> {
        match &*self.upstreams() {
            [only] => Some(Arc::clone(only)),
            _ => None,
        }
    }

    /// Whether the client sees things under their own names.
    pub fn names_are_bare(&self) -> bool {
        self.naming == Naming::Bare
    }

    /// Whether a server has listed a tool that clients see under this name.
    pub fn lists_tool(&self, exposed: &str) -> bool {
        self.names().listed(names::Kind::Tool, exposed).is_some()
    }

    /// The servers' names, in the order of the configuration.
    fn servers(&self) -> Vec<Arc<str>> {
        let upstreams = self.upstreams();
        upstreams.iter().map(|u| Arc::clone(u.name())).collect()
    }

    /// Whether there is more than one server.
    fn several(&self) -> bool {
        self.upstreams().len() > 1
    }

    fn names(&self) -> std::sync::MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
