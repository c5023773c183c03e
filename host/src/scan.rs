//! `scan`: says what the servers of a person's clients are before they are trusted:
//! where they come from and what is known of that, what their configuration gives
//! away, and what is wrong with what they show a model.
//!
//! No client's file is written. The servers are started one after the other, by a
//! gateway like any other; secrets are found by the guardrail `basic`, attacks in the
//! words of tools by `injection`, where it is bundled.

mod ability;
mod configuration;
mod detector;
mod finding;
mod found;
mod hints;
mod listed;
mod report;
mod sarif;
mod secrets;
mod shown;
mod tools;

use std::collections::HashMap;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::bail;

use crate::cli::{FailOn, Format, Look, Scan};
use crate::pinning::Offer;
use crate::provenance::Provenance;
use crate::reputation::{self, Reputation, Sources, Standings};
use detector::Detectors;
use finding::{Finding, Level};
use found::{Found, Skipped};
use listed::Listed;
use shown::Beside;

/// A server, and what is to be said of it.
struct Scanned {
    found: Found,
    provenance: Provenance,
    reputation: Option<Reputation>,
    /// What it shows; nothing if it was not started, or why that is not known.
    listed: Option<Result<Listed, String>>,
    findings: Vec<Finding>,
}

/// Everything that is to be said.
struct Scanning {
    servers: Vec<Scanned>,
    skipped: Vec<Skipped>,
}

/// Carries a request out, and says what comes of it on standard output.
///
/// # Errors
/// When a file cannot be read, no guardrail could run, or the screen is gone.
pub async fn scan(request: &Scan) -> anyhow::Result<ExitCode> {
    match request {
        Scan::Look(look) => look_at(look).await,
        Scan::Allow { server, allowed } => allow(server, *allowed),
    }
}

fn allow(server: &str, allowed: bool) -> anyhow::Result<ExitCode> {
    let standings = Standings::open()?;
    let taken = standings.allow(server, allowed)?;
    if taken.is_empty() {
        let known = standings.all()?;
        let known: Vec<_> = known.iter().map(|it| format!("{:?}", it.server)).collect();
        bail!(
            "no server named {server:?} was found risky; those that were: {}",
            if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            }
        );
    }
    let mut text = String::new();
    for standing in taken {
        let (name, identity) = (&standing.server, &standing.identity);
        text.push_str(&match allowed {
            true => format!("{name} ({identity}): gateways start it from now on\n"),
            false => format!("{name} ({identity}): gateways do not start it any more\n"),
        });
    }
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

async fn look_at(look: &Look) -> anyhow::Result<ExitCode> {
    // What the parts log is in what is found.
    let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    let (found, skipped) = found::servers(look)?;
    let detectors = Detectors::load().await?;
    let sources = Sources::new(look.network);
    let mut servers: Vec<Scanned> = Vec::with_capacity(found.len());
    for found in found {
        let provenance = Provenance::of(&found.server);
        let mut findings = configuration::look(&found, &provenance);
        findings.extend(secrets::look(&found, &detectors).await?);
        let reputation = match provenance.package() {
            Some(package) => {
                let reputation = reputation::of(package, &sources).await;
                findings.extend(configuration::of_reputation(package, &reputation));
                note(&found, &reputation);
                Some(reputation)
            }
            None => None,
        };
        servers.push(Scanned {
            found,
            provenance,
            reputation,
            listed: None,
            findings,
        });
    }
    if look.start {
        start(&mut servers).await;
    }
    look_at_shown(&mut servers, &detectors).await?;
    let scanning = Scanning { servers, skipped };
    let text = match look.format {
        Format::Text => report::text(&scanning, &detectors),
        Format::Json => format!("{:#}\n", report::json(&scanning, &detectors)),
        Format::Sarif => format!("{:#}\n", sarif::sarif(&scanning)),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    let fails = |level: Level| match look.fail_on {
        FailOn::Error => level == Level::Error,
        FailOn::Warning => level >= Level::Warning,
        FailOn::Never => false,
    };
    let mut findings = scanning.servers.iter().flat_map(|it| &it.findings);
    Ok(match findings.any(|finding| fails(finding.level)) {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    })
}

/// A gateway that scans refuses to start what was found risky; a person can allow it
/// beforehand.
fn note(found: &Found, reputation: &Reputation) {
    if let Reputation::Scored { score, because } = reputation
        && reputation.is_risky()
        && let Ok(standings) = Standings::open()
        && let Err(error) = standings.found(&found.server, *score, because)
    {
        tracing::debug!("what was found cannot be kept: {error}");
    }
}

/// Starts the servers one after the other, each of them once, but for those that are
/// too risky to be started.
async fn start(servers: &mut [Scanned]) {
    let mut known: HashMap<String, Result<Listed, String>> = HashMap::new();
    for scanned in servers {
        let is_risky = scanned.findings.iter().any(|it| it.stops_start());
        let is_allowed = || {
            let standing = Standings::open().ok()?.of(&scanned.found.server)?;
            Some(standing.allowed)
        };
        let listed = if is_risky && is_allowed() != Some(true) {
            Err("it was not started, since it is risky".to_owned())
        } else if let Some(listed) = known.get(&scanned.found.text) {
            listed.clone()
        } else {
            let listed = listed::of(&scanned.found).await;
            known.insert(scanned.found.text.clone(), listed.clone());
            listed
        };
        scanned.listed = Some(listed);
    }
}

async fn look_at_shown(servers: &mut [Scanned], detectors: &Detectors) -> anyhow::Result<()> {
    for index in 0..servers.len() {
        let Some((before, rest)) = servers.split_at_mut_checked(index) else {
            break;
        };
        let Some((scanned, after)) = rest.split_first_mut() else {
            break;
        };
        let listed = match &scanned.listed {
            Some(Ok(listed)) => listed,
            Some(Err(why)) => {
                scanned.findings.push(finding::not_listed(Offer::Tool, why));
                continue;
            }
            None => continue,
        };
        // Servers of one client are together in a conversation.
        let mut beside = Beside::default();
        for other in before.iter().chain(after.iter()) {
            if other.found.file == scanned.found.file
                && let Some(Ok(listed)) = &other.listed
            {
                beside.add(other.found.server.name.as_str(), listed);
            }
        }
        let mut findings = shown::look(listed, &beside, detectors).await?;
        let of_all: Vec<Finding> = tools::look(listed, &findings).collect();
        findings.extend(of_all);
        let unseen = listed.unseen.iter();
        findings.extend(unseen.map(|(offer, why)| finding::not_listed(*offer, why)));
        scanned.findings.extend(findings);
    }
    Ok(())
}
