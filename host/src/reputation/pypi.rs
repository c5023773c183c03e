//! PyPI: its document of a project, and pypistats.

use serde_json::Value;

use super::date::seconds;
use super::facts::Facts;
use super::github;
use super::sources::{NO_PACKAGE, NoAnswer, Sources, number, text};
use crate::provenance::Package;

/// What is known of a project of PyPI.
pub(super) async fn facts(package: &Package, sources: &Sources) -> Result<Facts, String> {
    let name = package.name.as_str();
    let document = match sources
        .get(&sources.pypi, &["pypi", name, "json"], &[], None)
        .await
    {
        Ok(document) => document,
        Err(NoAnswer::Missing) => {
            return Ok(Facts {
                is_complete: true,
                ..Facts::default()
            });
        }
        Err(failed) => return Err(failed.why()),
    };
    let mut facts = read(&document, package.version.as_deref()).ok_or(NO_PACKAGE)?;
    facts.is_complete = true;
    let path = ["api", "packages", name, "recent"];
    match sources.get(&sources.pypi_downloads, &path, &[], None).await {
        Ok(downloads) => facts.downloads = number(&downloads, "/data/last_month"),
        Err(NoAnswer::Missing) => facts.downloads = Some(0),
        Err(NoAnswer::Failed(_)) => facts.is_complete = false,
    }
    github::add(&mut facts, sources).await;
    Ok(facts)
}

/// What the registry says; `None` if it says something else.
fn read(document: &Value, version: Option<&str>) -> Option<Facts> {
    document.get("info")?.as_object()?;
    let releases = document.get("releases").and_then(Value::as_object);
    let latest = version.or_else(|| text(document, "/info/version"));
    let uploaded = |files: &Value| {
        let files = files.as_array().into_iter().flatten();
        let times = files.filter_map(|file| seconds(text(file, "/upload_time_iso_8601")?));
        times.min()
    };
    let chosen = latest.and_then(|latest| {
        let mut releases = releases?.iter();
        let found = releases.find(|(version, _)| is_same_version(version, latest));
        found.map(|(_, files)| files)
    });
    let mut facts = Facts {
        exists: true,
        created: releases.and_then(|releases| releases.values().filter_map(uploaded).min()),
        versions: releases.map(|releases| {
            let with_files = |files: &&Value| files.as_array().is_some_and(|it| !it.is_empty());
            releases.values().filter(with_files).count() as u64
        }),
        published: chosen.and_then(uploaded),
        maintainers: document
            .pointer("/ownership/roles")
            .and_then(Value::as_array)
            .map(|people| people.len() as u64),
        verified: document
            .pointer("/ownership/organization")
            .is_some_and(Value::is_string),
        licence: licence(document),
        repository: repository(document),
        ..Facts::default()
    };
    if chosen.is_some_and(is_yanked) {
        facts.warnings.push("this version was yanked".to_owned());
    }
    let inactive = "Development Status :: 7 - Inactive";
    if classifiers(document).any(|it| it == inactive) {
        facts
            .warnings
            .push("nobody works on it any more".to_owned());
    }
    // A mirror may not list any.
    if let (Some(version), Some(_), None) = (version, releases, chosen) {
        facts
            .objections
            .push(format!("there is no version {version}"));
    }
    // They are those of the newest version.
    let newest = text(document, "/info/version");
    let is_newest = |version| newest.is_some_and(|newest| is_same_version(newest, version));
    if version.is_none_or(is_newest) {
        let advisories = document.get("vulnerabilities").and_then(Value::as_array);
        let open = advisories.into_iter().flatten();
        let open = open.filter(|it| it.get("withdrawn").is_none_or(Value::is_null));
        let ids: Vec<&str> = open.filter_map(|it| text(it, "/id")).collect();
        if !ids.is_empty() {
            facts
                .objections
                .push(format!("open advisories: {}", ids.join(", ")));
        }
    }
    Some(facts)
}

