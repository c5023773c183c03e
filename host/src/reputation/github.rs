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
            asked.is_ok_and(|it| it.get("is_verified").and_then(Value::as_bool) == Some(true))
        }
        false => false,
    };
    facts.is_complete &= person.is_ok();
    facts.code = Some(Repository {
        stars: number(&found, "/stargazers_count").unwrap_or_default(),
        forks: number(&found, "/forks_count").unwrap_or_default(),
        licence: text(&found, "/license/spdx_id").map(str::to_owned),
        created: text(&found, "/created_at").and_then(seconds),
        archived: found.get("archived").and_then(Value::as_bool) == Some(true),
        owner: person.ok().map(|person| Owner {
            followers: number(&person, "/followers").unwrap_or_default(),
            repositories: number(&person, "/public_repos").unwrap_or_default(),
            created: text(&person, "/created_at").and_then(seconds),
            verified,
        }),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

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
