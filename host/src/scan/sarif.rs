//! The report as SARIF 2.1.0, which code hosting services and editors show.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::finding::{Finding, RULES};
use super::{Scanned, Scanning};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The report.
pub(super) fn sarif(scanning: &Scanning) -> Value {
    let rules = RULES.iter().map(|rule| {
        json!({
            "id": rule.name,
            "shortDescription": {"text": rule.about},
        })
    });
    let results = scanning.servers.iter().flat_map(|scanned| {
        let findings = scanned.findings.iter();
        findings.map(move |finding| result(scanned, finding))
    });
    // What could not be looked at is no result, and is not passed over.
    let notifications = scanning.skipped.iter().map(|skipped| {
        let name = skipped.name.as_deref().unwrap_or("all of it");
        let text = format!(
            "not looked at: {name} in {}: {}",
            skipped.file.display(),
            skipped.why
        );
        json!({"level": "warning", "message": {"text": text}})
    });
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "mcp-gateway scan",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules.collect::<Vec<_>>(),
            }},
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
            }],
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn result(scanned: &Scanned, finding: &Finding) -> Value {
    let name = scanned.found.server.name.as_str();
    let of = finding.of.as_ref();
    let of = of.map(|(offer, name)| offer.label(name));
    let whole = match &of {
        Some(of) => format!("{name}/{of}"),
        None => name.to_owned(),
    };
    let index = RULES.iter().position(|rule| **rule == *finding.rule);
    let uri = url::Url::from_file_path(&scanned.found.file).map(String::from);
    let uri = uri.unwrap_or_else(|()| scanned.found.file.display().to_string());
    // The same finding is known again in the next run.
    let digest = Sha256::digest(format!("{}\0{whole}\0{}", finding.rule.name, finding.at));
    let digest: String = digest
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({
        "ruleId": finding.rule.name,
        "ruleIndex": index,
        "level": finding.level.name(),
        "message": {"text": format!("{whole}: {}", finding.text)},
        "locations": [{
            "physicalLocation": {"artifactLocation": {"uri": uri}},
            "logicalLocations": [{
                "name": of.as_deref().unwrap_or(name),
                "fullyQualifiedName": format!("{whole}{}", finding.at),
            }],
        }],
        "partialFingerprints": {"finding/v1": digest},
    })
}
