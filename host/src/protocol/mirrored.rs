//! The parameters of tools that a server wants to see in headers, too
//! (`x-mcp-header`).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::HeaderName;
use serde_json::Value;

use crate::message::{self, Message, PatchOp, string};

/// The annotation in a parameter's schema.
const ANNOTATION: &str = "x-mcp-header";

/// Keywords whose value is a schema, or a list of some.
const NESTED: [&str; 15] = [
    "items",
    "prefixItems",
    "contains",
    "additionalItems",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "propertyNames",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
];

/// Keywords whose value has schemas by name, beside `properties`.
const NAMED: [&str; 4] = [
    "$defs",
    "definitions",
    "patternProperties",
    "dependentSchemas",
];

/// The tools of one server that are kept in mind: a server may list new ones for ever.
const MOST_TOOLS: usize = 4096;

/// The integers that JavaScript can tell apart.
const SAFE: f64 = 9_007_199_254_740_991.0;

/// What is known of a server's tools, by their names.
#[derive(Debug, Default)]
pub struct Mirrored(Mutex<HashMap<String, Vec<Parameter>>>);

/// A parameter that is repeated in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Parameter {
    header: HeaderName,
    /// The names of properties that lead to it.
    path: Vec<String>,
}

impl Mirrored {
    /// Whether there is something to learn from a page of the list of tools.
    pub fn concerns(&self, page: &[u8]) -> bool {
        memchr::memmem::find(page, ANNOTATION.as_bytes()).is_some() || !self.lock().is_empty()
    }

    /// Learns from a page of the list of tools. Returns the page without the
    /// tools that ask for what cannot be, which the specification wants left out.
    pub fn learn(&self, server: &str, page: Message) -> Message {
        if !self.concerns(page.line().as_bytes()) {
            return page;
        }
        let tools = page.value("/tools").map(message::elements);
        let Some(Ok(tools)) = tools else { return page };
        let mut invalid = Vec::new();
        for (index, tool) in tools.into_iter().enumerate() {
            let member = |key| message::unique_member(tool, key).ok().flatten();
            let Some(name) = member("name").and_then(string) else {
                continue;
            };
            let schema = member("inputSchema").and_then(|schema| serde_json::from_str(schema).ok());
            match parameters(&schema.unwrap_or_default()) {
                Ok(parameters) if parameters.is_empty() => {
                    self.lock().remove(&*name);
                }
                Ok(parameters) => {
                    let mut tools = self.lock();
                    if tools.len() < MOST_TOOLS || tools.contains_key(&*name) {
                        tools.insert(name.into_owned(), parameters);
                    }
                }
                Err(reason) => {
                    tracing::warn!(server, tool = &*name, "left out of the list: {reason}");
                    invalid.push(PatchOp::Remove {
                        path: format!("/tools/{index}"),
                    });
                }
            }
        }
        // From the last on, so that the places of the others stay.
        invalid.reverse();
        page.patch(&invalid).unwrap_or(page)
    }

    /// The headers of a call, with their values as text.
    pub fn of(&self, tool: &str, arguments: &str) -> Vec<(HeaderName, String)> {
        let parameters = self.lock().get(tool).cloned().unwrap_or_default();
        let value = |parameter: Parameter| {
            let mut value = arguments;
            for key in &parameter.path {
                value = message::unique_member(value, key).ok().flatten()?;
            }
            Some((parameter.header, text(value)?))
        };
        parameters.into_iter().filter_map(value).collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<Parameter>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a value is in a header; `null` and what is no simple value are not.
fn text(json: &str) -> Option<String> {
    if let Some(text) = string(json) {
        return Some(text.into_owned());
    }
    match json {
        "true" | "false" => Some(json.to_owned()),
        _ if json
            .strip_prefix('-')
            .unwrap_or(json)
            .bytes()
            .all(|b| b.is_ascii_digit()) =>
        {
            Some(json.to_owned())
        }
        _ => {
            // `42.0` and `4.2e1` are integers, too.
            let number: f64 = json.parse().ok()?;
            (number.fract() == 0.0 && number.abs() <= SAFE).then(|| format!("{number:.0}"))
        }
    }
}

/// The parameters that a tool's schema wants in headers, or what is wrong with
/// what it wants.
fn parameters(schema: &Value) -> Result<Vec<Parameter>, String> {
    if schema.get(ANNOTATION).is_some() {
        return Err(format!(
            "its schema has {ANNOTATION:?} outside of a parameter"
        ));
    }
    let mut parameters = Vec::new();
    collect(schema, &mut Vec::new(), &mut parameters)?;
    Ok(parameters)
}

fn collect(
    schema: &Value,
    path: &mut Vec<String>,
    parameters: &mut Vec<Parameter>,
) -> Result<(), String> {
    if is_stray(schema) {
        return Err(format!(
            "its schema has {ANNOTATION:?} where a parameter is not always to be found"
        ));
    }
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return Ok(());
    };
    for (name, property) in properties {
        path.push(name.clone());
        if let Some(annotation) = property.get(ANNOTATION) {
            let header = header(annotation, property)?;
            if parameters.iter().any(|known| known.header == header) {
                return Err(format!("two of its parameters want the header {header:?}"));
            }
            parameters.push(Parameter {
                header,
                path: path.clone(),
            });
        }
        collect(property, path, parameters)?;
        path.pop();
    }
    Ok(())
}

fn header(annotation: &Value, property: &Value) -> Result<HeaderName, String> {
    let name = annotation.as_str().unwrap_or_default();
    let header = format!("mcp-param-{name}").parse();
    let (false, Ok(header)) = (name.is_empty(), header) else {
        return Err(format!("the value of {ANNOTATION:?} is no header's name"));
    };
    let simple = |kind: &Value| matches!(kind.as_str(), Some("string" | "integer" | "boolean"));
    let suits = match property.get("type") {
        Some(Value::Array(kinds)) => {
            let mut kinds = kinds.iter().filter(|kind| **kind != "null").peekable();
            kinds.peek().is_some() && kinds.all(simple)
        }
        Some(kind) => simple(kind),
        None => false,
    };
    if suits {
        Ok(header)
    } else {
        Err(format!(
            "{ANNOTATION:?} is for strings, integers and booleans only"
        ))
    }
}

/// Whether an annotation stands beneath a schema where no chain of `properties`
/// leads to.
fn is_stray(schema: &Value) -> bool {
    let nested = NESTED.iter().filter_map(|key| schema.get(key));
    let nested = nested.flat_map(|value| match value {
        Value::Array(schemas) => schemas.iter().collect(),
        schema => vec![schema],
    });
    let named = NAMED.iter().filter_map(|key| schema.get(key)?.as_object());
    nested
        .chain(named.flat_map(|schemas| schemas.values()))
        .any(is_annotated)
}

/// Whether an annotation stands anywhere in a schema.
fn is_annotated(schema: &Value) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    schema.get(ANNOTATION).is_some()
        || properties.is_some_and(|all| all.values().any(is_annotated))
        || is_stray(schema)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(tools: &Value) -> Message {
        Message::result("1", &json!({"tools": tools}).to_string())
    }

