//! Where a client's request goes.

use std::cmp::Reverse;
use std::sync::Arc;

use rmcp::model::ErrorCode;

use super::methods::{self, Plan};
use super::names::{self, Kind};
use super::{Catalog, Route, Sequel, Unroutable, lists};
use crate::config::Naming;
use crate::message::{self, Message, quote, string};
use crate::upstream::{State, Upstream};

/// Whether a name may be taken for what it looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    /// Not if a list would tell.
    Careful,
    /// Yes.
    Bold,
}

impl Catalog {
    /// Where a client's request goes.
    pub fn route(&self, request: &Message) -> Result<Route, Unroutable> {
        self.routed(request, Guess::Careful)
    }

    /// Where a client's request goes after the list that might have told has been
    /// asked for.
    pub fn route_at_last(&self, request: &Message) -> Result<Route, Unroutable> {
        self.routed(request, Guess::Bold)
    }

    fn routed(&self, request: &Message, guess: Guess) -> Result<Route, Unroutable> {
        let method = request.method().unwrap_or_default();
        match methods::plan(method) {
            Plan::Initialize => Ok(Route::Initialize),
            Plan::Ping => Ok(Route::Ping),
            Plan::Gather(list) => Ok(Route::Gather(list)),
            Plan::Everyone { capability } => Ok(Route::Everyone { capability }),
            Plan::ByName { kind, path } => self.by_name(kind, path, request, guess),
            Plan::ByUri { capability, path } => self.by_uri(capability, path, request),
            Plan::ByReference => self.by_reference(request, guess),
            Plan::ByTask => self.by_task(request),
            Plan::OnlyOne => self.only_one(request, method),
        }
    }

    /// By the name of a tool or a prompt.
    fn by_name(
        &self,
        kind: Kind,
        path: &'static [&'static str],
        request: &Message,
        guess: Guess,
    ) -> Result<Route, Unroutable> {
        let exposed = member(request, path)?;
        let upstreams = self.upstreams();
        let unknown = || invalid(format!("Unknown {}: {exposed}", kind.word()));
        let listed = self.names().listed(kind, &exposed);
        let hides_its_server = || match self.naming {
            Naming::Bare => upstreams.len() > 1,
            Naming::Prefixed => names::is_hashed(&exposed),
        };
        let (server, name) = match listed {
            Some(owner) => owner,
            None if guess == Guess::Careful && hides_its_server() => {
                return Err(Unroutable {
                    list: Some(lists::of(kind)),
                    ..unknown()
                });
            }
            None => names::by_prefix(&exposed, self.naming, &self.servers()).ok_or_else(unknown)?,
        };
        let upstream = upstreams.iter().find(|u| **u.name() == *server);
        Ok(Route::One {
            upstream: Arc::clone(upstream.ok_or_else(unknown)?),
            request: renamed(request, path, &exposed, &name)?,
            subject: Some(name.into()),
            sequel: match &*upstreams {
                [_] => Sequel::Nothing,
                _ => Sequel::Mentions,
            },
        })
    }

    /// By the URI of a resource: whoever listed or mentioned it, or else
    /// whoever likely has it.
    fn by_uri(
        &self,
        capability: &str,
        path: &'static [&'static str],
        request: &Message,
    ) -> Result<Route, Unroutable> {
        let uri = member(request, path)?;
        let upstreams = self.upstreams();
        let sequel = |called: &str, uri: &str| match request.method() {
            Some("resources/subscribe") => Sequel::Subscribed,
            Some("resources/unsubscribe") => Sequel::Unsubscribed,
            Some("resources/read") if called != uri => Sequel::Contents {
                uri: uri.into(),
                called: called.into(),
            },
            _ => Sequel::Nothing,
        };
        if let [only] = &*upstreams {
            return Ok(Route::One {
                upstream: Arc::clone(only),
                request: request.clone(),
                sequel: sequel(&uri, &uri),
                subject: Some(uri.into()),
            });
        }
        let mut resources = self.resources();
        if let Some((server, own)) = resources.resolve(&uri, &upstreams)
            && let Some(upstream) = upstreams.iter().find(|u| **u.name() == *server)
        {
            return Ok(Route::One {
                upstream: Arc::clone(upstream),
                request: renamed(request, path, &uri, &own)?,
                sequel: sequel(&uri, &own),
                subject: Some(own.into()),
            });
        }
        let mut able = able(&upstreams, capability);
        able.sort_by_cached_key(|u| Reverse(resources.likelihood(u.name(), &uri)));
        if able.is_empty() {
            return Err(invalid("Unknown resource: no server has resources".into()));
        }
        Ok(Route::Search {
            upstreams: able,
            request: request.clone(),
            sequel: sequel(&uri, &uri),
            subject: Some(uri.into()),
        })
    }

    /// By what a completion is for: a prompt's argument, or a part of a
    /// resource's URI.
    fn by_reference(&self, request: &Message, guess: Guess) -> Result<Route, Unroutable> {
        if request.value("/ref/name").is_some() {
            self.by_name(Kind::Prompt, &["ref", "name"], request, guess)
        } else {
            self.by_uri("completions", &["ref", "uri"], request)
        }
    }

    /// By the id of a task: whoever runs it.
    fn by_task(&self, request: &Message) -> Result<Route, Unroutable> {
        let method = request.method().unwrap_or_default();
        let upstreams = self.upstreams();
        if let [_] = &*upstreams {
            return self.only_one(request, method);
        }
        let task = member(request, &["taskId"])?;
        let owner = self.tasks().owner(&task);
        let owner = owner.and_then(|owner| upstreams.iter().find(|u| **u.name() == *owner));
        if let Some(owner) = owner {
            return Ok(Route::One {
                upstream: Arc::clone(owner),
                request: request.clone(),
                subject: None,
                sequel: Sequel::Mentions,
            });
        }
        // It may be of a session before this one.
        let able = able(&upstreams, "tasks");
        if able.is_empty() {
            return Err(self.unknown_method(method));
        }
        Ok(Route::Search {
            upstreams: able,
            request: request.clone(),
            subject: None,
            sequel: Sequel::Mentions,
        })
    }

    fn only_one(&self, request: &Message, method: &str) -> Result<Route, Unroutable> {
        match &*self.upstreams() {
            [only] => Ok(Route::One {
                upstream: Arc::clone(only),
                request: request.clone(),
                subject: None,
                sequel: Sequel::Nothing,
            }),
            _ => Err(self.unknown_method(method)),
        }
    }

    /// Nobody can tell which of several servers is meant.
    pub fn unknown_method(&self, method: &str) -> Unroutable {
        let upstreams = self.upstreams();
        let servers: Vec<String> = upstreams.iter().map(|u| quote(u.name())).collect();
        Unroutable {
            code: ErrorCode::METHOD_NOT_FOUND,
            message: format!("Method not found: {method}"),
            data: Some(format!(
                r#"{{"method":{},"servers":[{}]}}"#,
                quote(method),
                servers.join(",")
            )),
            list: None,
        }
    }
}

