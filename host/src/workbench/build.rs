//! `plugin build`: a language's own build, and a look at what comes out.

mod toolchain;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde_json::Value;

use super::{cases, inspect, say};
use crate::cli::{BuildArgs, InspectArgs, TestArgs};
use toolchain::{Makes, Need, Sign, Toolchain};

/// Where a project has its cases, if it has some.
const CASES: &str = "cases.jsonl";

/// Builds a project and checks the component. Says whether it is what it says it is.
///
/// # Errors
/// When a tool is missing, or the build fails.
pub(super) async fn build(args: &BuildArgs) -> anyhow::Result<bool> {
    let project = Project::open(&args.folder)?;
    project.has_what_it_needs()?;
    let component = project.build()?;
    say(&format!("{}\n\n", component.display()))?;
    if !inspect::inspect(&InspectArgs::of(component.clone())).await? {
        return Ok(false);
    }
    say("\n")?;
    let cases = project.folder.join(CASES);
    let cases = cases.exists().then_some(cases).into_iter().collect();
    cases::test(&TestArgs::of(component, cases, args.config.clone())).await
}

struct Project {
    folder: PathBuf,
    toolchain: &'static Toolchain,
    /// Where programs are looked for: first among those that the project has for itself.
    path: OsString,
}

impl Project {
    fn open(folder: &Path) -> anyhow::Result<Self> {
        let Some(toolchain) = Toolchain::of(folder) else {
            bail!(
                "{} is not the folder of a guardrail: it has none of {}; mcp-gateway plugin new makes one",
                folder.display(),
                Toolchain::signs().join(", ")
            );
        };
        let folder = std::path::absolute(folder)?;
        let own = toolchain.programs.iter().map(|place| folder.join(place));
        let usual = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(own.chain(env::split_paths(&usual)))?;
        Ok(Self {
            folder,
            toolchain,
            path,
        })
    }

    /// All that is missing at once.
    fn has_what_it_needs(&self) -> anyhow::Result<()> {
        let missing: Vec<_> = self
            .toolchain
            .needs
            .iter()
            .filter(|need| !self.has(need))
            .map(|Need { name, remedy, .. }| format!("\n  {name}: {remedy}"))
            .collect();
        if !missing.is_empty() {
            bail!("this needs to be installed first:{}", missing.concat());
        }
        Ok(())
    }

    fn has(&self, need: &Need) -> bool {
        match need.sign {
            Sign::Program(program) => self.find(program).is_some(),
            Sign::Folder(folder) => self.folder.join(folder).is_dir(),
            Sign::FolderNamedBy(command) => self.command(command).is_some_and(|mut command| {
                let output = command.stderr(Stdio::null()).output();
                output.is_ok_and(|output| {
                    let named = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                    output.status.success() && Path::new(&named).is_dir()
                })
            }),
        }
    }

    fn find(&self, program: &str) -> Option<PathBuf> {
        which::which_in(program, Some(&self.path), &self.folder).ok()
    }

    fn command(&self, words: &[&str]) -> Option<Command> {
        let (program, words) = words.split_first()?;
        let mut command = Command::new(self.find(program)?);
        command
            .args(words)
            .current_dir(&self.folder)
            .env("PATH", &self.path)
            .stdin(Stdio::null());
        Some(command)
    }

    /// Runs the build, whose words go to standard error, and finds what it made.
    fn build(&self) -> anyhow::Result<PathBuf> {
        let words = self.toolchain.build;
        let line = words.join(" ");
        let mut command = self.command(words).context("a program went away")?;
        let says = match self.toolchain.makes {
            Makes::FolderOf(_) => Stdio::from(std::io::stderr()),
            Makes::Messages => Stdio::piped(),
        };
        let output = command
            .stdout(says)
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot start {line}"))?;
        if !output.status.success() {
            bail!("`{line}` failed ({})", output.status);
        }
        match self.toolchain.makes {
            Makes::FolderOf(folder) => only_component(&self.folder.join(folder)),
            Makes::Messages => named_component(&String::from_utf8_lossy(&output.stdout))
                .with_context(|| {
                    format!("`{line}` made no component; its [lib] needs crate-type = [\"cdylib\", \"rlib\"]")
                }),
        }
    }
}

/// The one component in a folder.
fn only_component(folder: &Path) -> anyhow::Result<PathBuf> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("the build made no {}", folder.display()))?;
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|it| it == "wasm"))
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(component), true) => Ok(component),
        (None, _) => bail!("the build put no .wasm into {}", folder.display()),
        (Some(_), false) => bail!(
            "{} holds several .wasm files; remove all but that of this guardrail",
            folder.display()
        ),
    }
}

/// The component that cargo says it made.
fn named_component(messages: &str) -> Option<PathBuf> {
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let artifacts = messages.filter(|message| {
        let kinds = message.pointer("/target/kind").and_then(Value::as_array);
        kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == "cdylib"))
    });
    let mut files = artifacts.filter_map(|message| {
        let files = message.get("filenames")?.as_array()?;
        let mut names = files.iter().filter_map(Value::as_str);
        names
            .find(|name| name.ends_with(".wasm"))
            .map(PathBuf::from)
    });
    files.next_back()
}
