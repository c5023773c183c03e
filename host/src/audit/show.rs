//! `audit show`: one call as a page, in the order in which a person asks.

use std::io::Write;

use super::call::{Call, Content, Finding};
use super::failure::AuditError;
use super::plain;
use super::query::millis;

/// The page of a call.
pub(super) fn show(call: &Call, out: &mut dyn Write) -> Result<(), AuditError> {
    let mut line = |label: &str, text: &str| match text {
        "" => Ok(()),
        text => writeln!(out, "{label:<12}{}", plain::line(text)),
    };
    line("record", &format!("{} ({})", call.seq, call.kind))?;
    line("time", &call.time.to_string())?;
    line("client", &call.who())?;
    line("session", &session(call))?;
    line("server", call.server.as_deref().unwrap_or_default())?;
    line("asked", &format!("{} ({})", call.what(), call.direction))?;
    line("outcome", &call.outcome)?;
    line("blocked by", call.blocked_by.as_deref().unwrap_or_default())?;
    line("reason", call.reason.as_deref().unwrap_or_default())?;
    line("took", &took(call))?;
    let bytes = format!(
        "{} asked, {} answered",
        call.request_bytes, call.result_bytes
    );
    line("bytes", &bytes)?;
    writeln!(out, "\nguardrails")?;
    if call.findings.is_empty() {
        writeln!(out, "  found nothing")?;
    }
    for finding in &call.findings {
        writeln!(out, "  {}", plain::line(&told(finding)))?;
    }
    content("arguments", &call.arguments, out)?;
    content("result", &call.result, out)
}

fn session(call: &Call) -> String {
    match call.exchange {
        Some(number) => format!("{}, exchange {number}", call.session),
        None => call.session.clone(),
    }
}

fn took(call: &Call) -> String {
    format!(
        "{} ms: {} ms the server, {} ms the guardrails",
        millis(call.duration),
        millis(call.server_time),
        millis(call.guardrail_time)
    )
}

/// What was found where, and what that led to.
fn told(finding: &Finding) -> String {
    let place = match finding.place.as_str() {
        "" => format!("in the {}", finding.message),
        place => format!("in the {} at {place}", finding.message),
    };
    let warned = if finding.is_enforced {
        ""
    } else {
        " (only warned)"
    };
    let digest: String = finding.digest.chars().take(12).collect();
    format!(
        "{}{warned}: {} ×{}, {place}; build {digest}",
        finding.decision,
        finding.name(),
        finding.count
    )
}

fn content(label: &str, content: &Content, out: &mut dyn Write) -> Result<(), AuditError> {
    let Some(text) = &content.text else {
        writeln!(out, "\n{label}: not kept")?;
        return Ok(());
    };
    let cut = if content.is_cut {
        ", only its beginning"
    } else {
        ""
    };
    writeln!(out, "\n{label} ({}{cut})", content.form)?;
    let text = match content.value() {
        Some(value) => plain::json(&format!("{value:#}")).into_owned(),
        None => plain::lines(text).into_owned(),
    };
    for line in text.lines() {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}
