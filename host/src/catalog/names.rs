//! What tools and prompts are called: `{server}_{name}` towards the client,
//! `{name}` towards the server.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::config::Naming;

/// The longest name that every client takes.
const LONGEST: usize = 64;

/// Names that are remembered. Beyond, a name means what its prefix says.
const LISTED: usize = 100_000;

/// Hexadecimal digits of a suffix. The longer ones are for two names that agree
/// in the shorter.
const SUFFIXES: [usize; 3] = [8, 16, 32];

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A tool.
    Tool,
    /// A prompt.
    Prompt,
}

/// The names that were given in lists, and whose they are.
#[derive(Debug, Default)]
pub(super) struct Names {
    tools: HashMap<String, Owner>,
    prompts: HashMap<String, Owner>,
}

/// Whose something is, and what its server calls it.
pub(super) type Owner = (Arc<str>, String);

impl Kind {
    /// The word for it in a message to a person.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
        }
    }
}

impl Names {
    /// The name under which the client sees a server's tool or prompt. The same
    /// every time, whatever was listed before it, unless the names are bare.
    pub(super) fn expose(
        &mut self,
        kind: Kind,
        naming: Naming,
        servers: &[Arc<str>],
        server: &Arc<str>,
        name: &str,
    ) -> String {
        let prefixed = prefixed(server, name);
        let plain = match naming {
            Naming::Bare => Some(name.to_owned()),
            // A name that a model's interface refuses would cost the whole list.
            Naming::Prefixed if !fits(&prefixed) => None,
            // One that could be another server's is that server's.
            Naming::Prefixed => Some(prefixed.clone())
                .filter(|name| meant(servers, name).is_none_or(|meant| meant == server)),
        };
        let hashed = |digits| hashed(&prefixed, server, name, digits);
        let owner = (Arc::clone(server), name.to_owned());
        let names = self.of(kind);
        for exposed in plain.into_iter().chain(SUFFIXES.into_iter().map(hashed)) {
            match names.get(&exposed) {
                Some(known) if *known != owner => {}
                Some(_) => return exposed,
                None => {
                    if names.len() < LISTED {
                        names.insert(exposed.clone(), owner);
                    }
                    return exposed;
                }
            }
        }
        // Taken only by a collision of the hash, and so the first owner's.
        let [.., longest] = SUFFIXES;
        hashed(longest)
    }

    /// Forgets what a server has listed, before it is listed anew.
    pub(super) fn forget(&mut self, kind: Kind, server: &str) {
        self.of(kind).retain(|_, (owner, _)| **owner != *server);
    }

    /// Forgets the names of servers that are gone.
    pub(super) fn retain(&mut self, stays: impl Fn(&Arc<str>) -> bool) {
        self.tools.retain(|_, (server, _)| stays(server));
        self.prompts.retain(|_, (server, _)| stays(server));
    }

    /// Whose tool or prompt is listed under a name, and what its server calls it.
    pub(super) fn listed(&self, kind: Kind, exposed: &str) -> Option<Owner> {
        let names = match kind {
            Kind::Tool => &self.tools,
            Kind::Prompt => &self.prompts,
        };
        names.get(exposed).cloned()
    }

    fn of(&mut self, kind: Kind) -> &mut HashMap<String, Owner> {
        match kind {
            Kind::Tool => &mut self.tools,
            Kind::Prompt => &mut self.prompts,
        }
    }
}

/// Whether a name ends in a suffix, so that only a list tells what it stands for.
pub(super) fn is_hashed(exposed: &str) -> bool {
    let suffix = exposed.rsplit_once('_').map_or("", |(_, suffix)| suffix);
    let hexadecimal = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    SUFFIXES.contains(&suffix.len()) && suffix.bytes().all(hexadecimal)
}

/// Whose tool or prompt a name that is not listed means, and what its server
/// calls it: a client may have learned it before this gateway started.
pub(super) fn by_prefix(exposed: &str, naming: Naming, servers: &[Arc<str>]) -> Option<Owner> {
    let prefixed = || {
        let server = meant(servers, exposed).filter(|_| naming == Naming::Prefixed)?;
        let name = exposed.strip_prefix(&prefixed(server, ""))?;
        Some((Arc::clone(server), name.to_owned()))
    };
    // A single server says itself that it does not know a name.
    prefixed().or_else(|| match servers {
        [only] => Some((Arc::clone(only), exposed.to_owned())),
        _ => None,
    })
}

/// The server that a prefixed name means: of `a` and `a_b` the more specific one,
/// and of `a b` and `a_b` the first.
fn meant<'a>(servers: &'a [Arc<str>], exposed: &str) -> Option<&'a Arc<str>> {
    let able = servers
        .iter()
        .filter(|server| exposed.starts_with(&prefixed(server, "")));
    able.rev().max_by_key(|server| server.chars().count())
}

/// `{server}_{name}`, with what may not stand in a tool's name replaced in the
/// server's.
fn prefixed(server: &str, name: &str) -> String {
    format!("{}_{name}", clean(server))
}

/// Whether every client and every model's interface takes a name.
fn fits(name: &str) -> bool {
    name.len() <= LONGEST && clean(name) == name
}

fn clean(text: &str) -> String {
    let usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    text.chars()
        .map(|c| if usual(c) { c } else { '_' })
        .collect()
}

