//! The report, for a person and for a program.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::detector::Detectors;
use super::finding::{Finding, Level};
use super::listed::Listed;
use super::{Scanned, Scanning};
use crate::config::Transport;
use crate::pinning::Offer;
use crate::plural::counted;
use crate::provenance::Provenance;
use crate::reputation::Reputation;

/// What a person reads.
pub(super) fn text(scanning: &Scanning, detectors: &Detectors) -> String {
    let mut text = String::new();
    let mut file = None;
    for scanned in &scanning.servers {
        if file != Some(&scanned.found.file) {
            let found = &scanned.found;
            line(
                &mut text,
                &format!("{}: {}", found.client, found.file.display()),
            );
            file = Some(&found.file);
        }
        line(
            &mut text,
            &format!("  {}  {}", scanned.found.server.name, origin(scanned)),
        );
        let mut findings: Vec<&Finding> = scanned.findings.iter().collect();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        for finding in findings {
            let of = match &finding.of {
                Some((offer, name)) => format!("{}: ", offer.described(name)),
                None => String::new(),
            };
            let (level, rule) = (finding.level.name(), finding.rule.name);
            line(
                &mut text,
                &format!("    {level:<7}  {of}{} [{rule}]", finding.text),
            );
        }
        if scanned.findings.is_empty() {
            line(&mut text, "    nothing was found");
        }
    }
    for skipped in &scanning.skipped {
        let name = skipped.name.as_deref().unwrap_or("all of it");
        let (file, why) = (skipped.file.display(), &skipped.why);
        line(
            &mut text,
            &format!("not looked at: {name} in {file}: {why}"),
        );
    }
    if scanning.servers.is_empty() && scanning.skipped.is_empty() {
        line(&mut text, "no servers: none of your clients has any");
    }
    if !detectors.know_attacks() {
        line(
            &mut text,
            "attacks in the words of servers were not looked for: this build has no guardrail for that",
        );
    }
    let count = |level: Level| {
        let findings = scanning.servers.iter().flat_map(|it| &it.findings);
        findings.filter(|finding| finding.level == level).count()
    };
    let counts = [
        counted(count(Level::Error), "error"),
        counted(count(Level::Warning), "warning"),
        counted(count(Level::Note), "note"),
    ];
    let servers = counted(scanning.servers.len(), "server");
    line(&mut text, &format!("{servers}: {}", counts.join(", ")));
    text
}

/// Where a server comes from, what that is worth, and how much it shows.
fn origin(scanned: &Scanned) -> String {
    let mut text = match (&scanned.provenance, &scanned.found.server.transport) {
        (Provenance::Package(package), _) => package.to_string(),
        (Provenance::Remote(address), _) => address.clone(),
        (_, Transport::Stdio(program)) => program.command.clone(),
        (_, Transport::Http(remote)) => remote.shown(),
    };
    if let Some(Reputation::Scored { score, .. }) = scanned.reputation {
        // Nothing fails that writes into a string.
        let _ = write!(text, ", reputation {score} of 100");
    }
    if let Some(Ok(listed)) = &scanned.listed {
        for offer in Offer::ALL {
            match (offer, listed.all(offer).count()) {
                (Offer::Prompt | Offer::Template, 0) | (Offer::Instructions, _) => {}
                (_, count) => {
                    let _ = write!(text, ", {}", counted(count, offer.word()));
                }
            }
        }
    }
    text
}

/// A line, in which nothing moves the cursor: it may quote what others wrote.
fn line(text: &mut String, line: &str) {
    text.extend(line.chars().map(|c| if c.is_control() { ' ' } else { c }));
    text.push('\n');
}

/// What a program reads.
pub(super) fn json(scanning: &Scanning, detectors: &Detectors) -> Value {
    let servers = scanning.servers.iter().map(|scanned| {
        let found = &scanned.found;
        let reputation = scanned
            .reputation
            .as_ref()
            .map(|reputation| match reputation {
                Reputation::Scored { score, because } => {
                    json!({"score": score, "because": because})
                }
                Reputation::Unknown(why) => json!({"score": null, "because": [why]}),
            });
        let listed = scanned.listed.as_ref().and_then(|it| it.as_ref().ok());
        json!({
            "client": found.client,
            "file": found.file,
            "name": found.server.name.as_str(),
            "identity": crate::provenance::identity(&found.server),
            "package": scanned.provenance.package().map(ToString::to_string),
            "reputation": reputation,
            "tools": listed.map(|it| hashes(it, Offer::Tool)),
            "prompts": listed.map(|it| hashes(it, Offer::Prompt)),
            "templates": listed.map(|it| hashes(it, Offer::Template)),
            "instructions": listed.and_then(|it| Some(&it.all(Offer::Instructions).next()?.hash)),
            "findings": scanned.findings.iter().map(finding).collect::<Vec<_>>(),
        })
    });
    let skipped = scanning
        .skipped
        .iter()
        .map(|skipped| json!({"file": skipped.file, "name": skipped.name, "why": skipped.why}));
    json!({
        "servers": servers.collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
        "attacks_looked_for": detectors.know_attacks(),
    })
}

/// All that a server shows of a kind, each with its digest.
fn hashes(listed: &Listed, offer: Offer) -> Vec<Value> {
    let shown = listed.all(offer);
    let hash = shown.map(|it| json!({"name": it.name, "hash": it.hash}));
    hash.collect()
}

fn finding(finding: &Finding) -> Value {
    let of = finding.of.as_ref();
    json!({
        "rule": finding.rule.name,
        "level": finding.level.name(),
        "tool": finding.tool(),
        "of": of.map(|(offer, name)| offer.label(name)),
        "at": finding.at,
        "text": finding.text,
    })
}
