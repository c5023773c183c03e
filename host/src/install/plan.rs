//! What becomes of a client's file when the gateway is put before its servers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::record::{Record, Step, stamp};
use super::{Change, Install, InstallError, Outcome, Way, config, environment, unusable};
use crate::clients::{
    Client, Document, ENTRY, Os, Ours, Reached, Stays, is_gateway, take, wrap, wrapped,
};

/// What has been found out about a client's file.
struct Work<'a> {
    request: &'a Install,
    client: &'static Client,
    file: &'a Path,
    document: Document,
    servers: Vec<(String, Value)>,
    stays: Vec<(String, Stays)>,
    notes: Vec<String>,
}

/// The change of this file; `None` if there is no such file.
pub(super) fn install(
    request: &Install,
    client: &'static Client,
    file: PathBuf,
) -> Result<Option<Outcome>, InstallError> {
    let before = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(&file)(error)),
    };
    let document = Document::read(client, &before).map_err(|cause| InstallError::Document {
        path: file.clone(),
        cause,
    })?;
    let beside = beside(client, &file, &document)?;
    let mut work = Work {
        request,
        client,
        file: &file,
        servers: document.servers(),
        document,
        stays: Vec::new(),
        notes: beside,
    };
    let (names, config) = match request.way {
        Way::Move { logins } => work.move_all(logins)?,
        Way::Wrap => (work.wrap_each()?, None),
    };
    if names.is_empty() {
        return Ok(Some(Outcome::Same(work.stays)));
    }
    let after = work.document.text();
    let stays = work.stays.iter();
    let stays = stays.map(|(name, why)| format!("{name} stays as it is: {why}"));
    let notes = work.notes.into_iter().chain(stays).collect();

    let mut record = Record::read(&file)?.unwrap_or_else(|| Record::new(client, &file));
    let at = stamp();
    let copy = free(&file, &at);
    record.steps.push(Step {
        at,
        copy: copy.clone(),
        names,
        way: match request.way {
            Way::Move { .. } => super::record::Moved::Moved,
            Way::Wrap => super::record::Moved::Wrapped,
        },
        before: before.clone(),
        after: after.clone(),
        config: config
            .as_ref()
            .map(|(path, _, after)| (path.clone(), after.clone().unwrap_or_default())),
        config_before: config.as_ref().and_then(|(_, before, _)| before.clone()),
    });
    Ok(Some(Outcome::Change(Box::new(Change {
        client,
        file,
        before,
        after,
        config,
        record,
        copies: Vec::new(),
        copy: Some(copy),
        notes,
    }))))
}

type ConfigChange = Option<(PathBuf, Option<String>, Option<String>)>;

