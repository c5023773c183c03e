//! What is never, and what is always, personal.

use std::net::IpAddr;
use std::ops::Range;

use mcp_gateway_scan::{Keywords, Pattern};
use serde::Deserialize;

use crate::entity::Entity;
use crate::own::{Own, known};

/// What is not personal, as a configuration says it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Allow {
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    patterns: Vec<String>,
    #[serde(default)]
    networks: Vec<String>,
    #[serde(default)]
    domains: Vec<String>,
    /// Whether the values and patterns are the same in capitals.
    #[serde(default)]
    ignore_case: bool,
}

/// What is personal wherever it stands, as a configuration says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deny {
    entity: String,
    values: Vec<String>,
}

/// Both.
#[derive(Debug)]
pub(crate) struct Lists {
    values: Vec<String>,
    ignore_case: bool,
    patterns: Vec<Pattern>,
    networks: Vec<(IpAddr, u32)>,
    domains: Vec<String>,
    denied: Option<Keywords>,
    entities: Vec<&'static Entity>,
}

impl Lists {
    pub(crate) fn new(allow: Allow, deny: &[Deny], own: &[Own]) -> Result<Self, String> {
        let pattern = |text: &String| {
            let flags = if allow.ignore_case { "(?i)" } else { "" };
            Pattern::searching(&format!("{flags}{text}"))
                .map_err(|error| format!("allow.patterns: {text:?}: {error}"))
        };
        let mut entities = Vec::new();
        let mut words = Vec::new();
        for list in deny {
            let entity = known(&list.entity, own).map_err(|error| format!("deny: {error}"))?;
            for value in &list.values {
                if value.is_empty() {
                    return Err("deny: an empty value is in every text".to_owned());
                }
                entities.push(entity);
                words.push(value.to_lowercase());
            }
        }
        let denied = (!words.is_empty())
            .then(|| Keywords::new(&words).map_err(|error| format!("deny: {error}")))
            .transpose()?;
        Ok(Self {
            patterns: allow
                .patterns
                .iter()
                .map(pattern)
                .collect::<Result<_, _>>()?,
            networks: allow
                .networks
                .iter()
                .map(|it| network(it))
                .collect::<Result<_, _>>()?,
            domains: allow.domains.iter().map(|it| it.to_lowercase()).collect(),
            values: allow.values,
            ignore_case: allow.ignore_case,
            denied,
            entities,
        })
    }

    /// Whether a value is said not to be personal.
    pub(crate) fn allows(&self, value: &str, canonical: &str) -> bool {
        let equal = |known: &str, value: &str| match self.ignore_case {
            true => known.to_lowercase() == value.to_lowercase(),
            false => known == value,
        };
        let same = |known: &String| equal(known, value) || equal(known, canonical);
        self.values.iter().any(same)
            || self.patterns.iter().any(|pattern| pattern.is_in(value))
            || !self.networks.is_empty()
                && canonical
                    .parse()
                    .is_ok_and(|address| self.networks.iter().any(|it| is_within(address, *it)))
            || self.domains.iter().any(|domain| {
                canonical.rsplit_once('@').is_some_and(|(_, of)| {
                    of == domain
                        || of
                            .strip_suffix(domain.as_str())
                            .is_some_and(|it| it.ends_with('.'))
                })
            })
    }

    /// Calls `found` with what is said always to be personal, where it is a word of its own.
    pub(crate) fn denied(&self, text: &str, mut found: impl FnMut(&'static Entity, Range<usize>)) {
        let Some(denied) = &self.denied else {
            return;
        };
        let word = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        for (index, range) in denied.find(text) {
            let bytes = text.as_bytes();
            let left = range.start.checked_sub(1).and_then(|at| bytes.get(at));
            let whole = !word(left) && !word(bytes.get(range.end));
            if let Some(entity) = self.entities.get(index).filter(|_| whole) {
                found(entity, range);
            }
        }
    }
}

fn network(text: &str) -> Result<(IpAddr, u32), String> {
    let wrong = || format!("allow.networks: {text:?} is no network such as 10.0.0.0/8");
    let (address, bits) = text
        .split_once('/')
        .map_or((text, None), |(a, b)| (a, Some(b)));
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Ok(most), str::parse).map_err(|_| wrong())?;
    if bits > most {
        return Err(wrong());
    }
    Ok((address, bits))
}

fn is_within(address: IpAddr, (network, bits): (IpAddr, u32)) -> bool {
    let left = |number: u128, all: u32| number.checked_shr(all - bits).unwrap_or_default();
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            left(a.to_bits().into(), 32) == left(b.to_bits().into(), 32)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => left(a.to_bits(), 128) == left(b.to_bits(), 128),
        _ => false,
    }
}
