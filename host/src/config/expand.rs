//! Variables in strings, `${NAME}` and `${NAME:-default}`, and secrets: `${file:PATH}` and
//! `${keyring:SERVICE/NAME}`.
//!
//! The default stands in for a variable that is unset or empty, as in a shell.
//! `${env:NAME}` is the same as `${NAME}`, because some clients write it so.
//! `$${` stands for a literal `${`; any other `$` is an ordinary character.
//! No error quotes the text around a variable: it is often a secret.

use std::path::PathBuf;

use super::secret::FileFault;
use crate::keyring::{NoItem, Unavailable};

/// How a variable of the environment is looked up.
pub(super) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How a secret is looked up.
pub(super) type Secrets<'a> = &'a dyn Fn(Kept<'_>) -> Result<String, Unresolved>;

/// Where a secret is kept, as somebody wrote it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kept<'a> {
    /// In a file.
    File(&'a str),
    /// In the system's keyring.
    Keyring(&'a str),
}

/// Why a variable has no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unresolved {
    /// The environment has no such variable, and there is no default.
    #[error(
        "uses ${{{0}}}, which is not set; set it in the gateway's environment (in a client's \
         file: \"env\" of the gateway's entry), or write a default: ${{{0}:-default}}"
    )]
    Unset(String),
    /// It means something to an editor only.
    #[error(
        "uses ${{{0}}}, which only an editor can fill in; \
         write the value itself, or a variable of the environment: ${{NAME}}"
    )]
    Editor(String),
    /// What stands between the braces is no name.
    #[error("has a \"${{\" without a variable's name; for a literal \"${{\" write \"$${{\"")]
    NoName,
    /// The closing brace is missing.
    #[error("has a \"${{\" without its \"}}\"; for a literal \"${{\" write \"$${{\"")]
    Unclosed,
    /// A default that needs expansion itself.
    #[error("has a variable inside the default of ${{{0}:-…}}; write a plain default")]
    Nested(String),
    /// A secret in a file that is not to be had.
    #[error("refers to the file {}, but {cause}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: FileFault,
    },
    /// A secret in a file that is not named.
    #[error("has a \"${{file:}}\" without a path; write ${{file:/path/of/the/secret}}")]
    NoPath,
    /// A secret in the keyring that is not to be had.
    #[error("refers to {0}")]
    Keyring(Box<Unavailable>),
    /// A secret in the keyring that is not named.
    #[error("has a \"${{keyring:…}}\" that names nothing: {0}")]
    NoItem(NoItem),
}

impl Unresolved {
    /// Whether the text itself is wrong, whatever there is to fill it in with.
    pub(super) fn is_mistake(&self) -> bool {
        match self {
            Self::NoName | Self::Unclosed | Self::Nested(_) | Self::NoPath | Self::NoItem(_) => {
                true
            }
            Self::Unset(_) | Self::Editor(_) | Self::File { .. } | Self::Keyring(_) => false,
        }
    }
}

/// Names that editors give a meaning to, besides everything with a colon.
const EDITOR: [&str; 9] = [
    "workspaceFolder",
    "workspaceFolderBasename",
    "workspaceRoot",
    "userHome",
    "pathSeparator",
    "/",
    "file",
    "fileDirname",
    "cwd",
];

/// The text with every variable replaced, or all that can't be.
pub(super) fn expand(
    text: &str,
    env: Env<'_>,
    secrets: Secrets<'_>,
) -> Result<String, Vec<Unresolved>> {
    let mut expanded = String::with_capacity(text.len());
    let mut errors = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(before) = before.strip_suffix('$') {
            expanded.push_str(before);
            expanded.push_str("${");
            rest = after;
            continue;
        }
        expanded.push_str(before);
        let Some((reference, after)) = after.split_once('}') else {
            errors.push(Unresolved::Unclosed);
            rest = "";
            break;
        };
        match resolve(reference, env, secrets) {
            Ok(value) => expanded.push_str(&value),
            Err(error) => errors.push(error),
        }
        rest = after;
    }
    expanded.push_str(rest);
    if errors.is_empty() {
        Ok(expanded)
    } else {
        Err(errors)
    }
}

