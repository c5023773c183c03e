//! npm: the registry's document of a package, and its downloads.

use serde_json::Value;

use super::date::seconds;
use super::facts::Facts;
use super::github;
use super::sources::{NO_PACKAGE, NoAnswer, Sources, number, text};
use crate::provenance::Package;

/// What is known of a package of npm.
pub(super) async fn facts(package: &Package, sources: &Sources) -> Result<Facts, String> {
    let name = package.name.as_str();
    let document = match sources.get(&sources.npm, &[name], &[], None).await {
        Ok(document) => document,
        Err(NoAnswer::Missing) => {
            return Ok(Facts {
                is_complete: true,
                ..Facts::default()
            });
        }
        Err(failed) => return Err(failed.why()),
    };
    let version = package.version.as_deref();
    // npm takes `v1.0.0` for `1.0.0`.
    let version = version.map(|version| version.trim_start_matches(['v', '=']));
    let mut facts = read(&document, version).ok_or(NO_PACKAGE)?;
    facts.is_complete = true;
    let mut path = vec!["downloads", "point", "last-month"];
    // Here the slash of a scope stands as it is.
    path.extend(name.split('/'));
    match sources.get(&sources.npm_downloads, &path, &[], None).await {
        Ok(downloads) => facts.downloads = number(&downloads, "/downloads"),
        // Nobody has downloaded it yet.
        Err(NoAnswer::Missing) => facts.downloads = Some(0),
        Err(NoAnswer::Failed(_)) => facts.is_complete = false,
    }
    github::add(&mut facts, sources).await;
    Ok(facts)
}

/// What the registry says; `None` if it says something else.
fn read(document: &Value, version: Option<&str>) -> Option<Facts> {
    let versions = document.get("versions").and_then(Value::as_object);
    let is_unpublished = document.pointer("/time/unpublished").is_some();
    if versions.is_none() && !is_unpublished {
        return None;
    }
    let latest = version.or_else(|| text(document, "/dist-tags/latest"));
    let chosen = latest.and_then(|latest| versions?.get(latest));
    let time = |of: &str| seconds(document.get("time")?.get(of)?.as_str()?);
    let mut facts = Facts {
        exists: versions.is_some_and(|versions| !versions.is_empty()),
        created: time("created"),
        versions: versions.map(|versions| versions.len() as u64),
        published: latest.and_then(time),
        maintainers: document
            .get("maintainers")
            .and_then(Value::as_array)
            .map(|people| people.len() as u64),
        licence: licence(chosen.unwrap_or(document)).or_else(|| licence(document)),
        installs_by_script: chosen.is_some_and(installs_by_script),
        repository: repository(chosen.unwrap_or(document)).or_else(|| repository(document)),
        ..Facts::default()
    };
    if let Some(why) = chosen.and_then(|chosen| text(chosen, "/deprecated")) {
        facts.warnings.push(format!("deprecated: {why}"));
    }
    // What npm puts in the place of a package that it has taken down.
    if latest.is_some_and(|latest| latest.ends_with("-security")) {
        facts
            .objections
            .push("npm has taken it down for security".to_owned());
    }
    match (version, chosen) {
        (Some(version), None) => facts
            .objections
            .push(format!("there is no version {version}")),
        (None, None) if is_unpublished => facts.objections.push("it was unpublished".to_owned()),
        _ => {}
    }
    Some(facts)
}

/// A licence, in the ways that there have been to write it.
fn licence(document: &Value) -> Option<String> {
    let found = ["/license", "/license/type", "/licenses/0/type"];
    let found = found.iter().find_map(|at| text(document, at));
    found.map(str::to_owned)
}

fn installs_by_script(version: &Value) -> bool {
    let scripts = ["preinstall", "install", "postinstall"];
    version
        .get("hasInstallScript")
        .and_then(Value::as_bool)
        .unwrap_or(false)
        || scripts
            .iter()
            .any(|script| text(version, &format!("/scripts/{script}")).is_some())
}

fn repository(document: &Value) -> Option<String> {
    let places = ["/repository/url", "/repository", "/homepage", "/bugs/url"];
    places
        .iter()
        .find_map(|at| github::repository(text(document, at)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_of_the_registry_says_what_there_is_to_know() {
        let document = json!({
            "name": "@a/b",
            "dist-tags": {"latest": "1.1.0"},
            "versions": {
                "1.0.0": {"deprecated": "use 1.1", "scripts": {"postinstall": "node x"}},
                "1.1.0": {"license": "MIT", "repository": {"type": "git", "url": "git+https://github.com/o/r.git"}},
            },
            "time": {"created": "2026-01-01T00:00:00Z", "1.1.0": "2026-01-02T00:00:00Z"},
            "maintainers": [{"name": "x"}, {"name": "y"}],
        });
        let facts = read(&document, None).unwrap();
        assert_eq!(
            facts,
            Facts {
                exists: true,
                created: seconds("2026-01-01"),
                published: seconds("2026-01-02"),
                versions: Some(2),
                maintainers: Some(2),
                licence: Some("MIT".to_owned()),
                repository: Some("o/r".to_owned()),
                ..Facts::default()
            }
        );
        let older = read(&document, Some("1.0.0")).unwrap();
        assert_eq!(older.warnings, ["deprecated: use 1.1"]);
        assert!(older.installs_by_script);
        assert_eq!(
            read(&document, Some("9.0.0")).unwrap().objections,
            ["there is no version 9.0.0"]
        );
        let held =
            json!({"dist-tags": {"latest": "0.0.1-security"}, "versions": {"0.0.1-security": {}}});
        assert_eq!(read(&held, None).unwrap().objections.len(), 1);
        let gone = json!({"time": {"unpublished": {"time": "2026-01-01T00:00:00Z"}}});
        assert_eq!(
            read(&gone, None).unwrap().objections,
            ["it was unpublished"]
        );
    }

    #[test]
    fn an_answer_that_is_no_document_of_a_package_says_nothing() {
        for document in [
            json!({}),
            json!({"error": "log in"}),
            json!([]),
            json!({"versions": 1}),
        ] {
            assert_eq!(read(&document, Some("1.0.0")), None, "{document}");
        }
    }
}
