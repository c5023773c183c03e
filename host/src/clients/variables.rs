//! Variables in a client's file, and the same in the gateway's.

use std::collections::BTreeSet;

use super::{Stays, Variables};

impl Variables {
    /// A text of the client's file as `gateway.toml` has it. The names of the
    /// variables that it uses are noted: the client has to hand them to the gateway.
    pub(super) fn translate(
        self,
        text: &str,
        used: &mut BTreeSet<String>,
    ) -> Result<String, Stays> {
        match self {
            Self::None => Ok(literal(text)),
            Self::Template if text.contains("${{") => Err(foreign(text, "${{", "}}")),
            Self::Template => Ok(literal(text)),
            Self::Braces => braces(text, used),
            Self::Shell | Self::Dollar | Self::Env => dollars(self, text, used),
        }
    }

    /// What the client's file says for the value of a variable, to hand it on.
    pub(super) fn hand_on(self, name: &str) -> Option<String> {
        match self {
            Self::None | Self::Template => None,
            // Without the default Claude Code refuses a variable that is not set.
            Self::Shell => Some(format!("${{{name}:-}}")),
            Self::Dollar => Some(format!("${{{name}}}")),
            Self::Env => Some(format!("${{env:{name}}}")),
            Self::Braces => Some(format!("{{env:{name}}}")),
        }
    }
}

/// `gateway.toml` has variables everywhere.
fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

fn dollars(variables: Variables, text: &str, used: &mut BTreeSet<String>) -> Result<String, Stays> {
    let mut translated = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        translated.push_str(before);
        if let Some(inside) = after.strip_prefix('{') {
            let Some((reference, after)) = inside.split_once('}') else {
                return Err(foreign(rest, "${", "}"));
            };
            let inner = match variables {
                Variables::Env => reference.strip_prefix("env:"),
                _ => Some(reference),
            };
            let inner = inner.filter(|inner| {
                let (name, default) = inner.split_once(":-").unwrap_or((inner, ""));
                is_name(name) && !default.contains('$')
            });
            let Some(inner) = inner else {
                return Err(foreign(rest, "${", "}"));
            };
            let name = inner.split(':').next().unwrap_or(inner);
            used.insert(name.to_owned());
            translated.push_str(&format!("${{{inner}}}"));
            rest = after;
            continue;
        }
        let end = after
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(after.len());
        let (name, later) = after.split_at(end);
        if variables == Variables::Dollar && is_name(name) {
            used.insert(name.to_owned());
            translated.push_str(&format!("${{{name}}}"));
            rest = later;
        } else {
            translated.push('$');
            rest = after;
        }
    }
    translated.push_str(rest);
    Ok(translated)
}

fn braces(text: &str, used: &mut BTreeSet<String>) -> Result<String, Stays> {
    if text.contains("{file:") {
        return Err(foreign(text, "{file:", "}"));
    }
    let mut translated = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{env:") {
        translated.push_str(&literal(before));
        match after.split_once('}') {
            Some((name, after)) if is_name(name) => {
                used.insert(name.to_owned());
                translated.push_str(&format!("${{{name}}}"));
                rest = after;
            }
            _ => return Err(foreign(rest, "{env:", "}")),
        }
    }
    translated.push_str(&literal(rest));
    Ok(translated)
}

/// What stands between the two, which is a name and no secret.
fn foreign(text: &str, open: &str, close: &str) -> Stays {
    let inside = text.split_once(open).map_or("", |(_, rest)| rest);
    let inside = inside.split_once(close).map_or("", |(inside, _)| inside);
    Stays::Variable(format!("{open}{inside}{close}"))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(variables: Variables, text: &str, expected: Result<&str, &str>, names: &[&str]) {
        let mut used = BTreeSet::new();
        let translated = variables.translate(text, &mut used);
        let expected = match expected {
            Ok(text) => Ok(text.to_owned()),
            Err(variable) => Err(Stays::Variable(variable.to_owned())),
        };
        assert_eq!(translated, expected, "{text}");
        let used: Vec<&str> = used.iter().map(String::as_str).collect();
        assert_eq!(used, names, "{text}");
    }

    #[test]
    fn what_is_no_variable_for_the_client_is_none_for_the_gateway() {
        check(Variables::None, "a${B}c$", Ok("a$${B}c$"), &[]);
        check(Variables::Template, "a${B}", Ok("a$${B}"), &[]);
        check(Variables::Braces, "a${B}{C}", Ok("a$${B}{C}"), &[]);
    }

    #[test]
    fn a_variable_stays_one() {
        check(
            Variables::Shell,
            "x${A}y${B:-1}",
            Ok("x${A}y${B:-1}"),
            &["A", "B"],
        );
        check(Variables::Env, "Bearer ${env:A}", Ok("Bearer ${A}"), &["A"]);
        check(Variables::Dollar, "$A-${B}$", Ok("${A}-${B}$"), &["A", "B"]);
        check(Variables::Braces, "{env:A}/x", Ok("${A}/x"), &["A"]);
        check(Variables::Shell, "100$ $A", Ok("100$ $A"), &[]);
    }

    #[test]
    fn what_only_the_client_can_fill_in_is_named() {
        check(Variables::Env, "${input:key}", Err("${input:key}"), &[]);
        check(
            Variables::Env,
            "${workspaceFolder}/x",
            Err("${workspaceFolder}"),
            &[],
        );
        check(Variables::Braces, "{file:~/key}", Err("{file:~/key}"), &[]);
        check(
            Variables::Template,
            "${{ secrets.KEY }}",
            Err("${{ secrets.KEY }}"),
            &[],
        );
        check(Variables::Shell, "${A:-${B}}", Err("${A:-${B}"), &[]);
    }

    #[test]
    fn the_client_hands_on_what_the_gateway_needs() {
        assert_eq!(Variables::Env.hand_on("A").unwrap(), "${env:A}");
        assert_eq!(Variables::Shell.hand_on("A").unwrap(), "${A:-}");
        assert_eq!(Variables::Braces.hand_on("A").unwrap(), "{env:A}");
        assert_eq!(Variables::None.hand_on("A"), None);
    }
}
