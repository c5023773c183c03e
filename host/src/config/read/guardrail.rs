//! `[[guardrails]]`.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use super::{grant, methods, swap};
use crate::config::bundled::{Bundled, default_name};
use crate::config::component::is_digest;
use crate::config::error::Problem;
use crate::config::field::Field;
use crate::config::section::Section;
use crate::config::service;
use crate::config::tree::Value;
use crate::config::{
    Guardrail, GuardrailName, Hint, Isolation, Limits, Mode, OnError, Only, Proof, ServerName,
    Source,
};

/// What a guardrail's entry may refer to.
pub(super) struct Surroundings<'a> {
    /// The folder of the file.
    pub(super) folder: &'a Path,
    /// The guardrails of this build.
    pub(super) bundled: &'a Bundled,
    /// The servers of the file, also those that are switched off.
    pub(super) servers: &'a [ServerName],
    /// What new builds have to show unless an entry says otherwise.
    pub(super) proof: Proof,
}

const MODE: [(&str, Mode); 4] = [
    ("enforce", Mode::Enforce),
    ("warn", Mode::Warn),
    ("shadow", Mode::Shadow),
    ("off", Mode::Off),
];

const ON_ERROR: [(&str, OnError); 2] = [("block", OnError::Block), ("allow", OnError::Allow)];

const ISOLATION: [(&str, Isolation); 2] = [
    ("session", Isolation::Session),
    ("message", Isolation::Message),
];

/// The guardrails of a list, in its order.
pub(super) fn guardrails(list: Vec<Field<'_>>, surroundings: &Surroundings<'_>) -> Vec<Guardrail> {
    let mut guardrails: Vec<Guardrail> = Vec::new();
    for (index, field) in list.into_iter().enumerate() {
        let (reading, at) = (field.reading, field.at);
        let label = label(&field.value, index);
        let section = field.labelled(&label);
        let Some(Read {
            guardrail: mut new,
            is_granted,
            shadow,
        }) = section.and_then(|section| guardrail(section, surroundings))
        else {
            continue;
        };
        match service::complete(&mut new, is_granted, reading.env) {
            Ok(None) => {}
            Ok(Some(warning)) => reading.warn(at, &warning),
            Err(problem) => reading.error(at, problem),
        }
        let shadow = shadow.and_then(|component| {
            let name = format!("{}-shadow", new.name).parse().ok()?;
            Some(new.shadow(name, component))
        });
        for new in [Some(new), shadow].into_iter().flatten() {
            match guardrails.iter().find(|earlier| earlier.name == new.name) {
                None => guardrails.push(new),
                Some(earlier) => reading.error(
                    at,
                    Problem::DuplicateGuardrail {
                        name: new.name.to_string(),
                        first: earlier.component.clone(),
                        second: new.component,
                    },
                ),
            }
        }
    }
    guardrails
}

/// What an entry says.
struct Read {
    guardrail: Guardrail,
    /// Whether it says where requests may be sent.
    is_granted: bool,
    /// Another build, to be asked beside it.
    shadow: Option<Source>,
}

fn guardrail(mut section: Section<'_>, surroundings: &Surroundings<'_>) -> Option<Read> {
    let remedy = "write the name of a bundled guardrail, or the path of a .wasm file";
    let component = section.require("use", remedy);
    let component = component.and_then(|field| source(field, surroundings));
    let shadow = section.take("shadow");
    let shadow = shadow.and_then(|field| source(field, surroundings));
    let digest = section.take("digest").and_then(digest);
    let name = name(&mut section, component.as_ref());
    let mode = section.take("mode").and_then(|field| field.choice(&MODE));
    let on_error = section
        .take("on_error")
        .and_then(|field| field.choice(&ON_ERROR));
    let isolation = section
        .take("isolation")
        .and_then(|field| field.choice(&ISOLATION));
    let proof = swap::proof(&mut section, "swap");
    let only = only(section.subsection("only"), surroundings.servers);
    let config = config(section.subsection("config"));
    let limits = limits(section.subsection("limits"));
    let grant = section.subsection("grant");
    section.finish();
    let new = Guardrail::new(name?, component?);
    let granted = grant::granted(grant, new.grants);
    let is_granted = granted.destinations.is_some();
    let guardrail = Guardrail {
        digest,
        mode: mode.unwrap_or_default(),
        on_error: on_error.unwrap_or_default(),
        isolation: isolation.unwrap_or_default(),
        proof: proof.unwrap_or(surroundings.proof),
        only,
        config,
        grants: granted.grants,
        destinations: granted.destinations.unwrap_or_default(),
        limits,
        ..new
    };
    Some(Read {
        guardrail,
        is_granted,
        shadow,
    })
}

/// What to call an entry before it is known whether its name is right.
fn label(value: &Value, index: usize) -> String {
    let Value::Table(entries) = value else {
        return format!("entry {} of \"guardrails\"", index + 1);
    };
    let text = |key: &str| {
        let entry = entries.iter().find(|entry| entry.key == key)?;
        match &entry.node.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    };
    match text("name").or_else(|| text("use")) {
        Some(name) => format!("guardrail \"{name}\""),
        None => format!("[[guardrails]] {}", index + 1),
    }
}

