//! Smithery: its registry of servers.

use serde_json::Value;

use super::date::seconds;
use super::facts::Facts;
use super::github;
use super::sources::{NoAnswer, Sources, number, text};
use crate::provenance::Package;

/// What is known of a server of Smithery's. The registry tells it to those who have a
/// key of it, in `SMITHERY_API_KEY`.
pub(super) async fn facts(package: &Package, sources: &Sources) -> Result<Facts, String> {
    let query = [("q", package.name.as_str()), ("pageSize", "20")];
    let asked = sources.get(
        &sources.smithery,
        &["servers"],
        &query,
        Some("SMITHERY_API_KEY"),
    );
    let list = match asked.await {
        Ok(list) => list,
        Err(NoAnswer::Missing) => return Err("the registry has no list of servers".to_owned()),
        Err(failed) => return Err(failed.why()),
    };
    let servers = list.get("servers").and_then(Value::as_array);
    let servers = servers.ok_or("the registry has no list of servers")?;
    let named = |server: &&Value| text(server, "/qualifiedName") == Some(&package.name);
    let Some(server) = servers.iter().find(named) else {
        return Ok(Facts {
            is_complete: true,
            ..Facts::default()
        });
    };
    let mut facts = Facts {
        exists: true,
        created: text(server, "/createdAt").and_then(seconds),
        downloads: number(server, "/useCount"),
        verified: server.get("verified").and_then(Value::as_bool) == Some(true),
        repository: text(server, "/homepage").and_then(github::repository),
        is_complete: true,
        ..Facts::default()
    };
    github::add(&mut facts, sources).await;
    Ok(facts)
}
