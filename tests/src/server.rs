//! A server to be put behind the gateway: the `mirror` of this package, or a
//! real one.

use std::path::{Path, PathBuf};

use crate::{eventually, program_beside, quote};

/// What the mirror's tool `hold` answers once it was released.
pub const RELEASED: &str = "released";

/// A server as the configuration has it.
#[derive(Debug, Clone)]
pub struct Server {
    pub(crate) name: String,
    command: String,
    args: Vec<String>,
    env: Vec<(String, String)>,
    settings: Vec<String>,
    is_mirror: bool,
    /// Where it runs, if the gateway does not start it.
    url: Option<String>,
    log: Option<PathBuf>,
}

impl Server {
    /// The mirror: a server that does what a test tells it, well or badly.
    pub fn mirror(name: &str) -> Self {
        let binary = program_beside("mirror");
        Self {
            is_mirror: true,
            ..Self::command(name, binary.to_str().unwrap(), &[])
        }
    }

    /// A mirror that misbehaves in these ways; see its own words.
    pub fn misbehaving(name: &str, how: &str) -> Self {
        Self::mirror(name).env("MIRROR_BEHAVIOUR", how)
    }

    /// A mirror that cannot be ended by kind words, and that has a child which
    /// is no better.
    pub fn stubborn(name: &str) -> Self {
        let binary = program_beside("mirror");
        // What a shell ignores stays ignored in what it becomes.
        let script = format!(
            "trap '' TERM INT HUP; exec {}",
            quote(binary.to_str().unwrap())
        );
        Self {
            is_mirror: true,
            ..Self::command(name, "sh", &["-c", &script])
        }
        .env("MIRROR_BEHAVIOUR", "deaf parent")
    }

    /// Any other.
    pub fn command(name: &str, command: &str, args: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            command: command.to_owned(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            env: Vec::new(),
            settings: Vec::new(),
            is_mirror: false,
            url: None,
            log: None,
        }
    }

    /// One that runs already, at this address.
    pub fn remote(name: &str, url: &str) -> Self {
        Self {
            url: Some(url.to_owned()),
            ..Self::command(name, "", &[])
        }
    }

    /// Adds a variable to its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a line to its table in the configuration.
    #[must_use]
    pub fn setting(mut self, line: &str) -> Self {
        self.settings.push(line.to_owned());
        self
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its program and arguments.
    pub fn command_line(&self) -> (&str, &[String]) {
        (&self.command, &self.args)
    }

    /// The variables added to its environment, as an object.
    pub fn variables(&self) -> serde_json::Value {
        self.env.iter().cloned().collect()
    }

    /// Has the mirror keep its diary in a folder.
    pub(crate) fn keep_diary(&mut self, folder: &Path) {
        if self.is_mirror {
            let path = folder.join(format!("{}.diary", self.name));
            self.env
                .push(("MIRROR_LOG".to_owned(), path.to_str().unwrap().to_owned()));
            self.log = Some(path);
        }
    }

    /// What the configuration says about it.
    pub fn toml(&self) -> String {
        if let Some(url) = &self.url {
            let settings = self.settings.join("\n");
            return format!(
                "[servers.{}]\nurl = {}\n{settings}\n",
                self.name,
                quote(url)
            );
        }
        let args: Vec<String> = self.args.iter().map(|arg| quote(arg)).collect();
        let env: Vec<String> = self
            .env
            .iter()
            .map(|(name, value)| format!("{name} = {}", quote(value)))
            .collect();
        format!(
            "[servers.{}]\ncommand = {}\nargs = [{}]\nenv = {{ {} }}\n{}\n",
            self.name,
            quote(&self.command),
            args.join(", "),
            env.join(", "),
            self.settings.join("\n"),
        )
    }

    /// What the mirror wrote into its diary: what it received, as it was, after
    /// `< `, and what happened to it.
    pub fn diary(&self) -> Vec<String> {
        let path = self
            .log
            .as_ref()
            .expect("only a mirror that was started keeps a diary");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits for a line of the diary that starts like this, and returns the
    /// rest of it.
    pub fn wait_for(&self, start: &str) -> String {
        let mut found = None;
        eventually(&format!("{start:?} in the diary of {}", self.name), || {
            found = self
                .diary()
                .iter()
                .find_map(|line| line.strip_prefix(start).map(str::to_owned));
            found.is_some()
        });
        found.unwrap()
    }

    /// Waits until the mirror has received something that contains this.
    pub fn wait_to_receive(&self, part: &str) -> String {
        let mut found = None;
        eventually(&format!("{part:?} received by {}", self.name), || {
            found = self.received().into_iter().find(|line| line.contains(part));
            found.is_some()
        });
        found.unwrap()
    }

    /// The lines that the mirror received.
    pub fn received(&self) -> Vec<String> {
        self.diary()
            .iter()
            .filter_map(|line| line.strip_prefix("< ").map(str::to_owned))
            .collect()
    }

    /// The number of the mirror's process, or of its child.
    pub fn process(&self, who: &str) -> u32 {
        self.wait_for(&format!("{who} ")).parse().unwrap()
    }
}