fn source(field: Field<'_>, surroundings: &Surroundings<'_>) -> Option<Source> {
    let (reading, at) = (field.reading, field.at);
    let wrote = field.text()?;
    surroundings
        .bundled
        .find(&wrote, surroundings.folder, reading.env)
        .map_err(|problem| reading.error(at, problem))
        .ok()
}

fn digest(field: Field<'_>) -> Option<String> {
    let (reading, at, what) = (field.reading, field.at, field.what());
    let text = field.text()?;
    if !is_digest(&text) {
        reading.error(at, Problem::Digest { what });
        return None;
    }
    Some(text)
}

fn name(section: &mut Section<'_>, component: Option<&Source>) -> Option<GuardrailName> {
    let Some(field) = section.take("name") else {
        return component.and_then(default_name);
    };
    let (reading, at, what) = (field.reading, field.at, field.what());
    field
        .text()?
        .parse()
        .map_err(|cause| reading.error(at, Problem::Name { what, cause }))
        .ok()
}

fn only(mut section: Section<'_>, known: &[ServerName]) -> Only {
    let servers = section.take("servers").and_then(Field::items);
    let methods = section.take("methods").and_then(Field::items);
    section.finish();
    Only {
        servers: servers
            .into_iter()
            .flatten()
            .filter_map(|field| server(field, known))
            .collect(),
        methods: methods
            .into_iter()
            .flatten()
            .filter_map(methods::method)
            .collect(),
    }
}

fn server(field: Field<'_>, known: &[ServerName]) -> Option<ServerName> {
    let (reading, at, what) = (field.reading, field.at, field.what());
    let found = field.text()?;
    let server = known.iter().find(|name| name.as_str() == found);
    if server.is_none() {
        let problem = Problem::UnknownServer {
            what,
            hint: Hint::to(&found, known.iter().map(ServerName::as_str)),
            found,
        };
        reading.error(at, problem);
    }
    server.cloned()
}

/// The guardrail's own configuration. Its keys are the guardrail's business.
fn config(section: Section<'_>) -> String {
    let object = section
        .into_fields()
        .into_iter()
        .filter_map(|(key, field)| Some((key, json(field)?)))
        .collect();
    serde_json::Value::Object(object).to_string()
}

fn json(field: Field<'_>) -> Option<serde_json::Value> {
    Some(match field.value {
        Value::Null => serde_json::Value::Null,
        Value::Boolean(value) => value.into(),
        Value::Number(number) => number.into(),
        Value::Date(date) => date.into(),
        Value::Text(_) => field.expanded()?.into(),
        Value::List(_) => field.items()?.into_iter().filter_map(json).collect(),
        Value::Table(_) => field
            .section()?
            .into_fields()
            .into_iter()
            .filter_map(|(key, field)| Some((key, json(field)?)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    })
}

fn limits(mut section: Section<'_>) -> Limits {
    let default = Limits::default();
    let mut bytes = |key, range: RangeInclusive<u64>| section.take(key)?.size(range);
    let memory = bytes("memory", 1 << 20..=Limits::MAX_MEMORY);
    let output = bytes("output", 1 << 10..=256 << 20);
    let log_bytes = bytes("log_bytes", 0..=16 << 20);
    let http_body = bytes("http_body", 0..=64 << 20);
    let state_key = bytes("state_key", 1..=1 << 20);
    let state_value = bytes("state_value", 0..=64 << 20);
    let state_bytes = bytes("state_bytes", 0..=1 << 30);
    let mut time = |key, most| {
        let range = Duration::from_millis(1)..=Duration::from_secs(most);
        section.take(key)?.duration(range)
    };
    let cpu = time("cpu", 60);
    let wall = time("wall", 600);
    let configure = time("configure", 300);
    let mut count = |key, most| section.take(key)?.count(0..=most);
    let log_lines = count("log_lines", 100_000);
    let host_calls = count("host_calls", 100_000_000);
    let http_requests = count("http_requests", 10_000);
    let state_entries = count("state_entries", 10_000_000).map(u64::from);
    section.finish();
    Limits {
        memory: memory.unwrap_or(default.memory),
        cpu: cpu.unwrap_or(default.cpu),
        wall: wall.unwrap_or(default.wall),
        output: fit(output, default.output),
        log_lines: log_lines.unwrap_or(default.log_lines),
        log_bytes: fit(log_bytes, default.log_bytes),
        host_calls: host_calls.unwrap_or(default.host_calls),
        http_requests: http_requests.unwrap_or(default.http_requests),
        http_body: fit(http_body, default.http_body),
        state_entries: fit(state_entries, default.state_entries),
        state_key: fit(state_key, default.state_key),
        state_value: fit(state_value, default.state_value),
        state_bytes: fit(state_bytes, default.state_bytes),
        configure: configure.unwrap_or(default.configure),
    }
}

/// Within the ranges above, a size fits whatever type it is kept in.
fn fit<T: TryFrom<u64>>(size: Option<u64>, default: T) -> T {
    size.and_then(|size| T::try_from(size).ok())
        .unwrap_or(default)
}
