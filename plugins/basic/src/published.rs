//! Credentials that their vendors publish for everybody, which are nobody's secrets.

use serde::Deserialize;

const PUBLISHED: &str = include_str!("../rules/published.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    published: Vec<List>,
}

/// What one vendor publishes in one place.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[cfg_attr(not(test), expect(dead_code, reason = "for people; a test sees to it"))]
    what: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "for people; a test sees to it"))]
    source: String,
    start: String,
    rest: Vec<String>,
}

/// All of them, in order.
#[derive(Debug, Default)]
pub(crate) struct Published(Vec<String>);

impl Published {
    /// Reads the list.
    pub(crate) fn read() -> Result<Self, String> {
        let lists: Lists = toml::from_str(PUBLISHED).map_err(|error| error.to_string())?;
        let whole = |list: List| {
            let start = list.start;
            list.rest
                .into_iter()
                .map(move |rest| format!("{start}{rest}"))
        };
        let mut all: Vec<String> = lists.published.into_iter().flat_map(whole).collect();
        all.sort_unstable();
        Ok(Self(all))
    }

    /// Whether this is one of them.
    pub(crate) fn has(&self, secret: &str) -> bool {
        self.0
            .binary_search_by(|it| it.as_str().cmp(secret))
            .is_ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_published_says_where() {
        let lists: Lists = toml::from_str(PUBLISHED).unwrap();
        for list in lists.published {
            assert!(list.source.starts_with("https://"), "{}", list.source);
            assert!(
                list.what.len() > 20 && !list.rest.is_empty(),
                "{}",
                list.what
            );
        }
    }

    #[test]
    fn only_the_whole_of_it_is_one() {
        let all = Published::read().unwrap();
        assert!(all.has("hal+9ooo_da!sY"));
        assert!(!all.has("hal+9ooo_da!s") && !all.has("hal+9ooo_da!sYx") && !all.has(""));
    }
}