/// The start of a name, and a suffix that tells it from every other.
fn hashed(text: &str, server: &str, name: &str, digits: usize) -> String {
    let mut hash = Sha256::new();
    hash.update(server);
    hash.update([0]);
    hash.update(name);
    let mut suffix = format!("{:x}", hash.finalize());
    suffix.truncate(digits);
    let mut start = clean(text);
    start.truncate(LONGEST - digits - 1);
    format!("{start}_{suffix}")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn expose(names: &mut Names, server: &str, name: &str) -> String {
        expose_among(names, &[server], server, name)
    }

    fn expose_among(names: &mut Names, servers: &[&str], server: &str, name: &str) -> String {
        let servers: Vec<Arc<str>> = servers.iter().map(|&server| server.into()).collect();
        names.expose(Kind::Tool, Naming::Prefixed, &servers, &server.into(), name)
    }

    fn resolve(names: &Names, exposed: &str, servers: &[&str]) -> Option<Owner> {
        let servers: Vec<Arc<str>> = servers.iter().map(|&server| server.into()).collect();
        let listed = names.listed(Kind::Tool, exposed);
        listed.or_else(|| by_prefix(exposed, Naming::Prefixed, &servers))
    }

    #[test]
    fn a_name_is_the_servers_and_the_tools() {
        let mut names = Names::default();
        assert_eq!(expose(&mut names, "files", "read"), "files_read");
        assert_eq!(expose(&mut names, "my server", "read"), "my_server_read");
    }

    #[test]
    fn a_long_name_is_cut_to_64_characters_and_stays_the_same() {
        let mut names = Names::default();
        let name = "n".repeat(80);
        let exposed = expose(&mut names, "files", &name);
        assert_eq!(exposed.len(), LONGEST);
        assert_eq!(exposed, expose(&mut Names::default(), "files", &name));
        let resolved = resolve(&names, &exposed, &[]);
        assert_eq!(resolved, Some(("files".into(), name)));
    }

    #[test]
    fn two_servers_names_that_would_be_equal_are_told_apart_in_any_order() {
        let servers = ["a", "a_b", "a b"];
        let tools = [("a_b", "c"), ("a", "b_c"), ("a b", "c")];
        let plain = ["a_b_c", "a_b_c_", "a_b_c_"];
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            let mut names = Names::default();
            for at in order {
                let (Some((server, name)), Some(plain)) = (tools.get(at), plain.get(at)) else {
                    continue;
                };
                let exposed = expose_among(&mut names, &servers, server, name);
                assert!(exposed.starts_with(plain), "{exposed}");
                assert_eq!(exposed == *plain, *server == "a_b", "{exposed}");
                let back = resolve(&names, &exposed, &servers);
                assert_eq!(back, Some(((*server).into(), (*name).to_owned())));
            }
        }
        // Before anything is listed.
        let meant = resolve(&Names::default(), "a_b_c", &servers);
        assert_eq!(meant, Some(("a_b".into(), "c".to_owned())));
    }

    #[test]
    fn a_name_that_a_model_would_refuse_is_cleaned() {
        let mut names = Names::default();
        let exposed = ["a.b", "a/b", "für", ""].map(|name| expose(&mut names, "s", name));
        let starts = ["s_a_b_", "s_a_b_", "s_f_r_", "s_"];
        for (exposed, start) in exposed.iter().zip(starts) {
            assert!(exposed.starts_with(start), "{exposed}");
            assert!(fits(exposed), "{exposed}");
        }
        assert_eq!(exposed.iter().collect::<HashSet<_>>().len(), 4);
    }

    #[test]
    fn names_stay_as_they_are_where_one_server_is_wrapped() {
        let mut names = Names::default();
        for name in ["a.b", "für", &"n".repeat(80)] {
            let exposed = names.expose(Kind::Tool, Naming::Bare, &[], &Arc::from("s"), name);
            assert_eq!(exposed, name);
        }
    }

    #[test]
    fn what_is_not_listed_any_more_is_free() {
        let mut names = Names::default();
        let expose = |names: &mut Names, server: &str| {
            names.expose(Kind::Tool, Naming::Bare, &[], &server.into(), "read")
        };
        assert_eq!(expose(&mut names, "a"), "read");
        assert_ne!(expose(&mut names, "b"), "read");
        names.forget(Kind::Tool, "a");
        names.forget(Kind::Tool, "b");
        assert_eq!(expose(&mut names, "b"), "read");
    }

    proptest! {
        #[test]
        fn every_name_fits_is_the_only_one_and_leads_back_whatever_the_order(
            tools in prop::collection::hash_set(("[ab_. ]{1,3}|ü", "[ab_./ä]{0,4}|[ab]{50,90}"), 1..30)
        ) {
            let tools: Vec<_> = tools.into_iter().collect();
            let mut servers: Vec<&str> = tools.iter().map(|(server, _)| &**server).collect();
            servers.sort_unstable();
            servers.dedup();
            let mut names = Names::default();
            let exposed: Vec<_> = tools
                .iter()
                .map(|(server, name)| expose_among(&mut names, &servers, server, name))
                .collect();
            let mut reversed = Names::default();
            for ((server, name), exposed) in tools.iter().zip(&exposed).rev() {
                prop_assert!(fits(exposed), "{}", exposed);
                let back = resolve(&names, exposed, &servers);
                prop_assert_eq!(back, Some((Arc::from(server.as_str()), name.clone())));
                for names in [&mut names, &mut reversed] {
                    prop_assert_eq!(&expose_among(names, &servers, server, name), exposed);
                }
            }
            prop_assert_eq!(exposed.iter().collect::<HashSet<_>>().len(), tools.len());
        }
    }
}
