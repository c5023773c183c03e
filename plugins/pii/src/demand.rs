//! What the schemas of a tool demand of values in its arguments and in its structured results: a client checks the one by
//! its `outputSchema`, a server the other by its `inputSchema`.

use mcp_gateway_pseudonym::Form;
use mcp_gateway_scan::Pattern;
use mcp_gateway_sdk::{Direction, Message, Scope};
use serde_json::Value;

/// So many tools of one list, and so deep and so much of a schema, are looked at.
const TOOLS: usize = 1_000;
const DEPTH: usize = 16;
const SCHEMAS: usize = 4_000;

/// The parts of messages that schemas are about.
const ARGUMENTS: &str = "/arguments";
const RESULT: &str = "/structuredContent";

/// What a value has to be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Demand {
    /// A number.
    Number,
    /// A string of this form.
    Form(Form),
    /// A string in which this expression matches.
    Pattern(String),
}

/// What is demanded of the values of one message, by their places.
#[derive(Debug, Default)]
pub(crate) struct Demands(Vec<(String, Demand)>);

/// Formats of JSON Schema, and the forms that are of them.
const FORMATS: &[(&str, Form)] = &[
    ("email", Form::Email),
    ("idn-email", Form::Email),
    ("ipv4", Form::Ip),
    ("ipv6", Form::Ip),
    ("uri", Form::Uri),
    ("iri", Form::Uri),
    ("uuid", Form::Uuid),
    ("date", Form::Date),
    ("date-time", Form::DateTime),
];

/// As it is kept what a number is called; what begins with the sign is a pattern.
const NUMBER: &str = "number";
const PATTERN: &str = "~";

impl Demand {
    fn of(schema: &Value) -> Option<Self> {
        let text = |key| schema.get(key).and_then(Value::as_str);
        if let Some(demand) = text("format").and_then(Self::named) {
            return Some(demand);
        }
        if let Some(pattern) = text("pattern") {
            return Some(Self::Pattern(pattern.to_owned()));
        }
        let is = |name| is_of_type(schema, name);
        ((is("number") || is("integer")) && !is("string")).then_some(Self::Number)
    }

    /// By the name of a format.
    fn named(name: &str) -> Option<Self> {
        let known = FORMATS.iter().find(|(format, _)| *format == name);
        known.map(|(_, form)| Self::Form(*form))
    }

    /// As it is kept.
    fn name(&self) -> String {
        match self {
            Self::Number => NUMBER.to_owned(),
            Self::Pattern(pattern) => format!("{PATTERN}{pattern}"),
            Self::Form(form) => {
                let known = FORMATS.iter().find(|(_, of)| of == form);
                known.map_or("", |(format, _)| format).to_owned()
            }
        }
    }

    fn kept(name: &str) -> Option<Self> {
        match name.strip_prefix(PATTERN) {
            Some(pattern) => Some(Self::Pattern(pattern.to_owned())),
            None if name == NUMBER => Some(Self::Number),
            None => Self::named(name),
        }
    }

    /// Whether a value is what is demanded, as far as that cannot be taken for granted.
    pub(crate) fn is_met(&self, value: &str) -> bool {
        match self {
            Self::Pattern(pattern) => {
                Pattern::searching(pattern).is_ok_and(|pattern| pattern.is_in(value))
            }
            Self::Number | Self::Form(_) => true,
        }
    }
}

impl Demands {
    /// Of a call of a tool, or the result of one.
    pub(crate) fn of(message: &Message<'_>) -> Self {
        let Some(tool) = message
            .subject()
            .filter(|_| message.method() == "tools/call")
        else {
            return Self::default();
        };
        let key = key(message.server(), tool);
        let known = message.state(Scope::Session).get(&key);
        let known = serde_json::from_slice(&known.unwrap_or_default());
        let known: Vec<(String, String)> = known.unwrap_or_default();
        let known = known.into_iter();
        Self(
            known
                .filter_map(|(path, name)| Some((path, Demand::kept(&name)?)))
                .collect(),
        )
    }

