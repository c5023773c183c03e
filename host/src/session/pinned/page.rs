//! A page of what a server shows, compared with what was approved.

use std::collections::HashSet;
use std::sync::OnceLock;

use crate::config::Server;
use crate::message::json::JsonError;
use crate::message::{Message, string};
use crate::pinning::{
    Definition, Held, Neighbours, Offer, Page, PinError, Pins, TakeError, remarks,
};

/// Who shows it, and beside whom.
pub(super) struct Shower {
    pub(super) server: Server,
    /// Their names, as far as this process has listed any.
    pub(super) own: HashSet<String>,
    /// The tools of the others, likewise.
    pub(super) neighbours: Neighbours,
    /// The others.
    pub(super) others: Vec<Server>,
}

/// A page, compared.
pub(super) struct Compared {
    pub(super) names: Vec<String>,
    /// The cursor of the next one.
    pub(super) next: Option<String>,
    /// What is held back, by the order on the page.
    pub(super) held: Vec<Option<Held>>,
    /// The page without that.
    pub(super) rest: Message,
}

/// Why a page cannot be compared.
#[derive(Debug, thiserror::Error)]
pub(super) enum Incomparable {
    #[error(transparent)]
    Records(#[from] PinError),
    #[error("they can be read in two ways: {0}")]
    Page(#[from] JsonError),
    #[error("they can be read in two ways: {0}")]
    Take(#[from] TakeError),
}

/// Compares a page with what was approved.
pub(super) fn compare(
    shower: Shower,
    offer: Offer,
    answer: &Message,
) -> Result<Compared, Incomparable> {
    let page = Page::of(offer, answer)?;
    let definitions = page.definitions();
    let next = cursor(answer, "/nextCursor");
    let pins = Pins::open()?;
    let beside = OnceLock::new();
    // Most often nothing has changed, and nobody else matters.
    let remarks = |definition: &Definition| {
        let (own, others) = beside.get_or_init(|| surroundings(&shower, &pins, &definitions));
        remarks(definition, own, others)
    };
    let held = pins.update(&shower.server, |record, now| {
        let (held, changed) = record.compare(offer, &definitions, next.is_none(), remarks, now);
        // Only now is it known of which tools it may have spoken before.
        let is_known = offer == Offer::Tool && record.waiting().next().is_some();
        let reconsidered = is_known && record.reconsider(&neighbours(&shower, &pins), now);
        (held, changed || reconsidered)
    })?;
    let stays: Vec<bool> = held.iter().map(Option::is_none).collect();
    Ok(Compared {
        rest: page.only(&stays)?,
        names: definitions.into_iter().map(|it| it.name).collect(),
        next,
        held,
    })
}

/// The names of a server's own tools, and the tools of the others.
fn surroundings(
    shower: &Shower,
    pins: &Pins,
    page: &[Definition],
) -> (HashSet<String>, Neighbours) {
    let mut own = shower.own.clone();
    let tools = page.iter().filter(|it| it.offer == Offer::Tool);
    own.extend(tools.map(|it| it.name.clone()));
    if let Ok(Some(record)) = pins.of(&shower.server) {
        own.extend(record.names(Offer::Tool).map(str::to_owned));
    }
    (own, neighbours(shower, pins))
}

/// The tools of the others.
fn neighbours(shower: &Shower, pins: &Pins) -> Neighbours {
    let mut others = shower.neighbours.clone();
    // Servers that have not listed anything yet are known from another time.
    for server in &shower.others {
        if let Ok(Some(record)) = pins.of(server) {
            others.add(&record.server, record.names(Offer::Tool));
        }
    }
    others
}

/// A cursor, whether it is a string or something else.
pub(super) fn cursor(message: &Message, pointer: &str) -> Option<String> {
    let cursor = message.value(pointer).filter(|cursor| *cursor != "null")?;
    Some(string(cursor).map_or_else(|| cursor.to_owned(), std::borrow::Cow::into_owned))
}
