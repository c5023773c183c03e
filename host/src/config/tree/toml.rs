//! TOML into a tree.

use ::toml::Spanned;
use ::toml::de::{DeInteger, DeTable, DeValue};
use serde_json::Number;

use super::{Entry, Fault, Lines, Node, Position, Value};

/// The tree of a TOML text. The parser recovers, so it may find several faults;
/// of those in one line only the first is sure to be one.
pub(super) fn parse(lines: &Lines<'_>) -> Result<Node, Vec<Fault>> {
    let (table, errors) = DeTable::parse_recoverable(lines.text);
    let mut faults: Vec<_> = errors
        .into_iter()
        .map(|error| Fault {
            at: lines.begin_of(error.span().unwrap_or_default()),
            message: error.message().to_owned(),
        })
        .collect();
    let at = Position { line: 1, column: 1 };
    let value = table_value(table.get_ref(), lines, &mut faults);
    if faults.is_empty() {
        return Ok(Node { at, value });
    }
    faults.sort_by_key(|fault| fault.at);
    faults.dedup_by_key(|fault| fault.at.line);
    Err(faults)
}

fn table_value(table: &DeTable<'_>, lines: &Lines<'_>, faults: &mut Vec<Fault>) -> Value {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| Entry {
            at: lines.begin_of(key.span()),
            key: key.get_ref().to_string(),
            node: node(value, lines, faults),
        })
        .collect();
    entries.sort_by_key(|entry| entry.at);
    Value::Table(entries)
}

fn node(spanned: &Spanned<DeValue<'_>>, lines: &Lines<'_>, faults: &mut Vec<Fault>) -> Node {
    let at = lines.begin_of(spanned.span());
    let value = match spanned.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Integer(integer) => number(integer_number(integer), at, faults),
        DeValue::Float(float) => {
            let parsed = float.as_str().parse().ok();
            number(parsed.and_then(Number::from_f64), at, faults)
        }
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| node(item, lines, faults)).collect())
        }
        DeValue::Table(table) => table_value(table, lines, faults),
    };
    Node { at, value }
}

fn integer_number(integer: &DeInteger<'_>) -> Option<Number> {
    i64::from_str_radix(integer.as_str(), integer.radix())
        .ok()
        .map(Number::from)
}

fn number(number: Option<Number>, at: Position, faults: &mut Vec<Fault>) -> Value {
    number.map_or_else(
        || {
            let message = "number out of range".to_owned();
            faults.push(Fault { at, message });
            Value::Null
        },
        Value::Number,
    )
}