    /// What is demanded of the value at a JSON Pointer into the payload.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Demand> {
        let leads = |path: &str| {
            let same = |(one, other): (&str, &str)| one == "*" || one == other;
            path.split('/').count() == pointer.split('/').count()
                && path.split('/').zip(pointer.split('/')).all(same)
        };
        let mut all = self.0.iter();
        all.find(|(path, _)| leads(path)).map(|(_, demand)| demand)
    }
}

/// Remembers what a list of tools demands of their arguments and results.
pub(crate) fn remember(message: &Message<'_>) {
    if message.method() != "tools/list"
        || message.direction() != Direction::ToClient
        || message.kind() != "response"
    {
        return;
    }
    let payload = message.payload().unwrap_or_default();
    let list: Value = serde_json::from_str(&payload).unwrap_or_default();
    let tools = list.get("tools").and_then(Value::as_array);
    let state = message.state(Scope::Session);
    for tool in tools.into_iter().flatten().take(TOOLS) {
        let Some(name) = tool.get("name").and_then(Value::as_str) else {
            continue;
        };
        let mut all: Vec<(String, String)> = Vec::new();
        for (schema, root) in [("inputSchema", ARGUMENTS), ("outputSchema", RESULT)] {
            if let Some(schema) = tool.get(schema) {
                let demands = Walk::of(schema, root).into_iter();
                // Only numbers are put back as something else than they would be written anyway.
                let matters = |it: &(String, Demand)| root == RESULT || it.1 == Demand::Number;
                let demands = demands.filter(matters);
                all.extend(demands.map(|(path, demand)| (path, demand.name())));
            }
        }
        let key = key(message.server(), name);
        if all.is_empty() {
            state.delete(&key);
        } else {
            // Without it the value is hidden all the same; the client may refuse the result.
            let _ = state.set(&key, &serde_json::to_vec(&all).unwrap_or_default());
        }
    }
}

/// A walk through a schema.
struct Walk<'s> {
    root: &'s Value,
    left: usize,
    found: Vec<(String, Demand)>,
}

impl<'s> Walk<'s> {
    fn of(schema: &'s Value, path: &str) -> Vec<(String, Demand)> {
        let mut walk = Self {
            root: schema,
            left: SCHEMAS,
            found: Vec::new(),
        };
        walk.visit(schema, path, DEPTH);
        walk.found
    }

    fn visit(&mut self, schema: &'s Value, path: &str, depth: usize) {
        let (Some(depth), Some(left)) = (depth.checked_sub(1), self.left.checked_sub(1)) else {
            return;
        };
        self.left = left;
        if let Some(demand) = Demand::of(schema) {
            self.found.push((path.to_owned(), demand));
        }
        let reference = schema.get("$ref").and_then(Value::as_str);
        let local = reference.and_then(|it| self.root.pointer(it.strip_prefix('#')?));
        if let Some(schema) = local {
            self.visit(schema, path, depth);
        }
        let list = |key| {
            schema
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        };
        for key in ["allOf", "anyOf", "oneOf"] {
            let begun = self.found.len();
            list(key).for_each(|schema| self.visit(schema, path, depth));
            // What may be a string as well need not be anything else.
            let free = |it: &Value| is_of_type(it, "string") && Demand::of(it).is_none();
            if key != "allOf" && list(key).any(free) {
                let mut at = 0;
                self.found.retain(|(of, _)| {
                    at += 1;
                    at <= begun || of != path
                });
            }
        }
        let object = |key| {
            schema
                .get(key)
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
        };
        for (name, schema) in object("properties") {
            let name = name.replace('~', "~0").replace('/', "~1");
            self.visit(schema, &format!("{path}/{name}"), depth);
        }
        for (index, schema) in list("prefixItems").enumerate() {
            self.visit(schema, &format!("{path}/{index}"), depth);
        }
        for key in ["items", "additionalProperties"] {
            if let Some(schema) = schema.get(key) {
                self.visit(schema, &format!("{path}/*"), depth);
            }
        }
    }
}

/// Whether a schema allows values of a type.
fn is_of_type(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    }
}

fn key(server: &str, tool: &str) -> String {
    format!("f/{server}/{tool}")
}
