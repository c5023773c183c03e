//! The MCP clients that the gateway can be put into: where each keeps its servers,
//! and in what form.
//!
//! A client is a row of data ([`CLIENTS`]). `document` edits its file and leaves
//! the rest of it as it is, `entry` reads what stands there for a server and says
//! what becomes of it, `ours` writes what stands there for the gateway.

mod document;
mod entry;
mod ours;
mod table;
mod variables;

pub use document::{Document, DocumentError};
pub use entry::{Reached, Stays, Taken, Wrapped, is_gateway, take, wrap};
pub use ours::{Ours, wrapped};
pub use table::{CLIENTS, Client, Os};

/// What the gateway's entry in a client's file is called. It is part of every
/// tool's name in many clients, whose length is limited.
pub const ENTRY: &str = "gateway";

/// The syntax of a client's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// JSON, with or without comments.
    Json,
    /// TOML.
    Toml,
    /// YAML.
    Yaml,
}

/// What an entry for a server looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `{command, args, env}`, or `{url, headers}`.
    Plain,
    /// The same, with `type`.
    Typed,
    /// The same, in a list, with `name`.
    Listed,
    /// Codex: variables and tokens are named, not written.
    Codex,
    /// Goose: `{type, cmd, args, envs}`, beside what is built into it.
    Goose,
    /// OpenCode: `{type, command: [program, argument…], environment}`.
    OpenCode,
}

/// How a client's file names a variable of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variables {
    /// Not at all: `${NAME}` is these seven characters.
    None,
    /// `${NAME}` and `${NAME:-default}`.
    Shell,
    /// `$NAME` and `${NAME}`.
    Dollar,
    /// `${env:NAME}`; whatever else stands in `${…}` is the editor's.
    Env,
    /// `{env:NAME}`; `{file:…}` is the client's.
    Braces,
    /// `${{ … }}` is the client's.
    Template,
}

impl Client {
    /// The client of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        CLIENTS.iter().find(|client| client.name == name)
    }
}
