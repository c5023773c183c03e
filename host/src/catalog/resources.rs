//! Whose resource a URI means, and what the client calls it.
//!
//! A URI is the client's as it is the server's. Only where two servers have one
//! URI, the second's has the server in front of it, and loses that again on its
//! way to the server.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError};

use super::Catalog;
use super::recent::Recent;
use super::template::Template;
use crate::upstream::Upstream;

/// What stands in front of a URI that another server has, too:
/// `mcp-gateway://SERVER/URI`. The URI follows as it is, so that a template
/// with this in front still expands to what leads back.
const SCHEME: &str = "mcp-gateway://";

/// URIs whose owner is remembered. Beyond, servers are asked in turn.
const LISTED: usize = 100_000;

/// Templates of one server that are matched with what nobody has listed. Others
/// are only known by what they are.
const MATCHED: usize = 128;

/// URIs in results that are remembered, and the longest of them.
const MENTIONED: usize = 4096;
const LONGEST: usize = 2048;

/// What a URI in a list names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// One resource.
    Resource,
    /// All that a template expands to.
    Template,
}

/// The owners of resources.
#[derive(Debug)]
pub(super) struct Resources {
    /// Who was the first to list a URI.
    listed: HashMap<String, Arc<str>>,
    /// The schemes and authorities of what each server has listed.
    places: HashMap<Arc<str>, HashSet<String>>,
    templates: HashMap<String, Arc<str>>,
    /// The templates of each server that are matched.
    matched: HashMap<Arc<str>, Vec<Template>>,
    /// Who was the last to mention a URI in a result.
    mentioned: Recent<String, Arc<str>>,
}

/// How likely it is that a server has a resource that nobody has listed; the
/// greater the likelier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Likelihood {
    /// How much a template of its that matches says.
    template: Option<usize>,
    /// Whether it has listed others of that scheme and authority.
    neighbours: bool,
}

impl Default for Resources {
    fn default() -> Self {
        Self {
            listed: HashMap::new(),
            places: HashMap::new(),
            templates: HashMap::new(),
            matched: HashMap::new(),
            mentioned: Recent::of(MENTIONED),
        }
    }
}

impl Resources {
    /// What the client calls a URI that a server has listed. Who comes later
    /// can't take another's reads over.
    pub(super) fn expose(&mut self, named: Named, server: &Arc<str>, uri: &str) -> String {
        let called = self.called(server, uri);
        let room = self.listed.len() + self.templates.len() < LISTED;
        if room && called == uri {
            let owner = Arc::clone(server);
            match named {
                Named::Resource => {
                    if let Some(place) = place(uri) {
                        let places = self.places.entry(Arc::clone(&owner)).or_default();
                        places.insert(place.to_owned());
                    }
                    self.listed.insert(called.clone(), owner);
                }
                Named::Template if self.templates.contains_key(uri) => {}
                Named::Template => {
                    let matched = self.matched.entry(Arc::clone(&owner)).or_default();
                    let room = MATCHED.saturating_sub(matched.len());
                    matched.extend(Template::parse(uri).into_iter().take(room));
                    self.templates.insert(called.clone(), owner);
                }
            }
        }
        called
    }

    /// What the client calls a URI that a server speaks of.
    pub(super) fn called(&self, server: &Arc<str>, uri: &str) -> String {
        let free = self.owner(uri).is_none_or(|owner| *owner == *server);
        // One that looks like another gateway's, or like this one's, would lead
        // to the wrong server.
        if free && !uri.starts_with(SCHEME) {
            uri.to_owned()
        } else {
            prefixed(server, uri)
        }
    }

    /// Whose resource or template a URI means, and what its server calls it.
    pub(super) fn resolve(
        &mut self,
        uri: &str,
        upstreams: &[Arc<Upstream>],
    ) -> Option<(Arc<str>, String)> {
        if let Some(owner) = self.owner(uri) {
            return Some((Arc::clone(owner), uri.to_owned()));
        }
        if let Some((authority, rest)) = uri
            .strip_prefix(SCHEME)
            .and_then(|rest| rest.split_once('/'))
            && let Some(upstream) = upstreams.iter().find(|u| encoded(u.name()) == authority)
        {
            return Some((Arc::clone(upstream.name()), rest.to_owned()));
        }
        let owner = self.mentioned.get(uri)?;
        Some((Arc::clone(owner), uri.to_owned()))
    }

    /// Learns that a result of a server named a resource.
    pub(super) fn mention(&mut self, server: &Arc<str>, uri: &str) {
        if uri.len() <= LONGEST {
            self.mentioned.insert(uri.to_owned(), Arc::clone(server));
        }
    }

    /// How likely it is that a server has a resource.
    pub(super) fn likelihood(&self, server: &str, uri: &str) -> Likelihood {
        let templates = self.matched.get(server).into_iter().flatten();
        let template = templates
            .filter(|template| template.matches(uri))
            .map(Template::literal_length)
            .max();
        let neighbours = || self.places.get(server)?.get(place(uri)?);
        Likelihood {
            template,
            neighbours: neighbours().is_some(),
        }
    }

    /// Forgets what a server has listed, before it is listed anew.
    pub(super) fn forget(&mut self, named: Named, server: &str) {
        match named {
            Named::Resource => {
                self.listed.retain(|_, owner| **owner != *server);
                self.places.remove(server);
            }
            Named::Template => {
                self.templates.retain(|_, owner| **owner != *server);
                self.matched.remove(server);
            }
        }
    }

