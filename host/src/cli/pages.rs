//! `completions` and `man`: what shells and `man` want to know of the command line.

use std::io;

use clap::{CommandFactory, ValueEnum};

use super::Cli;

/// A shell that completes words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// Elvish
    Elvish,
    /// fish
    Fish,
    /// PowerShell
    Powershell,
    /// zsh
    Zsh,
}

/// What completes the command line in a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Elvish => clap_complete::Shell::Elvish,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::Powershell => clap_complete::Shell::PowerShell,
        Shell::Zsh => clap_complete::Shell::Zsh,
    };
    // In memory, since its writer panics when a pipe is closed.
    let mut page = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "mcp-gateway", &mut page);
    page
}

/// The page for `man`.
///
/// # Errors
/// When it cannot be put together.
pub fn man() -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page)?;
    Ok(page)
}
