//! `approve`: a person's word on a single call that a guardrail asks about.

use std::io;
use std::process::ExitCode;

use serde_json::json;

use super::screen::Screen;
use crate::approval::{ApprovalError, Approvals, Wanted};
use crate::cli::{Approve, Output};

/// Why a person's word on a call cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ApproveError {
    /// What is kept cannot be used, or there is no such call.
    #[error(transparent)]
    Approvals(#[from] ApprovalError),
    /// Nobody would see what they approve of.
    #[error("a person approves in a terminal, where they see what they approve of; this is none")]
    NoTerminal,
    /// The screen is gone.
    #[error("cannot write the answer: {0}")]
    Screen(#[from] io::Error),
}

/// Shows the calls that wait, or one of them, and takes the person's word on it.
///
/// # Errors
/// When what is kept cannot be used, when no such call waits, or when there is no
/// terminal.
pub fn approve(command: &Approve) -> Result<ExitCode, ApproveError> {
    let approvals = Approvals::open()?;
    let screen = Screen::new();
    let waiting = approvals.waiting()?;
    let Some(code) = &command.code else {
        list(&waiting, &screen, command.output)?;
        return Ok(ExitCode::SUCCESS);
    };
    let found = waiting.iter().find(|wanted| wanted.code() == code);
    let wanted = found.ok_or_else(|| ApprovalError::Unknown(code.clone()))?;
    if !screen.can_ask() {
        return Err(ApproveError::NoTerminal);
    }
    show(wanted, &screen)?;
    if !screen.asks_yes("Approve of this one call?")? {
        screen.line("not approved")?;
        return Ok(ExitCode::FAILURE);
    }
    approvals.approve(code)?;
    screen.line("approved: for an hour, the very same call passes once")?;
    Ok(ExitCode::SUCCESS)
}

fn list(waiting: &[Wanted], screen: &Screen, output: Output) -> io::Result<()> {
    if output == Output::Json {
        let waiting = waiting.iter().map(|wanted| {
            json!({
                "code": wanted.code(),
                "guardrail": wanted.guardrail,
                "question": wanted.question,
                "server": wanted.server,
                "method": wanted.method,
                "subject": wanted.subject,
                "arguments": wanted.arguments,
                "asked": wanted.asked,
            })
        });
        return screen.json(&json!({ "waiting": waiting.collect::<Vec<_>>() }));
    }
    if waiting.is_empty() {
        screen.line("no call waits for a person")?;
    }
    for wanted in waiting {
        let what = wanted.subject.as_deref().unwrap_or(&wanted.method);
        screen.line(&format!(
            "{}  {what:?} of server {:?}: {}",
            wanted.code(),
            wanted.server,
            wanted.question
        ))?;
    }
    Ok(())
}

fn show(wanted: &Wanted, screen: &Screen) -> io::Result<()> {
    let what = wanted.subject.as_deref().unwrap_or(&wanted.method);
    screen.line(&format!(
        "Guardrail {:?} asks: {}",
        wanted.guardrail, wanted.question
    ))?;
    screen.line(&format!(
        "  {what:?} of server {:?} ({})",
        wanted.server, wanted.method
    ))?;
    match &wanted.arguments {
        Some(arguments) => screen.line(&format!("  with {arguments}")),
        None => screen.line("  its arguments are not kept"),
    }
}
