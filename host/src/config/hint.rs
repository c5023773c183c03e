//! What a mistyped word was probably meant to be.

use std::fmt;

/// What helps a person who wrote an unknown word: the known one that they
/// probably meant, or else all (in the alternate form, `{:#}`, both).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    nearest: Option<String>,
    known: Vec<String>,
}

impl Hint {
    /// The hint for a word, given all that would have been right.
    pub(super) fn to<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        let known: Vec<_> = known.into_iter().map(str::to_owned).collect();
        let nearest = nearest(word, known.iter().map(String::as_str));
        Self {
            nearest: nearest.map(str::to_owned),
            known,
        }
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(nearest) = &self.nearest else {
            return write!(f, "known: {}", List(&self.known));
        };
        write!(f, "did you mean \"{nearest}\"?")?;
        if f.alternate() {
            write!(f, " known: {}", List(&self.known))?;
        }
        Ok(())
    }
}

/// Words in a row, for a message.
pub(super) struct List<'a>(pub(super) &'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("none");
        }
        f.write_str(&self.0.join(", "))
    }
}

/// The known word that is nearest, if one is near enough to be worth asking.
fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    within(plain(word).chars().count().div_ceil(3), word, known)
}

/// The known word that is nearest, if it takes no more than so many slips of
/// the finger to get from one to the other.
pub(super) fn within<'k>(
    slips: usize,
    word: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    let word = plain(word);
    known
        .into_iter()
        .map(|known| (distance(&word, &plain(known)), known))
        .filter(|(distance, _)| *distance <= slips)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// A beginning is as good as a slip of the finger: `mem` means `memory`.
fn distance(word: &str, known: &str) -> usize {
    if word.len() >= 3 && known.starts_with(word) {
        return 1;
    }
    strsim::osa_distance(word, known)
}

/// `initTimeout` and `init-timeout` are `init_timeout` in another's habit.
fn plain(word: &str) -> String {
    word.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_habits_are_recognised() {
        let known = [
            "command",
            "args",
            "env",
            "init_timeout",
            "enabled",
            "memory",
        ];
        let near = |word| nearest(word, known);
        assert_eq!(near("comand"), Some("command"));
        assert_eq!(near("initTimeout"), Some("init_timeout"));
        assert_eq!(near("disabled"), Some("enabled"));
        assert_eq!(near("mem"), Some("memory"));
        assert_eq!(near("arg"), Some("args"));
        assert_eq!(near("port"), None);
        assert_eq!(near(""), None);
    }
}