fn resolve(reference: &str, env: Env<'_>, secrets: Secrets<'_>) -> Result<String, Unresolved> {
    if let Some(path) = reference.strip_prefix("file:") {
        return secrets(Kept::File(path));
    }
    if let Some(item) = reference.strip_prefix("keyring:") {
        return secrets(Kept::Keyring(item));
    }
    let reference = reference.strip_prefix("env:").unwrap_or(reference);
    let (name, default) = match reference.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (reference, None),
    };
    if EDITOR.contains(&name) || is_editor_lookup(name) {
        return Err(Unresolved::Editor(name.to_owned()));
    }
    if !is_variable(name) {
        return Err(Unresolved::NoName);
    }
    match (env(name), default) {
        (_, Some(default)) if default.contains("${") => Err(Unresolved::Nested(name.to_owned())),
        (Some(value), None) => Ok(value),
        (Some(value), Some(_)) if !value.is_empty() => Ok(value),
        (_, Some(default)) => Ok(default.to_owned()),
        (None, None) => Err(Unresolved::Unset(name.to_owned())),
    }
}

/// Such as `input:token` or `config:editor.fontSize`.
fn is_editor_lookup(name: &str) -> bool {
    name.split_once(':')
        .is_some_and(|(kind, _)| matches!(kind, "input" | "command" | "config" | "workspaceFolder"))
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &[Unresolved]>) {
        let env = |name: &str| match name {
            "USER" => Some("ann".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let expected = expected.map(str::to_owned).map_err(<[_]>::to_vec);
        let secrets = |kept: Kept<'_>| match kept {
            Kept::File("/key") => Ok("hunter2 ${USER}".to_owned()),
            Kept::Keyring("a/b") => Ok("sesame".to_owned()),
            Kept::File(_) => Err(Unresolved::NoPath),
            Kept::Keyring(_) => Err(Unresolved::NoItem(NoItem)),
        };
        assert_eq!(expand(text, &env, &secrets), expected, "{text}");
    }

    #[test]
    fn variables_are_replaced_wherever_they_stand() {
        check(
            "postgres://${USER}@${env:USER}/x",
            Ok("postgres://ann@ann/x"),
        );
        check("no variable: $USER $ }", Ok("no variable: $USER $ }"));
        check("", Ok(""));
    }

    #[test]
    fn a_default_stands_in_for_unset_and_empty() {
        check("${NONE:-5432}", Ok("5432"));
        check("${EMPTY:-5432}", Ok("5432"));
        check("${USER:-bob}", Ok("ann"));
        check("${NONE:-}", Ok(""));
        check("${EMPTY}", Ok(""));
    }

    #[test]
    fn a_doubled_dollar_escapes() {
        check("$${USER} ${USER}", Ok("${USER} ann"));
    }

    #[test]
    fn a_secret_is_put_in_as_it_is() {
        check("${USER}:${file:/key}", Ok("ann:hunter2 ${USER}"));
        check("$${file:/key}", Ok("${file:/key}"));
        check("${file:}", Err(&[Unresolved::NoPath]));
        check("${keyring:a/b}.", Ok("sesame."));
        check("${keyring:a}", Err(&[Unresolved::NoItem(NoItem)]));
    }

    #[test]
    fn every_unresolved_variable_is_reported() {
        check(
            "${A}${B}",
            Err(&[Unresolved::Unset("A".into()), Unresolved::Unset("B".into())]),
        );
    }

    #[test]
    fn what_an_editor_means_is_told_apart() {
        check(
            "${input:token}",
            Err(&[Unresolved::Editor("input:token".into())]),
        );
        check(
            "${workspaceFolder}/x",
            Err(&[Unresolved::Editor("workspaceFolder".into())]),
        );
    }

    #[test]
    fn malformed_variables_are_errors() {
        check("${", Err(&[Unresolved::Unclosed]));
        check("${a b}", Err(&[Unresolved::NoName]));
        check("${}", Err(&[Unresolved::NoName]));
        check("${A:-${B}}", Err(&[Unresolved::Nested("A".into())]));
    }
}