    fn tool(name: &str, schema: Value) -> Value {
        json!({"name": name, "inputSchema": schema})
    }

    #[test]
    fn parameters_are_found_where_they_stand() {
        let schema = json!({"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "deep": {"properties": {"n": {"type": ["integer", "null"], "x-mcp-header": "N"}}},
            "on": {"type": "boolean", "x-mcp-header": "On"},
            "x-mcp-header": {"type": "string", "default": {"x-mcp-header": "no schema"}},
        }});
        let mirrored = Mirrored::default();
        let list = page(&json!([tool("sql", schema), tool("other", json!({}))]));
        assert_eq!(mirrored.learn("s", list.clone()).line(), list.line());

        let values = |arguments: &str| -> Vec<String> {
            let headers = mirrored.of("sql", arguments);
            let shown = |(name, value)| format!("{name}: {value}");
            headers.into_iter().map(shown).collect()
        };
        assert_eq!(
            values(r#"{"region":"a\u00fc","deep":{"n":-42},"on":true,"x":1}"#),
            [
                "mcp-param-region: aü",
                "mcp-param-n: -42",
                "mcp-param-on: true"
            ]
        );
        assert_eq!(
            values(r#"{"region":null,"deep":{"n":4.2e1}}"#),
            ["mcp-param-n: 42"]
        );
        assert_eq!(values(r#"{"deep":[1],"on":[]}"#), [""; 0]);
        assert!(mirrored.of("other", r#"{"region":"x"}"#).is_empty());

        mirrored.learn("s", page(&json!([tool("sql", json!({}))])));
        assert_eq!(values(r#"{"region":"x"}"#), [""; 0]);
    }

    #[test]
    fn a_tool_that_asks_for_what_cannot_be_is_left_out() {
        let wrong = [
            json!({"x-mcp-header": "Root"}),
            json!({"properties": {"a": {"type": "string", "x-mcp-header": ""}}}),
            json!({"properties": {"a": {"type": "string", "x-mcp-header": "a b"}}}),
            json!({"properties": {"a": {"type": "string", "x-mcp-header": "a\r\nb"}}}),
            json!({"properties": {"a": {"type": "string", "x-mcp-header": 1}}}),
            json!({"properties": {"a": {"type": "number", "x-mcp-header": "A"}}}),
            json!({"properties": {"a": {"x-mcp-header": "A"}}}),
            json!({"properties": {
                "a": {"type": "string", "x-mcp-header": "A"},
                "b": {"type": "string", "x-mcp-header": "a"},
            }}),
            json!({"properties": {"a": {"items": {"type": "string", "x-mcp-header": "A"}}}}),
            json!({"anyOf": [{"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}]}),
            json!({"$defs": {"a": {"type": "string", "x-mcp-header": "A"}}}),
        ];
        for schema in wrong {
            let good = tool("good", json!({"type": "object"}));
            let list = page(&json!([good, tool("bad", schema.clone()), good]));
            let left = Mirrored::default().learn("s", list);
            let expected = page(&json!([good, good]));
            assert_eq!(left.line(), expected.line(), "{schema}");
        }
    }
}
