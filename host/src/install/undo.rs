//! What becomes of a client's file when the gateway is taken away.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::record::{Moved, Record, Step};
use super::{Change, InstallError, Outcome, unusable};
use crate::clients::{Client, Document, ENTRY, is_gateway, wrapped};

/// The change of this file; `None` if the gateway was not put there.
pub(super) fn uninstall(
    client: &'static Client,
    file: PathBuf,
) -> Result<Option<Outcome>, InstallError> {
    let Some(mut record) = Record::read(&file)?.filter(|record| record.client == client.name)
    else {
        return Ok(None);
    };
    let before = std::fs::read_to_string(&file).map_err(unusable(&file))?;
    let mut after = before.clone();
    let mut notes = Vec::new();
    let mut copies = Vec::new();
    let mut config: Option<(PathBuf, Option<String>, Option<String>)> = None;
    while let Some(step) = record.steps.pop() {
        // A step that was never taken: the program ended before it wrote.
        if after == step.before {
            copies.push(step.copy);
            continue;
        }
        after = match after == step.after {
            true => step.before.clone(),
            false => undone(client, &step, &after).ok_or_else(|| InstallError::Changed {
                file: file.clone(),
                copy: step.copy.clone(),
            })?,
        };
        // The latest step knows what the gateway's file was left as; the steps before
        // lead back to what it was, which is nothing only if we made it.
        if let Some((path, text)) = step.config {
            match &mut config {
                None => match std::fs::read_to_string(&path) {
                    Ok(now) if now == text => config = Some((path, Some(now), step.config_before)),
                    Ok(_) => notes.push(format!("{} was changed, so it stays", path.display())),
                    Err(_) => {}
                },
                Some((same, _, back)) => {
                    if *same == path && back.as_deref() == Some(text.as_str()) {
                        *back = step.config_before;
                    }
                }
            }
        }
        if after == step.before {
            copies.push(step.copy);
        }
    }
    Ok(Some(Outcome::Change(Box::new(Change {
        client,
        file,
        before,
        after,
        config,
        record,
        copies,
        copy: None,
        notes,
    }))))
}

/// The text without the change of a step, where others changed it since.
fn undone(client: &Client, step: &Step, now: &str) -> Option<String> {
    // Line by line, which keeps even comments inside of what comes back.
    let merged = diffy::merge(&step.after, &step.before, now).ok();
    merged
        .filter(|text| is_undone(client, step, now, text))
        .or_else(|| by_entry(client, step, now))
        .filter(|text| is_undone(client, step, now, text))
}

/// Entry by entry, where lines do not tell.
fn by_entry(client: &Client, step: &Step, now: &str) -> Option<String> {
    let mut document = Document::read(client, now).ok()?;
    let there = document.servers();
    let former = Document::read(client, &step.before).ok()?.servers();
    let former = former
        .into_iter()
        .filter(|(name, _)| step.names.contains(name));
    match step.way {
        Moved::Moved => {
            let missing: Vec<(String, Value)> = former
                .filter(|(name, _)| there.iter().all(|(known, _)| known != name))
                .collect();
            // An earlier step's entry stays until that is undone.
            let ours: &[String] = match has_gateway(client, &step.before) {
                true => &[],
                false => &[ENTRY.to_owned()],
            };
            document.exchange(ours, &missing).ok()?;
        }
        Moved::Wrapped => {
            for (name, entry) in former {
                let ours = there.iter().find(|(known, _)| *known == name);
                if !ours.is_some_and(|(_, entry)| is_gateway(entry)) {
                    continue;
                }
                let keys = wrapped(client, "", Vec::new());
                let values: Vec<(&str, Value)> = keys
                    .into_iter()
                    .map(|(key, _)| (key, entry.get(key).cloned().unwrap_or_else(|| json!([]))))
                    .collect();
                document.set(&name, &values).ok()?;
            }
        }
    }
    Some(document.text())
}

/// Whether every server is there, and starts without the gateway; and those that
/// others changed are as they left them.
fn is_undone(client: &Client, step: &Step, now: &str, text: &str) -> bool {
    let read = |text| Document::read(client, text).map(|document| document.servers());
    let (Ok(servers), Ok(there)) = (read(text), read(now)) else {
        return false;
    };
    let back = step.names.iter().all(|name| {
        let mut found = servers.iter().filter(|(known, _)| known == name);
        found.next().is_some_and(|(_, entry)| !is_gateway(entry)) && found.next().is_none()
    });
    let kept = there
        .iter()
        .filter(|(_, entry)| !is_gateway(entry))
        .all(|server| servers.contains(server));
    back && kept && has_gateway(client, text) == has_gateway(client, &step.before)
}

fn has_gateway(client: &Client, text: &str) -> bool {
    Document::read(client, text).is_ok_and(|document| {
        let mut servers = document.servers().into_iter();
        servers.any(|(name, entry)| name == ENTRY && is_gateway(&entry))
    })
}
