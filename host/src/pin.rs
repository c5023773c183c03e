//! `pin`: shows a person which tools were defined anew since they were approved, what
//! is different about them, and takes the person's word. `approve`: the same for single
//! calls.

mod call;
mod difference;
mod screen;

use std::io;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::{Output, Pin};
use crate::pinning::{PinError, Pins, Record, Waiting};
pub use call::{ApproveError, approve};
use difference::Difference;
use screen::Screen;

/// Why a person's word cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum PinCommandError {
    /// What is kept cannot be used.
    #[error(transparent)]
    Pins(#[from] PinError),
    /// Nothing is known of such a server.
    #[error("no server named {name:?} has listed tools yet; known: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// No such tool waits.
    #[error(
        "no tool named {tool:?} of server {server:?} waits; `mcp-gateway pin review` shows what does"
    )]
    NotWaiting {
        /// The server.
        server: String,
        /// The tool.
        tool: String,
    },
    /// The screen is gone.
    #[error("cannot write the answer: {0}")]
    Screen(#[from] io::Error),
}

/// Carries a command out.
///
/// # Errors
/// When what is kept cannot be read or written, when what was named is not there, or
/// when the screen is gone.
pub fn pin(command: &Pin) -> Result<ExitCode, PinCommandError> {
    let pins = Pins::open()?;
    let screen = Screen::new();
    match command {
        Pin::List(output) => list(&pins, &screen, *output),
        Pin::Review { server, output } => review(&pins, &screen, server.as_deref(), *output),
        Pin::Approve { server, tools } => approve_tools(&pins, &screen, server, tools),
        Pin::Forget { server } => {
            for record in named(&pins, server)? {
                pins.forget(&record)?;
                screen.line(&format!(
                    "{} ({}): forgotten; its next list is trusted as a first one",
                    record.server, record.identity
                ))?;
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn list(pins: &Pins, screen: &Screen, output: Output) -> Result<ExitCode, PinCommandError> {
    let records = pins.all()?;
    if output == Output::Json {
        let servers = records.iter().map(|record| {
            json!({
                "server": record.server,
                "identity": record.identity,
                "approved": record.tools.keys().collect::<Vec<_>>(),
                "waiting": record.waiting.keys().collect::<Vec<_>>(),
            })
        });
        screen.json(&json!({ "servers": servers.collect::<Vec<_>>() }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if records.is_empty() {
        screen.line("no server has listed tools yet")?;
    }
    for record in &records {
        let waiting = match record.waiting.len() {
            0 => String::new(),
            waits => format!(", {waits} waiting for `mcp-gateway pin review`"),
        };
        screen.line(&format!(
            "{} ({}): {} approved{waiting}",
            record.server,
            record.identity,
            record.tools.len(),
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn review(
    pins: &Pins,
    screen: &Screen,
    server: Option<&str>,
    output: Output,
) -> Result<ExitCode, PinCommandError> {
    let records = match server {
        Some(server) => named(pins, server)?,
        None => pins.all()?,
    };
    let waiting = records.iter().flat_map(|record| {
        let waiting = record.waiting.iter();
        waiting.map(move |(tool, waiting)| (record, tool, waiting))
    });
    if output == Output::Json {
        let shown: Vec<Value> = waiting
            .map(|(record, tool, waiting)| shown(record, tool, waiting))
            .collect();
        let something = !shown.is_empty();
        screen.json(&json!({ "waiting": shown }))?;
        return Ok(left(something));
    }
    let mut something = false;
    let mut nothing = true;
    for (record, tool, waiting) in waiting {
        nothing = false;
        let approved = record.tools.get(tool).map(|it| it.definition.as_str());
        let difference = Difference::between(approved, &waiting.definition);
        screen.waiting(record, tool, waiting, &difference)?;
        if !screen.asks_yes("Approve of it as it is now?")? {
            something = true;
            continue;
        }
        // What was shown, and not what the server may have come up with since.
        let is_same = |now: &Record| {
            now.waiting
                .get(tool)
                .is_some_and(|it| it.hash == waiting.hash)
        };
        let approved = pins.change(record, |record, now| {
            is_same(record) && record.approve_waiting(tool, now)
        })?;
        match approved {
            Some(true) => screen.line("approved")?,
            _ => {
                something = true;
                screen.line("not approved: it has changed once more meanwhile")?;
            }
        }
    }
    if nothing {
        screen.line("nothing waits: every tool is as it was approved")?;
    } else if something {
        screen.line("`mcp-gateway pin approve SERVER [TOOL…]` approves without asking")?;
    }
    Ok(left(something))
}

fn approve_tools(
    pins: &Pins,
    screen: &Screen,
    server: &str,
    tools: &[String],
) -> Result<ExitCode, PinCommandError> {
    let records = named(pins, server)?;
    let waits = |tool: &String| records.iter().any(|it| it.waiting.contains_key(tool));
    if let Some(tool) = tools.iter().find(|tool| !waits(tool)) {
        return Err(PinCommandError::NotWaiting {
            server: server.to_owned(),
            tool: tool.clone(),
        });
    }
    let mut count = 0;
    for record in &records {
        let chosen = record.waiting.iter();
        let chosen = chosen.filter(|(tool, _)| tools.is_empty() || tools.contains(tool));
        let chosen: Vec<_> = chosen.collect();
        let approved = pins.change(record, |now, time| {
            let mut count = 0;
            for (tool, waiting) in &chosen {
                let is_same = now
                    .waiting
                    .get(*tool)
                    .is_some_and(|it| it.hash == waiting.hash);
                count += usize::from(is_same && now.approve_waiting(tool, time));
            }
            count
        })?;
        count += approved.unwrap_or_default();
    }
    screen.line(&format!(
        "{count} approved; gateways that run show them in a moment"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// The records of the servers of a name: there may be several, of different clients.
fn named(pins: &Pins, server: &str) -> Result<Vec<Record>, PinCommandError> {
    let all = pins.all()?;
    let mut known: Vec<String> = all.iter().map(|it| format!("{:?}", it.server)).collect();
    known.dedup();
    let found: Vec<Record> = all.into_iter().filter(|it| it.server == server).collect();
    if found.is_empty() {
        return Err(PinCommandError::Unknown {
            name: server.to_owned(),
            known: match known.is_empty() {
                true => "none".to_owned(),
                false => known.join(", "),
            },
        });
    }
    Ok(found)
}

fn shown(record: &Record, tool: &str, waiting: &Waiting) -> Value {
    let approved = record.tools.get(tool).map(|it| it.definition.as_str());
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    json!({
        "server": record.server,
        "identity": record.identity,
        "tool": tool,
        "why": waiting.why,
        "changed": Difference::between(approved, &waiting.definition).members,
        "remarks": waiting.remarks,
        "approved": approved.map(parsed),
        "now": parsed(&waiting.definition),
    })
}

fn left(something: bool) -> ExitCode {
    match something {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}