/// Whether pip takes one for the other: `v1.0` for `1.0.0`.
fn is_same_version(one: &str, other: &str) -> bool {
    let plain = |version: &str| {
        let version = version.trim().to_ascii_lowercase();
        let mut version = version.trim_start_matches('v');
        while let Some(shorter) = version.strip_suffix(".0") {
            version = shorter;
        }
        version.to_owned()
    };
    plain(one) == plain(other)
}

fn is_yanked(files: &Value) -> bool {
    let files = files.as_array().map(Vec::as_slice).unwrap_or_default();
    let yanked = |file: &Value| file.get("yanked").and_then(Value::as_bool) == Some(true);
    !files.is_empty() && files.iter().all(yanked)
}

fn classifiers(document: &Value) -> impl Iterator<Item = &str> {
    let classifiers = document
        .pointer("/info/classifiers")
        .and_then(Value::as_array);
    classifiers.into_iter().flatten().filter_map(Value::as_str)
}

fn licence(document: &Value) -> Option<String> {
    let named =
        text(document, "/info/license_expression").or_else(|| text(document, "/info/license"));
    // Some put the whole text there.
    let named = named
        .and_then(|named| named.lines().next())
        .map(str::to_owned);
    named.or_else(|| {
        let mut classifiers = classifiers(document);
        let classifier = classifiers.find(|it| it.starts_with("License ::"))?;
        classifier.rsplit(" :: ").next().map(str::to_owned)
    })
}

fn repository(document: &Value) -> Option<String> {
    let urls = document
        .pointer("/info/project_urls")
        .and_then(Value::as_object);
    let urls = urls.into_iter().flat_map(|urls| urls.values());
    let urls = urls.filter_map(Value::as_str);
    let mut all = urls.chain(text(document, "/info/home_page"));
    all.find_map(github::repository)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_of_pypi_says_what_there_is_to_know() {
        let document = json!({
            "info": {
                "version": "2.0", "license": null, "license_expression": "Apache-2.0",
                "classifiers": ["Development Status :: 7 - Inactive"],
                "project_urls": {"Docs": "https://d.test", "Source": "https://github.com/o/r/tree/main/x"},
            },
            "releases": {
                "0.1": [], "1.0": [{"upload_time_iso_8601": "2025-01-01T00:00:00.5Z", "yanked": true}],
                "2.0": [{"upload_time_iso_8601": "2026-01-01T00:00:00Z", "yanked": false}],
            },
            "vulnerabilities": [{"id": "PYSEC-1", "withdrawn": null}, {"id": "PYSEC-2", "withdrawn": "2026-01-01T00:00:00Z"}],
            "ownership": {"organization": null, "roles": [{"role": "Owner", "user": "x"}]},
        });
        let facts = read(&document, None).unwrap();
        assert_eq!(
            facts,
            Facts {
                exists: true,
                created: seconds("2025-01-01"),
                published: seconds("2026-01-01"),
                versions: Some(2),
                maintainers: Some(1),
                licence: Some("Apache-2.0".to_owned()),
                repository: Some("o/r".to_owned()),
                warnings: vec!["nobody works on it any more".to_owned()],
                objections: vec!["open advisories: PYSEC-1".to_owned()],
                ..Facts::default()
            }
        );
        let older = read(&document, Some("v1.0.0")).unwrap();
        assert_eq!(
            older.warnings.first().map(String::as_str),
            Some("this version was yanked")
        );
        assert!(older.objections.is_empty());
        let none = read(&document, Some("3.0")).unwrap();
        assert_eq!(none.objections, ["there is no version 3.0"]);
    }

    #[test]
    fn what_is_missing_is_not_known_and_nothing_is_held_against_it() {
        for document in [
            json!({}),
            json!({"message": "log in"}),
            json!({"info": null}),
        ] {
            assert_eq!(read(&document, Some("1.0")), None, "{document}");
        }
        let facts = read(&json!({"info": {"version": "2.0"}}), Some("1.0")).unwrap();
        assert_eq!(
            (facts.versions, facts.created, facts.maintainers),
            (None, None, None)
        );
        assert!(facts.objections.is_empty(), "{facts:?}");
    }
}
