//! What a person calls a guardrail, and which component that is.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::sync::Arc;

use super::component::SCHEME;
use super::error::Problem;
use super::expand::Env;
use super::home::expand_home;
use super::{GuardrailName, Hint, Source};

/// The guardrails of the project, whether or not a build has them.
const PROJECT: [&str; 6] = ["basic", "pii", "injection", "trifecta", "lasso", "audit"];

/// Those that only who names them gets, and not who asks for all: they have a person asked
/// about calls, which is nothing for whoever did not mean it.
const BY_NAME_ONLY: [&str; 1] = ["trifecta"];

/// What the Python gateway called some of them.
const ALIASES: [(&str, &str); 2] = [("presidio", "pii"), ("xetrack", "audit")];

/// The guardrails that are part of this build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bundled(Vec<Arc<str>>);

impl Bundled {
    pub(super) fn of(names: &[&str]) -> Self {
        Self(names.iter().map(|&name| name.into()).collect())
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(AsRef::as_ref)
    }

    /// Those that are meant by all of them.
    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.names().filter(|name| !BY_NAME_ONLY.contains(name))
    }

    /// The component that a person named: a file if it looks like one, which is
    /// then relative to `folder`, or else a bundled one, in upper or lower case.
    pub(super) fn find(&self, wrote: &str, folder: &Path, env: Env<'_>) -> Result<Source, Problem> {
        if wrote.starts_with(SCHEME) {
            let reference = wrote.parse();
            return reference.map(Source::Registry).map_err(Problem::Reference);
        }
        if is_file(wrote) {
            let what = format!("\"{wrote}\"");
            let path = expand_home(wrote, env).ok_or(Problem::NoHome { what })?;
            return Ok(Source::File(absolute(folder, &path)));
        }
        let lower = wrote.to_lowercase();
        let alias = ALIASES.into_iter().find(|(alias, _)| *alias == lower);
        let name = alias.map_or(lower.as_str(), |(_, name)| name);
        if let Some(name) = self.0.iter().find(|known| ***known == *name) {
            return Ok(Source::Bundled(Arc::clone(name)));
        }
        Err(self.unknown(name, wrote))
    }

    fn unknown(&self, name: &str, wrote: &str) -> Problem {
        if PROJECT.contains(&name) {
            return Problem::NotBundled {
                name: name.to_owned(),
                wrote: wrote.to_owned(),
                known: self.names().map(str::to_owned).collect(),
            };
        }
        Problem::UnknownGuardrail {
            wanted: wrote.to_owned(),
            hint: Hint::to(name, self.names()),
        }
    }
}

/// What a guardrail is called unless the configuration names it.
pub(super) fn default_name(component: &Source) -> Option<GuardrailName> {
    match component {
        Source::Bundled(name) => name.parse().ok(),
        Source::File(path) => path.file_stem()?.to_str()?.parse().ok(),
        Source::Registry(reference) => {
            let repository = reference.image().repository();
            repository.rsplit('/').next()?.parse().ok()
        }
    }
}

/// The absolute path of one that is relative to a folder.
pub(super) fn absolute(folder: &Path, path: &str) -> PathBuf {
    folder.join(path).components().collect()
}

fn is_file(wrote: &str) -> bool {
    wrote.contains('/') || wrote.contains(MAIN_SEPARATOR) || wrote.ends_with(".wasm")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn find(wrote: &str) -> Result<Source, String> {
        let bundled = Bundled::of(&["basic", "audit"]);
        let env = |name: &str| (name == "HOME").then(|| "/home/ann".to_owned());
        let found = bundled.find(wrote, Path::new("/etc/gateway"), &env);
        found.map_err(|problem| problem.to_string())
    }

    #[test]
    fn names_and_aliases_are_found_in_any_case() {
        assert_eq!(find("basic"), Ok(Source::Bundled("basic".into())));
        assert_eq!(find("XeTrack"), Ok(Source::Bundled("audit".into())));
    }

    #[test]
    fn who_asks_for_all_does_not_get_what_has_a_person_asked() {
        let bundled = Bundled::of(&["basic", "trifecta", "audit"]);
        assert_eq!(bundled.all().collect::<Vec<_>>(), ["basic", "audit"]);
        assert!(bundled.names().any(|name| name == "trifecta"));
    }

    #[test]
    fn a_path_is_relative_to_the_folder() {
        let file = |path: &str| Ok(Source::File(path.into()));
        assert_eq!(find("./a/b.wasm"), file("/etc/gateway/a/b.wasm"));
        assert_eq!(find("b.wasm"), file("/etc/gateway/b.wasm"));
        assert_eq!(find("~/b.wasm"), file("/home/ann/b.wasm"));
        assert_eq!(find("/b/basic"), file("/b/basic"));
    }

    #[test]
    fn a_guardrail_that_is_not_there_is_refused() {
        insta::assert_snapshot!(find("presidio").unwrap_err(), @r#"guardrail "pii" (you wrote "presidio") is not part of this build; known: basic, audit"#);
        insta::assert_snapshot!(find("lasso").unwrap_err(), @r#"guardrail "lasso" is not part of this build; known: basic, audit"#);
        insta::assert_snapshot!(find("basci").unwrap_err(), @r#"unknown guardrail "basci"; did you mean "basic"? known: basic, audit; a file is named by its path, such as ./basci.wasm"#);
        insta::assert_snapshot!(find("mystery").unwrap_err(), @r#"unknown guardrail "mystery"; known: basic, audit; a file is named by its path, such as ./mystery.wasm"#);
    }
}
