//! `[gateway]`.

use std::time::Duration;

use super::timeouts;
use crate::config::error::Problem;
use crate::config::field::Field;
use crate::config::section::Section;
use crate::config::{Gateway, Naming, Pinning, TrustedKey};

const NAMING: [(&str, Naming); 2] = [("prefixed", Naming::Prefixed), ("bare", Naming::Bare)];

const PINNING: [(&str, Pinning); 3] = [
    ("off", Pinning::Off),
    ("warn", Pinning::Warn),
    ("hide", Pinning::Hide),
];

/// What `[gateway]` says.
pub(super) fn gateway(mut section: Section<'_>) -> Gateway {
    let mut gateway = Gateway::default();
    if let Some(naming) = section
        .take("naming")
        .and_then(|field| field.choice(&NAMING))
    {
        gateway.naming = naming;
    }
    let wait = Duration::ZERO..=Duration::from_secs(600);
    if let Some(wait) = section
        .take("ready_timeout")
        .and_then(|field| field.duration(wait))
    {
        gateway.ready_timeout = wait;
    }
    let cache = section.take("catalog_cache");
    if let Some(cache) = cache.and_then(|field| field.boolean()) {
        gateway.catalog_cache = cache;
    }
    let size = 64 << 10..=1 << 30;
    if let Some(size) = section
        .take("max_message")
        .and_then(|field| field.size(size))
    {
        gateway.max_message = usize::try_from(size).unwrap_or(usize::MAX);
    }
    if let Some(longest) = section
        .take("request_timeout")
        .and_then(|field| field.duration(timeouts::RANGE))
    {
        gateway.request_timeout = longest;
    }
    gateway.timeouts = timeouts::by_method(section.subsection("timeouts"));
    if let Some(most) = section
        .take("max_in_flight")
        .and_then(|field| field.count(1..=100_000))
    {
        gateway.max_in_flight = most as usize;
    }
    if let Some(pinning) = section
        .take("pinning")
        .and_then(|field| field.choice(&PINNING))
    {
        gateway.pinning = pinning;
    }
    let scan = section.take("scan");
    if let Some(scan) = scan.and_then(|field| field.boolean()) {
        gateway.scan = scan;
    }
    let metadata = section.take("expose_metadata");
    if let Some(metadata) = metadata.and_then(|field| field.boolean()) {
        gateway.expose_metadata = metadata;
    }
    let keys = section.take("trusted_keys").and_then(Field::items);
    gateway.trusted_keys = keys.into_iter().flatten().filter_map(key).collect();
    section.finish();
    gateway
}

fn key(field: Field<'_>) -> Option<TrustedKey> {
    let (reading, at, what) = (field.reading, field.at, field.what());
    let key = field.text()?.parse();
    key.map_err(|cause| reading.error(at, Problem::Key { what, cause }))
        .ok()
}
