//! What the gateway was asked to do, read from a file or a command line.
//!
//! There are two ways to write a configuration down, `gateway.toml` and the
//! client's own `mcp.json`, and one model that both end in. Everything typed
//! is checked while it is read, so whoever holds a [`Config`] need not check
//! again; and all errors are reported at once, each with its place and its
//! remedy. Reading depends on nothing but the files and the environment.
//!
//! Inside: `tree` makes one spanned tree of either syntax, `section` and `field`
//! walk it and report what is wrong, `read` knows the keys and what they mean.

mod bundled;
mod component;
mod destination;
mod error;
mod expand;
mod field;
mod guardrail;
mod hint;
mod home;
mod journal;
mod limits;
mod name;
mod quantity;
mod read;
mod report;
mod secret;
mod section;
mod server;
mod service;
mod source;
mod stand_in;
mod swap;
mod timeouts;
mod tree;

use std::path::PathBuf;
use std::time::Duration;

pub use component::{NoKey, NoReference, Reference, TrustedKey};
pub use destination::{Destination, Destinations};
pub use error::{ConfigError, ConfigErrors, Place, Problem};
pub use expand::Unresolved;
pub use guardrail::{
    Capability, Grants, Guardrail, Isolation, Mode, OnError, Only, Source, covers,
};
pub use hint::Hint;
pub use journal::{Durability, Journal, Period, Rotate};
pub use limits::Limits;
pub use name::{GuardrailName, InvalidName, ServerName};
pub use quantity::parse_duration;
pub use quantity::show_duration;
pub use secret::FileFault;
pub use server::{Flavor, OAuth, Program, Protocol, Remote, Server, Transport};
pub use source::{ConfigSource, Form, GuardrailArg, journal_of, shell_word};
pub use stand_in::Unfit;
pub use swap::{Proof, Swap};
pub use timeouts::{Key, Patience, Timeouts};

/// A configuration without errors.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Config {
    /// What concerns the gateway as a whole.
    pub gateway: Gateway,
    /// Where exchanges are recorded.
    pub journal: Journal,
    /// What new builds of guardrails have to show.
    pub swap: Swap,
    /// The servers to start or to connect to, in the order of the file.
    pub servers: Vec<Server>,
    /// The guardrails, in the order in which a message passes them.
    pub guardrails: Vec<Guardrail>,
    /// The file to watch, as an absolute path. A wrapped command has none.
    pub source: Option<PathBuf>,
    /// The files that secrets come from, to be watched as well.
    pub secrets: Vec<PathBuf>,
    /// What a person should know although nothing is wrong enough to stop.
    pub warnings: Vec<String>,
}

/// What concerns the gateway as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// How the client sees the names of tools and prompts.
    pub naming: Naming,
    /// How long the first list waits for servers that are still starting, and
    /// any list for a server that does not answer.
    /// Ten seconds: `npx` and `uvx` often take five, and most clients give up
    /// on a list after thirty.
    pub ready_timeout: Duration,
    /// Whether the servers' lists are kept on disk, so that those of a slow
    /// server are there at once at the next start.
    pub catalog_cache: bool,
    /// The longest message accepted from either side, in bytes. 64 MiB: room
    /// for a base64 image or a file, but not for a peer that never ends a line.
    pub max_message: usize,
    /// How long an answer may take without a sign of life, whoever is asked. An
    /// hour: a person may be asked, too, and most clients give up long before.
    pub request_timeout: Duration,
    /// How long the answers to certain methods may take.
    pub timeouts: Timeouts,
    /// The requests of one side that may wait for their answer at a time. 1000:
    /// far more than a client that is in order has, and little memory.
    pub max_in_flight: usize,
    /// What becomes of tools whose definition nobody has approved of. Only a warning:
    /// servers that are updated at each start change often, and tools that vanish
    /// without a word are a riddle to whoever has not asked for it.
    pub pinning: Pinning,
    /// Whether a server whose package has little reputation waits for a person's word
    /// before it is started.
    pub scan: bool,
    /// Whether clients get the tool `get_metadata`, which says what servers there are, as
    /// the Python gateway's clients do.
    pub expose_metadata: bool,
    /// Who has to have signed each component that is not part of the gateway; if there
    /// are none, nobody has to.
    pub trusted_keys: Vec<TrustedKey>,
}

/// What becomes of a tool whose definition is another one than was approved, or that
/// is new since the server's first list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pinning {
    /// Nothing is compared, and nothing kept.
    Off,
    /// It is logged, and waits for `mcp-gateway pin review`.
    #[default]
    Warn,
    /// The client does not see it, and cannot call it, until a person has approved.
    Hide,
}

/// How the client sees the names of tools and prompts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Naming {
    /// `{server}_{name}`, so that two servers may have a tool of one name.
    #[default]
    Prefixed,
    /// As the server has them.
    Bare,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            naming: Naming::default(),
            ready_timeout: Duration::from_secs(10),
            catalog_cache: true,
            max_message: 64 << 20,
            request_timeout: Duration::from_secs(3600),
            timeouts: Timeouts::default(),
            max_in_flight: 1000,
            pinning: Pinning::default(),
            scan: false,
            expose_metadata: false,
            trusted_keys: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests;
