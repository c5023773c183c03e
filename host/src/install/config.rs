//! The gateway's own file, in which the servers of a client stand once it is before
//! them.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use super::InstallError;
use crate::bundled;
use crate::clients::{Reached, Stays};
use crate::config::{ConfigErrors, ConfigSource, Form};

/// A `gateway.toml` in the making.
pub(super) struct Config {
    document: DocumentMut,
    path: PathBuf,
    /// Whether a client starts a gateway with it now.
    in_use: bool,
}

impl Config {
    /// A new one with these guardrails, or what there is already.
    pub(super) fn open(
        existing: Option<&str>,
        path: &Path,
        guardrails: &[String],
        title: &str,
        in_use: bool,
    ) -> Result<Self, InstallError> {
        let mut document = existing
            .unwrap_or_default()
            .parse::<DocumentMut>()
            .map_err(|error| InstallError::Config {
                path: path.to_owned(),
                cause: error.to_string(),
            })?;
        if existing.is_none() {
            document.decor_mut().set_prefix(format!(
                "# The servers of {title}, and the guardrails that stand before them.\n\
                 # Change what you like: the gateway notices.\n\n"
            ));
            let mut list = ArrayOfTables::new();
            for name in guardrails {
                let mut table = Table::new();
                table.insert("use", value(name));
                list.push(table);
            }
            document.insert("guardrails", Item::ArrayOfTables(list));
        }
        Ok(Self {
            document,
            path: path.to_owned(),
            in_use,
        })
    }

    /// Adds a server, if the gateway takes it as it is.
    pub(super) fn add(&mut self, name: &str, reached: &Reached) -> Result<(), Stays> {
        let alone = entry(reached);
        let mut tried = DocumentMut::new();
        tried.insert("servers", servers_of(name, alone.clone()));
        if let Err(errors) = check(&tried.to_string(), None) {
            let causes: Vec<_> = errors
                .0
                .iter()
                .map(|error| error.problem.to_string())
                .collect();
            return Err(Stays::Refused(causes.join("; ")));
        }
        let servers = self.document.entry("servers").or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let Some(servers) = servers.as_table_like_mut() else {
            return Err(Stays::Refused("\"servers\" there is no table".to_owned()));
        };
        match servers.get_mut(name) {
            Some(old) if old.to_string().trim() == alone.to_string().trim() => {}
            Some(_) if self.in_use => return Err(Stays::NameTaken),
            // Left from before: what the client has now is what counts.
            Some(old) => *old = alone,
            None => {
                servers.insert(name, alone);
            }
        }
        Ok(())
    }

    /// The file, if the gateway would start with it.
    pub(super) fn text(&self) -> Result<String, InstallError> {
        let text = self.document.to_string();
        match check(&text, self.path.parent()) {
            Ok(()) => Ok(text),
            Err(errors) => Err(InstallError::Config {
                path: self.path.clone(),
                cause: errors
                    .0
                    .iter()
                    .map(|error| error.problem.to_string())
                    .collect::<Vec<_>>()
                    .join("\n"),
            }),
        }
    }
}

/// Whether the gateway would take a text; all variables count as set.
fn check(text: &str, folder: Option<&Path>) -> Result<(), ConfigErrors> {
    let file = match folder.filter(|folder| folder.is_dir()) {
        Some(folder) => tempfile::NamedTempFile::new_in(folder),
        None => tempfile::NamedTempFile::new(),
    };
    let written = file.and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        Ok(file)
    });
    // A disk that cannot be written on is told of when it is written on.
    let Ok(file) = written else {
        return Ok(());
    };
    let source = ConfigSource::new(Form::GatewayToml(file.path().to_owned()), &bundled::names())
        .assuming_secrets();
    let set = |_: &str| Some("https://localhost".to_owned());
    source.load_with(&set).map(drop)
}

fn servers_of(name: &str, entry: Item) -> Item {
    let mut servers = Table::new();
    servers.set_implicit(true);
    servers.insert(name, entry);
    Item::Table(servers)
}

fn entry(reached: &Reached) -> Item {
    let mut table = Table::new();
    match reached {
        Reached::Program {
            command,
            args,
            env,
            cwd,
        } => {
            table.insert("command", value(command));
            if !args.is_empty() {
                table.insert("args", value(args.iter().collect::<Array>()));
            }
            if !env.is_empty() {
                table.insert("env", value(pairs(env)));
            }
            if let Some(cwd) = cwd {
                table.insert("cwd", value(cwd));
            }
        }
        Reached::Remote {
            url,
            headers,
            transport,
        } => {
            table.insert("url", value(url));
            if !headers.is_empty() {
                table.insert("headers", value(pairs(headers)));
            }
            if let Some(transport) = transport {
                table.insert("transport", value(*transport));
            }
        }
    }
    Item::Table(table)
}

fn pairs(pairs: &[(String, String)]) -> InlineTable {
    let pairs = pairs.iter();
    pairs
        .map(|(name, text)| (name.as_str(), Value::from(text)))
        .collect()
}