impl Work<'_> {
    fn move_all(&mut self, logins: bool) -> Result<(Vec<String>, ConfigChange), InstallError> {
        let ours = self.servers.iter().find(|(name, _)| name == ENTRY);
        let ours = ours.map(|(_, entry)| entry.clone());
        if ours.as_ref().is_some_and(|entry| !is_gateway(entry)) {
            return Err(InstallError::NameTaken(self.file.to_owned()));
        }
        let path = match ours.as_ref().and_then(named_config) {
            Some(path) => path,
            None => self.config_path()?,
        };
        let existing = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(unusable(&path)(error)),
        };
        let mut config = config::Config::open(
            existing.as_deref(),
            &path,
            &self.request.guardrails,
            self.client.title,
            ours.is_some(),
        )?;
        if existing.is_some() && ours.is_none() {
            self.notes.push(format!(
                "{} was there already, and its guardrails stay",
                path.display()
            ));
        }
        let mut names = Vec::new();
        let mut entries = Vec::new();
        let mut variables = BTreeSet::new();
        for (name, entry) in self.servers.clone() {
            let taken = take(self.client, &entry, logins).and_then(|taken| {
                config.add(&name, &taken.reached)?;
                Ok(taken)
            });
            match taken {
                Ok(taken) => {
                    self.tell(&name, &taken.reached, &taken.lost);
                    variables.extend(taken.variables);
                    names.push(name);
                    entries.push(entry);
                }
                // Its own entry needs no word.
                Err(Stays::Ours) => {}
                Err(why) => self.stays.push((name, why)),
            }
        }
        if names.is_empty() {
            return Ok((names, None));
        }
        let text = config.text()?;
        let new = match &ours {
            Some(ours) => {
                self.extend(ours, &variables)?;
                Vec::new()
            }
            None => {
                let args = ["--config".to_owned(), path.to_string_lossy().into_owned()];
                let entry = Ours {
                    program: &program()?,
                    args: &args,
                    variables: &variables,
                    instead_of: &entries.iter().collect::<Vec<_>>(),
                };
                vec![(ENTRY.to_owned(), entry.entry(self.client))]
            }
        };
        self.document
            .exchange(&names, &new)
            .map_err(|cause| self.refused(cause))?;
        Ok((names, Some((path, existing, Some(text)))))
    }

    /// The gateway's entry gets the variables that further servers use.
    fn extend(&mut self, ours: &Value, variables: &BTreeSet<String>) -> Result<(), InstallError> {
        let none = BTreeSet::new();
        let with = |variables| {
            let ours = Ours {
                program: "",
                args: &[],
                variables,
                instead_of: &[],
            };
            ours.entry(self.client)
        };
        let (with, without) = (with(variables), with(&none));
        let added = with.as_object().into_iter().flatten();
        let added = added.filter(|(key, _)| without.get(key.as_str()).is_none());
        for (key, value) in added {
            let merged = match (ours.get(key), value) {
                (Some(Value::Object(old)), Value::Object(new)) => {
                    let mut all = old.clone();
                    all.extend(new.clone());
                    Value::Object(all)
                }
                (Some(Value::Array(old)), Value::Array(new)) => {
                    let more = new.iter().filter(|item| !old.contains(item));
                    old.iter().chain(more).cloned().collect()
                }
                _ => value.clone(),
            };
            let values = [(key.as_str(), merged)];
            self.document
                .set(ENTRY, &values)
                .map_err(|cause| self.refused(cause))?;
        }
        Ok(())
    }

    fn wrap_each(&mut self) -> Result<Vec<String>, InstallError> {
        let program = program()?;
        // Guardrails that are unknown would keep every server from starting.
        config::Config::open(
            None,
            self.file,
            &self.request.guardrails,
            self.client.title,
            false,
        )?
        .text()?;
        let mut names = Vec::new();
        for (name, entry) in self.servers.clone() {
            let command = match wrap(self.client, &entry) {
                Ok(command) => command,
                Err(Stays::Ours) => continue,
                Err(why) => {
                    self.stays.push((name, why));
                    continue;
                }
            };
            let mut args = vec!["wrap".to_owned()];
            for guardrail in &self.request.guardrails {
                args.extend(["-p".to_owned(), guardrail.clone()]);
            }
            args.extend(["--name".to_owned(), name.clone()]);
            for variable in command.variables {
                args.extend(["--env".to_owned(), variable]);
            }
            args.push("--".to_owned());
            args.extend(command.command);
            let values = wrapped(self.client, &program, args);
            self.document
                .set(&name, &values)
                .map_err(|cause| self.refused(cause))?;
            names.push(name);
        }
        Ok(names)
    }

    fn tell(&mut self, name: &str, reached: &Reached, lost: &[&str]) {
        for key in lost {
            self.notes.push(format!(
                "{name}: its \"{key}\" ends, since its tools get new names; the client asks again"
            ));
        }
        if let (Reached::Remote { headers, .. }, Way::Move { logins: true }) =
            (reached, self.request.way)
            && headers.is_empty()
        {
            self.notes.push(format!(
                "{name}: if it wants a log-in, run `mcp-gateway login {name} --config FILE`"
            ));
        }
    }

    /// One file for the client's usual file, others for its others.
    fn config_path(&self) -> Result<PathBuf, InstallError> {
        let folder = Os::HERE
            .config_folder(&environment)
            .ok_or(InstallError::NoHome)?;
        let usual = self.client.files(Os::HERE, &environment);
        let name = match usual.first().is_some_and(|usual| usual == self.file) {
            true => format!("{}.toml", self.client.name),
            false => {
                let digest = Sha256::digest(self.file.to_string_lossy().as_bytes());
                let digest: String = digest
                    .iter()
                    .take(4)
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                format!("{}-{digest}.toml", self.client.name)
            }
        };
        Ok(folder.join(name))
    }

    fn refused(&self, cause: crate::clients::DocumentError) -> InstallError {
        InstallError::Document {
            path: self.file.to_owned(),
            cause,
        }
    }
}

/// What else in a client's file bears on its servers.
fn beside(client: &Client, file: &Path, document: &Document) -> Result<Vec<String>, InstallError> {
    let whole = document.json().unwrap_or_default();
    match client.name {
        "claude-code" => {
            let projects = whole.get("projects").and_then(Value::as_object);
            let servers = projects.into_iter().flat_map(|projects| projects.values());
            let servers = servers.filter_map(|project| project.get("mcpServers")?.as_object());
            Ok(match servers.map(serde_json::Map::len).sum::<usize>() {
                0 => Vec::new(),
                count => vec![format!(
                    "servers that are there for one project only stay as they are: {count}"
                )],
            })
        }
        "gemini-cli" => match whole.pointer("/mcp/allowed").and_then(Value::as_array) {
            Some(allowed) if allowed.iter().all(|name| name != ENTRY) => {
                Err(InstallError::NotAllowed(file.to_owned()))
            }
            _ => Ok(Vec::new()),
        },
        _ => Ok(Vec::new()),
    }
}

/// The file that the gateway's entry names.
fn named_config(entry: &Value) -> Option<PathBuf> {
    let words = ["args", "command"]
        .iter()
        .filter_map(|key| entry.get(*key)?.as_array());
    let words: Vec<&str> = words.flatten().filter_map(Value::as_str).collect();
    let at = words.iter().position(|word| *word == "--config")?;
    words.get(at + 1).map(PathBuf::from)
}

/// This program. Clients that are started from a menu know no PATH that it is on.
fn program() -> Result<String, InstallError> {
    let program = std::env::current_exe().map_err(unusable(Path::new("this program")))?;
    Ok(program.to_string_lossy().into_owned())
}

/// A name for a copy of the file that nothing has yet.
fn free(file: &Path, at: &str) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let named = |suffix: &str| file.with_file_name(format!("{name}.before-gateway-{at}{suffix}"));
    (1..)
        .map(|number| match number {
            1 => named(""),
            _ => named(&format!("-{number}")),
        })
        .find(|path| !path.exists())
        .unwrap_or_else(|| named(""))
}
