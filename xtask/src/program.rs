//! Runs other programs, and says what to do when one is missing.

use std::path::Path;
use std::process::{Command, ExitStatus};

use crate::{Outcome, root};

/// A program to run, in the repository's folder unless said otherwise.
pub(crate) struct Program {
    name: String,
    /// What it is needed for, and where to get it.
    remedy: &'static str,
    command: Command,
}

impl Program {
    /// A program on the PATH.
    pub(crate) fn named(name: &str, remedy: &'static str) -> Self {
        let mut command = Command::new(name);
        command.current_dir(root());
        Self {
            name: name.to_owned(),
            remedy,
            command,
        }
    }

    /// A program in a certain place.
    pub(crate) fn at(path: &Path) -> Self {
        Self::named(
            &path.to_string_lossy(),
            "a step before this one should have made it",
        )
    }

    /// The cargo that runs this task.
    pub(crate) fn cargo() -> Self {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        Self::named(&cargo, "it is part of Rust")
    }

    pub(crate) fn args<S: AsRef<std::ffi::OsStr>>(
        mut self,
        args: impl IntoIterator<Item = S>,
    ) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn inside(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it with this task's own streams.
    pub(crate) fn run(mut self) -> Outcome {
        eprintln!("$ {}", self.line());
        let status = self.command.status();
        let status = self.started(status)?;
        self.succeeded(status)
    }

    /// Runs it and hands over what it prints.
    pub(crate) fn output(mut self) -> Result<String, String> {
        let output = self.command.output();
        let output = self.started(output)?;
        self.succeeded(output.status)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Runs it and hands over what it prints, however it ends.
    pub(crate) fn output_of_any_end(mut self) -> Result<String, String> {
        let output = self.command.output();
        let output = self.started(output)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn started<T>(&self, result: std::io::Result<T>) -> Result<T, String> {
        result.map_err(|error| format!("cannot start {}: {error}; {}", self.name, self.remedy))
    }

    fn succeeded(&self, status: ExitStatus) -> Outcome {
        if status.success() {
            Ok(())
        } else {
            Err(format!("`{}` failed ({status})", self.line()))
        }
    }

    fn line(&self) -> String {
        let words = self
            .command
            .get_args()
            .map(|word| word.to_string_lossy().into_owned());
        std::iter::once(self.name.clone())
            .chain(words)
            .collect::<Vec<_>>()
            .join(" ")
    }
}
