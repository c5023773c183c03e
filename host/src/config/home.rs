//! `~`, which clients pass on as it is written: no shell expands it for them.

use super::expand::Env;

/// The text with a leading `~` replaced by the home directory. `None` if it
/// starts with one and nobody knows where home is.
pub(super) fn expand_home(text: &str, env: Env<'_>) -> Option<String> {
    let Some(rest) = text.strip_prefix('~') else {
        return Some(text.to_owned());
    };
    if !rest.is_empty() && !rest.starts_with(std::path::is_separator) {
        return Some(text.to_owned());
    }
    let home = env("HOME").or_else(|| env("USERPROFILE"))?;
    Some(home + rest)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_a_leading_tilde_of_its_own_is_home() {
        let env = |name: &str| (name == "HOME").then(|| "/home/ann".to_owned());
        let expanded = |text| expand_home(text, &env).unwrap();
        assert_eq!(expanded("~/.cursor/mcp.json"), "/home/ann/.cursor/mcp.json");
        assert_eq!(expanded("~"), "/home/ann");
        assert_eq!(expanded("~bob/x"), "~bob/x");
        assert_eq!(expanded("/a/~/b"), "/a/~/b");
        assert_eq!(expand_home("~/x", &|_| None), None);
        assert_eq!(expand_home("x", &|_| None), Some("x".to_owned()));
    }
}
