//! GitHub: the repository of a package's code, and whose it is.

use serde_json::Value;

use super::date::seconds;
use super::facts::{Facts, Owner, Repository};
use super::sources::{NoAnswer, Sources, number, text};

/// With which more may be asked in an hour than without.
const TOKEN: Option<&str> = Some("GITHUB_TOKEN");

/// The repository that an address leads to, as `owner/name`.
pub(super) fn repository(address: &str) -> Option<String> {
    let rest = match address.strip_prefix("github:") {
        Some(rest) => rest,
        None => {
            let (before, rest) = address.split_once("github.com")?;
            // `notgithub.com` is another host.
            if !(before.is_empty() || before.ends_with(['/', '@', '.'])) {
                return None;
            }
            rest.strip_prefix(['/', ':'])?
        }
    };
    let mut parts = rest.split(['/', '#', '?']);
    let (owner, name) = (parts.next()?, parts.next()?);
    let name = name.strip_suffix(".git").unwrap_or(name);
    let plain = |part: &str| {
        let mut chars = part.chars();
        !part.is_empty() && chars.all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    };
    (plain(owner) && plain(name)).then(|| format!("{owner}/{name}"))
}

/// Adds what GitHub knows of the code.
pub(super) async fn add(facts: &mut Facts, sources: &Sources) {
    let Some((owner, name)) = facts
        .repository
        .as_deref()
        .and_then(|it| it.split_once('/'))
    else {
        return;
    };
    let path = ["repos", owner, name];
    let found = match sources.get(&sources.github, &path, &[], TOKEN).await {
        Ok(found) => found,
        Err(NoAnswer::Missing) => {
            facts.repository_is_missing = true;
            return;
        }
        Err(NoAnswer::Failed(_)) => {
            facts.is_complete = false;
            return;
        }
    };
    let is_organization = text(&found, "/owner/type") == Some("Organization");
    let person = sources
        .get(&sources.github, &["users", owner], &[], TOKEN)
        .await;
    let verified = match is_organization {
        true => {
            let asked = sources
                .get(&sources.github, &["orgs", owner], &[], TOKEN)
                .await;
            facts.is_complete &= asked.is_ok();
            asked.is_ok_and(|it| it.get("is_verified").and_then(Value::as_bool) == Some(true))
        }
        false => false,
    };
    let owner = person.ok().and_then(|person| read_owner(&person, verified));
    facts.is_complete &= owner.is_some();
    facts.code = read(&found, owner);
    facts.is_complete &= facts.code.is_some();
}

/// What is said of a repository; `None` if it is something else that is said.
fn read(found: &Value, owner: Option<Owner>) -> Option<Repository> {
    Some(Repository {
        stars: number(found, "/stargazers_count")?,
        forks: number(found, "/forks_count")?,
        licence: text(found, "/license/spdx_id").map(str::to_owned),
        created: text(found, "/created_at").and_then(seconds),
        archived: found.get("archived").and_then(Value::as_bool) == Some(true),
        owner,
    })
}

/// The same of whose it is.
fn read_owner(found: &Value, verified: bool) -> Option<Owner> {
    Some(Owner {
        followers: number(found, "/followers")?,
        repositories: number(found, "/public_repos")?,
        created: text(found, "/created_at").and_then(seconds),
        verified,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_without_numbers_says_nothing_of_a_repository() {
        assert_eq!(read(&json!({"message": "log in"}), None), None);
        assert_eq!(read_owner(&json!({"login": "o"}), false), None);
        let found = read(&json!({"stargazers_count": 2, "forks_count": 0}), None);
        assert_eq!(found.map(|it| (it.stars, it.created)), Some((2, None)));
    }

    #[test]
    fn the_repository_is_found_in_all_ways_to_write_it() {
        for address in [
            "git+https://github.com/o/r.git",
            "git+ssh://git@github.com/o/r.git",
            "git@github.com:o/r.git",
            "https://github.com/o/r/issues",
            "https://www.github.com/o/r#readme",
            "github:o/r",
        ] {
            assert_eq!(repository(address).as_deref(), Some("o/r"), "{address}");
        }
        for address in [
            "https://gitlab.com/o/r",
            "https://notgithub.com/o/r",
            "https://github.com/o",
            "",
        ] {
            assert_eq!(repository(address), None, "{address}");
        }
    }
}
