//! `grant` of a guardrail.

use reqwest::header::HeaderMap;

use super::remote::{headers, url};
use crate::config::error::Problem;
use crate::config::field::Field;
use crate::config::section::Section;
use crate::config::tree::Value;
use crate::config::{Capability, Destination, Destinations, Grants};

/// What a guardrail is granted.
pub(super) struct Granted {
    pub(super) grants: Grants,
    /// Absent where nothing is said of it.
    pub(super) destinations: Option<Destinations>,
}

/// What the section grants, and by default what is granted anyway.
pub(super) fn granted(mut section: Section<'_>, default: Grants) -> Granted {
    let mut granted = |capability: Capability, default| {
        let field = section.take(capability.name());
        field.and_then(Field::boolean).unwrap_or(default)
    };
    let state = granted(Capability::State, default.state);
    let keys = granted(Capability::Keys, default.keys);
    let journal = granted(Capability::Journal, default.journal);
    let destinations = section.take(Capability::Http.name()).map(destinations);
    section.finish();
    Granted {
        grants: Grants {
            state,
            keys,
            journal,
            http: destinations.is_some() || default.http,
        },
        destinations,
    }
}

/// A list of origins, or a table of them that says more about each.
fn destinations(field: Field<'_>) -> Destinations {
    let inside = field.what();
    let listed: Vec<(Field<'_>, Option<Field<'_>>)> = match field.value {
        Value::Table(_) => {
            let entries = field.section().map(Section::into_fields);
            let entries = entries.unwrap_or_default().into_iter();
            entries
                .map(|(key, more)| (named(key, &more), Some(more)))
                .collect()
        }
        _ => {
            let items = field.items().unwrap_or_default().into_iter();
            items.map(|item| (item, None)).collect()
        }
    };
    let mut destinations: Vec<Destination> = Vec::new();
    for (origin, more) in listed {
        let (reading, at) = (origin.reading, origin.at);
        let Some(new) = destination(origin, more) else {
            continue;
        };
        if destinations.iter().any(|known| known.url == new.url) {
            let (key, inside) = (new.origin(), inside.clone());
            reading.error(at, Problem::Duplicate { key, inside });
        } else {
            destinations.push(new);
        }
    }
    Destinations(destinations.into())
}

/// A key as a value, where its own value stands.
fn named<'a>(key: String, value: &Field<'a>) -> Field<'a> {
    Field {
        reading: value.reading,
        label: value.label.clone(),
        at: value.at,
        value: Value::Text(key),
    }
}

fn destination(origin: Field<'_>, more: Option<Field<'_>>) -> Option<Destination> {
    let (reading, at, what) = (origin.reading, origin.at, origin.what());
    let section = more.and_then(Field::section);
    let (headers, private) = section.map(details).unwrap_or_default();
    let url = url(origin)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        let cause = "it is granted by scheme, host and port; leave out what follows".to_owned();
        reading.error(at, Problem::Url { what, cause });
        return None;
    }
    let destination = Destination {
        url,
        headers,
        private,
    };
    if destination.is_overheard() {
        reading.warn(
            at,
            &format!(
                "{what} is sent its headers over http://, where everybody on the way can read \
                 them; use https://"
            ),
        );
    }
    Some(destination)
}

fn details(mut section: Section<'_>) -> (HeaderMap, bool) {
    let headers = headers(section.subsection("headers"));
    let private = section.take("private").and_then(Field::boolean);
    section.finish();
    (headers, private.unwrap_or_default())
}