    /// Forgets what servers that are gone have listed; it is free for others.
    pub(super) fn retain(&mut self, stays: impl Fn(&Arc<str>) -> bool) {
        self.listed.retain(|_, owner| stays(owner));
        self.places.retain(|owner, _| stays(owner));
        self.templates.retain(|_, owner| stays(owner));
        self.matched.retain(|owner, _| stays(owner));
        self.mentioned.retain(&stays);
    }

    fn owner(&self, uri: &str) -> Option<&Arc<str>> {
        self.listed.get(uri).or_else(|| self.templates.get(uri))
    }
}

impl Catalog {
    /// What the client calls a resource of a server.
    pub fn called(&self, server: &Arc<str>, uri: &str) -> String {
        self.resources().called(server, uri)
    }

    /// Learns that a server has a resource which was searched for.
    pub fn found(&self, server: &Arc<str>, uri: &str) {
        self.resources().mention(server, uri);
    }

    pub(super) fn resources(&self) -> std::sync::MutexGuard<'_, Resources> {
        let resources = self.resources.lock();
        resources.unwrap_or_else(PoisonError::into_inner)
    }
}

fn prefixed(server: &str, uri: &str) -> String {
    format!("{SCHEME}{}/{uri}", encoded(server))
}

/// A server's name as the authority of a URI.
fn encoded(server: &str) -> String {
    let mut authority = String::with_capacity(server.len());
    for byte in server.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                authority.push(char::from(byte));
            }
            _ => authority.push_str(&format!("%{byte:02X}")),
        }
    }
    authority
}

/// The scheme and the authority of a URI, with the slash after them.
fn place(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    let end = match rest.strip_prefix("//") {
        Some(rest) => scheme.len() + 3 + rest.find('/')? + 1,
        None => scheme.len() + 1,
    };
    uri.get(..end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Server;

    fn upstreams(names: &[&str]) -> Vec<Arc<Upstream>> {
        let servers = names.iter().filter_map(|name| name.parse().ok());
        servers
            .map(|name| Upstream::new(Server::of_command(name, "x".into(), Vec::new())))
            .collect()
    }

    #[test]
    fn the_first_keeps_a_uri_and_the_second_has_its_name_before_it() {
        let (a, b) = (Arc::from("a"), Arc::from("b c"));
        let mut resources = Resources::default();
        for named in [Named::Resource, Named::Template] {
            let uri = "file:///x";
            assert_eq!(resources.expose(named, &a, uri), uri);
            for _ in 0..2 {
                let exposed = resources.expose(named, &b, uri);
                assert_eq!(exposed, "mcp-gateway://b%20c/file:///x");
            }
        }
        assert_eq!(resources.called(&a, "file:///x"), "file:///x");
        assert_eq!(
            resources.called(&b, "file:///x"),
            "mcp-gateway://b%20c/file:///x"
        );
        assert_eq!(resources.called(&b, "file:///y"), "file:///y");
        resources.forget(Named::Resource, "a");
        resources.forget(Named::Template, "a");
        assert_eq!(
            resources.expose(Named::Resource, &b, "file:///x"),
            "file:///x"
        );
    }

    #[test]
    fn a_mention_does_not_outweigh_a_list_or_a_name() {
        let (a, b) = (Arc::from("a"), Arc::from("b"));
        let servers = upstreams(&["a", "b"]);
        let mut resources = Resources::default();
        resources.expose(Named::Resource, &a, "x://listed");
        for uri in ["x://listed", "x://linked", "mcp-gateway://a/x://other"] {
            resources.mention(&b, uri);
        }
        for (uri, owner) in [
            ("x://listed", "a"),
            ("x://linked", "b"),
            ("mcp-gateway://a/x://other", "a"),
        ] {
            let found = resources.resolve(uri, &servers).map(|(owner, _)| owner);
            assert_eq!(found.as_deref(), Some(owner), "{uri}");
        }
        assert_eq!(resources.resolve("x://unknown", &servers), None);
    }

    #[test]
    fn templates_and_neighbours_tell_whose_a_uri_likely_is() {
        let (a, b) = (Arc::from("a"), Arc::from("b"));
        let mut resources = Resources::default();
        resources.expose(Named::Template, &a, "{+anything}");
        resources.expose(Named::Template, &b, "note://{id}");
        resources.expose(Named::Resource, &a, "db://host/one");
        let likelier = |uri: &str| {
            let of = |server| resources.likelihood(server, uri);
            if of("a") > of("b") { "a" } else { "b" }
        };
        assert_eq!(likelier("note://1"), "b");
        assert_eq!(likelier("note://1/2"), "a");
        resources.forget(Named::Template, "a");
        let likelier = |uri: &str| resources.likelihood("a", uri) > resources.likelihood("b", uri);
        assert!(likelier("db://host/two"));
        assert!(!likelier("db://other/two"));
    }

    proptest! {
        #[test]
        fn what_is_exposed_leads_back(
            names in prop::collection::hash_set("[ -~äß]{1,12}", 2..4),
            uris in prop::collection::vec("(mcp-gateway://[ab]/)?[a-c:/?#%{}]{1,6}", 1..8),
            listings in prop::collection::vec((0..3usize, 0..8usize), 0..40),
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let servers = upstreams(&names);
            let mut resources = Resources::default();
            for (server, uri) in listings {
                let (Some(server), Some(uri)) = (servers.get(server), uris.get(uri)) else {
                    continue;
                };
                let exposed = resources.expose(Named::Resource, server.name(), uri);
                let back = resources.resolve(&exposed, &servers);
                prop_assert_eq!(back, Some((Arc::clone(server.name()), uri.clone())));
                prop_assert_eq!(resources.called(server.name(), uri), exposed);
            }
        }
    }
}
