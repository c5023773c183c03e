//! A guardrail in the chain.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Destinations, GuardrailName, Limits, Proof, Reference, ServerName};

/// A guardrail and how it is to be run. Two that are equal need not be loaded
/// again on a reload, unless the component's file changed.
#[derive(Clone, PartialEq, Eq)]
pub struct Guardrail {
    /// Its name, unique among the guardrails.
    pub name: GuardrailName,
    /// Where the component comes from.
    pub component: Source,
    /// The only digest that it may have: `sha256:` and 64 digits.
    pub digest: Option<String>,
    /// What its decisions lead to.
    pub mode: Mode,
    /// For a shadow: the guardrail that it is held against; without one, what it would do
    /// is held against doing nothing.
    pub beside: Option<GuardrailName>,
    /// What happens to a message when it fails.
    pub on_error: OnError,
    /// How long an instance lives.
    pub isolation: Isolation,
    /// What a new build of it has to show before it serves.
    pub proof: Proof,
    /// The messages that it is shown.
    pub only: Only,
    /// What it may use besides what every guardrail may.
    pub grants: Grants,
    /// Where it may send HTTP requests, if it is granted that at all.
    pub destinations: Destinations,
    /// What `configure` is given: a JSON object, `{}` if nothing was written.
    pub config: String,
    /// What it may use up.
    pub limits: Limits,
}

/// Where a guardrail's component comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Built into the gateway, under this name.
    Bundled(Arc<str>),
    /// A `.wasm` file, by its absolute path.
    File(PathBuf),
    /// In a registry.
    Registry(Reference),
}

/// What a guardrail's decisions lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// They are carried out.
    #[default]
    Enforce,
    /// They are recorded, and the message passes unchanged.
    Warn,
    /// It is asked beside the chain, while the message goes on, and only what it would
    /// have done otherwise is recorded.
    Shadow,
    /// It is loaded, but shown nothing.
    Off,
}

/// What happens to a message when its guardrail fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// It is refused: what nobody checked must not pass.
    #[default]
    Block,
    /// It goes on as if the guardrail were not there.
    Allow,
}

/// How long an instance of a guardrail lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// It serves one session, one message at a time.
    #[default]
    Session,
    /// It serves one message.
    Message,
}

/// What a guardrail may use only if that is granted to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// To keep values in the gateway.
    State,
    /// To derive keys from the secret of this installation.
    Keys,
    /// To send HTTP requests to certain destinations.
    Http,
    /// To have exchanges recorded.
    Journal,
}

/// The capabilities that are granted to a guardrail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Grants {
    /// [`Capability::State`].
    pub state: bool,
    /// [`Capability::Keys`].
    pub keys: bool,
    /// [`Capability::Http`].
    pub http: bool,
    /// [`Capability::Journal`].
    pub journal: bool,
}

impl Capability {
    /// All that there are.
    pub const ALL: [Self; 4] = [Self::State, Self::Keys, Self::Http, Self::Journal];

    /// What the contract and the configuration call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Keys => "keys",
            Self::Http => "http",
            Self::Journal => "journal",
        }
    }

    /// What the configuration says to deny what would be granted by default.
    pub fn denial(self) -> &'static str {
        match self {
            Self::State => "state = false",
            Self::Keys => "keys = false",
            Self::Http => "http = []",
            Self::Journal => "journal = false",
        }
    }

    /// What the configuration says to grant it.
    pub fn grant(self) -> &'static str {
        match self {
            Self::State => "state = true",
            Self::Keys => "keys = true",
            Self::Http => "http = [\"https://…\"]",
            Self::Journal => "journal = true",
        }
    }
}

impl Grants {
    /// Everything that can be granted.
    pub const ALL: Self = Self {
        state: true,
        keys: true,
        http: true,
        journal: true,
    };

    /// The capabilities that are among them.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        let all = Capability::ALL.into_iter();
        all.filter(move |capability| self.include(*capability))
    }

    /// Whether a capability is among them.
    pub fn include(self, capability: Capability) -> bool {
        match capability {
            Capability::State => self.state,
            Capability::Keys => self.keys,
            Capability::Http => self.http,
            Capability::Journal => self.journal,
        }
    }
}

/// The messages that a guardrail is shown; an empty list stands for all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Only {
    /// The servers that they go to or come from.
    pub servers: Vec<ServerName>,
    /// Their methods, or `prefix/*`.
    pub methods: Vec<String>,
}

impl Guardrail {
    /// A guardrail with everything else by default. What is part of the gateway may
    /// use whatever it has a use for.
    pub fn new(name: GuardrailName, component: Source) -> Self {
        let grants = match component {
            Source::Bundled(_) => Grants::ALL,
            Source::File(_) | Source::Registry(_) => Grants::default(),
        };
        Self {
            grants,
            destinations: Destinations::default(),
            name,
            component,
            digest: None,
            mode: Mode::default(),
            beside: None,
            on_error: OnError::default(),
            isolation: Isolation::default(),
            proof: Proof::default(),
            only: Only::default(),
            config: "{}".to_owned(),
            limits: Limits::default(),
        }
    }

    /// Another build of it, to be asked beside it.
    #[must_use]
    pub fn shadow(&self, name: GuardrailName, component: Source) -> Self {
        Self {
            name,
            component,
            // That of another build.
            digest: None,
            mode: match self.mode {
                Mode::Off => Mode::Off,
                Mode::Enforce | Mode::Warn | Mode::Shadow => Mode::Shadow,
            },
            beside: Some(self.name.clone()),
            ..self.clone()
        }
    }
}

impl Only {
    /// Whether a message of this server and method is among them.
    pub fn includes(&self, server: &str, method: &str) -> bool {
        let servers = &self.servers;
        let methods = &self.methods;
        (servers.is_empty() || servers.iter().any(|name| name.as_str() == server))
            && (methods.is_empty() || methods.iter().any(|one| covers(one, method)))
    }
}

/// Its configuration may hold keys and patterns, so it is left out.
impl fmt::Debug for Guardrail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guardrail")
            .field("name", &self.name)
            .field("component", &self.component)
            .field("digest", &self.digest)
            .field("mode", &self.mode)
            .field("beside", &self.beside)
            .field("on_error", &self.on_error)
            .field("isolation", &self.isolation)
            .field("proof", &self.proof)
            .field("only", &self.only)
            .field("grants", &self.grants)
            .field("destinations", &self.destinations)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled(name) => write!(f, "the bundled {name}"),
            Self::File(path) => path.display().fmt(f),
            Self::Registry(reference) => reference.fmt(f),
        }
    }
}

/// Whether a method is what a pattern (itself a method, or `prefix/*`) means.
pub fn covers(pattern: &str, method: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) if prefix.ends_with('/') => method.starts_with(prefix),
        _ => pattern == method,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_includes_everything() {
        assert!(Only::default().includes("git", "tools/call"));
    }

    #[test]
    fn server_and_method_must_both_fit() {
        let only = Only {
            servers: vec!["git".parse().unwrap()],
            methods: vec!["tools/*".into(), "prompts/get".into()],
        };
        assert!(only.includes("git", "tools/call"));
        assert!(only.includes("git", "prompts/get"));
        assert!(!only.includes("git", "prompts/list"));
        assert!(!only.includes("git", "toolsmith"));
        assert!(!only.includes("db", "tools/call"));
    }
}
