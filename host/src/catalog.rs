//! What the servers offer, shown as if one server offered it: who is asked for
//! what, and what things are called on either side.

mod lists;
mod methods;
mod names;
mod welcome;

pub use lists::{LISTS, List, Page, with_cursor, without_cursor};
pub use methods::Plan;
pub use welcome::{SERVER_INFO_NAME, introduction, welcome};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use rmcp::model::ErrorCode;

use crate::config::Naming;
use crate::message::{self, Message, quote, string};
use crate::upstream::Upstream;
use names::{Kind, Names};

/// The servers of a session and the names of what they offer.
#[derive(Debug)]
pub struct Catalog {
    naming: Naming,
    upstreams: RwLock<Arc<[Arc<Upstream>]>>,
    names: Mutex<Names>,
    /// Who listed a resource, by URI.
    owners: Mutex<HashMap<String, Arc<str>>>,
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
    },
}

/// A request that no server can answer, as a JSON-RPC error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unroutable {
    /// The JSON-RPC error code.
    pub code: ErrorCode,
    /// What is wrong.
    pub message: String,
}

impl Catalog {
    /// A catalog of these servers.
    pub fn new(naming: Naming, upstreams: Vec<Arc<Upstream>>) -> Self {
        Self {
            naming,
            upstreams: RwLock::new(upstreams.into()),
            names: Mutex::default(),
            owners: Mutex::default(),
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
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        owners.retain(|_, owner| stays(owner));
    }

    /// The server of this name.
    pub fn upstream(&self, name: &str) -> Option<Arc<Upstream>> {
        let upstreams = self.upstreams();
        upstreams.iter().find(|u| **u.name() == *name).cloned()
    }

    /// Where a client's request goes.
    pub fn route(&self, request: &Message) -> Result<Route, Unroutable> {
        let method = request.method().unwrap_or_default();
        match methods::plan(method) {
            Plan::Initialize => Ok(Route::Initialize),
            Plan::Ping => Ok(Route::Ping),
            Plan::Gather(list) => Ok(Route::Gather(list)),
            Plan::Everyone { capability } => Ok(Route::Everyone { capability }),
            Plan::ByName { kind, path } => self.by_name(kind, path, request),
            Plan::ByUri { capability, path } => self.by_uri(capability, path, request),
            Plan::ByReference => self.by_reference(request),
            Plan::OnlyOne => self.only_one(request, method),
        }
    }

    /// By the name of a tool or a prompt.
    fn by_name(
        &self,
        kind: Kind,
        path: &'static [&'static str],
        request: &Message,
    ) -> Result<Route, Unroutable> {
        let exposed = member(request, path)?;
        let (server, name) = self
            .names()
            .resolve(kind, &exposed, self.naming, &self.upstreams())
            .ok_or_else(|| Unroutable {
                code: ErrorCode::INVALID_PARAMS,
                message: format!("Unknown {}: {exposed}", kind.word()),
            })?;
        let upstream = self.upstream(&server).ok_or_else(|| Unroutable {
            code: ErrorCode::INVALID_PARAMS,
            message: format!("Unknown {}: {exposed}", kind.word()),
        })?;
        let request = if name == exposed {
            request.clone()
        } else {
            rename(request, path, &name)?
        };
        Ok(Route::One {
            upstream,
            request,
            subject: Some(name.into()),
        })
    }

    /// By the URI of a resource: whoever listed it, or the only server that has
    /// resources.
    fn by_uri(
        &self,
        capability: &str,
        path: &'static [&'static str],
        request: &Message,
    ) -> Result<Route, Unroutable> {
        let uri = member(request, path)?;
        let owner = self
            .owners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&uri)
            .and_then(|owner| self.upstream(owner));
        let upstream = match owner {
            Some(owner) => owner,
            None => self.only(capability).ok_or_else(|| Unroutable {
                code: ErrorCode::INVALID_PARAMS,
                message: "Unknown resource: no server has listed it".into(),
            })?,
        };
        Ok(Route::One {
            upstream,
            request: request.clone(),
            subject: Some(uri.into()),
        })
    }

    /// By what a completion is for: a prompt's argument, or a part of a
    /// resource's URI.
    fn by_reference(&self, request: &Message) -> Result<Route, Unroutable> {
        if request.value("/ref/name").is_some() {
            self.by_name(Kind::Prompt, &["ref", "name"], request)
        } else {
            self.by_uri("completions", &["ref", "uri"], request)
        }
    }

    fn only_one(&self, request: &Message, method: &str) -> Result<Route, Unroutable> {
        match &*self.upstreams() {
            [only] => Ok(Route::One {
                upstream: Arc::clone(only),
                request: request.clone(),
                subject: None,
            }),
            _ => Err(Unroutable {
                code: ErrorCode::METHOD_NOT_FOUND,
                message: format!("Method not found: {method}"),
            }),
        }
    }

    /// The only server that has a capability.
    fn only(&self, capability: &str) -> Option<Arc<Upstream>> {
        let upstreams = self.upstreams();
        if let [only] = &*upstreams {
            return Some(Arc::clone(only));
        }
        let mut able = upstreams
            .iter()
            .filter(|u| u.ready().is_some_and(|ready| ready.offers(capability)));
        match (able.next(), able.next()) {
            (Some(only), None) => Some(Arc::clone(only)),
            _ => None,
        }
    }

    fn names(&self) -> std::sync::MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A string member of a request's params that decides where it goes. One that
/// is there twice is refused: the server may take the other.
fn member(request: &Message, path: &[&str]) -> Result<String, Unroutable> {
    let invalid = |what: &str| Unroutable {
        code: ErrorCode::INVALID_PARAMS,
        message: format!("Invalid params: {:?} {what}", path.join(".")),
    };
    let mut value = request.payload().ok_or_else(|| invalid("is missing"))?;
    for key in path {
        value = message::unique_member(value, key)
            .map_err(|_| invalid("must be there exactly once"))?
            .ok_or_else(|| invalid("is missing"))?;
    }
    let text = string(value).ok_or_else(|| invalid("must be a string"))?;
    Ok(text.into_owned())
}

fn rename(request: &Message, path: &[&str], name: &str) -> Result<Message, Unroutable> {
    request
        .with_payload_member(path, &quote(name))
        .map_err(|error| Unroutable {
            code: ErrorCode::INVALID_PARAMS,
            message: format!("Invalid params: {error}"),
        })
}
