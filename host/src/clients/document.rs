//! A client's file, in which entries of servers are exchanged and everything else
//! stays as it was written.

mod json;
mod toml;
mod yaml;

use serde_json::Value;

use super::{Client, Syntax};

/// A client's file that was read.
#[derive(Debug)]
pub struct Document {
    tree: Tree,
    /// Lines end as on Windows, in the file; not here.
    returns: bool,
    /// The mark that some editors begin a file with.
    mark: bool,
}

#[derive(Debug)]
enum Tree {
    Json(json::Json),
    Toml(Box<toml::Toml>),
    Yaml(yaml::Yaml),
}

/// Why a client's file cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// It has a fault.
    #[error("it has an error of syntax: {0}")]
    Syntax(String),
    /// It is written in a way that cannot be changed here.
    #[error("{0}, which can't be changed without writing it anew; change it by hand")]
    Style(String),
}

const MARK: char = '\u{feff}';

impl Document {
    /// Reads a file of this client.
    pub fn read(client: &Client, text: &str) -> Result<Self, DocumentError> {
        let bare = text.strip_prefix(MARK).unwrap_or(text);
        let lines = bare.matches('\n').count();
        let returns = lines > 0 && bare.matches("\r\n").count() == lines;
        let plain = if returns {
            bare.replace("\r\n", "\n")
        } else {
            bare.to_owned()
        };
        Ok(Self {
            tree: match client.syntax {
                Syntax::Json => Tree::Json(json::Json::read(&plain, client.place)?),
                Syntax::Toml => Tree::Toml(Box::new(toml::Toml::read(&plain, client.place)?)),
                Syntax::Yaml => Tree::Yaml(yaml::Yaml::read(&plain, client.place)?),
            },
            returns,
            mark: bare.len() < text.len(),
        })
    }

    /// The servers by their names, in the order of the file.
    pub fn servers(&self) -> Vec<(String, Value)> {
        match &self.tree {
            Tree::Json(json) => json.servers(),
            Tree::Toml(toml) => toml.servers(),
            Tree::Yaml(yaml) => yaml.servers(),
        }
    }

    /// All that is in the file, if it is JSON.
    pub fn json(&self) -> Option<Value> {
        match &self.tree {
            Tree::Json(json) => json.whole(),
            Tree::Toml(_) | Tree::Yaml(_) => None,
        }
    }

    /// Puts other entries in the place of the first of some.
    pub fn exchange(
        &mut self,
        out: &[String],
        into: &[(String, Value)],
    ) -> Result<(), DocumentError> {
        match &mut self.tree {
            Tree::Json(json) => json.exchange(out, into),
            Tree::Toml(toml) => toml.exchange(out, into),
            Tree::Yaml(yaml) => yaml.exchange(out, into)?,
        }
        Ok(())
    }

    /// Changes values of one entry.
    pub fn set(&mut self, name: &str, values: &[(&str, Value)]) -> Result<(), DocumentError> {
        match &mut self.tree {
            Tree::Json(json) => json.set(name, values),
            Tree::Toml(toml) => toml.set(name, values),
            Tree::Yaml(yaml) => yaml.set(name, values)?,
        }
        Ok(())
    }

    /// The file's text.
    pub fn text(&self) -> String {
        let text = match &self.tree {
            Tree::Json(json) => json.text(),
            Tree::Toml(toml) => toml.text(),
            Tree::Yaml(yaml) => yaml.text(),
        };
        let text = match self.returns {
            true => text.replace('\n', "\r\n"),
            false => text,
        };
        match self.mark {
            true => format!("{MARK}{text}"),
            false => text,
        }
    }
}

#[cfg(test)]
mod tests;
