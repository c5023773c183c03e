//! What can be wrong with a configuration, and what to do about it.

use std::fmt;
use std::path::PathBuf;

use super::hint::List;
use super::{Hint, InvalidName, NoKey, NoReference, Source, Unresolved};

/// All errors of one configuration, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(pub Vec<ConfigError>);

/// One error and its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    /// Where it stands.
    pub place: Place,
    /// What is wrong, and the remedy.
    pub problem: Problem,
}

/// Where an error stands. The order is the one in which errors are listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// In the arguments that the gateway was started with.
    CommandLine,
    /// A file as a whole.
    File(PathBuf),
    /// A character of a file, counted from one.
    Position {
        /// The file, as it was named.
        file: PathBuf,
        /// The line.
        line: usize,
        /// The character in the line.
        column: usize,
    },
}

/// What is wrong, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum Problem {
    /// The file can't be read.
    #[error("can't read the file: {0}")]
    Unreadable(String),
    /// The parser's own words.
    #[error("{syntax} syntax error: {message}")]
    Syntax {
        syntax: &'static str,
        message: String,
    },
    /// A key that means nothing here.
    #[error("unknown key \"{key}\" in {inside}; {hint}")]
    UnknownKey {
        key: String,
        inside: String,
        hint: Hint,
    },
    /// A key that stands twice in one table.
    #[error("\"{key}\" stands twice in {inside}; remove one")]
    Duplicate { key: String, inside: String },
    /// A key that must be there.
    #[error("{inside} has no \"{key}\"; {remedy}")]
    Missing {
        inside: String,
        key: &'static str,
        remedy: &'static str,
    },
    /// A value of another type.
    #[error("{what} must be {expected}, not {found}")]
    WrongType {
        what: String,
        expected: &'static str,
        found: &'static str,
    },
    /// None of the words that are allowed.
    #[error("{what} is \"{found}\"; {hint}")]
    NoSuchChoice {
        what: String,
        found: String,
        hint: Hint,
    },
    /// A text that is no quantity.
    #[error("{what} is {found}; write {expected}")]
    NoQuantity {
        what: String,
        found: String,
        expected: &'static str,
    },
    /// A quantity that makes no sense.
    #[error("{what} is {found}; it can be {least} to {most}")]
    OutOfRange {
        what: String,
        found: String,
        least: String,
        most: String,
    },
    /// A text that must not be empty.
    #[error("{what} is empty; {remedy}")]
    Empty { what: String, remedy: &'static str },
    /// A name that can't be one.
    #[error("{what}: {cause}")]
    Name { what: String, cause: InvalidName },
    /// A name that can't be a variable's.
    #[error("{what}: a variable's name can't be empty or contain \"=\"")]
    VariableName { what: String },
    /// A variable without a value.
    #[error("{what} {cause}")]
    Variable { what: String, cause: Unresolved },
    /// A `~` without a home.
    #[error("{what} starts with \"~\", but HOME is not set; write the whole path")]
    NoHome { what: String },
    /// A guardrail that nobody knows.
    #[error(
        "unknown guardrail \"{wanted}\"; {hint:#}; a file is named by its path, such as \
             ./{wanted}.wasm"
    )]
    UnknownGuardrail { wanted: String, hint: Hint },
    /// What begins like a reference to a registry is none.
    #[error(transparent)]
    Reference(NoReference),
    /// A key that is to be trusted is none.
    #[error("{what}: {cause}")]
    Key { what: String, cause: NoKey },
    /// What is to be a digest is none.
    #[error(
        "{what} is no digest: it is \"sha256:\" and 64 hexadecimal digits in lower case, as `mcp-gateway plugin inspect` shows it"
    )]
    Digest { what: String },
    /// A guardrail of the project that this build lacks.
    #[error("guardrail \"{name}\"{} is not part of this build; known: {}", Written { name, wrote }, List(known))]
    NotBundled {
        name: String,
        wrote: String,
        known: Vec<String>,
    },
    /// A guardrail that asks a service, and has no key to it.
    #[error(
        "guardrail \"{name}\" needs a key: set {variable} in the gateway's environment (in a \
         client's file: \"env\" of the gateway's entry), or write \
         `grant.http.\"{origin}\".headers.{header} = \"…\"` into its entry of gateway.toml"
    )]
    NoKey {
        name: String,
        variable: &'static str,
        header: String,
        origin: String,
    },
    /// A guardrail that is granted other origins than the one that it asks.
    #[error(
        "guardrail \"{name}\" asks {origin}, which its \"grant.http\" does not list; add it, or \
         remove \"grant.http\""
    )]
    ServiceNotGranted { name: String, origin: String },
    /// Two guardrails of one name.
    #[error(
        "two guardrails are named \"{name}\": {first} and {second}; \
             in gateway.toml, \"name\" tells them apart"
    )]
    DuplicateGuardrail {
        name: String,
        first: Source,
        second: Source,
    },
    /// A guardrail that is meant for a server that isn't there.
    #[error("{what} names no server: \"{found}\"; {hint}")]
    UnknownServer {
        what: String,
        found: String,
        hint: Hint,
    },
    /// What is about a guardrail that isn't there.
    #[error("{what} names no guardrail: \"{found}\"; {hint}")]
    NoSuchGuardrail {
        what: String,
        found: String,
        hint: Hint,
    },
    /// A pattern that no method matches.
    #[error("{what} can never match: \"{found}\"; {remedy}")]
    NeverMatches {
        what: String,
        found: String,
        remedy: String,
    },
    /// A server that is both started and reached elsewhere.
    #[error(
        "{inside} has both \"{first}\" and \"{second}\"; keep \"command\" for a server that the \
             gateway starts, or \"url\" for one that runs elsewhere"
    )]
    Both {
        inside: String,
        first: &'static str,
        second: &'static str,
    },
    /// A transport that MCP does not define.
    #[error(
        "{what} is \"ws\"; MCP has no WebSocket transport: write the address at which the server \
             speaks HTTP, and \"http\""
    )]
    WebSocket { what: String },
    /// A text that is no address of a server.
    #[error("{what} is no address that a server can be reached at: {cause}")]
    Url { what: String, cause: String },
    /// An address with a user name or password in it.
    #[error(
        "{what} holds a user name or a password, which may show in logs on the way; \
             write an \"Authorization\" header in \"headers\""
    )]
    Userinfo { what: String },
    /// A path that is to come out of the keyring.
    #[error(
        "{what} is a path, which is not looked for in the keyring; write it here, or as a \
             variable of the environment: ${{NAME}}"
    )]
    PathInKeyring { what: String },
    /// What cannot be a header's name.
    #[error("{what}: a header's name has letters, digits and \"-\" only")]
    HeaderName { what: String },
    /// What cannot be a header's value.
    #[error(
        "{what} can't be sent: a header's value has no line breaks or other control characters"
    )]
    HeaderValue { what: String },
    /// A header that belongs to HTTP or to MCP itself.
    #[error("{what} is for the gateway to say; remove it")]
    HeaderReserved { what: String },
    /// Two things to log in with.
    #[error(
        "{inside} has both \"bearer\" and a header \"Authorization\"; a request has one; remove the other"
    )]
    TwoAuthorizations { inside: String },
    /// No entry of the client's file is the gateway's.
    #[error(
        "no entry of \"mcpServers\" holds an object \"servers\"; move the servers to guard into the \
             gateway's own entry: {{\"mcpServers\": {{\"mcp-gateway\": {{\"command\": \
             \"mcp-gateway\", \"args\": […], \"servers\": {{\"git\": {{\"command\": \"uvx\", \
             \"args\": [\"mcp-server-git\"]}}}}}}}}}}"
    )]
    NoEntry,
    /// Several entries of the client's file may be the gateway's.
    #[error("several entries of \"mcpServers\" hold \"servers\": {}; keep them in one", List(.0))]
    SeveralEntries(Vec<String>),
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommandLine => f.write_str("command line"),
            Self::File(file) => file.display().fmt(f),
            Self::Position { file, line, column } => {
                write!(f, "{}:{line}:{column}", file.display())
            }
        }
    }
}

/// What a person wrote, where it differs from what it stands for.
struct Written<'a> {
    name: &'a str,
    wrote: &'a str,
}

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name == self.wrote {
            return Ok(());
        }
        write!(f, " (you wrote \"{}\")", self.wrote)
    }
}
