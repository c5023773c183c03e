//! Where two values differ.

use serde_json::Value;

/// The innermost places where two values differ, and how.
pub fn differences(direct: &Value, other: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", Some(direct), Some(other), &mut found);
    found
}

fn compare(place: &str, direct: Option<&Value>, other: Option<&Value>, found: &mut Vec<String>) {
    match (direct, other) {
        (Some(Value::Array(one)), Some(Value::Array(two))) => {
            for index in 0..one.len().max(two.len()) {
                let place = format!("{place}/{index}");
                compare(&place, one.get(index), two.get(index), found);
            }
        }
        (Some(Value::Object(one)), Some(Value::Object(two))) => {
            let only_other = two.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(only_other) {
                let place = format!("{place}/{key}");
                compare(&place, one.get(key), two.get(key), found);
            }
        }
        _ if direct == other => {}
        _ => {
            let show = |value: Option<&Value>| value.map_or("nothing".to_owned(), short);
            found.push(format!(
                "{place}\n    direct:      {}\n    the gateway: {}",
                show(direct),
                show(other)
            ));
        }
    }
}

fn short(value: &Value) -> String {
    const ENOUGH: usize = 300;
    let text = value.to_string();
    match text.char_indices().nth(ENOUGH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
