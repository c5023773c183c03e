//! What tools and prompts are called: `{server}_{name}` towards the client,
//! `{name}` towards the server.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::config::Naming;
use crate::upstream::Upstream;

/// The longest name that every client takes.
const LONGEST: usize = 64;

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
type Owner = (Arc<str>, String);

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
    /// every time, whatever other servers there are, unless another server's
    /// has that very name.
    pub(super) fn expose(
        &mut self,
        kind: Kind,
        naming: Naming,
        server: &Arc<str>,
        name: &str,
    ) -> String {
        let prefixed = prefixed(server, name);
        let plain = match naming {
            Naming::Bare => Some(name.to_owned()),
            // A name that a model's interface refuses would cost the whole list.
            Naming::Prefixed => Some(prefixed.clone()).filter(|name| fits(name)),
        };
        let hashed = SUFFIXES.map(|digits| hashed(&prefixed, server, name, digits));
        let owner = (Arc::clone(server), name.to_owned());
        let names = self.of(kind);
        for exposed in plain.into_iter().chain(hashed.clone()) {
            match names.get(&exposed) {
                Some(known) if *known != owner => {}
                Some(_) => return exposed,
                None => {
                    names.insert(exposed.clone(), owner);
                    return exposed;
                }
            }
        }
        // Taken only by a collision of the hash, and so the first owner's.
        let [.., longest] = hashed;
        longest
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

    /// Whose tool or prompt the client means, and what its server calls it.
    pub(super) fn resolve(
        &self,
        kind: Kind,
        exposed: &str,
        naming: Naming,
        upstreams: &[Arc<Upstream>],
    ) -> Option<(Arc<str>, String)> {
        let names = match kind {
            Kind::Tool => &self.tools,
            Kind::Prompt => &self.prompts,
        };
        if let Some(listed) = names.get(exposed) {
            return Some(listed.clone());
        }
        // A client may call what it learned before this gateway started.
        let by_prefix = upstreams
            .iter()
            .filter(|_| naming == Naming::Prefixed)
            .filter_map(|upstream| {
                let name = exposed.strip_prefix(&prefixed(upstream.name(), ""))?;
                Some((Arc::clone(upstream.name()), name.to_owned()))
            })
            // Of `a` and `a_b`, the more specific server is meant.
            .max_by_key(|(server, _)| server.len());
        // A single server says itself that it does not know a name.
        by_prefix.or_else(|| match upstreams {
            [only] => Some((Arc::clone(only.name()), exposed.to_owned())),
            _ => None,
        })
    }

    fn of(&mut self, kind: Kind) -> &mut HashMap<String, Owner> {
        match kind {
            Kind::Tool => &mut self.tools,
            Kind::Prompt => &mut self.prompts,
        }
    }
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
        names.expose(Kind::Tool, Naming::Prefixed, &Arc::from(server), name)
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
        let resolved = names.resolve(Kind::Tool, &exposed, Naming::Prefixed, &[]);
        assert_eq!(resolved, Some(("files".into(), name)));
    }

    #[test]
    fn two_servers_names_that_would_be_equal_are_told_apart() {
        let mut names = Names::default();
        let first = expose(&mut names, "a_b", "c");
        let second = expose(&mut names, "a", "b_c");
        assert_eq!(first, "a_b_c");
        assert_ne!(first, second);
        let resolve = |exposed| names.resolve(Kind::Tool, exposed, Naming::Prefixed, &[]);
        assert_eq!(resolve(&first), Some(("a_b".into(), "c".into())));
        assert_eq!(resolve(&second), Some(("a".into(), "b_c".into())));
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
            let exposed = names.expose(Kind::Tool, Naming::Bare, &Arc::from("s"), name);
            assert_eq!(exposed, name);
        }
    }

    #[test]
    fn what_is_not_listed_any_more_is_free() {
        let mut names = Names::default();
        let taken = expose(&mut names, "a_b", "c");
        assert_ne!(expose(&mut names, "a", "b_c"), taken);
        names.forget(Kind::Tool, "a_b");
        names.forget(Kind::Tool, "a");
        assert_eq!(expose(&mut names, "a", "b_c"), taken);
    }

    proptest! {
        #[test]
        fn every_name_fits_is_the_only_one_and_leads_back(
            tools in prop::collection::hash_set(("[ab_. ]{1,3}|ü", "[ab_./ä]{0,4}|[ab]{50,90}"), 1..30)
        ) {
            let mut names = Names::default();
            let exposed: Vec<_> = tools
                .iter()
                .map(|(server, name)| expose(&mut names, server, name))
                .collect();
            for ((server, name), exposed) in tools.iter().zip(&exposed) {
                prop_assert!(fits(exposed), "{}", exposed);
                let back = names.resolve(Kind::Tool, exposed, Naming::Prefixed, &[]);
                prop_assert_eq!(back, Some((Arc::from(server.as_str()), name.clone())));
                prop_assert_eq!(&expose(&mut names, server, name), exposed);
            }
            prop_assert_eq!(exposed.iter().collect::<HashSet<_>>().len(), tools.len());
        }

        #[test]
        fn a_name_does_not_depend_on_servers_that_have_no_equal_one(
            others in prop::collection::vec(("[c-f]{1,3}", "[a-f_.]{1,4}"), 0..20),
            name in "[a-z_.]{1,80}",
        ) {
            let alone = expose(&mut Names::default(), "server", &name);
            let mut names = Names::default();
            for (server, other) in &others {
                expose(&mut names, server, other);
            }
            prop_assert_eq!(expose(&mut names, "server", &name), alone);
        }
    }
}
