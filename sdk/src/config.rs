//! Reads a configuration, and names the key at fault when it can't.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

/// The configuration as its type, or an error that names the key.
pub(crate) fn parse<C: DeserializeOwned>(text: &str) -> Result<C, String> {
    serde_json::from_str(text).map_err(|error| {
        let message = strip_position(&error.to_string());
        match culprit::<C>(text, &message) {
            Some(key) => format!("configuration key {key:?}: {message}"),
            None => format!("configuration: {message}"),
        }
    })
}

/// The first key whose value alone brings about the same error.
///
/// serde tells a missing and an unknown key by name, but of a value of the wrong type only what it is, and
/// "line 1 column 40" helps nobody whose configuration was TOML. So each member is tried on its own.
fn culprit<C: DeserializeOwned>(text: &str, message: &str) -> Option<String> {
    if message.contains(" field `") {
        return None;
    }
    let members: BTreeMap<String, Value> = serde_json::from_str(text).ok()?;
    members.into_iter().find_map(|(key, value)| {
        let alone = Value::Object([(key.clone(), value)].into_iter().collect());
        // As a text again: serde words an error by what it reads from.
        let error = serde_json::from_str::<C>(&alone.to_string()).err()?;
        (strip_position(&error.to_string()) == message).then_some(key)
    })
}

fn strip_position(message: &str) -> String {
    message
        .rsplit_once(" at line ")
        .map_or(message, |(text, _)| text)
        .to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::NoConfig;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only read by serde")]
    struct Config {
        limit: u32,
        #[serde(default)]
        words: Vec<String>,
    }

    fn check<C: DeserializeOwned + std::fmt::Debug>(text: &str, expected: &str) {
        assert_eq!(parse::<C>(text).unwrap_err(), expected);
    }

    #[test]
    fn an_unknown_key_is_named() {
        check::<Config>(
            r#"{"limit": 1, "word": []}"#,
            "configuration: unknown field `word`, expected `limit` or `words`",
        );
        check::<NoConfig>(
            r#"{"limit": 1}"#,
            "configuration: unknown field `limit`, there are no fields",
        );
    }

    #[test]
    fn a_missing_key_is_named() {
        check::<Config>("{}", "configuration: missing field `limit`");
    }

    #[test]
    fn the_key_of_a_value_of_the_wrong_type_is_named() {
        check::<Config>(
            r#"{"words": [1], "limit": 1}"#,
            r#"configuration key "words": invalid type: integer `1`, expected a string"#,
        );
        check::<Config>(
            r#"{"words": [], "limit": "much"}"#,
            r#"configuration key "limit": invalid type: string "much", expected u32"#,
        );
    }

    #[test]
    fn text_that_is_no_json_is_an_error() {
        check::<Config>("{", "configuration: EOF while parsing an object");
    }

    #[test]
    fn no_keys_are_no_configuration() {
        assert!(parse::<NoConfig>("{}").is_ok());
    }
}
