//! `pin`: shows a person what servers have defined anew since it was approved, what is
//! different about it, and takes the person's word. `approve`: the same for single
//! calls.

mod call;
mod difference;
mod screen;

use std::io;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::{Output, Pin};
use crate::pinning::{Offer, PinError, Pins, Record, Waiting};
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
    #[error("no server named {name:?} has been compared yet; known: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Nothing of that name waits.
    #[error(
        "nothing named {name:?} of server {server:?} waits; `mcp-gateway pin review` shows what does"
    )]
    NotWaiting {
        /// The server.
        server: String,
        /// What was named.
        name: String,
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
        Pin::Approve { server, names } => approve_named(&pins, &screen, server, names),
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
                "approved": approved(record).collect::<Vec<_>>(),
                "waiting": waiting(record).map(|it| it.label).collect::<Vec<_>>(),
            })
        });
        screen.json(&json!({ "servers": servers.collect::<Vec<_>>() }))?;
        return Ok(ExitCode::SUCCESS);
    }
    if records.is_empty() {
        screen.line("no server has been compared yet")?;
    }
    for record in &records {
        let waits = match waiting(record).count() {
            0 => String::new(),
            waits => format!(", {waits} waiting for `mcp-gateway pin review`"),
        };
        screen.line(&format!(
            "{} ({}): {} approved{waits}",
            record.server,
            record.identity,
            approved(record).count(),
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
    let items = records.iter().flat_map(waiting);
    if output == Output::Json {
        let shown: Vec<Value> = items.map(|item| shown(&item)).collect();
        let something = !shown.is_empty();
        screen.json(&json!({ "waiting": shown }))?;
        return Ok(left(something));
    }
    let mut something = false;
    let mut nothing = true;
    for item in items {
        nothing = false;
        screen.waiting(&item)?;
        if !screen.asks_yes("Approve of it as it is now?")? {
            something = true;
            continue;
        }
        // What was shown, and not what the server may have come up with since.
        let approved = pins.change(item.record, |now, time| item.approve(now, time))?;
        match approved {
            Some(true) => screen.line("approved")?,
            _ => {
                something = true;
                screen.line("not approved: it has changed once more meanwhile")?;
            }
        }
    }
    if nothing {
        screen.line("nothing waits: everything is as it was approved")?;
    } else if something {
        screen.line("`mcp-gateway pin approve SERVER [NAME…]` approves without asking")?;
    }
    Ok(left(something))
}

fn approve_named(
    pins: &Pins,
    screen: &Screen,
    server: &str,
    names: &[String],
) -> Result<ExitCode, PinCommandError> {
    let records = named(pins, server)?;
    let waits = |name: &String| records.iter().flat_map(waiting).any(|it| it.label == *name);
    if let Some(name) = names.iter().find(|name| !waits(name)) {
        return Err(PinCommandError::NotWaiting {
            server: server.to_owned(),
            name: name.clone(),
        });
    }
    let mut count = 0;
    for record in &records {
        let chosen = waiting(record).filter(|it| names.is_empty() || names.contains(&it.label));
        let chosen: Vec<Item<'_>> = chosen.collect();
        let approved = pins.change(record, |now, time| {
            let approved = chosen.iter().filter(|item| item.approve(now, time));
            approved.count()
        })?;
        count += approved.unwrap_or_default();
    }
    screen.line(&format!(
        "{count} approved; gateways that run show them in a moment"
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Something that waits for a person.
struct Item<'a> {
    record: &'a Record,
    offer: Offer,
    name: &'a str,
    /// As a person names it.
    label: String,
    waiting: &'a Waiting,
}

impl Item<'_> {
    /// The definition that was approved, if any was.
    fn approved(&self) -> Option<&str> {
        let approved = self.record.approved(self.offer, self.name);
        approved.map(|it| it.definition.as_str())
    }

    fn difference(&self) -> Difference {
        Difference::between(self.approved(), &self.waiting.definition)
    }

    /// Approves of it in the record as it is by now, if it is still the same there.
    fn approve(&self, now: &mut Record, time: u64) -> bool {
        now.approve_waiting(self.offer, self.name, &self.waiting.hash, time)
    }
}

fn waiting(record: &Record) -> impl Iterator<Item = Item<'_>> {
    record.waiting().map(move |(offer, name, waiting)| Item {
        record,
        offer,
        name,
        label: offer.label(name),
        waiting,
    })
}

/// What was approved, as a person names it.
fn approved(record: &Record) -> impl Iterator<Item = String> {
    Offer::ALL.into_iter().flat_map(|offer| {
        let names = record.names(offer);
        names.map(move |name| offer.label(name))
    })
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

fn shown(item: &Item<'_>) -> Value {
    let parsed = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    json!({
        "server": item.record.server,
        "identity": item.record.identity,
        "kind": item.offer.word(),
        "name": item.name,
        "label": item.label,
        "why": item.waiting.why,
        "changed": item.difference().members,
        "remarks": item.waiting.remarks,
        "approved": item.approved().map(parsed),
        "now": parsed(&item.waiting.definition),
    })
}

fn left(something: bool) -> ExitCode {
    match something {
        true => ExitCode::FAILURE,
        false => ExitCode::SUCCESS,
    }
}
