//! JSON with comments into a tree.

use jsonc_parser::ast::{self, Value as Parsed};
use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseError;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::{Entry, Fault, Lines, Node, Position, Value};

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

/// The tree of a JSON text.
pub(super) fn parse(lines: &Lines<'_>) -> Result<Node, Fault> {
    let parsed = parse_to_ast(lines.text, &CollectOptions::default(), &ACCEPTED)
        .map_err(|error| fault(&error, lines))?;
    match parsed.value {
        Some(value) => node(value, lines),
        None => Err(Fault {
            at: Position { line: 1, column: 1 },
            message: "the file is empty".to_owned(),
        }),
    }
}

fn fault(error: &ParseError, lines: &Lines<'_>) -> Fault {
    Fault {
        at: lines.position(error.range().start),
        message: error.kind().to_string().to_lowercase(),
    }
}

fn node(parsed: Parsed<'_>, lines: &Lines<'_>) -> Result<Node, Fault> {
    let at = lines.position(parsed.start());
    let value = match parsed {
        Parsed::NullKeyword(_) => Value::Null,
        Parsed::BooleanLit(literal) => Value::Boolean(literal.value),
        Parsed::StringLit(literal) => Value::Text(literal.value.into_owned()),
        Parsed::NumberLit(literal) => {
            let number = serde_json::from_str(literal.value).map_err(|_| Fault {
                at,
                message: "number out of range".to_owned(),
            })?;
            Value::Number(number)
        }
        Parsed::Array(array) => Value::List(
            array
                .elements
                .into_iter()
                .map(|element| node(element, lines))
                .collect::<Result<_, _>>()?,
        ),
        Parsed::Object(object) => Value::Table(
            object
                .properties
                .into_iter()
                .map(|property| entry(property, lines))
                .collect::<Result<_, _>>()?,
        ),
    };
    Ok(Node { at, value })
}

fn entry(property: ast::ObjectProp<'_>, lines: &Lines<'_>) -> Result<Entry, Fault> {
    Ok(Entry {
        at: lines.position(property.range.start),
        key: property.name.into_string(),
        node: node(property.value, lines)?,
    })
}
