//! Values as YAML.

use serde_json::Value;

/// A table as lines, the first of which begins otherwise than the others.
pub(super) fn block(first: &str, other: &str, value: &Value) -> String {
    let Value::Object(entries) = value else {
        return format!("{first}{}\n", inline(value));
    };
    let mut lines = String::new();
    let entries = entries.iter().filter(|(_, value)| !value.is_null());
    for (index, (key, value)) in entries.enumerate() {
        let begin = if index == 0 { first } else { other };
        let key = inline(&Value::String(key.clone()));
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                let deeper = format!("{other}  ");
                lines.push_str(&format!(
                    "{begin}{key}:\n{}",
                    block(&deeper, &deeper, value)
                ));
            }
            _ => lines.push_str(&format!("{begin}{key}: {}\n", inline(value))),
        }
    }
    lines
}

/// A value in one line. JSON is YAML, too.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(Value::to_string).collect();
            format!("[{}]", items.join(", "))
        }
        _ => value.to_string(),
    }
}

/// Whether a text means itself without quotes.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
        && !WORDS.contains(&text.to_lowercase().as_str())
}
