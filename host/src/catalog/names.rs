//! What tools and prompts are called: `{server}_{name}` towards the client,
//! `{name}` towards the server.

use std::collections::HashMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::config::Naming;
use crate::upstream::Upstream;

/// The longest name that every client takes.
const LONGEST: usize = 64;

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
pub(super) struct Names(HashMap<(Kind, String), (Arc<str>, String)>);

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
        let plain = match naming {
            Naming::Bare => name.to_owned(),
            Naming::Prefixed => fit(&prefixed(server, name), server, name),
        };
        let owner = (Arc::clone(server), name.to_owned());
        for exposed in [plain, hashed(&prefixed(server, name), server, name)] {
            let entry = self.0.entry((kind, exposed.clone()));
            if *entry.or_insert_with(|| owner.clone()) == owner {
                return exposed;
            }
        }
        // Both are taken only by a collision of the hash; the first owner wins.
        hashed(name, server, name)
    }

    /// Forgets the names of servers that are gone.
    pub(super) fn retain(&mut self, stays: impl Fn(&Arc<str>) -> bool) {
        self.0.retain(|_, (server, _)| stays(server));
    }

    /// Whose tool or prompt the client means, and what its server calls it.
    pub(super) fn resolve(
        &self,
        kind: Kind,
        exposed: &str,
        naming: Naming,
        upstreams: &[Arc<Upstream>],
    ) -> Option<(Arc<str>, String)> {
        if let Some(listed) = self.0.get(&(kind, exposed.to_owned())) {
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
}

/// `{server}_{name}`, with what may not stand in a tool's name replaced.
fn prefixed(server: &str, name: &str) -> String {
    let mut text: String = server
        .chars()
        .map(|c| match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => c,
            _ => '_',
        })
        .collect();
    text.push('_');
    text.push_str(name);
    text
}

fn fit(text: &str, server: &str, name: &str) -> String {
    if text.len() <= LONGEST {
        text.to_owned()
    } else {
        hashed(text, server, name)
    }
}

/// The start of a name, and a suffix that tells it from every other.
fn hashed(text: &str, server: &str, name: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(server);
    hash.update([0]);
    hash.update(name);
    let suffix: String = hash
        .finalize()
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let room = LONGEST - suffix.len() - 1;
    let cut = text.floor_char_boundary(room);
    format!("{}_{suffix}", text.split_at(cut).0)
}

#[cfg(test)]
mod tests {
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
    fn a_long_name_is_cut_between_characters() {
        let mut names = Names::default();
        let exposed = expose(&mut names, "s", &"ü".repeat(60));
        assert!(exposed.len() <= LONGEST);
    }
}
