//! JSON, with or without comments.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use serde_json::Value;

use super::DocumentError;

/// What the clients that write such files accept themselves, and no more.
const ACCEPTED: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_trailing_commas: true,
    allow_loose_object_property_names: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// A JSON file.
#[derive(Debug)]
pub(super) struct Json {
    root: CstRootNode,
    servers: Option<CstObject>,
}

impl Json {
    pub(super) fn read(text: &str, place: &[&str]) -> Result<Self, DocumentError> {
        let root = CstRootNode::parse(text, &ACCEPTED)
            .map_err(|error| DocumentError::Syntax(error.to_string()))?;
        let mut servers = root.object_value();
        if servers.is_none() && !text.trim().is_empty() {
            return Err(DocumentError::Syntax("it holds no object".to_owned()));
        }
        for key in place {
            servers = servers.and_then(|object| object.object_value(key));
        }
        Ok(Self { root, servers })
    }

    pub(super) fn servers(&self) -> Vec<(String, Value)> {
        let properties = self.servers.iter().flat_map(CstObject::properties);
        properties
            .filter_map(|property| {
                let name = property.decoded_name()?;
                Some((name, property.value()?.to_serde_value()?))
            })
            .collect()
    }

    pub(super) fn whole(&self) -> Option<Value> {
        self.root.to_serde_value()
    }

    pub(super) fn exchange(&mut self, out: &[String], into: &[(String, Value)]) {
        let Some(servers) = &self.servers else {
            return;
        };
        let gone: Vec<_> = servers
            .properties()
            .into_iter()
            .filter(|property| {
                property
                    .decoded_name()
                    .is_some_and(|name| out.contains(&name))
            })
            .collect();
        let first = gone.first().map_or(0, |first| first.property_index());
        // New before old: an object that is empty for a moment loses its form.
        for (at, (name, value)) in into.iter().enumerate() {
            servers.insert(first + at, name, input(value));
        }
        gone.into_iter().for_each(|property| property.remove());
    }

    pub(super) fn set(&mut self, name: &str, values: &[(&str, Value)]) {
        let entry = self
            .servers
            .as_ref()
            .and_then(|servers| servers.object_value(name));
        let Some(entry) = entry else {
            return;
        };
        for (key, value) in values {
            match entry.get(key) {
                Some(property) => property.set_value(input(value)),
                None => {
                    entry.append(key, input(value));
                }
            }
        }
    }

    pub(super) fn text(&self) -> String {
        self.root.to_string()
    }
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(state) => CstInputValue::Bool(*state),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(entries) => CstInputValue::Object(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), input(value)))
                .collect(),
        ),
    }
}