/// The servers that have a capability or may turn out to have it, in the order
/// of the configuration, those that can be asked at once first.
fn able(upstreams: &[Arc<Upstream>], capability: &str) -> Vec<Arc<Upstream>> {
    let (mut able, mut starting) = (Vec::new(), Vec::new());
    for upstream in upstreams {
        match upstream.state() {
            State::Ready(ready) if ready.offers(capability) => able.push(Arc::clone(upstream)),
            State::Starting => starting.push(Arc::clone(upstream)),
            State::Ready(_) | State::Down(_) => {}
        }
    }
    able.append(&mut starting);
    able
}

fn invalid(message: String) -> Unroutable {
    Unroutable {
        code: ErrorCode::INVALID_PARAMS,
        message,
        data: None,
        list: None,
    }
}

/// A string member of a request's params that decides where it goes. One that
/// is there twice is refused: the server may take the other.
fn member(request: &Message, path: &[&str]) -> Result<String, Unroutable> {
    let wrong = |what: &str| invalid(format!("Invalid params: {:?} {what}", path.join(".")));
    let mut value = request.payload().ok_or_else(|| wrong("is missing"))?;
    for key in path {
        value = message::unique_member(value, key)
            .map_err(|_| wrong("must be there exactly once"))?
            .ok_or_else(|| wrong("is missing"))?;
    }
    let text = string(value).ok_or_else(|| wrong("must be a string"))?;
    Ok(text.into_owned())
}

/// The request with the server's own name in the place of the client's.
fn renamed(
    request: &Message,
    path: &[&str],
    exposed: &str,
    own: &str,
) -> Result<Message, Unroutable> {
    if exposed == own {
        return Ok(request.clone());
    }
    request
        .with_payload_member(path, &quote(own))
        .map_err(|error| invalid(format!("Invalid params: {error}")))
}
