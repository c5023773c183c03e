//! `plugin new` and `plugin build`: from nothing to a component.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Which project to make.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct NewArgs {
    /// Its folder, which must not be there yet; the guardrail is called by the last part
    pub folder: PathBuf,
    /// The language that it is written in
    #[arg(long, value_enum)]
    pub lang: Language,
}

/// Which project to build.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct BuildArgs {
    /// Its folder
    #[arg(default_value = ".")]
    pub folder: PathBuf,
    /// The configuration that its cases are for: JSON, TOML, or a .json or .toml file
    #[arg(long, value_name = "CONFIG")]
    pub config: Option<String>,
}

/// What guardrails can be started in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// With cargo.
    Rust,
    /// JavaScript, with npm.
    Js,
    /// TypeScript, with npm.
    Ts,
    /// With componentize-py.
    Python,
    /// With Go's own compiler.
    Go,
    /// With zig cc, or another clang.
    C,
}
