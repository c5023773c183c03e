//! `doctor`: everything is tried once, as a client would have it, and what is wrong
//! is said with what it means and what mends it.
//!
//! The configuration is read and the guardrails are built here; the servers are
//! started by a gateway with that configuration, so that what they say has passed the
//! guardrails before anybody sees it.

mod finding;
mod guardrails;
mod report;
mod servers;
mod surroundings;

use std::io::Write as _;
use std::process::ExitCode;

use crate::cli::{Doctor, Output};
use finding::{Finding, Severity};
use report::Report;

/// Looks after a configuration and everything that it names, and says what it found on
/// standard output.
///
/// # Errors
/// When no guardrail could run, or the screen is gone.
pub async fn doctor(request: &Doctor) -> anyhow::Result<ExitCode> {
    // What the parts log is in what is found.
    let _quiet = tracing::subscriber::set_default(tracing::subscriber::NoSubscriber::default());
    let mut report = Report::default();
    match request.source.load() {
        Err(errors) => {
            let errors = errors.0.iter().map(ToString::to_string);
            report.findings.extend(errors.map(finding::configuration));
        }
        Ok(config) => {
            report.source.clone_from(&config.source);
            let warnings = config.warnings.iter();
            report
                .findings
                .extend(warnings.map(|text| finding::remark(text)));
            surroundings::look(&config, &mut report);
            guardrails::look(&config, &mut report).await?;
            if report.is_sound() {
                servers::look(request, &config, &mut report).await;
            } else {
                report.findings.push(finding::not_tried());
            }
        }
    }
    let text = match request.output {
        Output::Text => report.text(),
        Output::Json => format!("{:#}\n", report.json()),
    };
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(match report.worst() {
        Some(Severity::Error) => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    })
}
